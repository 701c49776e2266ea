"""Measures of directed graphs: degrees and strengths, reciprocity, clustering and paths.

They take networkx and igraph graphs that are directed, matrices (an arc runs from row to column),
and undirected graphs, whose edges are arcs in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.graphs.core.arcs import DirectedGraph, arcs_of
from smallworld_eqprop.graphs.measure.weighted import Strengths, cubes, shares, strengths_of
from smallworld_eqprop.graphs.measure.weighted_paths import path_sums

__all__ = [
    "DirectedPaths",
    "directed_clustering",
    "directed_degrees",
    "directed_paths",
    "directed_strengths",
    "reciprocity",
]


@dataclass(frozen=True)
class DirectedPaths:
    """Shortest paths along the arcs of a directed graph, over its ordered pairs of nodes.

    Attributes
    ----------
    path_length : float
        Mean distance of the pairs joined by a path; NaN if there are none.
    efficiency : float
        Mean inverse distance of all pairs, 0 for those without a path.
    reachable_share : float
        Share of the pairs that a path joins. Efficiency and share are NaN for fewer than two nodes.
    """

    path_length: float
    efficiency: float
    reachable_share: float


def directed_degrees(
    graph: DirectedGraph,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Count the arcs into and out of every node.

    Parameters
    ----------
    graph : directed or undirected graph
        See this module.

    Returns
    -------
    incoming, outgoing : ndarray of int64, shape (n_nodes,)

    Raises
    ------
    InputError
        If the graph has self-loops or parallel arcs.

    Examples
    --------
    >>> import networkx as nx
    >>> incoming, outgoing = directed_degrees(nx.DiGraph([(0, 1), (0, 2)]))
    >>> incoming.tolist(), outgoing.tolist()
    ([0, 1, 1], [2, 0, 0])
    """
    arcs = arcs_of(graph, weighted=False)
    incoming = np.bincount(arcs.indices, minlength=arcs.shape[0]).astype(np.int64)
    return incoming, np.diff(arcs.indptr).astype(np.int64)


def directed_strengths(graph: DirectedGraph) -> tuple[Strengths, Strengths]:
    """Sum the weights of the arcs into and out of every node, positive and negative ones apart.

    Parameters
    ----------
    graph : directed or undirected graph
        See this module. Without weights the strengths are the degrees.

    Returns
    -------
    incoming, outgoing : Strengths

    Raises
    ------
    InputError
        If the graph has self-loops or parallel arcs, or some arcs have a weight and others none.
    """
    arcs = arcs_of(graph, weighted=True)
    return strengths_of(sparse.csr_array(arcs.T)), strengths_of(arcs)


def reciprocity(graph: DirectedGraph) -> float:
    r"""Give the share of arcs whose nodes are joined in the other direction, too.

    .. math:: r = \frac{\#\{(i, j) : A_{ij} = A_{ji} = 1\}}{\#\{(i, j) : A_{ij} = 1\}}

    Parameters
    ----------
    graph : directed or undirected graph
        See this module.

    Returns
    -------
    float
        Between 0 and 1, 1 for undirected graphs; NaN for no arcs.

    Raises
    ------
    InputError
        If the graph has self-loops or parallel arcs.

    References
    ----------
    Newman, Forrest and Balthrop, "Email networks and the spread of computer viruses", Phys. Rev. E
    66 (2002), doi:10.1103/PhysRevE.66.035101.

    Examples
    --------
    >>> import networkx as nx
    >>> reciprocity(nx.DiGraph([(0, 1), (1, 0), (1, 2), (2, 3)]))
    0.5
    """
    arcs = arcs_of(graph, weighted=False)
    return _both_ways(arcs).nnz / arcs.nnz if arcs.nnz else float("nan")


def directed_clustering(graph: DirectedGraph, *, weighted: bool = False) -> float:
    r"""Average over the nodes the share of possible directed triangles that are there.

    .. math:: C = \frac{1}{n} \sum_i
              \frac{[(A + A^T)^3]_{ii}}{2 [k_i (k_i - 1) - 2 k_i^{\leftrightarrow}]}

    with :math:`k_i` the arcs into and out of node i and :math:`k_i^{\leftrightarrow}` its
    neighbours in both directions. All kinds of triangles count, whichever way their arcs run. A
    node at which no triangle is possible contributes 0, as in networkx.

    Parameters
    ----------
    graph : directed or undirected graph
        See this module. Of an undirected one this is `average_clustering`.
    weighted : bool, optional
        Put the cube roots of the weights, as shares of the largest absolute one, in the place of A
        above the line. So a triangle counts the geometric mean of its weights, negatively if one or
        three of them are negative.

    Returns
    -------
    float
        Between 0 and 1, or -1 and 1 with negative weights; NaN for no nodes.

    Raises
    ------
    InputError
        If the graph has self-loops or parallel arcs; if weights count and some arcs have one and
        others none.

    References
    ----------
    Fagiolo, "Clustering in complex directed networks", Phys. Rev. E 76 (2007),
    doi:10.1103/PhysRevE.76.026107.
    """
    arcs = arcs_of(graph, weighted=weighted)
    return float(fagiolo_by_node(arcs).mean()) if arcs.shape[0] else float("nan")


def fagiolo_by_node(arcs: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Give the clustering of Fagiolo of every node; 0 where no triangle is possible."""
    n_nodes = arcs.shape[0]
    roots = shares(arcs)
    roots.data = np.cbrt(roots.data)
    both = np.diff(_both_ways(arcs).indptr).astype(np.int64)
    ends = np.diff(arcs.indptr) + np.bincount(arcs.indices, minlength=n_nodes)
    possible = 2 * (ends * (ends - 1) - 2 * both)
    closed = cubes(sparse.csr_array(roots + roots.T))
    return np.divide(closed, possible, out=np.zeros(n_nodes), where=possible > 0)


def directed_paths(graph: DirectedGraph, *, weighted: bool = False) -> DirectedPaths:
    """Measure the shortest paths along the arcs from every node to every other.

    Parameters
    ----------
    graph : directed or undirected graph
        See this module. Of an undirected one these are `characteristic_path_length`,
        `global_efficiency` and `reachable_share`.
    weighted : bool, optional
        An arc is as long as 1 / abs(weight), in place of 1.

    Returns
    -------
    DirectedPaths

    Raises
    ------
    InputError
        As `directed_clustering`.

    Examples
    --------
    >>> import networkx as nx
    >>> directed_paths(nx.path_graph(3, create_using=nx.DiGraph)).reachable_share
    0.5
    """
    arcs = arcs_of(graph, weighted=weighted)
    n_nodes = arcs.shape[0]
    pairs = n_nodes * (n_nodes - 1)
    if weighted:
        found = path_sums(arcs)
        joined = int(found.reached.sum())
        total, inverse = float(found.sums.sum()), float(found.inverse.sum())
    else:
        counts = _counts(arcs)
        hops = np.arange(1, len(counts) + 1)
        joined = int(counts.sum())
        total, inverse = float(hops @ counts), float((counts / hops).sum())
    return DirectedPaths(
        total / joined if joined else float("nan"),
        inverse / pairs if pairs else float("nan"),
        joined / pairs if pairs else float("nan"),
    )


def _counts(arcs: sparse.csr_array) -> npt.NDArray[np.int64]:
    """Count the ordered pairs of nodes 1, 2, ... arcs apart."""
    import igraph  # slow to import, and only this needs it

    ends = np.column_stack(arcs.nonzero()).astype(np.int64)
    graph = igraph.Graph(n=arcs.shape[0], edges=ends, directed=True)
    found = graph.path_length_hist(directed=True)
    return np.array([count for _, _, count in found.bins()], dtype=np.int64)


def _both_ways(arcs: sparse.csr_array) -> sparse.csr_array:
    """The arcs whose reverse is there, as ones."""
    pattern = sparse.csr_array((np.ones(arcs.nnz), arcs.indices, arcs.indptr), arcs.shape)
    return sparse.csr_array(pattern.multiply(pattern.T))
