"""Figure 3: learning curves, test error dashed and training error solid, beside the published.

python figures/figure3.py --runs DIR... --out DIR
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from networks import look, options, published_curves
from style import COLUMN, GREY, save, use_style

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.runs import Run

# Up to this many epochs, the training error is shown as it falls within them.
SHORT = 3
# Batches of the moving mean of the training error within an epoch.
SMOOTHED = 100


def draw(runs: Sequence[Run], published: pd.DataFrame) -> Figure:
    fig, ax = plt.subplots(figsize=(1.35 * COLUMN, 1.15 * COLUMN))
    last = max(len(run.history) for run in runs)
    short = last <= SHORT
    shown: dict[str, Line2D] = {}
    for run in runs:
        label, colour, marker, name = look(run)
        curve = published[(published.network == name) & (published.epoch <= last)]
        style = {"color": GREY, "marker": marker, "linewidth": 0.7, "zorder": 1}
        _errors(ax, curve, short, style)
        style = {"color": colour, "marker": marker, "linewidth": 1.1, "zorder": 3}
        _errors(ax, run.history, short, style)
        if short:
            _within_epochs(ax, run, colour)
        shown[label] = Line2D([], [], color=colour, marker=marker, markersize=4)
    ax.set(xlabel="epoch", ylabel="error (%)", xlim=(0 if short else 1, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if short:
        ax.set_ylim(0, 100)
        ax.set_xlim(0, last + 0.08)
    else:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    _legend(fig, shown, short, not published.empty)
    return fig


def _errors(ax: Axes, history: pd.DataFrame, short: bool, style: dict) -> None:
    """One value per epoch: markers alone where there are few."""
    every = max(1, len(history) // 8)
    for column, line, fill in (
        ("training_error", "-", style["color"]),
        ("test_error", "--", "white"),
    ):
        # A training error of 0 has no place on a logarithmic axis; the curve ends before it.
        percent = (100 * history[column]).where(lambda error: (error > 0) | short)
        ax.plot(
            history.epoch,
            percent,
            linestyle="" if short else line,
            markersize=5 if short else 3,
            markerfacecolor=fill,
            markeredgewidth=0.9,
            markevery=1 if short else every,
            clip_on=not short,
            **style,
        )


def _within_epochs(ax: Axes, run: Run, colour: object) -> None:
    size = run.config.training.batch_size
    n_train = run.record["dataset"]["n_train"]
    errors = 100 * run.errors() / size
    n_batches = -(-n_train // size)
    errors[n_batches - 1 :: n_batches] *= size / (n_train - (n_batches - 1) * size)
    window = min(SMOOTHED, n_batches)
    mean = pd.Series(errors).rolling(window, center=True, min_periods=window // 2).mean()
    epoch = (np.arange(len(errors)) + 0.5) / n_batches
    ax.plot(epoch, mean, color=colour, linewidth=1.1, zorder=2)


def _legend(fig: Figure, shown: dict[str, Line2D], short: bool, published: bool) -> None:
    def key(**style: object) -> Line2D:
        return Line2D([], [], **{"color": "0.2", "markersize": 4, **style})  # type: ignore[arg-type]

    if short:
        shown[f"training, mean of {SMOOTHED} batches"] = key(linestyle="-")
        shown["training, mean of the epoch"] = key(linestyle="", marker="o")
        shown["test, after the epoch"] = key(linestyle="", marker="o", markerfacecolor="white")
        grey = key(linestyle="", marker="o", color=GREY)
    else:
        shown["training (online)"] = key(linestyle="-", marker="o")
        shown["test"] = key(linestyle="--", marker="o", markerfacecolor="white")
        grey = key(linestyle="-", linewidth=0.7, color=GREY)
    if published:
        shown["published (2021)"] = grey
    fig.legend(shown.values(), shown.keys(), loc="outside lower center", ncols=2)


def main() -> None:
    found = options(__doc__)
    use_style()
    runs = [Run(folder) for folder in found.runs]
    # The five-layer networks are no part of this figure.
    chosen = [run for run in runs if "5x100" not in run.config.name] or runs
    for path in save(draw(chosen, published_curves()), found.out, "figure3"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
