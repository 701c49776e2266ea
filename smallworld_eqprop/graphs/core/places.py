"""Node pairs that an edge may take, numbered so that free ones are drawn without listing them."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["FreePlaces", "PlaceKind"]

PlaceKind = Literal["skip", "input", "hidden", "output", "short", "hub", "any"]

# Hubs are one node in so many of the last hidden layer.
HUBS = 5


class FreePlaces:
    """The free places of one kind in a graph, numbered from 0 to `count` - 1.

    A place is a node pair u < v. For a given u the places of a kind are one run of consecutive v,
    so a place has a rank by arithmetic alone, and the k-th free one follows from the sorted ranks
    of the occupied ones. Memory is proportional to nodes and edges, never to node pairs.

    Parameters
    ----------
    g : LayeredGraph
    kind : {"skip", "input", "hidden", "output", "short", "hub", "any"}
        ``"skip"``: at least two layers apart; ``"input"``, ``"output"``: those of them with an
        end in the input or output layer; ``"hidden"``: those with both ends in hidden layers;
        ``"short"``: those two layers apart; ``"hub"``: those that lead from a layer before to one
        of a few hubs, the first fifth of the last hidden layer; ``"any"``: every pair but those
        inside the input layer and inside the output layer.

    Raises
    ------
    InputError
        If there is no such kind.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> FreePlaces(layered((2, 1, 3))).count
    6
    """

    def __init__(self, g: LayeredGraph, kind: PlaceKind = "skip") -> None:
        self._n_nodes, self._layers = g.n_nodes, g.layers
        self._first, self._last = _runs(g, kind)
        self._starts = np.concatenate(([0], np.cumsum(self._last - self._first)))
        u, v = g.edges.T
        inside = (v >= self._first[u]) & (v < self._last[u])
        u, v = u[inside], v[inside]
        # Edges are sorted, so their ranks are; minus their position: free places before each.
        taken = self._starts[u] + v - self._first[u]
        self._free_before = taken - np.arange(len(taken))
        self.count = int(self._starts[-1]) - len(taken)

    @property
    def layer_pairs(self) -> list[tuple[int, int]]:
        """Pairs of layers between which places of this kind lie, free or not; sorted."""
        ends = np.flatnonzero(self._last > self._first)
        runs = zip(ends, self._first[ends], self._last[ends] - 1, strict=True)
        spans = {tuple(self._layers[list(each)].tolist()) for each in runs}
        return sorted({(a, b) for a, low, high in spans for b in range(low, high + 1)})

    def keys(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Edge keys ``u * n_nodes + v`` of the free places with these numbers."""
        ranks = numbers + np.searchsorted(self._free_before, numbers, side="right")
        u = np.searchsorted(self._starts, ranks, side="right") - 1
        return u * self._n_nodes + self._first[u] + ranks - self._starts[u]


def _runs(g: LayeredGraph, kind: PlaceKind) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For every node u, the run of nodes v > u, from first up to but not including last."""
    nodes = np.arange(g.n_nodes, dtype=np.int64)
    outputs, end = g.layer_offsets[-2:]
    if kind == "any":
        first = np.maximum(nodes + 1, g.layer_offsets[1])
        return np.where(nodes < outputs, first, end), np.full_like(nodes, end)
    first = g.layer_offsets[np.minimum(g.layers + 2, g.n_layers)]
    last = np.full_like(nodes, end)
    if kind == "input":
        last[g.layers > 0] = 0
    elif kind == "output":
        first = np.maximum(first, outputs)
    elif kind == "hidden":
        last[:] = outputs
        last[g.layers == 0] = 0
    elif kind == "short":
        last = g.layer_offsets[np.minimum(g.layers + 3, g.n_layers)]
    elif kind == "hub":
        hubs = g.layer_offsets[-3]
        first = np.maximum(first, hubs)
        last[:] = hubs - (-g.layer_sizes[-2] // HUBS)
    elif kind != "skip":
        raise InputError(f"places: {kind!r}; {nearest(kind, get_args(PlaceKind))}")
    return first, np.maximum(first, last)
