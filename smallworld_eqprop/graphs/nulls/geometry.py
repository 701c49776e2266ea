"""A null model of graphs in space: degrees and lengths of edges stay."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import scipy  # its parts are imported when they are used

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import Graph
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.nulls.exchanges import Space, exchange
from smallworld_eqprop.graphs.nulls.labels import checked_blocks, labelled, weighted_edges
from smallworld_eqprop.graphs.nulls.samples import NullSample, checked_attempts, placed_sample

__all__ = ["geometry_preserving"]

# How many of the nearest nodes of every node are drawn as the end of a second edge.
N_NEAR = 6


def geometry_preserving(
    graph: Graph,
    positions: npt.ArrayLike | None = None,
    *,
    seed: Seed = None,
    switches_per_edge: float = 200.0,
    tolerance: float = 0.2,
    blocks: npt.ArrayLike | None = None,
) -> NullSample:
    """Draw among the graphs with the same degrees whose edges are as long as here.

    Lengths are sorted into bins whose upper bound is 1 + `tolerance` times the lower one. A walk
    switches two edges a-b, c-d to a-d, c-b where the two new edges are in the same two bins as
    the two old ones. Exactly as before are then every node's number of positive and of negative
    edges, the number of edges in every bin, and the weights in every bin. An edge takes its weight
    and all its data along, and its length changes at most by the factor 1 + `tolerance`. So the
    total length changes at most by that factor, too; errors of single edges cancel, and it
    usually stays within a twentieth of that. The law is uniform among the graphs that such switches
    reach.

    Parameters
    ----------
    graph : Graph
    positions : array_like of float, shape (n_nodes, n_dimensions), optional
        Where the nodes are, in their order, which for networkx is that of ``graph.nodes``. By
        default the node data ``position`` of a LayeredGraph.
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    switches_per_edge : float, optional
        Switches attempted, per edge. Most are refused: the narrower the bins, the more.
    tolerance : float, optional
        Relative width of a bin, above 0.
    blocks : array_like of int or str, shape (n_nodes,), optional
        A label for every node, such as ``g.layers``. Every node then keeps how many edges it has
        into every block.

    Returns
    -------
    NullSample
        `measured` has ``wiring_length_before`` and ``wiring_length_after``, the sums of the lengths
        of all edges. `weights` are those of the graph, ones where it has none.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, the nodes have no positions, or not one finite
        position each, a number is out of its range, or `blocks` has not one label per node.

    References
    ----------
    Betzel and Bassett, "Specificity and robustness of long-distance connections in weighted,
    interareal connectomes", PNAS 115 (2018), doi:10.1073/pnas.1720186115. Geometry as a null
    model: Roberts et al., "The contribution of geometry to the human connectome", NeuroImage 124
    (2016), doi:10.1016/j.neuroimage.2015.09.009.
    """
    edges, weights, n_nodes = weighted_edges(graph)
    place = _checked_positions(graph, positions, n_nodes)
    rng, seed = seeded(seed)
    block = checked_blocks(blocks, n_nodes)
    attempts = checked_attempts(switches_per_edge, len(edges))
    if not 0 < tolerance < np.inf:
        raise InputError(f"tolerance: {tolerance}; give a number above 0, such as 0.2")
    before = _lengths(edges, place)
    start = labelled(edges, weights < 0, block)
    walked = exchange(
        start.edges, n_nodes, attempts, rng,
        labels=start.labels, turns=start.turns, one_way=start.one_way,
        space=Space(place, _limits(before, tolerance), _near(place)),
    )  # fmt: skip
    kept = {} if blocks is None else {"blocks": int(block.max(initial=-1)) + 1}
    made = {
        "step": "geometry_preserving", "switches_per_edge": float(switches_per_edge),
        "tolerance": float(tolerance), **kept, "seed": seed,
    }  # fmt: skip
    measured = {
        "wiring_length_before": float(before.sum()),
        "wiring_length_after": float(_lengths(walked.edges, place).sum()),
    }
    return placed_sample(n_nodes, walked, made, weights, np.arange(len(edges)), measured)


def _checked_positions(
    graph: Graph, positions: npt.ArrayLike | None, n_nodes: int
) -> npt.NDArray[np.float64]:
    if positions is None:
        if not isinstance(graph, LayeredGraph) or "position" not in graph.node_data:
            raise InputError(
                "positions: none, and the graph has no node data 'position'; give an array of "
                f"shape ({n_nodes}, 2) or ({n_nodes}, 3)"
            )
        positions = graph.node_data["position"]
    place = np.ascontiguousarray(positions, dtype=np.float64)
    if place.ndim != 2 or len(place) != n_nodes:
        raise InputError(
            f"positions: an array of shape {place.shape}; give one row for each of {n_nodes} nodes"
        )
    bad = ~np.isfinite(place).all(axis=1)
    if bad.any():
        raise InputError(
            f"positions: {int(bad.sum())} of {n_nodes} nodes have none that is finite, the first "
            f"is node {int(np.argmax(bad))}; give every node one"
        )
    return place


def _lengths(
    edges: npt.NDArray[np.integer], place: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    return np.linalg.norm(place[edges[:, 0]] - place[edges[:, 1]], axis=1)


def _near(place: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Give the nodes nearest to every node, shape (n_nodes, n_near); none where there are two."""
    n_near = min(N_NEAR, len(place) - 1)
    if n_near < 2:
        return np.empty((0, 0), dtype=np.int64)
    # A node need not be the first of the nodes nearest to it, where others are at its place.
    _, found = scipy.spatial.KDTree(place).query(place, k=n_near + 1)
    return np.asarray(found, dtype=np.int64)[:, 1:]


def _limits(lengths: npt.NDArray[np.float64], tolerance: float) -> npt.NDArray[np.float64]:
    """Give the squares of the limits of every edge's bin; edges of length 0 have their own."""
    limits = np.tile((0.0, np.finfo(np.float64).tiny), (len(lengths), 1))
    longer = lengths > 0
    if longer.any():
        # A hair below the shortest, so that rounding puts no edge outside its bin.
        low = lengths[longer].min() * (1 - 1e-12)
        ratio = 1 + tolerance
        number = np.floor(np.log(lengths[longer] / low) / math.log(ratio))
        number += lengths[longer] >= low * ratio ** (number + 1)
        number -= lengths[longer] < low * ratio**number
        limits[longer] = (low * ratio ** np.stack((number, number + 1), axis=1)) ** 2
    return limits
