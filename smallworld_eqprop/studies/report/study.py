"""The page of a study."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.outcomes import judged_by, measured_errors
from smallworld_eqprop.studies.report.page import (
    Explorer,
    Page,
    Picture,
    Section,
    Table,
    Tile,
    value_text,
)
from smallworld_eqprop.studies.report.svg import drawing, svg_text

if TYPE_CHECKING:
    import pandas as pd

    from smallworld_eqprop.studies.store import Store

__all__ = ["study_page"]

#: More curves than these in one picture nobody tells apart.
CURVES = 7

#: Keys of a configuration that only name a run.
NAMES = ("key", "name", "summary")

#: Outcomes beside the errors that the tables show.
OTHERS = ("final_log_spread", "final_mean_sweeps")

PREFIXES = {"metric_": "metric", "final_": "outcome", "epoch1_": "outcome", "rms_": "outcome"}


def study_page(store: Store) -> Page:
    """Describe a study from the table of its finished runs."""
    runs = store.runs()
    if runs.empty:
        raise InputError(f"{store.path}: no run is finished yet; sweep the study first")
    settings = [c for c in runs.columns if group_of(c) == "setting" and c not in NAMES]
    varying = [c for c in settings if runs[c].nunique(dropna=False) > 1]
    # Runs that differ in their seed only say the same thing.
    groups = [c for c in varying if c != "seed"]
    status = [run.status for run in store.statuses()]
    sections = [
        Section(
            "Any metric against any outcome",
            [Explorer(explorer_data(with_corrections(runs, store.corrections()), varying))],
            text="Every point is a run. Point at one, or walk with the arrow keys, to see which.",
        ),
        Section(
            "Outcomes by setting",
            [*curves(runs, store.history(), groups), outcome_table(runs, groups)],
        ),
        Section(
            "Settings and provenance",
            [
                Table(
                    "The same in every run",
                    [[c, value_text(runs[c].iloc[0])] for c in settings if c not in varying],
                    texts=True,
                    folded=True,
                ),
                runs_table(runs, varying),
                work_table(store.work()),
            ],
        ),
    ]
    return Page(
        title=store.path.stem,
        kind="Study",
        summary=f"{len(runs)} finished runs on {', '.join(runs['dataset'].unique())}; they differ "
        f"in {', '.join(varying) or 'nothing'}.",
        tiles=tiles(runs, status),
        sections=sections,
    )


def group_of(column: str) -> str:
    """Tell settings, metrics and outcomes apart.

    Examples
    --------
    >>> group_of("p"), group_of("metric_density"), group_of("final_test_error")
    ('setting', 'metric', 'outcome')
    """
    return next((g for prefix, g in PREFIXES.items() if column.startswith(prefix)), "setting")


def label_of(column: str) -> str:
    """Name a column for people.

    Examples
    --------
    >>> label_of("final_test_error"), label_of("metric_density"), label_of("p")
    ('test error, last epoch', 'density', 'p')
    """
    for prefix, ending in (
        ("final_", ", last epoch"),
        ("epoch1_", ", epoch 1"),
        ("metric_", ""),
        ("rms_", ", last epoch"),
    ):
        if column.startswith(prefix):
            name = column.removeprefix(prefix).replace("_", " ")
            return ("RMS correction " if prefix == "rms_" else "") + name + ending
    return column.replace("_", " ")


def with_corrections(runs: pd.DataFrame, corrections: pd.DataFrame) -> pd.DataFrame:
    """Add the mean RMS correction of every layer pair in the last epoch as ``rms_*``."""
    last = corrections[corrections["epoch"] == corrections.groupby("key")["epoch"].transform("max")]
    wide = last.pivot(index="key", columns="pair", values="rms")[last["pair"].unique()]
    return runs.join(wide.add_prefix("rms_"), on="key")


def explorer_data(runs: pd.DataFrame, varying: list[str]) -> dict[str, Any]:
    """Give what explorer.js shows: all columns in which the runs differ."""
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    columns: list[dict[str, Any]] = []
    values: list[list[Any]] = []
    for name in runs.columns:
        group = group_of(name)
        if group == "setting" and name not in varying:
            continue
        number = is_numeric_dtype(runs[name]) and not is_bool_dtype(runs[name])
        content = [_cell(value, number) for value in runs[name].tolist()]
        # After a single epoch the last is the first.
        if content in values and group == "outcome":
            continue
        if group != "setting" and len(set(content)) < 2:
            continue
        columns.append({"key": name, "label": label_of(name), "group": group, "text": not number})
        values.append(content)
    present = {column["key"] for column in columns}
    numbers = [column["key"] for column in columns if not column["text"]]
    x = _first(numbers, "p", *(c for c in numbers if group_of(c) == "metric"))
    y = _first(numbers, f"final_{judged_by(runs, 'final_')}_error", "final_training_error")
    colour = [c for c in varying if c in present] or varying
    return {
        "columns": columns,
        "rows": [list(row) for row in zip(*values, strict=True)],
        "colour": colour,
        "tell": varying,
        "start": {"x": x, "y": y, "colour": _first(colour, "family", "p")},
    }


def _cell(value: Any, number: bool) -> Any:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return float(f"{value:.7g}") if number else value_text(value)


def _first(present: list[str], *wanted: str) -> str | None:
    return next((name for name in wanted if name in present), present[0] if present else None)


def tiles(runs: pd.DataFrame, status: Sequence[str]) -> list[Tile]:
    """Name the extent and the best outcome."""
    judged = judged_by(runs, "final_")
    column = f"final_{judged}_error"
    best = runs.nsmallest(1, column).iloc[0]
    spread = runs["final_log_spread"].round(2)
    ends = dict.fromkeys(map(value_text, (spread.min(), spread.max())))
    unfinished = [f"{status.count(s)} {s}" for s in ("running", "pending", "failed") if s in status]
    return [
        Tile("runs finished", f"{len(runs)} of {len(status)}", ", ".join(unfinished)),
        Tile("epochs", " or ".join(map(str, sorted(runs["epochs"].unique())))),
        Tile(f"least {judged} error", value_text(best[column]), f"seed {best['seed']}"),
        Tile("log-spread", " to ".join(ends), "0: layers train alike"),
    ]


def curves(runs: pd.DataFrame, history: pd.DataFrame, groups: list[str]) -> list[Picture]:
    """Draw mean learning curves of groups of runs, if there are curves and few groups."""
    from matplotlib.ticker import MaxNLocator

    if runs["epochs"].max() < 2 or runs.groupby(groups or "dataset", dropna=False).ngroups > CURVES:
        return []
    judged = judged_by(history)
    merged = history.merge(runs[["key", *(groups or ["dataset"])]], on="key")
    with drawing() as figure:
        axes = figure.subplots()
        for name, part in merged.groupby(groups or ["dataset"], dropna=False):
            by_epoch = part.groupby("epoch")
            label = ", ".join(
                f"{key} {value_text(value)}"
                for key, value in zip(groups or ["dataset"], name, strict=True)
            )
            (line,) = axes.plot(by_epoch[f"{judged}_error"].mean(), label=label)
            axes.plot(by_epoch["training_error"].mean(), "--", color=line.get_color())
        axes.set(xlabel="epoch", ylabel="error")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.grid()
        axes.legend()
        svg = svg_text(figure, "study-curves")
    return [
        Picture(
            svg,
            "Learning curves, one colour per setting; the table of outcomes gives the last points.",
            f"Mean over the seeds: {judged} error solid, online training error dashed.",
        )
    ]


def outcome_table(runs: pd.DataFrame, groups: list[str]) -> Table:
    """Tabulate mean and standard deviation over the seeds of every setting."""
    errors = measured_errors(runs, "final_")
    outcomes = [*(f"final_{name}_error" for name in errors), *OTHERS]
    rows = []
    keys = groups or ["dataset"]
    for name, part in runs.groupby(keys, dropna=False, sort=False):
        cells = [value_text(value) for value in (name if isinstance(name, tuple) else (name,))]
        cells += [str(len(part))]
        for outcome in outcomes:
            mean, spread = part[outcome].mean(), part[outcome].std()
            cells.append(
                f"{mean:.4g}" + (f" ± {spread:.2g}" if len(part) > 1 and spread == spread else "")
            )
        rows.append(cells)
    return Table(
        "Mean ± standard deviation over the seeds, last epoch",
        rows,
        [
            *map(label_of, keys),
            "runs",
            *(f"{name} error" for name in errors),
            *("log-spread", "sweeps"),
        ],
    )


def runs_table(runs: pd.DataFrame, varying: list[str]) -> Table:
    """Tabulate every run."""
    errors = measured_errors(runs, "final_")
    shown = ["key", *varying, *(f"final_{name}_error" for name in errors), *OTHERS]
    rows = [[value_text(value) for value in row] for row in runs[shown].itertuples(index=False)]
    return Table(f"All {len(runs)} runs", rows, list(map(label_of, shown)), folded=True)


def work_table(work: pd.DataFrame) -> Table:
    """Tabulate with what the runs were made, and how long that took."""
    rows = []
    for environment, part in work.groupby("environment", sort=False):
        hours = part["seconds"].sum() / 3600
        told = json.loads(str(environment))
        rows.append(
            [f"{len(part)} runs", f"{hours:.2f} hours of training; {environment_text(told)}"]
        )
    return Table("Made with", rows, texts=True)


def environment_text(environment: dict[str, Any]) -> str:
    """Write versions in one line.

    Examples
    --------
    >>> environment_text({"version": "0.1", "libraries": {"numpy": "2.0"}, "threads": 1})
    'version 0.1, numpy 2.0, threads 1'
    """
    parts = []
    for key, value in environment.items():
        nested = value.items() if isinstance(value, dict) else [(key, value)]
        parts += [f"{name} {number}" for name, number in nested]
    return ", ".join(parts)
