"""Connected components, and the share of pairs of nodes that paths join."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency

__all__ = ["n_components", "reachable_share"]


def n_components(graph: Graph) -> int:
    """Count the connected components.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    int
        1 for a connected graph; 0 for no nodes.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    Examples
    --------
    >>> import networkx as nx
    >>> n_components(nx.empty_graph(3))
    3
    """
    return len(component_sizes(as_adjacency(graph)))


def reachable_share(graph: Graph) -> float:
    r"""Give the share of the pairs of nodes that are joined by a path.

    .. math:: \frac{\sum_c n_c (n_c - 1)}{n (n - 1)}

    with :math:`n_c` the nodes of component c. `characteristic_path_length` averages over these
    pairs, so if the share is below 1 it does not describe the graph as a whole.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    float
        1 exactly for a connected graph; NaN for fewer than two nodes.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    Examples
    --------
    >>> import networkx as nx
    >>> reachable_share(nx.disjoint_union(nx.complete_graph(2), nx.complete_graph(2)))
    0.3333333333333333
    """
    return share_of_sizes(component_sizes(as_adjacency(graph)))


def component_sizes(adjacency: sparse.csr_array) -> npt.NDArray[np.int64]:
    """Give the number of nodes of every component."""
    labels = connected_components(adjacency, directed=False)[1]
    return np.bincount(labels).astype(np.int64)


def share_of_sizes(sizes: npt.NDArray[np.int64]) -> float:
    """Give the share of pairs of nodes that are in one component."""
    n_nodes = int(sizes.sum())
    if n_nodes < 2:
        return float("nan")
    return int((sizes * (sizes - 1)).sum()) / (n_nodes * (n_nodes - 1))


def largest_component(matrix: sparse.csr_array) -> sparse.csr_array:
    """Give the rows and columns of the largest component; of equals, the one of the first node."""
    labels = connected_components(matrix, directed=False)[1]
    sizes = np.bincount(labels)
    if len(sizes) <= 1:
        return matrix
    nodes = np.flatnonzero(labels == sizes.argmax())
    part = sparse.csr_array(matrix[nodes][:, nodes])
    part.sort_indices()
    return part
