"""Degrees: their statistics and how the ends of edges are matched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency

__all__ = ["DegreeStatistics", "degree_assortativity", "degree_statistics", "density"]


@dataclass(frozen=True)
class DegreeStatistics:
    """The degrees of a graph in four numbers, all NaN for no nodes.

    Attributes
    ----------
    mean, std : float
        Mean and (population) standard deviation.
    smallest, largest : float
    """

    mean: float
    std: float
    smallest: float
    largest: float


def degree_statistics(graph: Graph) -> DegreeStatistics:
    """Summarise the number of neighbours of the nodes.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    DegreeStatistics

    Raises
    ------
    InputError
        If the graph is not undirected and simple.
    """
    degree = np.diff(as_adjacency(graph).indptr)
    if not len(degree):
        return DegreeStatistics(*[float("nan")] * 4)
    return DegreeStatistics(
        float(degree.mean()), float(degree.std()), float(degree.min()), float(degree.max())
    )


def density(graph: Graph) -> float:
    r"""Give the share of node pairs that are connected, :math:`2m / (n (n - 1))`.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    float
        NaN for fewer than two nodes.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.
    """
    adjacency = as_adjacency(graph)
    n_nodes = adjacency.shape[0]
    return adjacency.nnz / (n_nodes * (n_nodes - 1)) if n_nodes > 1 else float("nan")


def degree_assortativity(graph: Graph) -> float:
    r"""Correlate the degrees at the two ends of an edge.

    .. math:: r = \frac{\sum_{ij} A_{ij} k_i k_j / 2m - \mu^2}
                       {\sum_i k_i^3 / 2m - \mu^2}, \qquad \mu = \sum_i k_i^2 / 2m

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    float
        Between -1 and 1; NaN if the graph has no edge or all ends have the same degree.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Newman, "Assortative mixing in networks", Phys. Rev. Lett. 89 (2002),
    doi:10.1103/PhysRevLett.89.208701.
    """
    adjacency = as_adjacency(graph)
    degree = np.diff(adjacency.indptr).astype(np.int64)
    # In whole numbers of any size, so that a regular graph gives exactly 0 / 0.
    ends = adjacency.nnz
    products = int((np.repeat(degree, degree) * degree[adjacency.indices]).sum())
    squares = int((degree**2).sum())
    values, numbers = np.unique(degree, return_counts=True)
    cubes = sum(k**3 * n for k, n in zip(values.tolist(), numbers.tolist(), strict=True))
    spread = ends * cubes - squares**2
    return (ends * products - squares**2) / spread if spread else float("nan")
