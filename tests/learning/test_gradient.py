"""Gradient honesty: what every rule gives is the gradient of the cost, in every model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from problems import (
    EXACT,
    FREE,
    MODELS,
    SQUARED,
    error,
    exact_gradient,
    free_edges,
    problem_named,
)

from smallworld_eqprop.dynamics.contrast import Contrast, Gradient
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.models import Model, WeakFeedback
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.learning.rules import Centred, OneSided, RandomSign, Rule

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
    assert check_exact(EXACT, name) > 1e-2


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
        honest = EXACT.contrast(phases)
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
    contrast = EXACT.contrast(problem.phases(network))
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
    found = network.pair_gradient(EXACT.contrast(problem.phases(network)), missing)
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
    assert error(problem.estimate(EXACT, loss=loss), exact) < 1e-8
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
    "rule", [Centred(0.1, Euler(3)), RandomSign(), EXACT], ids=lambda rule: type(rule).__name__
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


def test_a_contrast_is_made_of_two_states():
    first, second = np.array([[0.0, 1.0]]), np.array([[1.0, 0.5]])
    contrast = Contrast.between(first, second, np.ones((1, 1)), 3.0)
    assert contrast.deviation.tolist() == [[1, -0.5]]
    assert contrast.midpoint.tolist() == [[0.5, 0.75]]
    assert contrast.gain == 3
    assert first.tolist() == [[0, 1]]
