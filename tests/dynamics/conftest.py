"""Networks of every kind, each beside its dense N x N description, which the tests compute with."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import Any

import networkx as nx
import numpy as np
import pytest

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.graphs.layered import LayeredGraph, add_intralayer, layered
from smallworld_eqprop.graphs.rewiring import rewire
from smallworld_eqprop.learning.eqprop import initial_weights


def arbitrary(sizes, density, seed):
    """Every pair of nodes, of whatever layers, joined with the same probability."""
    n = sum(sizes)
    pairs = np.argwhere(np.triu(np.ones((n, n)), k=1))
    kept = np.random.default_rng(seed).random(len(pairs)) < density
    return LayeredGraph(sizes, pairs[kept])


def karate():
    return LayeredGraph.from_networkx(nx.karate_club_graph(), inputs=[0, 1], outputs=[32, 33])


GRAPHS = {
    "layered": lambda: layered((8, 20, 15, 4)),
    "no hidden layer": lambda: layered((30, 5)),
    "intralayer": lambda: add_intralayer(layered((8, 20, 15, 4))),
    "wide intralayer": lambda: add_intralayer(layered((5, 130, 60, 5))),
    "rewired by edge": lambda: rewire(layered((8, 20, 15, 10, 4)), 0.4, seed=1),
    "rewired by moves": lambda: rewire(
        add_intralayer(layered((8, 20, 15, 4))), seed=2, law="moves", moves=150
    ),
    "arbitrary": lambda: arbitrary((6, 80, 4), 0.2, 3),
    "arbitrary sparse": lambda: arbitrary((10, 150, 20), 0.02, 4),
    # The outputs are joined to the first and the third hidden layer, the second to the first alone.
    "gap between layers": lambda: LayeredGraph(
        (4, 9, 8, 7, 6),
        [(u, v) for u in range(4) for v in range(4, 13)]
        + [(u, v) for u in range(4, 13) for v in (*range(13, 21), *range(28, 34))]
        + [(u, v) for u in range(21, 28) for v in range(28, 34)],
    ),
    "disconnected": lambda: LayeredGraph((3, 5, 3), [(0, 3), (1, 3), (3, 4), (4, 8), (9, 10)]),
    "karate club": karate,
}


@dataclass(frozen=True)
class Network:
    """A graph with weights, biases and clamped inputs; `matrix` is its dense (N, N) W."""

    graph: LayeredGraph
    weights: np.ndarray
    biases: np.ndarray
    inputs: np.ndarray
    engine: Any = field(default=Couplings)

    @property
    def matrix(self):
        return dense(self.graph, self.weights)

    @property
    def inner(self):
        """The couplings among free nodes, (n_free, n_free)."""
        n = self.graph.layer_sizes[0]
        return self.matrix[n:, n:]

    @property
    def pull(self):
        """What inputs and biases add to the field, (n_free, batch)."""
        n = self.graph.layer_sizes[0]
        return self.matrix[n:, :n] @ self.inputs + self.biases[:, None]

    def field(self, state):
        return self.inner @ state + self.pull

    def nudged(self, state, target, beta, steps):
        """The published steps of size 0.5, written literally."""
        outputs = slice(-len(target), None)
        for _ in range(steps):
            state = state + 0.5 * (self.field(state) - state)
            state[outputs] += 0.5 * 2 * beta * (target - state[outputs])
            state = np.clip(state, 0, 1)
        return state

    def couplings(self, dtype=np.float64):
        return self.engine(self.graph, self.weights, self.biases, dtype)

    def convex(self, norm=0.9):
        """Weights scaled so that I - W has no eigenvalue below 1 - `norm`: a unique minimum."""
        largest = np.abs(np.linalg.eigvalsh(self.inner)).max()
        return replace(self, weights=self.weights * (norm / largest if largest else 1.0))

    def interior(self, norm, seed=0):
        """Convex, one example, biases such that its fixed point lies inside (0.2, 0.8)."""
        network = replace(self.convex(norm), inputs=self.inputs[:, :1])
        rest = np.random.default_rng(seed).uniform(0.2, 0.8, len(self.biases))
        return replace(network, biases=self.biases + rest - network.field(rest[:, None])[:, 0])


def dense(graph, weights):
    matrix = np.zeros((graph.n_nodes, graph.n_nodes))
    for (u, v), weight in zip(graph.edges, weights, strict=True):
        matrix[u, v] = matrix[v, u] = weight
    return matrix


def make_network(graph, seed, batch=7, engine=Couplings):
    rng = np.random.default_rng(seed)
    return Network(
        graph,
        np.asarray(initial_weights(graph, seed=rng), float),
        rng.normal(0, 0.3, graph.n_nodes - graph.layer_sizes[0]),
        rng.random((graph.layer_sizes[0], batch)),
        engine,
    )


class Large(Couplings):
    """As of a network too large for an array of all weights among free nodes."""

    def whole(self):
        return None


def engine_named(name):
    """Couplings by name; those on torch give NumPy arrays back, to compare with."""
    if name != "torch":
        return Large if name == "large" else Couplings
    pytest.importorskip("torch")
    from smallworld_eqprop.dynamics.torch_couplings import TorchCouplings

    class Torch(TorchCouplings):
        def drive(self, inputs):
            return super().drive(inputs).numpy()

        def field(self, state, drive):
            return super().field(state, drive).numpy()

    return Torch


@pytest.fixture(scope="session")
def engines():
    return engine_named


@pytest.fixture(scope="session", params=["numpy", pytest.param("torch", marks=pytest.mark.torch)])
def engine(request):
    """The couplings of every engine."""
    return engine_named(request.param)


@pytest.fixture(params=GRAPHS)
def network(request, engine):
    """A network of each kind, with the weights training starts from."""
    return make_network(GRAPHS[request.param](), seed=11, engine=engine)


# Not for the whole session, because some modules have an engine of their own.
@pytest.fixture(scope="module")
def layered_network(engine):
    return make_network(GRAPHS["layered"](), seed=11, engine=engine)


@pytest.fixture(scope="module")
def make(engine):
    """Make a network of any graph: ``make(graph, seed, batch)``."""
    return functools.partial(make_network, engine=engine)
