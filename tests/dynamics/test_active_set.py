"""Compiled relaxation, by the nodes that move or along the edges: faster, the same in all else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.dynamics import euler, sor
from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.energies import energy
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.kernels import add_rows, count_moving, rests
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.graphs.generate.layers import layered


@pytest.fixture(autouse=True, params=["large", "compact", "thin"])
def way(request, monkeypatch):
    """Networks as small as these have shorter ways; larger and thinner ones are tested as well."""
    compact, thin = request.param == "compact", request.param == "thin"
    monkeypatch.setattr("smallworld_eqprop.dynamics.layout.COMPACT", 1024 if compact else 0)
    monkeypatch.setattr("smallworld_eqprop.dynamics.layout.THIN", 2 if thin else 0)
    return request.param


def prepared(network, dtype=np.float64):
    circuit = network.network(dtype).circuit
    drive = circuit.drive(network.inputs.astype(dtype))
    return circuit, drive, network.states(3)[0].astype(dtype)


def strong(network):
    """Biases that send most nodes to a bound."""
    biases = np.random.default_rng(5).choice([-3.0, 0.3, 3.0], len(network.biases))
    return replace(network, biases=biases)


def squared(target, beta):
    """The nudge of the squared error."""
    return Nudge(2 * beta * target, 2 * beta)


def targets(network, seed=1):
    return np.random.default_rng(seed).random((network.batch, network.n_outputs))


@given(st.integers(0, 9), st.integers(0, 40), st.floats(0, 1), st.integers(0, 1000))
def test_adding_rows_is_a_product(n, m, share, seed):
    rng = np.random.default_rng(seed)
    matrix, values = rng.random((n + 3, m + 2)), rng.random(n) * (rng.random(n) < share)
    out = rng.random(m)
    expected = out + values @ matrix[3:, 2:]
    add_rows(matrix, 3, values, 2, out)
    np.testing.assert_allclose(out, expected, atol=1e-12)


def test_all_weights_among_free_nodes_in_one_array(network):
    real = network.network()
    whole = real.circuit.whole()
    np.testing.assert_array_equal(whole.weights, network.inner)
    for layer, (first, last) in enumerate(whole.near):
        own = network.inner[whole.ends[layer] : whole.ends[layer + 1]]
        outside = np.ones(own.shape[1], bool)
        outside[whole.ends[first] : whole.ends[last]] = False
        assert not own[:, outside].any()
        within = own[:, whole.ends[layer] : whole.ends[layer + 1]]
        assert whole.inside[layer] or not within.any()
    # It follows the corrections.
    free, nudged = network.states()
    rates = np.ones(network.graph.n_layers - 1)
    real.descend(Contrast.between(free, nudged, network.inputs, 1.0), rates, rates)
    after = network.like(real)
    np.testing.assert_array_equal(real.circuit.whole().weights, after.inner)
    assert not np.array_equal(after.weights, network.weights)


def test_a_network_with_too_many_free_nodes_has_no_such_array(monkeypatch, layered_network):
    monkeypatch.setattr("smallworld_eqprop.dynamics.circuit.WHOLE", 39)
    assert layered_network.network().circuit.whole() is not None  # 20, 15 and 4 free nodes
    monkeypatch.setattr("smallworld_eqprop.dynamics.circuit.WHOLE", 38)
    assert layered_network.network().circuit.whole() is None


def test_a_node_rests_where_its_field_holds_it_at_a_bound():
    # Examples are rows.
    state = np.array([[0.0, 0, 1], [0, 0, 0], [1, 1, 0.5], [0, 1, 1], [1, 1, 1]])
    field = np.array([[-1.0, -2, 3], [-1, -0.1, -1], [2, 2, 0.5], [-1, 2, -1], [2, 3, 1.5]])
    expected = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 1]], bool)
    for margin in (0.0, 0.3):
        expected[1, 1] = margin < 0.1
        for low, high in ((0.0, 1.0), (-2.0, 1.0), (0.0, 3.0), (-np.inf, np.inf)):
            at_bounds = expected & ((state == low) | (state == high))
            np.testing.assert_array_equal(
                np.vectorize(rests)(state, field, low, high, margin), at_bounds
            )
            bounds = np.full(3, low), np.full(3, high)
            moving = count_moving(state, field, *bounds, margin)
            np.testing.assert_array_equal(moving, (~at_bounds).sum(axis=1))


def check_fixed_point(network, dtype, tolerance):
    circuit, drive, start = prepared(network, dtype)
    found = SOR(tolerance, 5000).relax(circuit, drive, start)
    assert found.converged.all()
    assert found.state.dtype == dtype
    field = circuit.field(found.state, drive)
    rounding = 1e-5 if dtype is np.float32 else 1e-12
    np.testing.assert_allclose(found.field, field, atol=rounding)
    np.testing.assert_allclose(found.residual, circuit.residual(found.state, field), atol=rounding)
    assert network.residual(found.state).max() <= tolerance + rounding


@pytest.mark.parametrize("many", [-1, sor.MANY])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-3), (np.float64, 1e-10)])
def test_it_ends_at_a_fixed_point_of_the_true_field(network, dtype, tolerance, many, monkeypatch):
    monkeypatch.setattr(sor, "MANY", many)  # below 0 all are swept whole first
    check_fixed_point(network, dtype, tolerance)


@pytest.mark.parametrize("many", [-1, sor.MANY])
def test_it_ends_at_a_fixed_point_of_every_model(any_model, many, monkeypatch):
    monkeypatch.setattr(sor, "MANY", many)
    check_fixed_point(any_model.convex(), np.float32, 1e-3)
    check_fixed_point(any_model.convex(), np.float64, 1e-10)


def test_where_there_is_one_fixed_point_it_is_that_of_whole_sweeps(varied_network, request):
    network = strong(varied_network.convex(0.9))
    circuit, drive, _ = prepared(network)
    start = circuit.clip(np.round(drive))  # where the biases alone would hold the nodes
    found = SOR(1e-10, 5000).relax(circuit, drive, start)
    request.getfixturevalue("large")
    whole = SOR(1e-10, 5000).relax(circuit, drive, start)
    assert found.converged.all()
    assert whole.converged.all()
    np.testing.assert_allclose(found.state, whole.state, atol=1e-8)


def test_no_sweep_raises_the_energy(varied_network):
    circuit, drive, start = prepared(varied_network)
    for factor in (1.0, 1.6, 1.98):
        state, before = start, energy(circuit, start, drive)
        for _ in range(4):
            found = SOR(1e-12, 1, start_factor=factor).relax(circuit, drive, state)
            assert (found.sweeps <= 1).all()  # none where an example is at rest already
            after = energy(circuit, found.state, drive)
            assert (after <= before + 1e-12 * np.abs(before)).all()
            state, before = found.state, after


def test_a_wrong_guess_is_found_out(any_model):
    """Nodes taken for resting that do not rest are among those that move next."""
    network = any_model.interior(0.9)
    circuit = network.network().circuit
    drive = circuit.drive(network.inputs)
    # All nodes start at a bound where they cannot stay, and none is near it.
    start = np.where(np.isfinite(network.high), network.high, 5.0)[None]
    found = SOR(1e-9, 5000).relax(circuit, drive, start)
    assert found.converged.all()
    assert network.residual(found.state).max() < 2e-9


@pytest.mark.parametrize("most", [1, 3])
def test_what_did_not_converge_says_so(network, most):
    circuit, drive, start = prepared(network)
    found = SOR(1e-13, most).relax(circuit, drive, start)
    assert not found.converged.all()
    assert (found.sweeps[~found.converged] == most).all()
    assert "allow more sweeps" in found.message


def test_an_example_takes_no_notice_of_the_rest_of_its_batch(network):
    circuit, drive, start = prepared(network, np.float32)
    whole = SOR().relax(circuit, drive, start)
    for k in (0, 6):
        alone = SOR().relax(circuit, drive[k : k + 1], start[k : k + 1])
        assert abs(whole.sweeps[k] - alone.sweeps[0]) <= 2  # the first field is summed otherwise
        np.testing.assert_allclose(whole.state[k], alone.state[0], atol=5e-3)


@pytest.mark.parametrize("beta", [1.0, -0.25])
def test_the_nudged_phase_is_the_published_steps(varied_network, beta):
    circuit, drive, start = prepared(varied_network)
    start_field = circuit.field(start, drive)
    free = replace(SOR(1e-6, 50).relax(circuit, drive, start), state=start, field=start_field)
    target = targets(varied_network)
    before = start.copy(), start_field.copy()
    found = Euler(4).nudge(circuit, drive, free, squared(target, beta))
    np.testing.assert_allclose(
        found.state, varied_network.nudged(start, target, beta, 4), atol=1e-11
    )
    assert np.array_equal(free.state, before[0])
    assert np.array_equal(free.field, before[1])


@pytest.mark.parametrize("beta", [1.0, -1.0])
def test_leaving_nodes_out_of_the_nudged_phase_changes_nothing(varied_network, beta):
    network = strong(varied_network.convex(0.9))
    circuit, drive, _ = prepared(network)
    free = SOR(1e-6, 5000).relax(circuit, drive, circuit.clip(0 * drive))
    if not np.isinf(network.high).any() and not np.isinf(network.low).any():
        moving = count_moving(free.state, free.field, network.low, network.high, euler.MARGIN)
        assert moving.min() < len(network.biases) or len(network.biases) < 6
    target = (free.state[:, network.output] < 0.5).astype(float)
    found = Euler(8).nudge(circuit, drive, free, squared(target, beta))
    expected = Euler(8).relax(circuit, drive, free.state, squared(target, beta))
    np.testing.assert_allclose(found.state, expected.state, atol=1e-10)


def test_an_example_at_its_target_stays_and_is_no_part_of_the_correction(network):
    network = strong(network)
    real, again = network.network(), network.network()
    circuit = real.circuit
    drive = circuit.drive(network.inputs)
    free = SOR(1e-9, 5000).relax(circuit, drive, np.zeros_like(drive))
    target = free.state[:, network.output].copy()
    target[::2] = target[::2] < 0.5
    found = Euler(8).nudge(circuit, drive, free, squared(target, 1.0)).state
    assert np.array_equal(found[1::2], free.state[1::2])
    # At the fixed point the steps would have moved it by no more than the residual allows.
    steps = Euler(8).relax(circuit, drive, free.state, squared(target, 1.0)).state
    np.testing.assert_allclose(found, steps, atol=1e-6)
    rates = np.full(network.graph.n_layers - 1, 0.1)
    one, other = (
        each.descend(Contrast.between(free.state, end, network.inputs, 1.0), rates, rates)
        for each, end in ((real, found), (again, steps))
    )
    np.testing.assert_allclose(one, other, atol=1e-7)
    np.testing.assert_allclose(real.weights, again.weights, atol=1e-7)


def test_where_no_example_is_pulled_nothing_moves(layered_network):
    network = layered_network.convex()
    circuit, drive, start = prepared(network)
    free = SOR(1e-9, 5000).relax(circuit, drive, start)
    target = free.state[:, network.output].copy()
    found = Euler(8).nudge(circuit, drive, free, squared(target, 1.0))
    assert np.array_equal(found.state, free.state)
    assert found.converged.all()
    assert (found.sweeps == 8).all()


def test_the_published_free_phase_is_nudged_in_every_example(layered_network):
    circuit, drive, _ = prepared(layered_network)
    free = Euler(20).relax(circuit, drive, np.zeros_like(drive))
    target = free.state[:, circuit.output].copy()
    found = Euler(8).nudge(circuit, drive, free, squared(target, 1.0)).state
    expected = Euler(8).relax(circuit, drive, free.state, squared(target, 1.0)).state
    assert not np.array_equal(found, free.state)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_node_that_the_nudge_sets_free_is_not_left_out(make):
    # One hidden node, held at 0 by its bias, that a strong weight from the output pulls up. The
    # nudge pulls the second example the other way: it takes no further steps.
    network = make(layered((1, 1, 1)), 0, 2)
    network = replace(network, weights=np.array([0.0, 4.0]), biases=np.array([-0.5, -1.0]))
    circuit, drive, _ = prepared(network)
    free = SOR(1e-9).relax(circuit, drive, np.zeros_like(drive))
    assert not free.state.any()
    assert not count_moving(free.state, free.field, circuit.low, circuit.high, euler.MARGIN).any()
    target = np.array([[1.0], [-1.0]])
    expected = Euler(8).relax(circuit, drive, free.state, squared(target, 1.0)).state
    found = Euler(8).nudge(circuit, drive, free, squared(target, 1.0)).state
    assert expected[0, 0] > 0.5
    np.testing.assert_allclose(found, expected, atol=1e-12)
