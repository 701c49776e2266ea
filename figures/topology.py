"""Drawing a LayeredGraph: layers as columns from left to right, edges that bend around nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.path import Path
from style import GREY

from smallworld_eqprop.graphs.layered import LayeredGraph

# How far the middle of a layer-skipping edge may be pulled up or down, in node distances.
BOWS = tuple(sign * step / 10 for step in range(3, 13) for sign in (1, -1))


def positions(g: LayeredGraph) -> npt.NDArray[np.float64]:
    """Place every node: one column a layer, centred; shape (n_nodes, 2)."""
    places = np.empty((g.n_nodes, 2))
    for layer, size in enumerate(g.layer_sizes):
        here = g.layer_slice(layer)
        places[here, 0] = layer
        places[here, 1] = (size - 1) / 2 - np.arange(size)
    return places


def draw_nodes(ax: Axes, g: LayeredGraph) -> None:
    """Draw the nodes and name the layers above them."""
    x, y = positions(g).T
    ax.scatter(x, y, s=42, facecolor="white", edgecolor="black", linewidth=0.7, zorder=5)
    top = y.max() + 0.45
    for layer in range(g.n_layers):
        name = {0: "input", g.n_layers - 1: "output"}.get(layer, f"hidden {layer}")
        ax.text(layer, top, name, ha="center", va="bottom")
    ax.set_axis_off()


def draw_edges(ax: Axes, g: LayeredGraph, edges: npt.NDArray[np.integer], **style: Any) -> None:
    """Draw some edges: straight between adjacent layers, bent inside a layer and across layers."""
    places = positions(g)
    paths = [_path(g, places, u, v) for u, v in edges]
    ax.add_collection(
        PathCollection(paths, **{"facecolor": "none", "edgecolor": GREY, "linewidth": 0.5, **style})
    )


def _path(g: LayeredGraph, places: npt.NDArray[np.float64], u: int, v: int) -> Path:
    start, stop = places[u], places[v]
    span = g.layers[v] - g.layers[u]
    x, y = (start + stop) / 2
    if span == 0:
        # Further apart, further out, so that arcs inside a layer do not cover each other.
        x += 0.14 * abs(start[1] - stop[1])
    elif span >= 2:
        y += max(BOWS, key=lambda bow: (min(_clearance(g, places, u, v, bow), 0.22), -abs(bow)))
    return Path([start, (x, y), stop], [Path.MOVETO, Path.CURVE3, Path.CURVE3])


def _clearance(
    g: LayeredGraph, places: npt.NDArray[np.float64], u: int, v: int, bow: float
) -> float:
    """How far a bent edge stays from the nodes of the layers that it crosses."""
    middle = (places[u, 1] + places[v, 1]) / 2 + bow
    nearest = np.inf
    for layer in range(g.layers[u] + 1, g.layers[v]):
        t = (layer - g.layers[u]) / (g.layers[v] - g.layers[u])
        y = (1 - t) ** 2 * places[u, 1] + 2 * t * (1 - t) * middle + t**2 * places[v, 1]
        nearest = min(nearest, np.abs(places[g.layer_slice(layer), 1] - y).min())
    return float(nearest)
