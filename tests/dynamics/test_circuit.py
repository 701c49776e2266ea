from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.energies import energy
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import layered

STRICT = SOR(1e-11, 20_000)


def nudge_of(network, curvature, seed=4):
    force = np.random.default_rng(seed).normal(size=(network.batch, network.n_outputs))
    return Nudge(force, curvature)


def nudged_problem(network, nudge):
    """Second derivatives and force of the energy with that of the nudge added."""
    hessian, force = network.hessian.copy(), network.force.copy()
    outputs = np.arange(len(network.biases))[network.output]
    hessian[outputs, outputs] += nudge.curvature
    force[:, outputs] += nudge.force
    return hessian, force


def held_minimiser(network, outputs):
    """Minimum over the other nodes, with the outputs cut at their bounds."""
    outputs = np.clip(outputs, network.low[network.output], network.high[network.output])
    inner = slice(0, -network.n_outputs)
    if len(network.biases) == network.n_outputs:
        return outputs
    rest = replace(network)
    for name in ("low", "high"):
        rest.__dict__[name] = getattr(network, name)[inner]
    hessian = network.hessian
    force = network.force[:, inner] - outputs @ hessian[network.output, inner]
    found = rest.minimiser(hessian=hessian[inner, inner], force=force)
    return np.concatenate((found, outputs), axis=1)


# --- nudges ------------------------------------------------------------------------------------


@pytest.mark.parametrize("curvature", [2.0, 0.0, -0.25])
def test_a_nudge_is_an_energy_at_the_outputs(any_network, curvature):
    nudge = nudge_of(any_network, curvature)
    circuit = any_network.network().circuit
    drive = circuit.drive(any_network.inputs)
    nudged, nudged_drive = circuit.nudged(drive, nudge)
    state, _ = any_network.states()
    hessian, force = nudged_problem(any_network, nudge)
    expected = state + (force - state @ hessian) / np.diag(hessian)
    np.testing.assert_allclose(nudged.field(state, nudged_drive), expected, atol=1e-11)
    np.testing.assert_allclose(nudged.self_term, np.diag(hessian), rtol=1e-12)
    for matrix in (nudged.whole().weights, nudged.matrix().toarray()):
        coupling = np.diag(np.diag(hessian)) - hessian
        np.testing.assert_allclose(matrix, coupling / np.diag(hessian), atol=1e-12)
    outputs = state[:, any_network.output]
    added = (0.5 * curvature * outputs**2 - nudge.force * outputs).sum(axis=1)
    without = energy(circuit, state, drive)
    np.testing.assert_allclose(energy(nudged, state, nudged_drive), without + added, atol=1e-10)


@pytest.mark.parametrize("curvature", [2.0, np.inf])
def test_a_nudge_leaves_the_circuit_as_it_is(any_network, curvature):
    circuit, untouched = (any_network.network().circuit for _ in range(2))
    drive = circuit.drive(any_network.inputs)
    state, _ = any_network.states()
    circuit.whole()
    before = drive.copy()
    circuit.nudged(drive, nudge_of(any_network, curvature))
    assert np.array_equal(drive, before)
    assert np.array_equal(circuit.field(state, drive), untouched.field(state, drive))
    assert np.array_equal(circuit.self_term, untouched.self_term)
    assert np.array_equal(circuit.whole().weights, untouched.whole().weights)
    assert np.array_equal(circuit.drive(any_network.inputs), drive)


@pytest.mark.parametrize("curvature", [2.0, -0.25])
def test_nudged_fixed_points_are_the_minima_of_the_nudged_energy(any_network, curvature):
    network = any_network.convex(0.4)
    nudge = nudge_of(network, curvature)
    hessian, force = nudged_problem(network, nudge)
    expected = network.minimiser(hessian=hessian, force=force)
    circuit = network.network().circuit
    drive = circuit.drive(network.inputs)
    found = STRICT.relax(circuit, drive, network.states()[0], nudge)
    assert found.converged.all()
    np.testing.assert_allclose(found.state, expected, atol=1e-8)


def test_held_outputs_stay_where_they_are_held(any_network):
    network = any_network.convex(0.8)
    outputs = np.random.default_rng(6).normal(0.4, 0.5, (network.batch, network.n_outputs))
    circuit = network.network().circuit
    drive = circuit.drive(network.inputs)
    start = circuit.with_outputs(network.states()[0], outputs)
    found = STRICT.relax(circuit, drive, start, Nudge(outputs, np.inf))
    assert found.converged.all()
    cut = np.clip(outputs, network.low[network.output], network.high[network.output])
    assert np.array_equal(found.state[:, network.output], cut)
    np.testing.assert_allclose(found.state, held_minimiser(network, outputs), atol=1e-8)


@pytest.mark.parametrize("curvature", [-1.0, -2.0, -np.inf, np.nan])
def test_a_nudge_that_leaves_no_minimum_is_refused(layered_network, curvature):
    circuit = layered_network.network().circuit
    drive = circuit.drive(layered_network.inputs)
    with pytest.raises(InputError, match=r"^nudge: a curvature of .* without a minimum") as caught:
        circuit.nudged(drive, nudge_of(layered_network, curvature))
    assert "\n" not in str(caught.value)


def test_a_pull_is_in_units_of_the_field(any_model):
    nudge = nudge_of(any_model, 1.5)
    force, curvature = any_model.network().circuit.pull(nudge)
    own = any_model.self_term[any_model.output]
    np.testing.assert_allclose(force, nudge.force / own, rtol=1e-12)
    np.testing.assert_allclose(curvature, 1.5 / own, rtol=1e-12)


def test_a_nudge_knows_whether_it_holds():
    assert Nudge(np.zeros((1, 2)), np.inf).holds
    assert not Nudge(np.zeros((1, 2)), 2.0).holds


# --- states ------------------------------------------------------------------------------------


def test_states_are_cut_at_the_bounds_of_every_node(any_model):
    circuit = any_model.network().circuit
    state = np.random.default_rng(0).normal(0, 3, (5, circuit.n_free))
    np.testing.assert_array_equal(circuit.clip(state), any_model.clip(state))
    assert circuit.dtype == np.float64


def test_nodes_rest_at_0_or_at_the_bound_nearest_to_it(make, models):
    graph = layered((2, 3, 1))
    for low, high, rest in ((0, 1, 0), (-1, 1, 0), (0.25, 1, 0.25), (-2, -1, -1)):
        model = replace(models["hopfield"], low=low, high=high)
        assert make(graph, 0, 1, model).network().circuit.rest().tolist() == [rest] * 4


def test_outputs_are_replaced_in_a_copy(layered_network):
    circuit = layered_network.network().circuit
    state, _ = layered_network.states()
    before = state.copy()
    found = circuit.with_outputs(state, 0.125)
    assert (found[:, circuit.output] == 0.125).all()
    assert np.array_equal(found[:, : circuit.output.start], state[:, : circuit.output.start])
    assert np.array_equal(state, before)


@pytest.mark.parametrize("size", ["whole", "large"])
def test_what_some_nodes_add_to_each_other(any_network, size, request):
    if size == "large":
        request.getfixturevalue("large")
    circuit = any_network.network().circuit
    assert (circuit.whole() is None) == (size == "large")
    nodes = np.flatnonzero(np.random.default_rng(1).random(circuit.n_free) < 0.4)
    expected = any_network.inner[np.ix_(nodes, nodes)]
    np.testing.assert_allclose(circuit.among(nodes), expected, atol=1e-14)


def test_the_drive_passes_over_inputs_that_are_0(any_network):
    kept = np.random.default_rng(2).random(any_network.inputs.shape) < 0.2
    network = replace(any_network, inputs=any_network.inputs * kept)
    drive = network.network().circuit.drive(network.inputs)
    np.testing.assert_allclose(drive, network.pull, atol=1e-12)


def test_residual_is_the_distance_from_the_clipped_field(any_network):
    circuit = any_network.network().circuit
    state, _ = any_network.states()
    field = circuit.field(state, circuit.drive(any_network.inputs))
    expected = any_network.residual(state)
    np.testing.assert_allclose(circuit.residual(state, field), expected, atol=1e-12)


@pytest.mark.parametrize("what", ["state", "field"])
def test_a_residual_shows_what_is_not_a_number(layered_network, what):
    circuit = layered_network.network().circuit
    state, field = (each.copy() for each in layered_network.states())
    {"state": state, "field": field}[what][2, 17] = np.nan
    residual = circuit.residual(state, field)
    assert np.isnan(residual).tolist() == [False, False, True, *[False] * 4]


def test_a_circuit_of_no_edges_is_all_drive(make):
    network = make(LayeredGraph((2, 3, 2), np.empty((0, 2), int)), 0, 4)
    circuit = network.network().circuit
    state, _ = network.states()
    assert not circuit.field(state).any()
    assert circuit.matrix().shape == (5, 5)
    assert circuit.matrix().nnz == 0
    np.testing.assert_array_equal(circuit.drive(network.inputs), [network.biases] * 4)
