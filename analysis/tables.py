"""Tables of runs for the analysis scripts, from wherever the runs are."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from smallworld_eqprop import InputError, Run, Store
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.studies import style
from smallworld_eqprop.studies.replicates import setting_columns

# What a configuration says about the topology, beside p and the sizes.
TOPOLOGY = ("family", "law", "places", "across_layers", "intralayer", "neighbours")


def read_runs(sources: Sequence[Path], epoch: int | None = None) -> pd.DataFrame:
    """One row per finished run, from one store, one exported CSV, or run folders.

    Of a folder the last epoch counts, or the one that is asked for; folders that have not got there
    are left out with a note.
    """
    if all(path.is_dir() for path in sources):
        return _from_folders(sources, epoch)
    if epoch is not None:
        raise InputError(f"epoch: {epoch} can be asked of run folders only")
    if len(sources) > 1:
        raise InputError(f"{sources[1]}: give one store or CSV, or any number of run folders")
    (path,) = sources
    if path.suffix == ".csv":
        try:
            table = pd.read_csv(path)
        except (OSError, ValueError) as error:
            raise InputError(f"{path}: cannot be read ({error})") from None
    else:
        with Store(path, create=False) as store:
            table = store.runs()
    if table.empty:
        raise InputError(f"{path}: no finished run in it yet")
    return table


def select(table: pd.DataFrame, where: str | None) -> pd.DataFrame:
    """The runs of which an expression in the columns is true, as `DataFrame.query` reads it."""
    if where is None:
        return table
    try:
        part = table.query(where)
    except Exception as error:  # pandas passes on whatever the expression raises
        raise InputError(f"where: {where!r} cannot be evaluated ({error})") from None
    if part.empty:
        raise InputError(f"where: {where!r} is true of none of the {len(table)} runs")
    return part.reset_index(drop=True)


def _from_folders(folders: Sequence[Path], epoch: int | None) -> pd.DataFrame:
    rows = []
    for folder in folders:
        run = Run(folder)
        if not (folder / "history.csv").exists() or len(run.history) < (epoch or 1):
            print(f"{folder}: left out, has not finished epoch {epoch or 1}", file=sys.stderr)
            continue
        rows.append(_row(run, epoch))
    if not rows:
        raise InputError(f"{folders[0]}: no finished epoch {epoch or 1} in any folder")
    return pd.DataFrame(rows)


def _row(run: Run, epoch: int | None) -> dict[str, object]:
    history = run.history.drop(columns="seconds", errors="ignore")[:epoch]
    flat = {
        key: str(value) if isinstance(value, list) else value
        for key, value in run.config.flat().items()
    }
    first, last = (history.iloc[i].drop("epoch") for i in (0, -1))
    return {
        "key": run.config.key,
        **flat,
        "epochs": len(history),
        **last.add_prefix("final_"),
        **first.add_prefix("epoch1_"),
    }


def topologies(table: pd.DataFrame) -> pd.Series:
    """A short name for all that differs in topology beside p and the sizes."""
    varying = [
        name
        for name in TOPOLOGY
        if name in setting_columns(table) and table[name].nunique(dropna=False) > 1
    ]
    if not varying:
        return pd.Series("all", table.index)
    # What most of the runs have in common goes without saying.
    usual = {name: table[name].mode()[0] for name in varying}

    def name_of(row: pd.Series) -> str:
        parts = [str(row["family"]) if "family" in varying else ""]
        for key in varying:
            if key != "family" and row[key] != usual[key]:
                value = row[key]
                parts.append(key if value is True else f"{key} {value}")
        return ", ".join(part.replace("_", " ") for part in parts if part) or "usual"

    return table.apply(name_of, axis=1)


def label(column: str) -> str:
    """A column's name as it is written in figures."""
    plain = column
    for prefix in ("metric_", "final_", "epoch1_"):
        plain = plain.removeprefix(prefix)
    plain = plain.replace("_", " ").replace("log spread", "log-spread")
    return plain.replace("log-spread interlayer", "log-spread of adjacent pairs")


def save(figure: Figure, path: Path, dpi: int = 150) -> Path:
    """Write a figure as PNG and close it; `path` ends in ``.png``."""
    style.save(figure, path.parent, path.stem, ["png"], dpi=dpi)
    plt.close(figure)
    return path


def write(table: pd.DataFrame, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path) as file:
        table.to_csv(file, index=False, float_format="%.6g")
    return path
