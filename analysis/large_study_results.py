"""What the large study found: rank correlations by recipe, early against last, and the figure.

    python analysis/large_study_results.py          from results/large_study/{runs,history}.csv

Works on the means of settings. Writes into the folder --results:

    ranks.csv       Spearman of every measure with the error after the first and the last epoch, by
                    recipe and half, over all settings and, where they differ, over those whose
                    states had settled, as it is and with the number of edges and the share of skips
                    held fixed, with a bootstrap interval, the q-value, and for hops, path length
                    and triangles the range (95 %) that is left when errors are dealt out at random
                    within each family
    lasting.csv     Spearman of the errors after earlier epochs with the last, and of the spread of
                    corrections over layers in the first epoch
    hypotheses.csv  the hypotheses of the design: value, interval, bound and verdict, by half
    predictions.csv variance of last errors that is predicted in families that were not seen
    agreement.csv   Spearman of the last errors by one recipe with those by another
    recipes.csv     mean, least and largest error, and their spread over settings, by recipe
    settings.csv    all means

and draws docs/figures/large_study.png: last error against hops from inputs to outputs, and against
the mean length of the shortest paths between all nodes (without chips), by recipe; triangles are
networks whose states were still moving when a free phase ended.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from large_study import settings as designed
from large_study import studies
from large_study_hypotheses import EQUALS, FEWEST, FIRST, HOPS, LAST, LOG_SPREAD, judge
from large_study_prediction import predictions
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, NullLocator
from tables import label, save, write

from smallworld_eqprop import InputError
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies import correlations
from smallworld_eqprop.studies.ranking import rank_measures
from smallworld_eqprop.studies.style import PAGE, use_style

ROOT = Path(__file__).resolve().parents[1]
OUTCOMES = (FIRST, LAST)
LENGTH, TRIANGLES = "metric_characteristic_path_length", "metric_transitivity"
#: The measures of which the page of results tells.
QUOTED = (HOPS, LENGTH, TRIANGLES)
#: Worst one of the free phases in the last epoch; above UNSETTLED the states were still moving.
RESIDUAL, UNSETTLED = "worst_residual", 0.1
BEFORE_LAST = (1, 2, 5, 10)
#: Errors in %, for which the epochs are counted that a network needs.
GOALS = (10, 5, 3)
#: The last epochs, in which training errors hardly fall when training has ended.
LATE = 3
HALVES = ("explore", "confirm")
#: Tables of large_study_untrained.py.
UNTRAINED = ("small_world", "graphs", "circuits", "couplings")
#: Recipes that the figure shows, in its order.
TITLES = {
    "paper": "the paper's recipe",
    "adam": "the paper's, with Adam",
    "adjoint": "exact gradient, Adam",
    "weak-feedback": "weak feedback, Adam",
}
LENGTHS = {HOPS: "hops, input to output", LENGTH: "path length, all nodes"}
TICKS_OF = {HOPS: (2, 3, 5, 10, 20), LENGTH: (2, 2.2, 2.4)}
TICKS = (1, 2, 3, 5, 10, 20, 30, 50, 100)
#: Chip lattices have other sizes, and are left out where edges are held fixed.
CHIPS = frozenset(each.name for each in designed() if each.pool > 1)


def means(runs: pd.DataFrame, history: pd.DataFrame) -> pd.DataFrame:
    """One row per recipe and setting: errors in %, measures, and the spread between seeds."""
    if runs.empty:
        raise InputError("the study has no finished run yet: make study trains them")
    # A copy lies in one piece: pandas warns of columns that are added to a table of many pieces.
    runs = runs.join(runs.name.str.extract(r"(?P<setting>.+)--(?P<recipe>.+)")).copy()
    history = history.assign(error=100 * history.validation_error)
    last = history.sort_values("epoch").groupby("key").last()
    then = {
        f"error_{epoch}": history[history.epoch == epoch].set_index("key").error
        for epoch in BEFORE_LAST
    } | {LAST: last.error, RESIDUAL: last.worst_residual, "fall": fall(history)}
    reached = {
        f"epochs_to_{goal}": history[history.error <= goal].groupby("key").epoch.min()
        for goal in GOALS
    }
    runs = runs.assign(
        family=runs.setting.str.replace(r"-p[\d.]+$", "", regex=True),
        test_error=100 * runs.final_test_error,
        log_spread=runs.final_log_spread_interlayer,
        **{LOG_SPREAD: runs.epoch1_log_spread_interlayer},
        **{name: runs.key.map(values) for name, values in (then | reached).items()},
    )
    by = ["recipe", "half", "family", "setting"]
    numbers = [
        c
        for c in runs
        if c.startswith("metric_") and not c.startswith(("metric_density_", "metric_before_"))
    ]
    errors = [*(f"error_{each}" for each in BEFORE_LAST), LAST, "test_error"]
    outcomes = [*errors, "fall", LOG_SPREAD, "log_spread", RESIDUAL]
    grouped = runs.groupby(by, sort=False)
    found = grouped[[*outcomes, *numbers]].mean()
    found["n_seeds"] = grouped.size()
    for goal in reached:
        # Missing, unless all seeds got there.
        found[goal] = grouped[goal].agg(lambda epochs: epochs.mean(skipna=False))
    for outcome in OUTCOMES:
        found[f"seeds_{outcome}"] = grouped[outcome].std()
    found = found.reset_index()
    return found.assign(comparable=~found.setting.isin(CHIPS))


def fall(history: pd.DataFrame) -> pd.Series:
    """The share of itself by which the training error of a run fell in its last epochs, by key."""
    errors = history.sort_values("epoch").set_index("key").training_error
    before = errors.groupby("key").shift(LATE).groupby("key").last()
    return 1 - errors.groupby("key").last() / before


def with_untrained(settings: pd.DataFrame, path: Path) -> pd.DataFrame:
    """The same with measures that need no training, from a table of them if it is there."""
    if not path.exists():
        return settings
    measured = pd.read_csv(path).groupby("setting").mean().drop(columns="seed")
    return settings.join(measured, on="setting")


def ranks(settings: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Spearman of measures with errors, by recipe and half, of all settings and of settled ones."""
    tables = []
    groups = settings.groupby(["recipe", "half"], sort=False)
    for ((recipe, half), whole), which in itertools.product(groups, ("all", "settled")):
        part = whole if which == "all" else whole[whole[RESIDUAL] <= UNSETTLED]
        if which == "settled" and len(part) == len(whole):
            continue
        measures = [c for c in part if c.startswith("metric_") and part[c].nunique() > 2]
        part = part[part[[HOPS, *OUTCOMES]].notna().all(axis=1)]
        if len(part) < FEWEST:
            continue
        found = pd.concat(
            correlations(who, measures, OUTCOMES, controls=held, seed=seed).query("kind == @kind")
            for kind, held, who in (
                ("spearman", (), part),
                ("partial_spearman", EQUALS, part[part.comparable]),
            )
        )
        found = found[found.value.notna()].reset_index(drop=True)
        told = found.metric.isin(QUOTED) & (found.kind == "spearman")
        for row in found[told].itertuples():
            own = rank_measures(part[part[row.metric].notna()], [row.metric], row.outcome).ranked[0]
            found.loc[row.Index, ["null_low", "null_high"]] = own.null_low, own.null_high
        tables.append(found.assign(recipe=recipe, half=half, settings=which))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def lasting(settings: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Spearman of earlier errors and log-spreads with the last error, over all settings."""
    tables = []
    for recipe, part in settings.groupby("recipe", sort=False):
        if len(part) < FEWEST:
            continue
        errors = [f"error_{each}" for each in BEFORE_LAST]
        earlier = [*(each for each in errors if not part[each].equals(part[LAST])), LOG_SPREAD]
        found = correlations(part, earlier, (LAST,), controls=(), seed=seed)
        tables.append(found[found.kind == "spearman"].assign(recipe=recipe))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def agreement(settings: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Spearman of the last errors by one recipe with those by another, over common settings."""
    errors = settings.pivot(index="setting", columns="recipe", values=LAST)
    names = list(settings.recipe.unique())
    tables = [
        correlations(errors[[one, other]].dropna(), [one], [other], controls=(), seed=seed)
        for one, other in itertools.combinations(names, 2)
        if errors[[one, other]].notna().all(axis=1).sum() >= FEWEST
    ]
    if not tables:
        return pd.DataFrame()
    found = pd.concat(tables, ignore_index=True).query("kind == 'spearman'")
    columns = {"metric": "recipe", "outcome": "other"}
    return found.rename(columns=columns)[[*columns.values(), "n", "value", "low", "high"]]


def recipes(settings: pd.DataFrame) -> pd.DataFrame:
    """How far the settings of a recipe are apart."""
    rows = []
    for recipe, part in settings.groupby("recipe", sort=False):
        for outcome in OUTCOMES:
            errors = part[outcome]
            rows.append(
                {
                    "recipe": recipe,
                    "outcome": outcome,
                    "settings": len(part),
                    "mean": errors.mean(),
                    "least": errors.min(),
                    "least_of": part.setting[errors.idxmin()],
                    "largest": errors.max(),
                    "largest_of": part.setting[errors.idxmax()],
                    "between_settings": errors.std(),
                    "between_seeds": np.sqrt((part[f"seeds_{outcome}"] ** 2).mean()),
                }
            )
    return pd.DataFrame(rows)


def draw(settings: pd.DataFrame) -> plt.Figure:
    """Error after the last epoch against hops and path length, by recipe."""
    use_style()
    names = [name for name in TITLES if name in set(settings.recipe)]
    fig, axes = plt.subplots(
        len(LENGTHS), len(names), figsize=(PAGE, 4.2), squeeze=False, sharex="row", sharey=True,
        layout="constrained",
    )  # fmt: skip
    for column, recipe in enumerate(names):
        part = settings[settings.recipe == recipe]
        for row, (measure, words) in enumerate(LENGTHS.items()):
            ax, shown = axes[row, column], part
            if measure == LENGTH:  # those of chips are several times as long
                shown = part[part.comparable]
            moving = shown[RESIDUAL] > UNSETTLED
            for half, filled in zip(HALVES, (True, False), strict=True):
                for chosen, colour, marker, told in (
                    (~moving, "C0", "o", ""),
                    (moving, "C1", "^", ", not settled"),
                ):
                    own = shown[(shown.half == half) & chosen]
                    if own.empty:
                        continue
                    face = colour if filled else "none"
                    ax.scatter(
                        own[measure], own[LAST], s=16, marker=marker, facecolors=face,
                        edgecolors=colour, label=f"{half}{told}",
                    )  # fmt: skip
            ax.set(xlabel=words, xscale="log")
            _name_ticks(ax.xaxis, TICKS_OF[measure])
        axes[0, column].set_title(TITLES[recipe])
    for ax in axes[:, 0]:
        ax.set_ylabel("validation error (%)")
        # One scale for all recipes, so that their spreads can be compared.
        if (settings[LAST] > 0).all():
            ax.set_yscale("log")
            _name_ticks(ax.yaxis, TICKS)
    axes[0, 0].legend(loc="lower right")
    return fig


def _name_ticks(axis: Axis, ticks: Sequence[float]) -> None:
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def do(found: argparse.Namespace) -> None:
    """Read, compute, write, draw and say."""
    runs, history = (pd.read_csv(found.results / f"{n}.csv").copy() for n in ("runs", "history"))
    half = {each.name: each.half for each in designed()}
    # A store may hold runs of an earlier design.
    runs = runs[runs.key.isin({key for study in studies() for key in study.keys})]
    runs = runs.assign(half=runs.name.str.split("--").str[0].map(half))
    settings = means(runs, history)
    for name in UNTRAINED:
        settings = with_untrained(settings, found.results / f"{name}.csv")
    tables = {
        "settings": settings,
        "ranks": ranks(settings, found.seed),
        "lasting": lasting(settings, found.seed),
        "hypotheses": judge(settings, found.seed),
        "predictions": predictions(settings, found.seed),
        "agreement": agreement(settings, found.seed),
        "recipes": recipes(settings),
    }
    for name, table in tables.items():
        write(table, found.results / f"{name}.csv")
    save(draw(settings), found.figures / "large_study.png")
    print(tables["recipes"].round(2).to_string(index=False))
    print(tables["hypotheses"].round(2).to_string(index=False))
    best = tables["ranks"]
    if len(best):
        shown = best[best.metric.isin([HOPS]) | (best.q_value < 0.05)]
        which = ["recipe", "half", "settings", "n", "outcome", "kind", "metric"]
        columns = [*which, "value", "low", "high", "q_value", "null_low", "null_high"]
        print(shown[columns].assign(metric=shown.metric.map(label)).round(3).to_string(index=False))
    print(tables["predictions"].round(2).to_string(index=False))
    print(tables["lasting"].round(2).to_string(index=False))
    print(tables["agreement"].round(2).to_string(index=False))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "large_study")
    parser.add_argument("--figures", type=Path, default=ROOT / "docs" / "figures")
    parser.add_argument("--seed", type=int, default=0)
    found = parser.parse_args()
    return exit_status(lambda: do(found))


if __name__ == "__main__":
    sys.exit(main())
