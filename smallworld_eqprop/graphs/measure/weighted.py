"""Strengths and clusterings of graphs with weights, signs kept; and what their lattice is."""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.graphs.core.adjacency import (
    Graph,
    adjacency_from_edges,
    weighted_adjacency,
)

__all__ = [
    "Strengths",
    "cubes",
    "dealt",
    "onnela_by_node",
    "onnela_clustering",
    "shares",
    "sorted_by_distance",
    "strengths",
    "strengths_of",
    "zhang_by_node",
    "zhang_clustering",
]


@dataclass(frozen=True)
class Strengths:
    """Sums of the weights at every node, positive and negative ones apart.

    Attributes
    ----------
    positive, negative : ndarray of float64, shape (n_nodes,)
        Sums of the positive weights, and of the sizes of the negative ones; neither is below 0.
    """

    positive: npt.NDArray[np.float64]
    negative: npt.NDArray[np.float64]

    @property
    def total(self) -> npt.NDArray[np.float64]:
        """Sum of the absolute weights."""
        return self.positive + self.negative

    @property
    def net(self) -> npt.NDArray[np.float64]:
        """Sum of the weights with their signs."""
        return self.positive - self.negative


def strengths(graph: Graph) -> Strengths:
    r"""Sum the weights of every node's edges, :math:`s_i^\pm = \sum_j (\pm w_{ij})_+`.

    Parameters
    ----------
    graph : Graph
        Weights may be negative; without weights the strengths are the degrees.

    Returns
    -------
    Strengths

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or some edges have a weight and others none.

    References
    ----------
    Barrat et al., "The architecture of complex weighted networks", PNAS 101 (2004),
    doi:10.1073/pnas.0400087101. Signs: Rubinov and Sporns, "Weight-conserving characterization of
    complex functional brain networks", NeuroImage 56 (2011), doi:10.1016/j.neuroimage.2011.03.069.

    Examples
    --------
    >>> found = strengths(np.array([[0, 2, -3], [2, 0, 0], [-3, 0, 0]]))
    >>> found.positive.tolist(), found.negative.tolist()
    ([2.0, 2.0, 0.0], [3.0, 0.0, 3.0])
    """
    return strengths_of(weighted_adjacency(graph, signed=True))


def strengths_of(weights: sparse.csr_array) -> Strengths:
    """Sum the rows of a matrix, entries above and below 0 apart."""
    n_nodes = weights.shape[0]
    rows = np.repeat(np.arange(n_nodes), np.diff(weights.indptr))
    above, below = (
        np.bincount(rows, np.maximum(values, 0), minlength=n_nodes).astype(np.float64)
        for values in (weights.data, -weights.data)
    )
    return Strengths(above, below)


def zhang_clustering(graph: Graph) -> float:
    r"""Average the clustering of Zhang and Horvath over the nodes, with signs where there are any.

    .. math:: C = \frac{1}{n} \sum_i \frac{\sum_{j \ne k} \hat w_{ij} \hat w_{jk} \hat w_{ki}}
                       {\sum_{j \ne k} |\hat w_{ij} \hat w_{ki}|}

    with the weights :math:`\hat w` as shares of the largest absolute one. A triangle with one or
    three negative edges counts negatively; give ``abs(matrix)`` for a clustering of sizes alone.
    A pair of weak edges weighs little here; in ``average_clustering(graph, weighted=True)``, which
    is Onnela's, all pairs weigh the same. A node with fewer than two neighbours contributes 0.

    Parameters
    ----------
    graph : Graph
        Weights may be negative; without weights this is `average_clustering`.

    Returns
    -------
    float
        Between -1 and 1; NaN for no nodes. Exactly 0 for every layered network without intralayer
        and skip edges.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or some edges have a weight and others none.

    References
    ----------
    Zhang and Horvath, "A general framework for weighted gene co-expression network analysis",
    Stat. Appl. Genet. Mol. Biol. 4 (2005), doi:10.2202/1544-6115.1128. Signs: Costantini and
    Perugini, "Generalization of clustering coefficients to signed correlation networks", PLoS ONE 9
    (2014), doi:10.1371/journal.pone.0088669.

    Examples
    --------
    >>> zhang_clustering(np.array([[0, 1, 1], [1, 0, -0.5], [1, -0.5, 0]]))
    -0.8333333333333334
    """
    weights = weighted_adjacency(graph, signed=True)
    return float(zhang_by_node(weights).mean()) if weights.shape[0] else float("nan")


def zhang_by_node(weights: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Give the clustering of Zhang and Horvath of every node; 0 with fewer than two neighbours."""
    weights = shares(weights)
    sizes = np.asarray(abs(weights).sum(axis=1)).ravel()
    possible = sizes**2 - np.asarray(weights.power(2).sum(axis=1)).ravel()
    pairs = np.diff(weights.indptr) > 1
    return np.divide(
        cubes(weights), possible, out=np.zeros(len(sizes)), where=pairs & (possible > 0)
    )


def onnela_clustering(weights: sparse.csr_array) -> float:
    r"""Average the weighted clustering of the nodes.

    .. math:: C_i = \frac{1}{k_i (k_i - 1)} \sum_{jk} (\hat w_{ij} \hat w_{jk} \hat w_{ki})^{1/3}

    with the weights :math:`\hat w` as shares of the largest absolute one. Onnela et al., Phys. Rev.
    E 71 (2005), doi:10.1103/PhysRevE.71.065103; signs as Costantini and Perugini (2014),
    doi:10.1371/journal.pone.0088669.
    """
    return float(onnela_by_node(weights).mean()) if weights.shape[0] else float("nan")


def onnela_by_node(weights: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Give the clustering of Onnela et al. of every node; 0 with fewer than two neighbours."""
    degree = np.diff(weights.indptr).astype(np.int64)
    possible = degree * (degree - 1)
    roots = shares(weights)
    roots.data = np.cbrt(roots.data)
    return np.divide(cubes(roots), possible, out=np.zeros(len(degree)), where=possible > 0)


def shares(weights: sparse.csr_array) -> sparse.csr_array:
    """Give weights as shares of the largest absolute one."""
    largest = np.abs(weights.data).max(initial=0.0)
    return sparse.csr_array(
        (weights.data / (largest or 1.0), weights.indices, weights.indptr), weights.shape
    )


def cubes(matrix: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Give the diagonal of the cube of a symmetric matrix with zero diagonal."""
    # Every triangle is met once, at its node of highest degree, so that hubs are not scanned often.
    order = np.argsort(np.diff(matrix.indptr), kind="stable")
    lower = sparse.csr_array(sparse.tril(matrix[order][:, order], k=-1, format="csr"))
    found = np.empty(matrix.shape[0])
    found[order] = 2 * _triangle_products(lower.indptr, lower.indices, lower.data)
    return found


@numba.njit(nogil=True, cache=True)
def _triangle_products(indptr, indices, values):  # type: ignore[no-untyped-def]
    n_nodes = len(indptr) - 1
    through = np.zeros(n_nodes)
    own = np.zeros(n_nodes)
    for node in range(n_nodes):
        for slot in range(indptr[node], indptr[node + 1]):
            own[indices[slot]] = values[slot]
        for slot in range(indptr[node], indptr[node + 1]):
            other = indices[slot]
            for last in range(indptr[other], indptr[other + 1]):
                third = indices[last]
                if own[third] != 0:
                    product = values[slot] * values[last] * own[third]
                    through[node] += product
                    through[other] += product
                    through[third] += product
        for slot in range(indptr[node], indptr[node + 1]):
            own[indices[slot]] = 0
    return through


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
