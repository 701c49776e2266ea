"""Figure 5: training error and RMS correction of every layer pair after one epoch, against p.

    python figures/figure5.py --results DIR --out DIR

Lines are means over seeds, bands reach from the lowest to the highest seed. The published sweep is
that of the authors' 5 x 100 network, one seed for every p.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from networks import RESULTS, arguments, band_key, pair_legend, read_table

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.plots import correction_line, layer_colours
from smallworld_eqprop.studies.style import BLUE, PAGE, lighter, save, use_style

RUNS = ("network", "p", "seed", "training_error", "log_spread")
CORRECTIONS = ("network", "p", "seed", "pair", "kind", "rms")
REMEDY = "the study of figure 5 makes it"

# The network of the published sweep is told by its layers.
PUBLISHED = "5x100"


def draw(runs: pd.DataFrame, corrections: pd.DataFrame, published: pd.DataFrame | None) -> Figure:
    """Draw one column of two panels per network."""
    networks = list(runs.network.unique())
    fig, axes = plt.subplots(
        2,
        len(networks),
        figsize=(PAGE * max(len(networks), 1.3) / 2, 0.72 * PAGE),
        sharex=True,
        sharey="row",
        squeeze=False,
    )
    colours = layer_colours(corrections.pair)
    beside = None
    for (top, bottom), network in zip(axes.T, networks, strict=True):
        top.set_title(network.replace("x", " x "))
        _errors(top, runs[runs.network == network])
        if published is not None and PUBLISHED in network:
            beside = _published(top, published[published.epoch == 1])
        _corrections(bottom, corrections[corrections.network == network], colours)
        bottom.set_xlabel("share of rewired connections p")
    every_p = pd.concat([runs.p] if beside is None else [runs.p, published.p])
    _p_axis(axes[0, 0], every_p[every_p > 0].min(), every_p.max())
    axes[0, 0].set(ylabel="training error (%)", ylim=(0, None))
    axes[1, 0].set(ylabel="RMS weight correction", yscale="log")
    more = band_key()
    if beside:
        more["published (2021), training error"] = beside
    pair_legend(fig, colours, corrections.kind, ncols=4 if len(networks) > 1 else 2, more=more)
    return fig


def _errors(ax: Axes, table: pd.DataFrame) -> None:
    by_p = 100 * table.groupby("p").training_error.agg(["mean", "min", "max"])
    ax.fill_between(by_p.index, by_p["min"], by_p["max"], color=BLUE, alpha=0.25, linewidth=0)
    ax.plot(by_p.index, by_p["mean"], color=BLUE, marker="o", markersize=3.5)


def _published(ax: Axes, table: pd.DataFrame) -> Line2D:
    style = {"color": lighter("black", 0.45), "marker": "x", "markersize": 4, "linewidth": 0.7}
    return ax.plot(table.p, 100 * table.training_error, zorder=1, **style)[0]


def _corrections(ax: Axes, table: pd.DataFrame, colours: Sequence) -> None:
    for (pair, kind), curve in table.groupby(["pair", "kind"], sort=False):
        colour = colours[int(pair.split("-")[1]) - 1]
        marker = {"marker": "o", "markersize": 3} if kind == "interlayer" else {}
        # A pair that did not change has no place on a logarithmic axis.
        rms = curve.rms.where(curve.rms > 0)
        correction_line(ax, rms, curve.p, colour, kind, label=pair, **marker)


def _p_axis(ax: Axes, smallest: float, largest: float) -> None:
    """Logarithmic from the smallest p above 0 on; 0 a little to the left of it."""
    start = smallest if np.isfinite(smallest) else 0.01
    ax.set_xscale("symlog", linthresh=start, linscale=0.4)
    ax.set_xlim(-0.12 * start, 1.15 * max(largest, start))
    decades = LogLocator().tick_values(start, max(largest, start))
    inside = [tick for tick in decades if start <= tick <= 1.0001 * max(largest, start)]
    ax.set_xticks([0, *inside])
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    ax.xaxis.set_minor_locator(NullLocator())


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument(
        "--results", type=Path, default=RESULTS, metavar="DIR", help="folder of the tables"
    )
    found = parser.parse_args()
    use_style()
    runs = read_table(found.results / "figure5_runs.csv", RUNS, REMEDY)
    corrections = read_table(found.results / "figure5_corrections.csv", CORRECTIONS, REMEDY)
    path = RESULTS / "published_p_sweep_5x100.csv"
    published = pd.read_csv(path, comment="#") if path.exists() else None
    for path in save(draw(runs, corrections, published), found.out, "figure5"):
        print(path)
    numbers = runs.groupby(["network", "p"])[["training_error", "log_spread"]].agg(["mean", "std"])
    print(numbers.round(4).to_string())


if __name__ == "__main__":
    sys.exit(exit_status(main))
