"""Optimisers: how a gradient becomes a step.

An optimiser is a frozen dataclass of numbers and two pure functions. It knows neither graph nor
rule: it is called with one array of parameters at a time, of any shape, a NumPy array or a torch
tensor. Its memory is a dictionary of arrays of that shape, which the checkpoint saves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from smallworld_eqprop.dynamics.contrast import Group
from smallworld_eqprop.errors import InputError

__all__ = ["SGD", "Constant", "Optimiser", "Schedule"]

Memory = dict[str, Any]


class Optimiser:
    """Subclass it, and write `step`; `init` too, if steps depend on earlier ones.

    Attributes
    ----------
    elementwise : bool
        Whether the step of an entry depends on that entry alone, not on others by a norm or by
        their places. A stack of networks then takes it as one array, which is faster, with a
        leading dimension of networks.
    """

    elementwise: ClassVar[bool] = False

    def init(self, parameters: Any) -> Memory:  # noqa: ARG002
        """Memory before the first step: arrays of the shape and dtype of `parameters`, by name."""
        return {}

    def step(self, gradient: Any, parameters: Any, memory: Memory, t: int) -> tuple[Any, Memory]:
        """What to add to the parameters, and the memory after it.

        Parameters
        ----------
        gradient, parameters : array
            Of the same shape. Both are 0 where there is no edge, and what the step has there is
            passed over.
        memory : dict of str to array
            From `init` or the last step; to be left as it is.
        t : int
            Number of this step, from 0.
        """
        raise NotImplementedError

    def of(self, group: Group) -> Optimiser:  # noqa: ARG002
        """The optimiser of one array of parameters: by layer, or of biases alone, if they differ.

        Parameters
        ----------
        group : Group
            With ``kind`` ("weights" or "biases") and ``layer``.
        """
        return self


class Schedule(Protocol):
    """A learning rate that depends on the number of the step."""

    def value(self, t: int) -> float:
        """The rate of step t, counted from 0."""
        ...


@dataclass(frozen=True)
class Constant:
    """The same rate at every step."""

    rate: float

    def value(self, t: int) -> float:  # noqa: ARG002
        """The rate."""
        return self.rate


@dataclass(frozen=True)
class SGD(Optimiser):
    r"""Plain gradient descent, :math:`\Delta \theta = -\eta\, \partial C / \partial \theta`.

    Parameters
    ----------
    learning_rate : float, Schedule, or sequence of float
        One for all, or one for every layer after the input. An edge takes the rate of the layer
        of its output-side end, whatever it skips, and so do the biases of that layer.
    bias_rate : float, optional
        Rate of all biases instead.

    Raises
    ------
    InputError
        If a rate is negative or not finite.
    """

    learning_rate: Any = 0.02
    bias_rate: float | None = None

    def __post_init__(self) -> None:
        rate = self.learning_rate
        if not hasattr(rate, "value"):
            rates = np.atleast_1d(np.asarray(rate, float))
            if not rates.size or not (rates >= 0).all() or not np.isfinite(rates).all():
                raise InputError(f"learning_rate: {rate}, must be finite and at least 0")
            if not isinstance(rate, float | int):
                object.__setattr__(self, "learning_rate", tuple(map(float, rates)))
        if self.bias_rate is not None and not 0 <= self.bias_rate < np.inf:
            raise InputError(f"bias_rate: {self.bias_rate}, must be finite and at least 0")

    def step(self, gradient: Any, parameters: Any, memory: Memory, t: int) -> tuple[Any, Memory]:  # noqa: ARG002
        """Minus the rate times the gradient."""
        return -self._rate(t) * gradient, memory

    def of(self, group: Group) -> SGD:
        """Plain descent with the rate of this group."""
        if group.kind == "biases" and self.bias_rate is not None:
            return SGD(self.bias_rate)
        if isinstance(self.learning_rate, tuple):
            return SGD(self.learning_rate[max(group.layer - 1, 0)])
        return SGD(self.learning_rate)

    def rates(self, n_layers: int, t: int) -> tuple[list[float], list[float]]:
        """Rates of weights and biases at step t, for every layer after the input."""
        layers = range(1, n_layers)
        weights = [self.of(Group("weights", layer))._rate(t) for layer in layers]
        biases = [self.of(Group("biases", layer))._rate(t) for layer in layers]
        return weights, biases

    def _rate(self, t: int) -> float:
        rate = self.learning_rate
        return rate.value(t) if hasattr(rate, "value") else float(rate)

    def check(self, n_layers: int) -> None:
        """Refuse a number of rates that does not fit the layers.

        Raises
        ------
        InputError
        """
        rates = self.learning_rate
        if isinstance(rates, Sequence) and len(rates) != n_layers - 1:
            raise InputError(
                f"learning_rate: {len(rates)} rates for the {n_layers - 1} layers after the input"
            )
