"""Random trades of neighbours between two nodes: they keep every degree. For dense graphs.

In a trade the neighbours that only one of two nodes has are put together and dealt out anew, each
node getting as many as it gave. That is a random number of switches a-x, b-y to a-y, b-x at once,
none of them refused.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from scipy import sparse

from smallworld_eqprop.graphs.core.bitsets import bit_rows, flip, has_bit, popcount
from smallworld_eqprop.graphs.nulls.switching import Walked, late_share

__all__ = ["Market", "trade"]


class Market(NamedTuple):
    """Nodes that trade with each other, and nodes that they trade as neighbours.

    Attributes
    ----------
    traders, goods : slice
        Ranges of nodes, with start and stop.
    """

    traders: slice
    goods: slice


def trade(
    adjacency: sparse.csr_array,
    markets: list[Market],
    trades_per_node: float,
    rng: np.random.Generator,
) -> Walked:
    """Let two nodes trade neighbours, again and again.

    Node and market are drawn uniformly among all pairs of a market and one of its traders, the
    partner uniformly among the traders there, so the walk is symmetric and its stationary law
    uniform. It gets wherever switches get, for every switch is the outcome of some trade.

    Parameters
    ----------
    adjacency : scipy.sparse.csr_array
    markets : list of Market
    trades_per_node : float
        Trades begun by every trader of a market, on average.
    rng : numpy.random.Generator

    Returns
    -------
    Walked
        Attempted are the switches that a trade could make at most.
    """
    rows = bit_rows(adjacency.indptr, adjacency.indices)
    unmoved = rows.copy()
    nodes = [np.arange(market.traders.start, market.traders.stop) for market in markets]
    traders = np.concatenate([np.empty(0, np.int64), *nodes])
    market_of = np.repeat(np.arange(len(markets)), [len(range_) for range_ in nodes])
    bounds = np.array(
        [(m.traders.start, m.traders.stop, m.goods.start, m.goods.stop) for m in markets],
        dtype=np.int64,
    ).reshape(-1, 4)
    masks = _masks(bounds, rows.shape[1])
    n_trades = round(trades_per_node * len(traders))
    attempted = accepted = 0
    left = [adjacency.nnz // 2]
    for half in (n_trades // 2, n_trades - n_trades // 2):
        offered, made = _trade(rows, unmoved, traders, market_of, bounds, masks, half, rng)
        attempted += offered
        accepted += made
        left.append(_count_common(unmoved))
    share = late_share(left[0] - left[1], left[0] - left[2])
    return Walked(_edges(rows, left[0]), attempted, accepted, share)


@numba.njit(nogil=True, cache=True)
def _masks(bounds, n_words):  # type: ignore[no-untyped-def]
    """Give the goods of every market as a row of bits."""
    masks = np.zeros((len(bounds), n_words), np.uint64)
    for market in range(len(bounds)):
        for node in range(bounds[market, 2], bounds[market, 3]):
            masks[market, node >> 6] |= np.uint64(1) << np.uint64(node & 63)
    return masks


@numba.njit(nogil=True, cache=True)
def _trade(  # type: ignore[no-untyped-def]
    rows, unmoved, traders, market_of, bounds, masks, trades, rng
):
    """Trade, and clear the bits of edges that are moved away in one of their rows of `unmoved`."""
    n_words = rows.shape[1]
    pool = np.empty(len(rows), np.int64)
    offered = 0
    made = 0
    for _ in range(trades):
        drawn = rng.integers(0, len(traders))
        market = market_of[drawn]
        a = traders[drawn]
        b = rng.integers(bounds[market, 0], bounds[market, 1])
        n_a = 0
        n_b = 0
        for word in range(n_words):
            only_one = (rows[a, word] ^ rows[b, word]) & masks[market, word]
            n_a += popcount(only_one & rows[a, word])
            n_b += popcount(only_one & rows[b, word])
        # Where they are joined, that edge is not for trade.
        own = has_bit(rows, a, b) and has_bit(masks, market, a) and has_bit(masks, market, b)
        n_a -= own
        n_b -= own
        if n_a > n_b:
            a, b, n_a, n_b = b, a, n_b, n_a
        offered += n_a
        if n_a == 0:
            continue
        # What node a has comes first, what node b has after it.
        at_a = 0
        at_b = n_a
        for word in range(n_words):
            only_one = (rows[a, word] ^ rows[b, word]) & masks[market, word]
            while only_one != 0:
                lowest = only_one & (~only_one + np.uint64(1))
                node = 64 * word + popcount(lowest - np.uint64(1))
                only_one ^= lowest
                if node in (a, b):
                    continue
                if rows[a, word] & lowest != 0:
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
            if has_bit(rows, a, node) == to_a:
                continue
            flip(rows, a, node)
            flip(rows, b, node)
            unmoved[b if to_a else a, node >> 6] &= ~(np.uint64(1) << np.uint64(node & 63))
            made += to_a
    return offered, made


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
def _edges(rows, n_edges):  # type: ignore[no-untyped-def]
    """List the edges of rows of bits, u < v, sorted; shape (n_edges, 2)."""
    edges = np.empty((n_edges, 2), np.int32)
    n_found = 0
    for node in range(len(rows)):
        for word in range(node >> 6, rows.shape[1]):
            left = rows[node, word]
            while left != 0:
                lowest = left & (~left + np.uint64(1))
                other = 64 * word + popcount(lowest - np.uint64(1))
                left ^= lowest
                if other > node:
                    edges[n_found, 0] = node
                    edges[n_found, 1] = other
                    n_found += 1
    return edges
