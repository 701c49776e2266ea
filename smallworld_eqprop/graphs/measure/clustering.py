"""Clustering: triangles for graphs in general, 4-cycles for layered ones."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency
from smallworld_eqprop.graphs.core.bitsets import bit_rows, is_dense, popcount

__all__ = ["average_clustering", "bipartite_clustering", "transitivity", "triangles"]


def average_clustering(graph: Graph) -> float:
    r"""Average over the nodes how many pairs of neighbours are themselves connected.

    .. math:: C = \frac{1}{n} \sum_i \frac{2 t_i}{k_i (k_i - 1)}

    with :math:`t_i` the triangles through node i and :math:`k_i` its degree. A node with fewer
    than two neighbours contributes 0, as in networkx.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    float
        Between 0 and 1; NaN for no nodes. Exactly 0 for every layered network without intralayer
        and skip edges, whatever it does: see `bipartite_clustering`.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Watts and Strogatz, "Collective dynamics of 'small-world' networks", Nature 393 (1998),
    doi:10.1038/30918.

    Examples
    --------
    >>> import networkx as nx
    >>> average_clustering(nx.complete_graph(4))
    1.0
    """
    adjacency = as_adjacency(graph)
    if adjacency.shape[0] == 0:
        return float("nan")
    degree = degrees(adjacency)
    possible = degree * (degree - 1) / 2
    through = count_triangles(adjacency)
    return float(np.divide(through, possible, out=np.zeros(len(degree)), where=possible > 0).mean())


def transitivity(graph: Graph) -> float:
    r"""Give the share of connected triples that are closed.

    .. math:: T = \frac{3 \times \text{triangles}}{\text{paths of length 2}}
              = \frac{\sum_i 2 t_i}{\sum_i k_i (k_i - 1)}

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    float
        Between 0 and 1; NaN if no node has two neighbours (networkx gives 0 there, igraph NaN).

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Newman, "The structure and function of complex networks", SIAM Review 45 (2003),
    doi:10.1137/S003614450342480.
    """
    adjacency = as_adjacency(graph)
    degree = degrees(adjacency)
    triples = int((degree * (degree - 1)).sum())
    return 2 * int(count_triangles(adjacency).sum()) / triples if triples else float("nan")


def bipartite_clustering(graph: Graph) -> float:
    r"""Give the share of paths of length 3 that are closed into a 4-cycle.

    .. math:: C_4 = \frac{4 \times \text{4-cycles}}{\text{paths of length 3}}

    Both are counted in the whole graph, induced or not; a path of length 3 has four distinct
    nodes. A layered network is bipartite by layer parity, so it has no triangles and this is the
    smallest clustering that can be other than 0 in it; 1 in a complete bipartite graph.

    Parameters
    ----------
    graph : Graph
        Of any kind: the definition does not ask for two sides.

    Returns
    -------
    float
        Between 0 and 1; NaN if there is no path of length 3 (networkx gives 0 there).

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Robins and Alexander, "Small worlds among interlocking directors", Computational &
    Mathematical Organization Theory 10 (2004), doi:10.1023/B:CMOT.0000032580.12184.c0.
    """
    adjacency = as_adjacency(graph)
    degree = degrees(adjacency)
    rows = np.repeat(np.arange(len(degree)), degree)
    # Every edge is there twice, and every triangle closes three of its own paths of length 3.
    walks = int(((degree[rows] - 1) * (degree[adjacency.indices] - 1)).sum()) // 2
    paths = walks - int(count_triangles(adjacency).sum())
    return 4 * count_squares(adjacency) / paths if paths else float("nan")


def triangles(graph: Graph) -> npt.NDArray[np.int64]:
    """Count the triangles through every node.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    ndarray of int64, shape (n_nodes,)
        A third of its sum is the number of triangles.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Latapy, "Main-memory triangle computations for very large (sparse (power-law)) graphs",
    Theor. Comput. Sci. 407 (2008), doi:10.1016/j.tcs.2008.07.017.

    Examples
    --------
    >>> import networkx as nx
    >>> triangles(nx.complete_graph(4)).tolist()
    [3, 3, 3, 3]
    """
    return count_triangles(as_adjacency(graph))


def degrees(adjacency: sparse.csr_array) -> npt.NDArray[np.int64]:
    """Give the degree of every node."""
    return np.diff(adjacency.indptr).astype(np.int64)


def count_triangles(adjacency: sparse.csr_array) -> npt.NDArray[np.int64]:
    """Count the triangles through every node of an adjacency matrix."""
    indptr, indices = adjacency.indptr, adjacency.indices
    if is_dense(adjacency):
        return _triangles_dense(bit_rows(indptr, indices), indptr, indices)
    return _triangles_sparse(indptr, indices, _ranks(adjacency))


def count_squares(adjacency: sparse.csr_array) -> int:
    """Count the 4-cycles of an adjacency matrix, induced or not.

    Sparse graphs by the algorithm of Chiba and Nishizeki, SIAM J. Comput. 14 (1985),
    doi:10.1137/0214017: every cycle is counted at its node of highest degree.
    """
    indptr, indices = adjacency.indptr, adjacency.indices
    if is_dense(adjacency):
        return int(_squares_dense(bit_rows(indptr, indices)))
    return int(_squares_sparse(indptr, indices, _ranks(adjacency)))


def _ranks(adjacency: sparse.csr_array) -> npt.NDArray[np.int64]:
    order = np.argsort(degrees(adjacency), kind="stable")
    ranks = np.empty_like(order)
    ranks[order] = np.arange(len(order))
    return ranks


@numba.njit(nogil=True, cache=True)
def _triangles_dense(rows, indptr, indices):  # type: ignore[no-untyped-def]
    n_nodes, n_words = rows.shape
    through = np.zeros(n_nodes, np.int64)
    for node in range(n_nodes):
        for slot in range(indptr[node], indptr[node + 1]):
            other = indices[slot]
            if other > node:
                break
            common = 0
            for word in range(n_words):
                common += popcount(rows[node, word] & rows[other, word])
            # Each triangle is met at its three edges and is counted twice at each of its nodes.
            through[node] += common
            through[other] += common
    return through // 2


@numba.njit(nogil=True, cache=True)
def _triangles_sparse(indptr, indices, ranks):  # type: ignore[no-untyped-def]
    n_nodes = len(indptr) - 1
    # Every triangle is met once, at its node of highest rank. No node has more than sqrt(2 m)
    # neighbours of higher rank, so none has its list scanned more often than that.
    starts = np.zeros(n_nodes + 1, np.int64)
    lower = np.empty(len(indices) // 2, indices.dtype)
    for node in range(n_nodes):
        end = starts[node]
        for slot in range(indptr[node], indptr[node + 1]):
            if ranks[indices[slot]] < ranks[node]:
                lower[end] = indices[slot]
                end += 1
        starts[node + 1] = end
    through = np.zeros(n_nodes, np.int64)
    marked_by = np.full(n_nodes, -1, indices.dtype)
    for node in range(n_nodes):
        for slot in range(starts[node], starts[node + 1]):
            marked_by[lower[slot]] = node
        for slot in range(starts[node], starts[node + 1]):
            other = lower[slot]
            for last in range(starts[other], starts[other + 1]):
                third = lower[last]
                if marked_by[third] == node:
                    through[node] += 1
                    through[other] += 1
                    through[third] += 1
    return through


@numba.njit(nogil=True, cache=True)
def _squares_dense(rows):  # type: ignore[no-untyped-def]
    n_nodes, n_words = rows.shape
    opposite_pairs = 0
    for node in range(n_nodes):
        for other in range(node):
            common = 0
            for word in range(n_words):
                common += popcount(rows[node, word] & rows[other, word])
            opposite_pairs += common * (common - 1) // 2
    # A 4-cycle has two pairs of opposite nodes.
    return opposite_pairs // 2


@numba.njit(nogil=True, cache=True)
def _squares_sparse(indptr, indices, ranks):  # type: ignore[no-untyped-def]
    n_nodes = len(indptr) - 1
    squares = 0
    paths = np.zeros(n_nodes, np.int64)
    for node in range(n_nodes):
        for slot in range(indptr[node], indptr[node + 1]):
            middle = indices[slot]
            if ranks[middle] > ranks[node]:
                continue
            for last in range(indptr[middle], indptr[middle + 1]):
                other = indices[last]
                if ranks[other] < ranks[node]:
                    squares += paths[other]
                    paths[other] += 1
        for slot in range(indptr[node], indptr[node + 1]):
            middle = indices[slot]
            if ranks[middle] > ranks[node]:
                continue
            for last in range(indptr[middle], indptr[middle + 1]):
                paths[indices[last]] = 0
    return squares
