"""Optimisers: how a gradient becomes a step.

An optimiser is a frozen dataclass of numbers and two pure functions. It knows neither graph nor
rule: it is called with one array of parameters at a time, of any shape, a NumPy array or a torch
tensor. Its memory is a dictionary of arrays of that shape, which the checkpoint saves.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from smallworld_eqprop.dynamics.contrast import Group
from smallworld_eqprop.dynamics.kernels import adam_in_place
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.schedules import Schedule
from smallworld_eqprop.parts import Part

__all__ = ["SGD", "Adam", "Momentum", "Optimiser"]

Memory = dict[str, Any]

# Entries of a piece that one thread steps; sums do not depend on the number of threads.
TOGETHER = 1 << 15


class Optimiser(Part):
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

    def check(self, n_layers: int) -> None:
        """Refuse a network of so many layers, if the optimiser does not fit it.

        Raises
        ------
        InputError
        """


@dataclass(frozen=True)
class SGD(Optimiser):
    r"""Plain gradient descent, :math:`\Delta \theta = -\eta\, \partial C / \partial \theta`.

    Parameters
    ----------
    learning_rate : float, Schedule, or sequence of float
        One rate for all, or one for every layer after the input. An edge has the rate of the layer
        of its end nearer to the outputs; a bias has the rate of its layer.
    bias_rate : float, optional
        Another rate for all biases.

    Raises
    ------
    InputError
        If a rate is negative or not finite.
    """

    learning_rate: float | tuple[float, ...] | Schedule = 0.02
    bias_rate: float | None = None

    def __post_init__(self) -> None:
        rate = self.learning_rate
        if not isinstance(rate, Schedule):
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
        return rate_at(self.learning_rate, t)

    def check(self, n_layers: int) -> None:
        """Refuse a number of rates that does not fit the layers."""
        rates = self.learning_rate
        if isinstance(rates, Sequence) and len(rates) != n_layers - 1:
            raise InputError(
                f"learning_rate: {len(rates)} rates for the {n_layers - 1} layers after the input"
            )


@dataclass(frozen=True)
class Momentum(Optimiser):
    r"""Gradient descent with momentum.

    .. math:: v_{t+1} = \mu v_t - \eta_t\, \partial C / \partial \theta, \qquad
              \Delta \theta = v_{t+1}

    Parameters
    ----------
    learning_rate : float or Schedule
        One rate for all layers, or a schedule.
    momentum : float
        The factor mu, at least 0 and below 1.
    """

    learning_rate: float | Schedule = 0.02
    momentum: float = 0.9
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_rate("learning_rate", self.learning_rate)
        check_share("momentum", self.momentum)

    def init(self, parameters: Any) -> Memory:
        """Speed 0."""
        return {"speed": 0 * parameters}

    def step(self, gradient: Any, parameters: Any, memory: Memory, t: int) -> tuple[Any, Memory]:  # noqa: ARG002
        """The new speed."""
        speed = self.momentum * memory["speed"] - rate_at(self.learning_rate, t) * gradient
        return speed, {"speed": speed}


@dataclass(frozen=True)
class Adam(Optimiser):
    r"""Adam with decoupled weight decay.

    .. math:: m \leftarrow \beta_1 m + (1 - \beta_1) g, \quad
              v \leftarrow \beta_2 v + (1 - \beta_2) g^2, \quad
              \Delta \theta = -\eta_t \left(\frac{\hat m}{\sqrt{\hat v} + \epsilon}
                               + \lambda \theta\right)

    with :math:`\hat m = m / (1 - \beta_1^{t+1})` and likewise for v. Biases do not decay. The
    memory is two numbers per parameter, which a device would have to hold.

    Parameters
    ----------
    learning_rate : float or Schedule
        One rate for all layers, or a schedule.
    decay : float
        The factor lambda.
    first, second : float
        The factors beta_1 and beta_2.
    epsilon : float
        A number that must be much smaller than the gradients. With weak feedback, or late in
        training, gradients are small.

    References
    ----------
    D. P. Kingma and J. Ba, "Adam: a method for stochastic optimization", ICLR 2015,
    arXiv:1412.6980. I. Loshchilov and F. Hutter, "Decoupled weight decay regularization", ICLR
    2019, arXiv:1711.05101.
    """

    learning_rate: float | Schedule = 1e-3
    decay: float = 0.0
    first: float = 0.9
    second: float = 0.999
    epsilon: float = 1e-12
    elementwise: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_rate("learning_rate", self.learning_rate)
        for name in ("first", "second"):
            check_share(name, getattr(self, name))
        for name in ("decay", "epsilon"):
            check_rate(name, getattr(self, name))

    def of(self, group: Group) -> Adam:
        """Without decay for biases."""
        return self if group.kind == "weights" else dataclasses.replace(self, decay=0.0)

    def init(self, parameters: Any) -> Memory:
        """Both moments 0."""
        return {"mean": 0 * parameters, "square": 0 * parameters}

    def step(self, gradient: Any, parameters: Any, memory: Memory, t: int) -> tuple[Any, Memory]:
        """The step and both moments."""
        mean = self.first * memory["mean"] + (1 - self.first) * gradient
        square = self.second * memory["square"] + (1 - self.second) * gradient * gradient
        rate, mean_scale, square_scale = self._scales(t)
        size = (square * square_scale) ** 0.5 + self.epsilon
        step = -rate * (mean * mean_scale / size) - rate * self.decay * parameters
        return step, {"mean": mean, "square": square}

    def in_place(self, t: int) -> Callable[[Any, Any, Memory], list[Callable[[], float]]]:
        """The same for NumPy arrays, in one pass that overwrites parameters and memory.

        Returns
        -------
        callable
            Takes gradient, parameters and memory, and gives the pass in pieces that may run at the
            same time. Each gives the sum of the squares of its steps.
        """
        numbers = (*self._scales(t), self.first, self.second, self.epsilon, self.decay)

        def pieces(gradient: Any, parameters: Any, memory: Memory) -> list[Callable[[], float]]:
            smallest = np.finfo(parameters.dtype).tiny
            scalars: Any = [parameters.dtype.type(each) for each in (*numbers, smallest)]
            arrays = parameters, gradient, memory["mean"], memory["square"]
            flat: Any = [each.reshape(-1) for each in arrays]
            starts = range(0, parameters.size, TOGETHER)
            parts = ([each[i : i + TOGETHER] for each in flat] for i in starts)
            return [functools.partial(adam_in_place, *part, *scalars) for part in parts]

        return pieces

    def _scales(self, t: int) -> tuple[float, float, float]:
        rate = rate_at(self.learning_rate, t)
        return rate, 1 / (1 - self.first ** (t + 1)), 1 / (1 - self.second ** (t + 1))


def rate_at(rate: Any, t: int) -> float:
    """A learning rate at step t."""
    return rate.value(t) if isinstance(rate, Schedule) else float(rate)


def check_rate(name: str, rate: Any) -> None:
    """Refuse a rate that is none.

    Raises
    ------
    InputError
    """
    if not isinstance(rate, Schedule) and not 0 <= rate < np.inf:
        raise InputError(f"{name}: {rate}, must be finite and at least 0")


def check_share(name: str, value: float) -> None:
    """Refuse a factor outside [0, 1).

    Raises
    ------
    InputError
    """
    if not 0 <= value < 1:
        raise InputError(f"{name}: {value}, must be at least 0 and below 1")
