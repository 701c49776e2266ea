"""Relaxing every example by its own nodes that move: faster, and the same in all else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.dynamics import euler, sor
from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.energy import energy
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.examples import relax_each
from smallworld_eqprop.dynamics.kernels import add_rows, count_moving, rests
from smallworld_eqprop.dynamics.relaxation import residual
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.graphs.layered import layered


@pytest.fixture(scope="session")
def engine():
    return Couplings  # on torch all nodes take part


@pytest.fixture(autouse=True, params=[0, 1024])
def compact(request, monkeypatch):
    """Networks as small as these have shorter ways; what larger ones do is to be tested as well."""
    monkeypatch.setattr("smallworld_eqprop.dynamics.couplings.COMPACT", request.param)
    return request.param > 0


def prepared(network, dtype=np.float64):
    couplings = network.couplings(dtype)
    drive = couplings.drive(network.inputs.astype(dtype))
    start = np.random.default_rng(3).random(drive.shape).astype(dtype)
    return couplings, drive, start


def strong(network):
    """Biases that send most nodes to 0 or 1."""
    biases = np.random.default_rng(5).choice([-3.0, 0.3, 3.0], len(network.biases))
    return replace(network, biases=biases)


@given(st.integers(0, 9), st.integers(0, 40), st.floats(0, 1), st.integers(0, 1000))
def test_adding_rows_is_a_product(n, m, share, seed):
    rng = np.random.default_rng(seed)
    matrix, values = rng.random((n + 3, m + 2)), rng.random(n) * (rng.random(n) < share)
    out = rng.random(m)
    expected = out + values @ matrix[3:, 2:]
    add_rows(matrix, 3, values, 2, out)
    np.testing.assert_allclose(out, expected, atol=1e-12)


def test_all_weights_among_free_nodes_in_one_array(network):
    couplings = network.couplings()
    whole = couplings.whole()
    np.testing.assert_array_equal(whole.weights, network.inner)
    for layer, (first, last) in enumerate(whole.near):
        own = network.inner[whole.ends[layer] : whole.ends[layer + 1]]
        outside = np.ones(own.shape[1], bool)
        outside[whole.ends[first] : whole.ends[last]] = False
        assert not own[:, outside].any()
        within = own[:, whole.ends[layer] : whole.ends[layer + 1]]
        assert whole.inside[layer] or not within.any()
    # It follows the corrections.
    rng = np.random.default_rng(0)
    free, nudged = rng.random((2, len(network.biases), network.inputs.shape[1]))
    couplings.correct(free, nudged, network.inputs, 1.0, np.ones(len(couplings.layer_sizes) - 1))
    after = replace(network, weights=couplings.edge_weights())
    np.testing.assert_array_equal(couplings.whole().weights, after.inner)
    assert not np.array_equal(after.weights, network.weights)


def test_a_network_with_too_many_free_nodes_has_no_such_array(monkeypatch, layered_network):
    monkeypatch.setattr("smallworld_eqprop.dynamics.couplings.WHOLE", 38)
    assert layered_network.couplings().whole() is None  # 20, 15 and 4 free nodes


def test_the_drive_passes_over_inputs_that_are_0(network):
    inputs = network.inputs * (np.random.default_rng(2).random(network.inputs.shape) < 0.2)
    network = replace(network, inputs=inputs)
    drive = network.couplings().drive(inputs)
    np.testing.assert_allclose(drive, network.pull, atol=1e-12)


def test_a_node_rests_where_its_field_holds_it_at_a_bound():
    state = np.array([[0.0, 0, 1], [0, 0, 0], [1, 1, 0.5], [0, 1, 1], [1, 1, 1]])
    field = np.array([[-1.0, -2, 3], [-1, -0.1, -1], [2, 2, 0.5], [-1, 2, -1], [2, 3, 1.5]])
    expected = np.array([[1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 1]], bool)
    for margin in (0.0, 0.3):
        expected[1, 1] = margin < 0.1
        np.testing.assert_array_equal(np.vectorize(rests)(state, field, margin), expected)
        moving = count_moving(state, field, margin)
        np.testing.assert_array_equal(moving, (~expected).sum(axis=0))


@pytest.mark.parametrize("many", [-1, sor.MANY])
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-3), (np.float64, 1e-10)])
def test_it_ends_at_a_fixed_point_of_the_true_field(network, dtype, tolerance, many, monkeypatch):
    monkeypatch.setattr(sor, "MANY", many)  # below 0 all are swept whole first
    couplings, drive, start = prepared(network, dtype)
    found = SOR(tolerance, 5000).relax(couplings, drive, start)
    assert found.converged.all()
    assert found.state.dtype == dtype
    field = couplings.field(found.state, drive)
    rounding = 1e-5 if dtype is np.float32 else 1e-12
    np.testing.assert_allclose(found.field, field, atol=rounding)
    np.testing.assert_allclose(found.residual, residual(found.state, field), atol=rounding)
    literal = np.abs(np.clip(network.field(found.state), 0, 1) - found.state).max()
    assert literal <= tolerance + rounding


def test_where_there_is_one_fixed_point_it_is_that_of_whole_sweeps(network, monkeypatch):
    network = strong(network.convex(0.9))
    couplings, drive, _ = prepared(network)
    start = np.clip(np.round(drive), 0, 1)  # where the biases alone would hold the nodes
    found = SOR(1e-10, 5000).relax(couplings, drive, start)
    monkeypatch.setattr(couplings, "whole", lambda: None)
    whole = SOR(1e-10, 5000).relax(couplings, drive, start)
    assert found.converged.all()
    assert whole.converged.all()
    np.testing.assert_allclose(found.state, whole.state, atol=1e-8)


@pytest.mark.parametrize("factor", [1.0, 1.6, 1.98])
def test_no_sweep_raises_the_energy(network, factor):
    couplings, drive, start = prepared(network)
    state, sweeps = np.array(start.T, order="C"), np.zeros(start.shape[1], np.intp)
    before = energy(couplings, start, drive)
    for _ in range(4):
        field = np.array(couplings.field(state.T, drive).T, order="C")
        sweeps[:] = 0
        reached, factors = np.zeros(len(state)), np.full(len(state), factor)
        outcome = state, field, reached, factors, sweeps
        relax_each(*couplings.whole().arrays, *outcome, 1e-12, 1, 1.98, 0.1, 4)
        assert (sweeps <= 1).all()  # none where an example is at rest already
        after = energy(couplings, np.array(state.T, order="C"), drive)
        assert (after <= before + 1e-12 * np.abs(before)).all()
        before = after


def test_a_wrong_guess_is_found_out(layered_network):
    """Nodes taken for resting that do not rest are among those that move next."""
    network = layered_network.interior(0.9)
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    # All nodes start at a bound where they cannot stay, and none is near it.
    found = SOR(1e-9, 5000).relax(couplings, drive, np.ones_like(drive))
    assert found.converged.all()
    assert np.abs(np.clip(network.field(found.state), 0, 1) - found.state).max() < 2e-9


@pytest.mark.parametrize("most", [1, 3])
def test_what_did_not_converge_says_so(network, most):
    couplings, drive, start = prepared(network)
    found = SOR(1e-13, most).relax(couplings, drive, start)
    assert not found.converged.all()
    assert (found.sweeps[~found.converged] == most).all()
    assert "allow more sweeps" in found.message


def test_an_example_takes_no_notice_of_the_rest_of_its_batch(network):
    couplings, drive, start = prepared(network, np.float32)
    whole = SOR().relax(couplings, drive, start)
    for k in (0, 6):
        alone = SOR().relax(couplings, drive[:, k : k + 1], start[:, k : k + 1])
        assert abs(whole.sweeps[k] - alone.sweeps[0]) <= 2  # the first field is summed otherwise
        np.testing.assert_allclose(whole.state[:, k], alone.state[:, 0], atol=5e-3)


@pytest.mark.parametrize("beta", [1.0, -0.25])
def test_the_nudged_phase_is_the_published_steps(network, beta):
    couplings, drive, start = prepared(network)
    start_field = couplings.field(start, drive)
    free = replace(SOR(1e-6, 5000).relax(couplings, drive, start), state=start, field=start_field)
    n_outputs = network.graph.layer_sizes[-1]
    target = np.random.default_rng(1).random((n_outputs, start.shape[1]))
    found = Euler(4).nudge(couplings, drive, free, target, beta)
    np.testing.assert_allclose(found, network.nudged(start, target, beta, 4), atol=1e-11)
    assert np.array_equal(free.state, start)
    assert np.array_equal(free.field, start_field)


@pytest.mark.parametrize("beta", [1.0, -1.0])
def test_leaving_nodes_out_of_the_nudged_phase_changes_nothing(network, beta):
    network = strong(network)
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    free = SOR(1e-6, 5000).relax(couplings, drive, np.zeros_like(drive))
    moving = count_moving(free.state, free.field, euler.MARGIN)
    assert moving.min() < len(network.biases) or len(network.biases) < 6
    target = (free.state[couplings.output] < 0.5).astype(float)
    found = Euler(8).nudge(couplings, drive, free, target, beta)
    expected = Euler(8).steps_from(couplings, drive, free.state, target, beta)
    np.testing.assert_allclose(found, expected, atol=1e-10)


def test_an_example_at_its_target_stays_and_is_no_part_of_the_correction(network):
    network = strong(network)
    couplings, again = network.couplings(), network.couplings()
    drive = couplings.drive(network.inputs)
    free = SOR(1e-9, 5000).relax(couplings, drive, np.zeros_like(drive))
    target = free.state[couplings.output].copy()
    target[:, ::2] = target[:, ::2] < 0.5
    found = Euler(8).nudge(couplings, drive, free, target, 1.0)
    assert np.array_equal(found[:, 1::2], free.state[:, 1::2])
    # At the fixed point the steps would have moved it by no more than the residual allows.
    steps = Euler(8).steps_from(couplings, drive, free.state, target, 1.0)
    np.testing.assert_allclose(found, steps, atol=1e-6)
    rates = np.full(len(couplings.layer_sizes) - 1, 0.1)
    one = couplings.correct(free.state, found, network.inputs, 1.0, rates)
    other = again.correct(free.state, steps, network.inputs, 1.0, rates)
    np.testing.assert_allclose(one, other, atol=1e-7)
    np.testing.assert_allclose(couplings.edge_weights(), again.edge_weights(), atol=1e-7)


def test_the_published_free_phase_is_nudged_in_every_example(layered_network):
    couplings = layered_network.couplings()
    drive = couplings.drive(layered_network.inputs)
    free = Euler(20).relax(couplings, drive, np.zeros_like(drive))
    target = free.state[couplings.output].copy()
    found = Euler(8).nudge(couplings, drive, free, target, 1.0)
    expected = Euler(8).steps_from(couplings, drive, free.state, target, 1.0)
    assert not np.array_equal(found, free.state)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_a_node_that_the_nudge_sets_free_is_not_left_out(make):
    # One hidden node, held at 0 by its bias, that a strong weight from the output pulls up. The
    # nudge pulls the second example the other way: it takes no further steps.
    network = make(layered((1, 1, 1)), 0, 2)
    network = replace(network, weights=np.array([0.0, 4.0]), biases=np.array([-0.5, -1.0]))
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    free = SOR(1e-9).relax(couplings, drive, np.zeros_like(drive))
    assert not free.state.any()
    assert not count_moving(free.state, free.field, euler.MARGIN).any()
    target = np.array([[1.0, -1.0]])
    expected = Euler(8).steps_from(couplings, drive, free.state, target, 1.0)
    found = Euler(8).nudge(couplings, drive, free, target, 1.0)
    assert expected[0, 0] > 0.5
    np.testing.assert_allclose(found, expected, atol=1e-12)
