"""Eigenvalues of the adjacency matrix and of the Laplacian."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import ArpackNoConvergence, LinearOperator, eigsh

from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency

__all__ = ["algebraic_connectivity", "spectral_radius"]

# Up to this size a dense solver is quicker than an iteration, and cannot fail to converge.
DENSE_LIMIT = 500


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
    n_nodes = matrix.shape[0]
    if matrix.nnz == 0:
        return 0.0 if n_nodes else float("nan")
    if n_nodes <= DENSE_LIMIT:
        return float(linalg.eigvalsh(matrix.toarray(), subset_by_index=[n_nodes - 1] * 2)[0])
    return float(eigsh(matrix, k=1, which="LA", v0=_start(n_nodes), return_eigenvectors=False)[0])


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
    n_nodes = adjacency.shape[0]
    if n_nodes < 2:
        return float("nan")
    if connected_components(adjacency, directed=False)[0] > 1:
        return 0.0
    degrees = sparse.diags_array(np.diff(adjacency.indptr).astype(np.float64))
    matrix = sparse.csr_array(degrees - adjacency.astype(np.float64))
    if n_nodes <= DENSE_LIMIT:
        return float(linalg.eigvalsh(matrix.toarray(), subset_by_index=[1, 1])[0])
    try:
        return _second_smallest(matrix)
    except ArpackNoConvergence:
        # Where iterations stall the graph is long and thin, and a factorisation is cheap.
        shift = -1e-6 * float(matrix.diagonal().mean())
        lowest = eigsh(
            matrix.tocsc(), k=2, sigma=shift, v0=_start(n_nodes), return_eigenvectors=False
        )
        return float(lowest.max())


def _second_smallest(matrix: sparse.csr_array) -> float:
    n_nodes = matrix.shape[0]
    bound = 2.0 * matrix.diagonal().max()

    # Turned upside down: the constant vector, eigenvalue 0 of the Laplacian, stays at 0 and
    # every other eigenvalue x becomes bound - x.
    def product(vector: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        centred = vector - vector.mean()
        return bound * centred - matrix @ centred

    operator = LinearOperator((n_nodes, n_nodes), matvec=product, dtype=np.float64)
    start = _start(n_nodes)
    largest = eigsh(
        operator, k=1, which="LA", v0=start - start.mean(), tol=1e-13, maxiter=300,
        return_eigenvectors=False,
    )  # fmt: skip
    return float(bound - largest[0])


def _start(n_nodes: int) -> npt.NDArray[np.float64]:
    """Give the same positive start vector every time, so that results repeat to the bit."""
    return np.random.default_rng(0).random(n_nodes) + 0.5
