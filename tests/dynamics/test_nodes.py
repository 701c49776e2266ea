"""Relaxing small networks node by node: the same fixed points, steps and promises."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smallworld_eqprop.dynamics import couplings as couplings_module
from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.energy import energy
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.nodes import sor_sweeps
from smallworld_eqprop.dynamics.relaxation import residual
from smallworld_eqprop.dynamics.sor import SOR


@pytest.fixture(scope="session")
def engine():
    return Couplings


@pytest.fixture(autouse=True)
def nodes_at_rest_are_left_out(monkeypatch):
    """As it is outside of tests: all these networks are small enough."""
    monkeypatch.setattr(couplings_module, "COMPACT", 1024)


def prepared(network, dtype=np.float64):
    couplings = network.couplings(dtype)
    assert couplings.compact
    drive = couplings.drive(network.inputs.astype(dtype))
    start = np.random.default_rng(3).random(drive.shape).astype(dtype)
    return couplings, drive, start


def test_all_weights_among_free_nodes_in_one_array(network):
    whole = network.couplings().part()
    reached = np.zeros_like(network.inner)
    for i, (first, last) in enumerate(whole.reach):
        reached[i, first:last] = whole.weights[i, first:last]
    np.testing.assert_array_equal(reached, network.inner)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-3), (np.float64, 1e-10)])
def test_it_ends_at_a_fixed_point_of_the_true_field(network, dtype, tolerance):
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


def test_where_there_is_one_fixed_point_it_is_that_of_whole_layers(network):
    couplings, drive, start = prepared(network.convex(0.95))
    nodes = SOR(1e-11, 5000).relax(couplings, drive, start)
    couplings.compact = False
    layers = SOR(1e-11, 5000).relax(couplings, drive, start)
    np.testing.assert_allclose(nodes.state, layers.state, atol=1e-8)


@pytest.mark.parametrize("factor", [1.0, 1.6, 1.98])
def test_no_sweep_raises_the_energy(network, factor):
    couplings, drive, start = prepared(network)
    state, sweeps = np.array(start.T, order="C"), np.zeros(start.shape[1], np.intp)
    part = couplings.part()
    before = energy(couplings, start, drive)
    for _ in range(4):
        field = np.array(couplings.field(state.T, drive).T, order="C")
        sweeps[:] = 0
        factors = np.full(len(state), factor)
        sor_sweeps(part.weights, part.reach, field, state, factors, sweeps, 1e-12, sweeps + 1, 1.98)
        assert (sweeps <= 1).all()  # none where an example is at rest already
        after = energy(couplings, np.array(state.T, order="C"), drive)
        assert (after <= before + 1e-12 * np.abs(before)).all()
        before = after


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
        assert abs(whole.sweeps[k] - alone.sweeps[0]) <= 2  # the field is summed in another order
        np.testing.assert_allclose(whole.state[:, k], alone.state[:, 0], atol=5e-3)


@pytest.mark.parametrize("beta", [1.0, -1.0, 0.25])
def test_the_nudged_phase_is_the_published_steps(network, beta):
    couplings, drive, start = prepared(network)
    start_field = couplings.field(start, drive)
    free = replace(SOR(1e-6, 5000).relax(couplings, drive, start), state=start, field=start_field)
    n_outputs = network.graph.layer_sizes[-1]
    target = np.random.default_rng(1).random((n_outputs, start.shape[1]))
    state = start
    for _ in range(4):
        state = state + 0.5 * (network.field(state) - state)
        state[-n_outputs:] += 0.5 * 2 * beta * (target - state[-n_outputs:])
        state = np.clip(state, 0, 1)
    found = Euler(4).nudge(couplings, drive, free, target, beta)
    np.testing.assert_allclose(found, state, atol=1e-11)
    assert np.array_equal(free.state, start)
    assert np.array_equal(free.field, start_field)
