"""Moving connections to layer-skipping places: the published law and the preprint's."""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.arguments import Seed, checked_count, checked_share, seeded
from smallworld_eqprop.graphs.core.edges import edge_keys
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.places import FreePlaces, PlaceKind

__all__ = ["RewiringLaw", "difference", "moves_for", "rewire"]

RewiringLaw = Literal["edges", "moves"]


def rewire(
    g: LayeredGraph,
    p: float | None = None,
    *,
    seed: Seed = None,
    law: RewiringLaw | None = None,
    moves: int | None = None,
    places: PlaceKind = "skip",
) -> LayeredGraph:
    r"""Move connections to free layer-skipping places.

    Law ``"edges"`` (published 2021): every original edge is visited once, in the order of
    ``g.edges``, and moved with probability p. Law ``"moves"`` (the preprint): n times, an edge is
    drawn uniformly among the present ones and moved, and

    .. math:: p = 1 - (1 - 1/E)^n.

    Under both, the new place is drawn uniformly among the free places, and the vacated place
    becomes free, whatever its kind, so a later edge can move there. The number of edges E is
    conserved and the graph stays simple. A moved edge takes its data along.

    Parameters
    ----------
    g : LayeredGraph
    p : float, optional
        Probability in [0, 1] that an edge is moved; the law ``"moves"`` turns it into a number
        of moves by `moves_for`. Give either `p` or `moves`.
    seed : int or numpy.random.Generator, optional
        Without one, a seed is drawn, and recorded in the provenance.
    law : {"edges", "moves"}, optional
        ``"moves"`` if `moves` is given, else ``"edges"``.
    moves : int, optional
        Number n of moves, at most the number of free places.
    places : {"skip", "input", "hidden", "output", "short", "hub", "any"}
        The places that are free to begin with: layer-skipping ones; of these the ones with an
        end among the inputs, with both ends hidden, with an end among the outputs, over one layer
        only, or to a few hubs, the first fifth of the last hidden layer; or any pair not inside
        the input or output layer.

    Returns
    -------
    LayeredGraph
        Its last provenance step holds law, p, moves, places, seed (None for a generator) and
        ``moved``, the number of edges that were moved at least once.

    Raises
    ------
    InputError
        If p is not in [0, 1], there are more moves than free places, edges would move but no
        place is free, or the arguments contradict each other.

    Notes
    -----
    Both laws are runs of swaps between E edge slots and S free slots: step t swaps the contents
    of edge slot i_t and free slot j_t. What a slot holds is the last value written to it, so the
    outcome follows by tracing every moved edge back through the previous writes of the slots on
    its way, which one stable sort per side gives for all steps at once.

    References
    ----------
    Gammell, Buckley, Nam and McCaughan, "Layer-skipping connections improve the effectiveness of
    equilibrium propagation on layered networks", Front. Comput. Neurosci. 15:627357 (2021),
    doi:10.3389/fncom.2021.627357.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> rewire(layered((4, 3, 3, 2)), 0.1, seed=0).n_edges
    27
    """
    law = _checked_law(law, p, moves)
    free = FreePlaces(g, places)
    rng, recorded_seed = seeded(seed)
    n_edges = g.n_edges
    if law == "edges":
        p = checked_share("p", p)
        edge_slots = np.flatnonzero(rng.random(n_edges) < p)
    else:
        if p is None:
            moves = checked_count("moves", moves, free.count, "the number of free places")
        else:
            moves = moves_for(p, n_edges)
        p = -math.expm1(moves * math.log1p(-1 / n_edges)) if n_edges > 1 else float(moves > 0)
        if moves and not n_edges:
            raise InputError(f"moves: {moves}; the graph has no edge to move")
        edge_slots = rng.integers(n_edges, size=moves) if moves else np.empty(0, dtype=np.int64)
    if edge_slots.size and not free.count:
        raise InputError(
            f"p: {p:.4g}; the graph {_sizes(g)} has no free place of kind {places!r} to move an "
            "edge to; give p = 0 or a graph with more layers"
        )
    free_slots = rng.integers(free.count, size=edge_slots.size) if edge_slots.size else edge_slots
    keys = edge_keys(g.edges, g.n_nodes)
    moved, new_keys = _swap(keys, free, edge_slots, free_slots)
    step = {
        "step": "rewire",
        "law": law,
        "p": p,
        "moves": int(edge_slots.size),
        "places": places,
        "seed": recorded_seed,
        "moved": int(moved.size),
    }
    return g.move_edges(moved, new_keys, step)


def moves_for(p: float, n_edges: int) -> int:
    r"""Count the moves after which an edge has been moved with probability p.

    The nearest whole number to :math:`n = \log(1 - p) / \log(1 - 1/E)`.

    Parameters
    ----------
    p : float
        Probability in [0, 1).
    n_edges : int
        Number of edges E.

    Returns
    -------
    int

    Raises
    ------
    InputError
        If p is not in [0, 1); p = 1 would take infinitely many moves.

    Examples
    --------
    >>> round(moves_for(0.0756, 1_271_250), -3)
    100000
    """
    if checked_share("p", p) == 1:
        raise InputError(
            "p: 1; the law 'moves' cannot move all edges; give p below 1, or law='edges'"
        )
    if n_edges < 2:
        return int(p > 0 and n_edges > 0)
    return round(math.log1p(-p) / math.log1p(-1 / n_edges))


def difference(
    before: LayeredGraph, after: LayeredGraph
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    r"""Edges that were removed and edges that were added.

    :math:`E_{before} \setminus E_{after}` and :math:`E_{after} \setminus E_{before}`.

    Parameters
    ----------
    before, after : LayeredGraph
        Graphs on the same layers.

    Returns
    -------
    removed, added : ndarray of int32, shape (n, 2)
        Sorted, u < v.

    Raises
    ------
    InputError
        If the layers differ.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
    >>> g = layered((1, 2, 1))
    >>> difference(g, add_intralayer(g))[1].tolist()
    [[1, 2]]
    """
    if before.layer_sizes != after.layer_sizes:
        raise InputError(f"layers: {_sizes(before)} and {_sizes(after)}; compare equal layers")
    old, new = (edge_keys(g.edges, g.n_nodes) for g in (before, after))
    removed = before.edges[~np.isin(old, new, assume_unique=True)]
    added = after.edges[~np.isin(new, old, assume_unique=True)]
    return removed, added


def _swap(
    keys: npt.NDArray[np.int64],
    free: FreePlaces,
    edge_slots: npt.NDArray[np.int64],
    free_slots: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Swap edge and free slots step by step; give the edges moved and the keys they end with."""
    previous_on_edge, last = _previous_write(edge_slots)
    previous_on_free, _ = _previous_write(free_slots)
    result = np.empty(last.size, dtype=np.int64)
    # The value that step t puts on an edge was put on the free slot by an earlier step s, or was
    # there from the start; what s put there came off its edge, where an earlier step r put it.
    pending, step = np.arange(last.size), last
    while pending.size:
        source = previous_on_free[step]
        untouched = source < 0
        result[pending[untouched]] = free.keys(free_slots[step[untouched]])
        pending, source = pending[~untouched], source[~untouched]
        step = previous_on_edge[source]
        original = step < 0
        result[pending[original]] = keys[edge_slots[source[original]]]
        pending, step = pending[~original], step[~original]
    return edge_slots[last], result


def _previous_write(
    slots: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For every step the last earlier step on its slot (-1: none), and every slot's last step."""
    order = np.argsort(slots, kind="stable")
    again = slots[order[1:]] == slots[order[:-1]]
    previous = np.full(slots.size, -1, dtype=np.int64)
    previous[order[1:][again]] = order[:-1][again]
    last = order[np.concatenate((~again, [True]))] if slots.size else order
    return previous, last


def _checked_law(law: str | None, p: float | None, moves: int | None) -> RewiringLaw:
    if (p is None) == (moves is None):
        raise InputError(f"p: {p}, moves: {moves}; give one of the two")
    if law is None:
        return "edges" if moves is None else "moves"
    if law not in get_args(RewiringLaw):
        raise InputError(f"law: {law!r}; {nearest(law, get_args(RewiringLaw))}")
    if law == "edges" and moves is not None:
        raise InputError(f"moves: {moves}; the law 'edges' takes p; give p or law='moves'")
    return "moves" if law == "moves" else "edges"


def _sizes(g: LayeredGraph) -> str:
    return "-".join(map(str, g.layer_sizes))
