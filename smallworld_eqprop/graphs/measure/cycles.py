"""Counts of triangles and 4-cycles: by rows of bits in dense graphs, by lists in sparse ones."""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.graphs.core.bitsets import bit_rows, is_dense, popcount
from smallworld_eqprop.graphs.core.prefetch import prefetch

__all__ = ["count_squares", "count_triangles"]

# Places of a list that are looked up together in sparse graphs: one jump in the place of so many.
BLOCK = 12


def count_triangles(adjacency: sparse.csr_array) -> npt.NDArray[np.int64]:
    """Count the triangles through every node of an adjacency matrix."""
    indptr, indices = adjacency.indptr, adjacency.indices
    if is_dense(adjacency):
        return _triangles_dense(bit_rows(indptr, indices), indptr, indices)
    ranks = _ranks(indptr)
    return _triangles_sparse(*_forward(indptr, indices, ranks)).take(ranks)


def count_squares(adjacency: sparse.csr_array) -> int:
    """Count the 4-cycles of an adjacency matrix, induced or not.

    Sparse graphs by the algorithm of Chiba and Nishizeki, SIAM J. Comput. 14 (1985),
    doi:10.1137/0214017: every cycle is counted at its node of highest degree.
    """
    indptr, indices = adjacency.indptr, adjacency.indices
    if is_dense(adjacency):
        return int(_squares_dense(bit_rows(indptr, indices)))
    return int(_squares_sparse(indptr, indices, _ranks(indptr)))


def _ranks(indptr: npt.NDArray[np.integer]) -> npt.NDArray[np.uint32]:
    """Number the nodes by degree, those of highest degree first."""
    below_top = np.diff(indptr)
    below_top = below_top.max(initial=0) - below_top
    ranks = np.empty(len(below_top), dtype=np.uint32)
    _count_in(below_top, np.cumsum(np.bincount(below_top)), ranks)
    return ranks


@numba.njit(nogil=True, cache=True)
def _count_in(numbers, ends, ranks):  # type: ignore[no-untyped-def]
    """Rank numbers from 0 up, of which ``ends[k]`` are k or less; equal ones in their order."""
    for place in range(len(numbers) - 1, -1, -1):
        ends[numbers[place]] -= 1
        ranks[place] = ends[numbers[place]]


@numba.njit(nogil=True, cache=True)
def _triangles_dense(rows, indptr, indices):  # type: ignore[no-untyped-def]
    n_nodes, n_words = rows.shape
    through = np.zeros(n_nodes, np.int64)
    for node in range(n_nodes):
        for slot in range(indptr[node], indptr[node + 1]):
            other = indices[slot]
            if other > node:
                break
            common = 0
            for word in range(n_words):
                common += popcount(rows[node, word] & rows[other, word])
            # Each triangle is met at its three edges and is counted twice at each of its nodes.
            through[node] += common
            through[other] += common
    return through // 2


# Unsigned numbers in the two loops that follow spare them the test for places from the end.
@numba.njit(nogil=True, cache=True)
def _forward(indptr, indices, ranks):  # type: ignore[no-untyped-def]
    """List the neighbours of higher degree of every node, all by rank.

    No node has more than sqrt(2 m) of them. They are among the first ranks, which stay in the
    cache. Zeros follow the last list, so that a block of places starts anywhere in the lists.
    """
    n_nodes = len(ranks)
    node_at = np.empty(n_nodes, np.uint32)
    for node in range(n_nodes):
        node_at[ranks[node]] = node
    starts = np.zeros(n_nodes + 1, indptr.dtype)
    hubs = np.empty(len(indices) // 2 + BLOCK, np.uint32)
    end = np.uint64(0)
    for rank in range(n_nodes):
        node = node_at[rank]
        if rank + 8 < n_nodes:
            prefetch(indices, indptr[node_at[rank + 8]])
        for slot in range(np.uint64(indptr[node]), np.uint64(indptr[node + 1])):
            # Written in any case and kept if higher: a jump would be guessed wrong half the time.
            hubs[end] = ranks[np.uint64(indices[slot])]
            end += np.uint64(hubs[end] < rank)
        starts[rank + 1] = end
    hubs[end:] = 0
    return starts, hubs


@numba.njit(nogil=True, cache=True)
def _triangles_sparse(starts, hubs):  # type: ignore[no-untyped-def]
    """Count triangles by rank: each is met once, at its node of lowest degree.

    A block may run into the list of the next node. This can only make it be searched in vain.
    """
    n_nodes = len(starts) - 1
    through = np.zeros(n_nodes, np.int64)
    marked = np.zeros(n_nodes, np.bool_)
    one, size = np.uint64(1), np.uint64(BLOCK)
    for node in range(n_nodes):
        first, end = np.uint64(starts[node]), np.uint64(starts[node + 1])
        for slot in range(first, end):
            other = hubs[slot]
            marked[other] = True
            prefetch(hubs, starts[other])
            prefetch(hubs, starts[other] + BLOCK - 1)
        for slot in range(first, end):
            other = hubs[slot]
            other_end = np.uint64(starts[np.uint64(other) + one])
            for block in range(np.uint64(starts[other]), other_end, size):
                closed = False
                for place in range(BLOCK):
                    closed |= marked[hubs[block + np.uint64(place)]]
                if not closed:
                    continue
                common = 0
                for last in range(block, min(block + size, other_end)):
                    third = hubs[last]
                    if marked[third]:
                        through[third] += 1
                        common += 1
                through[other] += common
                through[node] += common
        for slot in range(first, end):
            marked[hubs[slot]] = False
    return through


@numba.njit(nogil=True, cache=True)
def _squares_dense(rows):  # type: ignore[no-untyped-def]
    n_nodes, n_words = rows.shape
    opposite_pairs = 0
    for node in range(n_nodes):
        for other in range(node):
            common = 0
            for word in range(n_words):
                common += popcount(rows[node, word] & rows[other, word])
            opposite_pairs += common * (common - 1) // 2
    # A 4-cycle has two pairs of opposite nodes.
    return opposite_pairs // 2


@numba.njit(nogil=True, cache=True)
def _squares_sparse(indptr, indices, ranks):  # type: ignore[no-untyped-def]
    n_nodes = len(indptr) - 1
    squares = 0
    paths = np.zeros(n_nodes, np.int64)
    for node in range(n_nodes):
        for slot in range(indptr[node], indptr[node + 1]):
            middle = indices[slot]
            if ranks[middle] < ranks[node]:
                continue
            for last in range(indptr[middle], indptr[middle + 1]):
                other = indices[last]
                if ranks[other] > ranks[node]:
                    squares += paths[other]
                    paths[other] += 1
        for slot in range(indptr[node], indptr[node + 1]):
            middle = indices[slot]
            if ranks[middle] < ranks[node]:
                continue
            for last in range(indptr[middle], indptr[middle + 1]):
                paths[indices[last]] = 0
    return squares
