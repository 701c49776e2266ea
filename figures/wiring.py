"""Test error against the length of all wires, for skips at different places.

    smallworld-eqprop sweep analysis/studies/wiring.toml
    smallworld-eqprop export runs/wiring.sqlite --out results/wiring
    python figures/wiring.py --out DIR

Every network has the same number of edges. A point is the mean over seeds of one share of moved
edges, its bar reaches from the lowest to the highest seed. The line joins the networks to which no
other is better in both: shorter wires and a lower error.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from networks import RESULTS, Look, arguments, error_bars, read_table

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.style import COLUMN, GREY, LIGHT, PALETTE, save, use_style

LAYERED = "layered"
PLACES = {
    LAYERED: Look("no skips", GREY, "o"),
    "skip": Look("between any layers", PALETTE[0], "s"),
    "output": Look("to the outputs", PALETTE[1], "^"),
    "short": Look("over one layer", PALETTE[2], "D"),
    "hub": Look("to a few hubs", PALETTE[4], "P"),
}
COLUMNS = ("p", "places", "seed", "final_test_error", "metric_wire_length")
REMEDY = "make it with analysis/studies/wiring.toml, see this script's first lines"


def settings(runs: pd.DataFrame) -> pd.DataFrame:
    """Wire length and mean, lowest and highest error in % of every place and share of edges."""
    runs = runs.assign(
        places=runs.places.where(runs.p > 0, LAYERED), error=100 * runs.final_test_error
    )
    grouped = runs.groupby(["places", "p"], sort=False)
    return grouped.agg(
        length=("metric_wire_length", "mean"),
        error=("error", "mean"),
        low=("error", "min"),
        high=("error", "max"),
    ).reset_index()


def front(points: pd.DataFrame) -> pd.DataFrame:
    """The points to which no other has both shorter wires and a lower error, by length."""
    points = points.sort_values(["length", "error"])
    before = points.error.cummin().shift(fill_value=np.inf)
    return points[points.error < before]


def draw(points: pd.DataFrame) -> Figure:
    """Draw every setting, and the front."""
    fig, ax = plt.subplots(figsize=(1.4 * COLUMN, COLUMN))
    shortest = points.length.min()
    best = front(points)
    ax.plot(best.length / shortest, best.error, color=LIGHT, linewidth=3, zorder=0)
    for places, (label, colour, marker, _) in PLACES.items():
        found = points[points.places == places].sort_values("p")
        if found.empty:
            continue
        ax.errorbar(
            found.length / shortest, found.error, error_bars(found), label=label, color=colour,
            marker=marker, markersize=4, linewidth=0.8, capsize=2,
        )  # fmt: skip
        for row in found[found.p > 0].itertuples():
            place = (row.length / shortest, row.error)
            ax.annotate(f"{row.p:g}", place, (3, 3), textcoords="offset points", fontsize=6)
    ax.set(
        xlabel="length of all wires (layered network: 1)", ylabel="test error (%)",
        ylim=(0, None),
    )  # fmt: skip
    fig.legend(loc="outside lower center", ncols=3)
    return fig


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--runs", type=Path, default=RESULTS / "wiring" / "runs.csv",
                        help="table that the study was exported to")  # fmt: skip
    found = parser.parse_args()
    use_style()
    points = settings(read_table(found.runs, COLUMNS, REMEDY))
    best = front(points)
    for row in best.itertuples():
        print(f"{row.places} p = {row.p:g}: {row.length:,.0f} pitches, {row.error:.2f} %")
    for path in save(draw(points), found.out, "wiring"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
