"""The null models that can be asked for by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.nulls.geometry import geometry_preserving
from smallworld_eqprop.graphs.nulls.labels import check_layered
from smallworld_eqprop.graphs.nulls.nullmodels import (
    degree_preserving,
    erdos_renyi,
    layer_blocks,
    layer_blocks_with_degrees,
)
from smallworld_eqprop.graphs.nulls.samples import NullSample
from smallworld_eqprop.graphs.nulls.weighted import shuffled_weights, strength_preserving

__all__ = ["NULL_MODELS"]


def _in_layers(model: Callable[..., NullSample]) -> Callable[..., NullSample]:
    """Give a null model that keeps the blocks of layers."""

    def in_layers(g: LayeredGraph, **options: Any) -> NullSample:
        check_layered(g)
        return model(g, blocks=g.layers, **options)

    return in_layers


NULL_MODELS: dict[str, Callable[..., NullSample]] = {
    "degree_preserving": degree_preserving,
    "erdos_renyi": erdos_renyi,
    "layer_blocks": layer_blocks,
    "layer_blocks_with_degrees": layer_blocks_with_degrees,
    "strength_preserving": strength_preserving,
    "layer_blocks_with_strengths": _in_layers(strength_preserving),
    "shuffled_weights": shuffled_weights,
    "layer_blocks_with_weights": _in_layers(shuffled_weights),
    "geometry_preserving": geometry_preserving,
    "layer_blocks_with_geometry": _in_layers(geometry_preserving),
}
