"""Leaving out the nodes that rest at 0 or 1 in all examples of a batch changes the speed only."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smallworld_eqprop.dynamics import euler
from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import moving, resting
from smallworld_eqprop.dynamics.sor import SOR, _Batch
from smallworld_eqprop.graphs.layered import layered


@pytest.fixture(scope="session")
def engine():
    return Couplings  # on torch all nodes take part


def strong(network):
    """Biases that send most nodes to 0 or 1."""
    biases = np.random.default_rng(5).choice([-3.0, 0.3, 3.0], len(network.biases))
    return replace(network, biases=biases)


@pytest.fixture
def sizes(monkeypatch):
    """Numbers of nodes that took part in the relaxations, by relaxing part after part."""
    taken = []
    part = Couplings.part

    def noted(self, kept):
        taken.append(int(kept.sum()))
        return part(self, kept)

    monkeypatch.setattr(Couplings, "part", noted)
    monkeypatch.setattr(Couplings, "worth", lambda self, kept: True)  # as it is where it pays
    return taken


def test_a_node_rests_where_its_field_holds_it_at_a_bound():
    state = np.array([[0.0, 0, 1], [0, 0, 0], [1, 1, 0.5], [0, 1, 1], [1, 1, 1]])
    field = np.array([[-1.0, -2, 3], [-1, -0.1, -1], [2, 2, 0.5], [-1, 2, -1], [2, 3, 1.5]])
    rests = [[1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 1, 0], [1, 1, 1]]
    np.testing.assert_array_equal(resting(state, field, 0.0), np.array(rests, bool))
    rests[1][1] = 0
    np.testing.assert_array_equal(resting(state, field, 0.3), np.array(rests, bool))
    assert moving(state, field, 0.0).tolist() == [False, False, True, True, False]
    assert moving(state, field, 0.3).tolist() == [False, True, True, True, False]
    assert moving(state[:, :1], field[:, :1], 0.3).tolist() == [False] * 5


def test_a_part_is_the_network_of_the_nodes_kept(network):
    couplings = network.couplings()
    rng = np.random.default_rng(0)
    kept = rng.random(len(network.biases)) < 0.6
    part = couplings.part(kept)
    state = rng.random((kept.sum(), 4))
    np.testing.assert_allclose(part.field(state), network.inner[kept][:, kept] @ state, atol=1e-12)
    assert part.n_free == kept.sum() == part.rows[-1].stop
    assert part.output.stop - part.output.start == kept[couplings.output].sum()


def test_a_part_is_worth_it_where_its_array_is_smaller_than_all_blocks(layered_network):
    couplings = layered_network.couplings()  # 20, 15 and 4 free nodes
    kept = np.ones(39, bool)
    assert not couplings.worth(kept)
    kept[:10] = kept[20:28] = False  # 10, 7 and 4 are left: 196 of 720 weights, both ways
    assert couplings.worth(kept)
    kept[:7] = kept[20:27] = True  # 17, 14 and 4: 588 of 720
    assert not couplings.worth(kept)


def test_the_fixed_point_is_the_same(network, sizes, monkeypatch):
    network = strong(network.convex(0.9))
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    start = np.clip(np.round(drive), 0, 1)  # where the biases alone would hold the nodes
    found = SOR(1e-9, 5000).relax(couplings, drive, start)
    small = len(network.biases) < 6  # where every node may move
    assert small or min(sizes) < len(network.biases)
    couplings = replace(network).couplings()
    monkeypatch.setattr(couplings, "worth", lambda kept: False)
    whole = SOR(1e-9, 5000).relax(couplings, drive, start)
    assert found.converged.all()
    assert whole.converged.all()
    np.testing.assert_allclose(found.state, whole.state, atol=1e-7)


def test_looks_grow_rare_but_stay_within_the_sweeps_allowed(layered_network, monkeypatch):
    couplings = layered_network.couplings()
    drive = couplings.drive(layered_network.inputs)
    budgets = []

    def one_sweep(batch, part, kept, examples, budget):
        budgets.append(budget)
        batch.sweeps[examples] += 1

    monkeypatch.setattr(_Batch, "relax_part", one_sweep)
    monkeypatch.setattr(Couplings, "worth", lambda self, kept: True)
    found = SOR(1e-9, 100).relax(couplings, drive, np.zeros_like(drive))
    assert (found.sweeps[~found.converged] == 100).all()
    assert budgets == [16, 32, 64, *[100] * 97]


def test_a_wrong_guess_is_found_out(layered_network):
    """Nodes taken for resting that do not rest are among those that move next."""
    network = layered_network.interior(0.9)
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    # All nodes start at a bound where they cannot stay, and none is near it.
    found = SOR(1e-9, 5000).relax(couplings, drive, np.ones_like(drive))
    assert found.converged.all()
    assert np.abs(np.clip(network.field(found.state), 0, 1) - found.state).max() < 2e-9


@pytest.mark.parametrize("beta", [1.0, -1.0])
def test_the_nudged_phase_is_the_same(network, sizes, beta):
    network = strong(network)
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    free = SOR(1e-6, 5000).relax(couplings, drive, np.zeros_like(drive))
    target = (free.state[couplings.output] < 0.5).astype(float)
    sizes.clear()
    found = Euler(8).nudge(couplings, drive, free, target, beta)
    assert sizes or len(network.biases) < 6
    expected = Euler(8).steps_from(couplings, drive, free.state, target, beta)
    np.testing.assert_allclose(found, expected, atol=1e-10)


@pytest.mark.parametrize("few", [0, 100])
def test_an_example_at_its_target_stays_and_is_no_part_of_the_correction(network, few, monkeypatch):
    monkeypatch.setattr(euler, "FEW", few)
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


def test_a_node_that_the_nudge_sets_free_is_not_left_out(make, monkeypatch):
    # One hidden node, held at 0 by its bias, that a strong weight from the output pulls up. The
    # nudge pulls the second example the other way: it takes no further steps.
    network = make(layered((1, 1, 1)), 0, 2)
    network = replace(network, weights=np.array([0.0, 4.0]), biases=np.array([-0.5, -1.0]))
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    free = SOR(1e-9).relax(couplings, drive, np.zeros_like(drive))
    assert not free.state.any()
    assert resting(free.state, free.field, euler.MARGIN).all()
    again = []
    steps = Euler._steps

    def noted(self, part, start, *rest):
        again.append(start.shape)
        return steps(self, part, start, *rest)

    monkeypatch.setattr(euler, "FEW", 0)
    monkeypatch.setattr(Couplings, "worth", lambda self, kept: True)
    couplings.compact = False
    target = np.array([[1.0, -1.0]])
    expected = Euler(8).steps_from(couplings, drive, free.state, target, 1.0)
    monkeypatch.setattr(Euler, "_steps", noted)
    found = Euler(8).nudge(couplings, drive, free, target, 1.0)
    assert expected[0, 0] > 0.5
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert again == [(1, 2), (2, 1)]  # the output of both examples, then all nodes of the first
