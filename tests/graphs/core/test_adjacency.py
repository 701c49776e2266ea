from __future__ import annotations

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import as_adjacency, edges_of, networkx_adjacency
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
        (np.array(["a"]), "give a square matrix of numbers"),
        (None, "NoneType"),
    ],
)
def test_what_is_no_undirected_simple_graph_is_refused(graph, message) -> None:
    with pytest.raises(InputError, match=message) as caught:
        as_adjacency(graph)
    assert "\n" not in str(caught.value)


def test_an_edge_of_weight_zero_is_none_whatever_the_way_in() -> None:
    graph = nx.path_graph(3)
    graph.edges[0, 1]["weight"] = 0
    graph.edges[1, 2]["weight"] = -0.5
    other = igraph.Graph(3, [(0, 1), (1, 2)])
    other.es["weight"] = [0, -0.5]
    dense = nx.to_numpy_array(graph)
    expected = [[0, 0, 0], [0, 0, 1], [0, 1, 0]]
    for form in (graph, other, dense, sparse.csr_array(dense), pd.DataFrame(dense)):
        assert np.array_equal(as_adjacency(form).toarray(), expected)
    # networkx itself counts it, and so does the backend for it.
    assert nx.clustering(graph, backend="smallworld_eqprop") == nx.clustering(graph)
    assert networkx_adjacency(graph, zero_weights=True).nnz == 4
