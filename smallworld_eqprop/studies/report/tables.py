"""Tables of the page of a study."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smallworld_eqprop.studies.outcomes import measured_errors
from smallworld_eqprop.studies.ranking import Ranked
from smallworld_eqprop.studies.report.explorer import label_of
from smallworld_eqprop.studies.report.page import Table, value_text
from smallworld_eqprop.studies.report.repeated import Repeated

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "error_text",
    "mean_text",
    "outcome_table",
    "ranking_table",
    "runs_table",
    "setting_text",
    "signed",
    "work_table",
]

#: Outcomes beside the errors.
OTHERS = {"final_log_spread": "log-spread", "final_mean_sweeps": "sweeps"}


def ranking_table(ranked: Sequence[Ranked]) -> Table:
    """Tabulate the correlations of measures and settings with the outcome."""
    return Table(
        "Spearman's rank correlation with the outcome, over settings",
        [
            [
                label_of(each.column),
                signed(each.value),
                f"{signed(each.low)} to {signed(each.high)}",
                f"{signed(each.null_low)} to {signed(each.null_high)}",
                str(each.n),
            ]
            for each in ranked
        ],
        ["measure or setting", "correlation", "95 % interval", "95 % of permutations", "settings"],
    )


def outcome_table(
    runs: pd.DataFrame, groups: list[str], shares: bool, repeated: Mapping[int, str]
) -> Table:
    """Tabulate mean and standard deviation over the seeds of every setting."""
    errors = measured_errors(runs, "final_")
    keys = groups or ["dataset"]
    rows = []
    grouped = runs.groupby(keys, dropna=False, sort=False)
    for number, (name, part) in enumerate(grouped):
        cells = [str(number + 1), *map(cell_text, name), str(len(part))]
        cells += [mean_text(part[f"final_{error}_error"], shares) for error in errors]
        cells += [mean_text(part[other], most=2) for other in OTHERS]
        rows.append(cells + [repeated.get(number, "")] * bool(repeated))
    return Table(
        "Mean ± standard deviation over the seeds, last epoch",
        rows,
        [
            "row",
            *map(label_of, keys),
            "runs",
            *(error_text(error, shares) for error in errors),
            *OTHERS.values(),
            *["the same as"] * bool(repeated),
        ],
        explored=True,
    )


def runs_table(
    runs: pd.DataFrame, varying: list[str], shares: bool, repeated: Mapping[str, Repeated]
) -> Table:
    """Tabulate every run."""
    errors = measured_errors(runs, "final_")
    columns = [runs["key"].tolist(), *(map(cell_text, runs[name].tolist()) for name in varying)]
    for error in errors:
        values = runs[f"final_{error}_error"].tolist()
        columns.append([f"{100 * value:.2f}" if shares else f"{value:.4g}" for value in values])
    columns.append([f"{value:.2f}" for value in runs["final_log_spread"].tolist()])
    columns.append([f"{value:.1f}" for value in runs["final_mean_sweeps"].tolist()])
    header = ["key", *map(label_of, varying), *(error_text(error, shares) for error in errors)]
    header += OTHERS.values()
    if repeated:
        columns.append([str(repeated.get(key, "")) for key in runs["key"]])
        header.append("the same as")
    rows = [
        ["undefined" if cell == "nan" else cell for cell in row]
        for row in zip(*columns, strict=True)
    ]
    return Table(f"All {len(runs)} runs, last epoch", rows, header, explored=True)


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


def error_text(name: str, shares: bool) -> str:
    """Name an error with its unit: shares of wrong examples are shown in percent."""
    return f"{name} error (%)" if shares else f"{name} error"


def cell_text(value: Any) -> str:
    """Write the value of a setting; nothing where a part has no such key."""
    return "" if value is None or value != value else value_text(value)


def setting_text(groups: Sequence[str], values: Sequence[Any]) -> str:
    """Name a setting, without the keys that its parts do not have.

    Examples
    --------
    >>> setting_text(["family", "p", "places"], ["rewire", 0.1, None])
    'family rewire, p 0.1'
    """
    return ", ".join(
        f"{label_of(key)} {value_text(value)}"
        for key, value in zip(groups, values, strict=True)
        if cell_text(value)
    )


def mean_text(values: pd.Series, shares: bool = False, most: int = 6) -> str:
    """Write a mean and the standard deviation, with two digits of the latter.

    There are at most so many digits behind the point, and two of shares, which are in percent.

    Examples
    --------
    >>> import pandas as pd
    >>> mean_text(pd.Series([0.05, 0.06, 0.071]), shares=True), mean_text(pd.Series([123.4567]))
    ('6.0 ± 1.1', '123.5')
    """
    factor = 100 if shares else 1
    mean, spread = factor * values.mean(), factor * values.std()
    if math.isnan(mean):
        return "undefined"
    if not spread > 0:
        return f"{mean:.2f}" if shares else f"{mean:.4g}"
    digits = max(0, 1 - math.floor(math.log10(spread)))
    digits = min(digits, 2 if shares else most)
    if digits == 6:
        return f"{mean:.4g} ± {spread:.2g}"
    return f"{mean:.{digits}f} ± {spread:.{digits}f}"


def signed(value: float) -> str:
    """Write a correlation.

    Examples
    --------
    >>> signed(-0.123), signed(0.5)
    ('−0.12', '0.50')
    """
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
