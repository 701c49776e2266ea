"""Devices that report the states of nodes: with bits, noise and errors of their own."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.hardware.base import Device, Memory
from smallworld_eqprop.hardware.checks import check_number, check_range
from smallworld_eqprop.parts import Limits, Repeats

__all__ = ["Converters", "Readout"]

# Converters of the free phase, of the first nudged one, and of the second and all later ones.
SETS = 3


@dataclass(frozen=True)
class Readout(Device):
    r"""A state is read with noise, as one of :math:`2^{bits}` levels, once or several times.

    .. math:: \hat s = \frac1n \sum_{k=1}^n Q(s + \sigma \xi_k), \qquad
              Q(s) = low + \delta\, \mathrm{round}\left(\frac{s - low}{\delta}\right), \quad
              \delta = \frac{high - low}{2^{bits} - 1}

    with :math:`\xi` drawn anew for every node, example, phase and repeat. Without bits Q is the
    identity, and the error has the standard deviation :math:`\sigma / \sqrt n`.

    Parameters
    ----------
    bits : int, optional
        Bits of the converter; exact when left out.
    noise : float
        Standard deviation of one reading.
    repeats : int
        Number of readings; their mean is used.
    low, high : float
        Range of the converter; a state outside is read as the nearer end of the range.

    Raises
    ------
    InputError
        If there are neither bits nor noise, or a number is not usable.
    """

    bits: Annotated[int, Limits(1, 64)] | None = None
    noise: float = 0.0
    repeats: Repeats = 1
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        check_number("noise", self.noise)
        check_range(self.low, self.high)
        if self.bits is None and not self.noise:
            raise InputError("bits: none, and noise: 0; give one of them")

    def read(self, state: Any, phase: int, memory: Memory, rng: np.random.Generator) -> Any:  # noqa: ARG002
        """The mean of the readings."""
        if self.bits is None:
            return state + self._noise(state, rng) / math.sqrt(self.repeats)
        if not self.noise:
            return self._converted(state)
        found = np.zeros_like(state)
        for _ in range(self.repeats):
            found += self._converted(state + self._noise(state, rng))
        return found / self.repeats

    def _noise(self, state: Any, rng: np.random.Generator) -> Any:
        return self.noise * rng.standard_normal(state.shape, state.dtype)

    def _converted(self, state: Any) -> Any:
        step = (self.high - self.low) / (2 ** int(self.bits or 1) - 1)
        return self.low + step * np.rint((np.clip(state, self.low, self.high) - self.low) / step)


@dataclass(frozen=True)
class Converters(Device):
    r"""Every node has a converter with its own gain and offset.

    .. math:: \hat s_i = (1 + g_i) s_i + o_i

    with g and o drawn once from normal distributions.

    Parameters
    ----------
    offsets, gains : float
        Standard deviations: of the offsets, in units of the state, and of the gains.
    shared : bool
        Whether a node has one converter for all phases; its offset then cancels in the difference
        of two phases. Otherwise it has separate converters for the free phase and the first and the
        second nudged phase.

    Raises
    ------
    InputError
        If a number is negative.
    """

    offsets: float = 0.0
    gains: float = 0.0
    shared: bool = True

    def __post_init__(self) -> None:
        check_number("offsets", self.offsets)
        check_number("gains", self.gains)

    def node_memory(self, n_nodes: int, rng: np.random.Generator) -> Memory:
        """The offsets and gains, one row per set of converters."""
        offset, gain = rng.standard_normal((2, 1 if self.shared else SETS, n_nodes))
        return {"offset": self.offsets * offset, "gain": 1 + self.gains * gain}

    def read(self, state: Any, phase: int, memory: Memory, rng: np.random.Generator) -> Any:  # noqa: ARG002
        """What the converters of the phase make of the state."""
        n = min(phase, len(memory["gain"]) - 1)
        gain, offset = (memory[name][n].astype(state.dtype) for name in ("gain", "offset"))
        return gain * state + offset
