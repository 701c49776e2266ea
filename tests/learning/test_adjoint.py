"""The adjoint rule: against closed forms, and what it makes of examples that it cannot solve."""

from __future__ import annotations

import numpy as np
import pytest
from problems import EXACT, Problem, error, exact_gradient, gradient_on, problem_named

from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.models import Hopfield, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Relaxation
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.sweeps import Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.losses import CrossEntropy
from smallworld_eqprop.learning.rules import Adjoint, Centred


@pytest.mark.parametrize("p", [0, 0.3])
def test_both_gradients_agree_on_a_real_task(digits, p):
    # The paper's weights: not convex, most nodes at 0 or 1, some outputs too.
    graph = layered((64, 30, 30, 10))
    graph = rewire(graph, p, seed=0) if p else graph
    network = Network(graph, dtype=np.float64, seed=0)
    inputs, target = digits.x_train[:8].astype(float), digits.y_train[:8].astype(float)
    problem = Problem(graph, network.model, network.weights, network.biases, inputs, target)
    free = SOR(1e-13, 3000)
    exact = problem.estimate(EXACT, free=free)
    estimate = problem.estimate(Centred(1e-6, Euler(3000)), free=free)
    assert np.abs(exact.weights).max() > 1e-2
    assert error(estimate, exact) < 1e-6
    assert error(problem.estimate(EXACT, free=free), exact) == 0


def test_the_adjoint_gradient_of_one_hidden_and_one_output_node():
    # s_h = w x + v s_o + b and s_o = v s_h, so s_o = v (w x + b) / (1 - v v).
    x, w, v, b, d = 0.5, 0.8, 0.5, 0.1, 0.9
    arrays = ([w, v], [b, 0], [[x]], [[d]])
    problem = Problem(layered((1, 1, 1)), Hopfield(), *map(np.array, arrays))
    found = problem.estimate(EXACT)
    h, o = (w * x + b) / (1 - v * v), v * (w * x + b) / (1 - v * v)
    slope = 2 * (o - d) / (1 - v * v)
    assert found.biases == pytest.approx([slope * v, slope])
    assert found.weights == pytest.approx([slope * v * x, slope * (h + v * o)])


def test_outputs_outside_the_energy_give_the_gradient_of_backpropagation(device):
    # The hidden nodes hear nothing of the outputs: a feed-forward network with a softmax.
    rng = np.random.default_rng(0)
    graph, x = layered((3, 6, 4)), rng.random((5, 3))
    d = np.eye(4)[rng.integers(0, 4, 5)]
    network = Network(graph, model=Hopfield(readout=True), dtype=np.float64, seed=0)
    network.biases = rng.uniform(-0.3, 0.6, 10)
    first, second = network.weights[:18].reshape(3, 6), network.weights[18:].reshape(6, 4)
    field = x @ first + network.biases[:6]
    hidden = np.clip(field, 0, 1)
    z = np.exp(hidden @ second + network.biases[6:])
    wrong = z / z.sum(axis=1, keepdims=True) - d
    back = (wrong @ second.T) * ((field > 0) & (field < 1))
    assert 0 < (back == 0).mean() < 0.8
    found = gradient_on(device, network, x, d, EXACT, CrossEntropy())
    expected = np.concatenate([(x.T @ back).ravel(), (hidden.T @ wrong).ravel()]) / 5
    np.testing.assert_allclose(found.weights, expected, atol=1e-10)
    np.testing.assert_allclose(found.biases, np.hstack((back, wrong)).mean(axis=0), atol=1e-10)


def test_in_deeper_networks_with_a_readout_small_nudges_agree():
    graph = rewire(layered((3, 6, 5, 4)), 0.2, seed=0)
    model = WeakFeedback(readout=True, feedback=0.4)
    network = Network(graph, model=model, dtype=np.float64, seed=0)
    x, d = np.random.default_rng(0).random((5, 3)), np.eye(4)[[0, 1, 2, 3, 0]]
    exact, near = (
        gradient_on("numpy", network, x, d, rule, CrossEntropy())
        for rule in (EXACT, Centred(1e-3, Sweeps(200)))
    )
    assert np.abs(exact.weights[graph.edges[:, 1] < 9]).max() > 1e-2
    assert error(near, exact) < 1e-6


def test_every_engine_gives_the_same_gradient(name, device):
    problem = problem_named(*name)
    arrays = problem.network(), problem.inputs, problem.target
    assert error(gradient_on(device, *arrays, EXACT), exact_gradient(*name)) < 1e-8


class Saddle:
    """A free phase that ends half-way between two minima."""

    def relax(self, circuit, drive, start):
        state = np.full_like(start, 0.5)
        return Relaxation(state, state, np.zeros(1), np.zeros(1, int), 1e-3)


def test_an_example_at_no_minimum_is_counted_and_stays_finite():
    arrays = ([0, 2], [-0.5, -0.5], [[1.0]], [[1.0]])
    problem = Problem(layered((1, 1, 1)), Hopfield(), *map(np.array, arrays))
    network = problem.network()
    phases = problem.phases(network, free=Saddle())
    found = network.edge_gradient(EXACT.contrast(phases))
    assert phases.failed == 1
    assert np.isfinite(found.weights).all()


def test_too_few_sweeps_are_counted(problem):
    few = 0 if problem.graph.n_layers == 2 else 3  # without hidden nodes one sweep solves it
    for sweeps, failed in ((1, few), (100, 0)):
        phases = problem.phases(problem.network())
        Adjoint(tolerance=1e-10, max_sweeps=sweeps).contrast(phases)
        assert phases.failed == failed


def test_the_error_falls_with_the_tolerance(name):
    problem, exact = problem_named(*name), exact_gradient(*name)
    size = np.linalg.norm(exact.weights)
    errors = [error(problem.estimate(Adjoint(tolerance=t)), exact) for t in (1e-2, 1e-4, 1e-6)]
    assert errors[0] < 0.1 * size
    assert errors[1] < 1e-3 * size
    assert errors[2] < 1e-5 * size


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"tolerance": 0}, r"^tolerance: 0, must be above 0$"),
        ({"tolerance": float("nan")}, r"^tolerance: nan, must be above 0$"),
        ({"max_sweeps": 0}, r"^max_sweeps: 0, must be a whole number"),
    ],
)
def test_numbers_that_solve_nothing_are_refused(values, message):
    with pytest.raises(InputError, match=message):
        Adjoint(**values)
