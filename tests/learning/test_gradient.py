"""Gradient honesty: what equilibrium propagation estimates is the gradient of the cost.

So is what implicit differentiation gives, and each checks the other. The oracle shares nothing with
the package: it solves ``s = clip(W s + b, 0, 1)`` by iterating it densely, once per perturbed
weight, and takes central differences of the cost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import Relaxation
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph, add_intralayer, layered
from smallworld_eqprop.graphs.rewiring import rewire
from smallworld_eqprop.learning.eqprop import Gradient, centred_gradient, initial_weights
from smallworld_eqprop.learning.implicit import implicit_gradient

FREE, NUDGED = SOR(1e-14, 400), Euler(400)
SIZES = (4, 6, 5, 3)


def arbitrary(seed):
    pairs = np.argwhere(np.triu(np.ones((18, 18)), k=1))
    kept = np.random.default_rng(seed).random(len(pairs)) < 0.3
    return LayeredGraph((4, 11, 3), pairs[kept])


GRAPHS = {
    "layered": layered(SIZES),
    "intralayer": add_intralayer(layered(SIZES)),
    "rewired by edge": rewire(layered(SIZES), 0.3, seed=1),
    "rewired by moves": rewire(add_intralayer(layered(SIZES)), seed=2, law="moves", moves=30),
    "arbitrary": arbitrary(3),
}


@dataclass(frozen=True)
class Problem:
    """A network with one stable state per example, all nodes well away from the kinks."""

    graph: LayeredGraph
    weights: np.ndarray
    biases: np.ndarray
    inputs: np.ndarray
    target: np.ndarray

    def couplings(self):
        return Couplings(self.graph, self.weights, self.biases, np.float64)

    def equilibria(self, weights, biases):
        """States, inputs included, for K sets of weights (K, E) and biases (K, n_free) at once."""
        n, (u, v) = self.graph.layer_sizes[0], self.graph.edges.T
        matrix = np.zeros((len(weights), self.graph.n_nodes, self.graph.n_nodes))
        matrix[:, u, v] = matrix[:, v, u] = weights
        pull = matrix[:, n:, :n] @ self.inputs + biases[:, :, None]
        state = np.zeros_like(pull)
        for _ in range(120):
            state = np.clip(matrix[:, n:, n:] @ state + pull, 0, 1)
        return np.concatenate(
            (np.broadcast_to(self.inputs, (len(weights), *self.inputs.shape)), state), 1
        )

    def costs(self, weights, biases):
        """Mean cost over the batch at the free equilibrium, for K sets of parameters."""
        output = self.equilibria(weights, biases)[:, -self.graph.layer_sizes[-1] :]
        return ((output - self.target) ** 2).sum(axis=1).mean(axis=1)

    def differences(self, step=1e-4):
        """Gradient by central differences."""
        edges, free = self.graph.n_edges, len(self.biases)
        shifts = step * np.eye(edges + free)
        up, down = (
            self.costs(
                self.weights + sign * shifts[:, :edges], self.biases + sign * shifts[:, edges:]
            )
            for sign in (1, -1)
        )
        return Gradient((up - down)[:edges] / (2 * step), (up - down)[edges:] / (2 * step))

    def estimate(self, beta):
        return centred_gradient(
            self.graph, self.couplings(), self.inputs, self.target,
            beta=beta, free=FREE, nudged=NUDGED,
        )  # fmt: skip


def make_problem(graph, seed=0, batch=3):
    """Weights of norm 0.5; fields well inside (0, 1), or well outside on two nodes."""
    rng = np.random.default_rng(seed)
    n, (u, v) = graph.layer_sizes[0], graph.edges.T
    matrix = np.zeros((graph.n_nodes, graph.n_nodes))
    matrix[u, v] = matrix[v, u] = rng.uniform(-1, 1, graph.n_edges)
    matrix *= 0.5 / np.linalg.norm(matrix, 2)
    inputs = np.clip(rng.random((n, 1)) + rng.uniform(-0.1, 0.1, (n, batch)), 0, 1)
    field = rng.uniform(0.3, 0.7, graph.n_nodes - n)
    field[:2] = -0.5, 1.5
    rest = np.clip(field, 0, 1)
    biases = field - matrix[n:, n:] @ rest - matrix[n:, :n] @ inputs.mean(axis=1)
    target = rng.random((graph.layer_sizes[-1], batch))
    problem = Problem(graph, matrix[u, v], biases, inputs, target)
    state = problem.equilibria(problem.weights[None], biases[None])[0, n:]
    fields = matrix[n:, n:] @ state + matrix[n:, :n] @ inputs + biases[:, None]
    # The premise of all tests: no kink within reach of any nudge or perturbation.
    assert np.abs(fields).min() > 0.1
    assert np.abs(fields - 1).min() > 0.1
    assert 0 < (state == 0).sum() < state.size / 2
    return problem


@pytest.fixture(params=GRAPHS)
def problem(request):
    return make_problem(GRAPHS[request.param])


def error(estimate, exact):
    parts = zip((estimate.weights, estimate.biases), (exact.weights, exact.biases), strict=True)
    return max(np.abs(a - b).max() for a, b in parts)


def free_edges(graph):
    """Edges that the clamped inputs do not fix at both ends."""
    return graph.layers[graph.edges[:, 1]] > 0


def test_centred_estimate_is_the_gradient_of_the_cost(problem):
    exact, estimate = problem.differences(), problem.estimate(1e-4)
    assert np.abs(exact.weights).max() > 1e-2
    assert error(estimate, exact) < 1e-7
    assert not estimate.weights[~free_edges(problem.graph)].any()


def test_error_of_the_centred_estimate_is_of_second_order(problem):
    exact = problem.differences()
    errors = [error(problem.estimate(beta), exact) for beta in (0.08, 0.04, 0.02)]
    assert errors[0] > 1e-5
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 4, rtol=0.05)


def one_sided(problem, beta):
    """What one training batch adds at rate 1, with the sign of an ascent: minus the gradient."""
    couplings = problem.couplings()
    drive = couplings.drive(problem.inputs)
    free = FREE.relax(couplings, drive, np.zeros_like(drive)).state
    nudged = NUDGED.steps_from(couplings, drive, free, problem.target, beta)
    couplings.correct(free, nudged, problem.inputs, 1 / beta, np.ones(problem.graph.n_layers - 1))
    return Gradient(
        problem.weights - couplings.edge_weights(), problem.biases - couplings.biases[:, 0]
    )


@pytest.mark.parametrize("sign", [1, -1])
def test_an_update_descends_the_gradient_to_first_order(problem, sign):
    exact = problem.differences()
    assert error(one_sided(problem, sign * 1e-5), exact) < 1e-4
    errors = [error(one_sided(problem, sign * beta), exact) for beta in (0.02, 0.01, 0.005)]
    assert errors[0] > 1e-4
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2, rtol=0.05)


@pytest.mark.parametrize("beta", [1e-3, 0.1])
def test_updates_of_both_signs_average_to_the_centred_estimate(problem, beta):
    plus, minus = one_sided(problem, beta), one_sided(problem, -beta)
    mean = Gradient((plus.weights + minus.weights) / 2, (plus.biases + minus.biases) / 2)
    assert error(mean, problem.estimate(beta)) < 1e-9


def test_few_nudged_steps_estimate_part_of_the_gradient():
    # The published vanishing gradient: a nudge moves one layer a step, so in two steps it has
    # not come to the first hidden layer.
    problem = make_problem(GRAPHS["layered"])
    estimate = centred_gradient(
        problem.graph, problem.couplings(), problem.inputs, problem.target,
        beta=1e-3, free=FREE, nudged=Euler(2),
    )  # fmt: skip
    first = problem.graph.layers[problem.graph.edges[:, 1]] == 1
    assert np.abs(estimate.weights[first]).max() < 1e-9
    assert np.abs(estimate.weights[~first]).max() > 1e-3
    assert np.abs(problem.differences().weights[first]).max() > 1e-4


def test_a_shortcut_brings_the_nudge_to_the_first_hidden_layer():
    problem = make_problem(GRAPHS["rewired by edge"])
    estimate = centred_gradient(
        problem.graph, problem.couplings(), problem.inputs, problem.target,
        beta=1e-3, free=FREE, nudged=Euler(2),
    )  # fmt: skip
    first = problem.graph.layers[problem.graph.edges[:, 1]] == 1
    assert np.abs(estimate.weights[first]).max() > 1e-4


def test_estimating_leaves_the_couplings_as_they_are(problem):
    couplings = problem.couplings()
    centred_gradient(
        problem.graph, couplings, problem.inputs, problem.target,
        beta=0.1, free=FREE, nudged=Euler(3),
    )  # fmt: skip
    assert np.array_equal(couplings.edge_weights(), problem.weights)
    assert np.array_equal(couplings.biases[:, 0], problem.biases)


@pytest.mark.parametrize("beta", [0, -0.5, float("nan")])
def test_impossible_nudges_are_refused(beta):
    with pytest.raises(InputError, match=r"^beta: .*must be above 0"):
        make_problem(GRAPHS["layered"]).estimate(beta)


def implicit(problem):
    return implicit_gradient(
        problem.graph, problem.couplings(), problem.inputs, problem.target, free=FREE
    )


def test_the_implicit_gradient_is_the_gradient_of_the_cost(problem):
    assert error(implicit(problem), problem.differences(step=1e-5)) < 1e-9
    assert not implicit(problem).weights[~free_edges(problem.graph)].any()


@pytest.mark.parametrize("p", [0, 0.3])
def test_both_gradients_agree_on_a_real_task(digits, p):
    # The paper's weights: not convex, most nodes at 0 or 1, some outputs too.
    graph = layered((64, 30, 30, 10))
    graph = rewire(graph, p, seed=0) if p else graph
    couplings = Couplings(graph, initial_weights(graph, seed=0), dtype=np.float64)
    inputs, target = digits.x_train[:8].T.astype(float), digits.y_train[:8].T.astype(float)
    free = SOR(1e-13, 3000)
    exact = implicit_gradient(graph, couplings, inputs, target, free=free)
    estimate = centred_gradient(
        graph, couplings, inputs, target, beta=1e-6, free=free, nudged=Euler(3000)
    )
    assert np.abs(exact.weights).max() > 1e-2
    assert error(estimate, exact) < 1e-6
    again = implicit_gradient(graph, couplings, inputs, target, free=free)
    assert np.array_equal(again.weights, exact.weights)


def test_the_implicit_gradient_of_one_hidden_and_one_output_node():
    # s_h = w x + v s_o + b and s_o = v s_h, so s_o = v (w x + b) / (1 - v v).
    x, w, v, b, d = 0.5, 0.8, 0.5, 0.1, 0.9
    graph = layered((1, 1, 1))
    couplings = Couplings(graph, [w, v], [b, 0], np.float64)
    found = implicit_gradient(graph, couplings, np.array([[x]]), np.array([[d]]), free=FREE)
    h, o = (w * x + b) / (1 - v * v), v * (w * x + b) / (1 - v * v)
    slope = 2 * (o - d) / (1 - v * v)
    assert found.biases == pytest.approx([slope * v, slope])
    assert found.weights == pytest.approx([slope * v * x, slope * (h + v * o)])


def test_an_unstable_equilibrium_has_no_gradient():
    class Saddle:
        def relax(self, couplings, drive, start):
            state = np.full_like(start, 0.5)
            return Relaxation(state, state, np.zeros(1), np.zeros(1, int), 1e-3)

    graph = layered((1, 1, 1))
    couplings = Couplings(graph, [0, 2], [-0.5, -0.5], np.float64)
    with pytest.raises(InputError, match="example 0 did not relax to a minimum"):
        implicit_gradient(graph, couplings, np.ones((1, 1)), np.ones((1, 1)), free=Saddle())
