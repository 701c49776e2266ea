"""Null models: random graphs that share chosen properties with a given one.

Every one keeps the number of nodes and of edges and gives a simple graph.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import (
    Graph,
    adjacency_from_edges,
    as_adjacency,
    edges_of,
)
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.bitsets import is_dense
from smallworld_eqprop.graphs.core.blocks import block_densities, edges_between_layers
from smallworld_eqprop.graphs.core.draws import draw_pairs, draw_places
from smallworld_eqprop.graphs.core.edges import canonical_edges
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.nulls.connected import connected_walk
from smallworld_eqprop.graphs.nulls.curveball import Block, curveball
from smallworld_eqprop.graphs.nulls.labels import check_layered
from smallworld_eqprop.graphs.nulls.samples import (
    NullSample,
    checked_attempts,
    drawn_sample,
    walked_sample,
)
from smallworld_eqprop.graphs.nulls.switching import switch

__all__ = [
    "degree_preserving",
    "erdos_renyi",
    "layer_blocks",
    "layer_blocks_with_degrees",
]

# In dense graphs: curveball trades of a node that stand for one attempted switch per edge.
TRADES_PER_SWITCH = 3
# Attempted moves per edge where a random graph has to be connected.
MOVES_PER_EDGE = 10


def erdos_renyi(graph: Graph, *, seed: Seed = None, connected: bool = False) -> NullSample:
    """Draw uniformly among all graphs with as many nodes and edges.

    Parameters
    ----------
    graph : Graph
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    connected : bool, optional
        Only among the connected ones. The sample is the one drawn without this, if that is
        connected; otherwise a walk from the graph moves one edge at a time, ten attempts per edge,
        and refuses moves that disconnect.

    Returns
    -------
    NullSample

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or, with `connected`, is not connected, or the
        seed is bad.

    References
    ----------
    Erdős and Rényi, "On random graphs I", Publ. Math. Debrecen 6 (1959),
    doi:10.5486/PMD.1959.6.3-4.12.
    """
    adjacency = as_adjacency(graph)
    rng, seed = seeded(seed)
    n_nodes, n_edges = adjacency.shape[0], adjacency.nnz // 2
    made = {"step": "erdos_renyi", **_condition(connected, adjacency), "seed": seed}
    sample = drawn_sample(n_nodes, draw_pairs(n_nodes, n_edges, rng), made)
    if not connected or _is_connected(sample.adjacency()):
        return sample
    attempts = MOVES_PER_EDGE * n_edges
    walked = connected_walk(edges_of(adjacency), n_nodes, attempts, rng, keep_degrees=False)
    return walked_sample(n_nodes, walked, made)


def degree_preserving(
    graph: Graph, *, seed: Seed = None, switches_per_edge: float = 10.0, connected: bool = False
) -> NullSample:
    """Draw among the graphs in which every node has the degree it has here.

    A walk of random switches (a-b, c-d to a-d, c-b). In dense graphs, where most switches would be
    refused, the walk makes curveball trades instead: each does the work of many switches. The
    stationary law of both walks is uniform.

    Parameters
    ----------
    graph : Graph
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    switches_per_edge : float, optional
        Switches attempted, per edge. In a dense graph (more than one pair in 64 connected) three
        curveball trades of every node stand for one switch per edge.
    connected : bool, optional
        Only among the connected graphs. The sample is the one drawn without this, if that is
        connected; otherwise a walk from the graph refuses the switches that disconnect.

    Returns
    -------
    NullSample

    Raises
    ------
    InputError
        If the graph is not undirected and simple, or, with `connected`, is not connected, or the
        seed or `switches_per_edge` is bad.

    References
    ----------
    Maslov and Sneppen, "Specificity and stability in topology of protein networks", Science 296
    (2002), doi:10.1126/science.1065103. Uniformity: Fosdick et al., "Configuring random graph
    models with fixed degree sequences", SIAM Review 60 (2018), doi:10.1137/16M1087175. Length:
    Ray, Pinar and Seshadhri, "Are we there yet?", WAW 2012, doi:10.1007/978-3-642-30541-2_12.
    Curveball: Strona et al., "A fast and unbiased procedure to randomize ecological binary matrices
    with fixed row and column totals", Nat. Commun. 5 (2014), doi:10.1038/ncomms5114; Carstens,
    Berger and Strona, "A unifying framework for fast randomization of ecological networks with
    fixed (node) degrees", MethodsX 5 (2018), doi:10.1016/j.mex.2018.06.018.
    """
    adjacency = as_adjacency(graph)
    rng, seed = seeded(seed)
    n_nodes = adjacency.shape[0]
    attempts = checked_attempts(switches_per_edge, adjacency.nnz // 2)
    made = {
        "step": "degree_preserving", "switches_per_edge": float(switches_per_edge),
        **_condition(connected, adjacency), "seed": seed,
    }  # fmt: skip
    edges = edges_of(adjacency)
    if is_dense(adjacency):
        whole = Block(slice(0, n_nodes), slice(0, n_nodes))
        walked = curveball(adjacency, [whole], TRADES_PER_SWITCH * switches_per_edge, rng)
    else:
        walked = switch(edges, attempts, rng)
    sample = walked_sample(n_nodes, walked, made)
    if not connected or _is_connected(sample.adjacency()):
        return sample
    walked = connected_walk(edges, n_nodes, attempts, rng, keep_degrees=True)
    return walked_sample(n_nodes, walked, made)


def layer_blocks(g: LayeredGraph, *, seed: Seed = None) -> NullSample:
    """Draw uniformly among the graphs with as many edges between every two layers.

    The edges within every layer are as many, too; degrees are not kept.

    Parameters
    ----------
    g : LayeredGraph
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.

    Returns
    -------
    NullSample

    Raises
    ------
    InputError
        If the graph is no LayeredGraph or the seed is bad.

    References
    ----------
    Peixoto, "Entropy of stochastic blockmodel ensembles", Phys. Rev. E 85 (2012),
    doi:10.1103/PhysRevE.85.056122.
    """
    check_layered(g)
    rng, seed = seeded(seed)
    blocks = [np.empty((0, 2), dtype=np.int64)]
    numbers = edges_between_layers(g)
    for a, b in zip(*np.nonzero(np.triu(numbers)), strict=True):
        number = int(numbers[a, b])
        first, second = g.layer_offsets[a], g.layer_offsets[b]
        if a == b:
            blocks.append(first + draw_pairs(g.layer_sizes[a], number, rng))
            continue
        places = draw_places(g.layer_sizes[a] * g.layer_sizes[b], number, rng)
        u, v = np.divmod(places, g.layer_sizes[b])
        blocks.append(np.column_stack((first + u, second + v)))
    made = {"step": "layer_blocks", "seed": seed}
    return drawn_sample(g.n_nodes, np.concatenate(blocks), made)


def layer_blocks_with_degrees(
    g: LayeredGraph, *, seed: Seed = None, switches_per_edge: float = 10.0
) -> NullSample:
    """Draw among the graphs in which every node has as many neighbours in every layer.

    A walk as in `degree_preserving`, of two edges between the same two layers at a time. So the
    number of edges between any two layers and every degree are kept, and beyond that how each
    node's degree is shared among the layers: this is what makes every such graph reachable, and
    the stationary law uniform. A block in which every pair is connected cannot change.

    Parameters
    ----------
    g : LayeredGraph
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    switches_per_edge : float, optional
        As in `degree_preserving`; in a block more than half full, per pair not connected.

    Returns
    -------
    NullSample

    Raises
    ------
    InputError
        If the graph is no LayeredGraph, or the seed or `switches_per_edge` is bad.

    References
    ----------
    Ryser, "Combinatorial properties of matrices of zeros and ones", Canad. J. Math. 9 (1957),
    doi:10.4153/CJM-1957-044-3, between layers; Fosdick et al. (2018), doi:10.1137/16M1087175,
    within them.
    """
    check_layered(g)
    rng, seed = seeded(seed)
    # A switch of edges is also a switch of the pairs that are not connected. The walk runs on
    # whichever of the two are fewer: fewer attempts are refused, and fewer pairs have to move.
    crowded = np.triu(np.nan_to_num(block_densities(g))) > 0.5
    edges = _complement_blocks(g, g.edges, crowded)
    attempts = checked_attempts(switches_per_edge, len(edges))
    a, b = g.layers[edges].T.astype(np.int64)
    blocks, groups = np.unique(a * g.n_layers + b, return_inverse=True)
    first, second = np.divmod(blocks, g.n_layers)
    if is_dense(g.adjacency()):
        dense_blocks = [
            Block(g.layer_slice(a), g.layer_slice(b))
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
        ]
        adjacency = adjacency_from_edges(edges, g.n_nodes)
        walked = curveball(adjacency, dense_blocks, TRADES_PER_SWITCH * switches_per_edge, rng)
    else:
        walked = switch(edges, attempts, rng, groups=groups, flips=first == second)
    edges = _complement_blocks(g, canonical_edges(walked.edges, g.n_nodes), crowded)
    name = "layer_blocks_with_degrees"
    made = {"step": name, "switches_per_edge": float(switches_per_edge), "seed": seed}
    return walked_sample(g.n_nodes, walked._replace(edges=edges), made)


def _condition(connected: bool, adjacency: sparse.csr_array) -> dict[str, bool]:
    """Check that a graph can be held connected, and give what provenance says of it."""
    if connected and not _is_connected(adjacency):
        raise InputError("connected: True; the graph is not connected itself, so give False")
    return {"connected": True} if connected else {}


def _is_connected(adjacency: sparse.csr_array) -> bool:
    return bool(connected_components(adjacency, directed=False)[0] <= 1)


def _complement_blocks(
    g: LayeredGraph, edges: npt.NDArray[np.int32], blocks: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int32]:
    """Connect just the pairs that are not connected, in the chosen pairs of layers."""
    a, b = g.layers[edges].T
    chosen = blocks[a, b]
    parts = [edges[~chosen]]
    for first, second in np.argwhere(blocks):
        start = g.layer_offsets[[first, second]]
        free = np.ones((g.layer_sizes[first], g.layer_sizes[second]), dtype=np.bool_)
        u, v = (edges[(a == first) & (b == second)] - start).T
        free[u, v] = False
        parts.append(np.argwhere(np.triu(free, k=1) if first == second else free) + start)
    return np.concatenate(parts).astype(np.int32)
