"""Null models of directed graphs: in- and out-degrees stay, and the reciprocal arcs of a node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.graphs.core.arcs import DirectedGraph, arcs_of
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.edges import places_of, read_only
from smallworld_eqprop.graphs.nulls.exchanges import exchange
from smallworld_eqprop.graphs.nulls.labels import checked_blocks, labelled
from smallworld_eqprop.graphs.nulls.samples import LATE_SHARE, checked_attempts
from smallworld_eqprop.graphs.nulls.switching import Walked

__all__ = ["DirectedNullSample", "directed_degree_preserving", "reciprocity_preserving"]


@dataclass(frozen=True, eq=False)
class DirectedNullSample:
    """One directed graph drawn from a null model.

    Attributes
    ----------
    n_nodes : int
    arcs : ndarray of int32, shape (n_arcs, 2)
        From the first node to the second; sorted, read-only.
    weights : ndarray of float64, shape (n_arcs,)
        Weights of the arcs; ones where the graph has none.
    attempted, accepted, mixed, made
        As those of `NullSample`.
    """

    n_nodes: int
    arcs: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float64]
    attempted: int
    accepted: int
    mixed: bool
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def seed(self) -> int | None:
        """The seed that makes the sample again, drawn if none was given; None for a generator."""
        return self.made.get("seed")

    def adjacency(self, *, weighted: bool = False) -> sparse.csr_array:
        """Give the adjacency matrix, from rows to columns; shape (n_nodes, n_nodes).

        Parameters
        ----------
        weighted : bool, optional
            Whether the entries are the weights; True otherwise.
        """
        values = self.weights if weighted else np.ones(len(self.arcs), dtype=np.bool_)
        ends = (self.arcs[:, 0], self.arcs[:, 1])
        matrix = sparse.coo_array((values, ends), shape=(self.n_nodes, self.n_nodes)).tocsr()
        matrix.sort_indices()
        return matrix


def directed_degree_preserving(
    graph: DirectedGraph,
    *,
    seed: Seed = None,
    switches_per_edge: float = 10.0,
    blocks: npt.ArrayLike | None = None,
) -> DirectedNullSample:
    """Draw among the directed graphs in which every node has the in- and out-degree it has here.

    A walk of random switches (a to b, c to d become a to d, c to b). In one attempt in ten, three
    arcs exchange their ends in a circle, without which some graphs cannot be reached. Positive and
    negative arcs are switched apart, so that every node keeps how many of either kind go in and
    out; they change places where both pairs of nodes are joined already. An arc takes its weight
    along and keeps the node where it begins, so the sums of the weights that go out are kept.
    The stationary law is uniform, with signs among the graphs that such switches reach.

    Parameters
    ----------
    graph : DirectedGraph
        A networkx.DiGraph, a directed igraph.Graph or a matrix, from rows to columns. Weights may
        be negative.
    seed : int or numpy.random.Generator, optional
        Without one, the draws differ from call to call.
    switches_per_edge : float, optional
        Switches attempted, per arc.
    blocks : array_like of int or str, shape (n_nodes,), optional
        A label for every node. Every node then keeps its degrees from and into every block.

    Returns
    -------
    DirectedNullSample

    Raises
    ------
    InputError
        If the graph has self-loops or parallel arcs, some arcs have a weight and others none, the
        seed or `switches_per_edge` is bad, or `blocks` has not one label per node.

    References
    ----------
    Rao, Jana and Bandyopadhyay, "A Markov chain Monte Carlo method for generating random
    (0,1)-matrices with given marginals", Sankhya A 58 (1996), https://www.jstor.org/stable/25051102;
    Erdős, Miklós and Toroczkai, "A simple Havel-Hakimi type algorithm to realize graphical degree
    sequences of directed graphs", Electron. J. Combin. 17 (2010), doi:10.37236/338. Weights:
    Rubinov and Sporns, "Complex network measures of brain connectivity", NeuroImage 52 (2010),
    doi:10.1016/j.neuroimage.2009.10.003.
    """
    arcs, weights, n_nodes = _arcs(graph)
    rng, seed = seeded(seed)
    block = checked_blocks(blocks, n_nodes)
    attempts = checked_attempts(switches_per_edge, len(arcs))
    start = labelled(arcs, weights < 0, block, np.ones(len(arcs), dtype=np.bool_))
    walked = exchange(
        start.edges, n_nodes, attempts, rng,
        labels=start.labels, turns=start.turns, one_way=start.one_way, arcs=True,
    )  # fmt: skip
    made = _made("directed_degree_preserving", switches_per_edge, blocks, block, seed)
    return _sample(n_nodes, walked.edges, weights, walked, made)


def reciprocity_preserving(
    graph: DirectedGraph,
    *,
    seed: Seed = None,
    switches_per_edge: float = 10.0,
    blocks: npt.ArrayLike | None = None,
) -> DirectedNullSample:
    """Draw among the directed graphs in which every node also keeps its reciprocated arcs.

    Every node keeps three numbers: of arcs that go out and are not answered, of arcs that come in
    and are not answered, and of neighbours to which arcs go both ways. So in- and out-degrees
    and the number of reciprocal arcs stay. A walk as in `directed_degree_preserving` switches
    single arcs apart from pairs of opposite arcs; they change places where both places are taken.
    Every node keeps how many of its arcs are positive and negative, in each of the three kinds.
    A single arc takes its weight along and keeps the node where it begins; a pair of opposite arcs
    takes both weights along and keeps one end. The law is uniform among the graphs that such
    switches reach.

    Parameters
    ----------
    graph, seed, switches_per_edge, blocks
        As in `directed_degree_preserving`; `switches_per_edge` counts a pair of opposite arcs once.

    Returns
    -------
    DirectedNullSample

    Raises
    ------
    InputError
        As in `directed_degree_preserving`.

    References
    ----------
    Milo et al., "Network motifs: simple building blocks of complex networks", Science 298 (2002),
    doi:10.1126/science.298.5594.824; Squartini and Garlaschelli, "Analytical maximum-likelihood
    method to detect patterns in real networks", New J. Phys. 13 (2011),
    doi:10.1088/1367-2630/13/8/083001.
    """
    arcs, forth, n_nodes = _arcs(graph)
    rng, seed = seeded(seed)
    block = checked_blocks(blocks, n_nodes)
    keys = arcs[:, 0] * n_nodes + arcs[:, 1]
    answer = places_of(arcs[:, 1] * n_nodes + arcs[:, 0], keys)
    # Every pair of nodes once: single arcs, and pairs of opposite arcs with both weights.
    once = (answer < 0) | (arcs[:, 0] < arcs[:, 1])
    arcs, back, pairs = arcs[once], forth[answer[once]], answer[once] >= 0
    forth = forth[once]
    # A pair whose signs differ has a direction, from the end where the positive arc begins.
    mixed = pairs & ((forth < 0) != (back < 0))
    flipped = mixed & (forth < 0)
    codes = np.where(mixed, 4, 2 * pairs + (forth < 0))
    arcs = np.where(flipped[:, None], arcs[:, ::-1], arcs)
    start = labelled(arcs, codes, block, ~pairs | mixed)
    turned = flipped | start.swapped
    forth, back = np.where(turned, back, forth), np.where(turned, forth, back)
    attempts = checked_attempts(switches_per_edge, len(arcs))
    walked = exchange(
        start.edges, n_nodes, attempts, rng,
        labels=start.labels, turns=start.turns, one_way=start.one_way,
    )  # fmt: skip
    made = _made("reciprocity_preserving", switches_per_edge, blocks, block, seed)
    both = np.concatenate((walked.edges, walked.edges[pairs][:, ::-1]))
    return _sample(n_nodes, both, np.concatenate((forth, back[pairs])), walked, made)


def _arcs(graph: DirectedGraph) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64], int]:
    """Give the arcs, sorted, their weights and the number of nodes."""
    matrix = arcs_of(graph, weighted=True)
    rows = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    return np.column_stack((rows, matrix.indices)).astype(np.int64), matrix.data, matrix.shape[0]


def _made(
    step: str,
    switches_per_edge: float,
    blocks: npt.ArrayLike | None,
    block: npt.NDArray[np.int64],
    seed: int | None,
) -> dict[str, Any]:
    kept = {} if blocks is None else {"blocks": int(block.max(initial=-1)) + 1}
    return {"step": step, "switches_per_edge": float(switches_per_edge), **kept, "seed": seed}


def _sample(
    n_nodes: int,
    arcs: npt.NDArray[np.int32],
    weights: npt.NDArray[np.float64],
    walked: Walked,
    made: dict[str, Any],
) -> DirectedNullSample:
    order = np.lexsort((arcs[:, 1], arcs[:, 0]))
    mixed = walked.late_share <= LATE_SHARE
    return DirectedNullSample(
        n_nodes, read_only(arcs[order]), read_only(weights[order]),
        walked.attempted, walked.accepted, mixed, made,
    )  # fmt: skip
