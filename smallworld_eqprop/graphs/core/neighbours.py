"""Questions to lists of neighbours and to a ring of nodes, for compiled loops that switch edges."""

from __future__ import annotations

import numba

__all__ = ["joined", "ring_distance"]


@numba.njit(nogil=True, cache=True)
def joined(starts, others, a, b):  # type: ignore[no-untyped-def]
    """Tell whether two nodes are connected, by the shorter of their lists."""
    if starts[b + 1] - starts[b] < starts[a + 1] - starts[a]:
        a, b = b, a
    slot = starts[a]
    while slot < starts[a + 1] and others[slot] != b:
        slot += 1
    return slot < starts[a + 1]


@numba.njit(nogil=True, cache=True)
def ring_distance(a, b, n_nodes):  # type: ignore[no-untyped-def]
    """Count the steps between two places on a ring, the shorter way round."""
    distance = abs(a - b)
    return min(distance, n_nodes - distance)
