"""Path lengths and clustering of graphs with positive weights, and what their lattice is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from smallworld_eqprop.graphs.core.adjacency import adjacency_from_edges

__all__ = ["dealt", "mean_inverse_path", "mean_path", "onnela_clustering", "sorted_by_distance"]

# Distances from so many sources are in memory at once.
SOURCES = 256


def mean_path(weights: sparse.csr_array) -> float:
    """Average the shortest distances of the joined pairs, an edge being as long as 1 / weight."""
    total, _, pairs = _path_sums(weights)
    return total / pairs if pairs else float("nan")


def mean_inverse_path(weights: sparse.csr_array) -> float:
    """Average the inverse distances over all pairs, 0 for pairs without a path."""
    n_nodes = weights.shape[0]
    return _path_sums(weights)[1] / (n_nodes * (n_nodes - 1)) if n_nodes > 1 else float("nan")


def _path_sums(weights: sparse.csr_array) -> tuple[float, float, int]:
    lengths = sparse.csr_array((1 / weights.data, weights.indices, weights.indptr), weights.shape)
    total = inverse = 0.0
    pairs = 0
    for start in range(0, weights.shape[0], SOURCES):
        sources = np.arange(start, min(start + SOURCES, weights.shape[0]))
        found = dijkstra(lengths, directed=False, indices=sources)
        found[np.arange(len(sources)), sources] = np.inf
        reached = found[np.isfinite(found)]
        total += float(reached.sum())
        inverse += float((1 / reached).sum())
        pairs += len(reached)
    return total, inverse, pairs


def onnela_clustering(weights: sparse.csr_array) -> float:
    r"""Average the weighted clustering of the nodes.

    .. math:: C_i = \frac{1}{k_i (k_i - 1)} \sum_{jk} (\hat w_{ij} \hat w_{jk} \hat w_{ki})^{1/3}

    with the weights :math:`\hat w` as shares of the largest one. Onnela et al., Phys. Rev. E 71
    (2005), doi:10.1103/PhysRevE.71.065103.
    """
    if weights.shape[0] == 0:
        return float("nan")
    degree = np.diff(weights.indptr).astype(np.int64)
    roots = sparse.csr_array(
        (np.cbrt(weights.data / weights.data.max(initial=0.0)), weights.indices, weights.indptr),
        weights.shape,
    )
    closed = np.asarray((roots @ roots).multiply(roots).sum(axis=1)).ravel()
    possible = degree * (degree - 1)
    return float(np.divide(closed, possible, out=np.zeros(len(degree)), where=possible > 0).mean())


def dealt(
    edges: npt.NDArray[np.int32],
    n_nodes: int,
    values: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> sparse.csr_array:
    """Deal weights out to edges at random."""
    return adjacency_from_edges(edges, n_nodes, rng.permutation(values))


def sorted_by_distance(
    edges: npt.NDArray[np.int32],
    n_nodes: int,
    values: npt.NDArray[np.float64],
    rng: np.random.Generator,
) -> sparse.csr_array:
    """Deal weights out on a ring, the largest to its shortest edges; at one length at random."""
    apart = np.abs(edges[:, 0] - edges[:, 1])
    apart = np.minimum(apart, n_nodes - apart)
    order = np.lexsort((rng.random(len(edges)), apart))
    return adjacency_from_edges(edges[order], n_nodes, np.sort(values)[::-1])
