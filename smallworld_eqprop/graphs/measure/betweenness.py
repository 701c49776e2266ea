"""Betweenness between inputs and outputs: which nodes and edges their shortest paths use."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.graphs.core.adjacency import Graph, edges_of
from smallworld_eqprop.graphs.core.edges import edge_keys, places_of
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.matrices import edge_weights, matrix_of, to_igraph
from smallworld_eqprop.graphs.measure.terminals import joined_pairs, terminals

__all__ = [
    "betweenness_metrics",
    "input_output_betweenness",
    "input_output_edge_betweenness",
]


def input_output_betweenness(
    graph: Graph,
    inputs: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    *,
    weighted: bool = False,
) -> npt.NDArray[np.float64]:
    r"""Give the share of the shortest paths between inputs and outputs that run through each node.

    .. math:: b_v = \frac{1}{|P|} \sum_{(i, o) \in P,\; v \ne i, o} \frac{\sigma_{io}(v)}
              {\sigma_{io}}

    with P the (input, output) pairs that a path joins, :math:`\sigma_{io}` the shortest paths of
    a pair and :math:`\sigma_{io}(v)` those through v. The sum over all nodes is the mean number of
    edges on a shortest path, less 1.

    Parameters
    ----------
    graph : Graph
    inputs, outputs : array_like of int, optional
        Nodes; by default the first and the last layer, which only a LayeredGraph has.
    weighted : bool, optional
        Take an edge to be as long as 1 / |weight|; otherwise every edge has length 1.

    Returns
    -------
    ndarray of float64, shape (n_nodes,)
        Between 0 and 1; 1 where every shortest path of every pair runs through the node. NaN if no
        input reaches an output. Each is ``2 / |P|`` times the value of
        `networkx.betweenness_centrality_subset`.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, has bad weights, or has no inputs or outputs; or
        if these are absent, named twice or overlap.

    References
    ----------
    Brandes, "On variants of shortest-path betweenness centrality and their generic computation",
    Social Networks 30 (2008), doi:10.1016/j.socnet.2007.11.001.

    Examples
    --------
    >>> import networkx as nx
    >>> input_output_betweenness(nx.path_graph(4), inputs=[0], outputs=[3]).tolist()
    [0.0, 1.0, 1.0, 0.0]
    """
    matrix, pairs, ends = _prepared(graph, inputs, outputs, weighted)
    if not pairs:
        return np.full(matrix.shape[0], np.nan)
    lengths = (1 / edge_weights(matrix)).tolist() if weighted else None
    counts = to_igraph(matrix).betweenness(
        directed=False, weights=lengths, sources=ends[0], targets=ends[1]
    )
    # igraph halves the sums of undirected graphs.
    return 2 * np.array(counts) / pairs


def input_output_edge_betweenness(
    graph: Graph,
    inputs: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    *,
    weighted: bool = False,
) -> npt.NDArray[np.float64]:
    r"""Give the share of the shortest paths between inputs and outputs that use each edge.

    .. math:: b_e = \frac{1}{|P|} \sum_{(i, o) \in P} \frac{\sigma_{io}(e)}{\sigma_{io}}

    with the symbols of `input_output_betweenness`. The sum over all edges is the mean number of
    edges on a shortest path: `input_output_path_length`, if edges have no weights.

    Parameters
    ----------
    graph : Graph
    inputs, outputs : array_like of int, optional
        Nodes; by default the first and the last layer, which only a LayeredGraph has.
    weighted : bool, optional
        Take an edge to be as long as 1 / |weight|; otherwise every edge has length 1.

    Returns
    -------
    ndarray of float64, shape (n_edges,)
        In the order of the edges (u, v), u < v, sorted by u and then by v, which is that of
        `LayeredGraph.edges`, where an edge of weight 0 has 0. NaN if no input reaches an output.
        `networkx.edge_betweenness_centrality_subset` (3.6) differs where several shortest paths
        meet: it divides them evenly among the edges into a node.

    Raises
    ------
    InputError
        As for `input_output_betweenness`.

    References
    ----------
    Brandes (2008), doi:10.1016/j.socnet.2007.11.001.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> input_output_edge_betweenness(layered((1, 2, 1))).tolist()
    [0.5, 0.5, 0.5, 0.5]
    """
    matrix, pairs, ends = _prepared(graph, inputs, outputs, weighted)
    every = graph.edges if isinstance(graph, LayeredGraph) else edges_of(matrix)
    if not pairs:
        return np.full(len(every), np.nan)
    lengths = (1 / edge_weights(matrix)).tolist() if weighted else None
    counts = to_igraph(matrix).edge_betweenness(
        directed=False, weights=lengths, sources=ends[0], targets=ends[1]
    )
    shares = np.zeros(len(every))
    n_nodes = matrix.shape[0]
    keys = [edge_keys(edges, n_nodes) for edges in (edges_of(matrix), every)]
    shares[places_of(*keys)] = 2 * np.array(counts) / pairs
    return shares


def betweenness_metrics(g: LayeredGraph, *, weighted: bool = False) -> dict[str, float]:
    """Give betweenness between inputs and outputs in three numbers, for the tables of studies.

    Parameters
    ----------
    g : LayeredGraph
    weighted : bool, optional
        Take an edge to be as long as 1 / |weight|; otherwise every edge has length 1.

    Returns
    -------
    dict of str to float
        ``largest_node_betweenness`` and ``largest_edge_betweenness``, the largest of
        `input_output_betweenness` and `input_output_edge_betweenness`: near 1 where all runs
        through one place; ``skip_betweenness``, the share of the edges of shortest paths that skip
        layers. All NaN if no input reaches an output.

    Raises
    ------
    InputError
        If the graph has bad weights.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> betweenness_metrics(layered((2, 4, 2)))["largest_node_betweenness"]
    0.25
    """
    nodes = input_output_betweenness(g, weighted=weighted)
    edges = input_output_edge_betweenness(g, weighted=weighted)
    # There is no path either where there is no edge.
    total = edges.sum() if len(edges) else np.nan
    return {
        "largest_node_betweenness": float(nodes.max()),
        "largest_edge_betweenness": float(edges.max(initial=0.0)) if total > 0 else float("nan"),
        "skip_betweenness": float(edges[g.skip].sum() / total),
    }


def _prepared(
    graph: Graph, inputs: npt.ArrayLike | None, outputs: npt.ArrayLike | None, weighted: bool
) -> tuple[sparse.csr_array, int, tuple[list[int], list[int]]]:
    """The matrix, how many pairs are joined, and where igraph starts and ends its searches."""
    matrix = abs(matrix_of(graph, weighted, signed=True))
    sources, targets = terminals(graph, matrix, inputs, outputs)
    # One search per source, and an undirected path has two ends: start from the fewer.
    few, many = sorted((sources.tolist(), targets.tolist()), key=len)
    return matrix, joined_pairs(matrix, sources, targets), (few, many)
