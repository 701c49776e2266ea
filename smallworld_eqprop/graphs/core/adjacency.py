"""One way in: the adjacency matrix of any graph that a metric or a null model accepts."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

if TYPE_CHECKING:
    import igraph

__all__ = [
    "Graph",
    "adjacency_from_edges",
    "as_adjacency",
    "edges_of",
    "networkx_adjacency",
]

# As text, because igraph, which is slow to import, is left to those who use it.
Graph: TypeAlias = (
    "LayeredGraph | nx.Graph | igraph.Graph | sparse.csr_array | sparse.coo_array "
    "| sparse.csc_array | sparse.csr_matrix | npt.NDArray"
)


def as_adjacency(graph: Graph) -> sparse.csr_array:
    """Give the adjacency matrix of an undirected simple graph.

    Parameters
    ----------
    graph : LayeredGraph, matrix, networkx.Graph or igraph.Graph
        Undirected, without self-loops and parallel edges; a matrix may be a scipy.sparse or NumPy
        array or a DataFrame. Weights are not used, nor their signs, but an edge of weight 0 is
        none, in a matrix and in a list of edges alike.

    Returns
    -------
    scipy.sparse.csr_array, shape (n_nodes, n_nodes)
        Symmetric, zero diagonal, column numbers sorted within each row; only the pattern counts.
        Nodes are in the order of the graph given (for networkx, of ``graph.nodes``).

    Raises
    ------
    InputError
        If the graph is directed, has self-loops or parallel edges, is not square or holds NaN, or
        if the object is no graph.

    Examples
    --------
    >>> as_adjacency(nx.path_graph(3)).nnz
    4
    """
    if isinstance(graph, LayeredGraph):
        return graph.adjacency()
    if isinstance(graph, nx.Graph):
        matrix = networkx_adjacency(graph)
    elif "igraph" in sys.modules and isinstance(graph, sys.modules["igraph"].Graph):
        matrix = _igraph_adjacency(graph)
    elif sparse.issparse(graph) or isinstance(graph, np.ndarray) or hasattr(graph, "to_numpy"):
        if not sparse.issparse(graph):
            graph = _dense(graph)
        matrix = _pattern(sparse.csr_array(graph))  # type: ignore[call-overload]
    else:
        raise InputError(
            f"graph: a {type(graph).__name__}; give a LayeredGraph, "
            "a scipy.sparse array, a networkx.Graph or an igraph.Graph"
        )
    return matrix


def networkx_adjacency(graph: nx.Graph, *, zero_weights: bool = False) -> sparse.csr_array:
    """Give the adjacency matrix of an undirected simple networkx graph.

    Parameters
    ----------
    graph : networkx.Graph
    zero_weights : bool
        Whether an edge of weight 0 is one, as networkx sees it.

    Raises
    ------
    InputError
        If the graph is directed, or has self-loops or parallel edges.
    """
    if graph.is_directed() or graph.is_multigraph():
        raise InputError(f"graph: a {type(graph).__name__}; give networkx.Graph(graph)")
    number = {name: i for i, name in enumerate(graph)}
    listed = graph.edges() if zero_weights else _joined(graph)
    edges = np.fromiter((number[end] for edge in listed for end in edge), dtype=np.int32)
    return _from_any_edges(edges.reshape(-1, 2), len(number))


def adjacency_from_edges(edges: npt.NDArray[np.integer], n_nodes: int) -> sparse.csr_array:
    """Give the symmetric adjacency matrix of distinct pairs; shape (n_nodes, n_nodes)."""
    u, v = edges.T
    ends = (np.concatenate((u, v)), np.concatenate((v, u)))
    ones = np.ones(2 * len(edges), dtype=np.bool_)
    matrix = sparse.coo_array((ones, ends), shape=(n_nodes, n_nodes)).tocsr()
    matrix.sort_indices()
    return matrix


def edges_of(adjacency: sparse.csr_array) -> npt.NDArray[np.int32]:
    """Give the edges of an adjacency matrix, u < v, sorted; shape (n_edges, 2)."""
    rows = np.repeat(
        np.arange(adjacency.shape[0], dtype=np.int32), np.diff(adjacency.indptr).astype(np.intp)
    )
    upper = rows < adjacency.indices
    return np.column_stack((rows[upper], adjacency.indices[upper])).astype(np.int32)


def _from_any_edges(edges: npt.NDArray[np.int32], n_nodes: int) -> sparse.csr_array:
    _refuse_loops(int((edges[:, 0] == edges[:, 1]).sum()))
    return adjacency_from_edges(edges, n_nodes)


def _igraph_adjacency(graph: igraph.Graph) -> sparse.csr_array:
    if graph.is_directed() or graph.has_multiple():
        kind = "directed" if graph.is_directed() else "with parallel edges"
        raise InputError(f"graph: an igraph Graph {kind}; give an undirected simple one")
    edges = np.array(graph.get_edgelist(), dtype=np.int32).reshape(-1, 2)
    if "weight" in graph.es.attributes():
        edges = edges[np.array([each != 0 for each in graph.es["weight"]], dtype=np.bool_)]
    return _from_any_edges(edges, graph.vcount())


def _joined(graph: nx.Graph) -> Iterator[tuple[Any, Any]]:
    return ((u, v) for u, v, weight in graph.edges(data="weight") if weight != 0)


def _dense(graph: Any) -> sparse.csr_array:
    array = np.asarray(graph)
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise InputError(
            f"graph: an array of shape {array.shape} and type {array.dtype}; give a square matrix "
            "of numbers"
        )
    return sparse.csr_array(array)


def _refuse_loops(n_loops: int) -> None:
    if n_loops:
        raise InputError(f"graph: {n_loops} self-loops; remove them")


def _pattern(matrix: sparse.csr_array) -> sparse.csr_array:
    if matrix.shape[0] != matrix.shape[1]:
        raise InputError(f"graph: a matrix of shape {matrix.shape}; give a square one")
    if np.isnan(matrix.data).any():
        raise InputError("graph: the matrix holds NaN; leave out what is no edge")
    parts = (matrix.data != 0, matrix.indices, matrix.indptr)
    pattern = sparse.csr_array(parts, matrix.shape, copy=True)
    pattern.sum_duplicates()
    pattern.eliminate_zeros()
    _refuse_loops(int(np.count_nonzero(pattern.diagonal())) if pattern.nnz else 0)
    mirror = pattern.T.tocsr()
    if not np.array_equal(pattern.indptr, mirror.indptr) or not np.array_equal(
        pattern.indices, mirror.indices
    ):
        n_one_way = (pattern.astype(np.int8) - mirror.astype(np.int8)).count_nonzero() // 2
        raise InputError(f"graph: {n_one_way} entries lack their mirror; give a symmetric matrix")
    return pattern
