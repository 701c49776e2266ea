from __future__ import annotations

from dataclasses import replace

import numpy as np

from smallworld_eqprop.dynamics.energies import energy


def literal_energy(network, free):
    """The energy of the model as written, with the terms of the inputs alone left out."""
    n, graph, model = network.n_inputs, network.graph, network.model
    own = np.zeros(len(network.biases)) + model.self_term(graph)
    bias = model.bias_scale(graph) * network.biases
    values = []
    for x, s in zip(network.inputs, free, strict=True):
        state = np.concatenate((x, s))
        total = 0.5 * sum(own * s**2) - sum(bias * s)
        for u, v in graph.edges:
            if v >= n:
                weight = network.coupling[u, v]
                if model.sees == "difference":
                    total += 0.5 * weight * (state[u] - state[v]) ** 2
                    total -= 0.5 * weight * state[u] ** 2 if u < n else 0
                else:
                    total -= weight * state[u] * state[v]
        values.append(total)
    return np.array(values)


def test_energy_is_that_of_the_model_as_written(any_network):
    state, _ = any_network.states()
    circuit = any_network.network().circuit
    found = energy(circuit, state, circuit.drive(any_network.inputs))
    assert found.shape == (any_network.batch,)
    two = replace(any_network, inputs=any_network.inputs[:2])
    np.testing.assert_allclose(found[:2], literal_energy(two, state[:2]), rtol=1e-11, atol=1e-11)


def test_the_field_is_the_force_over_the_self_term(any_network):
    state, _ = any_network.states()
    circuit = any_network.network().circuit
    drive = circuit.drive(any_network.inputs)
    expected = any_network.self_term * (state - circuit.field(state, drive))[0]
    # One perturbed copy of the first example per node; E is quadratic, so any step is exact.
    step = 0.1 * np.eye(circuit.n_free)
    pull = np.repeat(drive[:1], circuit.n_free, axis=0)
    up, down = (energy(circuit, state[:1] + sign * step, pull) for sign in (1, -1))
    np.testing.assert_allclose((up - down) / 0.2, expected, atol=1e-9)
