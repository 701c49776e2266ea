"""Contrast: what a learning rule hands to the network, which makes a gradient from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from smallworld_eqprop.errors import InputError

__all__ = ["Contrast", "Gradient", "Group"]


@dataclass(frozen=True)
class Contrast:
    r"""Two states of a batch, as their deviation d and midpoint m, and a gain g.

    Minus the gradient of a weight is :math:`g \langle d_i m_j + m_i d_j \rangle`, which for two
    states s and s' with :math:`d = s' - s`, :math:`m = (s' + s) / 2` is
    :math:`g \langle s'_i s'_j - s_i s_j \rangle`. Nothing nearly equal is subtracted, so float32
    suffices.

    Attributes
    ----------
    deviation, midpoint : array, shape (batch, n_free)
    inputs : array, shape (batch, n_inputs)
        Clamped, so their deviation is 0.
    gain : float
        Of a stack of networks one per network, shape (networks, 1, 1).
    """

    deviation: Any
    midpoint: Any
    inputs: Any
    gain: Any

    def check(self, leading: tuple[int, ...], n_free: int, n_inputs: int) -> None:
        """Refuse an invalid contrast of a rule.

        Parameters
        ----------
        leading : tuple of int
            Dimensions before batch and nodes: none, or the networks of a stack.

        Raises
        ------
        InputError
            If an array has another shape.
        """
        batch = np.shape(self.inputs)[-2] if np.ndim(self.inputs) > 1 else 0
        for name, nodes in (("deviation", n_free), ("midpoint", n_free), ("inputs", n_inputs)):
            shape, needed = tuple(np.shape(getattr(self, name))), (*leading, batch, nodes)
            if shape != needed:
                raise InputError(f"{name} of a contrast: shape {shape}, must be {needed}")

    @classmethod
    def between(cls, first: Any, second: Any, inputs: Any, gain: Any) -> Contrast:
        """From two states: second minus first."""
        midpoint = first + second
        midpoint *= 0.5
        return cls(second - first, midpoint, inputs, gain)


@dataclass(frozen=True)
class Gradient:
    """Gradient of the mean cost over a batch.

    Attributes
    ----------
    weights : ndarray, shape (n_edges,)
        In the order of ``graph.edges``.
    biases : ndarray, shape (n_free,)
    """

    weights: Any
    biases: Any


@dataclass(frozen=True)
class Group:
    """What one array of parameters holds.

    Attributes
    ----------
    kind : {"weights", "biases"}
    layer : int
        Of the nodes, for weights of the output-side ends.
    block : Block or None
        Of weights.
    """

    kind: Literal["weights", "biases"]
    layer: int
    block: Any = None

    def __str__(self) -> str:
        return f"{self.kind} {self.block.name if self.block else f'of layer {self.layer}'}"
