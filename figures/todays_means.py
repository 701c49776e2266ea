"""The paper under today's means: test error against the number of hidden layers.

    smallworld-eqprop sweep analysis/studies/todays_means.toml
    smallworld-eqprop export runs/todays_means.sqlite --out results/todays_means
    python figures/todays_means.py --out DIR

Weak feedback and Adam, one line per share of moved edges; on the right, where the table has other
recipes, all of them, layered and rewired. Points are means over seeds, bars reach from the lowest
to the highest.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from networks import RESULTS, Look, arguments, error_bars, read_table

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.style import PAGE, PALETTE, lighter, save, use_style

COLUMNS = ("layer_sizes", "p", "model", "optimiser", "seed", "final_test_error")
REMEDY = "make it with analysis/studies/todays_means.toml, see this script's first lines"
#: Recipes by model and optimiser.
RECIPES = {
    ("weak-feedback", "adam"): Look("weak feedback, Adam", PALETTE[0], "o"),
    ("weak-feedback", "sgd"): Look("weak feedback, descent", PALETTE[1], "s"),
    ("hopfield", "sgd"): Look("the paper's recipe", PALETTE[2], "^"),
}
TODAY = ("weak-feedback", "adam")
LAYERED, REWIRED = 0.0, 0.1


def settings(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest error in % of every recipe, number of hidden layers and p."""
    # Of a table with few columns, which lies in one piece.
    runs = runs[list(COLUMNS)].assign(
        hidden=[len(json.loads(sizes)) - 2 for sizes in runs.layer_sizes],
        error=100 * runs.final_test_error,
    )
    grouped = runs.groupby(["model", "optimiser", "hidden", "p"], sort=True).error
    found = grouped.agg(error="mean", low="min", high="max", seeds="size")
    return found.reset_index()


def curve(ax: Axes, points: pd.DataFrame, look: Look, dashed: bool = False) -> None:
    """One line over the number of hidden layers."""
    ax.errorbar(
        points.hidden, points.error, error_bars(points), label=look.label, color=look.colour,
        marker=look.marker, linestyle="--" if dashed else "-", markersize=4, linewidth=1, capsize=2,
    )  # fmt: skip


def draw(points: pd.DataFrame) -> Figure:
    """Draw one panel, or two where there are several recipes."""
    recipes = dict(list(points.groupby(["model", "optimiser"])))
    panels = 1 if len(recipes) == 1 else 2
    fig, axes = plt.subplots(
        1, panels, figsize=(panels * PAGE / 2, 0.45 * PAGE), sharey=True, squeeze=False,
        layout="constrained",
    )  # fmt: skip
    axes = axes[0]
    today = recipes[TODAY]
    shares = sorted(today.p.unique())
    for k, p in enumerate(shares):
        colour = lighter(RECIPES[TODAY].colour, 0.7 * (1 - k / max(1, len(shares) - 1)))
        curve(axes[0], today[today.p == p], Look(f"p = {p:g}", colour, "osD^"[k % 4]))
    axes[0].set_title("weak feedback, Adam")
    for name, look in RECIPES.items() if panels > 1 else ():
        for p in (LAYERED, REWIRED):
            part = recipes.get(name, points[:0])
            part = part[part.p == p]
            if not part.empty:
                label = f"{look.label}, p = {p:g}"
                curve(axes[1], part, look._replace(label=label), dashed=p == LAYERED)
    if panels > 1:
        axes[1].set_title("all recipes")
    depths = sorted(points.hidden.unique())
    for ax in axes:
        ax.set(xlabel="hidden layers", xscale="log", yscale="log")
        ax.set_xticks(depths, [f"{depth}" for depth in depths])
        ax.minorticks_off()
        ax.set_yticks([5, 10, 20, 50, 90], ["5", "10", "20", "50", "90"])
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2)
    axes[0].set_ylabel("test error (%)")
    return fig


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=Path, default=RESULTS / "todays_means" / "runs.csv",
                        help="table that the study was exported to")  # fmt: skip
    found = parser.parse_args()
    use_style()
    points = settings(read_table(found.runs, COLUMNS, REMEDY))
    for row in points.itertuples():
        print(
            f"{row.model}, {row.optimiser}, {row.hidden} hidden layers, p = {row.p:g}: "
            f"{row.error:.2f} % ({row.low:.2f} to {row.high:.2f}, {row.seeds} seeds)"
        )
    for path in save(draw(points), found.out, "todays_means"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
