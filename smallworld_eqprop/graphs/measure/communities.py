"""Communities: found by the Leiden method, and how a node's edges are spread over them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import Graph
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.measure.matrices import edge_weights, matrix_of, strengths, to_igraph
from smallworld_eqprop.parts import Repeats, check_type

__all__ = [
    "Communities",
    "community_metrics",
    "detect_communities",
    "modularity",
    "participation_coefficient",
]

# igraph has one random generator for the whole process.
_igraph_draws = Lock()

# A smaller rise of modularity is rounding.
RISE = 1e-12


@dataclass(frozen=True)
class Communities:
    """A partition of the nodes.

    Attributes
    ----------
    labels : ndarray of int64, shape (n_nodes,)
        Community of every node, numbered from 0 in the order of their first nodes.
    modularity : float
        Of this partition.
    seed : int or None
        Finds the same partition again; drawn if none was given, None for a generator.
    """

    labels: npt.NDArray[np.int64]
    modularity: float
    seed: int | None = None

    @property
    def n_communities(self) -> int:
        """Number of communities."""
        return int(self.labels.max(initial=-1)) + 1


def detect_communities(
    graph: Graph,
    *,
    weighted: bool = False,
    resolution: float = 1.0,
    n_tries: int = 10,
    seed: Seed = None,
) -> Communities:
    """Find communities by the Leiden method of igraph: the best of several tries by `modularity`.

    Parameters
    ----------
    graph : Graph
    weighted : bool, optional
        Let edges count by their weights; otherwise each counts 1.
    resolution : float, optional
        As in `modularity`; above 1 gives more and smaller communities.
    n_tries : int, optional
        The method draws at random. Each try ends when nothing improves it.
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.

    Returns
    -------
    Communities
        Without edges, every node is a community and the modularity is NaN.

    Raises
    ------
    InputError
        If the graph is not undirected and simple or has bad weights, or the resolution, the number
        of tries or the seed is bad.

    Notes
    -----
    igraph draws from one generator for the whole process. It is set for this call, and afterwards
    to Python's `random`, as igraph has it by default.

    References
    ----------
    Traag, Waltman and van Eck, "From Louvain to Leiden: guaranteeing well-connected communities",
    Sci. Rep. 9 (2019), doi:10.1038/s41598-019-41695-z.

    Examples
    --------
    >>> import networkx as nx
    >>> detect_communities(nx.barbell_graph(4, 0), seed=0).labels.tolist()
    [0, 0, 0, 0, 1, 1, 1, 1]
    """
    matrix = matrix_of(graph, weighted)
    resolution = _checked_resolution(resolution)
    check_type("n_tries", n_tries, Repeats)
    rng, seed = seeded(seed)
    if not matrix.nnz:
        return Communities(np.arange(matrix.shape[0]), float("nan"), seed)
    whole = to_igraph(matrix)
    weights = edge_weights(matrix).tolist() if weighted else None
    best = Communities(np.empty(0, dtype=np.int64), -np.inf, seed)
    for draw in rng.integers(2**63, size=n_tries):
        labels: npt.NDArray[np.int64] | None = None
        value = -np.inf
        with _drawing(int(draw)):
            # Left to itself until nothing changes, igraph goes round for ever on some ties.
            while True:
                found = whole.community_leiden(
                    objective_function="modularity",
                    weights=weights,
                    resolution=resolution,
                    initial_membership=labels,
                    n_iterations=2,
                )
                new = _numbered(found.membership)
                risen = _modularity(matrix, new, resolution)
                if not risen > value + RISE:
                    break
                labels, value = new, risen
        if labels is not None and value > best.modularity:
            best = Communities(labels, value, seed)
    return best


def modularity(
    graph: Graph, labels: npt.ArrayLike, *, weighted: bool = False, resolution: float = 1.0
) -> float:
    r"""Compare the edges inside communities with those expected of nodes of these degrees.

    .. math:: Q = \sum_c \left[ \frac{m_{cc}}{m} - \gamma \left( \frac{k_c}{2m} \right)^2 \right]

    with :math:`m_{cc}` the edges inside community c, :math:`k_c` the sum of its degrees, m all
    edges and :math:`\gamma` the resolution. With weights, edges and degrees are sums of weights.

    Parameters
    ----------
    graph : Graph
    labels : array_like, shape (n_nodes,)
        Community of every node: numbers or text.
    weighted : bool, optional
        Let edges count by their weights; otherwise each counts 1.
    resolution : float, optional
        Above 0.

    Returns
    -------
    float
        Below 1; NaN for no edges.

    Raises
    ------
    InputError
        If the graph is not undirected and simple or has bad weights, there is not one label per
        node, or the resolution is bad.

    References
    ----------
    Newman and Girvan, "Finding and evaluating community structure in networks", Phys. Rev. E 69
    (2004), doi:10.1103/PhysRevE.69.026113; with a resolution: Reichardt and Bornholdt, Phys. Rev.
    E 74 (2006), doi:10.1103/PhysRevE.74.016110.
    """
    matrix = matrix_of(graph, weighted)
    return _modularity(matrix, _checked(labels, matrix), _checked_resolution(resolution))


def participation_coefficient(
    graph: Graph, labels: npt.ArrayLike, *, weighted: bool = False
) -> npt.NDArray[np.float64]:
    r"""Tell for every node how evenly its edges are spread over the communities.

    .. math:: P_i = 1 - \sum_c \left( \frac{k_{ic}}{k_i} \right)^2

    with :math:`k_{ic}` the edges of node i to community c, of its :math:`k_i`.

    Parameters
    ----------
    graph : Graph
    labels : array_like, shape (n_nodes,)
        Community of every node, numbers or text: ``detect_communities(graph).labels``, or the
        ``layers`` of a LayeredGraph.
    weighted : bool, optional
        Let edges count by their weights; otherwise each counts 1.

    Returns
    -------
    ndarray of float64, shape (n_nodes,)
        From 0, all edges lead to one community, to less than 1; NaN without edges, where bctpy has
        0.

    Raises
    ------
    InputError
        If the graph is not undirected and simple or has bad weights, or there is not one label per
        node.

    References
    ----------
    Guimerà and Amaral, "Functional cartography of complex metabolic networks", Nature 433 (2005),
    doi:10.1038/nature03288.

    Examples
    --------
    >>> import networkx as nx
    >>> participation_coefficient(nx.path_graph(3), ["a", "b", "c"]).tolist()
    [0.0, 0.5, 0.0]
    """
    matrix = matrix_of(graph, weighted)
    numbers = _checked(labels, matrix)
    # One row per node, with a one in the column of its community.
    nodes = np.arange(len(numbers))
    shape = (len(numbers), numbers.max(initial=-1) + 1)
    members = sparse.coo_array((np.ones(len(numbers)), (nodes, numbers)), shape=shape)
    toward = sparse.csr_array(matrix @ members)
    squares = strengths(toward.power(2))
    strength = strengths(matrix)
    nothing = np.full(len(strength), np.nan)
    return 1 - np.divide(squares, strength**2, out=nothing, where=strength > 0)


def community_metrics(graph: Graph, *, seed: Seed = None) -> dict[str, float]:
    """Give the communities of a graph without weights in three numbers, for the tables of studies.

    Parameters
    ----------
    graph : Graph
    seed : int or numpy.random.Generator, optional
        As in `detect_communities`, with its defaults.

    Returns
    -------
    dict of str to float
        ``modularity`` and ``n_communities`` of the partition found, and
        ``participation_coefficient``, the mean over the nodes that have edges. All but the number
        are NaN without edges.

    Raises
    ------
    InputError
        If the graph is not undirected and simple or the seed is bad.
    """
    found = detect_communities(graph, seed=seed)
    spread = participation_coefficient(graph, found.labels)
    spread = spread[~np.isnan(spread)]
    return {
        "modularity": found.modularity,
        "n_communities": float(found.n_communities),
        "participation_coefficient": float(spread.mean()) if len(spread) else float("nan"),
    }


def _modularity(
    matrix: sparse.csr_array, labels: npt.NDArray[np.int64], resolution: float
) -> float:
    total = float(matrix.sum())
    if not total:
        return float("nan")
    rows = np.repeat(labels, np.diff(matrix.indptr))
    inside = float(matrix.data[rows == labels[matrix.indices]].sum())
    strength = np.bincount(labels, weights=strengths(matrix))
    return inside / total - resolution * float(((strength / total) ** 2).sum())


def _numbered(labels: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Number communities from 0 in the order of their first nodes."""
    _, first, inverse = np.unique(np.asarray(labels), return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse.ravel()]


def _checked(labels: npt.ArrayLike, matrix: sparse.csr_array) -> npt.NDArray[np.int64]:
    given = np.asarray(labels)
    if given.shape != matrix.shape[:1] or given.dtype.kind == "O":
        raise InputError(
            f"labels: an array of shape {given.shape} and type {given.dtype} for "
            f"{matrix.shape[0]} nodes; give one number or text per node"
        )
    return _numbered(given)


def _checked_resolution(resolution: float) -> float:
    if not 0 < resolution < np.inf:
        raise InputError(f"resolution: {resolution!r}; give a number above 0")
    return float(resolution)


@contextmanager
def _drawing(seed: int) -> Iterator[None]:
    """Let igraph draw from a generator of its own."""
    import igraph

    with _igraph_draws:
        igraph.set_random_number_generator(random.Random(seed))
        try:
            yield
        finally:
            igraph.set_random_number_generator(random)
