"""Is a connectome better than its nulls? Three tasks, two recipes, and the hypothesis H9.

    python analysis/connectomes.py
    smallworld-eqprop sweep analysis/studies/fly_tasks.toml --store runs/connectome_tasks.sqlite
    smallworld-eqprop sweep analysis/studies/brain_tasks.toml --store runs/connectome_tasks.sqlite
    smallworld-eqprop export runs/connectome_tasks.sqlite --out results/connectome_tasks
    python analysis/connectome_tasks.py

Writes tests.csv beside runs.csv: for every connectome, recipe, task and null model the error of the
connectome and of the nulls in %, and the effect: the difference over the standard deviation of the
nulls, with an interval; it is positive where the connectome is worse. The digits by the paper's
recipe are those of analysis/connectome_nulls.py. Draws all effects.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from tables import read_runs, save, write

from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.studies import against_nulls
from smallworld_eqprop.studies.style import PAGE, PALETTE, use_style

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "results"
OUTCOME = "final_test_error"
BY = ["connectome", "recipe", "task"]
RECIPES = {"hopfield": "paper", "weak-feedback": "weak feedback"}
NAMES = {"fly": "mushroom body of a fly", "brain": "cortex of a primate"}
#: H9 of docs/study-design.md: refuted by effects beyond this on two tasks.
BOUND, TASKS = 2.0, 2


def named(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with connectome, recipe, task and null model by name, in a table of few columns."""
    files = runs.path.map(lambda path: Path(path).stem)
    return pd.DataFrame(
        {
            "connectome": runs["topology.of.path"].map(lambda path: Path(path).stem),
            "recipe": runs.model.map(RECIPES),
            "task": files.str.partition("_")[2].replace("", "digits"),
            "null": runs["topology.model"],
            **{name: runs[name] for name in ("sample", "seed", OUTCOME)},
        }
    )


def tests(runs: pd.DataFrame) -> pd.DataFrame:
    """Every connectome against every null model, by recipe and task."""
    rows = []
    for about, part in runs.groupby(BY, sort=False):
        itself, nulls = part[part["sample"] == 0], part[part["sample"] > 0]
        for null, others in nulls.groupby("null", sort=False):
            test = against_nulls(pd.concat([itself, others]), OUTCOME)
            values = np.array(test.nulls)
            numbers = {
                "error": 100 * test.graph,
                "nulls": 100 * values.mean(),
                "n_nulls": len(values),
                "n_seeds": itself.seed.nunique(),
                **_effects(test.difference, test.low, test.high, values.std(ddof=1)),
                "p": test.p,
            }
            rows.append(dict(zip(BY, about, strict=True)) | {"null": null} | numbers)
    return pd.DataFrame(rows)


def earlier(path: Path) -> pd.DataFrame:
    """The digits by the paper's recipe, from the table of analysis/connectome_nulls.py.

    That table does not say how many seeds it has; the studies fly_nulls and brain_nulls have three.
    """
    found = pd.read_csv(path)
    found = found[found.measure == OUTCOME].rename(columns={"graph": "error"})
    spread = found.difference / found.effect
    effects = _effects(found.difference, found.low, found.high, spread)
    found = found.assign(recipe="paper", task="digits", n_seeds=3, **effects)
    return found.assign(error=100 * found.error, nulls=100 * found.nulls)


def _effects(difference, low, high, spread) -> dict:
    """Differences in units of the spread of the nulls."""
    return {"effect": difference / spread, "low": low / spread, "high": high / spread}


def verdicts(found: pd.DataFrame) -> list[str]:
    """H9, by connectome, recipe and null model: on which tasks the effect is beyond the bound."""
    lines = []
    for (connectome, recipe, null), part in found.groupby(["connectome", "recipe", "null"]):
        beyond = part[part.effect.abs() > BOUND]
        told = ", ".join(f"{row.task} {row.effect:+.1f}" for row in beyond.itertuples()) or "none"
        verdict = "refuted" if len(beyond) >= TASKS else "holds"
        lines.append(
            f"H9 {verdict}: {connectome}, {recipe}, {null}: beyond {BOUND:g} sd on {told} "
            f"(of {len(part)} tasks)"
        )
    return lines


def draw(found: pd.DataFrame) -> Figure:
    """One panel per connectome: effects by recipe and task, a colour for every null model."""
    use_style()
    connectomes = list(dict.fromkeys(found.connectome))
    rows = list(dict.fromkeys(zip(found.recipe, found.task, strict=True)))
    colours = dict(zip(dict.fromkeys(found.null), PALETTE, strict=False))
    fig, axes = plt.subplots(
        1,
        len(connectomes),
        figsize=(PAGE, 0.8 + 0.35 * len(rows)),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    for ax, connectome in zip(axes[0], connectomes, strict=True):
        ax.axvspan(-BOUND, BOUND, color="0.93", zorder=0)
        ax.axvline(0, color="0.6", linewidth=0.6)
        own = found[found.connectome == connectome]
        nulls = list(dict.fromkeys(own.null))
        for k, null in enumerate(nulls):
            part = own[own.null == null]
            places = [rows.index(row) for row in zip(part.recipe, part.task, strict=True)]
            bars = np.array([part.effect - part.low, part.high - part.effect])
            ax.errorbar(
                part.effect, np.array(places) + 0.16 * (k - (len(nulls) - 1) / 2), xerr=bars,
                fmt="o", markersize=3.5, linewidth=1, color=colours[null],
                label=null.replace("_", " "),
            )  # fmt: skip
        words = "effect (sd of nulls; above 0: worse)"
        ax.set(title=NAMES.get(connectome, connectome), xlabel=words)
        ax.legend(loc="best", fontsize=6)
    axes[0, 0].set_yticks(range(len(rows)), [f"{task}, {recipe}" for recipe, task in rows])
    axes[0, 0].invert_yaxis()
    return fig


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS / "connectome_tasks")
    parser.add_argument("--digits", type=Path, default=RESULTS / "connectomes" / "tests.csv")
    parser.add_argument("--figures", type=Path, default=ROOT / "docs" / "figures")
    found = parser.parse_args()
    table = tests(named(read_runs([found.results / "runs.csv"])))
    digits = earlier(found.digits) if found.digits.exists() else table[:0]
    digits = digits[digits.null.isin(table.null)].reindex(columns=table.columns)
    table = pd.concat([digits, table]).sort_values("connectome", ascending=False, kind="stable")
    print(write(table, found.results / "tests.csv"))
    save(draw(table), found.figures / "connectome_tasks.png")
    print(table.round(2).to_string(index=False))
    print(*verdicts(table), sep="\n")


if __name__ == "__main__":
    sys.exit(exit_status(main))
