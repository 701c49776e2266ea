"""Lattice references: the ordered end of the scale on which small worlds are placed."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

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
from smallworld_eqprop.graphs.core.neighbours import joined, ring_distance
from smallworld_eqprop.graphs.nulls.samples import NullSample, checked_attempts, drawn_sample

__all__ = ["degree_preserving_lattice", "ring_lattice"]

# The switches are made in rounds of so many attempts per edge. A lattice is taken as settled when
# its edges get shorter by no more than this share in a round.
SWITCHES_IN_ROUND = 10
LATE_SHORTENING = 0.002
# Edges drawn to make room for one more; where no switch has made room by then, none may exist.
TRIES = 10_000


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
    graph: Graph, *, seed: Seed = None, switches_per_edge: float = 400.0
) -> NullSample:
    """Make a graph that keeps every degree as lattice-like as it gets.

    The nodes are placed on a ring in random order. Pairs of nodes one place apart are connected,
    then those two apart, and so on, as far as the degrees allow; what then is missing in the
    degrees is made up for by breaking up random edges. Switches (a-b, c-d to a-d, c-b) follow that
    do not lengthen the two edges along the ring. Each attempt draws an edge a-b, a node d nearer to
    a than b is, at a distance drawn on a logarithmic scale, and a neighbour c of d. The switches
    end when ten attempts per edge have made the edges at most 0.2 % shorter: the lattice settled,
    which `mixed` of the sample says.

    Parameters
    ----------
    graph : Graph
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    switches_per_edge : float, optional
        Switches attempted at most, per edge.

    Returns
    -------
    NullSample

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or the seed or `switches_per_edge` is bad.

    References
    ----------
    Switches: Sporns and Zwi, "The small world of the cerebral cortex", Neuroinformatics 2 (2004),
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
    neighbours = np.empty(on_ring.nnz, dtype=np.int64)
    owners = np.repeat(np.arange(n_nodes), np.diff(indptr))
    if not _fill_ring(owners, indptr, neighbours, rng):
        # The graph itself has these degrees, too.
        neighbours = on_ring.indices.astype(np.int64)
    # Where each edge stands in the row of its other end: the n-th edge by (a, b) is the n-th by
    # (b, a) seen from there.
    mirror = np.empty(on_ring.nnz, dtype=np.int64)
    mirror[np.lexsort((neighbours, owners))] = np.lexsort((owners, neighbours))
    rows = np.empty((0, 0), np.uint64)
    if is_dense(on_ring):
        start = adjacency_from_edges(_edges(owners, neighbours), n_nodes)
        rows = bit_rows(start.indptr, start.indices)
    attempts = checked_attempts(switches_per_edge, n_edges)
    attempted = accepted = 0
    length, settled = _length(owners, neighbours, n_nodes), n_edges == 0
    while not settled and attempted < attempts:
        now = min(SWITCHES_IN_ROUND * n_edges, attempts - attempted)
        accepted += _shorten(owners, indptr, neighbours, mirror, rows, now, rng)
        attempted += now
        before, length = length, _length(owners, neighbours, n_nodes)
        settled = now == SWITCHES_IN_ROUND * n_edges and (
            before - length <= LATE_SHORTENING * before
        )
    edges = canonical_edges(node_at[_edges(owners, neighbours)], n_nodes)
    name = "degree_preserving_lattice"
    made = {"step": name, "switches_per_edge": float(switches_per_edge), "seed": seed}
    return NullSample(n_nodes, edges, attempted, accepted, settled, made)


def _length(owners: npt.NDArray[np.int64], neighbours: npt.NDArray[np.int64], n_nodes: int) -> int:
    """Add up the lengths of all edges along the ring, each edge twice."""
    apart = np.abs(owners - neighbours)
    return int(np.minimum(apart, n_nodes - apart).sum())


def _edges(
    owners: npt.NDArray[np.int64], neighbours: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    upper = owners < neighbours
    return np.column_stack((owners[upper], neighbours[upper]))


@numba.njit(nogil=True, cache=True)
def _fill_ring(owners, indptr, neighbours, rng):  # type: ignore[no-untyped-def]
    """Connect the nearest places on the ring that have edges left; tell whether all found some."""
    n_nodes = len(indptr) - 1
    ends = indptr[:-1].copy()
    open_places = np.arange(n_nodes)
    for apart in range(1, n_nodes // 2 + 1):
        n_open = 0
        for a in open_places:
            if ends[a] == indptr[a + 1]:
                continue
            open_places[n_open] = a
            n_open += 1
            b = (a + apart) % n_nodes
            # Opposite nodes on an even ring would be met from both sides.
            if ends[b] < indptr[b + 1] and not (2 * apart == n_nodes and b < a):
                neighbours[ends[a]], neighbours[ends[b]] = b, a
                ends[a] += 1
                ends[b] += 1
        open_places = open_places[:n_open]
        if n_open < 2:
            break
    # The nodes with edges left are now joined to each other: each pair of missing ends a, b takes
    # the place of an edge c-d, as a-c and b-d.
    missing = np.empty(len(owners), np.int64)
    n_missing = 0
    for node in open_places:
        for _ in range(indptr[node + 1] - ends[node]):
            missing[n_missing] = node
            n_missing += 1
    for tried in range(1, n_missing):
        swap = rng.integers(0, tried + 1)
        missing[tried], missing[swap] = missing[swap], missing[tried]
    tries = 0
    while n_missing > 0:
        tries += 1
        if tries > TRIES:
            return False
        a, b = missing[n_missing - 1], missing[n_missing - 2]
        at_d = rng.integers(0, len(owners))
        c = owners[at_d]
        if at_d >= ends[c]:
            continue
        d = neighbours[at_d]
        if a in (c, d) or b in (c, d):
            continue
        if _listed(indptr, ends, neighbours, a, c) or _listed(indptr, ends, neighbours, b, d):
            continue
        at_c = indptr[d]
        while neighbours[at_c] != c:
            at_c += 1
        neighbours[at_d], neighbours[at_c] = a, b
        neighbours[ends[a]] = c
        ends[a] += 1
        neighbours[ends[b]] = d
        ends[b] += 1
        n_missing -= 2
        tries = 0
    return True


@numba.njit(nogil=True, cache=True)
def _listed(indptr, ends, neighbours, a, b):  # type: ignore[no-untyped-def]
    """Tell whether two nodes are connected, by the shorter of their lists so far."""
    if ends[b] - indptr[b] < ends[a] - indptr[a]:
        a, b = b, a
    slot = indptr[a]
    while slot < ends[a] and neighbours[slot] != b:
        slot += 1
    return slot < ends[a]


@numba.njit(nogil=True, cache=True)
def _shorten(owners, indptr, neighbours, mirror, rows, attempts, rng):  # type: ignore[no-untyped-def]
    """Attempt switches that do not lengthen edges; nodes are their places on the ring."""
    n_nodes = len(indptr) - 1
    accepted = 0
    for _ in range(attempts):
        at_a = rng.integers(0, len(owners))
        at_b = mirror[at_a]
        a, b = owners[at_a], neighbours[at_a]
        step = int(ring_distance(a, b, n_nodes) ** rng.random())
        d = (a + step if rng.random() < 0.5 else a - step) % n_nodes
        degree = indptr[d + 1] - indptr[d]
        if degree == 0:
            continue
        at_d = indptr[d] + rng.integers(0, degree)
        at_c = mirror[at_d]
        c = neighbours[at_d]
        if a in (c, d) or b in (c, d):
            continue
        longer = ring_distance(a, d, n_nodes) + ring_distance(c, b, n_nodes)
        if longer > ring_distance(a, b, n_nodes) + ring_distance(c, d, n_nodes):
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
