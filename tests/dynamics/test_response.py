"""Linear response, against a dense solution per example."""

from __future__ import annotations

import numpy as np

from smallworld_eqprop.dynamics.devices import on_device
from smallworld_eqprop.dynamics.models import WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.response import response
from smallworld_eqprop.graphs.generate.layers import layered


def problem(network, batch=3):
    """A dense description, nodes that move, and forces on all nodes."""
    convex = network.convex()
    rng = np.random.default_rng(3)
    n = len(convex.biases)
    return convex, rng.random((batch, n)) < 0.6, rng.normal(size=(batch, n))


def solved(hessian, interior, force):
    found = np.zeros_like(force)
    for row, moves, pull in zip(found, interior, force, strict=True):
        nodes = np.flatnonzero(moves)
        row[nodes] = np.linalg.solve(hessian[np.ix_(nodes, nodes)], pull[nodes])
    return found


def shifted(network, interior, force, device="numpy", tolerance=1e-12, max_sweeps=1000):
    """The response on either engine, as arrays of NumPy."""
    found = on_device(network, device)
    if device == "numpy":
        return response(found.circuit, interior, force, tolerance, max_sweeps)
    arrays = (found.backend.array(each)[None] for each in (interior, force))
    both = response(found.circuit, *arrays, tolerance, max_sweeps)
    return tuple(each[0].numpy() for each in both)


def test_it_solves_the_equation_of_the_nodes_that_move(any_network, device):
    convex, interior, force = problem(any_network)
    shift, converged = shifted(convex.network(), interior, force, device)
    assert converged.all()
    expected = solved(convex.hessian, interior, force)
    np.testing.assert_allclose(shift, expected, atol=1e-9 * np.abs(expected).max())
    assert not shift[~interior].any()


def test_networks_without_an_array_of_all_weights_give_the_same(varied_network, large, blockwise):
    convex, interior, force = problem(varied_network)
    shift, _ = shifted(convex.network(), interior, force)
    expected = solved(convex.hessian, interior, force)
    np.testing.assert_allclose(shift, expected, atol=1e-9 * np.abs(expected).max())


def test_no_example_depends_on_the_others(any_model, device):
    convex, interior, force = problem(any_model)
    whole, _ = shifted(convex.network(), interior, force, device, 1e-8)
    alone, _ = shifted(convex.network(), interior[1:2], 0.1 * force[1:2], device, 1e-8)
    np.testing.assert_allclose(10 * alone[0], whole[1], atol=1e-6 * np.abs(whole[1]).max())


def test_the_residual_force_is_below_the_tolerance(layered_network, device):
    convex, interior, force = problem(layered_network)
    lengths = []
    for tolerance in (1e-1, 1e-3, 1e-6):
        shift, _ = shifted(convex.network(), interior, force, device, tolerance)
        left = (force - shift @ convex.hessian) * interior
        share = np.linalg.norm(left, axis=1) / np.linalg.norm(force * interior, axis=1)
        assert (share <= tolerance * (1 + 1e-6)).all()
        lengths.append(share.max())
    assert lengths[0] > 1e-3  # no further than asked for


def test_a_sweep_for_every_node_is_enough(make):
    convex, interior, force = problem(make(layered((2, 3, 2)), 5))
    _, converged = shifted(convex.network(), interior, force, max_sweeps=interior.sum(axis=1).max())
    assert converged.all()


def test_examples_that_run_out_of_sweeps_are_told_and_keep_what_they_have(layered_network, device):
    convex, interior, force = problem(layered_network)
    force[1] = 0
    shift, converged = shifted(convex.network(), interior, force, device, max_sweeps=2)
    assert converged.tolist() == [False, True, False]
    assert not shift[1].any()
    expected = solved(convex.hessian, interior, force)
    # Every sweep lowers the energy: what was found lies between no shift and the solution.
    for row in (0, 2):
        energy = 0.5 * shift[row] @ convex.hessian @ shift[row] - force[row] @ shift[row]
        best = -0.5 * force[row] @ expected[row]
        assert best < energy < 0.5 * best


def test_an_example_at_a_saddle_is_told_and_stays_finite(device):
    graph = layered((1, 1, 1))
    network = Network(graph, [0, 2], dtype=np.float64)  # H = [[1, -2], [-2, 1]]
    force = np.array([[0.0, 1.0], [0.0, 1.0]])
    interior = np.array([[True, True], [False, True]])
    shift, converged = shifted(network, interior, force, device)
    assert converged.tolist() == [False, True]
    np.testing.assert_allclose(shift, [[0, 1], [0, 1]], atol=1e-12)


def test_small_shifts_of_deep_layers_are_as_accurate_as_those_of_the_outputs(device):
    """Under weak feedback they fall by a factor for every layer, here to 1e-12."""
    model = WeakFeedback(feedback=1e-3, linear_outputs=True)
    graph = layered((3, 6, 6, 6, 6, 4))
    force = np.zeros((2, 28), np.float32)
    force[:, -4:] = np.random.default_rng(0).normal(size=(2, 4))
    interior = np.ones_like(force, dtype=bool)
    network = Network(graph, model=model, seed=0)
    shift, converged = shifted(network, interior, force, device, tolerance=1e-6)
    assert converged.all()
    exact = Network(graph, network.weights, model=model, dtype=np.float64)
    expected, _ = shifted(exact, interior, force.astype(float), tolerance=1e-14)
    for rows in network.rows[1:]:
        far = np.abs(shift[:, rows] - expected[:, rows]).max()
        assert far < 1e-4 * np.abs(expected[:, rows]).max()
    assert np.abs(shift[:, network.rows[1]]).max() < 1e-10
