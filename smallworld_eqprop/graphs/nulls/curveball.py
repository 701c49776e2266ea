"""The curveball algorithm: it keeps every degree, and suits dense graphs.

A curveball trade picks two rows of the adjacency matrix. The columns in which only one of the two
rows has an edge are pooled and dealt out at random, as many to each row as it had. One trade does
the work of many switches a-x, b-y to a-y, b-x, and none is refused.

References: Strona et al., Nat. Commun. 5 (2014), doi:10.1038/ncomms5114; for undirected graphs,
Carstens, Berger and Strona, MethodsX 5 (2018), doi:10.1016/j.mex.2018.06.018.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from scipy import sparse

from smallworld_eqprop.graphs.core.bitsets import bit_rows, flip, has_bit, popcount
from smallworld_eqprop.graphs.nulls.switching import Walked, late_share

__all__ = ["Block", "curveball"]


class Block(NamedTuple):
    """A block of the adjacency matrix, inside which rows trade columns.

    Attributes
    ----------
    rows, columns : slice
        Ranges of nodes, with start and stop.
    """

    rows: slice
    columns: slice


def curveball(
    adjacency: sparse.csr_array,
    blocks: list[Block],
    trades_per_row: float,
    rng: np.random.Generator,
) -> Walked:
    """Make curveball trades, one after the other.

    Each trade draws a row and its block uniformly among all rows of all blocks, and the second row
    uniformly among the rows of that block. So the walk is symmetric and its stationary law is
    uniform. Every switch is the outcome of some trade, so trades reach every graph that switches
    reach.

    Parameters
    ----------
    adjacency : scipy.sparse.csr_array
    blocks : list of Block
    trades_per_row : float
        Trades that a row of a block starts, on average.
    rng : numpy.random.Generator

    Returns
    -------
    Walked
        Attempted is the largest number of switches that the trades could have made.
    """
    bits = bit_rows(adjacency.indptr, adjacency.indices)
    unmoved = bits.copy()
    nodes = [np.arange(block.rows.start, block.rows.stop) for block in blocks]
    rows = np.concatenate([np.empty(0, np.int64), *nodes])
    block_of = np.repeat(np.arange(len(blocks)), [len(range_) for range_ in nodes])
    bounds = np.array(
        [(b.rows.start, b.rows.stop, b.columns.start, b.columns.stop) for b in blocks],
        dtype=np.int64,
    ).reshape(-1, 4)
    masks = _masks(bounds, bits.shape[1])
    n_trades = round(trades_per_row * len(rows))
    attempted = accepted = 0
    left = [adjacency.nnz // 2]
    for half in (n_trades // 2, n_trades - n_trades // 2):
        pooled, made = _trade(bits, unmoved, rows, block_of, bounds, masks, half, rng)
        attempted += pooled
        accepted += made
        left.append(_count_common(unmoved))
    share = late_share(left[0] - left[1], left[0] - left[2])
    return Walked(_edges(bits, left[0]), attempted, accepted, share)


@numba.njit(nogil=True, cache=True)
def _masks(bounds, n_words):  # type: ignore[no-untyped-def]
    """Give the columns of every block as a row of bits."""
    masks = np.zeros((len(bounds), n_words), np.uint64)
    for block in range(len(bounds)):
        for node in range(bounds[block, 2], bounds[block, 3]):
            masks[block, node >> 6] |= np.uint64(1) << np.uint64(node & 63)
    return masks


@numba.njit(nogil=True, cache=True)
def _trade(  # type: ignore[no-untyped-def]
    bits, unmoved, rows, block_of, bounds, masks, trades, rng
):
    """Trade, and clear the bits of edges that are moved away in one of their rows of `unmoved`."""
    n_words = bits.shape[1]
    pool = np.empty(len(bits), np.int64)
    pooled = 0
    made = 0
    for _ in range(trades):
        drawn = rng.integers(0, len(rows))
        block = block_of[drawn]
        a = rows[drawn]
        b = rng.integers(bounds[block, 0], bounds[block, 1])
        n_a = 0
        n_b = 0
        for word in range(n_words):
            only_one = (bits[a, word] ^ bits[b, word]) & masks[block, word]
            n_a += popcount(only_one & bits[a, word])
            n_b += popcount(only_one & bits[b, word])
        # An edge between the two rows themselves stays.
        own = has_bit(bits, a, b) and has_bit(masks, block, a) and has_bit(masks, block, b)
        n_a -= own
        n_b -= own
        if n_a > n_b:
            a, b, n_a, n_b = b, a, n_b, n_a
        pooled += n_a
        if n_a == 0:
            continue
        # The pool holds the columns of row a first, then those of row b.
        at_a = 0
        at_b = n_a
        for word in range(n_words):
            only_one = (bits[a, word] ^ bits[b, word]) & masks[block, word]
            while only_one != 0:
                lowest = only_one & (~only_one + np.uint64(1))
                node = 64 * word + popcount(lowest - np.uint64(1))
                only_one ^= lowest
                if node in (a, b):
                    continue
                if bits[a, word] & lowest != 0:
                    pool[at_a] = node
                    at_a += 1
                else:
                    pool[at_b] = node
                    at_b += 1
        for position in range(n_a):
            other = rng.integers(position, at_b)
            pool[position], pool[other] = pool[other], pool[position]
        for position in range(at_b):
            node = pool[position]
            to_a = position < n_a
            if has_bit(bits, a, node) == to_a:
                continue
            flip(bits, a, node)
            flip(bits, b, node)
            unmoved[b if to_a else a, node >> 6] &= ~(np.uint64(1) << np.uint64(node & 63))
            made += to_a
    return pooled, made


@numba.njit(nogil=True, cache=True)
def _count_common(unmoved):  # type: ignore[no-untyped-def]
    """Count the pairs whose bits are set in both of their rows."""
    count = 0
    for node in range(len(unmoved)):
        for word in range((node >> 6) + 1):
            left = unmoved[node, word]
            while left != 0:
                lowest = left & (~left + np.uint64(1))
                other = 64 * word + popcount(lowest - np.uint64(1))
                left ^= lowest
                count += other < node and has_bit(unmoved, other, node)
    return count


@numba.njit(nogil=True, cache=True)
def _edges(bits, n_edges):  # type: ignore[no-untyped-def]
    """List the edges of rows of bits, u < v, sorted; shape (n_edges, 2)."""
    edges = np.empty((n_edges, 2), np.int32)
    n_found = 0
    for node in range(len(bits)):
        for word in range(node >> 6, bits.shape[1]):
            left = bits[node, word]
            while left != 0:
                lowest = left & (~left + np.uint64(1))
                other = 64 * word + popcount(lowest - np.uint64(1))
                left ^= lowest
                if other > node:
                    edges[n_found, 0] = node
                    edges[n_found, 1] = other
                    n_found += 1
    return edges
