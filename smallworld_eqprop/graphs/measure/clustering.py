"""Clustering: triangles for graphs in general, 4-cycles for layered ones."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency, weighted_adjacency
from smallworld_eqprop.graphs.measure.cycles import count_squares, count_triangles
from smallworld_eqprop.graphs.measure.weighted import onnela_clustering

__all__ = ["average_clustering", "bipartite_clustering", "transitivity", "triangles"]


def average_clustering(graph: Graph, *, weighted: bool = False) -> float:
    r"""Average over the nodes how many pairs of neighbours are themselves connected.

    .. math:: C = \frac{1}{n} \sum_i \frac{2 t_i}{k_i (k_i - 1)}

    with :math:`t_i` the triangles through node i and :math:`k_i` its degree. A node with fewer
    than two neighbours contributes 0, as in networkx.

    Parameters
    ----------
    graph : Graph
    weighted : bool, optional
        A triangle counts the geometric mean of its three weights, as shares of the largest absolute
        one, in place of 1 (Onnela et al.). It counts negatively if one or three of them are
        negative, as in networkx; give ``abs(matrix)`` for sizes alone. `zhang_clustering` is
        another definition.

    Returns
    -------
    float
        Between 0 and 1, or -1 and 1 with negative weights; NaN for no nodes. Exactly 0 for every
        layered network without intralayer and skip edges, whatever it does: see
        `bipartite_clustering`.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Watts and Strogatz, "Collective dynamics of 'small-world' networks", Nature 393 (1998),
    doi:10.1038/30918. With weights: Onnela et al., "Intensity and coherence of motifs in weighted
    complex networks", Phys. Rev. E 71 (2005), doi:10.1103/PhysRevE.71.065103. With signs:
    Costantini and Perugini, PLoS ONE 9 (2014), doi:10.1371/journal.pone.0088669.

    Examples
    --------
    >>> import networkx as nx
    >>> average_clustering(nx.complete_graph(4))
    1.0
    """
    if weighted:
        return onnela_clustering(weighted_adjacency(graph, signed=True))
    adjacency = as_adjacency(graph)
    if adjacency.shape[0] == 0:
        return float("nan")
    degree = degrees(adjacency)
    # Without two neighbours there are no triangles, and 0 / 1 is 0.
    pairs = np.maximum(degree * (degree - 1), 1)
    return float((2 * count_triangles(adjacency) / pairs).mean())


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
