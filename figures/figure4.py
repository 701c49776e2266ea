"""Figure 4: RMS correction of every layer pair against the batch, one panel per network.

python figures/figure4.py --runs DIR... --out DIR
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from networks import look, options
from style import PAGE, save, use_style

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.runs import Run

# Points of the centred moving average, as in the paper.
SMOOTHED = 11
# More points than this per curve no printer shows.
POINTS = 3000

STYLES = {
    "interlayer": {"linestyle": "-", "linewidth": 0.9, "zorder": 3},
    "intralayer": {"linestyle": (0, (4, 1.5)), "linewidth": 0.7, "zorder": 2},
    "skip": {"linestyle": (0, (1, 1.2)), "linewidth": 0.5, "zorder": 1},
}
MEANINGS = {
    "interlayer": "from the layer before",
    "intralayer": "inside the layer",
    "skip": "from farther back",
}


def draw(runs: Sequence[Run]) -> Figure:
    """Draw up to three panels a row; all share the axis of the correction."""
    columns = min(len(runs), 3)
    rows = -(-len(runs) // columns)
    fig, axes = plt.subplots(
        rows,
        columns,
        figsize=(PAGE * max(columns, 2) / 3, 0.4 + 2.1 * rows),
        sharey=True,
        squeeze=False,
    )
    depth = max(len(run.config.topology.layer_sizes) for run in runs)
    # Light to dark from input to output; the yellow end is too pale for paper.
    colours = sns.color_palette("viridis_r", depth)[1:]
    for ax, run in zip(axes.flat, runs, strict=False):
        _panel(ax, run, colours)
    for ax in axes.flat[len(runs) :]:
        ax.set_axis_off()
    for ax in axes[:, 0]:
        ax.set_ylabel("RMS weight correction")
    kinds = {kind for run in runs for kind in run.kinds}
    _legend(fig, colours, [kind for kind in STYLES if kind in kinds], 4 if columns > 2 else 2)
    return fig


def _panel(ax: Axes, run: Run, colours: Sequence) -> None:
    corrections = pd.DataFrame(run.corrections(), columns=run.pairs)
    window = min(SMOOTHED, len(corrections))
    mean = corrections.rolling(window, center=True, min_periods=1).mean()
    mean = mean.iloc[:: -(-len(mean) // POINTS)]
    for pair, kind in zip(run.pairs, run.kinds, strict=True):
        layer = int(pair.split("-")[1])
        # A pair that did not change has no place on a logarithmic axis.
        values = mean[pair].where(mean[pair] > 0)
        ax.plot(mean.index, values, color=colours[layer - 1], label=pair, **STYLES[kind])
    spread = run.history.log_spread.iloc[-1]
    ax.set(yscale="log", xlabel="batch", xlim=(0, len(corrections)))
    ax.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    title = look(run)[0]
    if np.isfinite(spread):
        title += f"\nlog-spread {spread:.2f}"
    ax.set_title(title)


def _legend(fig: Figure, colours: Sequence, kinds: Sequence[str], ncols: int) -> None:
    handles = {
        f"into layer {layer}": Line2D([], [], color=colour, linewidth=2)
        for layer, colour in enumerate(colours, start=1)
    }
    for kind in kinds:
        handles[MEANINGS[kind]] = Line2D([], [], color="0.2", **STYLES[kind])  # type: ignore[arg-type]
    fig.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=ncols, handlelength=2.6
    )


def main() -> None:
    found = options(__doc__)
    use_style()
    for path in save(draw([Run(folder) for folder in found.runs]), found.out, "figure4"):
        print(path)


if __name__ == "__main__":
    sys.exit(exit_status(main))
