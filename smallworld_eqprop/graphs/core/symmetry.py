"""The compiled part of `simple.is_simple`."""

from __future__ import annotations

import numba
import numpy as np

__all__ = ["is_symmetric"]


@numba.njit(nogil=True, cache=True)
def is_symmetric(indptr, indices):  # type: ignore[no-untyped-def]
    """Tell whether rows are sorted, no entry is doubled or on the diagonal, and all are mirrored.

    Rows are visited in ascending order. So the entries of row j left of the diagonal are asked for
    in their own order, each by its mirror image, and the row has to match them one by one.
    """
    n_nodes = len(indptr) - 1
    matched = indptr[:-1].copy()
    one = np.uint64(1)
    for node in range(n_nodes):
        last = np.int64(node)
        # What is not matched by now has to lie right of the diagonal.
        for slot in range(np.uint64(matched[node]), np.uint64(indptr[node + 1])):
            # Unsigned, a number below 0 is too large, and no place is counted from the end.
            other = np.uint64(indices[slot])
            if other >= np.uint64(n_nodes) or np.int64(other) <= last:
                return False
            last = np.int64(other)
            mirror = matched[other]
            if mirror >= indptr[other + one] or indices[np.uint64(mirror)] != node:
                return False
            matched[other] = mirror + 1
    return True
