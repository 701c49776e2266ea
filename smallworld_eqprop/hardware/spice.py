"""A resistive network as a netlist that a circuit simulator reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError

__all__ = ["to_spice"]

# A forward diode drops N * 25.9 mV * ln(current / IS) at 27 degrees: 0.07 mV at 1 A.
DIODE = ".model ideal D(IS=1e-12 N=1e-4)"
# Tighter than the simulators' own, which allow errors of a thousandth.
OPTIONS = ".options reltol=1e-9 abstol=1e-12 vntol=1e-9 gmin=1e-15"


def to_spice(network: Network, example: npt.ArrayLike, *, title: str = "resistive network") -> str:
    r"""A network that holds one example, as a SPICE netlist whose operating point is its state.

    Node i of the graph is ``n<i>``. A weight W of coefficient k is a resistor of 1 / (k W) ohms, an
    input a voltage source, a bias a current source, a self-term a resistor to the ground, and a
    bound a diode to the ground or to a voltage source. The diodes are nearly ideal: the model
    ``ideal`` has IS = 1e-12 A and N = 1e-4, so that a bound is missed by 0.07 mV at 1 A. States
    are in volts, weights in siemens.

    Parameters
    ----------
    network : Network
        Of a model whose edges see differences, as `Resistive`.
    example : array_like, shape (n_features,)
        Features of one example.
    title : str
        First line of the netlist.

    Returns
    -------
    str
        ``ngspice -b FILE`` prints the voltages of all nodes.

    Raises
    ------
    InputError
        If edges of the model see products, the example has another length, or a weight or a
        self-term is below 0.

    References
    ----------
    L. W. Nagel, "SPICE2: a computer program to simulate semiconductor circuits", University of
    California, Berkeley, memorandum ERL-M520, 1975.

    Examples
    --------
    >>> from smallworld_eqprop.dynamics.models import Resistive
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> network = Network(layered([2, 1]), [0.5, 0.25], model=Resistive(gain=10))
    >>> print(to_spice(network, [1.0]))
    * resistive network
    .model ideal D(IS=1e-12 N=1e-4)
    V0 n0 0 10
    V1 n1 0 -10
    R0 n0 n2 2
    R1 n1 n2 4
    .options reltol=1e-9 abstol=1e-12 vntol=1e-9 gmin=1e-15
    .op
    .end
    <BLANKLINE>
    """
    graph, model, circuit = network.graph, network.model, network.circuit
    if model.sees != "difference":
        raise InputError(
            f"model: {model} is not a network of resistors, its edges see products; take Resistive"
        )
    inputs = np.asarray(model.clamped(np.asarray(example, float)))
    if inputs.shape != (network.n_inputs,):
        raise InputError(
            f"example: shape {np.shape(example)}, must be the features of one example, for "
            f"{network.n_inputs} input nodes"
        )
    scale = np.asarray(model.edge_scale(graph, graph.edges))
    conductances = network.weights.astype(float) * scale
    leaks = np.broadcast_to(np.asarray(model.self_term(graph), float), (network.n_free,))
    currents = network.biases.astype(float) * np.asarray(model.bias_scale(graph))
    for name, values in (("weights", conductances), ("self-term", leaks)):
        if (values < 0).any():
            raise InputError(f"{name}: {values.min():g}, must be at least 0 as a conductance")
    lines = [f"* {title}", DIODE]
    lines += [f"V{i} n{i} 0 {_number(v)}" for i, v in enumerate(inputs)]
    lines += [
        f"R{e} n{u} n{v} {_number(1 / conductances[e])}"
        for e, (u, v) in enumerate(graph.edges.tolist())
        if conductances[e]
    ]
    free = range(network.n_inputs, graph.n_nodes)
    lines += [f"RL{i} n{i} 0 {_number(1 / g)}" for i, g in zip(free, leaks, strict=True) if g]
    lines += [f"I{i} 0 n{i} {_number(b)}" for i, b in zip(free, currents, strict=True) if b]
    lines += _diodes(free, circuit.low, circuit.high)
    return "\n".join([*lines, OPTIONS, ".op", ".end", ""])


def _diodes(nodes: range, low: npt.NDArray, high: npt.NDArray) -> list[str]:
    """Diodes that conduct where a voltage would pass its bound, and the sources of the bounds."""
    found: list[str] = []
    sources: dict[float, str] = {0.0: "0"}
    for i, *bounds in zip(nodes, low.tolist(), high.tolist(), strict=True):
        for name, bound in zip("LH", bounds, strict=True):
            if not np.isfinite(bound):
                continue
            if bound not in sources:
                sources[bound] = f"b{len(sources)}"
                found.append(f"VB{len(sources) - 1} {sources[bound]} 0 {_number(bound)}")
            ends = (sources[bound], f"n{i}") if name == "L" else (f"n{i}", sources[bound])
            found.append(f"D{name}{i} {ends[0]} {ends[1]} ideal")
    return found


def _number(value: Any) -> str:
    return f"{float(value):.12g}"
