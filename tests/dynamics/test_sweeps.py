"""A fixed number of sweeps, and nudges as deviations."""

from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop.dynamics.kernels import deviations
from smallworld_eqprop.dynamics.models import Hopfield, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.sweeps import Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.rules import Adjoint, Centred, Phases

SETTLED = SOR(tolerance=1e-13, max_sweeps=20_000)
GRAPHS = {
    "layered": layered((6, 12, 10, 8, 4)),
    "skips": rewire(layered((6, 12, 10, 8, 4)), 0.3, seed=1),
}


def network(graph, model, dtype=np.float64, gain=0.5):
    rng = np.random.default_rng(0)
    found = Network(graph, None, None, model, dtype=dtype, seed=1)
    found.weights = gain * found.weights
    found.biases = rng.uniform(0, 0.4, found.n_free)
    return found


def phases(found, solver, batch=5):
    rng = np.random.default_rng(2)
    inputs = rng.random((batch, found.n_inputs))
    targets = rng.random((batch, found.graph.layer_sizes[-1]))
    return Phases.of(found, inputs, targets, solver)


def test_deviations_are_differences_of_clipped_fields_without_their_rounding():
    rng = np.random.default_rng(0)
    field, moved = rng.normal(0.5, 1, (4, 50)), rng.normal(0, 1, (4, 50))
    low, high = np.zeros(50), np.where(np.arange(50) % 5, 1.0, np.inf)
    out = np.empty_like(field)
    deviations(field, moved, low, high, out)
    np.testing.assert_allclose(out, np.clip(field + moved, low, high) - np.clip(field, low, high))
    # A change far below the last place of the field is not lost between the bounds.
    field = np.full((1, 50), 0.5, np.float32)
    moved = np.full((1, 50), 1e-12, np.float32)
    out = np.empty_like(field)
    deviations(field, moved, low.astype(np.float32), high.astype(np.float32), out)
    np.testing.assert_array_equal(out, moved)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_from_rest_the_first_sweep_is_a_forward_pass(graph):
    found = network(graph, Hopfield())
    circuit, inputs = found.circuit, np.random.default_rng(1).random((3, 6))
    drive = circuit.drive(inputs)
    state = Sweeps(1).relax(circuit, drive, np.zeros_like(drive)).state
    expected = np.zeros_like(state)
    matrix = circuit.matrix().toarray()
    for rows in found.rows[1:]:
        expected[:, rows] = np.clip(drive[:, rows] + expected @ matrix[:, rows], 0, 1)
    np.testing.assert_allclose(state, expected, atol=1e-12)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_many_sweeps_are_the_fixed_point_and_few_tell_their_residual(graph):
    found = network(graph, WeakFeedback(feedback=0.3))
    circuit = found.circuit
    drive = circuit.drive(np.random.default_rng(1).random((3, 6)))
    rest = np.zeros_like(drive)
    exact = SETTLED.relax(circuit, drive, rest).state
    np.testing.assert_allclose(Sweeps(200).relax(circuit, drive, rest).state, exact, atol=1e-10)
    last = np.inf
    for count in (1, 2, 4):
        relaxed = Sweeps(count).relax(circuit, drive, rest)
        field = circuit.field(relaxed.state, drive)
        np.testing.assert_allclose(relaxed.residual, circuit.residual(relaxed.state, field))
        assert (relaxed.sweeps == count).all()
        assert relaxed.residual.max() < last
        last = relaxed.residual.max()


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("linear", [False, True])
@pytest.mark.parametrize("beta", [0.2, -0.2])
def test_many_nudged_sweeps_are_the_nudged_fixed_point(graph, linear, beta):
    found = network(graph, WeakFeedback(feedback=0.3, linear_outputs=linear))
    given = phases(found, SETTLED)
    expected = given.deviation(beta, SETTLED)
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(given.deviation(beta, Sweeps(200)), expected, atol=1e-9)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
def test_one_nudged_sweep_in_single_precision_gives_the_gradient_under_weak_feedback(graph):
    """Where states would differ by less than float32 resolves."""
    model = WeakFeedback(feedback=0.003, linear_outputs=True)
    found, exact = network(graph, model, np.float32), network(graph, model)
    rule = Centred(0.1, Sweeps(3))
    estimate = found.edge_gradient(rule.contrast(phases(found, Sweeps(4)))).weights
    expected = exact.edge_gradient(Adjoint().contrast(phases(exact, SETTLED))).weights
    cosine = estimate @ expected / np.linalg.norm(estimate) / np.linalg.norm(expected)
    assert cosine > 0.999
    deep = exact.blocks[0].edges
    part = estimate[deep] @ expected[deep]
    assert part / np.linalg.norm(estimate[deep]) / np.linalg.norm(expected[deep]) > 0.995


def test_a_number_of_sweeps_is_at_least_one():
    with pytest.raises(InputError, match="count: 0, must be a whole number"):
        Sweeps(0)


@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("readout", [False, True])
def test_products_of_layers_and_of_the_whole_are_the_same(graph, readout, monkeypatch):
    """Small networks take a layer's field in two products, larger ones in one for every block."""
    model = WeakFeedback(feedback=0.3, linear_outputs=True, readout=readout)
    found = []
    for compact in (1024, 0):
        monkeypatch.setattr("smallworld_eqprop.dynamics.layout.COMPACT", compact)
        own = network(graph, model)
        assert own.layout.compact == bool(compact)
        given = phases(own, Sweeps(2))
        found.append(
            (given.free.state, given.free.field, *given.deviations([0.1, -0.1], Sweeps(2)))
        )
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-12)


def test_sweeps_to_a_tolerance_end_each_example_by_itself():
    found = network(GRAPHS["skips"], WeakFeedback(feedback=0.8))
    circuit, solver = found.circuit, Sweeps(300, tolerance=1e-8)
    drive = circuit.drive(np.random.default_rng(1).random((6, 6)))
    drive[0] -= 5  # nothing ever moves there
    together = solver.relax(circuit, drive, np.zeros_like(drive))
    assert together.converged.all()
    assert together.sweeps[0] < together.sweeps[1:].min()
    for n in range(6):
        alone = solver.relax(circuit, drive[n : n + 1], np.zeros_like(drive[:1]))
        assert alone.sweeps[0] == together.sweeps[n]
        np.testing.assert_allclose(alone.state[0], together.state[n], atol=1e-12)
    few = Sweeps(2, tolerance=1e-8).relax(circuit, drive, np.zeros_like(drive))
    assert few.failed == 5


def test_nudged_sweeps_to_a_tolerance_count_what_they_miss():
    found = network(GRAPHS["layered"], WeakFeedback(feedback=0.5, linear_outputs=True))
    given = phases(found, Sweeps(300, tolerance=1e-12))
    settled = given.deviation(0.1, Sweeps(300, tolerance=1e-10))
    assert given.failed == 0
    np.testing.assert_allclose(settled, given.deviation(0.1, Sweeps(300)), rtol=1e-6, atol=1e-12)
    given.deviation(0.1, Sweeps(1, tolerance=1e-10))
    assert given.failed == 5
    # No example depends on the others.
    rough = Sweeps(300, tolerance=1e-2)
    one = Phases.of(found, given.inputs[:1], given.targets[:1], Sweeps(300, tolerance=1e-12))
    together, alone = (each.deviation(0.1, rough) for each in (given, one))
    np.testing.assert_allclose(together[:1], alone, rtol=1e-12)
    with pytest.raises(InputError, match="tolerance: 0"):
        Sweeps(3, tolerance=0)
