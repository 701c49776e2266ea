"""The counts are those of loops that do the very thing, one multiplication after the other."""

from __future__ import annotations

from collections import Counter

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop import add_intralayer, layered, rewire
from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.hardware.operations import (
    backpropagation_operations,
    depth,
    eqprop_operations,
)

STEPS, NUDGED, BETA, STEP_SIZE = 7, 3, 0.5, 0.5
GRAPHS = {
    "layered": layered((4, 5, 3, 2)),
    "rewired": rewire(layered((4, 5, 3, 2)), 0.3, seed=1),
    "intralayer": rewire(add_intralayer(layered((4, 5, 3, 2))), 0.2, law="moves", seed=2),
}


@pytest.fixture(params=GRAPHS)
def graph(request):
    return GRAPHS[request.param]


@pytest.fixture
def setting(graph):
    rng = np.random.default_rng(3)
    weights = rng.uniform(-0.7, 0.7, graph.n_edges)
    biases = rng.uniform(0, 0.3, graph.n_nodes - graph.layer_sizes[0])
    return weights, biases, rng.random(graph.layer_sizes[0]), rng.random(graph.layer_sizes[-1])


def neighbours(graph, weights):
    found = [[] for _ in range(graph.n_nodes)]
    for (u, v), weight in zip(graph.edges.tolist(), weights, strict=True):
        found[u].append((v, weight))
        found[v].append((u, weight))
    return found


def relaxed_by_loops(graph, setting, state, steps, target, beta, count, inputs_once):
    weights, biases, inputs, _ = setting
    n_inputs, first_output = len(inputs), graph.n_nodes - graph.layer_sizes[-1]
    around = neighbours(graph, weights)
    activation = [*inputs, *state]

    def from_input(i, j, weight):
        count["multiply"] += 1
        count[min(i, j), max(i, j)] += 1
        return weight * activation[j]

    def contribution(i, wanted):
        return sum(from_input(i, j, w) for j, w in around[i] if (j < n_inputs) == wanted)

    clamped = [contribution(i, True) for i in range(n_inputs, graph.n_nodes)] if inputs_once else []
    for _ in range(steps):
        new = list(activation)
        for i in range(n_inputs, graph.n_nodes):
            field = biases[i - n_inputs] + contribution(i, False)
            field += clamped[i - n_inputs] if inputs_once else contribution(i, True)
            new[i] += STEP_SIZE * (field - activation[i])
            if i >= first_output:
                new[i] += 2 * beta * STEP_SIZE * (target[i - first_output] - new[i])
            new[i] = min(max(new[i], 0), 1)
            count["nonlinearity"] += 1
        activation = new
    return activation[n_inputs:]


@pytest.mark.parametrize("inputs_once", [True, False])
def test_equilibrium_propagation(graph, setting, inputs_once):
    weights, biases, inputs, target = setting
    phases, start = [], [0.0] * len(biases)
    for steps, beta in ((STEPS, 0.0), (NUDGED, BETA)):
        count = Counter()
        start = relaxed_by_loops(graph, setting, start, steps, target, beta, count, inputs_once)
        phases.append((count, start))
    (free_count, free), (nudged_count, nudged) = phases

    # The loops are the published relaxation ...
    circuit = Network(graph, weights, biases, dtype=float).circuit
    drive = circuit.drive(inputs[None])
    relaxed = Euler(STEPS, STEP_SIZE).relax(circuit, drive, np.zeros((1, len(biases))))
    expected = relaxed.state.T
    assert np.allclose(free, expected[:, 0])
    nudge = Nudge(2 * BETA * target[None], 2 * BETA)
    after = Euler(NUDGED, STEP_SIZE).relax(circuit, drive, relaxed.state, nudge).state.T
    assert np.allclose(nudged, after[:, 0])

    # ... and what they did is what is counted.
    found = eqprop_operations(graph, STEPS, NUDGED, inputs_once=inputs_once)
    # What clamped inputs contribute is still there in the nudged phase.
    again = graph.edges[:, 0] < graph.layer_sizes[0]
    spared = int(again.sum()) if inputs_once else 0
    assert found.first_phase == free_count["multiply"]
    assert found.second_phase == nudged_count["multiply"] - spared
    assert found.nonlinearities == free_count["nonlinearity"] + nudged_count["nonlinearity"]
    carried = [free_count[edge] + nudged_count[edge] for edge in map(tuple, graph.edges.tolist())]
    assert found.values_per_edge == pytest.approx((sum(carried) - spared) / graph.n_edges)
    assert found.one_way_wires + found.two_way_wires == graph.n_edges
    assert found.one_way_wires == again.sum()
    assert found.steps == STEPS + NUDGED


def test_backpropagation(graph, setting):
    weights, biases, inputs, target = setting
    n_inputs, first_output = len(inputs), graph.n_nodes - graph.layer_sizes[-1]
    edges = graph.edges.tolist()

    def forwards(weights, count):
        x = [*inputs, *([0.0] * len(biases))]
        z = list(x)
        for i in range(n_inputs, graph.n_nodes):
            z[i] = biases[i - n_inputs]
            for (u, v), weight in zip(edges, weights, strict=True):
                if v == i:
                    z[i] += weight * x[u]
                    count["multiply"] += 1
            x[i] = np.tanh(z[i])
            count["nonlinearity"] += 1
        return x

    def cost(weights):
        return np.square(np.array(forwards(weights, Counter())[first_output:]) - target).sum()

    first, second, correction = Counter(), Counter(), Counter()
    x = forwards(weights, first)
    delta = [0.0] * graph.n_nodes
    for i in reversed(range(n_inputs, graph.n_nodes)):
        error = 2 * (x[i] - target[i - first_output]) if i >= first_output else 0.0
        for (u, v), weight in zip(edges, weights, strict=True):
            if u == i:
                error += weight * delta[v]
                second["multiply"] += 1
        delta[i] = error * (1 - x[i] ** 2)
    gradient = []
    for u, v in edges:
        gradient.append(x[u] * delta[v])
        correction["multiply"] += 1

    # It is the gradient ...
    step = 1e-6
    for edge in range(0, graph.n_edges, 5):
        shift = step * np.eye(graph.n_edges)[edge]
        slope = (cost(weights + shift) - cost(weights - shift)) / (2 * step)
        assert gradient[edge] == pytest.approx(slope, abs=1e-7)

    # ... and what it took is what is counted.
    found = backpropagation_operations(graph)
    assert found.first_phase == first["multiply"]
    assert found.second_phase == second["multiply"]
    assert found.correction == correction["multiply"]
    assert found.multiply_accumulates == sum(
        count["multiply"] for count in (first, second, correction)
    )
    assert found.nonlinearities == first["nonlinearity"]
    assert found.one_way_wires == first["multiply"] + second["multiply"]


@given(
    sizes=st.lists(st.integers(1, 5), min_size=2, max_size=5),
    intralayer=st.booleans(),
    p=st.floats(0, 1),
    seed=st.integers(0, 99),
)
def test_depth_is_the_longest_path(sizes, intralayer, p, seed):
    graph = layered(sizes)
    graph = add_intralayer(graph) if intralayer else graph
    graph = rewire(graph, p, seed=seed) if len(sizes) > 2 else graph
    directed = nx.DiGraph(graph.edges.tolist())
    assert depth(graph) == nx.dag_longest_path_length(directed, weight=None, default_weight=1)


def test_the_papers_network_in_closed_form():
    graph = layered((784, 500, 500, 500, 10))
    free = 2 * 500 * 500 + 500 * 10
    found = eqprop_operations(graph, 20, 8, inputs_once=True)
    assert found.first_phase == 784 * 500 + 20 * 2 * free
    assert found.second_phase == 8 * 2 * free
    assert found.correction == 784 * 500 + 2 * free
    assert found.stored_values == 2 * 1510
    assert found.computations == pytest.approx(1 + 10 / 1510)
    assert backpropagation_operations(graph).steps == 8
