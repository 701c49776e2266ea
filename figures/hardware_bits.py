"""Test error against bits of readings, steps and weights, and against noise, mismatch and drift.

    python analysis/bits.py
    python figures/hardware_bits.py --out DIR

One panel per factor. Points are means over seeds, bands reach from the lowest to the highest seed,
dotted lines are the same networks with ideal devices.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator
from networks import RESULTS, Look, arguments, read_table

from smallworld_eqprop import InputError
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.style import PAGE, PALETTE, lighter, save, use_style

COLUMNS = ("recipe", "p", "factor", "level", "seed", "error")
REMEDY = "make it with analysis/bits.py, see this script's first lines"
IDEAL = "ideal"
#: Label of the axis of every factor, and whether its levels are far apart.
FACTORS = {
    "read bits": ("bits of a reading", False),
    "step bits": ("bits of a step, nearest", False),
    "step bits, stochastic": ("bits of a step, stochastic", False),
    "weight bits": ("bits of a weight", False),
    "read noise": ("noise of a reading", True),
    "mismatch": ("mismatch of nodes", True),
    "drift": ("exponent of drift", True),
}
RECIPES = {
    "one gain": Look("one gain", PALETTE[0], "o"),
    "hops, gains per hop": Look("hops, gains per hop", PALETTE[2], "s"),
    "layers, gains per layer": Look("layers, gains per layer", PALETTE[3], "^"),
    "Adam": Look("Adam", PALETTE[9], "D"),
    "hops, Adam": Look("hops, Adam", PALETTE[5], "P"),
    "layers, Adam": Look("layers, Adam", PALETTE[4], "v"),
}
COLUMNS_OF_PANELS = 4
TICKS = (2, 3, 5, 10, 20, 30, 50, 100)


def look(recipe: str, p: float, usual: float) -> Look:
    """How to show a recipe; the more unusual its share of skips, the lighter."""
    known = RECIPES.get(recipe, Look(recipe, "0.2", "*"))
    share = 0.0 if p == usual else 0.35 if p > usual else 0.55 if p else 0.8
    return Look(f"{known.label}, p = {p:g}", lighter(known.colour, share), known.marker)


def draw(table: pd.DataFrame) -> Figure:
    """Draw a panel for every factor in the table, and the legend in the place after them."""
    factors = [name for name in FACTORS if name in set(table.factor)]
    n_rows = -(-(len(factors) + 1) // COLUMNS_OF_PANELS)
    n_columns = min(len(factors) + 1, COLUMNS_OF_PANELS)
    fig, axes = plt.subplots(
        n_rows, n_columns, figsize=(PAGE * n_columns / COLUMNS_OF_PANELS, 2.1 * n_rows),
        sharey=True, squeeze=False,
    )  # fmt: skip
    handles: dict[str, object] = {}
    for ax, factor in zip(axes.flat, factors, strict=False):
        for label, handle in _panel(ax, table, factor):
            handles.setdefault(label, handle)
    for ax in axes.flat[len(factors) :]:
        ax.set_axis_off()
    for row in axes:
        row[0].set_ylabel("test error (%)")
    axes.flat[len(factors)].legend(handles.values(), handles.keys(), loc="center", borderpad=0)
    shown = table[table.factor.isin([*factors, IDEAL])].error
    axes[0, 0].set(yscale="log", ylim=(0.85 * shown.min(), 1.15 * shown.max()))
    axes[0, 0].yaxis.set_minor_locator(NullLocator())
    axes[0, 0].set_yticks([t for t in TICKS if 0.85 * shown.min() <= t <= 1.15 * shown.max()])
    axes[0, 0].yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return fig


def _panel(ax: Axes, table: pd.DataFrame, factor: str) -> list[tuple[str, object]]:
    """The curves of one factor."""
    label, far_apart = FACTORS[factor]
    own = table[table.factor == factor]
    ideal = table[table.factor == IDEAL].groupby(["recipe", "p"]).error.mean()
    found = []
    order = {name: place for place, name in enumerate(RECIPES)}
    settings = sorted(own.groupby(["recipe", "p"]), key=lambda each: order.get(each[0][0], 99))
    for (recipe, p), runs in settings:
        # The paper's p of one gain is the usual one; a layered network has 0 by its nature.
        shown = look(recipe, p, p if recipe != "one gain" else 0.1)
        by_level = runs.groupby("level").error.agg(["mean", "min", "max"])
        ax.fill_between(
            by_level.index, by_level["min"], by_level["max"], color=shown.colour, alpha=0.2,
            linewidth=0,
        )  # fmt: skip
        (line,) = ax.plot(
            by_level.index,
            by_level["mean"],
            color=shown.colour,
            marker=shown.marker,
            markersize=3.5,
        )
        if (recipe, p) in ideal.index:
            ax.axhline(ideal[recipe, p], color=shown.colour, linestyle=":", linewidth=0.7)
        found.append((shown.label, line))
    ax.set_xlabel(label)
    if far_apart:
        ax.set_xscale("log")
    ax.set_xticks(sorted(own.level.unique()))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    return found


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("--levels", type=Path, default=RESULTS / "hardware_bits" / "levels.csv",
                        help="table of analysis/bits.py")  # fmt: skip
    found = parser.parse_args()
    use_style()
    table = read_table(found.levels, COLUMNS, REMEDY)
    if not set(FACTORS) & set(table.factor):
        raise InputError(f"{found.levels}: ideal runs only; no device was tried yet")
    for path in save(draw(table), found.out, "hardware_bits"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
