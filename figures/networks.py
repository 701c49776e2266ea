"""What the figures share: the paper's networks, the tables, the options and a legend."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from smallworld_eqprop import InputError, LayeredGraph, Run, RunConfig
from smallworld_eqprop.errors import nearest
from smallworld_eqprop.studies import tidy
from smallworld_eqprop.studies.plots import pair_handles
from smallworld_eqprop.studies.style import BLUE, GREEN, ORANGE, PALETTE

RESULTS = Path(__file__).resolve().parents[1] / "results"


class Look(NamedTuple):
    """How a network is shown, and its name in the tables of published curves."""

    label: str
    colour: object
    marker: str
    published: str | None = None


REWIRED_2021 = "rewired_p0.10_no_intralayer"
# The run of analysis/published_seed.py on that network.
AUTHORS_DRAWS = "rewired-3x500-no-intralayer, authors' draws"

NETWORKS = {
    "layered-3x500": Look("layered, one rate", BLUE, "o", "layered_global_rate"),
    "layered-3x500-per-layer": Look(
        "layered, per-layer rates", ORANGE, "s", "layered_per_layer_rates"
    ),
    "rewired-3x500": Look("rewired, p = 7.56 %", GREEN, "^", REWIRED_2021),
    AUTHORS_DRAWS: Look("rewired, p = 10 %, authors' draws", PALETTE[4], "v", REWIRED_2021),
    "rewired-3x500-no-intralayer": Look("rewired, p = 10 %", PALETTE[6], "<", REWIRED_2021),
    "layered-5x100": Look("layered 5 x 100", PALETTE[5], "D", "layered_5x100"),
    "rewired-5x100": Look(
        "rewired 5 x 100, p = 7.56 %", PALETTE[7], "P", "rewired_5x100_p0.10_no_intralayer"
    ),
    "rewired-5x100-no-intralayer": Look(
        "rewired 5 x 100, p = 10 %", PALETTE[9], "X", "rewired_5x100_p0.10_no_intralayer"
    ),
}  # fmt: skip

# The preprint's networks: beside them stand the published curves of the rewired ones of 2021, which
# have another p and no edges inside layers.
OTHERS_PUBLISHED = frozenset({"rewired-3x500", "rewired-5x100"})

#: The networks whose needs figures 6 and 7 count, by what tells them apart.
COUNTED = {
    "p = 0": "layered-3x500",
    "p = 7.56 %, intralayer": "rewired-3x500",
    "p = 10 %": "rewired-3x500-no-intralayer",
}

CURVES = (
    "network",
    "seed",
    "epoch",
    "training_error",
    "test_error",
    "log_spread",
    "log_spread_interlayer",
)
CORRECTIONS = ("network", "seed", "epoch", "batch", "pair", "kind", "rms")


def look(network: str) -> Look:
    """How to show a network; one that is none of the paper's goes by its own name."""
    return NETWORKS.get(network, Look(network, "0.2", "*"))


@cache
def counted_graphs() -> dict[str, LayeredGraph]:
    """The graphs of the networks that are counted, of seed 0."""
    return {label: RunConfig.preset(name).topology.build(0) for label, name in COUNTED.items()}


def size_in_words(layer_sizes: str) -> str:
    """Hidden layers, as ``3 x 500``, of layer sizes as a table has them."""
    hidden = json.loads(layer_sizes)[1:-1]
    return f"{len(hidden)} x {hidden[0]}"


def mean_and_range(values: pd.Series) -> str:
    """A mean over seeds, with lowest and highest of several.

    Examples
    --------
    >>> mean_and_range(pd.Series([1, 2, 3])), mean_and_range(pd.Series([2]))
    ('2.00 (1.00 to 3.00)', '2.00')
    """
    several = f" ({values.min():.2f} to {values.max():.2f})" if len(values) > 1 else ""
    return f"{values.mean():.2f}{several}"


def error_bars(points: pd.DataFrame) -> npt.NDArray:
    """From the mean down to the lowest and up to the highest seed, as matplotlib takes them."""
    return np.array([points.error - points.low, points.high - points.error])


def band_key() -> dict[str, Line2D]:
    """What the bands of learning curves and corrections are, for a legend."""
    return {"band: lowest to highest seed": Line2D([], [], color="0.2", linewidth=6, alpha=0.25)}


def networks_of(table: pd.DataFrame) -> list[str]:
    """Networks of a table: the paper's in the paper's order, then any others as they come."""
    found = list(table.network.unique())
    return [name for name in NETWORKS if name in found] + [n for n in found if n not in NETWORKS]


def published_curves() -> pd.DataFrame:
    """Learning curves of the authors' runs."""
    names = ("published_learning_curves.csv", "published_learning_curves_5x100.csv")
    return pd.concat([pd.read_csv(RESULTS / name, comment="#") for name in names])


def read_table(path: Path, columns: Sequence[str], remedy: str) -> pd.DataFrame:
    """A table with at least these columns; `remedy` says how to make one that is not there."""
    try:
        table = pd.read_csv(path, comment="#")
    except FileNotFoundError:
        raise InputError(f"{path}: not there; {remedy}") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    for name in columns:
        if name not in table:
            raise InputError(f"{path}: has no column {name}; {nearest(name, table.columns)}")
    if table.empty:
        raise InputError(f"{path}: has no rows; {remedy}")
    return table


def arguments(description: str | None) -> argparse.ArgumentParser:
    """Give a parser that knows ``--out``, the folder of the figures."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=Path("runs/figures"), help="folder to write to")
    return parser


def options(description: str | None) -> argparse.Namespace:
    """Read ``--runs``, ``--results`` and ``--out``, and find the runs that were named."""
    parser = arguments(description)
    parser.add_argument(
        "--runs", type=Path, nargs="+", default=[], metavar="DIR",
        help="draw from these run folders instead of the tables",
    )  # fmt: skip
    parser.add_argument(
        "--results", type=Path, default=RESULTS, metavar="DIR", help="folder of the tables"
    )
    found = parser.parse_args()
    found.runs = [Run(folder) for folder in found.runs]
    return found


REMEDY = "make it with analysis/collect_results.py RUN..., or name runs with --runs"


def curves(found: argparse.Namespace) -> pd.DataFrame:
    """Learning curves of the runs that were named, or else those under results/."""
    if found.runs:
        return tidy.learning_curves(found.runs)
    table = read_table(found.results / "learning_curves.csv", CURVES, REMEDY)
    path = found.results / "published_seed.csv"
    if path.exists():
        columns = ("network", "epoch", "training_error", "test_error")
        replayed = read_table(path, columns, "make it with analysis/published_seed.py")
        replayed = replayed[replayed.network == REWIRED_2021]
        table = pd.concat((table, replayed.assign(network=AUTHORS_DRAWS, seed=0)))
    return table


def corrections(found: argparse.Namespace) -> pd.DataFrame:
    """RMS corrections of the runs that were named, or else those under results/."""
    if found.runs:
        return tidy.corrections(found.runs)
    return read_table(found.results / "corrections.csv", CORRECTIONS, REMEDY)


def pair_legend(
    fig: Figure,
    colours: Sequence,
    kinds: Iterable[str],
    *,
    ncols: int,
    more: Mapping[str, Line2D] | None = None,
) -> None:
    """Name colours by layer and line styles by kind of pair, below the figure."""
    handles = {**pair_handles(colours, kinds), **(more or {})}
    fig.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=ncols, handlelength=2.6
    )
