"""Contracts of models and of solvers."""

from __future__ import annotations

import copy
import pickle

import numpy as np

from smallworld_eqprop.dynamics.energies import energy
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.models import Hopfield, Model
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.learning.losses import SquaredError
from smallworld_eqprop.learning.rules import Adjoint
from smallworld_eqprop.testing.gradients import check_gradient
from smallworld_eqprop.testing.networks import EXACT, awkward_graphs, draw_inputs, smooth

__all__ = ["check_model", "check_solver"]


def check_model(model: Model) -> None:
    """Check a model on every awkward graph.

    The field is what the written energy says, fixed points are its minima, weights stay within
    their limits, the exact gradient agrees with finite differences and is not 0, and copies and
    pickles keep what they were.
    """
    for name, graph in awkward_graphs().items():
        try:
            network = smooth(graph, model)
            _check_energy(network)
            slope = check_gradient(network, Adjoint(), SquaredError(), 1e-5)
            assert np.abs(slope).max() > 1e-9, "no weight has any effect on the cost"
            _check_limits(network)
        except AssertionError as error:
            raise AssertionError(f"{model} on graph {name!r}: {error}") from error
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert again == model, f"{model}: a copy differs"


def check_solver(solver: Solver) -> None:
    """Check a solver on every awkward graph: it reaches the fixed points, nudged or not."""
    for name, graph in awkward_graphs().items():
        network = smooth(graph, Hopfield())
        circuit = network.circuit
        drive = circuit.drive(draw_inputs(graph))
        start = np.zeros_like(drive)
        kept = drive.copy(), start.copy()
        relaxed = solver.relax(circuit, drive, start)
        expected = EXACT.relax(circuit, drive, start)
        assert np.array_equal(drive, kept[0]), f"{solver}: changes the drive"
        assert np.array_equal(start, kept[1]), f"{solver}: changes the start"
        field = circuit.field(relaxed.state, drive)
        residual = circuit.residual(relaxed.state, field)
        assert np.allclose(relaxed.residual, residual, atol=1e-9), f"{solver}: another residual"
        assert relaxed.converged.all(), f"{solver} on graph {name!r}: {relaxed.message}"
        tolerance = 1e-6 if solver.fixed else solver.tolerance
        far = np.abs(relaxed.state - expected.state).max()
        assert far <= 100 * tolerance, f"{solver} on graph {name!r}: {far:.2g} from the solution"


def _check_energy(network: Network) -> None:
    """The circuit against the energy as the model writes it, node by node and edge by edge."""
    graph, model, circuit = network.graph, network.model, network.circuit
    inputs = draw_inputs(graph)
    rng = np.random.default_rng(3)
    state = np.clip(rng.uniform(0, 1, (len(inputs), network.n_free)), circuit.low, circuit.high)
    u, v = graph.edges.T
    scale = np.broadcast_to(model.edge_scale(graph, graph.edges), (graph.n_edges,))

    def written(state: Array) -> Array:
        both = np.hstack((inputs, state))
        own = np.broadcast_to(model.self_term(graph), (network.n_free,))
        bias = np.broadcast_to(model.bias_scale(graph), (network.n_free,)) * network.biases
        found = (0.5 * own * state**2 - bias * state).sum(axis=1)
        seen = both[:, u] * both[:, v]
        if model.sees == "difference":
            seen = -0.5 * (both[:, u] - both[:, v]) ** 2
        return found - seen @ (scale * network.weights)

    drive = circuit.drive(inputs)
    other = state[::-1]
    change = energy(circuit, state, drive) - energy(circuit, other, drive)
    assert np.allclose(change, written(state) - written(other)), "another energy than written"
    field = circuit.field(state, drive)
    step = 1e-6
    for node in range(network.n_free):
        moved = np.zeros_like(state)
        moved[:, node] = step
        slope = (written(state + moved) - written(state - moved)) / (2 * step)
        expected = circuit.self_term[node] * (state[:, node] - field[:, node])
        assert np.allclose(slope, expected, atol=1e-6), f"the field of free node {node} is wrong"
    relaxed = EXACT.relax(circuit, drive, circuit.clip(np.zeros_like(drive)))
    assert relaxed.converged.all(), relaxed.message
    for _ in range(20):
        nearby = circuit.clip(relaxed.state + rng.normal(0, 0.05, drive.shape))
        assert (written(nearby) >= written(relaxed.state) - 1e-9).all(), "no minimum"


def _check_limits(network: Network) -> None:
    low, high = network.model.limits(network.graph)
    for sign in (-1, 1):
        network.add([np.full_like(each, 10.0 * sign) for each in network.parameters])
        weights = network.weights
        assert ((weights >= low) & (weights <= high)).all(), "weights leave their limits"
