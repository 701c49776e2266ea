"""The legend of figures 4 and 5."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from smallworld_eqprop.studies.plots import pair_handles


def pair_legend(
    fig: Figure,
    colours: Sequence,
    kinds: Iterable[str],
    *,
    ncols: int,
    more: Mapping[str, Line2D] | None = None,
) -> None:
    """Name colours by layer and line styles by kind of pair, below the figure."""
    handles = {**pair_handles(colours, kinds), **(more or {})}
    fig.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=ncols, handlelength=2.6
    )
