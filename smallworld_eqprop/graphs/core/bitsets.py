"""Sets of nodes as rows of 64-bit words, for the compiled kernels of measures and null models."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import numpy.typing as npt
from scipy import sparse

__all__ = ["bit_rows", "flip", "has_bit", "is_dense", "popcount"]


def is_dense(adjacency: sparse.csr_array) -> bool:
    """Tell whether rows of bits take no more words than the edges do: one place in 64 is taken."""
    return 64 * adjacency.nnz >= adjacency.shape[0] * adjacency.shape[0]


@numba.njit(nogil=True, cache=True)
def popcount(word: Any) -> Any:
    """Count the bits set; the compiler turns this idiom into one instruction."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + (
        (word >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@numba.njit(nogil=True, cache=True)
def bit_rows(
    indptr: npt.NDArray[np.integer], indices: npt.NDArray[np.integer]
) -> npt.NDArray[np.uint64]:
    """Turn CSR rows into rows of bits; shape (n_nodes, ceil(n_nodes / 64))."""
    n_nodes = len(indptr) - 1
    rows = np.zeros((n_nodes, (n_nodes + 63) // 64), np.uint64)
    for node in range(n_nodes):
        for slot in range(indptr[node], indptr[node + 1]):
            other = indices[slot]
            rows[node, other >> 6] |= np.uint64(1) << np.uint64(other & 63)
    return rows


@numba.njit(nogil=True, cache=True)
def has_bit(rows, a, b):  # type: ignore[no-untyped-def]
    """Tell whether row a has bit b."""
    return (rows[a, b >> 6] >> np.uint64(b & 63)) & np.uint64(1) != 0


@numba.njit(nogil=True, cache=True)
def flip(rows, a, b):  # type: ignore[no-untyped-def]
    """Connect or disconnect two nodes in the rows of bits."""
    rows[a, b >> 6] ^= np.uint64(1) << np.uint64(b & 63)
    rows[b, a >> 6] ^= np.uint64(1) << np.uint64(a & 63)
