"""Random edge switches a-b, c-d to a-d, c-b: they keep every degree. For sparse graphs."""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from smallworld_eqprop.graphs.core.adjacency import adjacency_from_edges

__all__ = ["Walked", "joined", "late_share", "switch"]


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
    n_nodes: int,
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
    n_nodes, attempts : int
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
    u, v = np.array(edges[order].T, dtype=np.int64)
    adjacency = adjacency_from_edges(edges, n_nodes)
    indptr = adjacency.indptr.astype(np.int64)
    neighbours = np.empty(adjacency.nnz, dtype=np.int64)
    slots = np.empty((len(edges), 2), dtype=np.int64)
    _fill(u, v, indptr, neighbours, slots)
    touched = np.zeros(len(edges), dtype=np.bool_)
    accepted = 0
    early = 0
    for half in (attempts // 2, attempts - attempts // 2) if len(edges) else ():
        early = int(np.count_nonzero(touched))
        accepted += _attempt(
            u, v, groups, starts, flips, indptr, neighbours, slots, touched, half, rng
        )
    share = late_share(early, int(np.count_nonzero(touched)))
    return Walked(np.column_stack((u, v)).astype(np.int32), attempts, int(accepted), share)


@numba.njit(nogil=True, cache=True)
def _fill(u, v, indptr, neighbours, slots):  # type: ignore[no-untyped-def]
    """Write the rows of an adjacency list and, for every edge, where it stands in its two rows."""
    ends = indptr[:-1].copy()
    for edge in range(len(u)):
        a, b = u[edge], v[edge]
        neighbours[ends[a]] = b
        neighbours[ends[b]] = a
        slots[edge, 0] = ends[a]
        slots[edge, 1] = ends[b]
        ends[a] += 1
        ends[b] += 1


@numba.njit(nogil=True, cache=True)
def joined(indptr, neighbours, a, b):  # type: ignore[no-untyped-def]
    """Tell whether two nodes are connected, by the shorter of their lists."""
    if indptr[b + 1] - indptr[b] < indptr[a + 1] - indptr[a]:
        a, b = b, a
    slot = indptr[a]
    while slot < indptr[a + 1] and neighbours[slot] != b:
        slot += 1
    return slot < indptr[a + 1]


@numba.njit(nogil=True, cache=True)
def _attempt(  # type: ignore[no-untyped-def]
    u, v, groups, starts, flips, indptr, neighbours, slots, touched, attempts, rng
):
    n_edges = len(u)
    accepted = 0
    for _ in range(attempts):
        first = rng.integers(0, n_edges)
        group = groups[first]
        second = rng.integers(starts[group], starts[group + 1])
        a, b, c, d = u[first], v[first], u[second], v[second]
        turned = flips[group] and rng.random() < 0.5
        if turned:
            c, d = d, c
        if a in (c, d) or b in (c, d):
            continue
        if joined(indptr, neighbours, a, d) or joined(indptr, neighbours, c, b):
            continue
        at_a, at_b = slots[first]
        at_c, at_d = slots[second]
        if turned:
            at_c, at_d = at_d, at_c
        neighbours[at_a], neighbours[at_d] = d, a
        neighbours[at_c], neighbours[at_b] = b, c
        slots[first, 0], slots[first, 1] = at_a, at_d
        slots[second, 0], slots[second, 1] = at_c, at_b
        u[first], v[first] = a, d
        u[second], v[second] = c, b
        touched[first] = True
        touched[second] = True
        accepted += 1
    return accepted
