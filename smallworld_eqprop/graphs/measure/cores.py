"""Cores: which nodes of many edges hold together, and how far."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency, edges_of
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.ensembles import NULL_MODELS, check_n_null
from smallworld_eqprop.graphs.measure.matrices import edge_weights, matrix_of, strengths, to_igraph

__all__ = [
    "CorePeriphery",
    "core_metrics",
    "core_numbers",
    "core_periphery",
    "normalised_rich_club",
    "rich_club",
]


@dataclass(frozen=True)
class CorePeriphery:
    """The nodes in a core and a periphery.

    Attributes
    ----------
    core : ndarray of bool, shape (n_nodes,)
    coreness : float
        How good the division is: 0 if all nodes have the same strength; NaN for no edges.
    """

    core: npt.NDArray[np.bool_]
    coreness: float


def core_numbers(graph: Graph) -> npt.NDArray[np.int64]:
    """Give the core number of every node: the largest k so that it is in the k-core.

    The k-core is the largest subgraph in which every node has at least k neighbours.

    Parameters
    ----------
    graph : Graph

    Returns
    -------
    ndarray of int64, shape (n_nodes,)
        By igraph.

    Raises
    ------
    InputError
        If the graph is not undirected and simple.

    References
    ----------
    Seidman, "Network structure and minimum degree", Social Networks 5 (1983),
    doi:10.1016/0378-8733(83)90028-X.

    Examples
    --------
    >>> import networkx as nx
    >>> core_numbers(nx.lollipop_graph(4, 2)).tolist()
    [3, 3, 3, 3, 1, 1]
    """
    return np.array(to_igraph(as_adjacency(graph)).coreness(), dtype=np.int64)


def core_periphery(
    graph: Graph, *, weighted: bool = False, resolution: float = 1.0
) -> CorePeriphery:
    r"""Divide the nodes into a core with many edges inside and a periphery with few.

    The division is the one that makes

    .. math:: q = \frac{1}{s} \Big[ \sum_{i, j \in C} (w_{ij} - \gamma \bar w)
              - \sum_{i, j \in P} (w_{ij} - \gamma \bar w) \Big]
              = \frac{1}{s} \Big[ \sum_{i \in C} (s_i - \gamma \bar s)
              - \sum_{i \in P} (s_i - \gamma \bar s) \Big]

    largest, with s the sum and :math:`\bar w` the mean of all entries of the matrix, :math:`s_i`
    the strength of a node, :math:`\bar s` its mean and :math:`\gamma` the resolution. By the second
    form, the core is the nodes whose strength is above :math:`\gamma \bar s`, and
    :math:`q = \sum_i |s_i - \gamma \bar s| / s`. bctpy's `core_periphery_dir` searches for the same
    maximum.

    Parameters
    ----------
    graph : Graph
    weighted : bool, optional
        Let edges count by their weights; otherwise each counts 1.
    resolution : float, optional
        Above 0; above 1 gives a smaller core.

    Returns
    -------
    CorePeriphery
        It depends on the strengths alone: null samples that keep these have the same. What degrees
        do not tell is in `core_numbers` and `rich_club`.

    Raises
    ------
    InputError
        If the graph is not undirected and simple or has bad weights, or the resolution is bad.

    References
    ----------
    Borgatti and Everett, "Models of core/periphery structures", Social Networks 21 (2000),
    doi:10.1016/S0378-8733(99)00019-2; this form: Rubinov et al., PNAS 112 (2015),
    doi:10.1073/pnas.1420315112.
    """
    if not 0 < resolution < np.inf:
        raise InputError(f"resolution: {resolution!r}; give a number above 0")
    strength = strengths(matrix_of(graph, weighted))
    total = float(strength.sum())
    if not total:
        return CorePeriphery(np.zeros(len(strength), dtype=np.bool_), float("nan"))
    above = strength - resolution * total / len(strength)
    # Equal strengths may differ from their mean in the last digits.
    above[np.abs(above) <= 1e-12 * strength] = 0.0
    return CorePeriphery(above > 0, float(np.abs(above).sum() / total))


def rich_club(graph: Graph, *, weighted: bool = False) -> npt.NDArray[np.float64]:
    r"""Give the share of connected pairs among the nodes of more than k neighbours, for every k.

    .. math:: \phi(k) = \frac{2 E_{>k}}{N_{>k} (N_{>k} - 1)}, \qquad
              \phi_w(k) = \frac{W_{>k}}{\sum_{l=1}^{E_{>k}} w_l^{rank}}

    with :math:`N_{>k}` the nodes of more than k neighbours, :math:`E_{>k}` the edges among them and
    :math:`W_{>k}` the sum of the weights of these. The weighted form divides by the sum of as many
    largest weights of the graph.

    Parameters
    ----------
    graph : Graph
    weighted : bool, optional
        Which form.

    Returns
    -------
    ndarray of float64, shape (largest degree,)
        Entry k is that of the nodes of more than k neighbours; NaN for fewer than two nodes, in
        the weighted form for no edges among them. Rich nodes have many edges, so that it grows with
        k in random graphs, too: see `normalised_rich_club`.

    Raises
    ------
    InputError
        If the graph is not undirected and simple or has bad weights.

    References
    ----------
    Colizza et al., "Detecting rich-club ordering in complex networks", Nature Physics 2 (2006),
    doi:10.1038/nphys209; with weights: Opsahl et al., Phys. Rev. Lett. 101 (2008),
    doi:10.1103/PhysRevLett.101.168702.

    Examples
    --------
    >>> import networkx as nx
    >>> rich_club(nx.complete_graph(4)).tolist()
    [1.0, 1.0, 1.0]
    """
    matrix = matrix_of(graph, weighted)
    degree = np.diff(matrix.indptr)
    largest = int(degree.max(initial=0))
    # Of an edge, the smaller degree of its ends: it is among the nodes of more than k below that.
    poorer = degree[edges_of(matrix)].min(axis=1)
    edges = _above(np.bincount(poorer, minlength=largest + 1))
    if weighted:
        weights = edge_weights(matrix)
        inside = _above(np.bincount(poorer, weights=weights, minlength=largest + 1))
        ranked = np.concatenate(([0.0], np.cumsum(np.sort(weights)[::-1])))
        possible = ranked[edges]
    else:
        inside = edges
        nodes = _above(np.bincount(degree, minlength=largest + 1)).astype(np.float64)
        possible = nodes * (nodes - 1) / 2
    return np.divide(inside, possible, out=np.full(largest, np.nan), where=possible > 0)


def normalised_rich_club(
    graph: Graph, *, null: str = "degree_preserving", n_null: int = 10, seed: Seed = None
) -> npt.NDArray[np.float64]:
    r"""Divide `rich_club` by its mean over null samples.

    .. math:: \rho(k) = \phi(k) / \langle \phi_{null}(k) \rangle

    Parameters
    ----------
    graph : Graph
    null : str, optional
        Name of a null model; those of layers need a LayeredGraph. Without the degrees of the graph
        the samples have other rich nodes.
    n_null : int, optional
        Number of samples.
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.

    Returns
    -------
    ndarray of float64, shape (largest degree,)
        Above 1 where nodes of more than k neighbours are connected with each other more than their
        degrees make them. NaN where it or a sample's is not defined, or all samples have 0.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or an argument is bad.

    References
    ----------
    Colizza et al. (2006), doi:10.1038/nphys209.
    """
    if null not in NULL_MODELS:
        raise InputError(f"null: {null!r}; {nearest(null, NULL_MODELS)}")
    check_n_null(n_null)
    rng, _ = seeded(seed)
    source = graph if isinstance(graph, LayeredGraph) else as_adjacency(graph)
    own = rich_club(source)
    total = np.zeros(len(own))
    for each in rng.spawn(n_null):
        curve = rich_club(NULL_MODELS[null](source, seed=each).adjacency())[: len(own)]
        total += np.pad(curve, (0, len(own) - len(curve)), constant_values=np.nan)
    return np.divide(own, total / n_null, out=np.full(len(own), np.nan), where=total > 0)


def core_metrics(graph: Graph, *, seed: Seed = None) -> dict[str, float]:
    """Give the cores of a graph without weights in four numbers, for the tables of studies.

    Parameters
    ----------
    graph : Graph
    seed : int or numpy.random.Generator, optional
        Draws ten `degree_preserving` null samples.

    Returns
    -------
    dict of str to float
        ``largest_core_number``, see `core_numbers`; ``coreness``, see `core_periphery`; and
        ``rich_club`` and ``rich_club_normalised``, values of `rich_club` and of
        `normalised_rich_club` for the nodes with more neighbours than the mean: the core of
        `core_periphery`. NaN where they are not defined.

    Raises
    ------
    InputError
        If the graph is not undirected and simple or the seed is bad.
    """
    adjacency = as_adjacency(graph)
    n_nodes = adjacency.shape[0]
    curves = {
        "rich_club": rich_club(adjacency),
        "rich_club_normalised": normalised_rich_club(adjacency, seed=seed),
    }
    level = adjacency.nnz // n_nodes if n_nodes else 0
    return {
        "largest_core_number": float(core_numbers(adjacency).max()) if n_nodes else float("nan"),
        "coreness": core_periphery(adjacency).coreness,
    } | {
        name: float(curve[level]) if level < len(curve) else float("nan")
        for name, curve in curves.items()
    }


def _above(counts: npt.NDArray) -> npt.NDArray:
    """Sums of the entries after each, but the last."""
    return counts[::-1].cumsum()[::-1][1:]
