"""The one style of all figures: print widths, a colour-blind safe palette, and saving."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable
from pathlib import Path

import matplotlib as mpl
import seaborn as sns
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from smallworld_eqprop.files import atomic_writer

__all__ = ["COLUMN", "PAGE", "PALETTE", "lighter", "save", "use_style"]

# Widths of a journal's column and page, in inches.
COLUMN = 3.35
PAGE = 7.09

PALETTE = sns.color_palette("colorblind")
BLUE, ORANGE, GREEN, VERMILION = PALETTE[:4]
# The paper names this colour; dotted lines tell it from green without colour.
RED = "#CC2211"
GREY = "0.55"
LIGHT = "0.82"

# Without a date in it, the same figure gives the same file.
UNDATED = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}


def lighter(colour: object, share: float = 0.55) -> tuple[float, float, float]:
    """Mix a colour with white."""
    r, g, b = (share + (1 - share) * part for part in to_rgb(colour))  # type: ignore[arg-type]
    return r, g, b


def use_style() -> None:
    """Set seaborn and matplotlib up for text of 7 to 8 points at print size."""
    # It warns of the dates in matplotlib's own mathematical fonts.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    sns.set_theme(context="paper", style="ticks", palette=PALETTE)
    mpl.rcParams.update(
        {
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "savefig.dpi": 300,
            "font.size": 8,
            "axes.labelsize": 8,
            "axes.titlesize": 8,
            "axes.linewidth": 0.6,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "xtick.labelsize": 7,
            "ytick.labelsize": 7,
            "xtick.major.width": 0.6,
            "ytick.major.width": 0.6,
            "xtick.major.size": 3,
            "ytick.major.size": 3,
            "legend.fontsize": 7,
            "legend.frameon": False,
            "lines.linewidth": 1.0,
            "pdf.fonttype": 42,
            "svg.fonttype": "none",
        }
    )


def save(
    fig: Figure,
    out: str | os.PathLike[str],
    name: str,
    endings: Iterable[str] = ("pdf", "png"),
    *,
    dpi: float | None = None,
) -> list[Path]:
    """Write a figure into a folder, once for each file ending.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    out : path-like
        The folder; it is made if it is not there.
    name : str
        Name of the files, without the ending.
    endings : iterable of str, optional
        Formats: any that matplotlib writes.
    dpi : float, optional
        Dots per inch of a PNG; those of the style without it.

    Returns
    -------
    list of Path
    """
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for ending in endings:
        path = folder / f"{name}.{ending}"
        with atomic_writer(path) as file:
            fig.savefig(
                file,
                format=ending,
                dpi=mpl.rcParams["savefig.dpi"] if dpi is None else dpi,
                metadata=UNDATED.get(ending),
            )
        written.append(path)
    return written
