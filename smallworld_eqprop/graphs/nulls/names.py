"""Names by which null models are asked for, and what models of these names have in common."""

from __future__ import annotations

from typing import Literal, TypeAlias

__all__ = ["CONNECTABLE", "DRAWN", "NEED_NODES", "PLACE_WEIGHTS", "NullModel"]

NullModel: TypeAlias = Literal[
    "degree_preserving",
    "erdos_renyi",
    "layer_blocks",
    "layer_blocks_with_degrees",
    "strength_preserving",
    "layer_blocks_with_strengths",
    "shuffled_weights",
    "layer_blocks_with_weights",
    "geometry_preserving",
    "layer_blocks_with_geometry",
]
# Those that can be held connected.
CONNECTABLE = ("degree_preserving", "erdos_renyi", "strength_preserving")
# Those whose samples are drawn at once; all others switch edges, so many times.
DRAWN = ("erdos_renyi", "layer_blocks", "shuffled_weights", "layer_blocks_with_weights")
# Those that need the layers or positions of a LayeredGraph.
NEED_NODES = (
    "layer_blocks",
    "layer_blocks_with_degrees",
    "layer_blocks_with_strengths",
    "layer_blocks_with_weights",
    "geometry_preserving",
    "layer_blocks_with_geometry",
)
# Those whose samples say which weight every edge has.
PLACE_WEIGHTS = (
    "strength_preserving",
    "layer_blocks_with_strengths",
    "shuffled_weights",
    "layer_blocks_with_weights",
    "geometry_preserving",
    "layer_blocks_with_geometry",
)
