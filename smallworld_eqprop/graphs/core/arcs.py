"""One way in for directed graphs: the matrix of arcs that measures of directed graphs take."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeAlias

import networkx as nx
import numpy as np
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import (
    Graph,
    checked_matrix,
    is_matrix,
    refuse_loops,
    weights_as_given,
)
from smallworld_eqprop.graphs.core.weights import listed_weights

if TYPE_CHECKING:
    import igraph

__all__ = ["DirectedGraph", "arcs_of"]

DirectedGraph: TypeAlias = "Graph | nx.DiGraph"


def arcs_of(graph: DirectedGraph, *, weighted: bool) -> sparse.csr_array:
    """Give the arcs of a simple graph, directed or not, as a matrix.

    Parameters
    ----------
    graph : matrix, networkx.DiGraph, igraph.Graph or any undirected graph
        Arcs of a matrix run from row to column. An edge of an undirected graph is two arcs, one in
        each direction. A weight of 0 is no arc; weights may be negative.
    weighted : bool
        Whether the entries are the weights; all are 1 otherwise.

    Returns
    -------
    scipy.sparse.csr_array of float64, shape (n_nodes, n_nodes)
        Zero diagonal, column numbers sorted within each row, without zeros.

    Raises
    ------
    InputError
        If the graph has self-loops or parallel arcs, a weight is no finite number, or the object is
        no graph; if weights count and some arcs have one and others none.
    """
    if is_matrix(graph):
        matrix = checked_matrix(graph).astype(np.float64)
    elif _directed(graph):
        matrix = _matrix(graph)
    else:
        matrix = weights_as_given(graph, signed=True)
    if not weighted:
        matrix.data = np.ones(matrix.nnz)
    elif missing := int(np.isnan(matrix.data).sum()):
        raise InputError(f"weight: {missing} of {matrix.nnz} arcs have none; give all or none")
    return matrix


def _directed(graph: Any) -> bool:
    library = sys.modules.get("igraph")
    known = isinstance(graph, nx.Graph) or (library and isinstance(graph, library.Graph))
    return bool(known and graph.is_directed())


def _matrix(graph: nx.DiGraph | igraph.Graph) -> sparse.csr_array:
    """The arcs of a networkx or igraph graph, NaN where one has no weight among others that do."""
    if isinstance(graph, nx.Graph):
        parallel, n_nodes = graph.is_multigraph(), len(graph)
        number = {name: i for i, name in enumerate(graph)}
        ends = [(number[u], number[v]) for u, v in graph.edges()]
        listed = [weight for *_, weight in graph.edges(data="weight")]
    else:
        parallel, n_nodes = graph.has_multiple(), graph.vcount()
        ends = graph.get_edgelist()
        listed = graph.es["weight"] if "weight" in graph.es.attributes() else []
    if parallel:
        raise InputError("graph: has parallel arcs; give a simple one, as networkx.DiGraph(graph)")
    source, target = np.array(ends, dtype=np.int64).reshape(-1, 2).T
    refuse_loops(int((source == target).sum()))
    weights = listed_weights(listed)
    values = np.ones(len(ends)) if weights is None else weights
    matrix = sparse.coo_array((values, (source, target)), shape=(n_nodes, n_nodes)).tocsr()
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix
