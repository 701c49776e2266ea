"""Which graph a run trains: a layered network, and one family of changes to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.arguments import checked_share
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.places import PlaceKind
from smallworld_eqprop.graphs.generate.endpoints import rewire_ends, rewire_keeping_degrees
from smallworld_eqprop.graphs.generate.families import add_rings, add_skips, random_like, thin
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

__all__ = ["FAMILIES", "Family", "TopologyConfig"]

# Stream of random numbers of the topology, apart from the trainer's streams of the same seed.
REWIRING = 0

Family = Literal[
    "rewire", "rewire_ends", "rewire_keeping_degrees", "add_skips", "thin", "random_like"
]

#: What each family understands, beside the layers that all of them start from.
FAMILIES: Mapping[Family, tuple[str, ...]] = MappingProxyType(
    {
        "rewire": ("p", "moves", "law", "places"),
        "rewire_ends": ("p", "across_layers"),
        "rewire_keeping_degrees": ("p",),
        "add_skips": ("p", "places"),
        "thin": ("p",),
        "random_like": (),
    }
)


@dataclass(frozen=True)
class TopologyConfig:
    """How to build the graph of a run.

    Adjacent layers are connected completely, hidden layers inside as `intralayer` or
    `neighbours` say; then the family changes the network, each in a way of its own:

    - ``rewire`` moves a share p of the edges to free `places`, by a `law`;
    - ``rewire_ends`` moves one end of a share p of the edges, as Watts and Strogatz do;
    - ``rewire_keeping_degrees`` lets a share p of the edges exchange ends;
    - ``add_skips`` adds edges at free `places`, p times as many as there are;
    - ``thin`` removes a share p of the edges;
    - ``random_like`` draws a random graph with as many edges; there is no p.

    Each is the function of `smallworld_eqprop` of that name. A key that its family does not
    understand is refused. With p = 0 a family leaves the network as it is.

    Attributes
    ----------
    layer_sizes : tuple of int
    intralayer : bool
        Connect every hidden layer fully inside.
    neighbours : int
        Or connect every node of a hidden layer to so many neighbours on a ring, see `add_rings`.
    family : str
        A name of the list above.
    law : {"edges", "moves"}
        The rewiring law, see `smallworld_eqprop.rewire`.
    p : float
        Share of the edges that the family changes; ignored when `moves` is given.
    moves : int, optional
        Number of moves of the law ``"moves"``.
    places : {"skip", "input", "hidden", "output", "any"}
        Where edges are moved or added to, see `smallworld_eqprop.rewire`.
    across_layers : bool
        Whether a moved end may leave its layer, see `smallworld_eqprop.rewire_ends`.
    """

    layer_sizes: tuple[int, ...] = (784, 500, 500, 500, 10)
    intralayer: bool = False
    law: Literal["edges", "moves"] = "edges"
    p: float = 0.0
    moves: int | None = None
    family: Family = "rewire"
    places: PlaceKind = "skip"
    across_layers: bool = False
    neighbours: int = 0

    def __post_init__(self) -> None:
        if len(self.layer_sizes) < 2 or min(self.layer_sizes) < 1:
            raise InputError(
                f"layer_sizes: {list(self.layer_sizes)}; give at least two layers of at least one "
                "node"
            )
        if self.family not in FAMILIES:
            raise InputError(f"family: {self.family!r}; {nearest(self.family, FAMILIES)}")
        for key in foreign_keys(self.family):
            if (value := getattr(self, key)) != DEFAULTS[key]:
                knowing = [family for family, keys in FAMILIES.items() if key in keys]
                raise InputError(
                    f"{key}: {value!r} means nothing to family {self.family!r}; leave it out or "
                    f"choose one of: {', '.join(knowing)}"
                )

    def build(self, seed: int) -> LayeredGraph:
        """The graph; the same seed gives the same graph."""
        graph = layered(self.layer_sizes)
        if self.intralayer:
            graph = add_intralayer(graph)
        if self.neighbours:
            graph = add_rings(graph, self.neighbours)
        if self.p == 0 and self.moves is None and self.family != "random_like":
            return graph
        return _BUILDERS[self.family](self, graph, np.random.default_rng([seed, REWIRING]))


#: Keys of a family, and what they are when nobody mentions them.
DEFAULTS: Mapping[str, Any] = {
    field.name: field.default
    for field in fields(TopologyConfig)
    if any(field.name in keys for keys in FAMILIES.values())
}


def foreign_keys(family: Family) -> list[str]:
    """Keys that other families understand and this one does not."""
    return [key for key in DEFAULTS if key not in FAMILIES[family]]


def _rewire(config: TopologyConfig, graph: LayeredGraph, rng: np.random.Generator) -> LayeredGraph:
    p = config.p if config.moves is None else None
    return rewire(graph, p, law=config.law, moves=config.moves, places=config.places, seed=rng)


def _share(config: TopologyConfig, graph: LayeredGraph) -> int:
    return round(checked_share("p", config.p) * graph.n_edges)


_BUILDERS: Mapping[
    Family, Callable[[TopologyConfig, LayeredGraph, np.random.Generator], LayeredGraph]
] = {
    "rewire": _rewire,
    "rewire_ends": lambda config, graph, rng: rewire_ends(
        graph, config.p, seed=rng, across_layers=config.across_layers
    ),
    "rewire_keeping_degrees": lambda config, graph, rng: rewire_keeping_degrees(
        graph, config.p, seed=rng
    ),
    "add_skips": lambda config, graph, rng: add_skips(
        graph, _share(config, graph), places=config.places, seed=rng
    ),
    "thin": lambda config, graph, rng: thin(graph, graph.n_edges - _share(config, graph), seed=rng),
    "random_like": lambda _, graph, rng: random_like(graph, seed=rng),
}
