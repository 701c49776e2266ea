from __future__ import annotations

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import (
    as_adjacency,
    edges_of,
    networkx_adjacency,
    weighted_adjacency,
)
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import layered


def test_every_kind_of_graph_gives_the_same_matrix() -> None:
    graph = nx.karate_club_graph()
    expected = nx.to_numpy_array(graph, weight=None)
    for same in (
        graph,
        igraph.Graph(n=len(graph), edges=list(graph.edges)),
        nx.to_scipy_sparse_array(graph),
        nx.to_scipy_sparse_array(graph, format="coo"),
        sparse.csr_matrix(expected),
    ):
        matrix = as_adjacency(same)
        assert (matrix.toarray() == expected).all()
        assert matrix.has_sorted_indices


def test_a_layered_graph_is_taken() -> None:
    g = layered((3, 2, 1))
    assert np.array_equal(edges_of(as_adjacency(g)), g.edges)


def test_stored_zeros_are_no_edges() -> None:
    matrix = sparse.csr_array(np.array([[0, 1.0, 2], [1, 0, 0], [2, 0, 0]]))
    matrix.data[:] = [1, 0, 1, 0]
    assert as_adjacency(matrix).nnz == 2
    assert matrix.nnz == 4


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.DiGraph([(0, 1)]), "DiGraph"),
        (nx.MultiGraph([(0, 1), (0, 1)]), "MultiGraph"),
        (nx.Graph([(0, 0), (0, 1)]), "1 self-loops"),
        (igraph.Graph(n=2, edges=[(0, 1)], directed=True), "directed"),
        (igraph.Graph(n=2, edges=[(0, 1), (0, 1)]), "parallel"),
        (igraph.Graph(n=2, edges=[(0, 1), (1, 1)]), "1 self-loops"),
        (sparse.csr_array(np.eye(3)), "3 self-loops"),
        (sparse.csr_array(np.ones((2, 3))), r"\(2, 3\)"),
        (sparse.csr_array(np.array([[0, 1.0], [0, 0]])), "symmetric"),
        (sparse.csr_array(np.array([[0, np.nan], [np.nan, 0]])), "NaN"),
        (np.ones((2, 2)), "2 self-loops"),
        (np.array([[0, np.inf], [np.inf, 0]]), "infinity"),
        (pd.DataFrame(np.ones((2, 2)), [0, 1], ["a", "b"]), "different labels"),
        (np.array(["a"]), "give a square matrix of numbers"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_undirected_simple_graph_is_refused(graph, message) -> None:
    with pytest.raises(InputError, match=message) as caught:
        as_adjacency(graph)
    assert "\n" not in str(caught.value)


WEIGHTS = [[0, 0, 0, 0], [0, 0, 2.5, 0], [0, 2.5, 0, 0.5], [0, 0, 0.5, 0]]


def in_every_form(weights) -> list:
    """Give a matrix of weights in every form, edges of weight 0 among those that are listed."""
    dense = np.array(weights, dtype=float)
    pairs = [(0, 1), (1, 2), (2, 3)]
    graph = nx.empty_graph(4)
    graph.add_weighted_edges_from((u, v, dense[u, v]) for u, v in pairs)
    other = igraph.Graph(4, pairs)
    other.es["weight"] = [dense[pair] for pair in pairs]
    stored = sparse.coo_array(
        (np.tile([dense[pair] for pair in pairs], 2),
         np.array([*pairs, *[(v, u) for u, v in pairs]]).T), shape=(4, 4),
    )  # fmt: skip
    return [dense, pd.DataFrame(dense, list("abcd"), list("abcd")), stored, stored.tocsc(), graph,
            other]  # fmt: skip


@pytest.mark.parametrize("form", range(6))
def test_one_rule_of_edges_and_weights_whatever_the_way_in(form) -> None:
    given = in_every_form(WEIGHTS)[form]
    assert np.array_equal(as_adjacency(given).toarray(), np.array(WEIGHTS) > 0)
    assert np.array_equal(weighted_adjacency(given).toarray(), WEIGHTS)
    layered_graph = layered_by(given)
    assert layered_graph.n_edges == 2
    assert layered_graph.edge_data["weight"].tolist() == [2.5, 0.5]
    assert np.array_equal(weighted_adjacency(layered_graph).toarray(), np.array(WEIGHTS)[1:, 1:])


def layered_by(given) -> LayeredGraph:
    """Go through the converter of the form, with the second and the last node as the ends."""
    if isinstance(given, nx.Graph):
        return LayeredGraph.from_networkx(given, [1], [3])
    if isinstance(given, igraph.Graph):
        return LayeredGraph.from_igraph(given, [1], [3])
    first, last = ("b", "d") if isinstance(given, pd.DataFrame) else (1, 3)
    return LayeredGraph.from_sparse(given, [first], [last])


@pytest.mark.parametrize("form", range(6))
def test_signs_are_refused_and_not_forgotten(form) -> None:
    given = in_every_form(-np.array(WEIGHTS))[form]
    for read in (as_adjacency, weighted_adjacency):
        with pytest.raises(InputError, match=r"2 of [23] weights are negative"):
            read(given)
    # A layered graph keeps them as data; its edges are edges.
    kept = layered_by(given)
    assert kept.edge_data["weight"].tolist() == [-2.5, -0.5]
    assert as_adjacency(kept).nnz == 4
    with pytest.raises(InputError, match="negative"):
        weighted_adjacency(kept)


def test_networkx_on_the_backend_keeps_its_own_view() -> None:
    graph = nx.path_graph(3)
    graph.edges[0, 1]["weight"] = 0
    graph.edges[1, 2]["weight"] = -0.5
    assert nx.clustering(graph, backend="smallworld_eqprop") == nx.clustering(graph)
    assert networkx_adjacency(graph, zero_weights=True).nnz == 4


def test_a_graph_without_weights_has_ones() -> None:
    for graph in (nx.cycle_graph(5), layered((2, 2, 1)), igraph.Graph.Ring(5)):
        assert set(weighted_adjacency(graph).data) == {1.0}


def test_yes_and_no_are_one_and_zero() -> None:
    matrix = sparse.csr_array(np.array(WEIGHTS) > 0)
    for graph in (matrix, matrix.toarray(), nx.from_scipy_sparse_array(matrix)):
        assert np.array_equal(as_adjacency(graph).toarray(), matrix.toarray())
        assert np.array_equal(weighted_adjacency(graph).toarray(), matrix.toarray())
    listed = LayeredGraph.from_networkx(nx.from_scipy_sparse_array(matrix), [1], [3])
    assert listed.edge_data["weight"].tolist() == [1, 1]


def test_weights_have_to_be_complete_and_symmetric() -> None:
    graph = nx.path_graph(3)
    graph.edges[0, 1]["weight"] = 2
    with pytest.raises(InputError, match="1 of 2 edges have none"):
        weighted_adjacency(graph)
    graph.edges[0, 1]["weight"] = "2"
    with pytest.raises(InputError, match="'2' on an edge"):
        as_adjacency(graph)
    with pytest.raises(InputError, match="1 edges have two different weights"):
        weighted_adjacency(np.array([[0, 1.0], [2, 0]]))
    nearly = weighted_adjacency(np.array([[0, 1.0], [1 + 1e-12, 0]])).toarray()
    assert nearly[0, 1] == nearly[1, 0]
