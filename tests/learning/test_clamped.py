"""Contrastive and coupled learning: which functions they descend, and how far those are from C."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from problems import FREE, GRAPHS, Problem, error, exact_gradient, make_problem, problem_named

from smallworld_eqprop.dynamics.contrast import Gradient
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.models import Hopfield, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.sweeps import Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.learning.rules import Contrastive, Coupled, Phases

LINEAR = {
    "linear outputs": Hopfield(linear_outputs=True),
    "weak feedback": WeakFeedback(linear_outputs=True, feedback=0.3),
}


# --- oracles, dense and independent of the package -----------------------------------------------


def energies(problem, matrix, own, state, biases):
    """Energy of K sets of parameters, (K, batch), without what depends on no state."""
    n = problem.graph.layer_sizes[0]
    pulls = problem.inputs @ matrix[:, :n, n:]
    pulls = pulls + (problem.bias_scale * biases)[:, None]
    inner = 0.5 * own[:, None] * state**2 - 0.5 * state * (state @ matrix[:, n:, n:])
    return (inner - pulls * state).sum(axis=-1)


def surplus(problem, weights, biases, held):
    """Mean of min E with the outputs held minus min E, for K sets of parameters."""
    free = problem.equilibria(weights, biases)
    matrix, own = problem.couplings(weights)
    low, high = problem.model.bounds(problem.graph)
    state, outputs = free.copy(), slice(-held.shape[1], None)
    for _ in range(120):
        state = np.clip(problem.fields(matrix, own, state, biases), low, high)
        state[..., outputs] = held
        state = np.clip(state, low, high)
    both = (energies(problem, matrix, own, each, biases) for each in (state, free))
    return np.subtract(*both).mean(axis=1)


def differences(problem, function, step=1e-5):
    """Gradient of a function of weights (K, E) and biases (K, n_free), by central differences."""
    edges, free = problem.graph.n_edges, len(problem.biases)
    shifts = step * np.eye(edges + free)
    up, down = (
        function(
            problem.weights + sign * shifts[:, :edges], problem.biases + sign * shifts[:, edges:]
        )
        for sign in (1, -1)
    )
    slopes = (up - down) / (2 * step)
    return Gradient(slopes[:edges], slopes[edges:])


def outputs_of(problem):
    state = problem.equilibria(problem.weights[None], problem.biases[None])[0]
    return state[:, -problem.graph.layer_sizes[-1] :]


def stiffness(problem):
    """Second derivatives of the energy by the outputs, inner nodes following, of every example."""
    matrix, own = (each[0] for each in problem.couplings(problem.weights[None]))
    n, n_out = (problem.graph.layer_sizes[i] for i in (0, -1))
    second = np.diag(own) - matrix[n:, n:]
    state = problem.equilibria(problem.weights[None], problem.biases[None])
    fields = problem.fields(matrix[None], own[None], state, problem.biases)[0]
    low, high = problem.model.bounds(problem.graph)
    found = []
    for moves in (fields > low) & (fields < high):
        assert moves[-n_out:].all()
        inner = np.flatnonzero(moves[:-n_out])
        out = np.arange(len(own) - n_out, len(own))
        across = second[np.ix_(inner, out)]
        inside = second[np.ix_(inner, inner)]
        found.append(second[np.ix_(out, out)] - across.T @ np.linalg.solve(inside, across))
    return np.array(found)


# --- what they descend ---------------------------------------------------------------------------


def test_contrastive_learning_descends_the_energy_that_holding_the_targets_costs(name):
    problem = problem_named(*name)
    expected = differences(problem, lambda w, b: surplus(problem, w, b, problem.target))
    assert np.abs(expected.weights).max() > 1e-2
    assert error(problem.estimate(Contrastive(FREE)), expected) < 1e-8


def test_coupled_learning_descends_the_energy_that_a_part_of_the_way_costs(name):
    problem, eta = problem_named(*name), 0.4
    outputs = outputs_of(problem)
    held = outputs + eta * (problem.target - outputs)
    expected = differences(problem, lambda w, b: surplus(problem, w, b, held) / eta)
    assert np.abs(expected.weights).max() > 1e-2
    assert error(problem.estimate(Coupled(eta, FREE)), expected) < 1e-8


def test_coupled_learning_of_the_whole_way_is_contrastive(name):
    problem = problem_named(*name)
    one, other = (problem.estimate(rule) for rule in (Coupled(1.0, FREE), Contrastive(FREE)))
    assert error(one, other) < 1e-12


@pytest.mark.parametrize("model", LINEAR)
@pytest.mark.parametrize("graph", [name for name in GRAPHS if name != "no hidden layer"])
def test_for_small_eta_the_error_is_weighed_by_the_stiffness_to_first_order(graph, model):
    problem = make_problem(GRAPHS[graph], LINEAR[model])
    weighed = stiffness(problem)

    def cost(weights, biases):
        state = problem.equilibria(weights, biases)
        wrong = problem.target - state[..., -problem.graph.layer_sizes[-1] :]
        return 0.5 * np.einsum("kbi,bij,kbj->k", wrong, weighed, wrong) / len(wrong[0])

    expected = differences(problem, cost)
    errors = [error(problem.estimate(Coupled(eta, FREE)), expected) for eta in (0.04, 0.02, 0.01)]
    assert errors[0] > 1e-5
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2, rtol=0.05)


@pytest.mark.parametrize("rule", [Contrastive(FREE), Coupled(0.3, FREE)], ids=repr)
def test_without_hidden_nodes_they_descend_half_the_squared_error(rule):
    problem = make_problem(GRAPHS["no hidden layer"], LINEAR["linear outputs"])
    exact = problem.differences()
    found = problem.estimate(rule)
    assert error(Gradient(2 * found.weights, 2 * found.biases), exact) < 1e-8


def test_as_feedback_fades_coupled_learning_descends_half_the_squared_error():
    errors = []
    whole = make_problem(GRAPHS["layered"], LINEAR["weak feedback"])
    for feedback in (0.02, 0.01, 0.005):
        problem = replace(whole, model=replace(whole.model, feedback=feedback))
        found, exact = problem.estimate(Coupled(1e-4, FREE)), problem.differences()
        far = error(Gradient(2 * found.weights, 2 * found.biases), exact)
        errors.append(far / np.abs(exact.weights).max())
    assert errors[-1] < 0.01
    np.testing.assert_allclose(np.divide(errors[:-1], errors[1:]), 2, rtol=0.1)


def test_contrastive_learning_of_a_chain():
    # s_o = v (w x + b) / (1 - v v); with the output held at d the hidden node is at w x + b + v d.
    x, w, v, b, d = 0.5, 0.8, 0.5, 0.1, 0.9
    problem = Problem(
        layered((1, 1, 1)), Hopfield(), *map(np.array, ([w, v], [b, 0], [[x]], [[d]]))
    )
    found = problem.estimate(Contrastive(FREE))
    h, o = (w * x + b) / (1 - v * v), v * (w * x + b) / (1 - v * v)
    held = w * x + b + v * d
    assert found.biases == pytest.approx([h - held, o - d])
    assert found.weights == pytest.approx([(h - held) * x, h * o - held * d])
    # The cost falls twice as fast by 1 / (1 - v v), which is what S = 1 - v v takes off.
    assert problem.differences().biases[1] * (1 - v * v) / 2 == pytest.approx(found.biases[1])


def test_outputs_that_rest_at_a_bound_are_moved_all_the_same():
    # Equilibrium propagation leaves a saturated output alone, however wrong it is.
    problem = Problem(layered((1, 1)), Hopfield(), *map(np.array, ([3.0], [0.0], [[1.0]], [[0.0]])))
    assert problem.estimate(Contrastive(FREE)).biases == pytest.approx([1.0])
    assert problem.differences().biases == pytest.approx([0.0])


# --- solvers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", [Euler(400), Sweeps(200), Sweeps(400, 1e-13)], ids=repr)
@pytest.mark.parametrize("rule", [Contrastive(), Coupled(0.3)], ids=repr)
def test_every_solver_finds_the_held_state(problem, rule, solver):
    expected = problem.estimate(replace(rule, solver=FREE))
    assert error(problem.estimate(replace(rule, solver=solver)), expected) < 1e-9


def test_held_states_and_held_deviations_are_the_same(problem):
    phases = problem.phases(problem.network())
    state = phases.held(problem.target, FREE)
    deviation = phases.held_deviation(problem.target, FREE)
    np.testing.assert_allclose(phases.free.state + deviation, state, atol=1e-12)
    low, high = (np.broadcast_to(b, state.shape[1:]) for b in problem.model.bounds(problem.graph))
    out = phases.circuit.output
    np.testing.assert_array_equal(state[:, out], np.clip(problem.target, low[out], high[out]))


def test_one_sweep_of_deviations_brings_the_error_to_the_first_layer_in_single_precision():
    """Where two relaxed states would differ by less than float32 resolves."""
    graph = layered((6, 12, 10, 8, 4))
    found = {}
    for dtype, free, solver in ((np.float32, Sweeps(4), Sweeps(1)), (np.float64, FREE, FREE)):
        model = WeakFeedback(feedback=0.003, linear_outputs=True)
        network = Network(graph, None, None, model, dtype=dtype, seed=1)
        network.biases = np.random.default_rng(0).uniform(0, 0.4, network.n_free)
        rng = np.random.default_rng(2)
        phases = Phases.of(network, rng.random((5, 6)), rng.random((5, 4)), free)
        found[dtype] = network.edge_gradient(Contrastive(solver).contrast(phases)).weights
    first = network.blocks[0].edges
    near, exact = (each[first] for each in found.values())
    assert near @ exact / np.linalg.norm(near) / np.linalg.norm(exact) > 0.99


def test_held_phases_that_missed_their_tolerance_are_counted(problem):
    phases = problem.phases(problem.network())
    Contrastive(SOR(1e-14, 1)).contrast(phases)
    assert phases.failed == (0 if problem.graph.n_layers == 2 else 3)


# --- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize("eta", [0, -0.1, 1.5, float("nan")])
def test_a_share_of_the_way_is_above_0_and_at_most_1(eta):
    with pytest.raises(InputError, match=rf"^eta: {eta}, must be above 0 and at most 1$"):
        Coupled(eta)


def test_exact_gradients_of_these_problems_are_other_ones(name):
    # Otherwise the tests above would tell nothing that those of the cost do not.
    found = problem_named(*name).estimate(Contrastive(FREE))
    assert error(found, exact_gradient(*name)) > 1e-3
