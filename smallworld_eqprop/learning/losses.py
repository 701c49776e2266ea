"""Losses: the cost of the outputs, and how it pulls at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from smallworld_eqprop.parts import Part

__all__ = ["CrossEntropy", "Loss", "SquaredError"]


class Loss(Part):
    """Cost of an example, with its first and second derivative at the outputs: subclass it.

    Outputs and targets have shape (batch, n_outputs). Use operators that NumPy arrays and torch
    tensors share.
    """

    #: whether the outputs have to be outside the energy of the model
    readout: ClassVar[bool] = False
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


@dataclass(frozen=True)
class CrossEntropy(Loss):
    r"""Cross-entropy of a softmax, :math:`C = -\sum_k d_k \log softmax(z)_k`, of outputs z.

    The outputs have to be outside the energy (``readout=True`` of a model): a linear reading of
    the other nodes, trained by :math:`(softmax(z) - d)_k s_j`, whose error pulls at the nodes that
    feed them. Targets are shares that sum to 1, one-hot for classes.

    References
    ----------
    A. Laborieux et al., Front. Neurosci. 15:633674, 2021, doi:10.3389/fnins.2021.633674.
    """

    readout: ClassVar[bool] = True
    curvature: ClassVar[float] = 0.0

    def cost(self, output: Any, target: Any) -> Any:
        """Cross-entropy of every example, in nats; shape (batch,)."""
        return log_sum_exp(output) - (output * target).sum(-1)

    def force(self, output: Any, target: Any) -> Any:
        """Minus the derivative by every output: the target minus the softmax."""
        return target - softmax(output)


def softmax(output: Any) -> Any:
    """Softmax over the last axis, of a NumPy array or a tensor of torch."""
    if not isinstance(output, np.ndarray):
        return output.softmax(-1)
    # For few outputs a tenth of the time that SciPy takes, and it is done four times a batch.
    found = np.exp(output - output.max(-1, keepdims=True))
    found /= found.sum(-1, keepdims=True)
    return found


def log_sum_exp(output: Any) -> Any:
    """Logarithm of the sum of exponentials over the last axis, of either library."""
    if not isinstance(output, np.ndarray):
        return output.logsumexp(-1)
    top = output.max(-1)
    return top + np.log(np.exp(output - top[..., None]).sum(-1))
