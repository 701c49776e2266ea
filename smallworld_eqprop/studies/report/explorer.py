"""The table of runs as explorer.js takes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from smallworld_eqprop.studies.outcomes import judged_by
from smallworld_eqprop.studies.replicates import setting_numbers
from smallworld_eqprop.studies.report.page import value_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["explorer_data", "group_of", "is_error", "label_of", "with_corrections"]

PREFIXES = {"metric_": "metric", "final_": "outcome", "epoch1_": "outcome", "rms_": "outcome"}


def group_of(column: str) -> str:
    """Tell settings, metrics and outcomes apart.

    Examples
    --------
    >>> group_of("p"), group_of("metric_density"), group_of("final_test_error")
    ('setting', 'metric', 'outcome')
    """
    return next((g for prefix, g in PREFIXES.items() if column.startswith(prefix)), "setting")


def is_error(column: str) -> bool:
    """Whether a column holds errors of the last or first epoch.

    Examples
    --------
    >>> is_error("final_test_error"), is_error("final_test_cost")
    (True, False)
    """
    return group_of(column) == "outcome" and column.endswith("_error")


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


def explorer_data(
    runs: pd.DataFrame, varying: list[str], shares: bool, best: str | None
) -> dict[str, Any]:
    """Give what explorer.js shows: all columns in which the runs differ.

    Errors are in percent if they are `shares`. The scatter begins with the column `best`.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    columns: list[dict[str, Any]] = []
    values: list[list[Any]] = []
    for name in runs.columns:
        group = group_of(name)
        if group == "setting" and name not in varying:
            continue
        number = is_numeric_dtype(runs[name]) and not is_bool_dtype(runs[name])
        percent = shares and is_error(name)
        column = runs[name] * 100 if percent else runs[name]
        content = _rounded(column) if number else [_text(value) for value in column.tolist()]
        # After a single epoch the last is the first.
        if content in values and group == "outcome":
            continue
        if group != "setting" and len(set(content)) < 2:
            continue
        label = label_of(name) + " (%)" * percent
        columns.append({"key": name, "label": label, "group": group, "text": not number})
        values.append(content)
    present = {column["key"] for column in columns}
    numbers = [column["key"] for column in columns if not column["text"]]
    x = _first(
        numbers, *([best] if best else []), "p", *(c for c in numbers if group_of(c) == "metric")
    )
    y = _first(numbers, f"final_{judged_by(runs, 'final_')}_error", "final_training_error")
    colour = [c for c in varying if c in present] or varying
    return {
        "columns": columns,
        "rows": [list(row) for row in zip(*values, strict=True)],
        "setting": setting_numbers(runs).tolist(),
        "colour": colour,
        "tell": varying,
        "start": {"x": x, "y": y, "colour": _first(colour, "family", "p")},
    }


def _rounded(column: pd.Series) -> list[float | None]:
    """Numbers with seven digits; None where one is not finite."""
    values = column.to_numpy(float)
    finite = np.isfinite(values)
    size = np.abs(np.where(finite & (values != 0), values, 1))
    digits = 10.0 ** (6 - np.floor(np.log10(size)))
    rounded = np.round(np.where(finite, values, 0) * digits) / digits
    return [x if kept else None for x, kept in zip(rounded.tolist(), finite.tolist(), strict=True)]


def _text(value: Any) -> str | None:
    return None if value is None or value != value else value_text(value)


def _first(present: list[str], *wanted: str) -> str | None:
    return next((name for name in wanted if name in present), present[0] if present else None)
