"""Pictures of a graph: layers as columns from left to right, and the adjacency matrix.

Text, outlines and the first of the colours follow matplotlib's settings, so that a picture fits
into whatever page or style it is drawn for.
"""

from __future__ import annotations

from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import PowerNorm
from matplotlib.lines import Line2D
from matplotlib.path import Path

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["GREEN", "GREY", "draw", "draw_edges", "draw_nodes", "positions", "spy"]

GREY, GREEN = "0.55", "#029e73"

#: With more nodes in a layer than these, no node can be told from the next.
CROWDED = 40

# How far the middle of a layer-skipping edge may be pulled up or down, in node distances.
BOWS = tuple(sign * step / 10 for step in range(3, 13) for sign in (1, -1))


def draw(g: LayeredGraph, ax: Axes | None = None, *, max_edges: int = 1500, seed: int = 0) -> Axes:
    """Draw a graph: one column of nodes a layer, and its edges coloured by kind.

    Parameters
    ----------
    g : LayeredGraph
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    max_edges : int
        Of a graph with more edges about so many are drawn, of every kind its share, chosen at
        random. The legend gives the numbers of all.
    seed : int
        Of that choice.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `max_edges` is below 1.
    """
    if max_edges < 1:
        raise InputError(f"max_edges: {max_edges}, must be at least 1")
    if ax is None:
        ax = plt.subplots(figsize=(6.4, 4.0), layout="constrained")[1]
    share = min(1.0, max_edges / max(g.n_edges, 1))
    rng = np.random.default_rng(seed)
    handles = []
    kinds = (
        ("interlayer", g.interlayer, {"edgecolor": GREY, "linewidth": 0.4}),
        ("intralayer", g.intralayer, {"edgecolor": GREEN, "linewidth": 0.6}),
        ("skip", g.skip, {"edgecolor": mpl.rcParams["text.color"], "linewidth": 0.6}),
    )
    for order, (name, mask, style) in enumerate(kinds):
        edges = g.edges[mask]
        if not len(edges):
            continue
        shown = edges
        if share < 1:
            shown = rng.choice(edges, max(1, round(share * len(edges))), replace=False)
        draw_edges(ax, g, shown, zorder=1 + order, **style)
        label = f"{name} ({len(edges):,})"
        if len(shown) < len(edges):
            label = f"{name} ({len(shown):,} of {len(edges):,})"
        handles.append(Line2D([], [], color=style["edgecolor"], linewidth=1.2, label=label))
    draw_nodes(ax, g, sizes=True)
    ax.autoscale_view()
    if handles:
        ax.legend(
            handles=handles,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.02),
            ncols=len(handles),
            frameon=False,
        )
    return ax


def spy(g: LayeredGraph, ax: Axes | None = None, *, cells: int = 300) -> Axes:
    """Draw the adjacency matrix, with lines between the layers.

    Parameters
    ----------
    g : LayeredGraph
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.
    cells : int
        Cells a side at most. In a larger matrix a cell stands for several nodes and its darkness
        for the share of their possible edges that exist.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If `cells` is below 1.
    """
    if cells < 1:
        raise InputError(f"cells: {cells}, must be at least 1")
    if ax is None:
        ax = plt.subplots(figsize=(5.2, 4.4), layout="constrained")[1]
    step = -(-g.n_nodes // cells)
    shares = _shares(g, step)
    # The square root shows the few per cent that rewiring leaves in a block.
    image = ax.imshow(
        shares,
        cmap="Greys",
        norm=PowerNorm(0.5, 0, 1),
        interpolation="nearest",
        extent=(-0.5, len(shares) * step - 0.5, len(shares) * step - 0.5, -0.5),
    )
    if step > 1:
        bar = ax.figure.colorbar(image, ax=ax, label="share of possible edges", shrink=0.8)
        bar.set_ticks([0, 0.01, 0.1, 0.5, 1])
    for offset in g.layer_offsets[1:-1]:
        for line in (ax.axhline, ax.axvline):
            line(offset - 0.5, color="C0", linewidth=0.6)
    middles = (g.layer_offsets[:-1] + g.layer_offsets[1:] - 1) / 2
    # The names of thin layers would cover each other.
    apart = np.diff(middles, prepend=-g.n_nodes) > g.n_nodes / 25
    names = [str(layer) if far else "" for layer, far in enumerate(apart)]
    ax.set_xticks(middles, names)
    ax.set_yticks(middles, names)
    ax.tick_params(length=0)
    ax.set(xlabel="layer", ylabel="layer", xlim=(-0.5, g.n_nodes - 0.5))
    ax.set_ylim(g.n_nodes - 0.5, -0.5)
    return ax


def _shares(g: LayeredGraph, step: int) -> npt.NDArray[np.float64]:
    """Share of the possible edges between every two groups of `step` nodes that exist."""
    groups = np.arange(g.n_nodes) // step
    n = int(groups[-1]) + 1
    u, v = groups[g.edges].T
    counts = np.zeros((n, n))
    np.add.at(counts, (u, v), 1)
    # Both directions of every edge, so that a group with itself counts each pair twice, as below.
    counts += counts.T
    sizes = np.bincount(groups)
    possible = np.outer(sizes, sizes) - np.diag(sizes)
    return np.divide(counts, possible, out=np.zeros_like(counts), where=possible > 0)


def positions(g: LayeredGraph) -> npt.NDArray[np.float64]:
    """Place every node: one column a layer, centred; shape (n_nodes, 2).

    Nodes are one apart. In crowded graphs the heights of the layers grow as square roots of their
    sizes instead, or an output of ten beside an input of 784 would be a dot.
    """
    largest = max(g.layer_sizes)
    places = np.empty((g.n_nodes, 2))
    for layer, size in enumerate(g.layer_sizes):
        here = g.layer_slice(layer)
        spacing = 1.0 if largest <= CROWDED else CROWDED / np.sqrt(largest * size)
        places[here, 0] = layer
        places[here, 1] = ((size - 1) / 2 - np.arange(size)) * spacing
    return places


def draw_nodes(ax: Axes, g: LayeredGraph, *, sizes: bool = False) -> None:
    """Draw the nodes and name the layers above them, with their sizes if so wanted."""
    x, y = positions(g).T
    ink = mpl.rcParams["text.color"]
    area = 42.0 * min(1.0, (7 / np.ptp(y)) ** 2 if np.ptp(y) else 1.0)
    ax.scatter(
        x, y, s=area, facecolor="white", edgecolor=ink, linewidth=min(0.7, area / 20), zorder=5
    )
    top = y.max() + 0.45 * max(1.0, np.ptp(y) / 8)
    for layer, size in enumerate(g.layer_sizes):
        hidden = f"hidden {layer}" if g.n_layers <= 8 else str(layer)
        name = {0: "input", g.n_layers - 1: "output"}.get(layer, hidden)
        ax.text(layer, top, f"{name}\n{size:,}" if sizes else name, ha="center", va="bottom")
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
        tallest = np.ptp(places[:, 1])
        x += 0.14 * abs(start[1] - stop[1]) * min(1.0, 5 / tallest)
    elif span >= 2 and max(g.layer_sizes) <= CROWDED:
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
