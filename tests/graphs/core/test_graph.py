from __future__ import annotations

import copy
import pickle

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered

sizes = st.lists(st.integers(1, 6), min_size=2, max_size=5)


@given(sizes)
def test_layered_is_the_union_of_complete_bipartite_graphs(sizes):
    g = layered(sizes)
    expected = nx.complete_multipartite_graph(*sizes)
    far = [
        (u, v)
        for u, v in expected.edges
        if abs(expected.nodes[u]["subset"] - expected.nodes[v]["subset"]) > 1
    ]
    expected.remove_edges_from(far)
    assert [tuple(edge) for edge in g.edges.tolist()] == sorted(expected.edges)
    assert g.layers.tolist() == [expected.nodes[u]["subset"] for u in range(g.n_nodes)]
    assert g.interlayer.all()


@given(sizes)
def test_intralayer_fills_hidden_layers_and_only_them(sizes):
    g = layered(sizes)
    full = add_intralayer(g)
    inside = full.edges[full.intralayer]
    assert full.n_edges - g.n_edges == sum(n * (n - 1) // 2 for n in sizes[1:-1]) == len(inside)
    assert np.isin(full.layers[inside], np.arange(1, len(sizes) - 1)).all()
    assert add_intralayer(full) == full


def test_the_paper_network():
    g = layered((784, 500, 500, 500, 10))
    assert (g.n_nodes, g.n_edges, g.n_layers) == (2294, 897_000, 5)
    assert add_intralayer(g).n_edges == 1_271_250


@given(sizes, st.data())
def test_edges_become_canonical(sizes, data):
    g = add_intralayer(layered(sizes))
    order = np.array(data.draw(st.permutations(range(g.n_edges))))
    flips = data.draw(st.lists(st.booleans(), min_size=g.n_edges, max_size=g.n_edges))
    shuffled = g.edges[order].copy()
    shuffled[flips] = shuffled[flips][:, ::-1]
    again = LayeredGraph(sizes, shuffled)
    assert again == g
    assert hash(again) == hash(g)
    assert again.edges.dtype == np.int32


@given(sizes)
def test_adjacency_is_symmetric_with_one_entry_per_end(sizes):
    g = add_intralayer(layered(sizes))
    matrix = g.adjacency()
    dense = matrix.toarray()
    assert (dense == dense.T).all()
    assert not dense.diagonal().any()
    assert matrix.nnz == 2 * g.n_edges == dense.sum()
    assert {tuple(e) for e in np.argwhere(np.triu(dense)).tolist()} == {
        tuple(e) for e in g.edges.tolist()
    }


def test_masks_classify_every_edge_once():
    g = LayeredGraph((2, 2, 2), [(0, 2), (2, 3), (0, 4), (1, 5), (3, 4)])
    assert g.edges.tolist() == [[0, 2], [0, 4], [1, 5], [2, 3], [3, 4]]
    assert g.interlayer.tolist() == [True, False, False, False, True]
    assert g.skip.tolist() == [False, True, True, False, False]
    assert g.intralayer.tolist() == [False, False, False, True, False]


def test_layer_slices_tile_the_nodes():
    g = layered((3, 2, 4))
    nodes = np.arange(g.n_nodes)
    assert [nodes[g.layer_slice(layer)].tolist() for layer in range(3)] == [
        [0, 1, 2],
        [3, 4],
        [5, 6, 7, 8],
    ]
    assert g.layer_slice(-1) == g.layer_slice(2)
    with pytest.raises(InputError, match="layer: 3; the graph has layers 0 to 2"):
        g.layer_slice(3)


def test_nothing_can_be_written_to():
    source = np.array([[0, 1]], dtype=np.int32)
    g = LayeredGraph((1, 1), source)
    source[:] = 7
    assert g.edges.tolist() == [[0, 1]]
    for array in (g.edges, g.layers, g.layer_offsets, g.interlayer, g.intralayer, g.skip):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    with pytest.raises(AttributeError):
        g.layer_sizes = (1,)


def test_copies_are_equal_and_read_only():
    g = add_intralayer(layered((2, 3, 2)))
    for other in (copy.deepcopy(g), pickle.loads(pickle.dumps(g))):  # noqa: S301
        assert other == g
        assert other.provenance == g.provenance
        assert not other.edges.flags.writeable


def test_equality_looks_at_content():
    assert layered((2, 2)) != layered((2, 3))
    assert layered((1, 2, 1)) != LayeredGraph((1, 2, 1), [(0, 1)])
    assert LayeredGraph((1, 1), [(0, 1)]) == layered((1, 1))
    assert layered((1, 1)) != "layered"


def test_no_edges():
    g = LayeredGraph((1, 2), np.empty((0, 2), dtype=int))
    assert g.n_edges == 0
    assert g.adjacency().nnz == 0
    assert not g.skip.size


@pytest.mark.parametrize(
    ("sizes", "edges", "message"),
    [
        ((3,), [], r"layer sizes: \[3\]; give at least two layers"),
        ((3, 0, 1), [], "at least one node"),
        ((3, -2), [], "at least one node"),
        ((3, 1.5), [], "give whole numbers"),
        (7, [], "give whole numbers"),
        ((1, 1), [(0, 2)], "node 2 is not there; nodes are 0 to 1"),
        ((1, 1), [(-1, 0)], "node -1 is not there"),
        ((1, 2), [(2, 2)], "self-loop on node 2"),
        ((1, 2), [(0, 2), (2, 0)], "0-2 is given twice"),
        ((1, 2), [(0.0, 1.0)], "type float64"),
        ((1, 2), [0, 1], r"shape \(2,\)"),
    ],
)
def test_bad_input_is_named_in_one_line(sizes, edges, message):
    with pytest.raises(InputError, match=message) as caught:
        LayeredGraph(sizes, edges)
    assert "\n" not in str(caught.value)


def test_labels_must_name_every_node_once():
    assert LayeredGraph((1, 1), [(0, 1)], labels=["a", "b"]).labels == ("a", "b")
    for labels in (["a"], ["a", "a"]):
        with pytest.raises(InputError, match="one distinct label per node"):
            LayeredGraph((1, 1), [(0, 1)], labels=labels)
