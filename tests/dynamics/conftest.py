"""Networks of every kind, each beside its dense N x N description, which the tests compute with."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import ClassVar

import networkx as nx
import numpy as np
import problems
import pytest
from scipy.optimize import lsq_linear

from smallworld_eqprop.dynamics.models import Hopfield, Model, Resistive, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

# --- graphs ------------------------------------------------------------------------------------


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


@functools.cache
def graph_named(name):
    return GRAPHS[name]()


# --- models ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Conductances(Model):
    """Resistors of at least `least` between the nodes, and a leak from every node."""

    sees: ClassVar = "difference"
    least: float = 0.1
    leak: float = 0.3

    def bounds(self, graph):
        free = np.arange(graph.n_nodes - graph.layer_sizes[0])
        return 0.0, np.where(free % 3, np.inf, 0.6)

    def self_term(self, graph):
        return self.leak

    def edge_scale(self, graph, edges):
        return 0.5 + edges.sum(axis=1) % 3 / 2

    def limits(self, graph):
        return self.least, np.inf

    def initial(self, graph, seed):
        return self.least + np.random.default_rng(seed).random(graph.n_edges)


@dataclass(frozen=True)
class Patchwork(problems.Patchwork):
    """Another answer for every node and edge, and for weights."""

    def limits(self, graph):
        # No edge but the last may have any weight: neither 0.4 nor 0.45 is a number of float32.
        top = np.full(graph.n_edges, 0.45)
        top[-1] = np.inf
        return -0.4, top

    def initial(self, graph, seed):
        return np.clip(super().initial(graph, seed), *self.limits(graph))


MODELS = {
    "hopfield": Hopfield(),
    "between -1 and 1": Hopfield(-1, 1),
    "linear outputs": Hopfield(linear_outputs=True),
    "weak feedback by layers": WeakFeedback(feedback=0.3),
    "weak feedback by hops": WeakFeedback(-1, 1, feedback=0.5, depth="hops"),
    "conductances": Conductances(),
    "resistive": Resistive(leak=0.3, smallest=0.01),
    "patchwork": Patchwork(),
}


def allowed(graph, model):
    try:
        model.self_term(graph)
    except InputError:  # by hops, a node that reaches no output
        return False
    return True


PAIRS = [
    (graph, model)
    for model in MODELS
    for graph in GRAPHS
    if allowed(graph_named(graph), MODELS[model])
]

# With all pairs, the tests of networks and circuits would be more than 2,000. So every graph meets
# half of the models there, and the graph with every kind of edge meets all of them.
ENOUGH = [
    (graph, model)
    for graph, model in PAIRS
    if (list(GRAPHS).index(graph) + list(MODELS).index(model)) % 2 == 0
    or graph == "rewired by moves"
]

# What relaxes in more than one way is tested on these alone.
FEWER = ("layered", "no hidden layer", "wide intralayer", "rewired by moves", "gap between layers")

# --- the dense description ---------------------------------------------------------------------


@dataclass(frozen=True)
class Dense:
    """A graph with a model, weights, biases and clamped inputs, in N x N arrays."""

    graph: LayeredGraph
    weights: np.ndarray
    biases: np.ndarray
    inputs: np.ndarray
    model: Model = field(default=Hopfield())

    @property
    def n_inputs(self):
        return self.graph.layer_sizes[0]

    @property
    def n_outputs(self):
        return self.graph.layer_sizes[-1]

    @property
    def output(self):
        return slice(-self.n_outputs, None)

    @property
    def batch(self):
        return len(self.inputs)

    @cached_property
    def scale(self):
        """Coefficient of every pair of nodes, (N, N)."""
        n = self.graph.n_nodes
        pairs = np.argwhere(np.triu(np.ones((n, n)), k=1))
        return dense(n, pairs, self.model.edge_scale(self.graph, pairs))

    @cached_property
    def coupling(self):
        """k W of every edge, (N, N)."""
        return self.scale * dense(self.graph.n_nodes, self.graph.edges, self.weights)

    @cached_property
    def self_term(self):
        own = np.zeros(len(self.biases)) + self.model.self_term(self.graph)
        if self.model.sees == "difference":
            own = own + self.coupling[self.n_inputs :].sum(axis=1)
        return own

    @cached_property
    def low(self):
        return np.zeros(len(self.biases)) + self.model.bounds(self.graph)[0]

    @cached_property
    def high(self):
        return np.zeros(len(self.biases)) + self.model.bounds(self.graph)[1]

    @cached_property
    def force(self):
        """What inputs and biases add to minus the gradient of the energy, (batch, n_free)."""
        n = self.n_inputs
        scaled = self.model.bias_scale(self.graph) * self.biases
        return self.inputs @ self.coupling[:n, n:] + scaled

    @cached_property
    def hessian(self):
        n = self.n_inputs
        return np.diag(self.self_term) - self.coupling[n:, n:]

    @cached_property
    def inner(self):
        """What every free node adds to the fields of the others, (n_free, n_free)."""
        n = self.n_inputs
        return self.coupling[n:, n:] / self.self_term

    @property
    def pull(self):
        """What inputs and biases add to the field, (batch, n_free)."""
        return self.force / self.self_term

    def field(self, state):
        return state @ self.inner + self.pull

    def clip(self, state):
        return np.clip(state, self.low, self.high)

    def residual(self, state):
        return np.abs(self.clip(self.field(state)) - state).max(axis=1)

    def nudged(self, state, target, beta, steps):
        """The published steps of size 0.5, written literally."""
        out = self.output
        for _ in range(steps):
            state = state + 0.5 * (self.field(state) - state)
            state[:, out] += 0.5 * 2 * beta * (target - state[:, out]) / self.self_term[out]
            state = self.clip(state)
        return state

    def minimiser(self, *, hessian=None, force=None):
        """Minimum of s'Hs / 2 - f's within the bounds, by a method that shares nothing."""
        hessian = self.hessian if hessian is None else hessian
        factor = np.linalg.cholesky(hessian)
        bounds = self.low, self.high
        rows = [
            lsq_linear(factor.T, np.linalg.solve(factor, f), bounds, method="bvls", tol=1e-15).x
            for f in (self.force if force is None else force)
        ]
        return np.stack(rows)

    def states(self, seed=5):
        """Two random states within the bounds."""
        rng = np.random.default_rng(seed)
        low, high = np.maximum(self.low, -1.5), np.minimum(self.high, 1.5)
        return low + (high - low) * rng.random((2, self.batch, len(self.biases)))

    def network(self, dtype=np.float64):
        return Network(self.graph, self.weights, self.biases, self.model, dtype=dtype)

    def like(self, network):
        """The dense description of a network on the same graph."""
        weights, biases = (np.asarray(each, float) for each in (network.weights, network.biases))
        return replace(self, weights=weights, biases=biases)

    def convex(self, norm=0.9):
        """Weights scaled so that I - M has no eigenvalue below 1 - `norm`: a unique minimum.

        Conductances, and what is convex where the weights have limits, stay as they are.
        """
        if self.model.sees == "difference":
            return self
        root = np.sqrt(self.self_term)
        largest = np.abs(np.linalg.eigvalsh(self.inner * root / root[:, None])).max()
        scale = norm / largest if largest else 1.0
        if any(np.isfinite(each).any() for each in self.model.limits(self.graph)):
            scale = min(scale, 1.0)
        return replace(self, weights=self.weights * scale)

    def interior(self, norm, seed=0):
        """Convex, one example, biases such that its fixed point lies well inside the bounds."""
        found = replace(self.convex(norm), inputs=self.inputs[:1])
        low, high = np.maximum(self.low, -1), np.minimum(self.high, 1)
        share = np.random.default_rng(seed).uniform(0.2, 0.8, len(self.biases))
        rest = low + share * (high - low)
        missing = rest @ found.hessian - found.force[0]
        return replace(found, biases=found.biases + missing / self.model.bias_scale(self.graph))


def dense(n, pairs, values):
    matrix = np.zeros((n, n))
    u, v = pairs.T
    matrix[u, v] = matrix[v, u] = values
    return matrix


def make_network(graph, seed, batch=7, model=MODELS["hopfield"]):
    rng = np.random.default_rng(seed)
    return Dense(
        graph,
        np.asarray(model.initial(graph, rng), float),
        rng.normal(0, 0.3, graph.n_nodes - graph.layer_sizes[0]),
        rng.random((batch, graph.layer_sizes[0])),
        model,
    )


# --- fixtures ----------------------------------------------------------------------------------


@functools.cache
def network_named(graph, model="hopfield", batch=7):
    return make_network(graph_named(graph), 11, batch, MODELS[model])


@pytest.fixture(params=GRAPHS)
def network(request):
    """The paper's model on each kind of graph, with the weights training starts from."""
    return network_named(request.param)


@pytest.fixture(params=PAIRS, ids=" on ".join)
def every_network(request):
    """Every model on every kind of graph that it allows; small batches."""
    return network_named(*request.param, batch=3)


@pytest.fixture(params=ENOUGH, ids=" on ".join)
def any_network(request):
    """Every model on half of the kinds of graph; small batches."""
    return network_named(*request.param, batch=3)


@pytest.fixture(params=[pair for pair in PAIRS if pair[0] in FEWER], ids=" on ".join)
def varied_network(request):
    """Every model on some kinds of graph; small batches."""
    return network_named(*request.param, batch=3)


@pytest.fixture(params=MODELS)
def any_model(request):
    """Every model on one graph with intralayer and skip edges."""
    return network_named("rewired by moves", request.param, batch=3)


@pytest.fixture(scope="session")
def layered_network():
    return network_named("layered")


@pytest.fixture(scope="session")
def make():
    """Make a network of any graph: ``make(graph, seed, batch, model)``."""
    return make_network


@pytest.fixture(scope="session")
def models():
    """Every model by name."""
    return MODELS


@pytest.fixture
def large(monkeypatch):
    """Networks as if they were too large for an array of all weights among free nodes."""
    for module in ("circuit", "network"):
        monkeypatch.setattr(f"smallworld_eqprop.dynamics.{module}.WHOLE", 0)


@pytest.fixture
def blockwise(monkeypatch):
    """Networks as if they were too large for all blocks to be dense."""
    monkeypatch.setattr("smallworld_eqprop.dynamics.layout.COMPACT", 0)
