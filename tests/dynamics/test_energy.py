from __future__ import annotations

import numpy as np

from smallworld_eqprop.dynamics.energy import activation, cost, energy


def literal_energy(network, free):
    """The published energy as written, with the terms of the inputs alone left out."""
    n = network.graph.layer_sizes[0]
    matrix = network.matrix
    values = []
    for x, s in zip(network.inputs.T, free.T, strict=True):
        state = np.concatenate((x, s))
        total = 0.5 * sum(s**2) - sum(network.biases * s)
        for i in range(len(state)):
            for j in range(len(state)):
                if i != j and max(i, j) >= n:
                    total -= 0.5 * matrix[i, j] * state[i] * state[j]
        values.append(total)
    return np.array(values)


def test_energy_is_the_published_double_sum(network):
    state = np.random.default_rng(1).random((len(network.biases), network.inputs.shape[1]))
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    # Two examples suffice for a sum this long.
    expected = literal_energy(
        type(network)(network.graph, network.weights, network.biases, network.inputs[:, :2]),
        state[:, :2],
    )
    found = energy(couplings, state, drive)
    assert found.shape == (network.inputs.shape[1],)
    np.testing.assert_allclose(found[:2], expected, rtol=1e-11, atol=1e-11)


def test_force_is_minus_the_gradient_of_the_energy(network):
    state = np.random.default_rng(2).random((len(network.biases), network.inputs.shape[1]))
    couplings = network.couplings()
    drive = couplings.drive(network.inputs)
    expected = (state - couplings.field(state, drive))[:, 0]
    # One perturbed copy of the first example per node; E is quadratic, so any step is exact.
    step = 0.1 * np.eye(len(state))
    pull = np.repeat(drive[:, :1], len(state), axis=1)
    up, down = (energy(couplings, state[:, :1] + sign * step, pull) for sign in (1, -1))
    np.testing.assert_allclose((up - down) / 0.2, expected, atol=1e-10)


def test_cost_is_the_squared_distance_without_a_half():
    output = np.array([[0.5, 1.0], [0.0, 0.25]])
    target = np.array([[1.0, 1.0], [1.0, 0.0]])
    assert cost(output, target).tolist() == [1.25, 0.0625]


def test_activation_is_the_identity_between_zero_and_one():
    assert activation(np.array([-1, 0, 0.25, 1, 3])).tolist() == [0, 0, 0.25, 1, 1]
