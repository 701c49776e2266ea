"""Distances in hops: path length, efficiency, distributions and samples of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency, weighted_adjacency
from smallworld_eqprop.graphs.core.arguments import Seed, checked_count, seeded
from smallworld_eqprop.graphs.measure.searches import local_efficiencies, search
from smallworld_eqprop.graphs.measure.weighted_paths import mean_inverse_path, mean_path, path_sums

__all__ = [
    "Estimate",
    "characteristic_path_length",
    "distance_counts",
    "global_efficiency",
    "local_efficiency",
    "sample_path_length",
]


@dataclass(frozen=True)
class Estimate:
    """A sampled value.

    Attributes
    ----------
    value : float
        The estimate.
    standard_error : float
        Its standard error; 0 when everything was sampled, NaN when one sample does not tell.
    n : int
        Number of samples.
    seed : int or None
        Draws the same samples again; drawn if none was given, None for a generator.
    """

    value: float
    standard_error: float
    n: int
    seed: int | None = None


def characteristic_path_length(
    graph: Graph, nodes: npt.ArrayLike | None = None, *, weighted: bool = False
) -> float:
    r"""Average the distance in hops over the pairs of nodes joined by a path.

    .. math:: L = \frac{\sum_{i \ne j,\, d_{ij} < \infty} d_{ij}}{\#\{i \ne j : d_{ij} < \infty\}}

    Pairs without a path are left out, so in a disconnected graph L is the mean within components,
    as igraph has it.

    Parameters
    ----------
    graph : Graph
    nodes : array_like of int, optional
        Average over the pairs of these nodes only, for example the hidden and output nodes.
        Paths still run through the whole graph.
    weighted : bool, optional
        An edge is as long as 1 / abs(weight), so strong edges are short whatever their signs. The
        mean is then ruled by the longest distances, those across weak edges; efficiency is not.

    Returns
    -------
    float
        In hops, or in units of 1 / weight; NaN if no two of the nodes are joined by a path.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or `nodes` names an absent node or one twice.

    References
    ----------
    Watts and Strogatz, "Collective dynamics of 'small-world' networks", Nature 393 (1998),
    doi:10.1038/30918. Many sources at once: Then et al., "The more the merrier", PVLDB 8 (2014),
    doi:10.14778/2735496.2735507.
    """
    if weighted:
        weights = weighted_adjacency(graph, signed=True)
        chosen = checked_nodes(nodes, weights)
        return mean_path(weights, chosen, chosen)
    return mean_distance(distance_counts(graph, nodes, nodes))


def global_efficiency(graph: Graph, *, weighted: bool = False) -> float:
    r"""Average the inverse distance over all ordered pairs of nodes.

    .. math:: E = \frac{1}{n (n - 1)} \sum_{i \ne j} \frac{1}{d_{ij}}

    Pairs without a path contribute 0.

    Parameters
    ----------
    graph : Graph
    weighted : bool, optional
        An edge is as long as 1 / abs(weight).

    Returns
    -------
    float
        Between 0 and 1, with weights between 0 and the largest absolute one; NaN for fewer than
        two nodes.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Latora and Marchiori, "Efficient behavior of small-world networks", Phys. Rev. Lett. 87
    (2001), doi:10.1103/PhysRevLett.87.198701.
    """
    if weighted:
        return mean_inverse_path(weighted_adjacency(graph, signed=True))
    adjacency = as_adjacency(graph)
    return mean_inverse_distance(distance_counts(adjacency), adjacency.shape[0])


def local_efficiency(graph: Graph) -> float:
    r"""Average over the nodes the global efficiency among each node's neighbours.

    .. math:: E_{loc} = \frac{1}{n} \sum_i E(G_i)

    where :math:`G_i` is the subgraph of the neighbours of i, without i. A node with fewer than
    two neighbours contributes 0, as in networkx.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    float
        Between 0 and 1; NaN for no nodes.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Latora and Marchiori (2001), doi:10.1103/PhysRevLett.87.198701.
    """
    adjacency = as_adjacency(graph)
    if adjacency.shape[0] == 0:
        return float("nan")
    return float(local_efficiencies(adjacency).mean())


def distance_counts(
    graph: Graph, sources: npt.ArrayLike | None = None, targets: npt.ArrayLike | None = None
) -> npt.NDArray[np.int64]:
    """Count the ordered (source, target) pairs at every distance.

    Parameters
    ----------
    graph : Graph
    sources, targets : array_like of int, optional
        Nodes, each at most once; all of them when not given.

    Returns
    -------
    ndarray of int64, shape (longest distance + 1,)
        Entry d counts the pairs d hops apart; entry 0 the nodes that are source and target. Pairs
        without a path are in none: they number n_sources * n_targets less the sum.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or a node is absent or named twice.

    Notes
    -----
    Nodes are searched from 64 sources at once, one bit each; trees are counted without a search.
    The memory is O(n_nodes + n_edges).

    Examples
    --------
    >>> import networkx as nx
    >>> distance_counts(nx.path_graph(4)).tolist()
    [4, 6, 4, 2]
    """
    adjacency = as_adjacency(graph)
    return search(
        adjacency, checked_nodes(sources, adjacency), checked_nodes(targets, adjacency)
    ).counts


def sample_path_length(
    graph: Graph,
    n_sources: int,
    *,
    seed: Seed = None,
    nodes: npt.ArrayLike | None = None,
    weighted: bool = False,
) -> Estimate:
    r"""Estimate the characteristic path length from randomly drawn sources.

    With :math:`s_i` the sum of the distances from source i and :math:`r_i` the number of nodes it
    reaches, :math:`\hat L = \sum s_i / \sum r_i`. The standard error is that of a ratio estimate
    drawn without replacement,

    .. math:: SE^2 = \left(1 - \frac{k}{n}\right)
              \frac{\sum_i (s_i - \hat L r_i)^2}{k (k - 1)\, \bar r^2}

    for k sources among n nodes.

    Parameters
    ----------
    graph : Graph
    n_sources : int
        From 1 to the number of nodes.
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    nodes : array_like of int, optional
        As in `characteristic_path_length`: draw the sources among these nodes, and average over
        the distances to these nodes.
    weighted : bool, optional
        As in `characteristic_path_length`.

    Returns
    -------
    Estimate
        The value is NaN when no source reaches another node.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or `n_sources` is out of range.

    References
    ----------
    Cochran, *Sampling Techniques*, 3rd ed., Wiley (1977), ch. 6.
    """
    adjacency = weighted_adjacency(graph, signed=True) if weighted else as_adjacency(graph)
    among = checked_nodes(nodes, adjacency)
    n_nodes = len(among)
    if checked_count("n_sources", n_sources, n_nodes, "the nodes") < 1:
        raise InputError(f"n_sources: {n_sources}; give at least 1")
    rng, seed = seeded(seed)
    sources = among[rng.choice(n_nodes, size=n_sources, replace=False, shuffle=False)]
    found = (
        path_sums(adjacency, sources, among)
        if weighted
        else search(adjacency, sources, among, per_source=True)
    )
    return ratio_estimate(found.sums, found.reached, n_nodes, seed)


def ratio_estimate(
    sums: npt.NDArray, reached: npt.NDArray[np.int64], n_nodes: int, seed: int | None
) -> Estimate:
    """Estimate the path length from what so many sources among the nodes found."""
    n_sources = len(sums)
    if not reached.any():
        return Estimate(float("nan"), float("nan"), n_sources, seed)
    value = sums.sum() / reached.sum()
    if n_sources == n_nodes:
        return Estimate(float(value), 0.0, n_sources, seed)
    if n_sources == 1:
        return Estimate(float(value), float("nan"), n_sources, seed)
    variance = ((sums - value * reached) ** 2).sum() / (n_sources * (n_sources - 1))
    error = np.sqrt((1 - n_sources / n_nodes) * variance) / reached.mean()
    return Estimate(float(value), float(error), n_sources, seed)


def mean_distance(counts: npt.NDArray[np.int64]) -> float:
    """Average the distances of `distance_counts`, distance 0 left out; NaN if there are none."""
    pairs = int(counts[1:].sum())
    return float(np.arange(len(counts)) @ counts) / pairs if pairs else float("nan")


def mean_inverse_distance(counts: npt.NDArray[np.int64], n_nodes: int) -> float:
    """Average the inverse distances over all ordered pairs; NaN for fewer than two nodes."""
    if n_nodes < 2:
        return float("nan")
    return float((counts[1:] / np.arange(1, len(counts))).sum() / (n_nodes * (n_nodes - 1)))


def checked_nodes(
    nodes: npt.ArrayLike | None, adjacency: sparse.csr_array, name: str = "nodes"
) -> npt.NDArray[np.int64]:
    """Give node numbers, all of them for None; an absent or repeated one is an InputError."""
    n_nodes = adjacency.shape[0]
    if nodes is None:
        return np.arange(n_nodes)
    given = np.asarray(nodes)
    if given.size and not np.issubdtype(given.dtype, np.integer):
        raise InputError(f"{name}: values of type {given.dtype}; give node numbers")
    numbers = given.astype(np.int64).ravel()
    absent = numbers[(numbers < 0) | (numbers >= n_nodes)]
    if absent.size:
        raise InputError(f"{name}: {absent[0]} is not there; nodes are 0 to {n_nodes - 1}")
    if len(np.unique(numbers)) < len(numbers):
        raise InputError(f"{name}: a node is named twice; name each once")
    return numbers
