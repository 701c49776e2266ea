"""Costs of building a network and of correcting it, as numbers of its graph."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal, get_args

import numpy as np

from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.hardware.checks import check_choice, check_number
from smallworld_eqprop.hardware.operations import eqprop_operations
from smallworld_eqprop.hardware.tiles import crossbars
from smallworld_eqprop.hardware.wiring import Distance, fan_in, fan_out, wire_lengths
from smallworld_eqprop.parts import Natural, Positive, check_type

__all__ = [
    "Energy",
    "EnergyModel",
    "Read",
    "correction_energy",
    "count_converters",
    "hardware_costs",
    "weight_memories",
]

Read = Literal["free", "outputs"]


@dataclass(frozen=True)
class EnergyModel:
    r"""Energy of the parts of a chip, in joules, and the pitch of its nodes.

    Orders of magnitude to compare topologies with, not a chip: replace them by your own. Static
    currents, clocks and control are left out.

    Attributes
    ----------
    device : float
        Of one device that passes on one value: a tile of 128 x 128 devices takes 0.3 mW during
        100 ns [1]_.
    adc : float
        Of one conversion to 8 bits: 2 mW at 1.2 GS/s [1]_.
    dac : float
        Of one input of 8 bits: 0.33 pJ a bit [1]_.
    write : float
        Of writing one memory of a weight: 2 V, 50 uA and 10 ns, a pulse of a metal-oxide device
        [2]_.
    wire : float
        Of one value on 1 mm of wire: 0.2 pF [3]_ charged to 1 V.
    pitch : float
        Distance of two neighbouring nodes, in mm.

    Raises
    ------
    InputError
        If one is not a finite number of at least 0.

    References
    ----------
    .. [1] Shafiee et al., "ISAAC: a convolutional neural network accelerator with in-situ analog
       arithmetic in crossbars", ISCA (2016), doi:10.1109/ISCA.2016.12, table of parameters.
    .. [2] Wong et al., "Metal-oxide RRAM", Proc. IEEE 100 (2012), doi:10.1109/JPROC.2012.2190369.
    .. [3] Ho, Mai and Horowitz, "The future of wires", Proc. IEEE 89 (2001), doi:10.1109/5.920580.
    """

    device: float = 1.8e-15
    adc: float = 1.7e-12
    dac: float = 2.6e-12
    write: float = 1e-12
    wire: float = 2e-13
    pitch: float = 0.01

    def __post_init__(self) -> None:
        for each in fields(self):
            check_number(each.name, getattr(self, each.name))


@dataclass(frozen=True)
class Energy:
    """Energy of one correction in joules, by what takes it.

    Attributes
    ----------
    devices : float
        Values passed on by devices while the network relaxes.
    wires : float
        Values carried over wires.
    converters : float
        Inputs set and states read.
    writes : float
        Memories of the weights written.
    """

    devices: float
    wires: float
    converters: float
    writes: float

    @property
    def total(self) -> float:
        """Of all parts."""
        return self.devices + self.wires + self.converters + self.writes


def count_converters(graph: LayeredGraph, read: Read = "free") -> tuple[int, int]:
    """Count the converters: one DAC for every input, one ADC for every node that is read.

    Parameters
    ----------
    graph : LayeredGraph
    read : {"free", "outputs"}
        Which nodes are read: all but the inputs, where corrections are computed outside the array,
        or the outputs only, where every weight corrects itself.

    Returns
    -------
    dacs, adcs : int

    Raises
    ------
    InputError
        If `read` is neither.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> count_converters(layered((4, 3, 2)))
    (4, 5)
    """
    check_choice("read", read, get_args(Read))
    n_inputs = graph.layer_sizes[0]
    return n_inputs, graph.n_nodes - n_inputs if read == "free" else graph.layer_sizes[-1]


def weight_memories(graph: LayeredGraph, moments: int = 0, *, shadow: bool = False) -> int:
    r"""Count the numbers that the parameters need: :math:`(E + n_{free})(1 + moments + shadow)`.

    Parameters
    ----------
    graph : LayeredGraph
    moments : int
        What the optimiser remembers of every parameter: 0 of SGD, 1 of momentum, 2 of Adam.
    shadow : bool
        Whether a digital copy of every parameter, finer than the device, takes the corrections.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If `moments` is no whole number of at least 0.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> weight_memories(layered((4, 3, 2)), moments=2)
    69
    """
    check_type("moments", moments, Natural)
    parameters = graph.n_edges + graph.n_nodes - graph.layer_sizes[0]
    return parameters * (1 + int(moments) + bool(shadow))


def correction_energy(
    graph: LayeredGraph,
    free_sweeps: float = 20,
    nudged_sweeps: float = 8,
    *,
    batch: int = 1,
    read: Read = "free",
    moments: int = 0,
    shadow: bool = False,
    distance: Distance = "manhattan",
    model: EnergyModel | None = None,
) -> Energy:
    r"""Estimate the energy of one correction by equilibrium propagation.

    .. math:: B \Big[ V e_{device} + \sum_{ij} v_{ij} \ell_{ij} e_{wire}
              + n_{DAC}\, e_{dac} + 2 n_{ADC}\, e_{adc} \Big] + M e_{write}

    with B examples in a batch; :math:`v_{ij}` values over edge ij, two for every sweep between
    free nodes and one from an input, which is held; V their sum; :math:`\ell_{ij}` the length of a
    wire; two reads, one for each phase; and M the `weight_memories`.

    Parameters
    ----------
    graph : LayeredGraph
    free_sweeps, nudged_sweeps : float
        How long the phases take, in exchanges of values between neighbours.
    batch : int
        Examples for one correction.
    read, moments, shadow, distance
        As for `count_converters`, `weight_memories` and `wire_lengths`.
    model : EnergyModel, optional
        Energy of the parts.

    Returns
    -------
    Energy

    Raises
    ------
    InputError
        If a number is out of range, or a choice unknown.
    """
    check_type("batch", batch, Positive)
    for name, sweeps in (("free_sweeps", free_sweeps), ("nudged_sweeps", nudged_sweeps)):
        check_number(name, sweeps)
    model = model or EnergyModel()
    counted = eqprop_operations(graph, free_sweeps, nudged_sweeps)
    lengths = wire_lengths(graph, distance) * model.pitch
    from_input = graph.edges[:, 0] < graph.layer_sizes[0]
    carried = np.where(from_input, 1.0, 2 * (free_sweeps + nudged_sweeps))
    dacs, adcs = count_converters(graph, read)
    return Energy(
        devices=batch * (counted.first_phase + counted.second_phase) * model.device,
        wires=batch * float(carried @ lengths) * model.wire,
        converters=batch * (dacs * model.dac + 2 * adcs * model.adc),
        writes=weight_memories(graph, moments, shadow=shadow) * model.write,
    )


def hardware_costs(
    graph: LayeredGraph,
    *,
    tile: tuple[int, int] = (128, 128),
    distance: Distance = "manhattan",
    read: Read = "free",
    moments: int = 0,
    shadow: bool = False,
    free_sweeps: float = 20,
    nudged_sweeps: float = 8,
    batch: int = 1,
    energy: EnergyModel | None = None,
) -> dict[str, float]:
    """Give all costs of a network in one call, for tables.

    Parameters
    ----------
    graph : LayeredGraph
    tile : tuple of int
        Rows and columns of a crossbar tile.
    distance, read, moments, shadow, free_sweeps, nudged_sweeps, batch
        As for `correction_energy`.
    energy : EnergyModel, optional
        Energy of the parts.

    Returns
    -------
    dict of str to float
        ``wire_length`` of all edges, of the mean and of the longest one, and of all edges of a
        kind (``interlayer``, ``intralayer``, ``skip``); ``fan_in`` and ``fan_out``, mean and
        largest; ``crossbar_tiles`` and ``crossbar_fill``; ``dacs`` and ``adcs``;
        ``weight_memories``; ``correction_energy`` in joules, and its parts. NaN where there is no
        edge.

    Raises
    ------
    InputError
        If a number is out of range, or a choice unknown.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> hardware_costs(layered((4, 3, 2)))["adcs"]
    5.0
    """
    lengths = wire_lengths(graph, distance)
    inward, outward = fan_in(graph), fan_out(graph)
    arrays = crossbars(graph, *tile)
    dacs, adcs = count_converters(graph, read)
    joules = correction_energy(
        graph, free_sweeps, nudged_sweeps, batch=batch, read=read, moments=moments, shadow=shadow,
        distance=distance, model=energy,
    )  # fmt: skip
    nothing = not graph.n_edges
    return {
        "wire_length": float(lengths.sum()),
        "wire_length_mean": np.nan if nothing else float(lengths.mean()),
        "wire_length_largest": np.nan if nothing else float(lengths.max()),
        "wire_length_interlayer": float(lengths[graph.interlayer].sum()),
        "wire_length_intralayer": float(lengths[graph.intralayer].sum()),
        "wire_length_skip": float(lengths[graph.skip].sum()),
        "fan_in_mean": float(inward.mean()),
        "fan_in_largest": float(inward.max()),
        "fan_out_mean": float(outward.mean()),
        "fan_out_largest": float(outward.max()),
        "crossbar_tiles": float(arrays.tiles),
        "crossbar_fill": arrays.fill,
        "dacs": float(dacs),
        "adcs": float(adcs),
        "weight_memories": float(weight_memories(graph, moments, shadow=shadow)),
        "correction_energy": joules.total,
        **{f"correction_energy_{each.name}": getattr(joules, each.name) for each in fields(joules)},
    }
