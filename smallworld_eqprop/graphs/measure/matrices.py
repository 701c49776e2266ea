"""The matrix of a graph, with or without its weights, and the graph for igraph."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.graphs.core.adjacency import (
    Graph,
    as_adjacency,
    edges_of,
    weighted_adjacency,
)

if TYPE_CHECKING:
    import igraph

__all__ = ["edge_weights", "matrix_of", "strengths", "to_igraph"]


def matrix_of(graph: Graph, weighted: bool, *, signed: bool = False) -> sparse.csr_array:
    """Give the weights of a graph, or a one per edge, as a symmetric matrix of float64."""
    if weighted:
        return weighted_adjacency(graph, signed=signed)
    return as_adjacency(graph).astype(np.float64)


def strengths(matrix: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Give the sum of every row."""
    return np.asarray(matrix.sum(axis=1), dtype=np.float64).ravel()


def edge_weights(matrix: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Give the weights of the edges in the order of `edges_of`."""
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return matrix.data[rows < matrix.indices]


def to_igraph(matrix: sparse.csr_array) -> igraph.Graph:
    """Give a symmetric matrix as an igraph graph, whose edges are in the order of `edges_of`."""
    import igraph  # slow to import, and only some measures need it

    graph = igraph.Graph(n=matrix.shape[0])
    # Twice as fast as to give them to the constructor.
    graph.add_edges(edges_of(matrix).astype(np.int64))
    return graph
