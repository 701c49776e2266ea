"""Figure 4: RMS correction of every layer pair during training, one panel per network.

    python figures/figure4.py                   from the tables under results/
    python figures/figure4.py --runs DIR...     from run folders

In the first epoch a centred moving average over 11 batches, as in the paper; later means of an
epoch. Lines are geometric means over seeds, bands, of adjacent layers alone, reach from the lowest
to the highest seed. The time axis is logarithmic, because most happens early.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from networks import (
    band_key,
    corrections,
    curves,
    look,
    mean_and_range,
    networks_of,
    options,
    pair_legend,
)
from tabulate import tabulate

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.plots import correction_lines, layer_colours
from smallworld_eqprop.studies.style import LIGHT, PAGE, save, use_style

# The paper's five panels, row by row.
PANELS = (
    ("layered-3x500", "layered-3x500-per-layer", "rewired-3x500"),
    ("layered-5x100", "rewired-5x100"),
)


def draw(table: pd.DataFrame, history: pd.DataFrame, networks: Sequence[str]) -> Figure:
    """Draw up to three panels a row; all share the axis of the correction."""
    shown = table[table.network.isin(networks)]
    rows = arranged(networks)
    columns = max(len(row) for row in rows)
    fig, axes = plt.subplots(
        len(rows),
        columns,
        figsize=(PAGE * max(columns, 2) / 3, 0.5 + 2.2 * len(rows)),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    colours = layer_colours(shown.pair)
    for row, names in zip(axes, rows, strict=True):
        row[0].set_ylabel("RMS weight correction")
        for ax, network in zip(row, names, strict=False):
            correction_lines(ax, shown[shown.network == network], colours)
            ax.set_title(_title(network, first_and_last(history, network)), fontsize=7)
        for ax in row[len(names) :]:
            ax.remove()
    axes[0, 0].set_xlim(1, 1.1 * shown.batch.max())
    for column in range(columns):
        lowest = [row[column] for row in axes if row[column].figure][-1]
        lowest.set_xlabel("batch")
        lowest.xaxis.set_tick_params(labelbottom=True)
    more = {"end of the first epoch": Line2D([], [], color=LIGHT, linewidth=0.8)}
    if shown.groupby("network").seed.nunique().max() > 1:
        more |= band_key()
    pair_legend(fig, colours, shown.kind, ncols=4 if columns > 2 else 2, more=more)
    return fig


def arranged(networks: Sequence[str]) -> list[list[str]]:
    """Rows of panels: the paper's, where all networks are in the paper, else three a row."""
    if set(networks) <= set(sum(PANELS, ())):
        rows = [[name for name in row if name in networks] for row in PANELS]
        return [row for row in rows if row]
    return [list(networks[start : start + 3]) for start in range(0, len(networks), 3)]


def first_and_last(history: pd.DataFrame, network: str) -> pd.DataFrame:
    """Rows of a network in the first epoch and in the last one, if possible of several seeds."""
    own = history[history.network == network]
    seeds = own.groupby("epoch").seed.nunique()
    several = seeds.index[seeds > 1]
    last = several.max() if len(several) else seeds.index.max()
    return own[own.epoch.isin([seeds.index.min(), last])]


def spreads(history: pd.DataFrame, networks: Sequence[str]) -> pd.DataFrame:
    """How uneven training is in these epochs: mean and range over seeds of the log-spread."""
    rows = []
    for network in networks:
        for epoch, seeds in first_and_last(history, network).groupby("epoch"):
            row = {"network": network, "seeds": len(seeds), "epoch": epoch}
            row["all pairs"] = mean_and_range(seeds.log_spread)
            row["adjacent pairs"] = mean_and_range(seeds.log_spread_interlayer)
            rows.append(row)
    return pd.DataFrame(rows)


def _title(network: str, history: pd.DataFrame) -> str:
    """Name, number of seeds that got so far, and log-spread at the beginning and then."""
    epochs = history.groupby("epoch").log_spread.agg(["size", "mean"])
    seeds = epochs["size"].iloc[-1]
    values = (f"{mean:.2f}" for mean in epochs["mean"])
    return (
        f"{look(network).label} ({seeds} seed{'' if seeds == 1 else 's'})\n"
        f"log-spread {' → '.join(values)} (epoch {' → '.join(map(str, epochs.index))})"
    )


def main() -> None:
    found = options(__doc__)
    use_style()
    table, history = corrections(found), curves(found)
    networks = networks_of(table)
    if not found.runs:
        # Whatever else the tables hold, by default the figure is the paper's.
        papers = [name for name in networks if name in sum(PANELS, ())]
        networks = papers or networks
    for path in save(draw(table, history, networks), found.out, "figure4"):
        print(path)
    table = spreads(history, networks)
    print(tabulate(table, "keys", "github", disable_numparse=True, showindex=False))


if __name__ == "__main__":
    sys.exit(exit_status(main))
