from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.energies import energy
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Relaxation, Solver, Status
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered


@dataclass(frozen=True)
class Jacobi(Solver):
    """Damped and synchronous: all that a solver has to write."""

    tolerance: float = 1e-3
    max_sweeps: int = 500
    damping: float = 0.5

    def sweeps(self, circuit, drive, state):
        while True:
            field = circuit.clip(circuit.field(state, drive))
            state = state + (1 - self.damping) * (field - state)
            yield state


@dataclass(frozen=True)
class Plain(Solver):
    """The plain driver around the sweeps of another solver."""

    solver: Solver

    @property
    def tolerance(self):
        return self.solver.tolerance

    @property
    def max_sweeps(self):
        return self.solver.max_sweeps

    def sweeps(self, circuit, drive, state):
        return self.solver.sweeps(circuit, drive, state)


METHODS = [SOR(1e-6), Euler(50), Jacobi(1e-6), Plain(SOR(1e-6))]
IDS = ["sor", "euler", "jacobi", "plain sor"]


@pytest.fixture(autouse=True, params=["whole", "large"])
def size(request):
    """Networks relaxed example by example, and networks that are swept whole."""
    if request.param == "large":
        request.getfixturevalue("large")
    return request.param


def relax(network, method, start=None, dtype=np.float64):
    """Relax from `start`, at rest when left out; gives the result, the circuit and the drive."""
    circuit = network.network(dtype).circuit
    drive = circuit.drive(network.inputs.astype(dtype))
    start = circuit.clip(np.zeros_like(drive)) if start is None else start.astype(dtype)
    return method.relax(circuit, drive, start), circuit, drive


def residual_of(circuit, state, drive):
    return circuit.residual(state, circuit.field(state, drive))


def random_state(network, seed=3):
    return network.states(seed)[0]


def targets(network, seed=1):
    return np.random.default_rng(seed).random((network.batch, network.n_outputs))


# --- Euler -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("steps", "step_size"), [(7, 0.5), (5, 0.2), (3, 1.0)])
def test_euler_is_the_published_synchronous_step(varied_network, steps, step_size):
    state = start = random_state(varied_network)
    for _ in range(steps):
        state = varied_network.clip(state + step_size * (varied_network.field(state) - state))
    found, _, _ = relax(varied_network, Euler(steps, step_size), start)
    np.testing.assert_allclose(found.state, state, atol=1e-11)
    np.testing.assert_allclose(found.residual, varied_network.residual(state), atol=1e-10)
    assert (found.sweeps == steps).all()


@pytest.mark.parametrize("beta", [1.0, -0.25])
def test_nudged_euler_pulls_the_outputs_toward_the_target(varied_network, beta):
    start, target = random_state(varied_network), targets(varied_network)
    circuit = varied_network.network().circuit
    nudge = Nudge(2 * beta * target, 2 * beta)
    found = Euler(4).relax(circuit, circuit.drive(varied_network.inputs), start, nudge)
    np.testing.assert_allclose(
        found.state, varied_network.nudged(start, target, beta, 4), atol=1e-11
    )
    assert (found.sweeps == 4).all()
    assert found.converged.all()  # no residual was asked for


def test_the_nudge_reaches_an_output_whatever_its_field():
    circuit = Network(layered([1, 2]), [-50.0, 50.0]).circuit
    inputs, target = np.ones((1, 1), np.float32), np.array([[1, 0]], np.float32)
    drive = circuit.drive(inputs)
    free = Euler(10).relax(circuit, drive, np.zeros((1, 2), np.float32))
    np.testing.assert_array_equal(free.state, [[0, 1]])
    # At beta = 1 and half steps the target is reached at once.
    nudge = Nudge(2 * target, 2.0)
    for nudged in (
        Euler(1, 0.5).relax(circuit, drive, free.state, nudge),
        Euler(1, 0.5).nudge(circuit, drive, free, nudge),
    ):
        np.testing.assert_allclose(nudged.state, target, atol=1e-6)


def test_outputs_can_be_held_by_euler_too(layered_network):
    network = layered_network.convex(0.7)
    circuit = network.network().circuit
    drive, outputs = circuit.drive(network.inputs), targets(network)
    free = SOR(1e-11, 5000).relax(circuit, drive, random_state(network))
    nudge = Nudge(outputs, np.inf)
    slow = Euler(200).nudge(circuit, drive, free, nudge)
    fast = SOR(1e-12, 5000).nudge(circuit, drive, free, nudge)
    np.testing.assert_allclose(slow.state[:, network.output], outputs, atol=1e-12)
    np.testing.assert_allclose(slow.state, fast.state, atol=1e-9)


def test_euler_asks_for_no_residual(layered_network):
    found, _, _ = relax(layered_network, Euler(1))
    assert found.tolerance == np.inf
    assert found.converged.all()
    assert found.residual.max() > 0.01


# --- every method ------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_start_and_drive_are_left_as_they_are(network, method):
    start = random_state(network)
    circuit = network.network().circuit
    drive = circuit.drive(network.inputs)
    before = start.copy(), drive.copy()
    found = method.relax(circuit, drive, start)
    assert np.array_equal(start, before[0])
    assert np.array_equal(drive, before[1])
    assert not np.shares_memory(found.state, start)


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_result_has_the_shapes_and_precision_of_the_state(any_model, method):
    network = any_model.convex()
    for dtype in (np.float32, np.float64):
        found, _, _ = relax(network, method, dtype=dtype)
        assert found.state.shape == found.field.shape == (network.batch, len(network.biases))
        assert found.state.dtype == found.field.dtype == dtype
        assert found.residual.shape == found.sweeps.shape == (network.batch,)
        assert found.converged.shape == found.status.shape == (network.batch,)
        assert (found.state >= network.low.astype(dtype)).all()
        assert (found.state <= network.high.astype(dtype)).all()


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_relaxing_twice_gives_the_same_bits(any_model, method):
    network = any_model.convex()
    first, second = (relax(network, method, dtype=np.float32)[0] for _ in range(2))
    assert np.array_equal(first.state, second.state)
    assert np.array_equal(first.sweeps, second.sweeps)


# --- the driver of every solver ----------------------------------------------------------------


def test_a_solver_that_writes_only_its_sweeps_finds_the_fixed_points(varied_network):
    network = varied_network.convex(0.8)
    start = random_state(network)
    found, circuit, drive = relax(network, Jacobi(1e-10, 5000), start)
    assert found.converged.all()
    assert found.residual.max() <= 1e-10
    expected, _, _ = relax(network, SOR(1e-11, 20_000), start)
    np.testing.assert_allclose(found.state, expected.state, atol=1e-8)
    np.testing.assert_array_equal(found.field, circuit.field(found.state, drive))
    nudge = Nudge(targets(network), 2.0)
    one, other = (
        solver.nudge(circuit, drive, found, nudge)
        for solver in (Jacobi(1e-10, 5000), SOR(1e-11, 20_000))
    )
    np.testing.assert_allclose(one.state, other.state, atol=1e-8)


def test_the_fused_relaxation_is_the_plain_one(varied_network):
    network = varied_network.convex(0.9)
    start, nudge = random_state(network), Nudge(targets(network), 2.0)
    solver = SOR(1e-11, 20_000, start_factor=1.2)
    fused, circuit, drive = relax(network, solver, start)
    plain, _, _ = relax(network, Plain(solver), start)
    assert fused.converged.all()
    assert plain.converged.all()
    np.testing.assert_allclose(fused.state, plain.state, atol=1e-8)
    np.testing.assert_allclose(fused.field, plain.field, atol=1e-8)
    nudged, plainly = (
        each.relax(circuit, drive, start, nudge).state for each in (solver, Plain(solver))
    )
    np.testing.assert_allclose(nudged, plainly, atol=1e-8)


@pytest.mark.parametrize("most", [1, 2, 7])
def test_the_driver_stops_at_the_limit_of_sweeps(layered_network, most):
    start = random_state(layered_network)
    found, circuit, drive = relax(layered_network, Jacobi(1e-14, most), start)
    expected = start
    for _ in range(most):
        expected = (expected + layered_network.clip(layered_network.field(expected))) / 2
    np.testing.assert_allclose(found.state, expected, atol=1e-12)
    assert (found.sweeps == most).all()
    assert (found.status == Status.OUT_OF_SWEEPS).all()
    np.testing.assert_array_equal(found.residual, residual_of(circuit, found.state, drive))


def test_the_driver_counts_the_sweeps_that_an_example_needs(layered_network):
    network = layered_network.convex(0.9)
    rest, circuit, drive = relax(network, SOR(1e-12, 5000))
    start = rest.state.copy()
    start[::2] = 0.5  # within the bounds and far from rest
    found = Jacobi(1e-6, 5000).relax(circuit, drive, start)
    assert (found.sweeps[1::2] == 0).all()
    assert (found.sweeps[::2] > 10).all()
    assert found.converged.all()


# --- fixed points ------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-3), (np.float64, 1e-10)])
def test_sor_ends_at_a_fixed_point(network, dtype, tolerance):
    found, circuit, drive = relax(network, SOR(tolerance, 5000), dtype=dtype)
    assert found.converged.all()
    assert "converged" in found.message
    assert found.residual.max() <= tolerance
    rounding = 1e-5 if dtype is np.float32 else 1e-12
    expected = residual_of(circuit, found.state, drive)
    np.testing.assert_allclose(found.residual, expected, atol=rounding)
    assert network.residual(found.state).max() <= tolerance + rounding


def test_sor_finds_the_unique_minimum(network):
    network = network.convex(0.95)
    expected = network.minimiser()
    assert network.residual(expected).max() < 1e-10
    found, _, _ = relax(network, SOR(1e-12, 5000), random_state(network))
    np.testing.assert_allclose(found.state, expected, atol=1e-9)


def test_euler_and_sor_agree_where_the_minimum_is_unique(any_model):
    network = any_model.convex(0.8)
    fast, slow = (relax(network, method)[0] for method in (SOR(1e-12, 5000), Euler(800)))
    np.testing.assert_allclose(fast.state, slow.state, atol=1e-9)


@settings(max_examples=40)
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
    assert network.residual(found.state).max() < 1.01e-4


def test_every_example_of_a_wide_batch_converges(make):
    network = make(add_intralayer(layered((8, 60, 40, 4))), 2, 301)
    # Examples from easy to hard, so that some leave the batch long before others.
    network = replace(network, inputs=network.inputs * np.linspace(0, 4, 301)[:, None])
    found, _, _ = relax(network, SOR(1e-6, 5000))
    assert found.converged.all()
    assert np.ptp(found.sweeps) > 10
    assert network.residual(found.state).max() < 1.01e-6


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_a_state_does_not_depend_on_the_rest_of_its_batch(network, batch):
    network = network.convex(0.9)
    inputs = np.random.default_rng(9).random((batch, network.n_inputs))
    inputs *= np.linspace(0, 3, batch)[:, None]
    whole, _, _ = relax(replace(network, inputs=inputs), SOR(1e-11, 5000))
    chosen = [0, batch // 2, batch - 1]
    for k in chosen:
        alone, _, _ = relax(replace(network, inputs=inputs[k : k + 1]), SOR(1e-11, 5000))
        np.testing.assert_allclose(whole.state[k], alone.state[0], atol=1e-8)
        # Which nodes are left out, and when, depends on the batch mates: some sweeps more or less.
        assert 1 / 5 < (5 + whole.sweeps[k]) / (5 + alone.sweeps[0]) < 5


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_an_empty_batch_relaxes_to_nothing(layered_network, method):
    network = replace(layered_network, inputs=layered_network.inputs[:0])
    found, circuit, drive = relax(network, method)
    assert found.state.shape == (0, len(network.biases))
    assert found.converged.shape == (0,)
    nudge = Nudge(np.empty((0, 4)), 2.0)
    assert method.nudge(circuit, drive, found, nudge).state.shape == found.state.shape


def test_saturated_nodes_come_to_rest_at_the_bounds(network):
    free = len(network.biases)
    high = np.arange(free) % 2 == 0
    strength = 1 + np.abs(network.coupling).sum(axis=1).max()
    network = replace(network, biases=np.where(high, strength, -strength))
    found, _, _ = relax(network, SOR(1e-6))
    np.testing.assert_allclose(found.state - high, 0, atol=1e-6)
    assert found.converged.all()


def test_unconnected_nodes_settle_at_their_clipped_bias(make):
    network = make(LayeredGraph((2, 3, 2), [(0, 2), (2, 5)]), 0, 4)
    network = replace(network, biases=np.array([0.1, 0.25, -1.0, 0.5, 7.0]))
    found, _, _ = relax(network, SOR(1e-9))
    np.testing.assert_allclose(found.state[:, [1, 2, 4]], [[0.25, 0, 1]] * 4, atol=1e-8)


def test_a_network_without_edges_relaxes(make):
    network = make(LayeredGraph((2, 3, 2), np.empty((0, 2), int)), 0, 3)
    found, _, _ = relax(network, SOR(1e-9))
    np.testing.assert_allclose(found.state[0], np.clip(network.biases, 0, 1), atol=1e-8)


def test_a_fixed_point_stays_where_it_is(network):
    first, circuit, drive = relax(network, SOR(1e-10, 5000))
    again = SOR(1e-6).relax(circuit, drive, first.state)
    assert again.sweeps.max() <= 1
    np.testing.assert_allclose(again.state, first.state, atol=1e-8)


# --- laws --------------------------------------------------------------------------------------


@pytest.mark.parametrize("plain", [False, True], ids=["fused", "plain"])
def test_energy_never_rises(varied_network, plain):
    """Not even where it is far from convex, whatever the factor, from any start."""
    network = varied_network
    if np.isinf(network.model.limits(network.graph)[1]).all():
        network = replace(network, weights=3 * network.weights)
    circuit = network.network().circuit
    drive = circuit.drive(network.inputs)
    for factor in (1.0, 1.7, 1.95):
        state = random_state(network)
        method = SOR(1e-12, max_sweeps=1, start_factor=factor)
        method = Plain(method) if plain else method
        energies = [energy(circuit, state, drive)]
        for _ in range(10):
            state = method.relax(circuit, drive, state).state
            energies.append(energy(circuit, state, drive))
        change = np.diff(energies, axis=0)
        assert change.max() <= 1e-11 * np.abs(energies).max()
        assert (change[0] < 0).all()


def test_energy_never_rises_while_the_factor_adapts(network):
    start = random_state(network)
    circuit = network.network().circuit
    drive = circuit.drive(network.inputs)
    energies = [
        energy(circuit, SOR(1e-12, n).relax(circuit, drive, start).state, drive)
        for n in range(1, 40)
    ]
    assert np.diff(energies, axis=0).max() <= 1e-11 * np.abs(energies).max()


def euler_steps(network, tolerance, most):
    """Synchronous steps until the residual is at most the tolerance, in every example."""
    circuit = network.network().circuit
    drive = circuit.drive(network.inputs)
    state = np.zeros_like(drive)
    for steps in range(most):
        if residual_of(circuit, state, drive).max() <= tolerance:
            return steps
        state = Euler(1).relax(circuit, drive, state).state
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
    found, circuit, drive = relax(network, SOR(1e-13, max_sweeps), start)
    failed = int((~found.converged).sum())
    assert failed > 0
    assert found.sweeps.max() == max_sweeps
    assert (found.sweeps[~found.converged] == max_sweeps).all()
    true = residual_of(circuit, found.state, drive)
    np.testing.assert_allclose(found.residual, true, rtol=1e-12)
    expected = f"{failed} of {len(start)} examples have a residual above 1e-13"
    assert found.message.startswith(expected)
    assert "allow more sweeps" in found.message
    assert "\n" not in found.message


def test_only_the_examples_that_failed_are_counted():
    result = Relaxation(
        state=np.zeros((3, 2)),
        field=np.zeros((3, 2)),
        residual=np.array([1e-4, 0.5, np.nan]),
        sweeps=np.array([4, 9, 9]),
        tolerance=1e-3,
    )
    assert result.converged.tolist() == [True, False, False]
    assert result.failed == 2
    assert result.status.tolist() == [Status.CONVERGED, Status.OUT_OF_SWEEPS, Status.NOT_FINITE]
    assert result.message == (
        "2 of 3 examples have a residual above 0.001 (worst nan) after 9 sweeps: 1 too few "
        "sweeps: allow more sweeps, a larger tolerance, or smaller weights (a lower learning "
        "rate); 1 not finite: lower the learning rate, or check inputs and weights"
    )
    fine = replace(result, residual=np.array([1e-4, 1e-3, 0]))
    assert fine.message == "all 3 examples converged"
    unasked = replace(result, field=None, residual=None, tolerance=np.inf)
    assert unasked.message == fine.message
    assert unasked.failed == 0


def test_giving_up_on_some_examples_spares_the_others(make):
    network = make(layered((8, 30, 30, 4)), 1, 40)
    dark = np.where(np.arange(40) % 2, 1.0, 0.0)[:, None]
    network = replace(network, inputs=network.inputs * dark)
    needed = relax(network, SOR(1e-9, 5000))[0].sweeps
    most = int(np.median(needed))
    found, _, _ = relax(network, SOR(1e-9, most))
    assert 0 < found.converged.sum() < 40
    assert found.sweeps.max() == most
    assert found.residual[found.converged].max() <= 1e-9


def test_a_residual_beyond_single_precision_is_given_up(make):
    network = make(layered((8, 30, 30, 4)), 1, 40).convex(0.9)
    found, _, _ = relax(network, SOR(1e-12, 400), dtype=np.float32)
    assert not found.converged.all()
    assert found.sweeps.max() == 400
    assert found.residual.max() < 1e-5


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_an_example_that_is_not_a_number_fails_alone(network, method):
    inputs = network.inputs.copy()
    inputs[2] = np.nan
    found, _, _ = relax(replace(network, inputs=inputs), method)
    whole, _, _ = relax(network, method)
    assert network.coupling[: network.n_inputs, network.n_inputs :].any()
    assert np.isnan(found.residual[2])
    assert found.status[2] == Status.NOT_FINITE
    assert "check inputs and weights" in found.message
    others = np.arange(len(inputs)) != 2
    assert np.isfinite(found.state[others]).all()
    assert np.array_equal(found.converged[others], whole.converged[others])


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_a_state_that_is_not_a_number_shows(any_model, method):
    start = random_state(any_model)
    start[1, 0] = np.nan
    found, _, _ = relax(any_model.convex(), method, start)
    # Whoever does not start from the state of a node but sweeps it anew may mend it.
    if found.status[1] == Status.CONVERGED:
        assert np.isfinite(found.state[1]).all()
        assert found.residual[1] <= 1e-6
    else:
        assert found.status[1] == Status.NOT_FINITE
        assert np.isnan(found.residual[1])
    assert (found.status[[0, 2]] == Status.CONVERGED).all()


@pytest.mark.parametrize("method", METHODS, ids=IDS)
def test_weights_that_are_not_numbers_show(layered_network, method):
    network = layered_network.network()
    steps = [np.zeros_like(array) for array in network.parameters]
    steps[0][:] = np.nan
    network.add(steps)
    circuit = network.circuit
    drive = circuit.drive(layered_network.inputs)
    found = method.relax(circuit, drive, np.zeros_like(drive))
    assert np.isnan(found.residual).all()
    assert (found.status == Status.NOT_FINITE).all()
    assert found.failed == layered_network.batch


def test_a_solver_without_sweeps_is_none(layered_network):
    with pytest.raises(NotImplementedError):
        relax(layered_network, Solver())


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
