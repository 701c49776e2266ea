"""Lattice references: the ordered end of the scale on which small worlds are placed."""

from __future__ import annotations

import numba
import numpy as np

from smallworld_eqprop.graphs.core.adjacency import (
    Graph,
    adjacency_from_edges,
    as_adjacency,
    edges_of,
)
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.bitsets import bit_rows, flip, has_bit, is_dense
from smallworld_eqprop.graphs.core.draws import draw_places
from smallworld_eqprop.graphs.core.edges import canonical_edges
from smallworld_eqprop.graphs.nulls.nullmodels import (
    NullSample,
    checked_attempts,
    drawn_sample,
)
from smallworld_eqprop.graphs.nulls.switching import joined

__all__ = ["degree_preserving_lattice", "ring_lattice"]

# A lattice is taken as settled when its edges get shorter by no more than this in the second half.
LATE_SHORTENING = 0.05


def ring_lattice(graph: Graph, *, seed: Seed = None) -> NullSample:
    """Give a ring on which every node is connected to its nearest nodes, with as many edges.

    All pairs one place apart are connected, then all two apart, and so on; at the last distance
    the edges left over are drawn uniformly.

    Parameters
    ----------
    graph : Graph
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.

    Returns
    -------
    NullSample

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or the seed is bad.

    References
    ----------
    Watts and Strogatz (1998), doi:10.1038/30918.
    """
    adjacency = as_adjacency(graph)
    rng, seed = seeded(seed)
    n_nodes, n_edges = adjacency.shape[0], adjacency.nnz // 2
    rounds, left_over = divmod(n_edges, n_nodes) if n_nodes else (0, 0)
    nodes = np.arange(n_nodes)
    pairs = [np.empty((0, 2), dtype=np.int64)]
    pairs += [np.column_stack((nodes, (nodes + k) % n_nodes)) for k in range(1, rounds + 1)]
    if left_over:
        distance = rounds + 1
        # Opposite nodes on an even ring are each other's: half as many pairs.
        from_nodes = nodes[: n_nodes // 2] if 2 * distance == n_nodes else nodes
        drawn = from_nodes[draw_places(len(from_nodes), left_over, rng)]
        pairs.append(np.column_stack((drawn, (drawn + distance) % n_nodes)))
    return drawn_sample(n_nodes, np.concatenate(pairs), {"step": "ring_lattice", "seed": seed})


def degree_preserving_lattice(
    graph: Graph, *, seed: Seed = None, switches_per_edge: float = 80.0
) -> NullSample:
    """Make a graph as lattice-like as switches can that keep every degree.

    The nodes are placed on a ring in random order, and switches (a-b, c-d to a-d, c-b) that would
    lengthen the two edges along the ring are refused. Each attempt draws an edge a-b, a node d
    nearer to a than b is, at a distance drawn on a logarithmic scale, and a neighbour c of d; with
    two edges drawn independently the last long ones would hardly ever meet.

    Parameters
    ----------
    graph : Graph
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    switches_per_edge : float, optional
        Switches attempted, per edge.

    Returns
    -------
    NullSample

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or the seed or `switches_per_edge` is bad.

    References
    ----------
    Sporns and Zwi, "The small world of the cerebral cortex", Neuroinformatics 2 (2004),
    doi:10.1385/NI:2:2:145.
    """
    adjacency = as_adjacency(graph)
    rng, seed = seeded(seed)
    n_nodes, n_edges = adjacency.shape[0], adjacency.nnz // 2
    # Renumbered by their places, so that distances along the ring are differences of numbers.
    node_at = rng.permutation(n_nodes)
    place_of = np.argsort(node_at)
    on_ring = adjacency_from_edges(place_of[edges_of(adjacency)], n_nodes)
    indptr = on_ring.indptr.astype(np.int64)
    neighbours = on_ring.indices.astype(np.int64)
    owners = np.repeat(np.arange(n_nodes), np.diff(indptr))
    # Where each edge stands in the row of its other end: the same order seen from there.
    mirror = np.lexsort((owners, neighbours))
    dense = is_dense(on_ring)
    rows = bit_rows(on_ring.indptr, on_ring.indices) if dense else np.empty((0, 0), np.uint64)
    attempts = checked_attempts(switches_per_edge, n_edges)
    lengths = []
    accepted = 0
    for half in (attempts // 2, attempts - attempts // 2) if n_edges else ():
        accepted += _shorten(owners, indptr, neighbours, mirror, rows, half, rng)
        apart = np.abs(owners - neighbours)
        lengths.append(int(np.minimum(apart, n_nodes - apart).sum()))
    settled = not lengths or lengths[0] - lengths[1] <= LATE_SHORTENING * lengths[0]
    upper = owners < neighbours
    edges = node_at[np.column_stack((owners[upper], neighbours[upper]))]
    name = "degree_preserving_lattice"
    made = {"step": name, "switches_per_edge": float(switches_per_edge), "seed": seed}
    sorted_edges = canonical_edges(edges, n_nodes)
    return NullSample(n_nodes, sorted_edges, attempts, accepted, settled, made)


@numba.njit(nogil=True, cache=True)
def _shorten(owners, indptr, neighbours, mirror, rows, attempts, rng):  # type: ignore[no-untyped-def]
    """Attempt switches that do not lengthen edges; nodes are their places on the ring."""
    n_nodes = len(indptr) - 1
    accepted = 0
    for _ in range(attempts):
        at_a = rng.integers(0, len(owners))
        at_b = mirror[at_a]
        a, b = owners[at_a], neighbours[at_a]
        step = int(_apart(a, b, n_nodes) ** rng.random())
        d = (a + step if rng.random() < 0.5 else a - step) % n_nodes
        degree = indptr[d + 1] - indptr[d]
        if degree == 0:
            continue
        at_d = indptr[d] + rng.integers(0, degree)
        at_c = mirror[at_d]
        c = neighbours[at_d]
        if a in (c, d) or b in (c, d):
            continue
        longer = _apart(a, d, n_nodes) + _apart(c, b, n_nodes)
        if longer > _apart(a, b, n_nodes) + _apart(c, d, n_nodes):
            continue
        if len(rows) > 0:
            if has_bit(rows, a, d) or has_bit(rows, c, b):
                continue
            flip(rows, a, b)
            flip(rows, c, d)
            flip(rows, a, d)
            flip(rows, c, b)
        elif joined(indptr, neighbours, a, d) or joined(indptr, neighbours, c, b):
            continue
        neighbours[at_a], neighbours[at_d] = d, a
        neighbours[at_c], neighbours[at_b] = b, c
        mirror[at_a], mirror[at_d] = at_d, at_a
        mirror[at_c], mirror[at_b] = at_b, at_c
        accepted += 1
    return accepted


@numba.njit(nogil=True, cache=True)
def _apart(a, b, n_nodes):  # type: ignore[no-untyped-def]
    distance = abs(a - b)
    return min(distance, n_nodes - distance)
