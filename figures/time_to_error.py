"""Test error against the time that training has taken: the paper's recipe and weak feedback.

    python figures/time_to_error.py                   benchmarks/time_to_accuracy.py's last table
    python figures/time_to_error.py --runs DIR...     from run folders

Of run folders the time is that of the machine they ran on. Of the table it is a share of the time
that the PyTorch peer takes to 6 %, in the same run of the benchmark.
"""

from __future__ import annotations

import argparse
import sys

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from networks import Look, look, options, read_table

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.style import COLUMN, PALETTE, save, use_style

OTHERS = {
    "peer": Look("layer-wise PyTorch peer", "0.5", "d"),
    "weak-feedback-3x500": Look("layered, weak feedback", PALETTE[3], "h"),
    "weak-feedback-rewired-3x500": Look("rewired, weak feedback", PALETTE[7], "p"),
}
COLUMNS = ("network", "time", "test_error")
REMEDY = "make it with benchmarks/time_to_accuracy.py"


def of_runs(found: argparse.Namespace) -> pd.DataFrame:
    """Time in minutes and test error after every epoch of some runs."""
    parts = [
        pd.DataFrame(
            {
                "network": run.config.name,
                "time": run.history.seconds.cumsum() / 60,
                "test_error": run.history.test_error,
            }
        )
        for run in found.runs
    ]
    return pd.concat(parts)


def draw(table: pd.DataFrame, unit: str) -> Figure:
    """Draw one curve per network, both axes logarithmic."""
    fig, ax = plt.subplots(figsize=(1.4 * COLUMN, COLUMN))
    for network in dict.fromkeys(table.network):
        label, colour, marker, _ = OTHERS.get(network) or look(network)
        curve = table[table.network == network]
        ax.plot(
            curve.time, 100 * curve.test_error, label=label, color=colour, marker=marker,
            markersize=4,
        )  # fmt: skip
    ax.set(xscale="log", yscale="log", xlabel=unit, ylabel="test error (%)")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    fig.legend(loc="outside lower center", ncols=2)
    return fig


def main() -> None:
    found = options(__doc__)
    use_style()
    if found.runs:
        table, unit = of_runs(found), "time of training (minutes)"
    else:
        table = read_table(found.results / "time_to_accuracy.csv", COLUMNS, REMEDY)
        unit = "time, divided by that of the peer to 6 %"
    for path in save(draw(table, unit), found.out, "time_to_error"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
