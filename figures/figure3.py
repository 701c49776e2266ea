"""Figure 3: learning curves, one panel for the training error and one for the test error.

    python figures/figure3.py                   from the tables under results/
    python figures/figure3.py --runs DIR...     from run folders

Lines are means over seeds, bands reach from the lowest to the highest seed, and the published
curves are paler. The test error, which jumps from one epoch to the next, is a moving median over
nine epochs. Without --runs, networks of the tables that end within three epochs are left out.

The five-layer networks, which the paper does not show here, get a figure of their own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from networks import (
    OTHERS_PUBLISHED,
    band_key,
    curves,
    look,
    mean_and_range,
    networks_of,
    options,
    published_curves,
)
from tabulate import tabulate

from smallworld_eqprop import Run
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies.plots import SHORT, SMOOTHED, running_error
from smallworld_eqprop.studies.style import COLUMN, PAGE, lighter, save, use_style

# The widest label that has room beside another in a figure of one panel.
WIDEST = 40
#: Epochs of the table.
TOLD = (1, 2, 5, 10, 20, 50)
#: Epochs of the moving median of the test error.
MEDIAN = 9
NAMES = {
    "training_error": "training error (%)",
    "test_error": f"test error (%), median over {MEDIAN} epochs",
}


def draw(table: pd.DataFrame, published: pd.DataFrame, runs: Sequence[Run] = ()) -> Figure:
    """Draw the curves of a table; `runs` show the first epochs batch by batch, if that is all."""
    last = int(table.epoch.max())
    short = last <= SHORT
    fig, axes = (_one_panel if short else _two_panels)(last)
    networks = networks_of(table)
    shown: dict[str, Line2D] = {}
    drawn = set()
    for number, network in enumerate(networks):
        label, colour, marker, name = look(network)
        style = {"color": colour, "marker": marker}
        # Markers of different networks at different epochs, so that none hides another.
        style["markevery"] = 1 if short else _marked(last, number, len(networks))
        if name not in drawn:
            curve = published[(published.network == name) & (published.epoch <= last)]
            pale = {**style, "color": lighter(colour), "linewidth": 0.9, "zorder": 1}
            _errors(axes, curve.assign(seed=0), short, pale)
            drawn.add(name)
        of_network = table[table.network == network]
        _errors(axes, of_network, short, {**style, "linewidth": 1.2, "zorder": 3})
        for run in runs if short else ():
            if run.config.name == network:
                axes["training_error"].plot(
                    *running_error(run), color=colour, linewidth=1.1, zorder=2
                )
        if not short or of_network.seed.nunique() > 1:
            label += f" ({reach(of_network)})"
        shown[label] = Line2D([], [], color=colour, marker=marker, markersize=4)
    if short:
        shown |= _keys_of_one_panel(bool(runs))
    elif table.groupby("network").seed.nunique().max() > 1:
        shown |= band_key()
    if drawn & set(published.network):
        line = "" if short else "-"
        told = "pale: published (2021)"
        if set(networks) & OTHERS_PUBLISHED:
            told += ", rewired with p = 10 %"
        shown[told] = _key(color=lighter("0.2"), linestyle=line, marker="o")
    widest = max(map(len, shown))
    fig.legend(
        shown.values(), shown.keys(), loc="outside lower center",
        ncols=1 if short and widest > WIDEST else 2, columnspacing=1.2,
    )  # fmt: skip
    return fig


def without_short(table: pd.DataFrame) -> pd.DataFrame:
    """The networks that were trained for more than three epochs, or all, if none was."""
    long = table.groupby("network").epoch.transform("max") > SHORT
    return table[long] if long.any() else table


def reach(table: pd.DataFrame) -> str:
    """How many seeds of a network run how far, the longest first.

    Examples
    --------
    >>> reach(pd.DataFrame({"seed": [0, 0, 0, 1, 1, 2, 3], "epoch": [1, 2, 3, 1, 2, 1, 1]}))
    '1 seed to epoch 3, 1 to 2, 2 to 1'
    """
    ends = table.groupby("seed").epoch.max().value_counts().sort_index(ascending=False)
    parts = [f"{number} to {end}" for end, number in ends.items()]
    number, _, end = parts[0].split()
    parts[0] = f"{number} {'seed' if number == '1' else 'seeds'} to epoch {end}"
    return ", ".join(parts)


def beside_published(table: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """Errors of every network in %, mean and range over seeds, and the published ones.

    Of some epochs: `TOLD`, then every fiftieth, and the last.
    """
    indexed = 100 * published.set_index(["network", "epoch"])[list(NAMES)]
    theirs = indexed.map("{:.2f}".format).to_dict("index")
    rows = []
    for network in networks_of(table):
        own = table[table.network == network]
        for epoch, seeds in own.groupby("epoch"):
            if not (epoch in TOLD or epoch % TOLD[-1] == 0 or epoch == own.epoch.max()):
                continue
            row = {"network": network, "seeds": len(seeds), "epoch": epoch}
            beside = theirs.get((look(network).published, epoch), {})
            for kind in NAMES:
                row[kind] = mean_and_range(100 * seeds[kind])
                row[f"{kind}_published"] = beside.get(kind, "")
            rows.append(row)
    return pd.DataFrame(rows)


def _marked(last: int, number: int, networks: int) -> tuple[int, int]:
    """First marked epoch and the step to the next, as matplotlib's markevery."""
    every = max(1, last // 8)
    return min(every * (number + 1) // (networks + 1), last - 1), every


def _one_panel(last: int) -> tuple[Figure, dict[str, Axes]]:
    fig, ax = plt.subplots(figsize=(1.4 * COLUMN, 1.25 * COLUMN))
    ax.set(xlabel="epoch", ylabel="error (%)", ylim=(0, 100), xlim=(0, last + 0.08))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return fig, dict.fromkeys(NAMES, ax)


def _two_panels(last: int) -> tuple[Figure, dict[str, Axes]]:
    fig, axes = plt.subplots(1, 2, figsize=(PAGE, 0.5 * PAGE))
    fig.get_layout_engine().set(w_pad=0.1)
    for ax, name in zip(axes, NAMES.values(), strict=True):
        ax.set(xlabel="epoch", ylabel=name, yscale="log", xlim=(0, 1.02 * last))
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        # The test error covers a decade, the training error several.
        subs = (1, 2, 3, 5) if name == NAMES["test_error"] else (1, 2, 5)
        ax.yaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
        ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        ax.yaxis.set_minor_formatter(NullFormatter())
    return fig, dict(zip(NAMES, axes, strict=True))


def _errors(axes: Mapping[str, Axes], table: pd.DataFrame, short: bool, style: dict) -> None:
    """Mean and range over the seeds of one network; markers alone where there are few epochs."""
    for column, ax in axes.items():
        by_seed = table.pivot(index="epoch", columns="seed", values=column)
        if column == "test_error" and not short:
            by_seed = (
                by_seed.rolling(MEDIAN, center=True, min_periods=1).median().where(by_seed.notna())
            )
        by_seed = _percent(by_seed, short)
        several = by_seed.count(axis=1) > 1
        low, high = by_seed[several].min(axis=1), by_seed[several].max(axis=1)
        band = {"color": style["color"], "zorder": 2}
        if short:
            ax.vlines(low.index, low, high, linewidth=0.9, **band)
        elif several.any():
            ax.fill_between(low.index, low, high, alpha=0.25, linewidth=0, **band)
        ax.plot(
            by_seed.index,
            by_seed.mean(axis=1),
            linestyle="" if short else "-",
            markersize=5 if short else 3.6,
            markerfacecolor="white" if short and column == "test_error" else style["color"],
            markeredgewidth=0.9,
            clip_on=not short,
            **style,
        )


def _percent(error: pd.DataFrame, short: bool) -> pd.DataFrame:
    # An error of 0 has no place on a logarithmic axis; the curve has a gap there.
    return (100 * error).where(lambda value: (value > 0) | short)


def _key(**style: object) -> Line2D:
    return Line2D([], [], **{"color": "0.2", "markersize": 4, **style})  # type: ignore[arg-type]


def _keys_of_one_panel(within: bool) -> dict[str, Line2D]:
    keys = {f"training, mean of {SMOOTHED} batches": _key(linestyle="-")} if within else {}
    keys["training, mean of the epoch"] = _key(linestyle="", marker="o")
    keys["test, after the epoch"] = _key(linestyle="", marker="o", markerfacecolor="white")
    return keys


def main() -> None:
    found = options(__doc__)
    use_style()
    table, published = curves(found), published_curves()
    if not found.runs:
        table = without_short(table)
    deeper = table.network.str.contains("5x100")
    for name, part in (("figure3", table[~deeper]), ("figure3_5x100", table[deeper])):
        if part.empty:
            continue
        for path in save(draw(part, published, found.runs), found.out, name):
            print(path)
    beside = beside_published(table, published)
    print(tabulate(beside, "keys", "github", disable_numparse=True, showindex=False))


if __name__ == "__main__":
    sys.exit(exit_status(main))
