from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.dynamics.layout import Layout
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import layered


@st.composite
def layouts(draw):
    """Of any simple graph: the first layer in dense or sparse blocks, the others in dense ones."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=2, max_size=5))
    n = sum(sizes)
    pairs = np.argwhere(np.triu(np.ones((n, n)), k=1))
    density = draw(st.sampled_from([0.01, 0.05, 0.3, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    graph = LayeredGraph(sizes, pairs[rng.random(len(pairs)) < density])
    return graph, Layout(graph)


def matrix_of(graph, values):
    matrix = np.zeros((graph.n_nodes, graph.n_nodes))
    u, v = graph.edges.T
    matrix[u, v] = matrix[v, u] = values
    return matrix


def square(graph, block, matrix):
    first, last = graph.layer_offsets[block.lower], graph.layer_offsets[block.upper]
    return matrix[first : first + block.shape[0], last : last + block.shape[1]]


@given(layouts())
def test_blocks_share_out_the_edges_by_pair_of_layers(made):
    graph, layout = made
    shared = np.concatenate([np.empty(0, int), *(block.edges for block in layout.blocks)])
    assert np.array_equal(np.sort(shared), np.arange(graph.n_edges))
    for block in layout.blocks:
        assert (graph.layers[graph.edges[block.edges]] == (block.lower, block.upper)).all()
        masks = {kind: getattr(graph, kind) for kind in ("intralayer", "interlayer", "skip")}
        assert [kind for kind, mask in masks.items() if mask[block.edges].all()] == [block.kind]
        assert block.name == f"{block.lower}-{block.upper}"


def test_rows_number_the_free_nodes_layer_by_layer():
    layout = Layout(layered((4, 3, 2)))
    assert [np.arange(5)[rows].tolist() for rows in layout.rows] == [[], [0, 1, 2], [3, 4]]
    assert np.arange(5)[layout.output].tolist() == [3, 4]
    assert (layout.n_inputs, layout.n_free, layout.n_edges) == (4, 5, 18)


@pytest.mark.parametrize("compact", [0, 1024])
def test_blocks_are_dense_where_they_are_full_or_the_network_is_small(monkeypatch, compact):
    monkeypatch.setattr("smallworld_eqprop.dynamics.layout.COMPACT", compact)
    full = [(u, v) for u in range(40, 80) for v in range(80, 82)]
    graph = LayeredGraph((40, 40, 2, 40), [(0, 40), (40, 82), (80, 90), *full])
    dense = {block.name: block.dense for block in Layout(graph).blocks}
    # What comes from the inputs is kept by its share of edges alone.
    assert dense == {"0-1": False, "1-2": True, "1-3": compact > 0, "2-3": compact > 0}


@pytest.mark.parametrize("compact", [0, 1024])
@given(made=layouts(), seed=st.integers(0, 2**32))
def test_values_are_where_their_edges_are(made, seed, compact):
    graph, _ = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smallworld_eqprop.dynamics.layout.COMPACT", compact)
        layout = Layout(graph)
    values = np.random.default_rng(seed).normal(size=graph.n_edges)
    packed = layout.pack(values)
    if packed:
        assert np.array_equal(layout.unpack(packed), values)
    whole = matrix_of(graph, values)
    for block, array in zip(layout.blocks, packed, strict=True):
        expected = square(graph, block, whole)
        found = block.matrix(array)
        if not block.dense and block.inside:
            expected = np.triu(expected)
        np.testing.assert_array_equal(found if block.dense else found.toarray(), expected)
        rms = np.sqrt(np.mean(values[block.edges] ** 2))
        assert block.rms(array) == pytest.approx(rms, rel=1e-12)
        sums = block.sums(array)
        assert np.array_equal(block.unpack(array), values[block.edges])
        if block.inside:
            np.testing.assert_allclose(sums[0] + sums[1], expected_sums(graph, block, whole))
        else:
            np.testing.assert_allclose(sums[0], expected.sum(axis=1), atol=1e-12)
            np.testing.assert_allclose(sums[1], expected.sum(axis=0), atol=1e-12)


def expected_sums(graph, block, whole):
    return square(graph, block, whole).sum(axis=1)


@pytest.mark.parametrize("compact", [0, 1024])
@given(made=layouts(), seed=st.integers(0, 2**32), k=st.integers(1, 5))
def test_products_at_the_edges(made, seed, k, compact):
    graph, _ = made
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smallworld_eqprop.dynamics.layout.COMPACT", compact)
        layout = Layout(graph)
    rng = np.random.default_rng(seed)
    sides = rng.normal(size=(2, k, graph.n_nodes))
    # What a contrast makes: symmetric on paper.
    left, right = np.concatenate(sides), np.concatenate(sides[::-1])
    whole = (left.T @ right)[tuple(graph.edges.T)]
    start = rng.normal(size=graph.n_edges)
    for block, array in zip(layout.blocks, layout.pack(start), strict=True):
        first, last = (graph.layer_offsets[each] for each in (block.lower, block.upper))
        ends = right[:, last : last + block.shape[1]]
        starts = left[:, first : first + block.shape[0]]
        found = block.product(starts, ends)
        np.testing.assert_allclose(block.unpack(found), whole[block.edges], atol=1e-12)
        if block.dense:
            assert not found[~block.mask].any()
        rows = np.flatnonzero(rng.random(block.shape[0]) < 0.6)
        added = np.isin(graph.edges[block.edges, 0] - first, rows)
        if block.inside:  # both ends have to be there
            added &= np.isin(graph.edges[block.edges, 1] - last, rows)
            if not block.dense:
                continue
        change = np.where(added, whole[block.edges], 0)
        rms = block.add_product(array, rows, starts[:, rows], ends, np.empty(array.size))
        np.testing.assert_allclose(block.unpack(array), start[block.edges] + change, atol=1e-12)
        assert rms == pytest.approx(np.sqrt(np.mean(change**2)), rel=1e-9)
        if block.inside and block.dense:
            assert np.array_equal(array, array.T)


@given(layouts(), st.integers(0, 2**32))
def test_what_stands_where_there_is_no_edge_is_left_out(made, seed):
    _, layout = made
    rng = np.random.default_rng(seed)
    for block in layout.blocks:
        array = rng.normal(size=block.shape if block.dense else len(block.edges))
        kept = block.at_edges(array)
        assert np.array_equal(block.unpack(kept), block.unpack(array))
        if block.dense:
            assert not kept[~block.mask].any()
            assert not block.inside or np.array_equal(kept, kept.T)
