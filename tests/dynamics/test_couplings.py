from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph, layered
from smallworld_eqprop.graphs.rewiring import rewire


@st.composite
def graphs(draw):
    """Any simple graph on a few layers, from empty to complete: dense and sparse blocks alike."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=2, max_size=5))
    n = sum(sizes)
    pairs = np.argwhere(np.triu(np.ones((n, n)), k=1))
    density = draw(st.sampled_from([0.01, 0.05, 0.3, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return LayeredGraph(sizes, pairs[rng.random(len(pairs)) < density])


def whole_matrix(couplings, graph):
    """W as the couplings act: the fields of unit vectors; what inputs do to inputs is unknown."""
    n, free = couplings.n_inputs, couplings.n_free
    matrix = np.zeros((graph.n_nodes, graph.n_nodes), couplings.dtype)
    unit = np.eye(free, dtype=couplings.dtype)
    matrix[n:, n:] = couplings.field(unit, np.zeros_like(unit))
    matrix[n:, :n] = couplings.drive(np.eye(n, dtype=couplings.dtype)) - biases(couplings)
    matrix[:n, n:] = matrix[n:, :n].T
    return matrix


def biases(couplings):
    return np.asarray(couplings.biases).copy()


def adjacency(graph):
    return graph.adjacency().toarray() > 0


def states(network, seed=5, dtype=np.float64):
    rng = np.random.default_rng(seed)
    shape = (len(network.biases), network.inputs.shape[1])
    return rng.random(shape).astype(dtype), rng.random(shape).astype(dtype)


@given(graphs(), st.integers(1, 9), st.integers(0, 2**32))
def test_field_and_drive_are_those_of_the_dense_matrix(make, graph, batch, seed):
    network = make(graph, seed, batch)
    couplings, (state, _) = network.couplings(), states(network)
    drive = couplings.drive(network.inputs)
    np.testing.assert_allclose(drive, network.pull, rtol=0, atol=1e-13)
    np.testing.assert_allclose(couplings.field(state, drive), network.field(state), atol=1e-12)


def test_field_and_drive_on_every_kind_of_graph(network):
    couplings, (state, _) = network.couplings(), states(network)
    np.testing.assert_allclose(couplings.drive(network.inputs), network.pull, atol=1e-12)
    np.testing.assert_allclose(
        couplings.field(state, network.pull), network.field(state), atol=1e-12
    )


def test_arguments_are_left_as_they_are(network):
    couplings, (state, nudged) = network.couplings(), states(network)
    arrays = [network.weights, network.biases, network.inputs, state, nudged]
    before = [array.copy() for array in arrays]
    drive = couplings.drive(network.inputs)
    kept = drive.copy()
    couplings.field(state, drive)
    couplings.correct(state, nudged, network.inputs, 1.0, [0.1] * (network.graph.n_layers - 1))
    assert np.array_equal(drive, kept)
    for array, copy in zip(arrays, before, strict=True):
        assert np.array_equal(array, copy)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_single_precision_is_kept(network, dtype):
    couplings = network.couplings(dtype)
    state, nudged = states(network, dtype=dtype)
    inputs = network.inputs.astype(dtype)
    drive = couplings.drive(inputs)
    couplings.correct(state, nudged, inputs, 1.0, [0.1] * (network.graph.n_layers - 1))
    arrays = drive, couplings.field(state, drive), biases(couplings), couplings.edge_weights()
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


@given(graphs(), st.integers(0, 2**32))
def test_edge_weights_come_back_in_the_order_of_the_edges(graph, seed):
    weights = np.random.default_rng(seed).normal(size=graph.n_edges).astype(np.float32)
    couplings = Couplings(graph, weights)
    assert np.array_equal(couplings.edge_weights(), weights)
    couplings.edge_weights()[:] = 7
    assert np.array_equal(couplings.edge_weights(), weights)


@given(graphs())
def test_blocks_share_out_the_edges_by_pair_of_layers(graph):
    blocks = Couplings(graph, np.zeros(graph.n_edges)).blocks
    shared = np.concatenate([np.empty(0, int), *(block.edges for block in blocks)])
    assert np.array_equal(np.sort(shared), np.arange(graph.n_edges))
    for block in blocks:
        assert (graph.layers[graph.edges[block.edges]] == (block.lower, block.upper)).all()
        masks = {kind: getattr(graph, kind) for kind in ("intralayer", "interlayer", "skip")}
        assert [kind for kind, mask in masks.items() if mask[block.edges].all()] == [block.kind]
        assert block.name == f"{block.lower}-{block.upper}"


def test_rows_number_the_free_nodes_layer_by_layer():
    couplings = Couplings(layered((4, 3, 2)), np.zeros(18))
    assert [np.arange(5)[rows].tolist() for rows in couplings.rows] == [[], [0, 1, 2], [3, 4]]
    assert np.arange(5)[couplings.output].tolist() == [3, 4]


def test_biases_start_at_zero():
    biases = Couplings(layered((4, 3, 2)), np.zeros(18)).biases
    assert biases.shape == (5, 1)
    assert not biases.any()


def literal_update(network, free, nudged, scale, rates, bias_rates):
    """The published update, edge by edge and example by example."""
    graph, batch = network.graph, free.shape[1]
    before = np.vstack((network.inputs, free)).astype(float)
    after = np.vstack((network.inputs, nudged)).astype(float)
    weights = np.zeros(graph.n_edges)
    for e, (u, v) in enumerate(graph.edges):
        # The output-side end is v, since nodes are numbered layer by layer.
        if graph.layers[v] > 0:
            contrast = sum(
                after[u, k] * after[v, k] - before[u, k] * before[v, k] for k in range(batch)
            )
            weights[e] = scale * rates[graph.layers[v] - 1] * contrast / batch
    free_layers = graph.layers[graph.layer_sizes[0] :]
    biases = scale * np.array(bias_rates)[free_layers - 1] * (nudged - free).mean(axis=1)
    return weights, biases


@given(graphs(), st.integers(1, 6), st.floats(-5, 5), st.booleans(), st.integers(0, 2**32))
def test_update_is_the_published_one_edge_by_edge(make, graph, batch, scale, own_biases, seed):
    network = make(graph, seed, batch)
    free, nudged = states(network, seed)
    rng = np.random.default_rng(seed)
    rates, bias_rates = rng.random((2, graph.n_layers - 1))
    couplings = network.couplings()
    rms = couplings.correct(
        free, nudged, network.inputs, scale, rates, bias_rates if own_biases else None
    )
    weights, bias_changes = literal_update(
        network, free, nudged, scale, rates, bias_rates if own_biases else rates
    )
    np.testing.assert_allclose(couplings.edge_weights(), network.weights + weights, atol=1e-12)
    np.testing.assert_allclose(biases(couplings)[:, 0], network.biases + bias_changes, atol=1e-12)
    expected = [np.sqrt(np.mean(weights[block.edges] ** 2)) for block in couplings.blocks]
    np.testing.assert_allclose(rms, expected, atol=1e-12)


def test_an_edge_takes_the_rate_of_the_layer_of_its_output_side_end():
    graph = LayeredGraph((1, 2, 1, 1), [(0, 1), (1, 2), (1, 3), (0, 3), (2, 4), (0, 4), (3, 4)])
    couplings = Couplings(graph, np.zeros(7), dtype=np.float64)
    free, nudged, inputs = np.zeros((4, 1)), np.ones((4, 1)), np.ones((1, 1))
    couplings.correct(free, nudged, inputs, 1.0, [1, 10, 100])
    changes = dict(zip(map(tuple, graph.edges.tolist()), couplings.edge_weights(), strict=True))
    assert changes == {
        (0, 1): 1, (1, 2): 1, (0, 3): 10, (1, 3): 10, (0, 4): 100, (2, 4): 100, (3, 4): 100
    }  # fmt: skip
    assert biases(couplings)[:, 0].tolist() == [1, 1, 10, 100]


def test_many_updates_leave_weights_symmetric_and_on_the_edges(network):
    couplings, graph = network.couplings(np.float32), network.graph
    inputs = network.inputs.astype(np.float32)
    for seed in range(10):
        free, nudged = states(network, seed, np.float32)
        couplings.correct(free, nudged, inputs, 0.7, np.full(graph.n_layers - 1, 0.1))
    matrix = whole_matrix(couplings, graph)
    n = graph.layer_sizes[0]
    # Bit by bit; the couplings among free nodes are read independently in both directions.
    assert np.array_equal(matrix, matrix.T)
    assert not matrix[~adjacency(graph)].any()
    u, v = graph.edges[graph.layers[graph.edges[:, 1]] > 0].T
    expected = couplings.edge_weights()[graph.layers[graph.edges[:, 1]] > 0]
    inner = u >= n
    assert np.array_equal(matrix[u, v][inner], expected[inner])
    np.testing.assert_allclose(matrix[u, v], expected, atol=1e-6)


def test_field_follows_every_correction(network):
    couplings, (free, nudged) = network.couplings(), states(network)
    rates = np.full(network.graph.n_layers - 1, 0.1)
    couplings.field(free, couplings.drive(network.inputs))
    couplings.correct(free, nudged, network.inputs, 1.0, rates)
    fresh = replace(network, weights=couplings.edge_weights(), biases=biases(couplings)[:, 0])
    drive = couplings.drive(network.inputs)
    np.testing.assert_allclose(couplings.field(free, drive), fresh.field(free), atol=1e-12)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_equal_phases_or_no_rate_change_nothing(network, rate):
    couplings, (free, other) = network.couplings(), states(network)
    nudged = free.copy() if rate else other
    rms = couplings.correct(
        free, nudged, network.inputs, 1.0, [rate] * (network.graph.n_layers - 1)
    )
    assert not any(rms)
    assert np.array_equal(couplings.edge_weights(), network.weights)
    assert np.array_equal(biases(couplings)[:, 0], network.biases)


def test_single_precision_resolves_a_small_contrast(network):
    # Subtracting products of nearly equal states would leave about three digits here.
    free, noise = states(network, dtype=np.float32)
    nudged = np.clip(free + np.float32(1e-4) * (noise - np.float32(0.5)), 0, 1)
    network = replace(network, weights=np.zeros_like(network.weights))
    rates = np.ones(network.graph.n_layers - 1)
    couplings = network.couplings(np.float32)
    couplings.correct(free, nudged, network.inputs.astype(np.float32), 1.0, rates)
    expected, _ = literal_update(
        network, free.astype(float), nudged.astype(float), 1.0, rates, rates
    )
    scale = np.abs(expected).max()
    np.testing.assert_allclose(couplings.edge_weights(), expected, atol=1e-5 * scale)


def test_update_of_a_large_sparse_block():
    sizes, n_edges = (1600, 1500), 70_000
    rng = np.random.default_rng(0)
    places = rng.choice(sizes[0] * sizes[1], n_edges, replace=False)
    u, v = np.divmod(places, sizes[1])
    graph = LayeredGraph(sizes, np.column_stack((u, sizes[0] + v)))
    couplings = Couplings(graph, np.zeros(n_edges), dtype=np.float64)
    inputs, nudged = rng.random((sizes[0], 3)), rng.random((sizes[1], 3))
    rms = couplings.correct(np.zeros_like(nudged), nudged, inputs, 1.0, [0.5])
    u, v = graph.edges.T
    expected = 0.5 * (inputs[u] * nudged[v - sizes[0]]).mean(axis=1)
    np.testing.assert_allclose(couplings.edge_weights(), expected, rtol=1e-12)
    np.testing.assert_allclose(rms, [np.sqrt(np.mean(expected**2))], rtol=1e-12)


def test_a_rewired_network_updates_skip_edges_too():
    graph = rewire(layered((6, 8, 8, 3)), 0.5, seed=0)
    assert {block.kind for block in Couplings(graph, np.zeros(graph.n_edges)).blocks} == {
        "interlayer",
        "skip",
    }


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["weights", "biases"])
def test_values_that_are_not_finite_are_refused(name, value):
    values = {"weights": np.zeros(18), "biases": np.zeros(5)}
    values[name][3] = value
    with pytest.raises(InputError, match=f"{name}: entry 3 is not finite"):
        Couplings(layered((4, 3, 2)), **values)


@pytest.mark.parametrize(("n_weights", "n_biases"), [(17, 5), (19, 5), (18, 4), (18, 6)])
def test_wrong_lengths_are_refused(n_weights, n_biases):
    with pytest.raises(InputError, match=r"shape \(\d+,\), must be \("):
        Couplings(layered((4, 3, 2)), np.zeros(n_weights), np.zeros(n_biases))


def test_couplings_say_what_they_are():
    graph = LayeredGraph((40, 1, 2), [(0, 40), (0, 41), (40, 41)])
    told = repr(Couplings(graph, np.zeros(3)))
    assert told == "Couplings(40-1-2, 3 edges, float32; 0-1 sparse, 0-2 sparse, 1-2 dense)"
