"""Gradient honesty: what every rule gives is the gradient of the cost, in every model.

The oracle shares nothing with the package: it solves ``s = clip(h(s), low, high)`` by iterating it
densely, once per perturbed weight, and takes central differences of the cost.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from smallworld_eqprop.dynamics.contrast import Contrast, Gradient
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Relaxation
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.losses import SquaredError
from smallworld_eqprop.learning.rules import Adjoint, Centred, OneSided, Phases, RandomSign, Rule

FREE = SOR(1e-14, 400)
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
        bias = self.model.bias_scale(self.graph) * biases
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


@pytest.fixture(params=PAIRS, ids=" on ".join)
def name(request):
    return request.param


@pytest.fixture(params=GRAPHS)
def problem(request):
    return problem_named(request.param)


def error(estimate, exact):
    parts = zip((estimate.weights, estimate.biases), (exact.weights, exact.biases), strict=True)
    return max(np.abs(a - b).max() for a, b in parts)


def free_edges(graph):
    """Edges that the clamped inputs do not fix at both ends."""
    return graph.layers[graph.edges[:, 1]] > 0


# --- every rule, every model, every graph ------------------------------------------------------


def check_exact(rule, name):
    """The rule gives the exact gradient; gives how large that is."""
    problem, exact = problem_named(*name), exact_gradient(*name)
    found = problem.estimate(rule)
    assert error(found, exact) < 1e-8
    assert not found.weights[~free_edges(problem.graph)].any()
    return max(np.abs(exact.weights).max(), np.abs(exact.biases).max())


def errors_of(rule, betas, name, sign=1.0):
    problem, exact = problem_named(*name), exact_gradient(*name)
    return [error(problem.estimate(replace(rule, beta=beta), sign), exact) for beta in betas]


def check_order(rule, betas, order, name, sign=1.0):
    """Halving beta divides the error by 2 to the power of the order."""
    errors = errors_of(rule, betas, name, sign)
    assert errors[0] > 1e-6
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2**order, rtol=0.05)


def test_the_adjoint_gradient_is_exact(name):
    assert check_exact(Adjoint(), name) > 1e-2


def test_the_error_of_centred_nudges_is_of_second_order(name):
    check_order(Centred(solver=FREE), (0.04, 0.02, 0.01), 2, name)


@pytest.mark.parametrize("sign", [1, -1])
def test_the_error_of_one_nudge_is_of_first_order(name, sign):
    check_order(RandomSign(solver=FREE), (1e-3, 5e-4, 2.5e-4), 1, name, sign)
    assert errors_of(RandomSign(solver=FREE), [1e-6], name, sign)[0] < 1e-4
    if sign > 0:
        one, other = (problem_named(*name).estimate(rule(0.1, FREE)) for rule in
                      (OneSided, RandomSign))  # fmt: skip
        assert error(one, other) == 0


@pytest.mark.parametrize("beta", [1e-3, 0.05])
def test_nudges_of_both_signs_average_to_the_centred_estimate(name, beta):
    problem = problem_named(*name)
    plus, minus = (problem.estimate(RandomSign(beta, FREE), sign) for sign in (1, -1))
    mean = Gradient((plus.weights + minus.weights) / 2, (plus.biases + minus.biases) / 2)
    assert error(mean, problem.estimate(Centred(beta, FREE))) < 1e-9


def test_the_error_of_centred_euler_steps_is_of_second_order(problem):
    exact = problem.differences()
    errors = [error(problem.estimate(Centred(b, Euler(400))), exact) for b in (0.04, 0.02, 0.01)]
    assert errors[0] > 1e-5
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4, rtol=0.05)


@pytest.mark.parametrize("beta", [0.2, -0.2])
def test_euler_steps_settle_under_a_nudge_that_is_somewhat_stronger(problem, beta):
    # The published nudge acts on the state that the drift has reached: at the end
    # h - s = 2 beta (s - d) / (1 - 2 step beta), the fixed point of another beta.
    stronger = abs(beta) / (1 - 2 * 0.5 * beta)
    sign = np.sign(beta)
    steps = problem.estimate(RandomSign(abs(beta), Euler(400)), sign)
    settled = problem.estimate(RandomSign(stronger, FREE), sign)
    scale = stronger / abs(beta)
    expected = Gradient(scale * settled.weights, scale * settled.biases)
    assert error(steps, expected) < 1e-9
    assert error(steps, settled) > 1e-3


# --- these tests can fail ----------------------------------------------------------------------


@dataclass(frozen=True)
class Broken(Rule):
    """What an honest rule gives, spoilt."""

    spoil: str
    beta: float = 1e-4

    def contrast(self, phases):
        honest = Adjoint().contrast(phases)
        if self.spoil == "does nothing":
            return replace(honest, deviation=np.zeros_like(honest.deviation))
        if self.spoil == "climbs":
            return replace(honest, gain=-honest.gain)
        if self.spoil == "forgets the inputs":
            return replace(honest, inputs=np.zeros_like(honest.inputs))
        if self.spoil == "moves the outputs only":
            deviation = honest.deviation.copy()
            deviation[:, : phases.circuit.output.start] = 0
            return replace(honest, deviation=deviation)
        # As if it had moved from the free state, for an estimate of the wrong order.
        return replace(honest, midpoint=honest.midpoint + self.beta * honest.deviation)


SPOILT = ["does nothing", "climbs", "forgets the inputs", "moves the outputs only"]


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("model", MODELS)
def test_a_spoilt_rule_fails_the_tests(model, spoil):
    name = ("rewired by moves", model)
    with pytest.raises(AssertionError):
        check_exact(Broken(spoil), name)
    for order in (1, 2):
        with pytest.raises(AssertionError):
            check_order(Broken(spoil), (1e-3, 5e-4, 2.5e-4), order, name)


def test_one_nudge_fails_the_test_of_two():
    name = ("rewired by moves", "hopfield")
    with pytest.raises(AssertionError):
        check_order(OneSided(solver=FREE), (0.04, 0.02, 0.01), 2, name)
    with pytest.raises(AssertionError):
        check_order(Broken("shifted"), (0.04, 0.02, 0.01), 2, name)
    check_order(Broken("shifted"), (0.04, 0.02, 0.01), 1, name)


# --- what follows from it ----------------------------------------------------------------------


def test_a_small_step_lowers_the_cost_by_the_squared_gradient(name):
    problem, rate = problem_named(*name), 1e-5
    network = problem.network()
    contrast = Adjoint().contrast(problem.phases(network))
    gradient = network.edge_gradient(contrast)
    rates = [rate] * (problem.graph.n_layers - 1)
    network.descend(contrast, rates, rates)
    before, after = (
        problem.costs(weights[None], biases[None], SQUARED)[0]
        for weights, biases in (
            (problem.weights, problem.biases),
            (network.weights, network.biases),
        )
    )
    square = (gradient.weights**2).sum() + (gradient.biases**2).sum()
    assert before - after == pytest.approx(rate * square, rel=1e-2)


@pytest.mark.parametrize("model", MODELS)
def test_the_gradient_of_an_edge_that_is_not_there(model):
    problem = problem_named("layered", model)
    graph, n = problem.graph, problem.graph.n_nodes
    there = set(map(tuple, graph.edges.tolist()))
    missing = [
        (u, v) for u in range(0, n, 2) for v in range(max(u + 1, 4), n) if (u, v) not in there
    ]
    network = problem.network()
    found = network.pair_gradient(Adjoint().contrast(problem.phases(network)), missing)
    more = LayeredGraph(graph.layer_sizes, [*there, *missing])
    places = {tuple(edge): e for e, edge in enumerate(more.edges.tolist())}
    weights = np.zeros(more.n_edges)
    weights[[places[tuple(edge)] for edge in graph.edges.tolist()]] = problem.weights
    shifts = np.zeros((len(missing), more.n_edges))
    shifts[np.arange(len(missing)), [places[pair] for pair in missing]] = 1e-5
    wider = replace(problem, graph=more, weights=weights)
    biases = np.tile(problem.biases, (len(missing), 1))
    if isinstance(problem.model, WeakFeedback) and problem.model.depth == "hops":
        # The new edges would be short ways: the scales of the old graph are meant.
        wider = replace(wider, model=OldScales(problem.model, graph))
    up, down = (wider.costs(weights + sign * shifts, biases, SQUARED) for sign in (1, -1))
    np.testing.assert_allclose(found, (up - down) / 2e-5, atol=1e-8)
    assert np.abs(found).max() > 1e-3


@dataclass(frozen=True)
class OldScales(Model):
    model: Model
    graph: LayeredGraph

    def bounds(self, graph):
        return self.model.bounds(self.graph)

    def self_term(self, graph):
        return self.model.self_term(self.graph)

    def edge_scale(self, graph, edges):
        return self.model.edge_scale(self.graph, edges)


@dataclass(frozen=True)
class LogCosh:
    """A loss that is not quadratic."""

    curvature: float = 0.7

    def cost(self, output, target):
        return np.log(np.cosh(3 * (output - target))).sum(-1)

    def force(self, output, target):
        return -3 * np.tanh(3 * (output - target))


def test_other_losses_have_their_gradient(problem):
    loss = LogCosh()
    exact = problem.differences(loss=loss)
    assert error(exact, problem.differences()) > 1e-2
    assert error(problem.estimate(Adjoint(), loss=loss), exact) < 1e-8
    errors = [
        error(problem.estimate(Centred(beta, FREE), loss=loss), exact) for beta in (0.02, 0.01)
    ]
    assert errors[0] > 1e-6
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.05)
    # A nudge without curvature moves the states by beta times what the adjoint is.
    linear = LogCosh(curvature=0.0)
    assert error(problem.estimate(Centred(0.02, FREE), loss=linear), exact) < 1e-8


def test_few_nudged_steps_estimate_part_of_the_gradient():
    # The published vanishing gradient: a nudge moves one layer a step, so in two steps it has
    # not come to the first hidden layer.
    problem = problem_named("layered")
    estimate = problem.estimate(Centred(1e-3, Euler(2)))
    first = problem.graph.layers[problem.graph.edges[:, 1]] == 1
    assert np.abs(estimate.weights[first]).max() < 1e-9
    assert np.abs(estimate.weights[~first]).max() > 1e-3
    assert np.abs(exact_gradient("layered").weights[first]).max() > 1e-4


def test_a_shortcut_brings_the_nudge_to_the_first_hidden_layer():
    problem = problem_named("rewired by edge")
    estimate = problem.estimate(Centred(1e-3, Euler(2)))
    first = problem.graph.layers[problem.graph.edges[:, 1]] == 1
    assert np.abs(estimate.weights[first]).max() > 1e-4


@pytest.mark.parametrize(
    "rule", [Centred(0.1, Euler(3)), RandomSign(), Adjoint()], ids=lambda rule: type(rule).__name__
)
def test_estimating_leaves_the_network_as_it_is(name, rule):
    problem = problem_named(*name)
    network = problem.network()
    phases = problem.phases(network)
    free = phases.free.state.copy()
    network.edge_gradient(rule.contrast(phases))
    assert np.array_equal(network.weights, problem.weights)
    assert np.array_equal(network.biases, problem.biases)
    assert np.array_equal(phases.free.state, free)
    again = problem.phases(network)
    assert np.array_equal(again.free.state, free)


@pytest.mark.parametrize("rule", [OneSided, RandomSign, Centred])
@pytest.mark.parametrize("beta", [0, -0.5, float("nan"), float("inf")])
def test_impossible_nudges_are_refused(rule, beta):
    with pytest.raises(InputError, match=r"^beta: .*must be above 0"):
        rule(beta)


def test_phases_that_missed_their_tolerance_are_counted(problem):
    for rule, failed in (
        (Centred(0.1, FREE), 0),
        (Centred(0.1, SOR(1e-14, 1)), 6),  # both phases of three examples
        (OneSided(0.1, SOR(1e-14, 1)), 3),
        (OneSided(0.1, Euler(1)), 0),
    ):
        phases = problem.phases(problem.network())
        rule.contrast(phases)
        assert phases.failed == failed


def test_random_numbers_of_a_batch_depend_on_its_key_alone(problem):
    phases = problem.phases(problem.network())
    draws = [
        replace(phases, key=key).generator(stream).random()
        for key, stream in (((1, 2, 3), 0), ((1, 2, 3), 0), ((1, 2, 4), 0), ((1, 2, 3), 1))
    ]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3


# --- the adjoint -------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0, 0.3])
def test_both_gradients_agree_on_a_real_task(digits, p):
    # The paper's weights: not convex, most nodes at 0 or 1, some outputs too.
    graph = layered((64, 30, 30, 10))
    graph = rewire(graph, p, seed=0) if p else graph
    network = Network(graph, dtype=np.float64, seed=0)
    inputs, target = digits.x_train[:8].astype(float), digits.y_train[:8].astype(float)
    problem = Problem(graph, network.model, network.weights, network.biases, inputs, target)
    free = SOR(1e-13, 3000)
    exact = problem.estimate(Adjoint(), free=free)
    estimate = problem.estimate(Centred(1e-6, Euler(3000)), free=free)
    assert np.abs(exact.weights).max() > 1e-2
    assert error(estimate, exact) < 1e-6
    assert error(problem.estimate(Adjoint(), free=free), exact) == 0


def test_the_adjoint_gradient_of_one_hidden_and_one_output_node():
    # s_h = w x + v s_o + b and s_o = v s_h, so s_o = v (w x + b) / (1 - v v).
    x, w, v, b, d = 0.5, 0.8, 0.5, 0.1, 0.9
    arrays = ([w, v], [b, 0], [[x]], [[d]])
    problem = Problem(layered((1, 1, 1)), Hopfield(), *map(np.array, arrays))
    found = problem.estimate(Adjoint())
    h, o = (w * x + b) / (1 - v * v), v * (w * x + b) / (1 - v * v)
    slope = 2 * (o - d) / (1 - v * v)
    assert found.biases == pytest.approx([slope * v, slope])
    assert found.weights == pytest.approx([slope * v * x, slope * (h + v * o)])


def test_an_unstable_equilibrium_has_no_gradient():
    class Saddle:
        def relax(self, circuit, drive, start):
            state = np.full_like(start, 0.5)
            return Relaxation(state, state, np.zeros(1), np.zeros(1, int), 1e-3)

    arrays = ([0, 2], [-0.5, -0.5], [[1.0]], [[1.0]])
    problem = Problem(layered((1, 1, 1)), Hopfield(), *map(np.array, arrays))
    with pytest.raises(InputError, match="example 0 did not relax to a minimum"):
        problem.estimate(Adjoint(), free=Saddle())


def test_a_contrast_is_made_of_two_states():
    first, second = np.array([[0.0, 1.0]]), np.array([[1.0, 0.5]])
    contrast = Contrast.between(first, second, np.ones((1, 1)), 3.0)
    assert contrast.deviation.tolist() == [[1, -0.5]]
    assert contrast.midpoint.tolist() == [[0.5, 0.75]]
    assert contrast.gain == 3
    assert first.tolist() == [[0, 1]]
