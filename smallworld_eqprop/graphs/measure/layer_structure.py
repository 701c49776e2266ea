"""What only a layered graph has: skip and intralayer edges, hops to the outputs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import dijkstra

from smallworld_eqprop.graphs.core.adjacency import weighted_adjacency
from smallworld_eqprop.graphs.core.blocks import edges_between_layers
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.distances import distance_counts, mean_distance
from smallworld_eqprop.graphs.measure.weighted_paths import mean_path

__all__ = [
    "hops_to_output",
    "input_output_counts",
    "input_output_path_length",
    "intralayer_share",
    "layer_modularity",
    "skip_share",
]


def skip_share(g: LayeredGraph) -> float:
    """Give the share of edges that join layers at least two apart; NaN for no edges.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    float
    """
    return float(g.skip.mean()) if g.n_edges else float("nan")


def intralayer_share(g: LayeredGraph) -> float:
    """Give the share of edges inside one layer; NaN for no edges.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    float
    """
    return float(g.intralayer.mean()) if g.n_edges else float("nan")


def hops_to_output(g: LayeredGraph) -> npt.NDArray[np.float64]:
    r"""Give every node's distance to the nearest output, :math:`\min_{o} d_{io}`.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    ndarray of float64, shape (n_nodes,)
        0 on the outputs; NaN where no path leads to an output.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> hops_to_output(layered((1, 2, 1))).tolist()
    [2.0, 1.0, 1.0, 0.0]
    """
    outputs = np.arange(g.n_nodes)[g.layer_slice(-1)]
    hops = dijkstra(g.adjacency(), indices=outputs, unweighted=True, min_only=True, directed=False)
    return np.where(np.isinf(hops), np.nan, hops)


def input_output_counts(g: LayeredGraph) -> npt.NDArray[np.int64]:
    """Count the (input, output) pairs at every distance.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    ndarray of int64
        Entry d counts the pairs d hops apart; pairs without a path are in none.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> input_output_counts(layered((3, 2, 2))).tolist()
    [0, 0, 6]
    """
    nodes = np.arange(g.n_nodes)
    return distance_counts(g, nodes[g.layer_slice(0)], nodes[g.layer_slice(-1)])


def input_output_path_length(g: LayeredGraph, *, weighted: bool = False) -> float:
    r"""Average the distance over the (input, output) pairs joined by a path.

    .. math:: L_{io} = \langle d_{io} \rangle_{d_{io} < \infty}

    Parameters
    ----------
    g : LayeredGraph
    weighted : bool, optional
        An edge is as long as 1 / abs(weight).

    Returns
    -------
    float
        In hops, or in units of 1 / weight; NaN if no input reaches an output.

    Raises
    ------
    InputError
        If weights count and some edges have none.
    """
    if weighted:
        nodes = np.arange(g.n_nodes)
        weights = weighted_adjacency(g, signed=True)
        return mean_path(weights, nodes[g.layer_slice(-1)], nodes[g.layer_slice(0)])
    return mean_distance(input_output_counts(g))


def layer_modularity(g: LayeredGraph) -> float:
    r"""Give the modularity of the partition of the nodes into layers.

    .. math:: Q = \sum_a \left[ \frac{m_{aa}}{m} - \left( \frac{k_a}{2m} \right)^2 \right]

    with :math:`m_{aa}` the edges inside layer a and :math:`k_a` the sum of its degrees. Negative
    when edges run between layers, as in every network without intralayer edges.

    Parameters
    ----------
    g : LayeredGraph

    Returns
    -------
    float
        NaN for no edges.

    References
    ----------
    Newman and Girvan, "Finding and evaluating community structure in networks", Phys. Rev. E 69
    (2004), doi:10.1103/PhysRevE.69.026113.
    """
    if not g.n_edges:
        return float("nan")
    between = edges_between_layers(g)
    inside = np.diag(between)
    ends = between.sum(axis=1) + inside
    return float((inside / g.n_edges - (ends / (2 * g.n_edges)) ** 2).sum())
