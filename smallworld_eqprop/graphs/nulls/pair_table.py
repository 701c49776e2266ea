"""A table for compiled loops, with open addressing: which edge joins two nodes."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["empty_table", "find", "insert", "remove"]


def empty_table(n_pairs: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
    """Give keys and edges of a table that is at most a quarter full with so many pairs.

    A key is a number from 0 up; -1 marks a free slot. The number of slots is a power of 2.
    """
    n_slots = 1 << max(4, int(4 * n_pairs - 1).bit_length())
    return np.full(n_slots, -1, dtype=np.int64), np.empty(n_slots, dtype=np.int32)


@numba.njit(nogil=True, cache=True)
def _home(key, n_slots):  # type: ignore[no-untyped-def]
    """Slot at which the search for a key begins."""
    mixed = np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)
    return np.int64((mixed >> np.uint64(32)) & np.uint64(n_slots - 1))


@numba.njit(nogil=True, cache=True)
def _slot(keys, key):  # type: ignore[no-untyped-def]
    """Slot of a key, or the free one where it belongs."""
    slot = _home(key, len(keys))
    while keys[slot] != -1 and keys[slot] != key:
        slot = (slot + 1) & (len(keys) - 1)
    return slot


@numba.njit(nogil=True, cache=True)
def find(keys, edges, key):  # type: ignore[no-untyped-def]
    """Edge of a pair, -1 if there is none."""
    slot = _slot(keys, key)
    return np.int64(edges[slot]) if keys[slot] == key else np.int64(-1)


@numba.njit(nogil=True, cache=True)
def insert(keys, edges, key, edge):  # type: ignore[no-untyped-def]
    """Put an edge in its place."""
    slot = _slot(keys, key)
    keys[slot] = key
    edges[slot] = edge


@numba.njit(nogil=True, cache=True)
def remove(keys, edges, key):  # type: ignore[no-untyped-def]
    """Free the slot of a pair, if it has one, and close the gap that this leaves in searches."""
    mask = len(keys) - 1
    gap = _slot(keys, key)
    if keys[gap] == -1:
        return
    slot = (gap + 1) & mask
    while keys[slot] != -1:
        # A key moves back into the gap if its search passes there.
        if (slot - _home(keys[slot], len(keys))) & mask >= (slot - gap) & mask:
            keys[gap], edges[gap] = keys[slot], edges[slot]
            gap = slot
        slot = (slot + 1) & mask
    keys[gap] = -1
