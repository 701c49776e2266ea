"""Pictures of a run: its learning curves, and the corrections of its layer pairs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from smallworld_eqprop.studies import tidy
from smallworld_eqprop.studies.outcomes import measured_errors
from smallworld_eqprop.studies.record import Run

__all__ = [
    "MEANINGS",
    "STYLES",
    "correction_line",
    "correction_lines",
    "layer_colours",
    "pair_handles",
    "plot_corrections",
    "plot_errors",
    "running_error",
]

STYLES: Mapping[str, dict[str, Any]] = {
    "interlayer": {"linestyle": "-", "linewidth": 1.0, "zorder": 3},
    "intralayer": {"linestyle": (0, (4, 1.5)), "linewidth": 0.8, "zorder": 2},
    "skip": {"linestyle": (0, (1, 1.2)), "linewidth": 0.6, "zorder": 1},
}
MEANINGS = {
    "interlayer": "from the layer before",
    "intralayer": "inside the layer",
    "skip": "from farther back",
}

#: Colour, line and marker of every error.
CURVES = {
    "training": ("C0", "-", "o"),
    "test": ("C1", "--", "s"),
    "validation": ("C2", "--", "^"),
}

#: Points of the first epoch that are drawn, evenly on the logarithmic axis.
POINTS = 80
#: Up to this many epochs, the training error is shown as it falls within them.
SHORT = 3
#: Batches of the moving mean of the training error within an epoch.
SMOOTHED = 100


def plot_errors(run: Run, ax: Axes | None = None) -> Axes:
    """Draw the learning curves of a run: training solid, test and validation dashed.

    Of up to three epochs the training error is drawn as it falls within them too, as the mean over
    the hundred batches around each.

    Parameters
    ----------
    run : Run
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Its y axis shows percent of examples, for regression mean costs; it is logarithmic where
        the error falls to a fifth or less.

    Raises
    ------
    InputError
        If no epoch is finished.
    """
    ax = _axes(ax)
    history = run.history
    regression = run.config.regression
    factor = 1 if regression else 100
    short = len(history) <= SHORT
    if short:
        ax.plot(*running_error(run), color="C0", linewidth=0.9, alpha=0.6)
    shown = measured_errors(history)
    for what in shown:
        colour, line, marker = CURVES[what]
        values = factor * history[f"{what}_error"]
        # An error of 0 has no place on a logarithmic axis; the curve has a gap there.
        values = values.where((values > 0) | short)
        label = "training (online)" if what == "training" else what
        ax.plot(
            history["epoch"],
            values,
            color=colour,
            linestyle=line,
            marker=marker,
            markersize=3.5,
            label=label,
        )
    errors = history[[f"{what}_error" for what in shown]].to_numpy()
    positive = errors[errors > 0]
    if not short and positive.size and positive.max() > 5 * positive.min():
        ax.set_yscale("log")
        ax.autoscale(axis="y")  # an axis that is shared may begin at 0 already
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=20))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    elif ax.get_yscale() == "linear":
        ax.set_ylim(bottom=0)
    ax.set(xlabel="epoch", ylabel="mean cost" if regression else "error (%)")
    ax.set_xlim(0, 1.02 * len(history))
    ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    ax.legend()
    return ax


def running_error(run: Run) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Training error within the epochs: the mean over the hundred batches around each.

    Parameters
    ----------
    run : Run

    Returns
    -------
    epoch, error : ndarray, shape (n_batches,)
        Time in epochs, and percent of examples (for regression the mean cost).
    """
    size = run.config.training.batch_size
    n_train = run.record["dataset"]["n_train"] - run.config.training.validation
    n_batches = -(-n_train // size)
    errors = (1 if run.config.regression else 100) * run.errors().astype(float) / size
    # The last batch of an epoch may be smaller.
    errors[n_batches - 1 :: n_batches] *= size / (n_train - (n_batches - 1) * size)
    window = min(SMOOTHED, n_batches)
    mean = pd.Series(errors).rolling(window, center=True, min_periods=window // 2).mean()
    return (np.arange(len(errors)) + 0.5) / n_batches, mean.to_numpy()


def plot_corrections(run: Run, ax: Axes | None = None) -> Axes:
    """Draw the RMS correction of every layer pair of a run, as in figure 4 of the paper.

    In the first epoch a centred moving average over 11 batches; later means of an epoch. Lines of
    one height mean layers that train alike.

    Parameters
    ----------
    run : Run
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        If no epoch is finished.

    References
    ----------
    Gammell, Buckley, Nam and McCaughan, Front. Comput. Neurosci. 15:627357 (2021),
    doi:10.3389/fncom.2021.627357, figure 4.
    """
    ax = _axes(ax)
    table = tidy.corrections([run], every=1)
    colours = layer_colours(table["pair"])
    correction_lines(ax, table, colours)
    ax.set(xlabel="batch", ylabel="RMS weight correction")
    handles = pair_handles(colours, run.kinds, mpl.rcParams["text.color"])
    handles["end of the first epoch"] = Line2D([], [], color="0.82", linewidth=0.8)
    ax.legend(handles.values(), handles.keys(), loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def correction_lines(ax: Axes, table: pd.DataFrame, colours: Sequence[Any]) -> None:
    """Draw a line per layer pair into axes that become logarithmic, unless all corrections are 0.

    Lines are geometric means over seeds. Bands, of adjacent layers alone, reach from the lowest
    to the highest seed.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    table : DataFrame
        As `tidy.corrections` gives it, of one network.
    colours : sequence of colour
        Of every layer after the input.
    """
    batches = np.sort(table.batch[table.epoch == 1].unique())
    ax.axvline(batches[-1], color="0.82", linewidth=0.8, zorder=0)
    # As dense on a logarithmic axis everywhere.
    wanted = batches[np.searchsorted(batches, np.geomspace(1, batches[-1], POINTS))]
    sampled = table[(table.epoch > 1) | table.batch.isin(wanted)]
    changed = bool((sampled.rms > 0).any())
    for (pair, kind), curve in sampled.groupby(["pair", "kind"], sort=False):
        # A pair that did not change has no place on a logarithmic axis.
        values = curve.rms.where(curve.rms > 0) if changed else curve.rms
        colour = colours[_upper(str(pair)) - 1]
        correction_line(ax, values, curve.batch, colour, str(kind), label=pair)
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(numticks=8))
    if changed:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(numticks=8))


def correction_line(
    ax: Axes, rms: pd.Series, x: pd.Series, colour: Any, kind: str, **style: Any
) -> None:
    """Draw the geometric mean over seeds, and between adjacent layers also their range.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
    rms : Series
        RMS corrections of one layer pair, a value for every seed and place.
    x : Series
        Their places on the axis, with the same index.
    colour : colour
    kind : str
        A key of `STYLES`.
    **style
        Of the line, beside that of its kind.
    """
    with np.errstate(divide="ignore"):
        seeds = np.exp(np.log(rms).groupby(x).agg(["mean", "min", "max"]))
    ax.plot(seeds.index, seeds["mean"], color=colour, **STYLES[kind], **style)
    if kind == "interlayer" and (seeds["min"] < seeds["max"]).any():
        ax.fill_between(
            seeds.index, seeds["min"], seeds["max"], color=colour, alpha=0.2, linewidth=0
        )


def layer_colours(pairs: Iterable[str]) -> list[str]:
    """Colour of every layer but the inputs, light to dark from input to output."""
    depth = max(map(_upper, pairs))
    # The yellow end is too pale for paper.
    return [to_hex(mpl.colormaps["viridis_r"](n / (depth + 2))) for n in range(2, depth + 2)]


def pair_handles(
    colours: Sequence[Any], kinds: Iterable[str], ink: Any = "0.2"
) -> dict[str, Line2D]:
    """Legend entries by text: colours by layer, and line styles by kind of pair."""
    handles = {
        f"into layer {layer}": Line2D([], [], color=colour, linewidth=2)
        for layer, colour in enumerate(colours, start=1)
    }
    present = set(kinds)
    for kind, style in STYLES.items():
        if kind in present:
            handles[MEANINGS[kind]] = Line2D([], [], color=ink, **style)
    return handles


def _upper(pair: str) -> int:
    """The layer of a pair that is nearer the output."""
    return int(pair.split("-")[1])


def _axes(ax: Axes | None) -> Axes:
    if ax is None:
        return plt.subplots(figsize=(6.4, 4.0), layout="constrained")[1]
    return ax
