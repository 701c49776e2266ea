"""Random edge switches a-b, c-d to a-d, c-b: they keep every degree. For sparse graphs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from smallworld_eqprop.graphs.core.prefetch import prefetch

__all__ = ["Walked", "late_share", "switch"]

# So many attempts are drawn by one call of NumPy.
DRAWN = 1 << 16
# What so many attempts will read is fetched into the cache before the first of them.
AHEAD = 16


class Walked(NamedTuple):
    """Edges after many attempted switches.

    Attributes
    ----------
    edges : ndarray of int32, shape (n_edges, 2)
        In no particular order or orientation.
    attempted, accepted : int
        Switches attempted and made.
    late_share : float
        See `late_share`.
    """

    edges: npt.NDArray[np.int32]
    attempted: int
    accepted: int
    late_share: float


def late_share(early: int, ever: int) -> float:
    """Give the share of the edges ever switched not yet switched after half the walk; 1 if none."""
    return (ever - early) / ever if ever else 1.0


def switch(
    edges: npt.NDArray[np.int32],
    attempts: int,
    rng: np.random.Generator,
    *,
    groups: npt.NDArray[np.integer] | None = None,
    flips: npt.NDArray[np.bool_] | None = None,
) -> Walked:
    """Attempt switches of two uniformly drawn edges, refusing self-loops and parallel edges.

    A refused attempt counts: the graph stays as it is, which makes the walk symmetric and its
    stationary law uniform.

    Parameters
    ----------
    edges : ndarray of int32, shape (n_edges, 2)
    attempts : int
    rng : numpy.random.Generator
    groups : ndarray of int, shape (n_edges,), optional
        Both edges of a switch come from the same group.
    flips : ndarray of bool, shape (n_groups,), optional
        Whether the ends of an edge may change sides; all groups when not given.
    """
    groups = np.zeros(len(edges), dtype=np.int64) if groups is None else groups
    order = np.argsort(groups, kind="stable")
    groups = groups[order]
    n_groups = int(groups[-1]) + 1 if len(groups) else 0
    flips = np.ones(n_groups, dtype=np.bool_) if flips is None else flips
    starts = np.searchsorted(groups, np.arange(n_groups + 1))
    ends = np.array(edges[order], dtype=np.uint32).ravel()
    # A power of two of slots, at least four for each edge: nearly every search ends where it began.
    table = np.zeros(1 << (4 * len(edges)).bit_length(), dtype=np.uint64)
    touched = np.zeros(len(edges), dtype=np.bool_)
    _fill(ends, table)
    accepted = early = 0
    halfway = attempts // 2
    for begin, end in _blocks(halfway, attempts) if len(edges) else ():
        if begin == halfway:
            early = int(np.count_nonzero(touched))
        accepted += _attempt(ends, table, touched, *_draw(starts, flips, end - begin, rng))
    share = late_share(early, int(np.count_nonzero(touched)))
    return Walked(ends.reshape(-1, 2).astype(np.int32), attempts, int(accepted), share)


def _blocks(halfway: int, attempts: int) -> Iterator[tuple[int, int]]:
    """Cut both halves of the walk into blocks of `DRAWN` attempts at most."""
    for start, stop in ((0, halfway), (halfway, attempts)):
        for begin in range(start, stop, DRAWN):
            yield begin, min(begin + DRAWN, stop)


def _draw(
    starts: npt.NDArray[np.int64],
    flips: npt.NDArray[np.bool_],
    number: int,
    rng: np.random.Generator,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """Draw the two edges of every attempt, and whether the second is turned."""
    first = rng.integers(0, starts[-1], number)
    turned = rng.integers(0, 2, number, dtype=np.bool_)
    if len(flips) == 1:
        return first, rng.integers(0, starts[-1], number), turned & flips[0]
    group = np.searchsorted(starts, first, side="right") - 1
    return first, rng.integers(starts[group], starts[group + 1]), turned & flips[group]


@numba.njit(nogil=True, cache=True)
def _key(a, b):  # type: ignore[no-untyped-def]
    """Write a pair of nodes as one number, which is never 0: that marks a free slot."""
    return (np.uint64(min(a, b)) << np.uint64(32)) | np.uint64(max(a, b))


@numba.njit(nogil=True, cache=True)
def _home(table, key):  # type: ignore[no-untyped-def]
    """Slot at which the search for a pair begins."""
    mixed = key * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(32)) & np.uint64(len(table) - 1)


@numba.njit(nogil=True, cache=True)
def _find(table, key):  # type: ignore[no-untyped-def]
    """Slot of a pair, or the free one that ends the search for it."""
    slot = _home(table, key)
    while table[slot] != key and table[slot] != 0:
        slot = (slot + np.uint64(1)) & np.uint64(len(table) - 1)
    return slot


@numba.njit(nogil=True, cache=True)
def _remove(table, key):  # type: ignore[no-untyped-def]
    """Free the slot of a pair and close the gap that this leaves in searches."""
    one, last = np.uint64(1), np.uint64(len(table) - 1)
    gap = _find(table, key)
    slot = (gap + one) & last
    while table[slot] != 0:
        # A pair whose search passes the gap moves into it.
        if (slot - _home(table, table[slot])) & last >= (slot - gap) & last:
            table[gap] = table[slot]
            gap = slot
        slot = (slot + one) & last
    table[gap] = 0


@numba.njit(nogil=True, cache=True)
def _fill(ends, table):  # type: ignore[no-untyped-def]
    for edge in range(len(ends) // 2):
        key = _key(ends[2 * edge], ends[2 * edge + 1])
        table[_find(table, key)] = key


@numba.njit(nogil=True, cache=True)
def _attempt(ends, table, touched, firsts, seconds, turned):  # type: ignore[no-untyped-def]
    accepted = 0
    for begin in range(0, len(firsts), AHEAD):
        end = min(begin + AHEAD, len(firsts))
        for attempt in range(begin, end):
            prefetch(ends, 2 * firsts[attempt])
            prefetch(ends, 2 * seconds[attempt])
        for attempt in range(begin, end):
            a, b, c, d = _ends(ends, firsts[attempt], seconds[attempt], turned[attempt])
            prefetch(table, _home(table, _key(a, d)))
            prefetch(table, _home(table, _key(c, b)))
            prefetch(table, _home(table, _key(a, b)))
            prefetch(table, _home(table, _key(c, d)))
        for attempt in range(begin, end):
            first, second = firsts[attempt], seconds[attempt]
            # Read again: an attempt before this one may have switched the same edges.
            a, b, c, d = _ends(ends, first, second, turned[attempt])
            if a in (c, d) or b in (c, d):
                continue
            if table[_find(table, _key(a, d))] != 0 or table[_find(table, _key(c, b))] != 0:
                continue
            _remove(table, _key(a, b))
            _remove(table, _key(c, d))
            for key in (_key(a, d), _key(c, b)):
                table[_find(table, key)] = key
            ends[2 * first + 1] = d
            ends[2 * second], ends[2 * second + 1] = c, b
            touched[first] = True
            touched[second] = True
            accepted += 1
    return accepted


@numba.njit(nogil=True, cache=True)
def _ends(ends, first, second, turned):  # type: ignore[no-untyped-def]
    """Nodes a-b and c-d of two edges, the second of them turned or not."""
    a, b, c, d = ends[2 * first], ends[2 * first + 1], ends[2 * second], ends[2 * second + 1]
    return (a, b, d, c) if turned else (a, b, c, d)
