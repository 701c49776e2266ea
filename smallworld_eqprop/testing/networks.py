"""Small networks that the contracts are checked on."""

from __future__ import annotations

import numpy as np

from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.models import Model
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

__all__ = ["EXACT", "awkward_graphs", "draw_inputs", "smooth"]

#: Finds the fixed points that others are compared with.
EXACT = SOR(tolerance=1e-12, max_sweeps=20_000)


def awkward_graphs() -> dict[str, LayeredGraph]:
    """A few small graphs that have broken things: each has what another one lacks."""
    path = [(0, 3), (1, 3), (2, 4), (3, 5), (4, 5), (4, 6), (5, 7), (6, 8), (7, 8)]
    island = [(0, 2), (1, 2), (2, 6), (2, 7), (3, 4), (3, 6), (5, 7)]
    return {
        "layered": layered((3, 4, 3, 2)),
        "skips": rewire(layered((3, 5, 4, 2)), 0.3, seed=1),
        "intralayer": rewire(add_intralayer(layered((3, 4, 3, 2))), 0.2, seed=1),
        "no hidden layer": layered((4, 2)),
        "one hidden node": layered((3, 1, 2)),
        "no layers": LayeredGraph((3, 4, 2), np.array(path)),
        "island": LayeredGraph((2, 4, 2), np.array(island)),
    }


def draw_inputs(graph: LayeredGraph, batch: int = 3) -> Array:
    """The same inputs for every call on a graph, one example a row."""
    return np.random.default_rng(2).uniform(0.2, 1, (batch, graph.layer_sizes[0]))


def smooth(graph: LayeredGraph, model: Model) -> Network:
    """Small weights and biases, so that the energy is convex and states lie between bounds."""
    rng = np.random.default_rng(1)
    network = Network(graph, None, None, model, dtype=np.float64, seed=rng)
    low, high = (np.broadcast_to(each, (graph.n_edges,)) for each in model.limits(graph))
    degree = np.bincount(graph.edges.ravel(), minlength=graph.n_nodes)[graph.edges].max(axis=1)
    drawn = rng.uniform(0.2, 0.6, graph.n_edges) * rng.choice([-1, 1], graph.n_edges) / degree
    network.weights = np.clip(np.where(low >= 0, low + np.abs(drawn), drawn), low, high)
    circuit = network.circuit
    bottom, top = np.maximum(circuit.low, -3), np.minimum(circuit.high, 3)
    share = rng.uniform(0.35, 0.65, network.n_free)
    rest = bottom + share * (top - bottom)
    # Biases for which `rest` is the fixed point of the first example.
    missing = rest - circuit.field(rest[None], circuit.drive(draw_inputs(graph)[:1]))[0]
    bias_scale = np.broadcast_to(model.bias_scale(graph), missing.shape)
    network.biases = missing * circuit.self_term / bias_scale
    return network
