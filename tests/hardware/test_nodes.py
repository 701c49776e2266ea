"""Devices that act while nodes relax: against dense iteration, and against the Boltzmann law."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import lsq_linear

from smallworld_eqprop.dynamics import SOR, Euler, Sweeps, WeakFeedback
from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.hardware import Mismatch, Slew, Thermal

SIZES = (4, 9, 7, 3)
EXACT = SOR(tolerance=1e-12, max_sweeps=5000)
MODELS = [
    None,
    WeakFeedback(feedback=0.3),
    WeakFeedback(feedback=0.3, linear_outputs=True, readout=True),
]


def draw(n=0):
    return np.random.default_rng([3, n])


def made(model=None, graph=None):
    graph = graph or rewire(add_intralayer(layered(SIZES)), 0.2, seed=1)
    network = Network(graph, model=model, dtype=np.float64, seed=2)
    network.weights = 0.15 * network.weights
    network.biases = draw().uniform(-0.2, 0.6, network.n_free)
    return network


def dense(circuit, inputs):
    """Bias, matrix from the inputs and M, taken from fields of unit vectors."""
    n, n_inputs = circuit.n_free, inputs.shape[1]
    bias = circuit.drive(np.zeros((1, n_inputs)))[0]
    return bias, circuit.drive(np.eye(n_inputs)) - bias, circuit.field(np.eye(n))


# --- mismatch ------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS, ids=["hopfield", "weak feedback", "readout"])
def test_mismatch_scales_fields_and_moves_them(model):
    network, inputs = made(model), draw(1).random((5, 4))
    ideal, device = network.circuit, Mismatch(offsets=0.1, gains=0.2)
    memory = device.node_memory(ideal.n_free, draw(2))
    circuit = device.circuit(ideal, memory, draw())
    gain, offset = memory["gain"], memory["offset"]
    expected = [(part * gain) for part in dense(ideal, inputs)]
    expected[0] += offset
    for found, wanted in zip(dense(circuit, inputs), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-12)
    pushed = draw(3).random((5, 3))
    np.testing.assert_allclose(circuit.pushed(pushed), gain * ideal.pushed(pushed), atol=1e-12)
    # The fixed point, by an iteration that shares nothing with the solver.
    bias, outer, inner = expected
    state = np.zeros((5, ideal.n_free))
    for _ in range(3000):
        state = np.clip(0.5 * state + 0.5 * (bias + inputs @ outer + state @ inner), ideal.low,
                        ideal.high)  # fmt: skip
    drive = circuit.drive(inputs)
    found = EXACT.relax(circuit, drive, np.zeros_like(drive)).state
    np.testing.assert_allclose(found, state, atol=1e-9)
    # The network itself has not changed.
    np.testing.assert_array_equal(network.circuit.field(state), ideal.field(state))


def test_offsets_are_another_bounded_quadratic():
    """With gains of 1 the energy is symmetric: lsq_linear finds its minimum within the bounds."""
    network, inputs = made(), draw(1).random((1, 4))
    device = Mismatch(offsets=0.3)
    memory = device.node_memory(network.n_free, draw(2))
    circuit = device.circuit(network.circuit, memory, draw())
    _, _, inner = dense(network.circuit, inputs)
    root = np.linalg.cholesky(np.eye(network.n_free) - inner).T
    drive = network.circuit.drive(inputs) + memory["offset"]
    expected = lsq_linear(root, np.linalg.solve(root.T, drive[0]), (0, 1), tol=1e-14).x
    start = np.zeros_like(drive)
    found = EXACT.relax(circuit, circuit.drive(inputs), start).state[0]
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_offsets_and_gains_have_the_spread_asked_for():
    memory = Mismatch(0.05, 0.2).node_memory(20_000, draw())
    assert abs(memory["offset"].std() / 0.05 - 1) < 0.02
    assert abs(memory["gain"].std() / 0.2 - 1) < 0.02
    assert abs(memory["gain"].mean() - 1) < 4 * 0.2 / np.sqrt(20_000)


# --- thermal noise -------------------------------------------------------------------------------


def apart(n, biases, model=None):
    """Nodes without edges among themselves: each has the energy a (s - b)^2 / 2."""
    graph = LayeredGraph((1, n), [(0, k) for k in range(1, n + 1)])
    return Network(graph, np.zeros(n), biases, model, dtype=np.float64)


WIDE = WeakFeedback(linear_outputs=True)


@pytest.mark.parametrize(("epsilon", "k"), [(0.05, 1), (0.5, 1), (0.2, 2.5)])
def test_thermal_noise_has_the_variance_of_temperature_over_stiffness(epsilon, k):
    """T / k, which steps of a finite size make (T / k) / (1 - epsilon k / 2)."""
    network, T = apart(400, np.full(400, 0.7), WIDE), 0.03
    circuit = Thermal(T).circuit(network.circuit, {}, draw())
    drive = circuit.drive(np.zeros((50, 1)))
    # A nudge is a spring of another stiffness beside the node's own.
    nudge = Nudge(np.zeros((50, 400)), k - 1)
    if k != 1:
        circuit, drive = circuit.nudged(drive, nudge)
        expected = T / k / (1 - epsilon / 2)  # the step is one of the stiffer node
    else:
        expected = T / (1 - epsilon / 2)
    end = Euler(round(20 / epsilon), epsilon).relax(circuit, drive, np.zeros_like(drive)).state
    assert abs(end.var() / expected - 1) < 4 * np.sqrt(2 / end.size)
    assert abs(end.mean() - 0.7 / k) < 4 * np.sqrt(expected / end.size)


def test_nudges_within_the_steps_have_the_law_of_the_stiffer_energy():
    """Published steps: for small ones the mean is (h + f) / (1 + kappa), the variance T over it."""
    network, T, kappa = apart(400, np.full(400, 0.7), WIDE), 0.03, 2.0
    epsilon = 0.02
    kept = (1 - epsilon) * (1 - epsilon * kappa)  # of a deviation, by one step
    variance = 2 * T * epsilon / (1 - kept**2)
    mean = ((1 - epsilon * kappa) * 0.7 + 0.2) / (1 + kappa - epsilon * kappa)
    circuit = Thermal(T).circuit(network.circuit, {}, draw())
    drive = circuit.drive(np.zeros((50, 1)))
    free = Euler(1).relax(network.circuit, drive, np.zeros_like(drive))
    nudge = Nudge(np.full((50, 400), 0.2), kappa)
    end = Euler(200, epsilon).nudge(circuit, drive, free, nudge).state
    assert abs(end.var() / variance - 1) < 4 * np.sqrt(2 / end.size)
    assert abs(end.mean() - mean) < 4 * np.sqrt(variance / end.size)
    assert abs(variance / (T / (1 + kappa)) - 1) < 0.05


def test_states_between_bounds_are_distributed_as_the_boltzmann_law_says():
    """Weights between two outputs: their covariance is T times the inverse of the stiffness."""
    graph = LayeredGraph((1, 2), [(0, 1), (1, 2)])
    network = Network(graph, [0.0, 0.6], [0, 0], WIDE, dtype=np.float64)
    circuit = Thermal(0.1).circuit(network.circuit, {}, draw())
    drive = circuit.drive(np.zeros((8000, 1)))
    end = Euler(250, 0.04).relax(circuit, drive, np.zeros_like(drive)).state
    expected = 0.1 * np.linalg.inv([[1, -0.6], [-0.6, 1]])
    np.testing.assert_allclose(np.cov(end.T), expected, atol=0.01)


def test_bounds_hold_and_held_outputs_are_not_shaken():
    network, inputs = made(), draw(1).random((6, 4))
    circuit = Thermal(0.5).circuit(network.circuit, {}, draw())
    drive = circuit.drive(inputs)
    free = Euler(30).relax(circuit, drive, np.zeros_like(drive))
    assert ((free.state >= 0) & (free.state <= 1)).all()
    outputs = np.full((6, 3), 0.4)
    held = Euler(30).nudge(circuit, drive, free, Nudge(outputs, np.inf)).state
    np.testing.assert_allclose(held[:, circuit.output], outputs, atol=1e-12)
    assert not np.allclose(held[:, :5], free.state[:, :5])


def test_without_temperature_and_slew_the_steps_are_those_of_the_plain_circuit():
    network, inputs = made(), draw(1).random((6, 4))
    circuit = Slew(1e6).circuit(network.circuit, {}, draw())
    drive, start = circuit.drive(inputs), draw(4).random((6, network.n_free))
    nudge = Nudge(np.full((6, 3), 0.8), 0.7)
    for given in (None, nudge):
        found, expected = (
            Euler(9).relax(each, drive, start, given).state for each in (circuit, network.circuit)
        )
        np.testing.assert_allclose(found, expected, atol=1e-12)


# --- slew --------------------------------------------------------------------------------------


def test_a_slow_node_moves_in_a_straight_line_and_arrives():
    network = apart(2, [0.9, 0.03])
    circuit = Slew(0.2).circuit(network.circuit, {}, draw())
    drive = circuit.drive(np.zeros((1, 1)))
    steps = Euler(step_size=0.5).sweeps(circuit, drive, np.zeros((1, 2)))
    path = np.array([next(steps)[0] for _ in range(60)])
    # 0.1 a step until the gap is 0.2, then half of what is left.
    np.testing.assert_allclose(path[:7, 0], np.arange(1, 8) / 10)
    np.testing.assert_allclose(path[7, 0], 0.8)
    np.testing.assert_allclose(path[8, 0], 0.85)
    np.testing.assert_allclose(path[:3, 1], [0.015, 0.0225, 0.02625])
    np.testing.assert_allclose(path[-1], [0.9, 0.03])


def test_slew_and_heat_act_together():
    circuit = made().circuit
    one = Thermal(0.1).circuit(Slew(0.3).circuit(circuit, {}, draw()), {}, draw())
    other = Slew(0.3).circuit(Thermal(0.1).circuit(circuit, {}, draw()), {}, draw())
    for each in (one, other):
        assert (each.motion.slew, each.motion.temperature) == (0.3, 0.1)
    assert circuit.motion is None


@pytest.mark.parametrize("device", [Slew(0.3), Thermal(0.1)])
@pytest.mark.parametrize("solver", [SOR(), Sweeps(2)])
def test_solvers_without_time_refuse_them(device, solver):
    network = made()
    circuit = device.circuit(network.circuit, {}, draw())
    drive = circuit.drive(np.zeros((1, 4)))
    free = SOR().relax(network.circuit, drive, 0 * drive)
    for ask in (
        lambda: solver.relax(circuit, drive, 0 * drive),
        lambda: solver.deviations(circuit, drive, free, [Nudge(np.ones((1, 3)), 1)]),
    ):
        with pytest.raises(InputError, match="need steps of time, which only Euler has"):
            ask()


# --- refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Mismatch(-0.1), "offsets: -0.1, must be at least 0"),
        (lambda: Mismatch(gains=np.nan), "gains: nan, must be at least 0"),
        (lambda: Slew(0), "rate: 0, must be above 0"),
        (lambda: Slew(np.inf), "rate: inf, must be above 0"),
        (lambda: Thermal(-1), "temperature: -1, must be at least 0"),
    ],
)
def test_bad_values_are_one_line(make, problem):
    with pytest.raises(InputError) as caught:
        make()
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
