"""Graphs drawn from a null model, and how they were drawn."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import adjacency_from_edges
from smallworld_eqprop.graphs.core.edges import canonical_edges, edge_keys, edge_order, read_only
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.nulls.switching import Walked

__all__ = [
    "LATE_SHARE",
    "NullSample",
    "checked_attempts",
    "drawn_sample",
    "placed_sample",
    "walked_sample",
]

# A walk is taken as mixed when this few of the switched edges were first switched in its second
# half; it takes three accepted switches an edge when all edges are alike.
LATE_SHARE = 0.05


@dataclass(frozen=True, eq=False)
class NullSample:
    """One graph drawn from a null model.

    Attributes
    ----------
    n_nodes : int
    edges : ndarray of int32, shape (n_edges, 2)
        u < v, sorted, read-only. See `applied_to` for the sample as a layered graph.
    attempted, accepted : int
        Switches attempted and made; 0 where edges are drawn directly. In dense graphs: the
        largest number of switches that the curveball trades could make, and those they made.
    mixed : bool
        Whether the sample forgot the graph it started from. Drawn directly: always. By switches:
        at most 5 % of the edges ever switched were first switched in the second half of the
        attempts. A graph that admits no switch at all is not mixed. For
        `degree_preserving_lattice`: whether it settled, see there.
    made : dict
        Null model and arguments, as a provenance step; the seed is None for a generator.
    weights : ndarray of float64, shape (n_edges,), or None
        Weights of the edges, where the null model places weights.
    origin : ndarray of int, shape (n_edges,), or None
        Where the null model places weights: which edge of the graph each weight was on. All data
        of an edge go where its weight goes.
    measured : dict of str to float
        Report of the null model on the sample, such as the deviation of the strengths.
    """

    n_nodes: int
    edges: npt.NDArray[np.int32]
    attempted: int
    accepted: int
    mixed: bool
    made: dict[str, Any] = field(default_factory=dict)
    weights: npt.NDArray[np.float64] | None = None
    origin: npt.NDArray[np.int64] | None = None
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def seed(self) -> int | None:
        """The seed that makes the sample again, drawn if none was given; None for a generator."""
        return self.made.get("seed")

    def applied_to(self, g: LayeredGraph, step: Mapping[str, Any] | None = None) -> LayeredGraph:
        """Give the graph with the edges of the sample, and how they were made in its provenance.

        Nodes keep their data. Where the null model places weights, every edge has the data of the
        edge whose weight it has. Otherwise an edge between two nodes that were joined before keeps
        its data, and all others have no values.

        Parameters
        ----------
        g : LayeredGraph
            The graph from which the sample was drawn.
        step : mapping, optional
            What its provenance is to say instead.

        Raises
        ------
        InputError
            If it has another number of nodes.
        """
        if g.n_nodes != self.n_nodes:
            raise InputError(f"graph: {g.n_nodes} nodes; the sample has {self.n_nodes}")
        if step is None:
            found = {name: value for name, value in self.measured.items() if math.isfinite(value)}
            walked = {"attempted": self.attempted, "accepted": self.accepted, "mixed": self.mixed}
            step = {**self.made, **walked, **found}
        if self.origin is None:
            return g.replace_edges(self.edges, step)
        return g.move_edges(self.origin, edge_keys(self.edges, self.n_nodes), step)

    def adjacency(self, *, weighted: bool = False) -> sparse.csr_array:
        """Give the adjacency matrix; shape (n_nodes, n_nodes).

        Parameters
        ----------
        weighted : bool, optional
            Whether the entries are the weights, ones where the sample has none; True otherwise.
        """
        values = None
        if weighted:
            values = np.ones(len(self.edges)) if self.weights is None else self.weights
        return adjacency_from_edges(self.edges, self.n_nodes, values)


def drawn_sample(n_nodes: int, pairs: npt.NDArray[np.integer], made: dict[str, Any]) -> NullSample:
    """Give the sample of edges that were drawn directly."""
    return NullSample(n_nodes, canonical_edges(pairs, n_nodes), 0, 0, True, made)


def walked_sample(n_nodes: int, walked: Walked, made: dict[str, Any]) -> NullSample:
    """Give the sample at the end of a walk, and whether the walk was long enough."""
    edges = canonical_edges(walked.edges, n_nodes)
    mixed = walked.late_share <= LATE_SHARE
    return NullSample(n_nodes, edges, walked.attempted, walked.accepted, mixed, made)


def placed_sample(
    n_nodes: int,
    walked: Walked,
    made: dict[str, Any],
    weights: npt.NDArray[np.float64],
    origin: npt.NDArray[np.int64],
    measured: dict[str, float],
) -> NullSample:
    """Give the sample of edges of which each has the weight of one edge of the graph.

    Parameters
    ----------
    n_nodes : int
    walked : Walked
    made : dict
    weights : ndarray of float64, shape (n_edges,)
        Of the graph.
    origin : ndarray of int, shape (n_edges,)
        Which of the weights each edge of `walked` has.
    measured : dict of str to float
    """
    order = edge_order(walked.edges, n_nodes)
    origin = read_only(origin.copy() if order is None else origin[order])
    return NullSample(
        n_nodes, canonical_edges(walked.edges, n_nodes), walked.attempted, walked.accepted,
        walked.late_share <= LATE_SHARE, made, read_only(weights[origin]), origin, measured,
    )  # fmt: skip


def checked_attempts(switches_per_edge: float, n_edges: int) -> int:
    """Give the number of attempts; a negative or infinite `switches_per_edge` is an InputError."""
    if not 0 <= switches_per_edge < np.inf:
        raise InputError(f"switches_per_edge: {switches_per_edge}; give a number from 0 up")
    return round(switches_per_edge * n_edges)
