"""Eigenvalues of the adjacency matrix and of the Laplacians."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components, reverse_cuthill_mckee
from scipy.sparse.linalg import LinearOperator, eigsh

from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency

__all__ = ["algebraic_connectivity", "spectral_gap", "spectral_radius"]

# Up to this size a dense solver is quicker than an iteration, and cannot fail to converge.
DENSE_LIMIT = 500
# Graphs of n nodes whose neighbours can be brought within w of each other are taken as thin where
# w^2 is at most so many times n, as in grids, trees and rings; n w entries have to fit in memory.
THIN = 10
MOST_ENTRIES = 1e8
# Vectors of the iteration: with fewer, the eigenvalues of graphs with hubs take far longer.
VECTORS = 60


def spectral_radius(graph: Graph) -> float:
    r"""Give the largest eigenvalue of the adjacency matrix, :math:`\lambda_{max}(A)`.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    float
        At least the mean and at most the largest degree; NaN for no nodes.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Newman, *Networks*, 2nd ed. (2018), doi:10.1093/oso/9780198805090.001.0001.

    Examples
    --------
    >>> import networkx as nx
    >>> round(spectral_radius(nx.complete_graph(5)), 9)
    4.0
    """
    matrix = as_adjacency(graph).astype(np.float64)
    if matrix.nnz == 0:
        return 0.0 if matrix.shape[0] else float("nan")
    return largest_eigenvalue(matrix)


def largest_eigenvalue(matrix: sparse.csr_array) -> float:
    """Give the largest eigenvalue of a symmetric matrix of positive entries and zero diagonal."""
    n_nodes = matrix.shape[0]
    if n_nodes <= DENSE_LIMIT:
        return float(linalg.eigvalsh(matrix.toarray(), subset_by_index=[n_nodes - 1] * 2)[0])
    order = thin_order(matrix)
    if order is None:
        v0 = _start(n_nodes)
        return float(eigsh(matrix, k=1, which="LA", v0=v0, return_eigenvectors=False)[0])
    # No eigenvalue is above the largest geometric mean of the strengths of two neighbours.
    strengths = np.asarray(matrix.sum(axis=1)).ravel()
    both = np.repeat(strengths, np.diff(matrix.indptr)) * strengths[matrix.indices]
    largest = float(both.max())
    return float(_nearest(matrix, order, 1, (1 + 1e-6) * np.sqrt(largest))[0])


def algebraic_connectivity(graph: Graph) -> float:
    r"""Give the second smallest eigenvalue of the Laplacian, :math:`\lambda_2(D - A)`.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    float
        Exactly 0 for a disconnected graph; NaN for fewer than two nodes.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Fiedler, "Algebraic connectivity of graphs", Czech. Math. J. 23 (1973),
    doi:10.21136/CMJ.1973.101168.

    Examples
    --------
    >>> import networkx as nx
    >>> round(algebraic_connectivity(nx.star_graph(4)), 9)
    1.0
    """
    adjacency = as_adjacency(graph)
    if (known := _of_parts(adjacency)) is not None:
        return known
    n_nodes = adjacency.shape[0]
    degrees = sparse.diags_array(np.diff(adjacency.indptr).astype(np.float64))
    matrix = sparse.csr_array(degrees - adjacency.astype(np.float64))
    return _second_smallest(matrix, np.ones(n_nodes))


def spectral_gap(graph: Graph) -> float:
    r"""Give the second smallest eigenvalue of the normalised Laplacian.

    .. math:: \lambda_2(1 - D^{-1/2} A D^{-1/2})

    It is 1 less the second largest eigenvalue of the random walk on the graph: the larger, the
    sooner a walk forgets where it began.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    float
        Exactly 0 for a disconnected graph, n / (n - 1) for a complete graph of n nodes and at most
        1 for every other; NaN for fewer than two nodes.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Chung, *Spectral Graph Theory* (1997), doi:10.1090/cbms/092.

    Examples
    --------
    >>> import networkx as nx
    >>> round(spectral_gap(nx.star_graph(4)), 9)
    1.0
    """
    adjacency = as_adjacency(graph)
    if (known := _of_parts(adjacency)) is not None:
        return known
    n_nodes = adjacency.shape[0]
    degrees = np.diff(adjacency.indptr).astype(np.float64)
    scale = sparse.diags_array(1 / np.sqrt(degrees))
    walk = scale @ adjacency.astype(np.float64) @ scale
    return _second_smallest(sparse.csr_array(sparse.eye_array(n_nodes) - walk), np.sqrt(degrees))


def _of_parts(adjacency: sparse.csr_array) -> float | None:
    """The second smallest eigenvalue of a Laplacian where it needs no search."""
    if adjacency.shape[0] < 2:
        return float("nan")
    return 0.0 if connected_components(adjacency, directed=False)[0] > 1 else None


def thin_order(matrix: sparse.csr_array) -> npt.NDArray[np.int32] | None:
    """Order nodes so that neighbours are near each other; None where this leaves them far apart.

    In long and thin graphs, where the eigenvalues at the end of the spectrum are so close that an
    iteration stalls, a factorisation in this order is cheap.
    """
    order = reverse_cuthill_mckee(matrix, symmetric_mode=True)
    place = np.argsort(order)
    rows = np.repeat(place, np.diff(matrix.indptr))
    width = int(np.abs(rows - place[matrix.indices]).max())
    n_nodes = matrix.shape[0]
    return order if width**2 <= THIN * n_nodes and width * n_nodes <= MOST_ENTRIES else None


def _nearest(
    matrix: sparse.csr_array, order: npt.NDArray[np.int32], number: int, shift: float
) -> npt.NDArray[np.float64]:
    """Give the eigenvalues nearest to a shift, by factorisation."""
    ordered = sparse.csc_array(matrix[order][:, order])
    v0 = _start(matrix.shape[0])
    return eigsh(ordered, k=number, sigma=shift, v0=v0, return_eigenvectors=False)


def _second_smallest(matrix: sparse.csr_array, lowest: npt.NDArray[np.float64]) -> float:
    """Second smallest eigenvalue of a Laplacian, whose smallest is 0, with vector `lowest`."""
    n_nodes = matrix.shape[0]
    if n_nodes <= DENSE_LIMIT:
        return float(linalg.eigvalsh(matrix.toarray(), subset_by_index=[1, 1])[0])
    order = thin_order(matrix)
    if order is not None:
        return float(_nearest(matrix, order, 2, -1e-6 * float(matrix.diagonal().mean())).max())
    bound = 2.0 * matrix.diagonal().max()
    unit = lowest / linalg.norm(lowest)

    # Turned upside down: the vector of eigenvalue 0 stays at 0 and every other eigenvalue x
    # becomes bound - x.
    def product(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        rest = vector - (unit @ vector) * unit
        return bound * rest - matrix @ rest

    operator = LinearOperator((n_nodes, n_nodes), matvec=product, dtype=np.float64)
    start = _start(n_nodes)
    largest = eigsh(
        operator, k=1, which="LA", v0=start - (unit @ start) * unit, tol=1e-13, ncv=VECTORS,
        return_eigenvectors=False,
    )  # fmt: skip
    return float(bound - largest[0])


def _start(n_nodes: int) -> npt.NDArray[np.float64]:
    """Give the same positive start vector every time, so that results repeat to the bit."""
    return np.random.default_rng(0).random(n_nodes) + 0.5
