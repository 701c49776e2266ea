"""Devices that hold weights: at levels, with errors, for a while, or not at all."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.hardware.base import Memory, OnWeights, Values
from smallworld_eqprop.hardware.checks import (
    check_choice,
    check_number,
    check_range,
    numbers_in,
    whole,
)
from smallworld_eqprop.parts import Limits

__all__ = ["Drift", "Levels", "ProgrammingError", "Stuck"]

#: Those of 24 bits, of which a float32 resolves no more.
MOST_LEVELS = 2**24


@dataclass(frozen=True)
class Levels(OnWeights):
    r"""A weight has one of a number of levels.

    .. math:: w \leftarrow \ell_k, \qquad
              k = \mathrm{round}\left((n - 1) \frac{w + \Delta w - low}{high - low}\right)

    for n evenly spaced levels; the smallest and the largest level are the bounds. A weight is
    written only where its level changes. Without a shadow weight a step of less than half a
    distance of levels does nothing when it is rounded to the nearest level.

    Parameters
    ----------
    levels : int
        Number n of levels, at least 2.
    low, high : float
        The smallest and the largest level.
    values : list of float
        Measured levels, in any order, instead of evenly spaced ones.
    file : str, optional
        A text file with measured levels: numbers with blanks, commas or line ends between them. The
        file is read immediately; a run records the numbers, not the name of the file.
    rounding : {"nearest", "stochastic"}
        To the nearest level, or to one of the two neighbouring levels, drawn so that the mean is
        the number.
    shadow : bool
        Whether an exact copy of the weight is stored as well. Steps change the copy, and the device
        has the level nearest to it. This needs one more memory per weight.
    biases : bool
        As in `OnWeights`.

    Raises
    ------
    InputError
        If there are fewer than two levels, a number or the file is not usable, or a shadow weight
        is to be rounded at random.
    """

    levels: Annotated[int, Limits(2, MOST_LEVELS)] = 256
    low: float = -1.0
    high: float = 1.0
    values: tuple[float, ...] = ()
    file: str | None = None
    rounding: Literal["nearest", "stochastic"] = "nearest"
    shadow: bool = False

    def __post_init__(self) -> None:
        values = numbers_in(self.file) if self.file is not None else tuple(self.values)
        if values or self.file is not None:
            for value in values:
                check_number("values", value, -np.inf)
            values = tuple(sorted(set(map(float, values))))
            if len(values) < 2:
                raise InputError(f"levels: {len(values)}, must be at least 2 different numbers")
            found = (len(values), values[0], values[-1], values, None)
            for name, each in zip(("levels", "low", "high", "values", "file"), found, strict=True):
                object.__setattr__(self, name, each)
        check_range(self.low, self.high)
        check_choice("rounding", self.rounding, ("nearest", "stochastic"))
        if self.shadow and self.rounding != "nearest":
            raise InputError(
                f"rounding: {self.rounding!r}, must be 'nearest' with a shadow weight, which keeps "
                "the part that rounding removes"
            )

    @property
    def memories(self) -> int:  # type: ignore[override]
        """One for a shadow weight."""
        return int(self.shadow)

    def weight_memory(self, weights: npt.NDArray, rng: np.random.Generator) -> Memory:  # noqa: ARG002
        """The shadow weights."""
        return {"shadow": weights.copy()} if self.shadow else {}

    def program(self, weights: Values, memory: Memory, rng: np.random.Generator) -> Values:  # noqa: ARG002
        """The nearest levels."""
        return self._levels[self._nearest(weights)]

    def write(
        self, weights: Values, step: Values, memory: Memory, rng: np.random.Generator
    ) -> Values:
        """To another level, or not at all."""
        if self.shadow:
            shadow = memory["shadow"]
            before = self._nearest(shadow)
            shadow[:] = np.clip(shadow + step, self.low, self.high)
            after = self._nearest(shadow)
        else:
            before = self._nearest(weights)
            place = whole(self._place(weights + step), self.rounding, rng).astype(np.intp)
            after = np.where(step == 0, before, place)
        return np.where(after == before, 0.0, self._levels[after] - weights)

    @functools.cached_property
    def _levels(self) -> Values:
        if self.values:
            return np.array(self.values)
        return np.linspace(self.low, self.high, self.levels)

    def _place(self, weights: npt.NDArray) -> Values:
        """Where weights are among the levels: k at level k, halfway to the next k + 1/2."""
        if self.values:
            return np.interp(weights, self._levels, np.arange(self.levels))
        share = (np.asarray(weights, float) - self.low) / (self.high - self.low)
        return np.clip(share, 0, 1) * (self.levels - 1)

    def _nearest(self, weights: npt.NDArray) -> npt.NDArray[np.intp]:
        return np.rint(self._place(weights)).astype(np.intp)


@dataclass(frozen=True)
class ProgrammingError(OnWeights):
    r"""Every write has a normally distributed error.

    .. math:: \sigma(w) = \max(0,\ c_0 + c_1 |w| + c_2 w^2)

    where w is the weight that was to be written.

    Parameters
    ----------
    noise : float
        Standard deviation at a weight of 0, in units of the weight.
    slope, curve : float
        Coefficients c_1 and c_2 of the weight and of its square in the standard deviation.
    biases : bool
        As in `OnWeights`.

    Raises
    ------
    InputError
        If the noise is negative, or a number is not finite.
    """

    noise: float
    slope: float = 0.0
    curve: float = 0.0

    def __post_init__(self) -> None:
        check_number("noise", self.noise)
        for name in ("slope", "curve"):
            check_number(name, getattr(self, name), -np.inf)

    def program(self, weights: Values, memory: Memory, rng: np.random.Generator) -> Values:  # noqa: ARG002
        """The weights with an error each."""
        return weights + self._error(weights, rng)

    def write(
        self,
        weights: Values,
        step: Values,
        memory: Memory,  # noqa: ARG002
        rng: np.random.Generator,
    ) -> Values:
        """The step with an error, where there is one."""
        return np.where(step == 0, 0.0, step + self._error(weights + step, rng))

    def _error(self, wanted: Values, rng: np.random.Generator) -> Values:
        sigma = self.noise + self.slope * np.abs(wanted) + self.curve * wanted**2
        return np.maximum(sigma, 0) * rng.standard_normal(wanted.shape)


@dataclass(frozen=True)
class Drift(OnWeights):
    r"""Weights decrease by a power law in the time since each was written.

    .. math:: w(t) = w(0) \left(1 + \frac{t}{t_0}\right)^{-\nu}

    Parameters
    ----------
    exponent : float
        Exponent of the power law, at least 0.
    spread : float
        Standard deviation of the exponent between weights.
    time : float
        The time t_0 in batches: so many batches after a write, the weight is smaller by the factor
        2^exponent.
    biases : bool
        As in `OnWeights`.

    Raises
    ------
    InputError
        If a number is negative, or the time is 0.
    """

    exponent: float
    spread: float = 0.0
    time: float = 1.0

    def __post_init__(self) -> None:
        check_number("exponent", self.exponent)
        check_number("spread", self.spread)
        check_number("time", self.time, above=True)

    def weight_memory(self, weights: npt.NDArray, rng: np.random.Generator) -> Memory:
        """Time since the last write, and the exponents where they differ."""
        found = {"age": np.zeros(weights.shape)}
        if self.spread:
            found["exponent"] = self.exponent + self.spread * rng.standard_normal(weights.shape)
        return found

    def age(
        self,
        weights: Values,
        written: npt.NDArray[np.bool_],
        memory: Memory,
        batches: float,
    ) -> Values:
        """The weights, faded by what the power law says of this part of the time."""
        age = memory["age"]
        age[written] = 0
        ratio = (age + batches + self.time) / (age + self.time)
        age += batches
        return weights * ratio ** -memory.get("exponent", np.float64(self.exponent))


@dataclass(frozen=True)
class Stuck(OnWeights):
    """Some weights never change: their devices are stuck or missing.

    It comes last in the list, so that no device moves its weights afterwards.

    Parameters
    ----------
    share : float
        Probability that a weight is stuck, from 0 to 1: 1 minus the yield.
    at : float or "programmed"
        Value of the stuck weights: 0 for missing devices, or "programmed" for the value that each
        had before training.
    biases : bool
        As in `OnWeights`.

    Raises
    ------
    InputError
        If the share is not from 0 to 1, or the place is none.
    """

    share: float
    at: float | Literal["programmed"] = 0.0

    def __post_init__(self) -> None:
        check_number("share", self.share, 0, 1)
        if isinstance(self.at, str):
            check_choice("at", self.at, ("programmed",))
        else:
            check_number("at", self.at, -np.inf)

    def weight_memory(self, weights: npt.NDArray, rng: np.random.Generator) -> Memory:
        """Which weights are stuck, and where."""
        return {"stuck": rng.random(weights.shape) < self.share, "value": weights.copy()}

    def program(self, weights: Values, memory: Memory, rng: np.random.Generator) -> Values:  # noqa: ARG002
        """The weights, of which some are stuck from then on."""
        memory["value"][:] = weights if self.at == "programmed" else self.at
        return self._pinned(weights, memory)

    def write(
        self,
        weights: Values,  # noqa: ARG002
        step: Values,
        memory: Memory,
        rng: np.random.Generator,  # noqa: ARG002
    ) -> Values:
        """The step, without that of weights that are stuck."""
        return np.where(memory["stuck"], 0.0, step)

    def age(
        self,
        weights: Values,
        written: npt.NDArray[np.bool_],  # noqa: ARG002
        memory: Memory,
        batches: float,  # noqa: ARG002
    ) -> Values:
        """The weights, those that are stuck as they were."""
        return self._pinned(weights, memory)

    def _pinned(self, weights: Values, memory: Memory) -> Values:
        return np.where(memory["stuck"], memory["value"], weights)
