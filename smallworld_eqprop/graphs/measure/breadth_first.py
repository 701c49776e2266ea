"""Breadth-first search from 64 sources at once, compiled.

Every node has one word of 64 bits, bit b for source b: what a node hands to its neighbours is one
OR for all sources that reach it in the same round (Then et al., PVLDB 8, 2014,
doi:10.14778/2735496.2735507). Where few nodes are active, they push their bits; where many are,
every node that misses bits gathers them until it misses none (Beamer et al., SC 2012,
doi:10.1109/SC.2012.50). So a node costs as much as it has active rounds. These are few where all
nodes are near, and where the 64 sources are near each other; `close_together` groups sources so.

All numbers are unsigned, because numba checks the sign of every other index. The arrays to work in
are handed in: allocating them here would lengthen compilation.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from smallworld_eqprop.graphs.core.bitsets import popcount

__all__ = ["BITS", "close_together", "local_efficiencies", "scratch", "search_from"]

BITS = 64
ZERO, ONE = np.uint64(0), np.uint64(1)
# Gather where a sixteenth of the nodes are active and have a quarter of all edges; look for what is
# missing after every eighth neighbour, because looking after each would cost more than gathering.
FEW, SHARE, STRIDE = np.uint64(16), np.uint64(4), np.uint64(8)


def scratch(n_nodes: int) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint32]]:
    """Give the arrays that `search_from` works in; they serve for any number of searches."""
    return np.zeros((3, n_nodes), np.uint64), np.empty((2, n_nodes + 1), np.uint32)


@numba.njit(nogil=True, cache=True)
def search_from(indptr, indices, sources, is_target, counts, sums, reached, words, lists):  # type: ignore[no-untyped-def]
    """Search from up to 64 sources; add the targets found at every distance to `counts`.

    Adds their distances to `sums` and their number to `reached`, source by source, unless these
    are empty.
    """
    n_nodes = np.uint64(len(indptr) - 1)
    seen, front, fresh = words[0], words[1], words[2]
    active, found = lists[0], lists[1]
    seen[:n_nodes] = ZERO
    full = ZERO
    n_active = np.uint64(len(sources))
    for bit in range(n_active):
        node = sources[bit]
        front[node] = seen[node] = ONE << bit
        full |= ONE << bit
        active[bit] = node
    distance = 0
    while n_active > ZERO:
        distance += 1
        work = ZERO
        if n_active * FEW > n_nodes:
            for place in range(n_active):
                work += np.uint64(indptr[active[place] + ONE] - indptr[active[place]])
        n_found = ZERO
        if work * SHARE > np.uint64(len(indices)):
            for node in range(n_nodes):
                missing = full & ~seen[node]
                if missing == ZERO:
                    continue
                gathered = ZERO
                slot, end = np.uint64(indptr[node]), np.uint64(indptr[node + ONE])
                while slot < end:
                    stop = min(slot + STRIDE, end)
                    while slot < stop:
                        gathered |= front[indices[slot]]
                        slot += ONE
                    if missing & ~gathered == ZERO:
                        break
                fresh[node] = gathered & missing
                found[n_found] = node
                n_found += np.uint64(fresh[node] != ZERO)
            for place in range(n_active):
                front[active[place]] = ZERO
        else:
            for place in range(n_active):
                node = active[place]
                word = front[node]
                front[node] = ZERO
                for edge in range(indptr[node], indptr[node + ONE]):
                    other = indices[edge]
                    before = fresh[other]
                    news = word & ~seen[other]
                    fresh[other] = before | news
                    # No branch, which would often be guessed wrongly.
                    found[n_found] = other
                    n_found += np.uint64((before == ZERO) & (news != ZERO))
        n_targets = ZERO
        for place in range(n_found):
            node = found[place]
            news = fresh[node]
            seen[node] |= news
            if is_target[node]:
                n_targets += np.uint64(popcount(news))
                while len(sums) > 0 and news != ZERO:
                    source = np.uint64(popcount((news & (~news + ONE)) - ONE))
                    sums[source] += distance
                    reached[source] += 1
                    news &= news - ONE
        counts[distance] += np.int64(n_targets)
        front, fresh = fresh, front
        active, found = found, active
        n_active = n_found


def close_together(
    indptr: npt.NDArray[np.uint32], indices: npt.NDArray[np.uint32], nodes: npt.NDArray[np.int64]
) -> npt.NDArray[np.uint32]:
    """Give the same nodes in an order in which each 64 are close to each other."""
    waiting = np.zeros(len(indptr) - 1, dtype=np.bool_)
    waiting[nodes] = True
    order = np.empty(len(nodes), dtype=np.uint32)
    _grow_balls(indptr, indices, waiting, order)
    return order


@numba.njit(nogil=True, cache=True)
def _grow_balls(indptr, indices, waiting, order):  # type: ignore[no-untyped-def]
    """Grow a ball around the first node still waiting, through others that wait, up to 64 in all.

    Where a ball cannot grow any further, the next one fills up the 64.
    """
    n_placed = 0
    for seed in range(np.uint64(len(waiting))):
        if not waiting[seed]:
            continue
        waiting[seed] = False
        order[n_placed] = seed
        place = n_placed
        n_placed += 1
        while place < n_placed and n_placed % BITS > 0:
            node = order[place]
            place += 1
            for slot in range(indptr[node], indptr[node + ONE]):
                other = indices[slot]
                if waiting[other] and n_placed % BITS > 0:
                    waiting[other] = False
                    order[n_placed] = other
                    n_placed += 1


@numba.njit(nogil=True, cache=True)
def local_efficiencies(indptr, indices, words, lists):  # type: ignore[no-untyped-def]
    """Give every node the global efficiency among its neighbours; 0 for fewer than two."""
    n_nodes = np.uint64(len(indptr) - 1)
    efficiencies = np.zeros(n_nodes)
    # One more than the position of a node among the neighbours, 0 for all others.
    position = np.zeros(n_nodes, np.uint32)
    inner_indptr = np.zeros(n_nodes + ONE, np.uint32)
    inner = np.empty(len(indices) + 1, np.uint32)
    numbers = np.arange(len(indptr)).astype(np.uint32)
    everywhere = np.ones(n_nodes, np.bool_)
    counts = np.zeros(n_nodes + ONE, np.int64)
    unused = np.empty(0, np.int64)
    for node in range(n_nodes):
        neighbours = indices[indptr[node] : indptr[node + ONE]]
        degree = len(neighbours)
        if degree < 2:
            continue
        for place in range(np.uint64(degree)):
            position[neighbours[place]] = place + ONE
        n_inner = ZERO
        for place in range(np.uint64(degree)):
            other = neighbours[place]
            for slot in range(indptr[other], indptr[other + ONE]):
                there = position[indices[slot]]
                inner[n_inner] = there - 1
                n_inner += np.uint64(there != 0)
            inner_indptr[place + ONE] = n_inner
        for place in range(np.uint64(degree)):
            position[neighbours[place]] = 0
        # No edge among them, or all: there is nothing to search.
        if n_inner == ZERO or n_inner == degree * (degree - 1):
            efficiencies[node] = 1.0 if n_inner else 0.0
            continue
        for start in range(0, degree, BITS):
            sources = numbers[start : min(degree, start + BITS)]
            search_from(
                inner_indptr[: degree + 1], inner[:n_inner], sources, everywhere,
                counts, unused, unused, words, lists,
            )  # fmt: skip
        total = 0.0
        distance = 1
        while distance < degree and counts[distance] > 0:
            total += counts[distance] / distance
            counts[distance] = 0
            distance += 1
        efficiencies[node] = total / (degree * (degree - 1))
    return efficiencies
