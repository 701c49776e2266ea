"""Layer pairs as the figures show them: colour by layer, line style by kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import seaborn as sns
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

STYLES = {
    "interlayer": {"linestyle": "-", "linewidth": 1.0, "zorder": 3},
    "intralayer": {"linestyle": (0, (4, 1.5)), "linewidth": 0.8, "zorder": 2},
    "skip": {"linestyle": (0, (1, 1.2)), "linewidth": 0.6, "zorder": 1},
}
MEANINGS = {
    "interlayer": "from the layer before",
    "intralayer": "inside the layer",
    "skip": "from farther back",
}


def layer_colours(table: pd.DataFrame) -> list:
    """Colour of every layer but the inputs, light to dark from input to output."""
    depth = int(table.pair.str.split("-").str[1].astype(int).max())
    # The yellow end is too pale for paper.
    return sns.color_palette("viridis_r", depth + 1)[1:]


def pair_legend(
    fig: Figure,
    colours: Sequence,
    kinds: pd.Series,
    *,
    ncols: int,
    more: Mapping[str, Line2D] | None = None,
) -> None:
    """Name colours by layer and line styles by kind of pair, below the figure."""
    handles = {
        f"into layer {layer}": Line2D([], [], color=colour, linewidth=2)
        for layer, colour in enumerate(colours, start=1)
    }
    for kind, style in STYLES.items():
        if (kinds == kind).any():
            handles[MEANINGS[kind]] = Line2D([], [], color="0.2", **style)  # type: ignore[arg-type]
    handles |= more or {}
    fig.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=ncols, handlelength=2.6
    )
