r"""What the data of a graph let training do to weights: which may change, and of what sign.

Edge data ``trainable``: where it is False, a weight keeps what it was given. Edge data ``sign``:
with 1 a weight is never below 0, with -1 never above. Node data ``sign`` are the signs of nodes
(Dale's law): couplings are symmetric, so an edge takes the sign of its end nearer to the inputs,
from where signals pass to the outputs; an edge inside a layer takes the sign of its ends where they
agree, and is free where they do not. A sign of the edge itself goes before those of its nodes.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["edge_signs", "frozen_edges", "weight_limits"]


def edge_signs(graph: LayeredGraph) -> npt.NDArray[np.int8] | None:
    """Sign that every weight must have, 0 where it may have any; None where nothing is asked."""
    own, nodes = graph.edge_data.get("sign"), graph.node_data.get("sign")
    if nodes is not None:
        first, second = nodes[graph.edges].T
        by_node = np.where(graph.intralayer & (first != second), np.int8(0), first)
        own = by_node if own is None else np.where(own == 0, by_node, own)
    return own if own is not None and own.any() else None


def frozen_edges(graph: LayeredGraph) -> npt.NDArray[np.bool_] | None:
    """Whether the weight of every edge is fixed; None where none is."""
    trainable = graph.edge_data.get("trainable")
    return None if trainable is None or trainable.all() else ~trainable


def weight_limits(graph: LayeredGraph, model: Any) -> tuple[Any, Any]:
    """Smallest and largest weight of every edge, by the model and the signs of the graph.

    Raises
    ------
    InputError
        If the model allows no weight of the sign that the graph asks for.
    """
    low, high = model.limits(graph)
    signs = edge_signs(graph)
    if signs is None:
        return low, high
    shape = (graph.n_edges,)
    low, high = (np.broadcast_to(np.asarray(each, float), shape) for each in (low, high))
    low = np.where(signs > 0, np.maximum(low, 0.0), low)
    high = np.where(signs < 0, np.minimum(high, 0.0), high)
    crossed = np.flatnonzero(low > high)
    if crossed.size:
        e = crossed[0]
        raise InputError(
            f"sign: {signs[e]} on edge {e}, but {model} allows weights from {low[e]:g} to "
            f"{high[e]:g} there; change the sign or the model"
        )
    return low, high
