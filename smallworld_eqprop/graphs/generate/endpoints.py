"""Rewiring by the ends of edges: one end moved as Watts and Strogatz do, or two edges exchanging.

Neither makes a new edge between two inputs or two outputs. A moved edge takes its data along.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.arguments import Seed, checked_share, seeded
from smallworld_eqprop.graphs.core.edges import edge_keys
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.places import FreePlaces

__all__ = ["rewire_ends", "rewire_keeping_degrees"]

# Rounds in which edges look for a partner to exchange ends with, and draws made in one round of
# looking for places: many when few edges still look, so that near saturation few rounds are left.
_ROUNDS = 100
_DRAWS = 4_000
# Up to this many node pairs, taken places are kept as a bitmap of one byte each.
_BITMAP = 100_000_000


def rewire_ends(
    g: LayeredGraph, p: float, *, seed: Seed = None, across_layers: bool = False
) -> LayeredGraph:
    """Move one end of an edge with probability p, as Watts and Strogatz do.

    An edge that is drawn keeps one end, by a fair coin; the other end goes to a node drawn
    uniformly among those not joined to the kept end. Places that edges of the graph hold at the
    start stay blocked; an edge that finds no free place stays where it is.

    Keeps the number of edges; without `across_layers` also that of every pair of layers.

    Parameters
    ----------
    g : LayeredGraph
    p : float
        Probability in [0, 1].
    seed : int or numpy.random.Generator, optional
        Without one, a seed is drawn, and recorded in the provenance.
    across_layers : bool
        False: the moved end stays in its layer. True: it may go to any layer.

    Returns
    -------
    LayeredGraph
        Its last provenance step counts the edges that moved, as ``moved``.

    Raises
    ------
    InputError
        If p is not in [0, 1], or edges would move but no edge has a free place to move an end to,
        as in completely connected layers that are not crossed.

    References
    ----------
    Watts and Strogatz, "Collective dynamics of 'small-world' networks", Nature 393:440 (1998),
    doi:10.1038/30918.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> rewire_ends(layered((4, 3, 3, 2)), 0.5, seed=0, across_layers=True).n_edges
    27
    """
    p = checked_share("p", p)
    rng, recorded = seeded(seed)
    chosen = np.flatnonzero(rng.random(g.n_edges) < p)
    side = rng.integers(2, size=chosen.size)
    kept, moved = g.edges[chosen, side], g.edges[chosen, 1 - side]
    free = _free_neighbours(g)
    group = g.layers
    offsets = g.layer_offsets
    if across_layers:
        free, group = free.sum(axis=1, keepdims=True), np.zeros_like(group)
        offsets = np.array([0, g.n_nodes])
    u, v = g.edges.T
    if chosen.size and not (free[u, group[v]].any() or free[v, group[u]].any()):
        other = "a graph with fewer edges" if across_layers else "across_layers=True"
        raise InputError(
            f"p: {p:.4g}; no edge of the graph {_sizes(g)} has a free place to move an end to; "
            f"give p = 0 or {other}"
        )
    taken = _Taken(g)
    new = np.full(chosen.size, -1, dtype=np.int64)
    pending = np.arange(chosen.size)
    while (pending := pending[free[kept[pending], group[moved[pending]]] > 0]).size:
        drawn = np.tile(pending, max(1, _DRAWS // pending.size))
        u = kept[drawn]
        in_group = group[moved[drawn]]
        v = rng.integers(offsets[in_group], offsets[in_group + 1])
        keys = edge_keys(np.sort(np.column_stack((u, v)), axis=1), g.n_nodes)
        possible = np.flatnonzero(_allowed(g, u, v) & taken.free(keys))
        accepted = possible[np.unique(drawn[possible], return_index=True)[1]]
        taken.add(keys[accepted])
        new[drawn[accepted]] = keys[accepted]
        np.subtract.at(free, (u[accepted], group[v[accepted]]), 1)
        np.subtract.at(free, (v[accepted], group[u[accepted]]), 1)
        pending = pending[new[pending] < 0]
    step = {"step": "rewire_ends", "p": p, "across_layers": across_layers, "seed": recorded}
    return _with_moved(g, chosen, new, step)


def rewire_keeping_degrees(g: LayeredGraph, p: float, *, seed: Seed = None) -> LayeredGraph:
    """Draw edges with probability p and let pairs of them exchange ends.

    Two edges a-b and c-d become a-c and b-d, or a-d and b-c, at places that no edge held before.
    Edges that find no partner in a hundred rounds stay where they are; provenance counts those
    that moved.

    Keeps the degree of every node, and so the number of edges: the degree-matched counterpart of
    `smallworld_eqprop.rewire`. It makes no claim to sample uniformly; null
    models do that.

    Parameters
    ----------
    g : LayeredGraph
    p : float
        Probability in [0, 1].
    seed : int or numpy.random.Generator, optional
        Without one, a seed is drawn, and recorded in the provenance.

    Returns
    -------
    LayeredGraph
        Its last provenance step counts the edges that moved, as ``moved``.

    Raises
    ------
    InputError
        If p is not in [0, 1], or edges would move but every place in the graph is taken.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> rewire_keeping_degrees(layered((4, 3, 3, 2)), 0.5, seed=0).n_edges
    27
    """
    p = checked_share("p", p)
    rng, recorded = seeded(seed)
    chosen = np.flatnonzero(rng.random(g.n_edges) < p)
    if chosen.size and not FreePlaces(g, "any").count:
        raise InputError(
            f"p: {p:.4g}; the graph {_sizes(g)} has no free place to exchange ends of edges; give "
            "p = 0 or a graph with fewer edges"
        )
    taken = _Taken(g)
    new = np.full(chosen.size, -1, dtype=np.int64)
    pending = np.arange(chosen.size)
    for _ in range(_ROUNDS):
        if pending.size < 2:
            break
        pending = rng.permutation(pending)
        first, second, odd = np.split(pending, [pending.size // 2, pending.size // 2 * 2])
        ends = g.edges[chosen[second]]
        flipped = rng.random(second.size) < 0.5
        ends[flipped] = ends[flipped][:, ::-1]
        u, v = g.edges[chosen[first]].ravel(), ends.ravel()
        keys = edge_keys(np.sort(np.column_stack((u, v)), axis=1), g.n_nodes)
        # Both new edges of a pair must be possible.
        accepted = (_allowed(g, u, v) & taken.free(keys)).reshape(-1, 2).all(axis=1)
        keys = keys.reshape(-1, 2)[accepted]
        taken.add(keys.ravel())
        new[first[accepted]], new[second[accepted]] = keys.T
        pending = np.concatenate((first[~accepted], second[~accepted], odd))
    step = {"step": "rewire_keeping_degrees", "p": p, "seed": recorded}
    return _with_moved(g, chosen, new, step)


class _Taken:
    """Places that edges hold or held, by key: a bitmap for small graphs, else sorted keys."""

    def __init__(self, g: LayeredGraph) -> None:
        self._keys = edge_keys(g.edges, g.n_nodes)
        self._bitmap = None
        if g.n_nodes**2 <= _BITMAP:
            self._bitmap = np.zeros(g.n_nodes**2, dtype=bool)
            self._bitmap[self._keys] = True

    def free(self, keys: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Mask of the keys not taken, the first of equal ones only."""
        mask = np.zeros(keys.size, dtype=bool)
        mask[np.unique(keys, return_index=True)[1]] = True
        if self._bitmap is not None:
            return mask & ~self._bitmap[keys]
        at = np.minimum(np.searchsorted(self._keys, keys), self._keys.size - 1)
        return mask & (self._keys[at] != keys)

    def add(self, keys: npt.NDArray[np.int64]) -> None:
        if self._bitmap is not None:
            self._bitmap[keys] = True
        else:
            keys = np.sort(keys)
            self._keys = np.insert(self._keys, np.searchsorted(self._keys, keys), keys)


def _sizes(g: LayeredGraph) -> str:
    return "-".join(map(str, g.layer_sizes))


def _allowed(
    g: LayeredGraph, u: npt.NDArray[np.integer], v: npt.NDArray[np.integer]
) -> npt.NDArray[np.bool_]:
    same = g.layers[u] == g.layers[v]
    at_an_end = (g.layers[u] == 0) | (g.layers[u] == g.n_layers - 1)
    return (u != v) & ~(same & at_an_end)


def _free_neighbours(g: LayeredGraph) -> npt.NDArray[np.int64]:
    """How many nodes of every layer a node could still be joined to; (n_nodes, n_layers)."""
    shape = (g.n_nodes, g.n_layers)
    free = np.tile(np.array(g.layer_sizes), (g.n_nodes, 1))
    free[np.arange(g.n_nodes), g.layers] -= 1
    for u, v in (g.edges.T, g.edges.T[::-1]):
        free -= np.bincount(u * shape[1] + g.layers[v], minlength=free.size).reshape(shape)
    free[g.layer_slice(0), 0] = 0
    free[g.layer_slice(-1), -1] = 0
    return free


def _with_moved(
    g: LayeredGraph,
    chosen: npt.NDArray[np.int64],
    new: npt.NDArray[np.int64],
    step: dict[str, Any],
) -> LayeredGraph:
    moved = new >= 0
    return g.move_edges(chosen[moved], new[moved], {**step, "moved": int(moved.sum())})
