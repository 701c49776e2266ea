"""Clipping: gradients that are too long are scaled down before an optimiser steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smallworld_eqprop.dynamics.contrast import Group
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.optimisers import SGD, Memory, Optimiser

__all__ = ["Clipped"]

DESCENT = SGD()


@dataclass(frozen=True)
class Clipped(Optimiser):
    r"""Another optimiser, with gradients that are scaled down if their norm is too large.

    .. math:: g \leftarrow g \min\left(1, \frac{norm}{\lVert g \rVert}\right)

    The norm is that of the whole gradient of a batch, weights and biases together, every edge
    counted once. So it keeps its direction, and every engine finds the same.

    Parameters
    ----------
    optimiser : Optimiser
        The optimiser that uses the scaled gradient.
    norm : float
        The largest norm of a gradient.

    Raises
    ------
    InputError
        If the norm is not above 0.

    References
    ----------
    R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013, arXiv:1211.5063.
    """

    optimiser: Optimiser = DESCENT
    norm: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.optimiser, Optimiser):
            raise InputError(f"optimiser: {self.optimiser!r:.60}, must be an Optimiser")
        if isinstance(self.optimiser, Clipped):
            raise InputError("optimiser: clipped within clipped; give one norm")
        if not self.norm > 0:
            raise InputError(f"norm: {self.norm}, must be above 0")

    def of(self, group: Group) -> Optimiser:
        """That of the inner optimiser: training scales the gradient of all groups before."""
        return self.optimiser.of(group)

    def check(self, n_layers: int) -> None:
        """As the inner optimiser."""
        self.optimiser.check(n_layers)

    def init(self, parameters: Any) -> Memory:
        """The memory of the inner optimiser."""
        return self.optimiser.init(parameters)

    def step(self, gradient: Any, parameters: Any, memory: Memory, t: int) -> tuple[Any, Memory]:
        """The inner step, of an array that is the whole gradient."""
        scale = self.scale(float((gradient * gradient).sum() ** 0.5))
        return self.optimiser.step(scale * gradient, parameters, memory, t)

    def scale(self, norm: float) -> float:
        """What a gradient of this norm is multiplied by."""
        return min(1.0, self.norm / norm) if norm else 1.0
