"""Small networks with one stable state, beside a dense description that shares nothing with ours.

The dense description solves ``s = clip(h(s), low, high)`` by iterating it, once per perturbed
weight, and takes central differences of the cost.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from smallworld_eqprop.dynamics.contrast import Gradient
from smallworld_eqprop.dynamics.devices import on_device
from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.losses import SquaredError
from smallworld_eqprop.learning.rules import Adjoint, Phases

FREE = SOR(1e-14, 400)
EXACT = Adjoint(tolerance=1e-13)
SQUARED = SquaredError()
SIZES = (4, 6, 5, 3)


def arbitrary(seed):
    pairs = np.argwhere(np.triu(np.ones((18, 18)), k=1))
    kept = np.random.default_rng(seed).random(len(pairs)) < 0.3
    return LayeredGraph((4, 11, 3), pairs[kept])


GRAPHS = {
    "layered": layered(SIZES),
    "no hidden layer": layered((9, 5)),
    "intralayer": add_intralayer(layered(SIZES)),
    "rewired by edge": rewire(layered(SIZES), 0.3, seed=1),
    "rewired by moves": rewire(add_intralayer(layered(SIZES)), seed=2, law="moves", moves=30),
    "arbitrary": arbitrary(3),
    # The outputs are joined to the first and the third hidden layer, the second to the first alone.
    "gap between layers": LayeredGraph(
        (3, 4, 3, 3, 2),
        [(u, v) for u in range(3) for v in range(3, 7)]
        + [(u, v) for u in range(3, 7) for v in (7, 8, 9, 13, 14)]
        + [(u, v) for u in range(10, 13) for v in (13, 14)],
    ),
}


@dataclass(frozen=True)
class Conductances(Model):
    """Resistors between the nodes, whose conductances add to the self-terms of both ends."""

    sees: ClassVar = "difference"
    leak: float = 2.0

    def self_term(self, graph):
        return self.leak

    def edge_scale(self, graph, edges):
        return 0.5 + edges.sum(axis=1) % 3 / 2

    def limits(self, graph):
        return 0.05, np.inf


@dataclass(frozen=True)
class Patchwork(Model):
    """Another answer for every node and edge."""

    def bounds(self, graph):
        free = np.arange(graph.n_nodes - graph.layer_sizes[0])
        return np.where(free % 2, -1.0, -np.inf), 0.5 + free % 4 / 4

    def self_term(self, graph):
        return 0.5 + np.arange(graph.n_nodes - graph.layer_sizes[0]) % 4 / 2

    def bias_scale(self, graph):
        return 1 + np.arange(graph.n_nodes - graph.layer_sizes[0]) % 3 / 2

    def edge_scale(self, graph, edges):
        return 0.5 + edges @ (1, 2) % 5 / 4


MODELS = {
    "hopfield": Hopfield(),
    "between -1 and 1": Hopfield(-1, 1),
    "linear outputs": Hopfield(linear_outputs=True),
    "weak feedback by layers": WeakFeedback(feedback=0.3),
    "weak feedback by hops": WeakFeedback(-1, 1, feedback=0.5, depth="hops"),
    "conductances": Conductances(),
    "patchwork": Patchwork(),
}


@dataclass(frozen=True)
class Problem:
    """A network with one stable state per example, all nodes well away from the kinks."""

    graph: LayeredGraph
    model: Model
    weights: np.ndarray
    biases: np.ndarray
    inputs: np.ndarray
    target: np.ndarray

    def network(self):
        return Network(self.graph, self.weights, self.biases, self.model, dtype=np.float64)

    @functools.cached_property
    def bias_scale(self):
        return self.model.bias_scale(self.graph)

    def couplings(self, weights):
        """k W of every pair of nodes for K sets of weights, (K, N, N), and self-terms (K, free)."""
        n, (u, v) = self.graph.layer_sizes[0], self.graph.edges.T
        matrix = np.zeros((len(weights), self.graph.n_nodes, self.graph.n_nodes))
        scale = self.model.edge_scale(self.graph, self.graph.edges)
        matrix[:, u, v] = matrix[:, v, u] = scale * weights
        own = np.zeros(matrix.shape[1] - n) + self.model.self_term(self.graph)
        if self.model.sees == "difference":
            return matrix, own + matrix[:, n:].sum(axis=2)
        return matrix, np.broadcast_to(own, (len(weights), len(own)))

    def fields(self, matrix, own, state, biases):
        n = self.graph.layer_sizes[0]
        bias = self.bias_scale * biases
        pull = self.inputs @ matrix[:, :n, n:] + np.reshape(bias, (len(matrix), 1, -1))
        return (state @ matrix[:, n:, n:] + pull) / own[:, None]

    def equilibria(self, weights, biases):
        """Free states for K sets of weights (K, E) and biases (K, n_free) at once."""
        matrix, own = self.couplings(weights)
        state = np.zeros((len(weights), len(self.inputs), own.shape[1]))
        low, high = self.model.bounds(self.graph)
        for _ in range(90):
            state = np.clip(self.fields(matrix, own, state, biases), low, high)
        return state

    def costs(self, weights, biases, loss):
        """Mean cost over the batch at the free equilibrium, for K sets of parameters."""
        output = self.equilibria(weights, biases)[..., -self.graph.layer_sizes[-1] :]
        return loss.cost(output, self.target).mean(axis=1)

    def differences(self, step=1e-5, loss=SQUARED):
        """Gradient by central differences."""
        edges, free = self.graph.n_edges, len(self.biases)
        shifts = step * np.eye(edges + free)
        up, down = (
            self.costs(
                self.weights + sign * shifts[:, :edges],
                self.biases + sign * shifts[:, edges:],
                loss,
            )
            for sign in (1, -1)
        )
        return Gradient((up - down)[:edges] / (2 * step), (up - down)[edges:] / (2 * step))

    def phases(self, network, sign=1.0, loss=SQUARED, free=FREE):
        circuit = network.circuit
        drive = circuit.drive(self.inputs)
        relaxed = free.relax(circuit, drive, circuit.clip(np.zeros_like(drive)))
        return Phases(circuit, self.inputs, self.target, drive, relaxed, loss, sign)

    def estimate(self, rule, sign=1.0, loss=SQUARED, free=FREE):
        network = self.network()
        return network.edge_gradient(rule.contrast(self.phases(network, sign, loss, free)))


def make_problem(graph, model=MODELS["hopfield"], seed=0, batch=3):
    """A contraction; fields well inside the bounds, or well outside on two nodes."""
    rng = np.random.default_rng(seed)
    n, free = graph.layer_sizes[0], graph.n_nodes - graph.layer_sizes[0]
    weights = rng.uniform(-1, 1, graph.n_edges)
    if model.sees == "difference":
        weights = 0.1 + 0.2 * np.abs(weights)
    inputs = np.clip(rng.random(n) + rng.uniform(-0.1, 0.1, (batch, n)), 0, 1)
    target = rng.random((batch, graph.layer_sizes[-1]))
    problem = Problem(graph, model, weights, np.zeros(free), inputs, target)
    matrix, own = (each[0] for each in problem.couplings(weights[None]))
    if model.sees == "product":
        root = np.sqrt(own)
        inner = np.linalg.norm(matrix[n:, n:] / root / root[:, None], 2)
        outer = np.linalg.norm(matrix[:n, n:] / root, 2)
        weights = weights * 0.5 / max(inner, outer)
        matrix = matrix * 0.5 / max(inner, outer)
    low, high = (np.zeros(free) + each for each in model.bounds(graph))
    bottom, top = np.maximum(low, -1), np.minimum(high, 1)
    field = bottom + rng.uniform(0.3, 0.7, free) * (top - bottom)
    ends = np.isfinite(low), np.isfinite(high)
    below, above = (np.flatnonzero(each)[:1] for each in ends)
    above = np.flatnonzero(ends[1])[-1:] if np.array_equal(below, above) else above
    field[below] = low[below] - 0.5
    field[above] = high[above] + 0.5
    rest = np.clip(field, low, high)
    missing = own * field - rest @ matrix[n:, n:] - inputs.mean(axis=0) @ matrix[:n, n:]
    problem = replace(problem, weights=weights, biases=missing / model.bias_scale(graph))
    state = problem.equilibria(problem.weights[None], problem.biases[None])
    matrix, own = problem.couplings(problem.weights[None])
    fields = problem.fields(matrix, own, state, problem.biases)
    # The premise of all tests: no kink within reach of any nudge or perturbation.
    assert min(np.abs(fields - low).min(), np.abs(fields - high).min()) > 0.05
    held = ((fields < low) | (fields > high)).mean()
    assert held < 0.5
    assert held > 0 or "linear" in str(model)
    return problem


def reachable(graph, model):
    try:
        model.self_term(graph)
    except InputError:  # by hops, a node that reaches no output
        return False
    return True


PAIRS = [(g, m) for m in MODELS for g in GRAPHS if reachable(GRAPHS[g], MODELS[m])]


@functools.cache
def problem_named(graph, model="hopfield"):
    return make_problem(GRAPHS[graph], MODELS[model])


@functools.cache
def exact_gradient(graph, model="hopfield"):
    return problem_named(graph, model).differences()


def error(estimate, exact):
    parts = zip((estimate.weights, estimate.biases), (exact.weights, exact.biases), strict=True)
    return max(np.abs(a - b).max() for a, b in parts)


def free_edges(graph):
    """Edges that the clamped inputs do not fix at both ends."""
    return graph.layers[graph.edges[:, 1]] > 0


def gradient_on(device, network, inputs, targets, rule, loss=SQUARED):
    """What a rule finds on an engine, by edge and node."""
    network = on_device(network, device)
    backend, circuit = network.backend, network.circuit
    both = [each.astype(network.dtype) for each in (inputs, targets)]
    if device != "numpy":
        both = [backend.array(each)[None] for each in both]
    drive = circuit.drive(both[0])
    free = FREE.relax(circuit, drive, circuit.clip(0 * drive))
    return network.edge_gradient(rule.contrast(Phases(circuit, *both, drive, free, loss)))
