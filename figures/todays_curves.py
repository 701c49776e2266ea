"""The paper's figures 3 and 4 under today's means: learning curves, and corrections by layer pair.

    smallworld-eqprop sweep analysis/studies/todays_curves.toml
    smallworld-eqprop export runs/todays_curves.sqlite --out results/todays_curves
    python figures/todays_curves.py --out DIR

Above, training error (solid) and test error (dashed) with weak feedback and Adam, as means over
seeds; bands reach from the lowest to the highest. Pale are networks of the same size by the paper's
recipe, one rate, from the tables of figure 3, also means. Below, the RMS correction of every layer
pair, as in figure 4.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from networks import CURVES, RESULTS, arguments, band_key, pair_legend, read_table, size_in_words

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.plots import correction_line, layer_colours
from smallworld_eqprop.studies.style import BLUE, GREEN, PAGE, lighter, save, use_style

HISTORY = ("key", "epoch", "training_error", "test_error")
REMEDY = "make it with analysis/studies/todays_curves.toml, see this script's first lines"
LINES = {"training_error": "-", "test_error": "--"}
SHARES = {0.0: ("layered", BLUE), 0.1: ("rewired, p = 0.1", GREEN)}
#: Networks of figure 3 beside which those of today stand, by size.
PAPERS = {
    "3 x 500": {0.0: "layered-3x500", 0.1: "rewired-3x500"},
    "5 x 100": {0.0: "layered-5x100", 0.1: "rewired-5x100"},
}
#: The size of which corrections are drawn.
SHOWN = "3 x 500"


def read(results: Path, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    """A table of the study, with the size and the share of moved edges of every run."""
    runs = read_table(results / "runs.csv", ("key", "layer_sizes", "p", "seed"), REMEDY)
    about = runs[["key", "p", "seed"]].assign(size=runs.layer_sizes.map(size_in_words))
    return read_table(results / f"{name}.csv", columns, REMEDY).merge(about, on="key")


def seeds(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Mean, lowest and highest error in % of every size, share and epoch."""
    grouped = (100 * table.set_index(["size", "p", "epoch"])[column]).groupby(level=[0, 1, 2])
    return grouped.agg(["mean", "min", "max", "size"])


def learning(ax: Axes, table: pd.DataFrame, size: str, papers: pd.DataFrame) -> None:
    """Learning curves of one size, and those of the paper's recipe in the same epochs."""
    last, own = table.epoch.max(), table[table["size"] == size]
    for p, (label, colour) in SHARES.items():
        if p not in set(own.p):  # the study is not finished
            continue
        old = papers[(papers.network == PAPERS[size][p]) & (papers.epoch <= last)]
        old = 100 * old.groupby("epoch")[list(LINES)].mean()
        for column, line in LINES.items():
            found = seeds(own, column).loc[(size, p)]
            dashes = {"linestyle": line, "linewidth": 1.1}
            ax.fill_between(found.index, found["min"], found["max"], color=colour, alpha=0.25, lw=0)
            named = label if line == "-" else None
            ax.plot(found.index, found["mean"], color=colour, label=named, **dashes)
            ax.plot(old.index, old[column], color=lighter(colour, 0.6), zorder=0, **dashes)
    ax.set(title=f"{size} hidden nodes", xlabel="epoch", yscale="log")
    ax.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    ax.minorticks_off()


def draw(history: pd.DataFrame, corrections: pd.DataFrame, papers: pd.DataFrame) -> Figure:
    """Two panels of learning curves above two of corrections."""
    fig, axes = plt.subplots(2, 2, figsize=(PAGE, 0.75 * PAGE))
    for ax, size in zip(axes[0], PAPERS, strict=True):
        learning(ax, history, size, papers)
        if ax.lines:
            ax.legend()
    axes[0, 0].set_ylabel("error (%)")
    own = corrections[corrections["size"] == SHOWN]
    colours = layer_colours(own.pair)
    for ax, (p, (label, _)) in zip(axes[1], SHARES.items(), strict=True):
        for (pair, kind), found in own[own.p == p].groupby(["pair", "kind"], sort=False):
            colour = colours[int(pair.split("-")[1]) - 1]
            correction_line(ax, found.rms, found.epoch, colour, kind)
        ax.set(title=f"{SHOWN}, {label}", xlabel="epoch", yscale="log")
    axes[1, 1].sharey(axes[1, 0])
    axes[1, 0].set_ylabel("RMS weight correction")
    pair_legend(fig, colours, own.kind, ncols=4, more=band_key())
    return fig


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument(
        "--results", type=Path, default=RESULTS / "todays_curves", metavar="DIR",
        help="folder that the study was exported to",
    )  # fmt: skip
    found = parser.parse_args()
    use_style()
    history = read(found.results, "history", HISTORY)
    corrections = read(found.results, "corrections", ("key", "epoch", "pair", "kind", "rms"))
    papers = read_table(RESULTS / "learning_curves.csv", CURVES, "see figure3.py")
    for column in LINES:
        for (size, p, epoch), row in seeds(history, column).iterrows():
            if epoch in (1, 2, 5, history.epoch.max()):
                print(
                    f"{size}, p = {p:g}, epoch {epoch}, {column.replace('_', ' ')}: "
                    f"{row['mean']:.2f} % ({row['min']:.2f} to {row['max']:.2f}, "
                    f"{row['size']:g} seeds)"
                )
    for path in save(draw(history, corrections, papers), found.out, "todays_curves"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
