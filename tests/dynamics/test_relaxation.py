from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.energy import energy
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import Relaxation, residual
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph, add_intralayer, layered

METHODS = [SOR(1e-6), Euler(50)]
ENGINES = ["numpy", "large", pytest.param("torch", marks=pytest.mark.torch)]


@pytest.fixture(scope="session", params=ENGINES)
def engine(request, engines):
    """Every engine, and networks that are swept whole."""
    return engines(request.param)


def relax(network, method, start=None, dtype=np.float64):
    """Relax from `start`, at rest when left out; gives the result, the couplings and the drive."""
    couplings = network.couplings(dtype)
    drive = couplings.drive(network.inputs.astype(dtype))
    start = np.zeros_like(drive) if start is None else start.astype(dtype)
    return settle(method, couplings, drive, start), couplings, drive


def settle(method, couplings, drive, start):
    """Relax with the method's counterpart for the couplings, whatever their engine."""
    found = counterpart(method, couplings).relax(couplings, drive, start)
    arrays = {
        name: np.asarray(getattr(found, name)) for name in ("state", "field", "residual", "sweeps")
    }
    return replace(found, **arrays)


def counterpart(method, couplings):
    if isinstance(couplings, Couplings):
        return method
    from smallworld_eqprop.dynamics.torch_relaxation import on_torch

    return on_torch(method)


def residual_of(couplings, state, drive):
    return residual(state, np.asarray(couplings.field(state, drive)))


def random_state(network, seed=3):
    shape = (len(network.biases), network.inputs.shape[1])
    return np.random.default_rng(seed).random(shape)


def literal_residual(network, state):
    return np.abs(np.clip(network.field(state), 0, 1) - state).max(axis=0)


def minimiser(network):
    """Minimum of s'(I - W)s / 2 - b's in the box, by an active-set method that shares nothing."""
    factor = np.linalg.cholesky(np.eye(len(network.biases)) - network.inner)
    columns = [
        lsq_linear(
            factor.T, np.linalg.solve(factor, pull), bounds=(0, 1), method="bvls", tol=1e-15
        ).x
        for pull in network.pull.T
    ]
    return np.stack(columns, axis=1)


# --- Euler -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "step_size"), [(7, 0.5), (5, 0.2), (3, 1.0)])
def test_euler_is_the_published_synchronous_step(network, steps, step_size):
    state = start = random_state(network)
    for _ in range(steps):
        state = np.clip(state + step_size * (network.field(state) - state), 0, 1)
    found, _, _ = relax(network, Euler(steps, step_size), start)
    np.testing.assert_allclose(found.state, state, atol=1e-11)
    np.testing.assert_allclose(found.residual, literal_residual(network, state), atol=1e-11)
    assert (found.sweeps == steps).all()


@pytest.mark.parametrize("beta", [1.0, -0.25])
def test_nudged_euler_pulls_the_outputs_toward_the_target(network, beta):
    start = random_state(network)
    n_outputs = network.graph.layer_sizes[-1]
    target = np.random.default_rng(1).random((n_outputs, start.shape[1]))
    couplings = network.couplings()
    method = Euler(4)
    method = counterpart(method, couplings)
    found = method.steps_from(couplings, couplings.drive(network.inputs), start, target, beta)
    np.testing.assert_allclose(found, network.nudged(start, target, beta, 4), atol=1e-11)


def test_the_nudge_reaches_an_output_whatever_its_field():
    graph = layered([1, 2])
    couplings = Couplings(graph, [-50.0, 50.0])
    inputs, target = np.ones((1, 1), np.float32), np.array([[1], [0]], np.float32)
    drive = couplings.drive(inputs)
    free = Euler(10).relax(couplings, drive, np.zeros((2, 1), np.float32)).state
    np.testing.assert_array_equal(free, [[0], [1]])
    # At beta = 1 and half steps the target is reached at once.
    nudged = Euler(1, 0.5).steps_from(couplings, drive, free, target, beta=1.0)
    np.testing.assert_allclose(nudged, target, atol=1e-6)


def test_euler_asks_for_no_residual(layered_network):
    found, _, _ = relax(layered_network, Euler(1))
    assert found.tolerance == np.inf
    assert found.converged.all()
    assert found.residual.max() > 0.01


# --- both methods ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_start_and_drive_are_left_as_they_are(network, method):
    start = random_state(network)
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    before = start.copy(), drive.copy()
    found = settle(method, couplings, drive, start)
    assert np.array_equal(start, before[0])
    assert np.array_equal(drive, before[1])
    assert not np.shares_memory(found.state, start)


@pytest.mark.parametrize("method", METHODS)
def test_result_has_the_shapes_and_precision_of_the_state(network, method):
    for dtype in (np.float32, np.float64):
        found, _, _ = relax(network, method, dtype=dtype)
        batch = network.inputs.shape[1]
        assert found.state.shape == (len(network.biases), batch)
        assert found.state.dtype == dtype
        assert found.residual.shape == found.sweeps.shape == found.converged.shape == (batch,)
        assert found.state.min() >= 0
        assert found.state.max() <= 1


@pytest.mark.parametrize("method", METHODS)
def test_relaxing_twice_gives_the_same_bits(network, method):
    first, second = (relax(network, method, dtype=np.float32)[0] for _ in range(2))
    assert np.array_equal(first.state, second.state)
    assert np.array_equal(first.sweeps, second.sweeps)


def test_residual_is_the_distance_from_the_clipped_field(network):
    state = random_state(network)
    couplings = network.couplings()
    found = residual_of(couplings, state, couplings.drive(network.inputs))
    np.testing.assert_allclose(found, literal_residual(network, state), atol=1e-12)


# --- fixed points ------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-3), (np.float64, 1e-10)])
def test_sor_ends_at_a_fixed_point(network, dtype, tolerance):
    found, couplings, drive = relax(network, SOR(tolerance, 5000), dtype=dtype)
    assert found.converged.all()
    assert "converged" in found.message
    assert found.residual.max() <= tolerance
    rounding = 1e-5 if dtype is np.float32 else 1e-12
    expected = residual_of(couplings, found.state, drive)
    np.testing.assert_allclose(found.residual, expected, atol=rounding)
    assert literal_residual(network, found.state).max() <= tolerance + rounding


def test_sor_finds_the_unique_minimum(network):
    network = network.convex(0.95)
    expected = minimiser(network)
    assert literal_residual(network, expected).max() < 1e-10
    found, _, _ = relax(network, SOR(1e-12, 5000), random_state(network))
    np.testing.assert_allclose(found.state, expected, atol=1e-9)


def test_euler_and_sor_agree_where_the_minimum_is_unique(network):
    network = network.convex(0.8)
    fast, slow = (relax(network, method)[0] for method in (SOR(1e-12, 5000), Euler(400)))
    np.testing.assert_allclose(fast.state, slow.state, atol=1e-9)


@given(st.integers(0, 2**32), st.floats(0.5, 3), st.integers(1, 12))
def test_sor_converges_on_random_networks_of_any_strength(make, seed, strength, batch):
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 30, rng.integers(2, 5))
    n = sizes.sum()
    pairs = np.argwhere(np.triu(np.ones((n, n)), k=1))
    graph = LayeredGraph(sizes.tolist(), pairs[rng.random(len(pairs)) < rng.random()])
    network = make(graph, seed, batch)
    network = replace(network, weights=strength * network.weights)
    found, _, _ = relax(network, SOR(1e-4, 20_000), random_state(network))
    assert found.converged.all()
    assert literal_residual(network, found.state).max() < 1.01e-4


def test_every_example_of_a_wide_batch_converges(make):
    network = make(add_intralayer(layered((8, 60, 40, 4))), 2, 301)
    # Examples from easy to hard, so that some leave the batch long before others.
    network = replace(network, inputs=network.inputs * np.linspace(0, 4, 301))
    found, _, _ = relax(network, SOR(1e-6, 5000))
    assert found.converged.all()
    assert np.ptp(found.sweeps) > 10
    assert literal_residual(network, found.state).max() < 1.01e-6


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_a_state_does_not_depend_on_the_rest_of_its_batch(network, batch):
    network = network.convex(0.9)
    inputs = np.random.default_rng(9).random((len(network.inputs), batch)) * np.linspace(
        0, 3, batch
    )
    whole, _, _ = relax(replace(network, inputs=inputs), SOR(1e-11, 5000))
    chosen = [0, batch // 2, batch - 1]
    for k in chosen:
        alone, _, _ = relax(replace(network, inputs=inputs[:, k : k + 1]), SOR(1e-11, 5000))
        np.testing.assert_allclose(whole.state[:, k], alone.state[:, 0], atol=1e-8)
        # Which nodes are left out, and when, depends on the batch mates: some sweeps more or less.
        assert 1 / 5 < (5 + whole.sweeps[k]) / (5 + alone.sweeps[0]) < 5


def test_an_empty_batch_relaxes_to_nothing(layered_network):
    network = replace(layered_network, inputs=layered_network.inputs[:, :0])
    assert relax(network, Euler(2))[0].state.shape == (len(network.biases), 0)


def test_saturated_nodes_come_to_rest_at_the_bounds(network):
    free = len(network.biases)
    high = np.arange(free) % 2 == 0
    strength = 1 + np.abs(network.matrix).sum(axis=1).max()
    network = replace(network, biases=np.where(high, strength, -strength))
    found, _, _ = relax(network, SOR(1e-6))
    np.testing.assert_allclose(found.state - high[:, None], 0, atol=1e-6)
    assert found.converged.all()


def test_unconnected_nodes_settle_at_their_clipped_bias(make):
    network = make(LayeredGraph((2, 3, 2), [(0, 2), (2, 5)]), 0, 4)
    network = replace(network, biases=np.array([0.1, 0.25, -1.0, 0.5, 7.0]))
    found, _, _ = relax(network, SOR(1e-9))
    np.testing.assert_allclose(found.state[[1, 2, 4]].T, [[0.25, 0, 1]] * 4, atol=1e-8)


def test_a_network_without_edges_relaxes(make):
    network = make(LayeredGraph((2, 3, 2), np.empty((0, 2), int)), 0, 3)
    found, _, _ = relax(network, SOR(1e-9))
    np.testing.assert_allclose(found.state[:, 0], np.clip(network.biases, 0, 1), atol=1e-8)


def test_a_fixed_point_stays_where_it_is(network):
    first, couplings, drive = relax(network, SOR(1e-10, 5000))
    again = settle(SOR(1e-6), couplings, drive, first.state)
    assert again.sweeps.max() <= 1
    np.testing.assert_allclose(again.state, first.state, atol=1e-8)


# --- laws --------------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [1.0, 1.7, 1.95])
def test_energy_never_rises(network, factor):
    """Not even where it is far from convex, whatever the factor, from any start."""
    network = replace(network, weights=3 * network.weights)
    state = random_state(network)
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    energies = [energy(couplings, state, drive)]
    for _ in range(25):
        method = SOR(1e-12, max_sweeps=1, start_factor=factor)
        state = settle(method, couplings, drive, state).state
        energies.append(energy(couplings, state, drive))
    change = np.diff(energies, axis=0)
    assert change.max() <= 1e-11 * np.abs(energies).max()
    assert (change[0] < 0).all()


def test_energy_never_rises_while_the_factor_adapts(network):
    start = random_state(network)
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    energies = [
        energy(couplings, settle(SOR(1e-12, n), couplings, drive, start).state, drive)
        for n in range(1, 40)
    ]
    assert np.diff(energies, axis=0).max() <= 1e-11 * np.abs(energies).max()


def euler_steps(network, tolerance, most):
    """Synchronous steps until the residual is at most the tolerance, in one example."""
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    state = np.zeros_like(drive)
    for steps in range(most):
        if residual_of(couplings, state, drive).max() <= tolerance:
            return steps
        state = settle(Euler(1), couplings, drive, state).state
    return most


@pytest.mark.parametrize("norm", [0.9, 0.97, 0.99])
def test_sor_needs_far_fewer_sweeps_than_euler(layered_network, norm):
    # The slowest mode shrinks by (1 + norm) / 2 a step under Euler. By Young's theory the best
    # factor makes it sqrt-many: 1 - norm enters under a root.
    network = layered_network.interior(norm)
    found, _, _ = relax(network, SOR(1e-8, 5000))
    assert found.converged.all()
    steps = euler_steps(network, 1e-8, 5000)
    expected = np.log(1e-8) / np.log((1 + norm) / 2)
    assert 0.4 * expected < steps < 1.5 * expected
    assert found.sweeps[0] < 4 * np.sqrt(steps)


def test_sor_needs_fewer_sweeps_than_euler_from_initial_weights(layered_network):
    found, _, _ = relax(layered_network, SOR(1e-6))
    assert found.sweeps.max() < euler_steps(layered_network, 1e-6, 1000) / 2


# --- giving up ---------------------------------------------------------------------------------


@pytest.mark.parametrize("max_sweeps", [1, 2, 5])
def test_what_did_not_converge_says_so(network, max_sweeps):
    start = random_state(network)
    found, couplings, drive = relax(network, SOR(1e-13, max_sweeps), start)
    failed = int((~found.converged).sum())
    assert failed > 0
    assert found.sweeps.max() == max_sweeps
    assert (found.sweeps[~found.converged] == max_sweeps).all()
    true = residual_of(couplings, found.state, drive)
    np.testing.assert_allclose(found.residual, true, rtol=1e-12)
    expected = f"{failed} of {start.shape[1]} examples have a residual above 1e-13"
    assert found.message.startswith(expected)
    assert "allow more sweeps" in found.message
    assert "\n" not in found.message


def test_only_the_examples_that_failed_are_counted():
    result = Relaxation(
        state=np.zeros((2, 3)),
        field=np.zeros((2, 3)),
        residual=np.array([1e-4, 0.5, np.nan]),
        sweeps=np.array([4, 9, 9]),
        tolerance=1e-3,
    )
    assert result.converged.tolist() == [True, False, False]
    assert result.message.startswith("2 of 3 examples")
    assert "after 9 sweeps" in result.message


def test_giving_up_on_some_examples_spares_the_others(make):
    network = make(layered((8, 30, 30, 4)), 1, 40)
    saturating = network.inputs * np.where(np.arange(40) % 2, 1.0, 0.0)
    found, _, _ = relax(replace(network, inputs=saturating), SOR(1e-9, 60))
    assert 0 < found.converged.sum() < 40
    assert found.sweeps.max() == 60
    assert found.residual[found.converged].max() <= 1e-9


def test_a_residual_beyond_single_precision_is_given_up(make):
    network = make(layered((8, 30, 30, 4)), 1, 40).convex(0.9)
    found, _, _ = relax(network, SOR(1e-12, 400), dtype=np.float32)
    assert not found.converged.all()
    assert found.sweeps.max() == 400
    assert found.residual.max() < 1e-5


@pytest.mark.parametrize("method", METHODS)
def test_an_example_that_is_not_a_number_fails_alone(network, method):
    inputs = network.inputs.copy()
    inputs[:, 2] = np.nan
    found, _, _ = relax(replace(network, inputs=inputs), method)
    whole, _, _ = relax(network, method)
    connected = bool(network.matrix[: len(inputs), len(inputs) :].any())
    assert found.converged[2] == (not connected)
    others = np.arange(inputs.shape[1]) != 2
    assert np.isfinite(found.state[:, others]).all()
    assert np.array_equal(found.converged[others], whole.converged[others])


@pytest.mark.parametrize(
    ("method", "arguments", "name"),
    [
        (Euler, {"steps": 0}, "steps"),
        (Euler, {"steps": -3}, "steps"),
        (Euler, {"steps": float("nan")}, "steps"),
        (Euler, {"steps": 2.5}, "steps"),
        (Euler, {"step_size": 0}, "step_size"),
        (Euler, {"step_size": 1.5}, "step_size"),
        (Euler, {"step_size": float("nan")}, "step_size"),
        (SOR, {"tolerance": 0}, "tolerance"),
        (SOR, {"tolerance": -1e-3}, "tolerance"),
        (SOR, {"tolerance": float("nan")}, "tolerance"),
        (SOR, {"max_sweeps": 0}, "max_sweeps"),
        (SOR, {"max_sweeps": float("nan")}, "max_sweeps"),
        (SOR, {"max_sweeps": 2.5}, "max_sweeps"),
        (SOR, {"start_factor": 0}, "start_factor"),
        (SOR, {"start_factor": 2}, "start_factor"),
        (SOR, {"start_factor": float("nan")}, "start_factor"),
    ],
)
def test_impossible_hyperparameters_are_refused(method, arguments, name):
    with pytest.raises(InputError, match=f"^{name}: .*must be"):
        method(**arguments)
