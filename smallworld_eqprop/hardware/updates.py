"""Devices that take a step: in whole smallest steps, asymmetrically, or with noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.hardware.base import Memory, OnWeights, Values
from smallworld_eqprop.hardware.checks import (
    Rounding,
    check_choice,
    check_number,
    check_range,
    whole,
)
from smallworld_eqprop.parts import Positive

__all__ = ["Pulses", "Resolution", "SoftBounds", "UpdateNoise"]

ROUNDINGS = ("nearest", "zero", "stochastic")


@dataclass(frozen=True)
class Resolution(OnWeights):
    r"""Steps are whole multiples of a smallest one.

    .. math:: \Delta w \leftarrow \delta\, \mathrm{round}\left(\frac{\Delta w}{\delta}\right),
              \qquad \delta = \frac{high - low}{2^{bits}}

    Parameters
    ----------
    bits : float
        Resolution of the update over the range.
    low, high : float
        The range of weights that determines the resolution. It does not limit weights; use `Levels`
        or `SoftBounds` for that.
    rounding : {"nearest", "zero", "stochastic"}
        To the nearest multiple, to the next one toward 0, or to one of the two neighbours, drawn so
        that the step is right on average.
    biases : bool
        As in `OnWeights`.

    Raises
    ------
    InputError
        If the bits are negative or above 64, the range is none, or the rounding is unknown.
    """

    bits: float
    low: float = -1.0
    high: float = 1.0
    rounding: Rounding = "nearest"

    def __post_init__(self) -> None:
        check_number("bits", self.bits, most=64)  # no float64 is finer, and 2 ** 1e30 is no number
        check_range(self.low, self.high)
        check_choice("rounding", self.rounding, ROUNDINGS)

    def write(
        self,
        weights: Values,  # noqa: ARG002
        step: Values,
        memory: Memory,  # noqa: ARG002
        rng: np.random.Generator,
    ) -> Values:
        """The step in whole smallest steps."""
        smallest = (self.high - self.low) / 2**self.bits
        return smallest * whole(step / smallest, self.rounding, rng)


@dataclass(frozen=True)
class Pulses(OnWeights):
    r"""A step is a number of pulses of about the same size.

    .. math:: \Delta w \leftarrow \delta\, \big(n (1 + s\, z_{ij}) + c \sqrt{|n|}\; \xi\big),
              \qquad n = \mathrm{round}\left(\frac{\Delta w}{\delta}\right), \quad |n| \le limit

    with z drawn once for every weight and :math:`\xi` for every write, both normally distributed.
    No pulse moves a weight backwards on average: 1 + s z is at least 0.

    Parameters
    ----------
    size : float
        Change of a weight by one pulse.
    limit : int, optional
        Largest number of pulses per weight in a batch; unlimited when left out.
    rounding : {"nearest", "zero", "stochastic"}
        As in `Resolution`.
    noise : float
        Standard deviation of a pulse from cycle to cycle, as a share of its size.
    spread : float
        Standard deviation of the size of a pulse from weight to weight, as a share of it.
    biases : bool
        As in `OnWeights`.

    Raises
    ------
    InputError
        If the size is not above 0, the limit is below 1, a number is negative, or the rounding is
        unknown.
    """

    size: float
    limit: Positive | None = None
    rounding: Rounding = "stochastic"
    noise: float = 0.0
    spread: float = 0.0

    def __post_init__(self) -> None:
        check_number("size", self.size, above=True)
        check_choice("rounding", self.rounding, ROUNDINGS)
        check_number("noise", self.noise)
        check_number("spread", self.spread)

    def weight_memory(self, weights: npt.NDArray, rng: np.random.Generator) -> Memory:
        """Size of a pulse of every weight, as a share of the mean."""
        if not self.spread:
            return {}
        drawn = 1 + self.spread * rng.standard_normal(weights.shape, np.float32)
        return {"size": np.maximum(drawn, 0)}

    def write(
        self,
        weights: Values,  # noqa: ARG002
        step: Values,
        memory: Memory,
        rng: np.random.Generator,
    ) -> Values:
        """What the pulses make of the step."""
        pulses = whole(step / self.size, self.rounding, rng)
        if self.limit is not None:
            pulses = np.clip(pulses, -self.limit, self.limit)
        moved = pulses * memory.get("size", np.float64(1))
        if self.noise:
            moved += self.noise * np.sqrt(np.abs(pulses)) * rng.standard_normal(step.shape)
        return self.size * moved


@dataclass(frozen=True)
class SoftBounds(OnWeights):
    r"""Steps up and down differ, and become smaller the nearer a weight is to its bound.

    .. math:: \Delta w \leftarrow \begin{cases}
              u \left(1 - g_u\, w / high\right) \Delta w & \Delta w > 0 \\
              d \left(1 - g_d\, w / low\right) \Delta w & \Delta w < 0 \end{cases}

    and no step leads beyond a bound. Steps up and down of the same size, one after the other, bring
    a weight to where both have the same effect, :math:`w^* = (u - d) / (u\, g_u / high - d\, g_d /
    low)`.

    Parameters
    ----------
    low, high : float
        The lower bound, below 0, and the upper bound, above 0.
    up, down : float
        Effect of a step up, and of a step down, at a weight of 0.
    up_slope, down_slope : float
        Relative decrease of the effect at the bound, from 0 to 1. With 1 a step vanishes at the
        bound (soft bounds); with 0 it is the same everywhere, and ends at the bound.
    biases : bool
        As in `OnWeights`.

    Raises
    ------
    InputError
        If 0 is not between the bounds, a step has no effect, or a slope is not from 0 to 1.

    References
    ----------
    S. Fusi and L. F. Abbott, "Limits on the memory storage capacity of bounded synapses", Nat.
    Neurosci. 10:485, 2007, doi:10.1038/nn1859.
    """

    low: float = -1.0
    high: float = 1.0
    up: float = 1.0
    down: float = 1.0
    up_slope: float = 1.0
    down_slope: float = 1.0

    def __post_init__(self) -> None:
        check_range(self.low, self.high, inside=0.0)
        for name in ("up", "down"):
            check_number(name, getattr(self, name), above=True)
        for name in ("up_slope", "down_slope"):
            check_number(name, getattr(self, name), 0, 1)

    def program(self, weights: Values, memory: Memory, rng: np.random.Generator) -> Values:  # noqa: ARG002
        """The weights, cut at the bounds."""
        return np.clip(weights, self.low, self.high)

    def write(
        self,
        weights: Values,
        step: Values,
        memory: Memory,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> Values:
        """The step by what it comes to at these weights."""
        up = self.up * (1 - self.up_slope * weights / self.high)
        down = self.down * (1 - self.down_slope * weights / self.low)
        moved = step * np.where(step > 0, up, down)
        # Between the bounds where the weights are; a weight beyond them is left where it is.
        return np.clip(moved, np.minimum(self.low - weights, 0), np.maximum(self.high - weights, 0))


@dataclass(frozen=True)
class UpdateNoise(OnWeights):
    r"""Every step has a normally distributed error.

    .. math:: \Delta w \leftarrow \Delta w + (\sigma + r |\Delta w|)\, \xi

    with :math:`\xi` drawn anew for every weight and step; where there is no step there is no error.

    Parameters
    ----------
    noise : float
        Standard deviation of the error, in units of the weight.
    relative : float
        Additional standard deviation, as a share of the size of the step.
    biases : bool
        As in `OnWeights`.

    Raises
    ------
    InputError
        If a number is negative.
    """

    noise: float = 0.0
    relative: float = 0.0

    def __post_init__(self) -> None:
        check_number("noise", self.noise)
        check_number("relative", self.relative)

    def write(
        self,
        weights: Values,  # noqa: ARG002
        step: Values,
        memory: Memory,  # noqa: ARG002
        rng: np.random.Generator,
    ) -> Values:
        """The step with its error; no error where there is no step."""
        sigma = self.noise + self.relative * np.abs(step)
        return np.where(step == 0, 0.0, step + sigma * rng.standard_normal(step.shape))
