"""By which error runs are judged: the validation error where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["judged_by", "measured_errors"]


def measured_errors(table: pd.DataFrame, prefix: str = "") -> list[str]:
    """Which errors a table holds: ``training``, and ``validation`` and ``test`` if measured.

    Parameters
    ----------
    table : DataFrame
        A history, or with ``final_`` as the prefix the table of the runs of a study.
    prefix : str
        What the columns begin with.
    """
    columns = {name: f"{prefix}{name}_error" for name in ("training", "validation", "test")}
    return [
        name
        for name, column in columns.items()
        if name == "training" or (column in table and table[column].notna().any())
    ]


def judged_by(table: pd.DataFrame, prefix: str = "") -> str:
    """The error that runs are judged by: the first that was measured of validation, test, training.

    See `measured_errors` for the parameters.
    """
    found = measured_errors(table, prefix)
    return next(name for name in ("validation", "test", "training") if name in found)
