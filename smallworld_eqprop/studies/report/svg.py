"""Matplotlib figures as inline SVG that takes text, colours and width from the page around it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler

__all__ = ["PALETTE", "drawing", "svg_text"]

#: Stands for the colour of the page's text, whatever its theme; nothing else has this colour.
INK = "#010203"

#: Okabe and Ito's colours, as far as they show on white and on black.
PALETTE = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#8c8c8c")

STYLE: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.facecolor": "none",
    "axes.linewidth": 0.6,
    "axes.prop_cycle": cycler(color=PALETTE),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "font.size": 9,
    "grid.alpha": 0.15,
    "grid.color": INK,
    "grid.linewidth": 0.6,
    "legend.fontsize": 8,
    "legend.frameon": False,
    # Fewer points in the file, none that the eye would miss.
    "path.simplify_threshold": 0.5,
    "svg.fonttype": "none",
    "text.color": INK,
    "xtick.color": INK,
    "xtick.labelsize": 8,
    "ytick.color": INK,
    "ytick.labelsize": 8,
}


@contextmanager
def drawing(width: float = 4.6, height: float = 3.1) -> Iterator[Figure]:
    """Draw in the style of the page; narrow, so that a phone shows readable letters.

    Parameters
    ----------
    width, height : float
        Of the figure, in inches.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield Figure(figsize=(width, height))


def svg_text(figure: Figure, name: str) -> str:
    """Give a figure as an SVG element without size, script or any id but those it refers to.

    Call it inside `drawing`; no two pictures of a page may have the same name.
    """
    file = io.StringIO()
    mpl.rcParams["svg.hashsalt"] = name
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    # Two pictures of a page must not share ids, and these are referred to by nobody.
    text = re.sub(r' id="[a-zA-Z0-9.]+_\d+"', "", text)
    text = re.sub(r'^<svg ([^>]*?)(?:width|height)="[^"]*"', r"<svg \1", text)
    text = re.sub(r'^<svg ([^>]*?)(?:width|height)="[^"]*"', r"<svg \1", text)
    return text.replace(INK, "currentColor")
