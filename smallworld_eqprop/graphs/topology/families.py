"""Topologies that are made: layered networks, and what moves, adds and removes edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.arguments import checked_share
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.places import PlaceKind
from smallworld_eqprop.graphs.generate.endpoints import rewire_ends, rewire_keeping_degrees
from smallworld_eqprop.graphs.generate.families import add_rings, add_skips, random_like, thin
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.graphs.topology.base import Topology
from smallworld_eqprop.parts import Natural, Positive

__all__ = [
    "AddSkips",
    "Layered",
    "RandomLike",
    "Rewire",
    "RewireEnds",
    "RewireKeepingDegrees",
    "Thin",
]

# Stream of random numbers of the topology, apart from the trainer's streams of the same seed.
REWIRING = 0


@dataclass(frozen=True)
class Layered(Topology):
    """A layered network: adjacent layers are connected completely.

    Attributes
    ----------
    layer_sizes : tuple of int
        Nodes of every layer, from the inputs to the outputs.
    intralayer : bool
        Connect every hidden layer fully inside.
    neighbours : int
        Number of neighbours on a ring to which every node of a hidden layer is connected, see
        `add_rings`.
    """

    layer_sizes: tuple[Positive, ...] = (784, 500, 500, 500, 10)
    intralayer: bool = False
    neighbours: Natural = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "layer_sizes", tuple(self.layer_sizes))
        if len(self.layer_sizes) < 2 or min(self.layer_sizes) < 1:
            raise InputError(
                f"layer_sizes: {list(self.layer_sizes)}; give at least two layers of at least one "
                "node"
            )

    def build(self, seed: int) -> LayeredGraph:
        """The layered network, changed as the kind says."""
        graph = layered(self.layer_sizes)
        if self.intralayer:
            graph = add_intralayer(graph)
        if self.neighbours:
            graph = add_rings(graph, self.neighbours)
        return self.change(graph, np.random.default_rng([seed, REWIRING]))

    def change(self, graph: LayeredGraph, rng: np.random.Generator) -> LayeredGraph:  # noqa: ARG002
        """Leave it as it is."""
        return graph


@dataclass(frozen=True)
class Rewire(Layered):
    """A share p of the edges is moved to free places, see `rewire`.

    Attributes
    ----------
    p : float
        Share of the edges; ignored when `moves` is given.
    moves : int, optional
        Number of moves of the law ``"moves"``.
    law : {"edges", "moves"}
        "edges" decides for every edge whether it moves, as published in 2021; "moves" moves any
        edge repeatedly, as in the preprint.
    places : {"skip", "input", "hidden", "output", "short", "hub", "any"}
        Places to which edges move: "skip" for all that skip layers; "input", "hidden" and "output"
        for skips from inputs, between hidden layers and to outputs; "short" for skips over one
        layer; "hub" for skips to a few nodes of the last hidden layer; "any" also inside layers.
    """

    p: float = 0.0
    moves: Natural | None = None
    law: Literal["edges", "moves"] = "edges"
    places: PlaceKind = "skip"

    def change(self, graph: LayeredGraph, rng: np.random.Generator) -> LayeredGraph:
        """Move edges."""
        if self.p == 0 and self.moves is None:
            return graph
        p = self.p if self.moves is None else None
        return rewire(graph, p, law=self.law, moves=self.moves, places=self.places, seed=rng)


@dataclass(frozen=True)
class RewireEnds(Layered):
    """A share p of the edges gets another end, as in Watts and Strogatz; see `rewire_ends`.

    Attributes
    ----------
    p : float
        Share of the edges.
    across_layers : bool
        Whether an end may leave its layer.
    """

    p: float = 0.0
    across_layers: bool = False

    def change(self, graph: LayeredGraph, rng: np.random.Generator) -> LayeredGraph:
        """Move ends of edges."""
        if self.p == 0:
            return graph
        return rewire_ends(graph, self.p, seed=rng, across_layers=self.across_layers)


@dataclass(frozen=True)
class RewireKeepingDegrees(Layered):
    """A share p of the edges exchange ends, see `rewire_keeping_degrees`.

    Attributes
    ----------
    p : float
        Share of the edges.
    """

    p: float = 0.0

    def change(self, graph: LayeredGraph, rng: np.random.Generator) -> LayeredGraph:
        """Exchange ends of edges."""
        return rewire_keeping_degrees(graph, self.p, seed=rng) if self.p else graph


@dataclass(frozen=True)
class AddSkips(Layered):
    """Edges are added at free places: p times the present number; see `add_skips`.

    Attributes
    ----------
    p : float
        Number of added edges, as a share of the present number.
    places : {"skip", "input", "hidden", "output", "short", "hub", "any"}
        As for `Rewire`.
    """

    p: float = 0.0
    places: PlaceKind = "skip"

    def change(self, graph: LayeredGraph, rng: np.random.Generator) -> LayeredGraph:
        """Add edges."""
        more = round(checked_share("p", self.p) * graph.n_edges)
        return add_skips(graph, more, places=self.places, seed=rng) if self.p else graph


@dataclass(frozen=True)
class Thin(Layered):
    """A share p of the edges is removed, see `thin`.

    Attributes
    ----------
    p : float
        Share of the edges.
    """

    p: float = 0.0

    def change(self, graph: LayeredGraph, rng: np.random.Generator) -> LayeredGraph:
        """Remove edges."""
        left = graph.n_edges - round(checked_share("p", self.p) * graph.n_edges)
        return thin(graph, left, seed=rng) if self.p else graph


@dataclass(frozen=True)
class RandomLike(Layered):
    """A random graph with as many edges, see `random_like`."""

    def change(self, graph: LayeredGraph, rng: np.random.Generator) -> LayeredGraph:
        """Draw all edges anew."""
        return random_like(graph, seed=rng)
