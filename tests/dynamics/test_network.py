from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire


@st.composite
def graphs(draw):
    """Any simple graph on a few layers, from empty to complete: dense and sparse blocks alike."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=2, max_size=5))
    n = sum(sizes)
    pairs = np.argwhere(np.triu(np.ones((n, n)), k=1))
    density = draw(st.sampled_from([0.01, 0.05, 0.3, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    return LayeredGraph(sizes, pairs[rng.random(len(pairs)) < density])


def contrast_of(network, seed=5, gain=1.0, dtype=np.float64):
    """Between two random states."""
    first, second = network.states(seed)
    inputs = network.inputs.astype(dtype)
    return Contrast.between(first.astype(dtype), second.astype(dtype), inputs, gain)


def layers_of(graph, rate=0.1):
    return np.full(graph.n_layers - 1, rate)


def free_edges(graph):
    """Edges that the clamped inputs do not fix at both ends."""
    return graph.layers[graph.edges[:, 1]] > 0


def assert_same_circuit(found, expected):
    """Bit for bit, in all that a circuit is asked."""
    free, n_inputs = found.n_free, found.layout.n_inputs
    rng = np.random.default_rng(0)
    state = rng.random((3, free)).astype(found.dtype)
    inputs = rng.random((3, n_inputs)).astype(found.dtype)
    np.testing.assert_array_equal(found.self_term, expected.self_term)
    np.testing.assert_array_equal(found.drive(inputs), expected.drive(inputs))
    np.testing.assert_array_equal(found.field(state), expected.field(state))
    np.testing.assert_array_equal(found.matrix().toarray(), expected.matrix().toarray())
    np.testing.assert_array_equal(found.whole().weights, expected.whole().weights)
    for one, other in zip(found.whole().arrays, expected.whole().arrays, strict=True):
        np.testing.assert_array_equal(one, other)


# --- the circuit of a network ------------------------------------------------------------------


@given(graphs(), st.integers(1, 9), st.integers(0, 2**32))
def test_field_and_drive_are_those_of_the_dense_matrix(make, graph, batch, seed):
    network = make(graph, seed, batch)
    circuit, (state, _) = network.network().circuit, network.states()
    drive = circuit.drive(network.inputs)
    np.testing.assert_allclose(drive, network.pull, rtol=0, atol=1e-13)
    np.testing.assert_allclose(circuit.field(state, drive), network.field(state), atol=1e-12)


def check_circuit(network):
    circuit, (state, _) = network.network().circuit, network.states()
    np.testing.assert_allclose(circuit.self_term, network.self_term, rtol=1e-13)
    np.testing.assert_allclose(circuit.drive(network.inputs), network.pull, atol=1e-12)
    np.testing.assert_allclose(circuit.field(state, network.pull), network.field(state), atol=1e-12)
    np.testing.assert_allclose(circuit.field(state), state @ network.inner, atol=1e-12)
    np.testing.assert_allclose(circuit.matrix().toarray(), network.inner, atol=1e-14)
    np.testing.assert_allclose(circuit.whole().weights, network.inner, atol=1e-14)
    np.testing.assert_array_equal(circuit.low, network.low)
    np.testing.assert_array_equal(circuit.high, network.high)


def test_the_circuit_of_every_model_on_every_graph(any_network):
    check_circuit(any_network)


@pytest.mark.usefixtures("blockwise")
def test_the_circuit_of_sparse_blocks(any_network):
    check_circuit(any_network)


def test_arguments_are_left_as_they_are(any_network):
    network = any_network.network()
    contrast = contrast_of(any_network)
    rates = layers_of(network.graph)
    steps = [0.01 * array for array in network.gradient(contrast)]
    arrays = [
        any_network.weights, any_network.biases, any_network.inputs, rates,
        contrast.deviation, contrast.midpoint, *steps,
    ]  # fmt: skip
    before = [array.copy() for array in arrays]
    drive = network.circuit.drive(any_network.inputs)
    kept = drive.copy()
    network.circuit.field(contrast.midpoint, drive)
    network.edge_gradient(contrast)
    network.pair_gradient(contrast, network.graph.edges)
    network.descend(contrast, rates, rates)
    network.add(steps)
    assert np.array_equal(drive, kept)
    for array, copy in zip(arrays, before, strict=True):
        assert np.array_equal(array, copy)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_precision_is_kept(any_network, dtype):
    network = any_network.network(dtype)
    contrast = contrast_of(any_network, dtype=dtype)
    drive = network.circuit.drive(contrast.inputs)
    gradient = network.gradient(contrast)
    network.descend(contrast, layers_of(network.graph), layers_of(network.graph))
    network.add([0.1 * each for each in gradient])
    circuit = network.circuit
    edge = network.edge_gradient(contrast)
    arrays = [
        drive, circuit.field(contrast.midpoint, drive), circuit.field(contrast.midpoint),
        network.biases, network.weights, circuit.self_term, circuit.low, circuit.whole().weights,
        *network.parameters, *gradient, edge.weights, edge.biases,
        network.pair_gradient(contrast, network.graph.edges),
        SOR().relax(circuit, drive, np.zeros_like(drive)).state,
    ]  # fmt: skip
    assert {array.dtype for array in arrays} == {np.dtype(dtype)}


# --- parameters --------------------------------------------------------------------------------


@given(graphs(), st.integers(0, 2**32))
def test_weights_come_back_in_the_order_of_the_edges(graph, seed):
    weights = np.random.default_rng(seed).normal(size=graph.n_edges).astype(np.float32)
    network = Network(graph, weights)
    assert np.array_equal(network.weights, weights)
    network.weights[:] = 7  # of a copy
    network.biases[:] = 7
    assert np.array_equal(network.weights, weights)
    assert not network.biases.any()


@given(graphs(), st.integers(0, 2**32))
def test_packing_and_unpacking_are_inverse(graph, seed):
    network, rng = Network(graph), np.random.default_rng(seed)
    weights, biases = rng.normal(size=graph.n_edges), rng.normal(size=network.n_free)
    packed = network.pack(weights, biases)
    assert [a.shape for a in packed] == [a.shape for a in network.parameters]
    for found, given_ in zip(network.unpack(packed), (weights, biases), strict=True):
        assert np.array_equal(found, given_)
    biases[:] = 0  # packing copied them
    assert np.array_equal(network.unpack(packed)[1].any(), network.n_free > 0)


def test_parameters_are_views_that_cannot_be_written_to(any_network):
    network = any_network.network()
    views = network.parameters
    assert len(views) == len(network.groups)
    for view in views:
        with pytest.raises(ValueError, match="read-only"):
            view += 1
    network.weights = 0.9 * network.weights + 0.04
    network.biases = np.arange(network.n_free)
    weights, biases = network.unpack(views)
    assert np.array_equal(weights, network.weights)
    assert np.array_equal(biases, np.arange(network.n_free))


def test_groups_say_what_the_parameters_are(network):
    real, graph = network.network(), network.graph
    names = [f"weights {block.name}" for block in real.blocks]
    names += [f"biases of layer {layer}" for layer in range(1, graph.n_layers)]
    assert [str(group) for group in real.groups] == names
    for group, array in zip(real.groups, real.parameters, strict=True):
        if group.kind == "weights":
            ends = graph.edges[group.block.edges]
            assert (graph.layers[ends[:, 1]] == group.layer).all()
        else:
            assert array.shape == (graph.layer_sizes[group.layer],)


def test_biases_start_at_zero():
    biases = Network(layered((4, 3, 2)), np.zeros(18)).biases
    assert biases.shape == (5,)
    assert not biases.any()


def test_weights_start_as_the_model_draws_them(any_model):
    graph, model = any_model.graph, any_model.model
    first = Network(graph, model=model, seed=3).weights
    assert np.array_equal(first, np.asarray(model.initial(graph, 3), np.float32))
    assert not np.array_equal(first, Network(graph, model=model, seed=4).weights)


# --- every write is followed -------------------------------------------------------------------


def write_weights(network, rng):
    weights = network.weights * rng.uniform(0.8, 0.99, network.graph.n_edges) + 0.02
    network.weights = np.clip(weights, *network.model.limits(network.graph))


def write_biases(network, rng):
    network.biases = rng.normal(size=network.n_free)


def write_steps(network, rng):
    gradient = network.pack(rng.normal(size=network.graph.n_edges), rng.normal(size=network.n_free))
    network.add([0.02 * each.astype(network.dtype) for each in gradient])


def write_descent(network, rng):
    shape = 4, network.n_free
    states = rng.random((2, *shape)).astype(network.dtype)
    inputs = rng.random((4, network.n_inputs)).astype(network.dtype)
    rates = layers_of(network.graph, 0.05)
    network.descend(Contrast.between(*states, inputs, 1.0), rates, 2 * rates)


WRITES = [write_weights, write_biases, write_steps, write_descent]


def check_followed(network, dtype):
    real, rng = network.network(dtype), np.random.default_rng(7)
    for write in [*WRITES, *WRITES[::-1]]:
        before = real.weights, real.biases
        whole = real.circuit.whole()
        write(real, rng)
        after = real.weights, real.biases
        assert not all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
        fresh = Network(real.graph, *after, real.model, dtype=dtype)
        assert_same_circuit(real.circuit, fresh.circuit)
        assert real.circuit.whole() is whole  # written anew, not allocated anew
    written = network.like(real)
    rounding = 1e-12 if dtype is np.float64 else 1e-5
    state, _ = network.states()
    drive = real.circuit.drive(network.inputs.astype(dtype))
    found = real.circuit.field(state.astype(dtype), drive)
    np.testing.assert_allclose(found, written.field(state), atol=rounding)
    np.testing.assert_allclose(real.circuit.self_term, written.self_term, rtol=rounding)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_write_is_followed_by_all_that_is_derived(any_network, dtype):
    check_followed(any_network, dtype)


@pytest.mark.usefixtures("blockwise")
def test_every_write_is_followed_where_blocks_are_sparse(any_network):
    check_followed(any_network, np.float32)


def test_where_fields_are_plain_sums_the_matrices_are_the_weights_themselves(network):
    real = network.network()
    for matrices in (real.circuit.first, *real.circuit.into):
        for matrix, _ in matrices:
            data = matrix if isinstance(matrix, np.ndarray) else matrix.data
            assert any(np.shares_memory(data, array) for array in real.parameters)


# --- gradients ---------------------------------------------------------------------------------


def literal_gradient(network, contrast):
    """Gradient by edge and by node from the derivative of the energy, example by example."""
    graph, n = network.graph, network.n_inputs
    still = np.zeros_like(contrast.inputs)
    d = np.concatenate((still, contrast.deviation), axis=1)
    m = np.concatenate((contrast.inputs, contrast.midpoint), axis=1)
    pairs = np.zeros((graph.n_nodes, graph.n_nodes))
    for a, b in zip(d, m, strict=True):
        seen = np.outer(a, b) + np.outer(b, a)
        if network.model.sees == "difference":
            own = np.diag(seen) / 2
            seen = seen - own[:, None] - own
        pairs -= seen * contrast.gain / len(d)
    free = n + np.arange(len(network.biases))
    biases = -contrast.gain * contrast.deviation.mean(axis=0) * network.model.bias_scale(graph)
    assert len(free) == len(biases)
    return pairs, biases


def test_gradients_are_those_of_the_dense_formula(any_network):
    real, graph = any_network.network(), any_network.graph
    contrast = contrast_of(any_network, gain=-1.7)
    pairs, biases = literal_gradient(any_network, contrast)
    u, v = graph.edges.T
    by_edge = np.where(free_edges(graph), pairs[u, v] * any_network.scale[u, v], 0)
    found = real.edge_gradient(contrast)
    np.testing.assert_allclose(found.weights, by_edge, atol=1e-12)
    np.testing.assert_allclose(found.biases, biases, atol=1e-12)
    packed = real.pack(by_edge, biases)
    for group, array, expected in zip(real.groups, real.gradient(contrast), packed, strict=True):
        np.testing.assert_allclose(array, expected, atol=1e-12, err_msg=str(group))


@pytest.mark.usefixtures("blockwise")
def test_gradients_at_sparse_blocks(any_network):
    test_gradients_are_those_of_the_dense_formula(any_network)


def test_a_gradient_is_0_where_there_is_no_edge_and_symmetric_inside_a_layer(any_network):
    real = any_network.network(np.float32)
    gradient = real.gradient(contrast_of(any_network, dtype=np.float32))
    for block, array in zip(real.blocks, gradient, strict=False):
        if block.dense:
            assert not array[~block.mask].any()
            assert not block.inside or np.array_equal(array, array.T)


@pytest.mark.parametrize("raw", [True, False])
def test_gradients_of_any_pairs_of_nodes(any_network, raw):
    real, n = any_network.network(), any_network.graph.n_nodes
    contrast = contrast_of(any_network, gain=0.6)
    expected, _ = literal_gradient(any_network, contrast)
    if not raw:
        expected = expected * any_network.scale
    pairs = np.argwhere(~np.eye(n, dtype=bool))  # in both orders, edges or not
    found = real.pair_gradient(contrast, pairs, raw=raw)
    # Between two inputs nothing moves.
    np.testing.assert_allclose(found, expected[tuple(pairs.T)], atol=1e-12)
    edges = any_network.graph.edges
    if not raw:
        at_edges = real.edge_gradient(contrast).weights
        np.testing.assert_allclose(real.pair_gradient(contrast, edges), at_edges, atol=1e-12)
    assert real.pair_gradient(contrast, np.empty((0, 2), int), raw=raw).shape == (0,)


@pytest.mark.parametrize("few", [0, 10**9], ids=["pair by pair", "row by row"])
def test_more_pairs_than_are_taken_at_once(any_network, few, monkeypatch):
    for name, value in (("FEW", few), ("TOGETHER", 50), ("ROWS", 7)):
        monkeypatch.setattr(f"smallworld_eqprop.dynamics.pairs.{name}", value)
    test_gradients_of_any_pairs_of_nodes(any_network, raw=False)


@pytest.mark.parametrize("pair", [(0, 47), (-1, 3), (5, 5)])
def test_pairs_that_are_none_are_refused(layered_network, pair):
    with pytest.raises(InputError, match=r"pairs: \[.*\], must be two different nodes below 47$"):
        layered_network.network().pair_gradient(contrast_of(layered_network), [(0, 9), pair])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_descending_is_adding_minus_the_rate_times_the_gradient(any_network, dtype):
    rng = np.random.default_rng(2)
    rates, bias_rates = rng.uniform(0, 0.3, (2, any_network.graph.n_layers - 1))
    contrast = contrast_of(any_network, gain=1.3, dtype=dtype)
    fused, plain = any_network.network(dtype), any_network.network(dtype)
    by_kind = {"weights": [0, *rates], "biases": [0, *bias_rates]}
    steps = [
        (-by_kind[group.kind][group.layer] * gradient).astype(dtype)
        for group, gradient in zip(plain.groups, plain.gradient(contrast), strict=True)
    ]
    rounding = 1e-12 if dtype is np.float64 else 3e-6
    changes = fused.descend(contrast, rates, bias_rates)
    np.testing.assert_allclose(changes, plain.add(steps), atol=rounding)
    np.testing.assert_allclose(fused.weights, plain.weights, atol=rounding)
    np.testing.assert_allclose(fused.biases, plain.biases, atol=rounding)
    assert np.abs(fused.weights - any_network.weights).max() > 1e-3


# --- updates -----------------------------------------------------------------------------------


def literal_update(network, free, nudged, scale, rates, bias_rates):
    """The published update, edge by edge and example by example."""
    graph, batch = network.graph, len(free)
    before = np.hstack((network.inputs, free)).astype(float)
    after = np.hstack((network.inputs, nudged)).astype(float)
    weights = np.zeros(graph.n_edges)
    for e, (u, v) in enumerate(graph.edges):
        # The output-side end is v, since nodes are numbered layer by layer.
        if graph.layers[v] > 0:
            contrast = sum(
                after[k, u] * after[k, v] - before[k, u] * before[k, v] for k in range(batch)
            )
            weights[e] = scale * rates[graph.layers[v] - 1] * contrast / batch
    free_layers = graph.layers[graph.layer_sizes[0] :]
    biases = scale * np.array(bias_rates)[free_layers - 1] * (nudged - free).mean(axis=0)
    return weights, biases


@settings(max_examples=30)
@given(graphs(), st.integers(1, 6), st.floats(-5, 5), st.integers(0, 2**32))
def test_descending_is_the_published_update_edge_by_edge(make, graph, batch, scale, seed):
    network = make(graph, seed, batch)
    free, nudged = network.states(seed)
    rates, bias_rates = np.random.default_rng(seed).random((2, graph.n_layers - 1))
    real = network.network()
    contrast = Contrast.between(free, nudged, network.inputs, scale)
    rms = real.descend(contrast, rates, bias_rates)
    weights, biases = literal_update(network, free, nudged, scale, rates, bias_rates)
    np.testing.assert_allclose(real.weights, network.weights + weights, atol=1e-12)
    np.testing.assert_allclose(real.biases, network.biases + biases, atol=1e-12)
    expected = [np.sqrt(np.mean(weights[block.edges] ** 2)) for block in real.blocks]
    np.testing.assert_allclose(rms, expected, atol=1e-12)


def test_an_edge_takes_the_rate_of_the_layer_of_its_output_side_end():
    graph = LayeredGraph((1, 2, 1, 1), [(0, 1), (1, 2), (1, 3), (0, 3), (2, 4), (0, 4), (3, 4)])
    network = Network(graph, np.zeros(7), dtype=np.float64)
    contrast = Contrast.between(np.zeros((1, 4)), np.ones((1, 4)), np.ones((1, 1)), 1.0)
    network.descend(contrast, [1, 10, 100], [2, 20, 200])
    changes = dict(zip(map(tuple, graph.edges.tolist()), network.weights, strict=True))
    assert changes == {
        (0, 1): 1, (1, 2): 1, (0, 3): 10, (1, 3): 10, (0, 4): 100, (2, 4): 100, (3, 4): 100
    }  # fmt: skip
    assert network.biases.tolist() == [2, 2, 20, 200]


def test_many_updates_leave_weights_symmetric_and_on_the_edges(network):
    real, graph = network.network(np.float32), network.graph
    rng = np.random.default_rng(0)
    for seed in range(5):
        contrast = contrast_of(network, seed, 0.7, np.float32)
        real.descend(contrast, layers_of(graph), layers_of(graph))
        # Whatever stands where there is no edge, or in only one triangle of a layer.
        real.add([rng.normal(0, 0.1, a.shape).astype(np.float32) for a in real.parameters])
    matrix = np.zeros((graph.n_nodes, graph.n_nodes), np.float32)
    n = graph.layer_sizes[0]
    matrix[n:, n:] = real.circuit.field(np.eye(real.n_free, dtype=np.float32))
    unit = np.eye(n, dtype=np.float32)
    matrix[:n, n:] = real.circuit.drive(unit) - real.biases
    matrix[n:, :n] = matrix[:n, n:].T
    # Bit by bit; the couplings among free nodes are read independently in both directions.
    assert np.array_equal(matrix, matrix.T)
    assert not matrix[~(graph.adjacency().toarray() > 0)].any()
    u, v = graph.edges[free_edges(graph)].T
    expected, inner = real.weights[free_edges(graph)], u >= n
    assert np.array_equal(matrix[u, v][inner], expected[inner])
    np.testing.assert_allclose(matrix[u, v], expected, atol=1e-6)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_equal_phases_or_no_rate_change_nothing(any_network, rate):
    real, (free, other) = any_network.network(), any_network.states()
    nudged = free.copy() if rate else other
    contrast = Contrast.between(free, nudged, any_network.inputs, 1.0)
    rates = layers_of(any_network.graph, rate)
    weights, biases = real.weights, real.biases
    assert not any(real.descend(contrast, rates, rates))
    assert np.array_equal(real.weights, weights)
    assert np.array_equal(real.biases, biases)


@pytest.mark.parametrize("route", ["descend", "gradient"])
def test_single_precision_resolves_a_small_contrast(network, route):
    # Subtracting products of nearly equal states would leave about three digits here.
    free, noise = (each.astype(np.float32) for each in network.states())
    nudged = np.clip(free + np.float32(1e-4) * (noise - np.float32(0.5)), 0, 1)
    network = replace(network, weights=np.zeros_like(network.weights))
    rates = layers_of(network.graph, 1.0)
    real = network.network(np.float32)
    contrast = Contrast.between(free, nudged, network.inputs.astype(np.float32), 1.0)
    if route == "descend":
        real.descend(contrast, rates, rates)
        found = real.weights
    else:
        found = -real.edge_gradient(contrast).weights
    exact = replace(network, inputs=contrast.inputs.astype(float))
    expected, _ = literal_update(exact, free.astype(float), nudged.astype(float), 1.0, rates, rates)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_update_of_a_large_sparse_block():
    sizes, n_edges = (1600, 1500), 70_000
    rng = np.random.default_rng(0)
    places = rng.choice(sizes[0] * sizes[1], n_edges, replace=False)
    u, v = np.divmod(places, sizes[1])
    graph = LayeredGraph(sizes, np.column_stack((u, sizes[0] + v)))
    network = Network(graph, np.zeros(n_edges), dtype=np.float64)
    assert not network.blocks[0].dense
    inputs, nudged = rng.random((3, sizes[0])), rng.random((3, sizes[1]))
    contrast = Contrast.between(np.zeros_like(nudged), nudged, inputs, 1.0)
    gradient = network.edge_gradient(contrast).weights
    rms = network.descend(contrast, [0.5], [0.5])
    u, v = graph.edges.T
    expected = 0.5 * (inputs[:, u] * nudged[:, v - sizes[0]]).mean(axis=0)
    np.testing.assert_allclose(network.weights, expected, rtol=1e-12)
    np.testing.assert_allclose(gradient, -2 * expected, rtol=1e-12)
    np.testing.assert_allclose(rms, [np.sqrt(np.mean(expected**2))], rtol=1e-12)


def test_a_rewired_network_has_skip_edges():
    graph = rewire(layered((6, 8, 8, 3)), 0.5, seed=0)
    assert {block.kind for block in Network(graph).blocks} == {"interlayer", "skip"}


def test_adding_reports_the_rms_change_of_every_block(any_network):
    real, rng = any_network.network(), np.random.default_rng(1)
    before = real.weights
    steps = real.pack(rng.normal(0, 0.1, real.graph.n_edges), rng.normal(size=real.n_free))
    found = real.add(steps)
    change = real.weights - before
    expected = [np.sqrt(np.mean(change[block.edges] ** 2)) for block in real.blocks]
    np.testing.assert_allclose(found, expected, rtol=1e-10)


# --- limits of weights -------------------------------------------------------------------------


@dataclass(frozen=True)
class Limited(Model):
    least: float = -0.1
    most: float = 0.1

    def limits(self, graph):
        return self.least, self.most

    def initial(self, graph, seed):
        return np.full(graph.n_edges, (self.least + self.most) / 2)


LIMITED = add_intralayer(layered((4, 5, 3)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("limits", [(-0.1, 0.1), (0, np.inf), (-np.inf, -0.3), (0.7, 0.7)])
def test_weights_are_cut_at_their_limits_when_written(limits, dtype):
    model = Limited(*limits)
    start = np.clip(np.zeros(LIMITED.n_edges), *limits)
    network = Network(LIMITED, start, model=model, dtype=dtype)
    low, high = np.array(limits).astype(dtype)
    for seed in range(4):
        rng = np.random.default_rng(seed)
        step = network.pack(rng.normal(0, 0.3, LIMITED.n_edges), np.zeros(8))
        before = network.weights
        uncut = before + network.unpack(step)[0]
        rms = network.add([each.astype(dtype) for each in step])
        np.testing.assert_allclose(network.weights, np.clip(uncut, low, high), atol=1e-7)
        assert network.weights.min() >= low
        assert network.weights.max() <= high
        change = network.weights - before
        expected = [np.sqrt(np.mean(change[block.edges] ** 2)) for block in network.blocks]
        np.testing.assert_allclose(rms, expected, rtol=1e-5, atol=1e-9)
        assert_same_circuit(
            network.circuit,
            Network(LIMITED, network.weights, network.biases, model, dtype=dtype).circuit,
        )
        network.weights = network.weights  # what was cut is allowed


@pytest.mark.parametrize("value", [-0.11, 0.11])
def test_weights_beyond_their_limits_are_refused(value):
    weights = np.zeros(LIMITED.n_edges)
    weights[3] = value
    told = rf"weights: {value}\d* on edge 3, must be from -0.1 to 0.1"
    with pytest.raises(InputError, match=told):
        Network(LIMITED, weights, model=Limited())
    network = Network(LIMITED, model=Limited())
    with pytest.raises(InputError, match=told):
        network.weights = weights
    assert not network.weights.any()


# --- weak feedback -----------------------------------------------------------------------------


@pytest.mark.parametrize("depth", ["layers", "hops"])
def test_full_feedback_is_a_hopfield_network_to_the_bit(layered_network, depth):
    graph, weights = layered_network.graph, layered_network.weights
    plain = Network(graph, weights, model=Hopfield(-1, 1))
    full = Network(graph, weights, model=WeakFeedback(-1, 1, feedback=1, depth=depth))
    for seed in range(10):
        contrast = contrast_of(layered_network, seed, dtype=np.float32)
        drives = [each.circuit.drive(contrast.inputs) for each in (plain, full)]
        ends = [
            SOR(1e-5).relax(each.circuit, drive, contrast.midpoint).state
            for each, drive in zip((plain, full), drives, strict=True)
        ]
        assert np.array_equal(*ends)
        for one, other in zip(plain.gradient(contrast), full.gradient(contrast), strict=True):
            assert np.array_equal(one, other)
        for each in (plain, full):
            each.descend(contrast, layers_of(graph), layers_of(graph))
        assert np.array_equal(plain.weights, full.weights)
        assert np.array_equal(plain.biases, full.biases)


# --- edges that move ---------------------------------------------------------------------------


def test_common_edges_keep_their_weights_when_edges_move(any_model):
    real = any_model.network()
    new = np.clip(0, any_model.model.limits(any_model.graph)[0], np.inf)
    graph = rewire(any_model.graph, 0.3, seed=5)
    moved, origin = real.moved_to(graph)
    old = dict(zip(map(tuple, real.graph.edges.tolist()), range(real.graph.n_edges), strict=True))
    expected = [old.get(tuple(edge), -1) for edge in graph.edges.tolist()]
    assert origin.tolist() == expected
    assert 0 < (origin < 0).sum() < graph.n_edges
    weights = real.weights
    assert np.array_equal(moved.weights, [weights[e] if e >= 0 else new for e in expected])
    assert np.array_equal(moved.biases, real.biases)
    assert (moved.graph, moved.model, moved.dtype) == (graph, real.model, real.dtype)
    assert np.array_equal(real.weights, any_model.weights)
    moved.weights = 0.9 * moved.weights + 0.04
    assert np.array_equal(real.weights, any_model.weights)
    again, back = real.moved_to(real.graph)
    assert np.array_equal(back, np.arange(real.graph.n_edges))
    assert np.array_equal(again.weights, real.weights)


def test_new_edges_have_the_weight_closest_to_0_that_is_allowed(models):
    graph = layered((3, 4, 2))
    network = Network(graph, model=models["conductances"], seed=0)
    target = rewire(graph, 0.5, seed=1)
    moved, origin = network.moved_to(target)
    assert np.array_equal(moved.weights[origin < 0], np.full((origin < 0).sum(), np.float32(0.1)))


def test_edges_move_to_and_from_a_graph_without_edges():
    none, full = LayeredGraph((2, 3), np.empty((0, 2), int)), layered((2, 3))
    network = Network(full, np.arange(6), [1, 2, 3])
    bare, origin = network.moved_to(none)
    assert origin.shape == bare.weights.shape == (0,)
    assert bare.biases.tolist() == [1, 2, 3]
    again, origin = bare.moved_to(full)
    assert origin.tolist() == [-1] * 6
    assert not again.weights.any()


def test_edges_do_not_move_to_other_layers():
    with pytest.raises(InputError, match=r"graph: layers \(2, 2, 3\), must be \(2, 3\)"):
        Network(layered((2, 3))).moved_to(layered((2, 2, 3)))


# --- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["weights", "biases"])
def test_values_that_are_not_finite_are_refused(name, value):
    values = {"weights": np.zeros(18), "biases": np.zeros(5)}
    network = Network(layered((4, 3, 2)), **values)
    values[name][3] = value
    with pytest.raises(InputError, match=f"{name}: entry 3 is not finite"):
        Network(layered((4, 3, 2)), **values)
    with pytest.raises(InputError, match=f"{name}: entry 3 is not finite"):
        setattr(network, name, values[name])
    assert not getattr(network, name).any()


@pytest.mark.parametrize(("n_weights", "n_biases"), [(17, 5), (19, 5), (18, 4), (18, 6)])
def test_wrong_lengths_are_refused(n_weights, n_biases):
    network = Network(layered((4, 3, 2)))
    with pytest.raises(InputError, match=r"shape \(\d+,\), must be \("):
        Network(layered((4, 3, 2)), np.zeros(n_weights), np.zeros(n_biases))
    name, n = ("weights", n_weights) if n_weights != 18 else ("biases", n_biases)
    with pytest.raises(InputError, match=rf"{name}: shape \({n},\), must be \("):
        setattr(network, name, np.zeros(n))


@pytest.mark.parametrize("dtype", [np.float16, int, complex])
def test_other_precisions_are_refused(dtype):
    with pytest.raises(InputError, match=r"dtype: .*, allowed: float32, float64$"):
        Network(layered((4, 3, 2)), dtype=dtype)


@pytest.mark.parametrize("name", ["deviation", "midpoint", "inputs"])
@pytest.mark.parametrize("use", ["gradient", "edge_gradient", "descend", "pair_gradient"])
def test_a_contrast_that_does_not_fit_is_refused(layered_network, name, use):
    contrast = contrast_of(layered_network)
    extra = {"gradient": (), "edge_gradient": (), "descend": ([0.1] * 3, [0.1] * 3),
             "pair_gradient": ([(0, 9)],)}[use]  # fmt: skip
    network = layered_network.network()
    cut = getattr(contrast, name)[:, 1:]
    with pytest.raises(InputError, match=rf"^{name} of a contrast: shape .*, must be \(7, "):
        getattr(network, use)(replace(contrast, **{name: cut}), *extra)
    if name != "inputs":  # they tell how many examples there are
        cut = getattr(contrast, name)[1:]
        with pytest.raises(InputError, match=rf"^{name} of a contrast: shape \(6, "):
            getattr(network, use)(replace(contrast, **{name: cut}), *extra)
    assert np.array_equal(network.weights, layered_network.weights)


def test_steps_that_do_not_fit_are_refused(layered_network):
    network = layered_network.network()
    steps = [np.ones_like(array) for array in network.parameters]
    with pytest.raises(InputError, match=r"^steps: 5 arrays, must be 6$"):
        network.add(steps[:-1])
    steps[1] = steps[1][:, 1:]
    told = r"^step of weights 1-2: shape \(20, 14\), must be \(20, 15\)$"
    with pytest.raises(InputError, match=told):
        network.add(steps)
    # Nothing has been written.
    assert np.array_equal(network.weights, layered_network.weights)
    assert np.array_equal(network.biases, layered_network.biases)


def test_a_network_says_what_it_is():
    graph = LayeredGraph((40, 1, 2), [(0, 40), (0, 41), (40, 41)])
    told = repr(Network(graph, np.zeros(3)))
    assert told == (
        "Network(40-1-2, 3 edges, "
        "Hopfield(low=0.0, high=1.0, linear_outputs=False, readout=False), "
        "float32; "
        "0-1 sparse, 0-2 sparse, 1-2 dense)"
    )


@pytest.mark.usefixtures("large")
def test_a_large_network_is_not_relaxed_example_by_example(layered_network):
    network = layered_network.network()
    assert not network.by_example
    assert network.circuit.whole() is None
    nodes = np.array([1, 4, 20, 38])
    found = network.circuit.among(nodes)
    np.testing.assert_array_equal(found, layered_network.inner[np.ix_(nodes, nodes)])
