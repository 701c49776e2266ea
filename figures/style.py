"""The one style of all figures: print widths, a colour-blind safe palette, and saving."""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from pathlib import Path

import matplotlib as mpl
import seaborn as sns
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

# Widths of a journal's column and page, in inches.
COLUMN = 3.35
PAGE = 7.09

PALETTE = sns.color_palette("colorblind")
BLUE, ORANGE, GREEN, VERMILION = PALETTE[:4]
# The paper names this colour; dotted lines tell it from green without colour.
RED = "#CC2211"
GREY = "0.55"
LIGHT = "0.82"


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


def save(fig: Figure, out: str | os.PathLike[str], name: str) -> list[Path]:
    """Write `name`.pdf and `name`.png into a folder, each whole or not at all; give the paths."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for ending in ("pdf", "png"):
        path = folder / f"{name}.{ending}"
        # Without a date in it, the same figure gives the same file.
        metadata = {"CreationDate": None} if ending == "pdf" else {"Software": None}
        with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-") as scratch:
            temporary = Path(scratch) / path.name
            fig.savefig(temporary, metadata=metadata)
            temporary.replace(path)
        written.append(path)
    return written


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Give a parser that knows ``--out``, the folder of the figures."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=Path("runs/figures"), help="folder to write to")
    return parser
