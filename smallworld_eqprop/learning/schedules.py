"""Schedules: learning rates that depend on the number of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass

from smallworld_eqprop.errors import InputError

__all__ = ["Constant", "Cosine", "Exponential", "Schedule", "Steps"]


class Schedule:
    """A learning rate that depends on the number of the step: subclass it, and write `value`."""

    def value(self, t: int) -> float:
        """The rate of step t, counted from 0."""
        raise NotImplementedError


@dataclass(frozen=True)
class Constant(Schedule):
    """The same rate at every step.

    Parameters
    ----------
    rate : float
        Of every step.
    """

    rate: float

    def value(self, t: int) -> float:  # noqa: ARG002
        """The rate."""
        return self.rate


@dataclass(frozen=True)
class Cosine(Schedule):
    r"""Half a cosine from `rate` down to `last`, after a linear rise over `warm_up` steps.

    .. math:: \eta_t = last + (rate - last) \tfrac12 (1 + \cos \pi t / steps)

    Parameters
    ----------
    rate : float
        Rate to begin with, after the rise.
    steps : int
        Length of the run in steps; from there on the rate is `last`.
    last : float
        Rate at the end.
    warm_up : int
        Steps of the rise, which count as part of `steps`.
    """

    rate: float
    steps: int
    last: float = 0.0
    warm_up: int = 0

    def __post_init__(self) -> None:
        _check_rates(rate=self.rate, last=self.last)
        _check_steps(self.steps, self.warm_up)

    def value(self, t: int) -> float:
        """The rate of step t."""
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
        Rate to begin with.
    half_life : float
        Steps after which it is half.
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
        Rate to begin with.
    at : tuple of int
        The steps, rising.
    factor : float
        What it is multiplied by at each.
    """

    rate: float
    at: tuple[int, ...]
    factor: float = 0.1

    def __post_init__(self) -> None:
        _check_rates(rate=self.rate, factor=self.factor)
        if list(self.at) != sorted(set(self.at)) or any(step < 1 for step in self.at):
            raise InputError(f"at: {list(self.at)}, must rise and be at least 1")

    def value(self, t: int) -> float:
        """The rate of step t."""
        return float(self.rate * self.factor ** sum(t >= step for step in self.at))


def _check_rates(**rates: float) -> None:
    for name, rate in rates.items():
        if not 0 <= rate < math.inf:
            raise InputError(f"{name}: {rate}, must be finite and at least 0")


def _check_steps(steps: int, warm_up: int) -> None:
    if not 0 <= warm_up < steps:
        raise InputError(f"steps: {steps}, must be above warm_up, which is {warm_up}")
