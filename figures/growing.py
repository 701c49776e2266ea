"""Structure that training chooses: error against the share of skips, and the places of skips.

    smallworld-eqprop sweep analysis/studies/grown.toml
    smallworld-eqprop export runs/grown.sqlite --out results/grown
    python figures/growing.py --out DIR

On the left, five layers of 100 nodes by the paper's recipe; points are means over seeds, bars reach
from the lowest to the highest. On the right, where the skips are at the end.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from networks import RESULTS, Look, arguments, error_bars, read_table, size_in_words

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.style import GREY, PAGE, PALETTE, save, use_style

#: Places of skips, and their columns in the table.
PLACES = {
    "from inputs": "final_share_input_skip",
    "among hidden layers": "final_share_hidden_skip",
    "to outputs": "final_share_output_skip",
    "from inputs to outputs": "final_share_direct_skip",
}
COLUMNS = (
    *("layer_sizes", "p", "places", "model", "rewire", "rewire.places", "drop", "seed"),
    "final_validation_error",
    *("metric_skip_share", "metric_input_output_path_length", *PLACES.values()),
)
REMEDY = "make it with analysis/studies/grown.toml, see this script's first lines"
BEFORE, TO_OUTPUTS = "rewired before training", "rewired before training, to outputs"
BY_CORRECTION, BY_CHANCE = "absent-correction", "random"
#: What is grown among hidden layers only.
HIDDEN = ", hidden"
KINDS = {
    (BEFORE, "random"): Look(BEFORE, GREY, "o"),
    (TO_OUTPUTS, "random"): Look(TO_OUTPUTS, "0.3", "P"),
    (BY_CORRECTION, "random"): Look("grown by correction, any dropped", PALETTE[0], "s"),
    (BY_CORRECTION, "smallest"): Look("grown by correction, smallest dropped", PALETTE[9], "D"),
    (BY_CORRECTION + HIDDEN, "random"): Look(
        "grown by correction among hidden layers", PALETTE[2], "<"
    ),
    (BY_CHANCE + HIDDEN, "random"): Look("grown at random among hidden layers", PALETTE[4], ">"),
    (BY_CHANCE, "random"): Look("grown at random, any dropped", PALETTE[1], "^"),
    (BY_CHANCE, "smallest"): Look("grown at random, smallest dropped", PALETTE[3], "v"),
}
RECIPES = {"hopfield": "the paper's recipe", "weak-feedback": "weak feedback, Adam"}
RECIPE_SHORT = {"the paper's recipe": "paper", "weak feedback, Adam": "weak feedback"}
SETTING = ["network", "recipe", "kind", "drop", "p", "share"]


def settings(runs: pd.DataFrame) -> pd.DataFrame:
    """Mean, lowest and highest validation error in %, skips and their places, of every setting."""
    fixed = runs.rewire == "fixed"
    where = runs["rewire.places"].map({"hidden": HIDDEN}).fillna("")
    share = runs["share"] if "share" in runs else pd.Series(0.0, runs.index)
    found = runs[list(COLUMNS)].assign(
        network=runs.layer_sizes.map(size_in_words),
        recipe=runs.model.map(RECIPES),
        kind=(runs.rewire + where).where(
            ~fixed, runs.places.map({"output": TO_OUTPUTS}).fillna(BEFORE)
        ),
        drop=runs["drop"].where(~fixed, "random"),
        share=share.where(~fixed, 0.0).astype(float),
        error=100 * runs.final_validation_error,
    )
    grouped = found.groupby(SETTING, sort=False)
    places = grouped[list(PLACES.values())].mean().rename(columns={v: k for k, v in PLACES.items()})
    numbers = grouped.agg(
        error=("error", "mean"),
        low=("error", "min"),
        high=("error", "max"),
        seeds=("error", "size"),
        skips=("metric_skip_share", "mean"),
        hops=("metric_input_output_path_length", "mean"),
    )
    return numbers.join(places).reset_index()


def errors(ax: Axes, points: pd.DataFrame) -> None:
    """Error against the share of skips, a line for every kind."""
    for key, look in KINDS.items():
        own = points[(points.kind == key[0]) & (points["drop"] == key[1])].sort_values("skips")
        if own.empty:
            continue
        ax.errorbar(
            100 * own.skips, own.error, error_bars(own), label=look.label, color=look.colour,
            marker=look.marker, markersize=4, linewidth=1, capsize=2,
        )  # fmt: skip
    ax.set(xlabel="skips (% of the edges)", ylabel="validation error (%)", yscale="log")
    ax.set_yticks([10, 20, 50, 90], ["10", "20", "50", "90"])
    ax.minorticks_off()
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xticks([0, 1, 3, 10], ["0", "1", "3", "10"])
    ax.set_xlim(-0.3, 14)


def places(ax: Axes, grown: pd.DataFrame) -> None:
    """A bar of the places of skips for every grown network."""
    left = np.zeros(len(grown))
    whole = grown[list(PLACES)].sum(axis=1).to_numpy()
    for colour, name in zip(PALETTE, PLACES, strict=False):
        width = 100 * grown[name].to_numpy() / whole
        ax.barh(range(len(grown)), width, left=left, color=colour, label=name, height=0.7)
        left += width
    told = [f"{row.network}, {RECIPE_SHORT[row.recipe]},\n{row.kind}" for row in grown.itertuples()]
    ax.set_yticks(range(len(grown)), told, fontsize=6)
    ax.set(xlabel="places of the skips (%)", xlim=(0, 100))
    ax.invert_yaxis()
    ax.legend(loc="lower center", bbox_to_anchor=(0.4, 1), ncols=2, fontsize=6)


def draw(points: pd.DataFrame) -> Figure:
    """Errors on the left, places on the right."""
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 0.6 * PAGE))
    # The network and the recipe of most settings.
    network, recipe = points.value_counts(["network", "recipe"]).index[0]
    errors(axes[0], points[(points.network == network) & (points.recipe == recipe)])
    axes[0].set_title(f"{network}, {recipe}")
    grown = points[points.kind.isin((BY_CORRECTION, BY_CHANCE)) & (points["drop"] == "random")]
    most = grown[grown.share == grown.share.max()]
    order = ["recipe", "network", "kind"]
    places(axes[1], most.sort_values(order, ascending=[True, False, True]))
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return fig


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=Path, default=RESULTS / "grown" / "runs.csv",
                        help="table that the study was exported to")  # fmt: skip
    found = parser.parse_args()
    use_style()
    points = settings(read_table(found.runs, COLUMNS, REMEDY))
    for row in points.itertuples():
        print(
            f"{row.network}, {row.recipe}, {row.kind}, {row.drop} dropped, p = {row.p:g}, "
            f"share {row.share:g}: {row.error:.2f} % ({row.low:.2f} to {row.high:.2f}, "
            f"{row.seeds} seeds), skips {100 * row.skips:.2f} %, hops {row.hops:.2f}"
        )
    for path in save(draw(points), found.out, "growing"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
