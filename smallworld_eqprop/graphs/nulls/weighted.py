"""Null models of graphs with weights: the same strengths, or the same edges."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import Graph, adjacency_from_edges
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.nulls.exchanges import exchange
from smallworld_eqprop.graphs.nulls.labels import checked_blocks, labelled, weighted_edges
from smallworld_eqprop.graphs.nulls.matching import match_strengths
from smallworld_eqprop.graphs.nulls.nullmodels import degree_preserving, layer_blocks_with_degrees
from smallworld_eqprop.graphs.nulls.samples import NullSample, checked_attempts, placed_sample
from smallworld_eqprop.graphs.nulls.switching import Walked

__all__ = ["shuffled_weights", "strength_preserving"]


def strength_preserving(
    graph: Graph,
    *,
    seed: Seed = None,
    switches_per_edge: float = 10.0,
    exchanges_per_edge: float = 20.0,
    blocks: npt.ArrayLike | None = None,
    connected: bool = False,
) -> NullSample:
    """Draw a graph with the same degrees and weights, and with strengths as near as can be.

    First the edges are switched as in `degree_preserving`. Then the weights are shuffled among
    the new edges, and exchanged by simulated annealing until the sum of the weights at every node
    is near what it is in the graph. Positive and negative edges are treated apart: every
    node keeps how many it has of either kind, and both of its strengths are matched. Where no pair
    of nodes is free, as in a correlation matrix, positive and negative edges change places; if all
    weights are positive as well, only weights move.

    Parameters
    ----------
    graph : Graph
        Weights may be negative; without weights, all count as 1.
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    switches_per_edge : float, optional
        Switches attempted, per edge.
    exchanges_per_edge : float, optional
        Exchanges of weights attempted, per edge. With 0 the weights are only shuffled.
    blocks : array_like of int or str, shape (n_nodes,), optional
        A label for every node, such as ``g.layers``. Every node then keeps how many edges of either
        sign it has into every block, the weights between any two blocks stay there, and the
        strengths matched are those of every node into every block.
    connected : bool, optional
        Only connected graphs; neither with blocks nor with negative weights.

    Returns
    -------
    NullSample
        With `weights`. `measured` has ``strength_correlation``, Pearson's, between the strengths
        of the graph and those of the sample, ``negative_strength_correlation`` where there are
        negative weights, and ``strength_error``, the sum of the absolute errors as a share of the
        sum of the strengths. A correlation is NaN where all strengths are the same. `mixed` is
        about the switches; it is True for complete graphs with weights that differ and have one
        sign.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, some edges have a weight and others none, a
        number is negative or infinite, `blocks` has not one label per node, or, with `connected`,
        the graph is not connected, or has blocks or negative weights.

    References
    ----------
    Rubinov and Sporns, "Weight-conserving characterization of complex functional brain networks",
    NeuroImage 56 (2011), doi:10.1016/j.neuroimage.2011.03.069. Annealing: Milisav et al., "A
    simulated annealing algorithm for randomizing weighted networks", Nat. Comput. Sci. 5 (2025),
    doi:10.1038/s43588-024-00735-z.
    """
    edges, weights, n_nodes = weighted_edges(graph)
    rng, seed = seeded(seed)
    block = checked_blocks(blocks, n_nodes)
    attempts = checked_attempts(switches_per_edge, len(edges))
    if not 0 <= exchanges_per_edge < np.inf:
        raise InputError(f"exchanges_per_edge: {exchanges_per_edge}; give a number from 0 up")
    negative = weights < 0
    signed = bool(negative.any() and not negative.all())
    if connected and (signed or block.any()):
        raise InputError("connected: True; not with blocks or negative weights, so give False")
    made = {
        "step": "strength_preserving", "switches_per_edge": float(switches_per_edge),
        "exchanges_per_edge": float(exchanges_per_edge), **_kept(blocks, block),
        **({"connected": True} if connected else {}), "seed": seed,
    }  # fmt: skip
    start = labelled(edges, negative, block)
    if signed:
        walked = exchange(
            start.edges, n_nodes, attempts, rng,
            labels=start.labels, turns=start.turns, one_way=start.one_way,
        )  # fmt: skip
    else:
        walked = _switched(edges, n_nodes, block, switches_per_edge, connected, rng)
        # Labels are numbered alike before and after, and as many edges have each: edge i of the
        # new ones is one that has the label of edge i.
        new = np.empty_like(walked.edges)
        after = labelled(walked.edges, negative, block).labels
        by_label = np.argsort(start.labels, kind="stable")
        new[by_label] = walked.edges[np.argsort(after, kind="stable")]
        walked = walked._replace(edges=new)
        if len(edges) == n_nodes * (n_nodes - 1) // 2:
            walked = walked._replace(late_share=0.0 if _differ(weights, start.labels) else 1.0)
    before, after = (_places(each, block, negative) for each in (edges, walked.edges))
    n_blocks = int(block.max(initial=0)) + 1
    n_places = 2 * n_nodes * n_blocks
    sizes = np.abs(weights)
    target = _sums(before, sizes, n_places)
    origin = match_strengths(sizes, after, start.labels, target, exchanges_per_edge, rng)
    found = _sums(after, sizes[origin], n_places)
    shape = (n_nodes, n_blocks, 2)
    measured = _agreement(*(each.reshape(shape).sum(axis=1) for each in (target, found)))
    return placed_sample(n_nodes, walked, made, weights, origin, measured)


def shuffled_weights(
    graph: Graph,
    *,
    seed: Seed = None,
    blocks: npt.ArrayLike | None = None,
    keep_signs: bool = False,
) -> NullSample:
    """Draw a permutation of the weights among the edges, uniformly; the edges stay.

    Parameters
    ----------
    graph : Graph
        Weights may be negative; without weights, all count as 1.
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    blocks : array_like of int or str, shape (n_nodes,), optional
        A label for every node, such as ``g.layers``. Weights then stay between the two blocks
        where they are.
    keep_signs : bool, optional
        Whether positive and negative weights are permuted apart, so that signs stay.

    Returns
    -------
    NullSample
        With `weights`. `mixed` is False where nothing can change, because all weights that may
        change places are the same.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, some edges have a weight and others none, the
        seed is bad, or `blocks` has not one label per node.

    References
    ----------
    Opsahl et al., "Prominence and control: the weighted rich-club effect", Phys. Rev. Lett. 101
    (2008), doi:10.1103/PhysRevLett.101.168702.
    """
    edges, weights, n_nodes = weighted_edges(graph)
    rng, seed = seeded(seed)
    block = checked_blocks(blocks, n_nodes)
    signs = {"keep_signs": True} if keep_signs else {}
    made = {"step": "shuffled_weights", **_kept(blocks, block), **signs, "seed": seed}
    codes = (weights < 0) & keep_signs
    labels = labelled(edges, codes, block).labels
    places = np.argsort(labels, kind="stable")
    origin = np.empty(len(edges), dtype=np.int64)
    # Uniform numbers sort the edges of every label at random.
    origin[places] = np.lexsort((rng.random(len(edges)), labels))
    still = Walked(edges, 0, 0, 0.0 if _differ(weights, labels) else 1.0)
    return placed_sample(n_nodes, still, made, weights, origin, {})


def _kept(blocks: npt.ArrayLike | None, block: npt.NDArray[np.int64]) -> dict[str, int]:
    """What provenance says of blocks."""
    return {} if blocks is None else {"blocks": int(block.max(initial=-1)) + 1}


def _differ(weights: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> bool:
    """Whether two edges of one label have different weights."""
    order = np.lexsort((weights, labels))
    weights, labels = weights[order], labels[order]
    return bool(((weights[1:] != weights[:-1]) & (labels[1:] == labels[:-1])).any())


def _switched(
    edges: npt.NDArray[np.int32],
    n_nodes: int,
    block: npt.NDArray[np.int64],
    switches_per_edge: float,
    connected: bool,
    rng: np.random.Generator,
) -> Walked:
    """Switch edges whatever their weights, within blocks where there is more than one."""
    options = {"seed": rng, "switches_per_edge": switches_per_edge}
    if not block.any():
        graph = adjacency_from_edges(edges, n_nodes)
        sample = degree_preserving(graph, connected=connected, **options)  # type: ignore[arg-type]
        moved = sample.edges
    else:
        # As layers, which are ranges of nodes.
        order = np.argsort(block, kind="stable")
        layered = LayeredGraph(tuple(np.bincount(block)), np.argsort(order)[edges].astype(np.int32))
        sample = layer_blocks_with_degrees(layered, **options)  # type: ignore[arg-type]
        moved = order[sample.edges].astype(np.int32)
    return Walked(moved, sample.attempted, sample.accepted, 0.0 if sample.mixed else 1.0)


def _places(
    edges: npt.NDArray[np.integer], block: npt.NDArray[np.int64], negative: npt.NDArray[np.bool_]
) -> npt.NDArray[np.int64]:
    """To which sums each edge adds: of a node, over edges of one sign into one block."""
    n_blocks = int(block.max(initial=0)) + 1
    into = block[edges[:, ::-1]]
    return 2 * (edges.astype(np.int64) * n_blocks + into) + negative[:, None]


def _sums(
    places: npt.NDArray[np.int64], sizes: npt.NDArray[np.float64], n_places: int
) -> npt.NDArray[np.float64]:
    return np.bincount(places.ravel(), np.repeat(sizes, 2), minlength=n_places).astype(np.float64)


def _agreement(target: npt.NDArray[np.float64], found: npt.NDArray[np.float64]) -> dict[str, float]:
    """Compare strengths, shape (n_nodes, 2): positive ones, and sizes of negative ones."""
    negative = bool(target[:, 1].any())
    names = ("strength_correlation", "negative_strength_correlation")
    measured = {}
    for sign, name in enumerate(names[: 1 + negative]):
        pair = target[:, sign], found[:, sign]
        spread = all(len(each) and np.ptp(each) > 0 for each in pair)
        measured[name] = float(np.corrcoef(*pair)[0, 1]) if spread else float("nan")
    total = target.sum()
    error = float(np.abs(found - target).sum() / total) if total else float("nan")
    return {**measured, "strength_error": error}
