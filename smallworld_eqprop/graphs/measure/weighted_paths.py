"""Distances along weighted edges, directed or not; an edge is as long as 1 / abs(weight)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

__all__ = ["PathSums", "mean_inverse_path", "mean_path", "path_sums"]

# At most so many distances are in memory at once.
DISTANCES = 2**22


class PathSums(NamedTuple):
    """What was found from every source.

    Attributes
    ----------
    sums, inverse : ndarray of float64, shape (n_sources,)
        Sums of the distances, and of the inverse distances, to the targets that it reaches.
    reached : ndarray of int64, shape (n_sources,)
        How many targets it reaches, itself left out.
    """

    sums: npt.NDArray[np.float64]
    inverse: npt.NDArray[np.float64]
    reached: npt.NDArray[np.int64]


def path_sums(
    weights: sparse.csr_array,
    sources: npt.NDArray[np.int64] | None = None,
    targets: npt.NDArray[np.int64] | None = None,
) -> PathSums:
    """Sum the shortest distances from sources to targets, an edge being as long as 1 / abs(weight).

    Parameters
    ----------
    weights : scipy.sparse.csr_array, shape (n_nodes, n_nodes)
        Without zeros; from row to column, so that it may be that of a directed graph.
    sources, targets : ndarray of int, optional
        Nodes; all of them when not given.

    Returns
    -------
    PathSums
    """
    n_nodes = weights.shape[0]
    lengths = sparse.csr_array(
        (1 / np.abs(weights.data), weights.indices, weights.indptr), weights.shape
    )
    sources = np.arange(n_nodes) if sources is None else sources
    sums, inverse = np.zeros((2, len(sources)))
    reached = np.zeros(len(sources), np.int64)
    rows = max(DISTANCES // max(n_nodes, 1), 1)
    for start in range(0, len(sources), rows):
        block = slice(start, start + rows)
        # A symmetric matrix is directed too, and takes half the time that way.
        found = dijkstra(lengths, directed=True, indices=sources[block])
        found[np.arange(len(found)), sources[block]] = np.inf
        found = found if targets is None else found[:, targets]
        there = np.isfinite(found)
        sums[block] = found.sum(axis=1, where=there)
        inverse[block] = (1 / found).sum(axis=1)
        reached[block] = there.sum(axis=1)
    return PathSums(sums, inverse, reached)


def mean_path(
    weights: sparse.csr_array,
    sources: npt.NDArray[np.int64] | None = None,
    targets: npt.NDArray[np.int64] | None = None,
) -> float:
    """Average the distances of `path_sums` over the joined pairs; NaN if there are none."""
    found = path_sums(weights, sources, targets)
    pairs = int(found.reached.sum())
    return float(found.sums.sum()) / pairs if pairs else float("nan")


def mean_inverse_path(weights: sparse.csr_array) -> float:
    """Average the inverse distances over all pairs, 0 for pairs without a path."""
    n_nodes = weights.shape[0]
    pairs = n_nodes * (n_nodes - 1)
    return float(path_sums(weights).inverse.sum()) / pairs if pairs else float("nan")
