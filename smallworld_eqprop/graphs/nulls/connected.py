"""Walks among connected graphs: edges are switched or moved, and nothing that disconnects is done.

A switch a-b, c-d to a-d, c-b, or a move of an edge a-b to two other nodes, leaves a connected graph
connected exactly if there is still a path from a to b: every node was joined to a or b before, and
whatever else is taken away hangs on one of the two by the edges that are new. The path is searched
from both ends at once.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

from smallworld_eqprop.graphs.nulls.switching import Walked, late_share

__all__ = ["connected_walk"]


def connected_walk(
    edges: npt.NDArray[np.int32],
    n_nodes: int,
    attempts: int,
    rng: np.random.Generator,
    *,
    keep_degrees: bool,
) -> Walked:
    """Walk from a connected graph to others with as many edges, all of them connected.

    A refused attempt counts, which makes the walk symmetric and its stationary law uniform.

    Parameters
    ----------
    edges : ndarray of int32, shape (n_edges, 2)
        Of a connected graph.
    n_nodes, attempts : int
    rng : numpy.random.Generator
    keep_degrees : bool
        Whether two edges are switched, or one is moved to a uniformly drawn pair of nodes.
    """
    u, v = np.array(edges.T, dtype=np.int64)
    # Every node has a list of its edges, linked in both directions: 2 e is edge e in the list of
    # its node u, 2 e + 1 in that of its node v.
    first = np.full(n_nodes, -1, dtype=np.int64)
    links = np.full((2, 2 * len(edges)), -1, dtype=np.int64)
    for edge in range(len(edges)):
        _insert(edge, u, v, first, links)
    marks = np.zeros(n_nodes, dtype=np.int64)
    queues = np.empty((2, n_nodes), dtype=np.int64)
    touched = np.zeros(len(edges), dtype=np.bool_)
    accepted = early = done = 0
    for half in (attempts // 2, attempts - attempts // 2) if len(edges) else ():
        early = int(np.count_nonzero(touched))
        accepted += _attempt(
            u, v, first, links, marks, queues, touched, keep_degrees, done, half, rng
        )
        done += half
    share = late_share(early, int(np.count_nonzero(touched)))
    return Walked(np.column_stack((u, v)).astype(np.int32), attempts, int(accepted), share)


@numba.njit(nogil=True, cache=True)
def _attempt(  # type: ignore[no-untyped-def]
    u, v, first, links, marks, queues, touched, keep_degrees, done, attempts, rng
):
    n_edges, n_nodes = len(u), len(first)
    accepted = 0
    for attempt in range(attempts):
        one = rng.integers(0, n_edges)
        other = one
        a, b = u[one], v[one]
        if keep_degrees:
            other = rng.integers(0, n_edges)
            c, d = u[other], v[other]
            if rng.random() < 0.5:
                c, d = d, c
            if a in (c, d) or b in (c, d):
                continue
            if _joined(a, d, u, v, first, links) or _joined(c, b, u, v, first, links):
                continue
            _remove(other, u, v, first, links)
            _remove(one, u, v, first, links)
            v[one] = d
            u[other], v[other] = c, b
            _insert(other, u, v, first, links)
        else:
            c, d = rng.integers(0, n_nodes), rng.integers(0, n_nodes)
            if c == d or _joined(c, d, u, v, first, links):
                continue
            _remove(one, u, v, first, links)
            u[one], v[one] = c, d
        _insert(one, u, v, first, links)
        if _reaches(a, b, 2 * (done + attempt) + 1, u, v, first, links, marks, queues):
            touched[one] = True
            touched[other] = True
            accepted += 1
            continue
        _remove(one, u, v, first, links)
        u[one], v[one] = a, b
        if keep_degrees:
            _remove(other, u, v, first, links)
            u[other], v[other] = c, d
            _insert(other, u, v, first, links)
        _insert(one, u, v, first, links)
    return accepted


@numba.njit(nogil=True, cache=True)
def _insert(edge, u, v, first, links):  # type: ignore[no-untyped-def]
    for half in (2 * edge, 2 * edge + 1):
        node = v[edge] if half & 1 else u[edge]
        after = first[node]
        links[0, half], links[1, half] = -1, after
        if after >= 0:
            links[0, after] = half
        first[node] = half


@numba.njit(nogil=True, cache=True)
def _remove(edge, u, v, first, links):  # type: ignore[no-untyped-def]
    for half in (2 * edge, 2 * edge + 1):
        before, after = links[0, half], links[1, half]
        if before >= 0:
            links[1, before] = after
        else:
            first[v[edge] if half & 1 else u[edge]] = after
        if after >= 0:
            links[0, after] = before


@numba.njit(nogil=True, cache=True)
def _joined(a, b, u, v, first, links):  # type: ignore[no-untyped-def]
    """Tell whether two nodes are connected, by both of their lists until the shorter ends."""
    at_a, at_b = first[a], first[b]
    while at_a >= 0 and at_b >= 0:
        if (u[at_a >> 1] if at_a & 1 else v[at_a >> 1]) == b:
            return True
        if (u[at_b >> 1] if at_b & 1 else v[at_b >> 1]) == a:
            return True
        at_a, at_b = links[1, at_a], links[1, at_b]
    return False


@numba.njit(nogil=True, cache=True)
def _reaches(a, b, mark, u, v, first, links, marks, queues):  # type: ignore[no-untyped-def]
    """Tell whether there is a path, searching from the end of which fewer nodes are known.

    `mark` and `mark` + 1 are numbers that no earlier search left in `marks`.
    """
    marks[a], marks[b] = mark, mark + 1
    queues[0, 0], queues[1, 0] = a, b
    found_a, found_b, done_a, done_b = 1, 1, 0, 0
    while done_a < found_a and done_b < found_b:
        side = 0 if found_a <= found_b else 1
        if side == 0:
            node, own, others = queues[0, done_a], mark, mark + 1
            done_a += 1
        else:
            node, own, others = queues[1, done_b], mark + 1, mark
            done_b += 1
        half = first[node]
        while half >= 0:
            neighbour = u[half >> 1] if half & 1 else v[half >> 1]
            if marks[neighbour] == others:
                return True
            if marks[neighbour] != own:
                marks[neighbour] = own
                if side == 0:
                    queues[0, found_a] = neighbour
                    found_a += 1
                else:
                    queues[1, found_b] = neighbour
                    found_b += 1
            half = links[1, half]
    return False
