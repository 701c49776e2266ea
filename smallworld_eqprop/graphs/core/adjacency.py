"""One way in: the adjacency matrix of any graph that a metric or a null model accepts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import networkx as nx
import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.simple import is_simple
from smallworld_eqprop.graphs.core.weights import listed_weights, refuse_negative

if TYPE_CHECKING:
    import igraph

__all__ = [
    "Graph",
    "adjacency_from_edges",
    "as_adjacency",
    "checked_matrix",
    "edges_of",
    "is_matrix",
    "networkx_adjacency",
    "refuse_loops",
    "weighted_adjacency",
    "weights_as_given",
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
        array or a DataFrame. The sizes of weights are not used, but an edge of weight 0 is none, in
        a matrix and in a list of edges alike, and negative weights are refused: a matrix with signs
        does not become one without them unsaid. A LayeredGraph has its edges whatever their data.

    Returns
    -------
    scipy.sparse.csr_array, shape (n_nodes, n_nodes)
        Symmetric, zero diagonal, column numbers sorted within each row; only the pattern counts.
        Nodes are in the order of the graph given (for networkx, of ``graph.nodes``).

    Raises
    ------
    InputError
        If the graph is directed, has self-loops, parallel edges or negative weights, is not square
        or holds an entry that is not a finite number, or if the object is not a graph.

    Examples
    --------
    >>> as_adjacency(nx.path_graph(3)).nnz
    4
    """
    if isinstance(graph, LayeredGraph):
        return graph.adjacency()
    if is_matrix(graph):
        matrix = _symmetric(graph, signed=False)
        if matrix.dtype == np.bool_:
            return matrix
        ones = np.ones(matrix.nnz, dtype=np.bool_)
        return sparse.csr_array((ones, matrix.indices, matrix.indptr), matrix.shape)
    edges, _, n_nodes = _listed(graph, signed=False)
    return adjacency_from_edges(edges, n_nodes)


def weighted_adjacency(graph: Graph, *, signed: bool = False) -> sparse.csr_array:
    """Give the weights of an undirected simple graph as a matrix, ones where it has none.

    Parameters
    ----------
    graph : LayeredGraph, matrix, networkx.Graph or igraph.Graph
        As in `as_adjacency`. The weights are entries of the matrix, or the edge data ``weight``.
    signed : bool
        Whether weights may be negative.

    Returns
    -------
    scipy.sparse.csr_array of float64, shape (n_nodes, n_nodes)
        Symmetric, zero diagonal, column numbers sorted within each row; without edges of weight 0.

    Raises
    ------
    InputError
        As `as_adjacency`, negative weights only unless `signed`; also if some edges have a weight
        and others have none, or the two sides of a matrix have different weights.
    """
    matrix = weights_as_given(graph, signed=signed)
    missing = int(np.isnan(matrix.data).sum()) // 2
    if missing:
        raise InputError(
            f"weight: {missing} of {matrix.nnz // 2} edges have none; give all or none"
        )
    return matrix


def weights_as_given(graph: Graph, *, signed: bool) -> sparse.csr_array:
    """Give what `weighted_adjacency` gives, with NaN for an edge without a weight among others."""
    if isinstance(graph, LayeredGraph):
        if "weight" not in graph.edge_data:
            return graph.adjacency().astype(np.float64)
        weights = graph.edge_data["weight"].astype(np.float64)
        if not signed:
            refuse_negative(weights)
        there = weights != 0
        return adjacency_from_edges(graph.edges[there], graph.n_nodes, weights[there])
    if is_matrix(graph):
        matrix = _symmetric(graph, signed=signed).astype(np.float64)
        apart = abs(matrix - matrix.T)
        # The two sides of a computed matrix may differ in the last digits.
        different = int(np.count_nonzero(apart.data > 1e-9 * np.abs(matrix.data).max(initial=0.0)))
        if different:
            raise InputError(
                f"graph: {different // 2} edges have two different weights; give a symmetric matrix"
            )
        return sparse.csr_array((matrix + matrix.T) / 2)
    edges, listed, n_nodes = _listed(graph, signed=signed)
    return adjacency_from_edges(edges, n_nodes, np.ones(len(edges)) if listed is None else listed)


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
        If the graph is directed, or has self-loops or parallel edges; unless `zero_weights`, if a
        weight is negative or no finite number.
    """
    names, edges = _networkx_edges(graph)
    if not zero_weights:
        weights = [weight for *_, weight in graph.edges(data="weight")]
        edges, _ = _without_zeros(edges, weights, signed=False)
    return adjacency_from_edges(edges, len(names))


def adjacency_from_edges(
    edges: npt.NDArray[np.integer], n_nodes: int, values: npt.NDArray | None = None
) -> sparse.csr_array:
    """Give the symmetric matrix of distinct pairs, of True or of values; (n_nodes, n_nodes)."""
    u, v = edges.T
    ends = (np.concatenate((u, v)), np.concatenate((v, u)))
    entries = np.ones(2 * len(edges), dtype=np.bool_) if values is None else np.tile(values, 2)
    matrix = sparse.coo_array((entries, ends), shape=(n_nodes, n_nodes)).tocsr()
    matrix.sort_indices()
    return matrix


def edges_of(adjacency: sparse.csr_array) -> npt.NDArray[np.int32]:
    """Give the edges of an adjacency matrix, u < v, sorted; shape (n_edges, 2)."""
    rows = np.repeat(
        np.arange(adjacency.shape[0], dtype=np.int32), np.diff(adjacency.indptr).astype(np.intp)
    )
    upper = rows < adjacency.indices
    return np.column_stack((rows[upper], adjacency.indices[upper])).astype(np.int32)


def is_matrix(graph: object) -> bool:
    """Whether an object is a matrix: sparse, of NumPy or a DataFrame."""
    return sparse.issparse(graph) or isinstance(graph, np.ndarray) or hasattr(graph, "to_numpy")


def _listed(
    graph: Any, *, signed: bool
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64] | None, int]:
    """Edges of a networkx or igraph graph, their weights if there are any, and how many nodes."""
    weights: list[Any] = []
    if isinstance(graph, nx.Graph):
        names, edges = _networkx_edges(graph)
        n_nodes = len(names)
        weights = [weight for *_, weight in graph.edges(data="weight")]
    elif "igraph" in sys.modules and isinstance(graph, sys.modules["igraph"].Graph):
        edges, n_nodes = _igraph_edges(graph), graph.vcount()
        if "weight" in graph.es.attributes():
            weights = graph.es["weight"]
    else:
        raise InputError(
            f"graph: a {type(graph).__name__}; give a LayeredGraph, a matrix (scipy.sparse, NumPy "
            "or DataFrame), a networkx.Graph or an igraph.Graph"
        )
    return *_without_zeros(edges, weights, signed=signed), n_nodes


def _networkx_edges(graph: nx.Graph) -> tuple[dict[Any, int], npt.NDArray[np.int32]]:
    if graph.is_directed() or graph.is_multigraph():
        raise InputError(f"graph: a {type(graph).__name__}; give networkx.Graph(graph)")
    number = {name: i for i, name in enumerate(graph)}
    ends = (number[end] for edge in graph.edges() for end in edge)
    return number, _without_loops(np.fromiter(ends, dtype=np.int32).reshape(-1, 2))


def _igraph_edges(graph: igraph.Graph) -> npt.NDArray[np.int32]:
    if graph.is_directed() or graph.has_multiple():
        kind = "directed" if graph.is_directed() else "with parallel edges"
        raise InputError(f"graph: an igraph Graph {kind}; give an undirected simple one")
    return _without_loops(np.array(graph.get_edgelist(), dtype=np.int32).reshape(-1, 2))


def _without_loops(edges: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    refuse_loops(int((edges[:, 0] == edges[:, 1]).sum()))
    return edges


def _without_zeros(
    edges: npt.NDArray[np.int32], values: Sequence[Any], *, signed: bool
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64] | None]:
    """Edges whose weight is not 0, and their weights."""
    weights = listed_weights(values)
    if weights is None:
        return edges, None
    if not signed:
        refuse_negative(weights)
    return edges[weights != 0], weights[weights != 0]


def refuse_loops(n_loops: int) -> None:
    """Refuse a graph with self-loops, for measures of simple graphs."""
    if n_loops:
        raise InputError(f"graph: {n_loops} self-loops; remove them")


def checked_matrix(graph: Any) -> sparse.csr_array:
    """Give a matrix of any kind as an array of its own, without zeros.

    Raises
    ------
    InputError
        If it is not square, an entry is no finite number, or its diagonal is not zero.
    """
    if hasattr(graph, "columns") and list(graph.index) != list(graph.columns):
        raise InputError("graph: its rows and columns have different labels; give the same")
    if not sparse.issparse(graph):
        graph = np.asarray(graph)
    if graph.ndim != 2 or graph.dtype.kind not in "biuf":
        raise InputError(
            f"graph: an array of shape {graph.shape} and type {graph.dtype}; give a square matrix "
            "of numbers"
        )
    if graph.shape[0] != graph.shape[1]:
        raise InputError(f"graph: a matrix of shape {graph.shape}; give a square one")
    matrix = sparse.csr_array(graph, copy=True)
    if not np.isfinite(matrix.data).all():
        bad = "NaN" if np.isnan(matrix.data).any() else "infinity"
        raise InputError(f"graph: the matrix holds {bad}; leave out entries that are not an edge")
    matrix.sum_duplicates()
    matrix.eliminate_zeros()
    refuse_loops(int(np.count_nonzero(matrix.diagonal())) if matrix.nnz else 0)
    return matrix


def _symmetric(graph: Any, *, signed: bool) -> sparse.csr_array:
    """A matrix with a symmetric pattern, and unless `signed` of positive entries."""
    if is_simple(graph):
        return sparse.csr_array(graph)
    matrix = checked_matrix(graph)
    mirror = matrix.T.tocsr()
    if not np.array_equal(matrix.indptr, mirror.indptr) or not np.array_equal(
        matrix.indices, mirror.indices
    ):
        here, there = (sparse.csr_array((np.ones(each.nnz, np.int8), each.indices, each.indptr),
                                        each.shape) for each in (matrix, mirror))  # fmt: skip
        n_one_way = (here - there).count_nonzero() // 2
        raise InputError(f"graph: {n_one_way} entries lack their mirror; give a symmetric matrix")
    if not signed and matrix.dtype.kind in "if" and (matrix.data < 0).any():
        refuse_negative(sparse.triu(matrix).data)
    return matrix
