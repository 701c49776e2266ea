"""Distances in trees, counted without a search: exact, and about linear in the number of nodes.

Each tree is hung up at one of its nodes. The path between two nodes then turns at one node, where
the branches of the two meet, so the pairs are counted by the node where they turn. A node knows
how many nodes are at every depth below it, and merges these profiles branch by branch: what is i
below in one branch and j below in another is i + j apart. The tallest branch of a node is not
copied: its profile goes on in the array of the node itself (long-path decomposition, see Bender
and Farach-Colton, Theor. Comput. Sci. 321 (2004), doi:10.1016/j.tcs.2003.05.002), so that merging
costs for every other branch its height times that of the tallest one.
"""

from __future__ import annotations

import numba
import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

__all__ = ["count_pairs", "find_trees"]


def find_trees(
    adjacency: sparse.csr_array,
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Give one node of every component that is a tree, and which nodes are in those."""
    _, labels = connected_components(adjacency, directed=False)
    _, first, sizes = np.unique(labels, return_index=True, return_counts=True)
    ends = np.bincount(labels, weights=np.diff(adjacency.indptr))
    is_tree = ends == 2 * (sizes - 1)
    return first[is_tree], is_tree[labels]


def count_pairs(
    adjacency: sparse.csr_array, roots: npt.NDArray[np.intp], counts: npt.NDArray[np.int64]
) -> None:
    """Add the ordered pairs at every distance from 1 on in the trees that have these nodes."""
    n_nodes = adjacency.shape[0]
    graph = adjacency.indptr.astype(np.int64), adjacency.indices.astype(np.int64)
    _count_pairs(*graph, roots, counts, np.zeros((5, n_nodes), int), np.ones(n_nodes, int))


@numba.njit(nogil=True, cache=True)
def _count_pairs(indptr, indices, roots, counts, lists, profiles):  # type: ignore[no-untyped-def]
    """Count the pairs in all trees; ``profiles[start[v] + d]`` nodes are d below node v."""
    order, parent, tallest, height, start = lists[0], lists[1], lists[2], lists[3], lists[4]
    end = 0
    for root in roots:
        begin = place = end
        order[end] = root
        parent[root] = -1
        end += 1
        while place < end:
            node = order[place]
            place += 1
            for slot in range(indptr[node], indptr[node + 1]):
                child = indices[slot]
                if child != parent[node]:
                    parent[child] = node
                    order[end] = child
                    end += 1
        for place in range(end - 1, begin, -1):
            node = order[place]
            if height[node] >= height[parent[node]]:
                height[parent[node]] = height[node] + 1
                tallest[parent[node]] = node
        start[root] = begin
        free = begin + height[root] + 1
        for place in range(begin + 1, end):
            node = order[place]
            if node == tallest[parent[node]]:
                start[node] = start[parent[node]] + 1
            else:
                start[node] = free
                free += height[node] + 1
        # From the leaves up: whatever is below a node has been merged when it is its turn.
        for place in range(end - 1, begin - 1, -1):
            node = order[place]
            whole = profiles[start[node] : start[node] + height[node] + 1]
            for slot in range(indptr[node], indptr[node + 1]):
                child = indices[slot]
                if child == parent[node] or child == tallest[node]:
                    continue
                branch = profiles[start[child] : start[child] + height[child] + 1]
                for below in range(len(branch)):
                    pairs = counts[below + 2 : below + 1 + len(whole)]
                    for depth in range(len(pairs)):
                        pairs[depth] += 2 * branch[below] * whole[depth + 1]
                for below in range(len(branch)):
                    whole[below + 1] += branch[below]
        # Pairs of a node and one above it, of which there is one at every distance up to its depth.
        deeper = 0
        for depth in range(height[root], 0, -1):
            deeper += profiles[begin + depth]
            counts[depth] += 2 * deeper
