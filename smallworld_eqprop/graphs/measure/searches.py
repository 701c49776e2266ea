"""Breadth-first searches, compiled: one algorithm for dense graphs and one for sparse ones.

Dense: every source by itself on rows of bits, left as soon as all nodes are reached.
Sparse: 512 sources at once, one bit each (Then et al., PVLDB 8, 2014,
doi:10.14778/2735496.2735507), turning direction as the frontier grows (Beamer et al., SC 2012,
doi:10.1109/SC.2012.50).
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.graphs.core.bitsets import bit_rows, is_dense, popcount

__all__ = ["Found", "local_efficiencies", "search"]

# One cache line of bits for every node.
WORDS = 8
BLOCK = 64 * WORDS
STRIDE = 8


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
    counts = np.zeros(n_nodes + 1, dtype=np.int64)
    counts[0] = np.count_nonzero(is_target[sources])
    sums = np.zeros(len(sources), dtype=np.int64)
    reached = np.zeros(len(sources), dtype=np.int64)
    if is_dense(adjacency):
        rows = bit_rows(adjacency.indptr, adjacency.indices)
        _search_dense(rows, sources, is_target, counts, sums, reached)
    else:
        for start in range(0, len(sources), BLOCK):
            block = slice(start, start + BLOCK)
            _search_block(
                adjacency.indptr, adjacency.indices, sources[block], is_target, counts,
                sums[block] if per_source else sums[:0], reached[block],
            )  # fmt: skip
    return Found(np.trim_zeros(counts, "b"), sums, reached)


def local_efficiencies(adjacency: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Give every node the global efficiency among its neighbours; 0 for fewer than two."""
    if is_dense(adjacency):
        rows = bit_rows(adjacency.indptr, adjacency.indices)
        return _local_dense(rows, adjacency.indptr, adjacency.indices)
    return _local_sparse(adjacency.indptr, adjacency.indices)


@numba.njit(nogil=True, cache=True)
def _search_dense(rows, sources, is_target, counts, sums, reached):  # type: ignore[no-untyped-def]
    n_nodes, n_words = rows.shape
    everywhere = np.zeros(n_words, np.uint64)
    targets = np.zeros(n_words, np.uint64)
    for node in range(n_nodes):
        mark = np.uint64(1) << np.uint64(node & 63)
        everywhere[node >> 6] |= mark
        if is_target[node]:
            targets[node >> 6] |= mark
    work = np.empty((3, n_words), np.uint64)
    for position in range(len(sources)):
        sums[position], reached[position] = _search_inside(
            rows, everywhere, sources[position], targets, counts, work
        )


@numba.njit(nogil=True, cache=True)
def _local_dense(rows, indptr, indices):  # type: ignore[no-untyped-def]
    n_nodes, n_words = rows.shape
    efficiencies = np.zeros(n_nodes)
    work = np.empty((3, n_words), np.uint64)
    for node in range(n_nodes):
        degree = indptr[node + 1] - indptr[node]
        if degree < 2:
            continue
        counts = np.zeros(degree + 1, np.int64)
        for slot in range(indptr[node], indptr[node + 1]):
            _search_inside(rows, rows[node], indices[slot], rows[node], counts, work)
        efficiencies[node] = _efficiency(counts, degree)
    return efficiencies


@numba.njit(nogil=True, cache=True)
def _efficiency(counts, n_nodes):  # type: ignore[no-untyped-def]
    total = 0.0
    for distance in range(1, len(counts)):
        total += counts[distance] / distance
    return total / (n_nodes * (n_nodes - 1))


@numba.njit(nogil=True, cache=True)
def _search_inside(rows, inside, source, targets, counts, work):  # type: ignore[no-untyped-def]
    """Search from one source among the nodes `inside`; give the sum of distances and their number.

    Adds to `counts[distance]`; `work` is scratch of shape (3, n_words).
    """
    n_words = len(inside)
    seen, frontier, fresh = work[0], work[1], work[2]
    seen[:] = 0
    frontier[:] = 0
    mark = np.uint64(1) << np.uint64(source & 63)
    seen[source >> 6] = mark
    frontier[source >> 6] = mark
    total = 0
    reached = 0
    distance = 0
    n_front = 1
    n_left = -1
    for word in range(n_words):
        n_left += popcount(inside[word])
    while n_front > 0 and n_left > 0:
        distance += 1
        if n_front < n_left // 4:
            # Few nodes in front: gather their rows until nothing is missing.
            fresh[:] = 0
            missing = np.uint64(1)
            for word in range(n_words):
                left = frontier[word]
                while left != 0 and missing != 0:
                    lowest = left & (~left + np.uint64(1))
                    node = 64 * word + popcount(lowest - np.uint64(1))
                    left ^= lowest
                    missing = np.uint64(0)
                    for other in range(n_words):
                        gathered = fresh[other] | rows[node, other]
                        fresh[other] = gathered
                        missing |= inside[other] & ~(seen[other] | gathered)
        else:
            # Many: every node not yet seen looks for one neighbour among them.
            for word in range(n_words):
                left = inside[word] & ~seen[word]
                met = np.uint64(0)
                while left != 0:
                    lowest = left & (~left + np.uint64(1))
                    node = 64 * word + popcount(lowest - np.uint64(1))
                    left ^= lowest
                    for other in range(n_words):
                        if rows[node, other] & frontier[other] != 0:
                            met |= lowest
                            break
                fresh[word] = met
        n_front = 0
        n_found = 0
        for word in range(n_words):
            news = fresh[word] & inside[word] & ~seen[word]
            frontier[word] = news
            seen[word] |= news
            n_front += popcount(news)
            n_found += popcount(news & targets[word])
        n_left -= n_front
        if n_front > 0:
            counts[distance] += n_found
            total += n_found * distance
            reached += n_found
    return total, reached


@numba.njit(nogil=True, cache=True)
def _search_block(indptr, indices, sources, is_target, counts, sums, reached):  # type: ignore[no-untyped-def]
    """Search breadth-first from up to 512 sources; bit b of a node's row is source b.

    Adds to `counts[distance]`, and to `sums` and `reached` of every source unless `sums` is empty.
    """
    n_nodes = len(indptr) - 1
    seen = np.zeros((n_nodes, WORDS), np.uint64)
    frontier = np.zeros((n_nodes, WORDS), np.uint64)
    fresh = np.zeros((n_nodes, WORDS), np.uint64)
    full = np.zeros(WORDS, np.uint64)
    active = np.empty(n_nodes, np.int64)
    found = np.empty(n_nodes, np.int64)
    n_active = len(sources)
    for bit in range(n_active):
        node = sources[bit]
        mark = np.uint64(1) << np.uint64(bit & 63)
        seen[node, bit >> 6] |= mark
        frontier[node, bit >> 6] |= mark
        full[bit >> 6] |= mark
        active[bit] = node
    distance = 0
    while n_active > 0:
        distance += 1
        work = 0
        for position in range(n_active):
            work += indptr[active[position] + 1] - indptr[active[position]]
        n_found = 0
        if work * 4 > len(indices):
            # Most nodes are active: every node gathers from its neighbours until it misses none.
            for node in range(n_nodes):
                missing = np.uint64(0)
                for word in range(WORDS):
                    missing |= full[word] & ~seen[node, word]
                if missing == 0:
                    continue
                # Looking for saturation after every neighbour would cost more than gathering.
                for first in range(indptr[node], indptr[node + 1], STRIDE):
                    for slot in range(first, min(first + STRIDE, indptr[node + 1])):
                        for word in range(WORDS):
                            fresh[node, word] |= frontier[indices[slot], word]
                    missing = np.uint64(0)
                    for word in range(WORDS):
                        missing |= full[word] & ~(seen[node, word] | fresh[node, word])
                    if missing == 0:
                        break
                news = np.uint64(0)
                for word in range(WORDS):
                    fresh[node, word] &= ~seen[node, word]
                    news |= fresh[node, word]
                if news != 0:
                    found[n_found] = node
                    n_found += 1
        else:
            # Few are active: each hands its bits to its neighbours.
            for position in range(n_active):
                node = active[position]
                for slot in range(indptr[node], indptr[node + 1]):
                    other = indices[slot]
                    before = np.uint64(0)
                    news = np.uint64(0)
                    for word in range(WORDS):
                        before |= fresh[other, word]
                        fresh[other, word] |= frontier[node, word] & ~seen[other, word]
                        news |= fresh[other, word]
                    if before == 0 and news != 0:
                        found[n_found] = other
                        n_found += 1
        for position in range(n_active):
            frontier[active[position]] = 0
        for position in range(n_found):
            node = found[position]
            for word in range(WORDS):
                news = fresh[node, word]
                seen[node, word] |= news
                frontier[node, word] = news
                fresh[node, word] = 0
                if is_target[node]:
                    counts[distance] += popcount(news)
                    if len(sums) > 0:
                        while news != 0:
                            lowest = news & (~news + np.uint64(1))
                            source = 64 * word + popcount(lowest - np.uint64(1))
                            sums[source] += distance
                            reached[source] += 1
                            news ^= lowest
        active, found = found, active
        n_active = n_found


@numba.njit(nogil=True, cache=True)
def _local_sparse(indptr, indices):  # type: ignore[no-untyped-def]
    n_nodes = len(indptr) - 1
    efficiencies = np.zeros(n_nodes)
    place = np.full(n_nodes, -1, indices.dtype)
    inner = np.empty(len(indices) + 1, indices.dtype)
    unused = np.empty(0, np.int64)
    for node in range(n_nodes):
        neighbours = indices[indptr[node] : indptr[node + 1]]
        degree = len(neighbours)
        if degree < 2:
            continue
        for position in range(degree):
            place[neighbours[position]] = position
        inner_indptr = np.zeros(degree + 1, indptr.dtype)
        n_inner = 0
        for position in range(degree):
            other = neighbours[position]
            for slot in range(indptr[other], indptr[other + 1]):
                inner[n_inner] = place[indices[slot]]
                n_inner += place[indices[slot]] >= 0
            inner_indptr[position + 1] = n_inner
        for position in range(degree):
            place[neighbours[position]] = -1
        if n_inner == 0:
            continue
        counts = np.zeros(degree + 1, np.int64)
        everywhere = np.ones(degree, np.bool_)
        for start in range(0, degree, BLOCK):
            block = np.arange(start, min(degree, start + BLOCK))
            _search_block(inner_indptr, inner[:n_inner], block, everywhere, counts, unused, unused)
        efficiencies[node] = _efficiency(counts, degree)
    return efficiencies
