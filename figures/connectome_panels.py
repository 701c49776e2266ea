"""Two connectomes beside their null models: structure and training.

    python figures/connectome_panels.py --out DIR

Draws the table of analysis/connectome_nulls.py: one row per connectome, one panel per measure.
Dots are samples of the null models, the line is the connectome.
"""

from __future__ import annotations

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from networks import RESULTS, arguments, read_table

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.style import PAGE, PALETTE, save, use_style

COLUMNS = ("connectome", "null", "sample", "measure", "value")
REMEDY = "make it with analysis/connectome_nulls.py"
ITSELF = "itself"
NAMES = {"fly": "mushroom body of a fly", "brain": "cortex of a primate"}
MEASURES = {
    "C": "clustering",
    "C_weighted": "clustering, weighted",
    "wiring_length": "wiring length (mm)",
    "final_test_error": "test error",
    "final_training_cost": "training cost",
}
# Half the width over which the dots of one null model are spread.
SPREAD = 0.25


def draw(table: pd.DataFrame) -> Figure:
    """Draw all measures of the table that have a panel, one row per connectome."""
    table = table[table.measure.isin(MEASURES)]
    connectomes = list(table.connectome.unique())
    nulls = [null for null in table.null.unique() if null != ITSELF]
    colours = dict(zip(nulls, PALETTE, strict=False))
    measures = [name for name in MEASURES if name in set(table.measure)]
    fig, axes = plt.subplots(
        len(connectomes),
        len(measures),
        figsize=(PAGE, 1.6 * len(connectomes) + 0.5),
        squeeze=False,
    )
    for row, connectome in zip(axes, connectomes, strict=True):
        own = table[table.connectome == connectome]
        row[0].set_ylabel(NAMES.get(connectome, connectome))
        drawn = {null: colours[null] for null in nulls if null in set(own.null)}
        for ax, measure in zip(row, measures, strict=True):
            _panel(ax, own[own.measure == measure], drawn)
    for ax, measure in zip(axes[0], measures, strict=True):
        ax.set_title(MEASURES[measure])
    handles = [
        plt.Line2D(
            [], [], color=colour, marker="o", markersize=3, linestyle="",
            label=null.replace("_", " "),
        )
        for null, colour in colours.items()
    ]  # fmt: skip
    handles.append(plt.Line2D([], [], color="black", label="connectome"))
    fig.legend(handles=handles, loc="outside lower center", ncols=3)
    return fig


def _panel(ax: Axes, part: pd.DataFrame, nulls: dict[str, object]) -> None:
    """The samples of every null model, each in its place and colour, and the connectome across."""
    ax.set_xticks([])
    ax.set_xlim(-0.6, len(nulls) - 0.4)
    if part.empty:
        ax.set_axis_off()
        return
    for place, (null, colour) in enumerate(nulls.items()):
        values = part[part.null == null].value.to_numpy()
        across = place + np.linspace(-SPREAD, SPREAD, len(values))
        ax.plot(across, values, "o", color=colour, markersize=1.8, markeredgewidth=0)
    for value in part[part.null == ITSELF].value:
        ax.axhline(value, color="black", linewidth=0.8)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument(
        "--results",
        type=Path,
        default=RESULTS / "connectomes",
        metavar="DIR",
        help="folder of the table",
    )
    found = parser.parse_args()
    use_style()
    table = read_table(found.results / "nulls.csv", COLUMNS, REMEDY)
    for path in save(draw(table), found.out, "connectomes"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
