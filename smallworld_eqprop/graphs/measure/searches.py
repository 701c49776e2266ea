"""Breadth-first searches from many sources: how many targets are how far away.

A small graph is searched with NumPy, because compiled code takes longer to load than that. Trees
are counted without a search (`trees`). Everything else is searched from 64 sources at once
(`breadth_first`). That is fast where the sources reach a node in few rounds. In a deep graph they
do so if they are close to each other, so there the nodes are first brought into an order in which
neighbours stand together (reverse Cuthill-McKee), and the sources are put together in balls.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import breadth_first_order, reverse_cuthill_mckee

__all__ = ["Found", "local_efficiencies", "search"]

# A search with NumPy costs as much in every round, so it is for few nodes, edges and rounds.
SMALL_NODES, SMALL_WORDS, SMALL_DEPTH = 1000, 2**20, 64
# Balls and order take about as long as a search from 64 sources in this many rounds.
DEEP = 16


class Found(NamedTuple):
    """What a search saw.

    Attributes
    ----------
    counts : ndarray of int64
        Number of (source, target) pairs at every distance.
    sums, reached : ndarray of int64, shape (n_sources,)
        For every source the sum of the distances to the targets it reaches, itself left out, and
        their number; zeros unless asked for.
    """

    counts: npt.NDArray[np.int64]
    sums: npt.NDArray[np.int64]
    reached: npt.NDArray[np.int64]


def search(
    adjacency: sparse.csr_array,
    sources: npt.NDArray[np.int64],
    targets: npt.NDArray[np.int64],
    per_source: bool = False,
) -> Found:
    """Search breadth-first from every source and count the targets at every distance."""
    n_nodes = adjacency.shape[0]
    is_target = np.zeros(n_nodes, dtype=np.bool_)
    is_target[targets] = True
    found = Found(*(np.zeros(n, np.int64) for n in (n_nodes + 1, len(sources), len(sources))))
    found.counts[0] = np.count_nonzero(is_target[sources])
    if adjacency.nnz and len(sources):
        depth = depth_of(adjacency)
        n_words = adjacency.nnz * -(-len(sources) // 64)
        if n_nodes <= SMALL_NODES and n_words <= SMALL_WORDS and depth <= SMALL_DEPTH:
            _search_small(adjacency, sources, is_target, found)
        else:
            _search_compiled(adjacency, sources, is_target, found, per_source, depth > DEEP)
    return found._replace(counts=np.trim_zeros(found.counts, "b"))


def depth_of(adjacency: sparse.csr_array) -> int:
    """Give the distance from a node to the farthest one it reaches, the largest of some components.

    At least half the longest distance in these components. They are those of nine nodes, spread
    over all numbers, so that large components are met.
    """
    n_nodes = adjacency.shape[0]
    seen = np.zeros(n_nodes, dtype=np.bool_)
    deepest = 0
    for start in np.linspace(0, n_nodes - 1, 9).astype(int):
        if seen[start]:
            continue
        order, before = breadth_first_order(adjacency, start)
        seen[order] = True
        node, depth = order[-1], 0
        while node != start:
            node, depth = before[node], depth + 1
        deepest = max(deepest, depth)
    return deepest


def local_efficiencies(adjacency: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Give every node the global efficiency among its neighbours; 0 for fewer than two."""
    from smallworld_eqprop.graphs.measure import breadth_first

    indptr, indices = (each.astype(np.uint32) for each in (adjacency.indptr, adjacency.indices))
    most = int(np.diff(adjacency.indptr).max(initial=0))
    return breadth_first.local_efficiencies(indptr, indices, *breadth_first.scratch(most))


def _search_small(
    adjacency: sparse.csr_array,
    sources: npt.NDArray[np.int64],
    is_target: npt.NDArray[np.bool_],
    found: Found,
) -> None:
    """Search round by round: the row of a node has a bit for every source, up to full words."""
    n_nodes, n_sources = len(is_target), len(sources)
    at = np.zeros((n_nodes, -(-n_sources // 64) * 64), dtype=np.bool_)
    at[sources, np.arange(n_sources)] = True
    front = np.packbits(at, axis=1).view(np.uint64)
    seen = front.copy()
    joined = np.flatnonzero(np.diff(adjacency.indptr))
    distance = 0
    while front.any():
        distance += 1
        news = np.zeros_like(seen)
        news[joined] = np.bitwise_or.reduceat(
            front[adjacency.indices], adjacency.indptr[joined], axis=0
        )
        front = news & ~seen
        seen |= front
        bits = np.unpackbits(front[is_target].view(np.uint8), axis=1, count=n_sources)
        new = bits.sum(axis=0, dtype=np.int64)
        found.counts[distance] = new.sum()
        found.sums[:] += distance * new
        found.reached[:] += new


def _search_compiled(
    adjacency: sparse.csr_array,
    sources: npt.NDArray[np.int64],
    is_target: npt.NDArray[np.bool_],
    found: Found,
    per_source: bool,
    deep: bool,
) -> None:
    # Imported here, because loading compiled code takes long: see the head of this module.
    from smallworld_eqprop.graphs.measure import breadth_first, trees

    n_nodes = len(is_target)
    places = np.arange(len(sources))
    everywhere = len(sources) == n_nodes == np.count_nonzero(is_target)
    if everywhere and not per_source and adjacency.nnz < 2 * n_nodes:
        # Fewer edges than nodes: at least one component is a tree.
        roots, inside = trees.find_trees(adjacency)
        trees.count_pairs(adjacency, roots, found.counts)
        places = np.flatnonzero(~inside[sources])
    if deep:
        order = reverse_cuthill_mckee(adjacency, symmetric_mode=True)
        adjacency, rank = _reordered(adjacency, order)
        sources, is_target = rank[sources], is_target[order]
    indptr, indices = (each.astype(np.uint32) for each in (adjacency.indptr, adjacency.indices))
    if deep:
        place_of = np.empty(n_nodes, dtype=np.int64)
        place_of[sources] = np.arange(len(sources))
        places = place_of[breadth_first.close_together(indptr, indices, sources[places])]
    scratch = breadth_first.scratch(n_nodes)
    for start in range(0, len(places), breadth_first.BITS):
        block = places[start : start + breadth_first.BITS]
        sums, reached = np.zeros((2, len(block) if per_source else 0), dtype=np.int64)
        breadth_first.search_from(
            indptr, indices, sources[block].astype(np.uint32), is_target,
            found.counts, sums, reached, *scratch,
        )  # fmt: skip
        if per_source:
            found.sums[block], found.reached[block] = sums, reached


def _reordered(
    adjacency: sparse.csr_array, order: npt.NDArray[np.integer]
) -> tuple[sparse.csr_array, npt.NDArray[np.int64]]:
    """Give the graph with node ``order[i]`` as node i, and the new number of every node."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    degrees = np.diff(adjacency.indptr)[order]
    indptr = np.concatenate(([0], np.cumsum(degrees)))
    slots = np.arange(adjacency.nnz) + np.repeat(adjacency.indptr[order] - indptr[:-1], degrees)
    indices = rank[adjacency.indices[slots]]
    return sparse.csr_array((adjacency.data[slots], indices, indptr), adjacency.shape), rank
