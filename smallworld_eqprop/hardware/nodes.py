"""Devices that act while the nodes relax: mismatch, bounded slew, thermal noise."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from smallworld_eqprop.dynamics.motion import Motion
from smallworld_eqprop.dynamics.products import by_column
from smallworld_eqprop.hardware.base import Device, Memory
from smallworld_eqprop.hardware.checks import check_number

__all__ = ["Mismatch", "Slew", "Thermal"]


@dataclass(frozen=True)
class Mismatch(Device):
    r"""Every node has its own gain and offset of the field.

    .. math:: s_i = \mathrm{clip}\big((1 + g_i) h_i + o_i,\ low,\ high\big)

    with g and o drawn once from normal distributions.

    Parameters
    ----------
    offsets, gains : float
        Standard deviations: of the offsets, in units of the field, and of the gains.

    Raises
    ------
    InputError
        If a number is negative.
    """

    offsets: float = 0.0
    gains: float = 0.0

    def __post_init__(self) -> None:
        check_number("offsets", self.offsets)
        check_number("gains", self.gains)

    def node_memory(self, n_nodes: int, rng: np.random.Generator) -> Memory:
        """The offsets and gains."""
        offset, gain = rng.standard_normal((2, n_nodes))
        return {"offset": self.offsets * offset, "gain": 1 + self.gains * gain}

    def circuit(self, circuit: Any, memory: Memory, rng: np.random.Generator) -> Any:  # noqa: ARG002
        """A circuit with the columns of its matrices scaled, and another bias."""
        gain, offset = (memory[name].astype(circuit.dtype) for name in ("gain", "offset"))
        rows = circuit.layout.rows

        def into(layer: int, terms: list[tuple[Any, slice]]) -> list[tuple[Any, slice]]:
            own = gain[rows[layer]]
            return [(by_column(matrix, own), source) for matrix, source in terms]

        return circuit.with_parts(
            bias=gain * circuit.bias + offset,
            first=[(by_column(matrix, gain[own]), own) for matrix, own in circuit.first],
            into=[into(layer, terms) for layer, terms in enumerate(circuit.into)],
            inside={n: by_column(matrix, gain[rows[n]]) for n, matrix in circuit.inside.items()},
            pushes={layer: into(layer, terms) for layer, terms in circuit.pushes.items()},
        )


@dataclass(frozen=True)
class Slew(Device):
    r"""A state changes by at most `rate` in a time constant of a node.

    A step of `Euler` of the size :math:`\epsilon` so moves a state by at most
    :math:`\epsilon \cdot rate`. Other solvers have no time, and refuse it.

    Parameters
    ----------
    rate : float
        The largest change of a state in a time constant.

    Raises
    ------
    InputError
        If the rate is not above 0.
    """

    rate: float

    def __post_init__(self) -> None:
        check_number("rate", self.rate, above=True)

    def circuit(self, circuit: Any, memory: Memory, rng: np.random.Generator) -> Any:  # noqa: ARG002
        """A circuit whose nodes are that slow."""
        motion = circuit.motion or Motion()
        return circuit.with_parts(motion=dataclasses.replace(motion, slew=self.rate))


@dataclass(frozen=True)
class Thermal(Device):
    r"""Thermal noise acts on the nodes while they relax.

    A step of `Euler` of the size :math:`\epsilon` adds :math:`\sqrt{2 T \epsilon / a_i}\, \xi` to
    the state of a node of self-term :math:`a_i`, so that, at rest, states are distributed as
    :math:`\exp(-E / T)`. Other solvers have no time, and refuse it.

    Parameters
    ----------
    temperature : float
        Temperature, in units of the energy.

    Raises
    ------
    InputError
        If the temperature is negative.
    """

    temperature: float

    def __post_init__(self) -> None:
        check_number("temperature", self.temperature)

    def circuit(self, circuit: Any, memory: Memory, rng: np.random.Generator) -> Any:  # noqa: ARG002
        """A circuit of this temperature."""
        motion = circuit.motion or Motion()
        return circuit.with_parts(
            motion=dataclasses.replace(motion, temperature=self.temperature, rng=rng)
        )
