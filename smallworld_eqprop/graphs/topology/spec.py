"""The kinds of topologies, by the names that a file gives them."""

from __future__ import annotations

from collections.abc import Mapping

from smallworld_eqprop.graphs.topology.base import Topology
from smallworld_eqprop.graphs.topology.chips import Chimera, King, Pegasus, Square, Zephyr
from smallworld_eqprop.graphs.topology.families import (
    AddSkips,
    Layered,
    RandomLike,
    Rewire,
    RewireEnds,
    RewireKeepingDegrees,
    Thin,
)
from smallworld_eqprop.graphs.topology.file import File
from smallworld_eqprop.graphs.topology.hidden import HiddenGraph
from smallworld_eqprop.graphs.topology.null import NullOf
from smallworld_eqprop.specs import Slot

__all__ = ["TOPOLOGY"]

KINDS: Mapping[str, type[Topology]] = {
    "layered": Layered,
    "rewire": Rewire,
    "rewire_ends": RewireEnds,
    "rewire_keeping_degrees": RewireKeepingDegrees,
    "add_skips": AddSkips,
    "thin": Thin,
    "random_like": RandomLike,
    "hidden_graph": HiddenGraph,
    "file": File,
    "null": NullOf,
    "square": Square,
    "king": King,
    "chimera": Chimera,
    "pegasus": Pegasus,
    "zephyr": Zephyr,
}

#: What may stand under ``[topology]``.
TOPOLOGY = Slot("topology", Topology, KINDS)
