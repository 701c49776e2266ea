"""Schedules: learning rates that depend on the number of the step."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Self

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.parts import Natural, Part, Positive, Repeats

__all__ = ["Constant", "Cosine", "Exponential", "Schedule", "Steps", "WarmUp"]


class Schedule(Part):
    """A learning rate that depends on the number of the step: subclass it, and write `value`."""

    def value(self, t: int) -> float:
        """The rate of step t, counted from 0."""
        raise NotImplementedError

    def in_steps(self, n_batches: int) -> Self:  # noqa: ARG002
        """The same schedule, with what is given in epochs of so many batches given in steps."""
        return self

    @property
    def length(self) -> int | None:
        """Steps after which the rate stays as it is; None where there is no such step."""
        return None


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step.

    Parameters
    ----------
    rate : float
        The rate of every step.
    """

    rate: float

    def __post_init__(self) -> None:
        _check_rates(rate=self.rate)

    def value(self, t: int) -> float:  # noqa: ARG002
        """The rate."""
        return self.rate


@dataclass(frozen=True)
class Cosine(Schedule):
    r"""Half a cosine from `rate` down to `last`, after a linear rise over `warm_up` steps.

    .. math:: \eta_t = last + (rate - last) \tfrac12
              \left(1 + \cos \pi \frac{t - warm\_up}{steps - warm\_up}\right)

    Parameters
    ----------
    rate : float
        Rate after the rise.
    steps : int, optional
        Length of the run in steps; after it the rate is `last`.
    last : float
        Rate at the end.
    warm_up : int
        Steps of the rise; they are included in the length.
    epochs : int, optional
        Length of the run in epochs, instead of `steps`.

    Raises
    ------
    InputError
        If a rate is negative or not finite, or not exactly one length is given, above the steps
        of the rise.
    """

    rate: float
    steps: Positive | None = None
    last: float = 0.0
    warm_up: Natural = 0
    epochs: Repeats | None = None

    def __post_init__(self) -> None:
        _check_rates(rate=self.rate, last=self.last)
        if (self.steps is None) == (self.epochs is None):
            raise InputError(f"steps: {self.steps}, epochs: {self.epochs}; give one of them")
        if self.steps is not None and self.steps <= self.warm_up:
            raise InputError(f"steps: {self.steps}, must be above warm_up, which is {self.warm_up}")

    def in_steps(self, n_batches: int) -> Self:
        """The same with `steps` in place of `epochs`."""
        if self.epochs is None:
            return self
        return dataclasses.replace(self, steps=self.epochs * n_batches, epochs=None)

    @property
    def length(self) -> int | None:
        """The steps; None as long as they are epochs."""
        return self.steps

    def value(self, t: int) -> float:
        """The rate of step t.

        Raises
        ------
        InputError
            If the length is given in epochs: training calls `in_steps` first.
        """
        if self.steps is None:
            raise InputError(f"epochs: {self.epochs}; call in_steps(n_batches) before value(t)")
        if t < self.warm_up:
            return self.rate * (t + 1) / self.warm_up
        done = min((t - self.warm_up) / (self.steps - self.warm_up), 1.0)
        return self.last + (self.rate - self.last) * 0.5 * (1 + math.cos(math.pi * done))


@dataclass(frozen=True)
class Exponential(Schedule):
    r"""A rate that halves every `half_life` steps, :math:`\eta_t = rate \cdot 2^{-t / half}`.

    Parameters
    ----------
    rate : float
        Initial rate.
    half_life : float
        Number of steps after which the rate is half as large.
    """

    rate: float
    half_life: float

    def __post_init__(self) -> None:
        _check_rates(rate=self.rate)
        if not 0 < self.half_life < math.inf:
            raise InputError(f"half_life: {self.half_life}, must be above 0")

    def value(self, t: int) -> float:
        """The rate of step t."""
        return float(self.rate * 2 ** (-t / self.half_life))


@dataclass(frozen=True)
class Steps(Schedule):
    """A rate that is multiplied by `factor` at each of some steps.

    Parameters
    ----------
    rate : float
        Initial rate.
    at : tuple of int
        The numbers of these steps, in ascending order.
    factor : float
        Factor of the rate at each of these steps.
    """

    rate: float
    at: tuple[Positive, ...]
    factor: float = 0.1

    def __post_init__(self) -> None:
        _check_rates(rate=self.rate, factor=self.factor)
        if list(self.at) != sorted(set(self.at)) or any(step < 1 for step in self.at):
            raise InputError(f"at: {list(self.at)}, must increase and be at least 1")

    def value(self, t: int) -> float:
        """The rate of step t."""
        return float(self.rate * self.factor ** sum(t >= step for step in self.at))


@dataclass(frozen=True)
class WarmUp(Schedule):
    r"""A linear rise to the first rate of another schedule, which follows.

    .. math:: \eta_t = \eta'_0 (t + 1) / steps \text{ for } t < steps, \qquad
              \eta_t = \eta'_{t - steps} \text{ from there on}

    Parameters
    ----------
    schedule : Schedule
        The schedule after the rise; its steps are counted from the end of the rise.
    steps : int
        Steps of the rise.
    """

    schedule: Schedule
    steps: Positive

    def __post_init__(self) -> None:
        if not isinstance(self.schedule, Schedule):
            raise InputError(f"schedule: {self.schedule!r:.60}, must be a Schedule")

    def in_steps(self, n_batches: int) -> Self:
        """The same with what follows in steps."""
        return dataclasses.replace(self, schedule=self.schedule.in_steps(n_batches))

    @property
    def length(self) -> int | None:
        """Steps of the rise and of what follows."""
        inner = self.schedule.length
        return None if inner is None else self.steps + inner

    def value(self, t: int) -> float:
        """The rate of step t."""
        if t < self.steps:
            return self.schedule.value(0) * (t + 1) / self.steps
        return self.schedule.value(t - self.steps)


def _check_rates(**rates: float) -> None:
    for name, rate in rates.items():
        if not 0 <= rate < math.inf:
            raise InputError(f"{name}: {rate}, must be finite and at least 0")
