"""Switches of two edges of one label, for graphs whose edges have signs, directions or lengths.

A label is whatever the edges of one switch have in common: sign, blocks, direction. A switch takes
a-b and c-d, of one label, to a-d and c-b. It is made where the places a-d and c-b are free, and
where both have one other label: then the two pairs of edges change places. So graphs without a free
place, such as signed correlation matrices, are randomised, too. An edge with a direction keeps it.

A refused attempt counts, and every switch is proposed as often as its reverse. So the stationary
law is uniform among the graphs that can be reached.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from smallworld_eqprop.graphs.nulls.pair_table import (
    empty_table,
    find,
    insert,
    remove,
)
from smallworld_eqprop.graphs.nulls.switching import Walked, late_share

__all__ = ["Space", "exchange"]

# Of the attempts on directed edges, the share in which three edges exchange ends.
THREES = 0.1
# Of the attempts in space, the share in which the second edge is drawn among all edges.
ANYWHERE = 0.2


class Space(NamedTuple):
    """Where nodes are, and which lengths are alike.

    Attributes
    ----------
    positions : ndarray of float64, shape (n_nodes, n_dimensions)
    limits : ndarray of float64, shape (n_edges, 2)
        Squares of the lengths between which every edge has to stay: its bin.
    near : ndarray of int64, shape (n_nodes, n_near)
        Nodes near every node.
    """

    positions: npt.NDArray[np.float64]
    limits: npt.NDArray[np.float64]
    near: npt.NDArray[np.int64]


def exchange(
    edges: npt.NDArray[np.integer],
    n_nodes: int,
    attempts: int,
    rng: np.random.Generator,
    *,
    labels: npt.NDArray[np.integer],
    turns: npt.NDArray[np.bool_],
    one_way: npt.NDArray[np.bool_],
    arcs: bool = False,
    space: Space | None = None,
) -> Walked:
    """Attempt switches of two edges of one label, drawn uniformly.

    Parameters
    ----------
    edges : ndarray of int, shape (n_edges, 2)
    n_nodes, attempts : int
    rng : numpy.random.Generator
    labels : ndarray of int, shape (n_edges,)
        From 0 up.
    turns : ndarray of bool, shape (n_labels,)
        Whether the two ends of an edge may change sides.
    one_way : ndarray of bool, shape (n_labels,)
        Whether edges of a label have a direction. Then some attempts take three of them, a-b, c-d
        and e-f, to a-d, c-f and e-b. Without that, not every graph with the same degrees can be
        reached: a cycle of three could not be reversed.
    arcs : bool, optional
        Whether u-v and v-u are two places, as those of arcs. By default they are one.
    space : Space, optional
        The two new edges are then as long as the two old ones: every edge stays in its bin. Four
        in five attempts take a-b and c-d with c near a, where that is likely. Positions and degrees
        do not change, so the reverse is proposed as often. Not for arcs.

    Returns
    -------
    Walked
        Its edges are in the order in which they were given: row i is where edge i is now.
    """
    order = np.argsort(labels, kind="stable")
    labels = np.ascontiguousarray(labels[order], dtype=np.int64)
    starts = np.searchsorted(labels, np.arange(len(turns) + 1))
    ends = np.array(edges[order], dtype=np.int64)
    table = empty_table(len(edges))
    _fill(ends, n_nodes, arcs, *table)
    if space is None:
        space = Space(np.empty((0, 0)), np.empty((0, 2)), np.empty((0, 0), dtype=np.int64))
        offsets = lists = np.empty(0, dtype=np.int64)
    else:
        space = space._replace(limits=np.ascontiguousarray(space.limits[order]))
        offsets = np.concatenate(([0], np.cumsum(np.bincount(ends.ravel(), minlength=n_nodes))))
        lists = np.argsort(ends.ravel(), kind="stable") // 2
    touched = np.zeros(len(edges), dtype=np.bool_)
    accepted = early = 0
    for half in (attempts // 2, attempts - attempts // 2) if len(edges) else ():
        early = int(np.count_nonzero(touched))
        accepted += _attempt(
            ends, labels, starts, turns, one_way, n_nodes, arcs, *table, *space,
            offsets, lists, touched, half, rng,
        )  # fmt: skip
    share = late_share(early, int(np.count_nonzero(touched)))
    moved = np.empty((len(edges), 2), dtype=np.int32)
    moved[order] = ends
    return Walked(moved, attempts, int(accepted), share)


@numba.njit(nogil=True, cache=True)
def _key(a, b, n_nodes, arcs):  # type: ignore[no-untyped-def]
    return a * n_nodes + b if arcs or a < b else b * n_nodes + a


@numba.njit(nogil=True, cache=True)
def _fill(ends, n_nodes, arcs, keys, edges):  # type: ignore[no-untyped-def]
    for edge in range(len(ends)):
        insert(keys, edges, _key(ends[edge, 0], ends[edge, 1], n_nodes, arcs), edge)


@numba.njit(nogil=True, cache=True)
def _square(a, b, positions):  # type: ignore[no-untyped-def]
    """Square of the distance of two nodes."""
    square = 0.0
    for axis in range(positions.shape[1]):
        square += (positions[a, axis] - positions[b, axis]) ** 2
    return square


@numba.njit(nogil=True, cache=True)
def _attempt(  # type: ignore[no-untyped-def]
    ends, labels, starts, turns, one_way, n_nodes, arcs, keys, edges, positions, limits, near,
    offsets, lists, touched, attempts, rng,
):  # fmt: skip
    accepted = 0
    for _ in range(attempts):
        first = rng.integers(0, len(ends))
        label = labels[first]
        if one_way[label] and rng.random() < THREES:
            second = rng.integers(starts[label], starts[label + 1])
            third = rng.integers(starts[label], starts[label + 1])
            accepted += _rotate(first, second, third, ends, n_nodes, arcs, keys, edges, touched)
            continue
        if len(near) == 0 or rng.random() < ANYWHERE:
            from_first = 0
            second = rng.integers(starts[label], starts[label + 1])
            from_second = 1 if turns[label] and rng.random() < 0.5 else 0
        else:
            from_first = rng.integers(0, 2)
            a = ends[first, from_first]
            c = near[a, rng.integers(0, near.shape[1])]
            if offsets[c] == offsets[c + 1]:
                continue
            second = lists[rng.integers(offsets[c], offsets[c + 1])]
            from_second = 0 if ends[second, 0] == c else 1
            if labels[second] != label or (from_second != from_first and not turns[label]):
                continue
        a, b = ends[first, from_first], ends[first, 1 - from_first]
        c, d = ends[second, from_second], ends[second, 1 - from_second]
        if a in (c, d) or b in (c, d):
            continue
        straight = True
        if len(limits):
            # Whether the two edges stay in their bins as a-d and c-b, or as c-b and a-d.
            ad, cb = _square(a, d, positions), _square(c, b, positions)
            low, high = limits[first]
            low_second, high_second = limits[second]
            straight = low <= ad < high and low_second <= cb < high_second
            if not straight and not (low <= cb < high and low_second <= ad < high_second):
                continue
        third = find(keys, edges, _key(a, d, n_nodes, arcs))
        fourth = find(keys, edges, _key(c, b, n_nodes, arcs))
        if (third < 0) != (fourth < 0):
            continue
        if third >= 0:
            other = labels[third]
            if labels[fourth] != other:
                continue
            against = one_way[other] and ends[third, 0] != a
            if one_way[other] and (ends[fourth, 0] != c) != against:
                continue
            if other == label and not against:
                continue
        for x, y in ((a, b), (c, d), (a, d), (c, b)):
            remove(keys, edges, _key(x, y, n_nodes, arcs))
        if straight:
            _swap_ends(first, 1 - from_first, second, 1 - from_second, ends, offsets, lists)
        else:
            _swap_ends(first, from_first, second, from_second, ends, offsets, lists)
        if third >= 0:
            # Edges a-d and c-b become a-b and c-d, or those that run against a-d, d-c and b-a.
            if against:
                side_third, side_fourth = 1, 1
            else:
                side_third = 1 if (ends[third, 0] == a) == straight else 0
                side_fourth = 1 if (ends[fourth, 0] == c) == straight else 0
            _swap_ends(third, side_third, fourth, side_fourth, ends, offsets, lists)
            for edge in (third, fourth):
                insert(keys, edges, _key(ends[edge, 0], ends[edge, 1], n_nodes, arcs), edge)
                touched[edge] = True
        for edge in (first, second):
            insert(keys, edges, _key(ends[edge, 0], ends[edge, 1], n_nodes, arcs), edge)
            touched[edge] = True
        accepted += 1
    return accepted


@numba.njit(nogil=True, cache=True)
def _swap_ends(one, side, other, other_side, ends, offsets, lists):  # type: ignore[no-untyped-def]
    """Let two edges exchange an end, and put that into the lists of edges of the nodes, if any."""
    a, b = ends[one, side], ends[other, other_side]
    for node, old, new in ((a, one, other), (b, other, one)):
        if len(lists) == 0:
            break
        slot = offsets[node]
        while lists[slot] != old:
            slot += 1
        lists[slot] = new
    ends[one, side], ends[other, other_side] = b, a


@numba.njit(nogil=True, cache=True)
def _rotate(  # type: ignore[no-untyped-def]
    first, second, third, ends, n_nodes, arcs, keys, edges, touched
):
    """Take a-b, c-d, e-f to a-d, c-f, e-b where that gives no loop and no edge twice; count it."""
    if first in (second, third) or second == third:
        return 0
    a, b = ends[first]
    c, d = ends[second]
    e, f = ends[third]
    if a == d or c == f or e == b:
        return 0
    new = (_key(a, d, n_nodes, arcs), _key(c, f, n_nodes, arcs), _key(e, b, n_nodes, arcs))
    if new[0] in (new[1], new[2]) or new[1] == new[2]:
        return 0
    # The places of the three edges themselves are free for each other.
    for x, y in ((a, b), (c, d), (e, f)):
        remove(keys, edges, _key(x, y, n_nodes, arcs))
    free = True
    for key in new:
        free = free and find(keys, edges, key) < 0
    if free:
        ends[first, 1], ends[second, 1], ends[third, 1] = d, f, b
    for edge in (first, second, third):
        insert(keys, edges, _key(ends[edge, 0], ends[edge, 1], n_nodes, arcs), edge)
        touched[edge] |= free
    return 1 if free else 0
