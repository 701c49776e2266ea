"""Losses: the cost of the outputs, and how it pulls at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = ["Loss", "SquaredError"]


class Loss:
    """Cost of an example, with its first and second derivative at the outputs: subclass it.

    Outputs and targets have shape (batch, n_outputs). Use operators that NumPy arrays and torch
    tensors share.
    """

    #: second derivative of the cost by an output, at least 0; for a loss that is not quadratic, a
    #: constant that stands in for it
    curvature: ClassVar[float]

    def cost(self, output: Any, target: Any) -> Any:
        """Cost of every example, shape (batch,)."""
        raise NotImplementedError

    def force(self, output: Any, target: Any) -> Any:
        """Minus the derivative of the cost by every output, shape (batch, n_outputs)."""
        raise NotImplementedError


@dataclass(frozen=True)
class SquaredError(Loss):
    r"""Squared error :math:`C = \lVert s_{out} - d \rVert^2`, without a half, as in the paper."""

    curvature: ClassVar[float] = 2.0

    def cost(self, output: Any, target: Any) -> Any:
        """Squared distance of every example, shape (batch,)."""
        return ((output - target) ** 2).sum(-1)

    def force(self, output: Any, target: Any) -> Any:
        """Minus the derivative by every output."""
        return 2 * (target - output)
