"""Tables of the user as examples: columns chosen, numbers and labels told apart."""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data.split import Examples, Labels
from smallworld_eqprop.errors import InputError, nearest

__all__ = ["labels_of", "read_csv", "read_parquet", "require_task", "select"]

#: Whole numbers up to so many different ones are taken as classes without being told.
FEW = 20
#: Texts that stand for a missing number.
MISSING = {"na", "n/a", "nan", "null", "none", "missing", "?", "-", "."}


def read_csv(path: str, content: bytes, separator: str, header: bool) -> Any:
    """The table of a CSV file.

    Raises
    ------
    InputError
        If it is no text or no table.
    """
    # Imported here because pandas is a quarter of the time the package takes to import.
    import pandas as pd

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            # A class may be called "NA": only what is empty is missing.
            table = pd.read_csv(
                io.BytesIO(content),
                sep=separator,
                header=0 if header else None,
                index_col=False,
                skipinitialspace=True,
                keep_default_na=False,
                na_values=[""],
                encoding="utf-8-sig",
                low_memory=False,
            )
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path}: not a text in UTF-8 ({error.reason}); save it as UTF-8"
        ) from None
    except (pd.errors.EmptyDataError, pd.errors.ParserError, pd.errors.ParserWarning) as error:
        reason = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
        raise InputError(
            f"{path}: not a table with the separator {separator!r} ({reason}); give "
            "data.separator, and every row as many values as there are columns"
        ) from None
    if len(table.columns) == 1:
        raise InputError(
            f"{path}: a single column with the separator {separator!r}, {table.columns[0]!r:.60}; "
            "give data.separator"
        )
    return table.set_axis([str(name) for name in table.columns], axis=1)


def read_parquet(path: str, content: bytes) -> Any:
    """The table of a Parquet file.

    Raises
    ------
    InputError
        If pandas cannot read it.
    """
    import pandas as pd

    try:
        table = pd.read_parquet(io.BytesIO(content))
    except ImportError:
        raise InputError(
            f"{path}: to read Parquet pandas needs pyarrow; pip install pyarrow"
        ) from None
    # What is wrong surfaces as an exception of whichever library pandas found.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise InputError(f"{path}: not a Parquet file, or a damaged one ({reason[:120]})") from None
    return table.set_axis([str(name) for name in table.columns], axis=1)


def select(
    path: str, table: Any, target: Sequence[str], features: Sequence[str], task: str | None
) -> Examples:
    """Features and target of a table.

    Parameters
    ----------
    path : str
        For messages.
    table : pandas.DataFrame
        Its columns have texts for names.
    target, features : sequence of str
        Names of columns; without features all others that differ from row to row.
    task : {"classification", "regression"}, optional

    Raises
    ------
    InputError
        If there is no such column, a value is missing, a feature is not a number, or the target
        does not tell the task.
    """
    columns = list(table.columns)
    for key, names in (("target", target), ("features", features)):
        for name in names:
            if columns.count(name) != 1:
                problem = "two columns" if name in columns else "unknown column"
                known = nearest(name, columns[:30]) + (", ..." if len(columns) > 30 else "")
                raise InputError(f"{path}: data.{key}: {problem} {name!r}; {known}")
    chosen = list(features) or [name for name in columns if name not in target]
    constant = [] if features else _constant(table, chosen)
    chosen = [name for name in chosen if name not in constant]
    if constant and not chosen:
        raise InputError(
            f"{path}: every column but the target has one value in all {len(table)} rows; give a "
            "feature that differs"
        )
    if not chosen:
        raise InputError(f"{path}: no column but the target; give at least one feature")
    for name in () if features else chosen:
        # An index that was saved along would be learned from.
        if not name or name.startswith("Unnamed: "):
            raise InputError(
                f"{path}: column {columns.index(name) + 1} has no name; name the columns to learn "
                "from in data.features, or save the file without it (pandas: index=False)"
            )
    missing = table[[*chosen, *target]].isna().to_numpy()
    if missing.any():
        row, column = np.argwhere(missing)[0]
        raise InputError(
            f"{path}: data row {row + 1}, column {[*chosen, *target][column]!r}: missing; leave "
            "out the row or fill in a value"
        )
    labels = _target(path, table, target, task)
    found = [
        _numbers(path, table[name], "choose columns of numbers by data.features") for name in chosen
    ]
    return Examples(
        path,
        np.column_stack(found),
        labels,
        lambda row, column: f"data row {row + 1}, column {chosen[column]!r}",
        tuple(chosen),
        tuple(constant),
    )


def _constant(table: Any, names: Sequence[str]) -> list[str]:
    """Columns with one value in all rows, of two or more: they tell nothing of any row."""
    if len(table) < 2:
        return []
    return [name for name in names if (table[name] == table[name].iloc[0]).all()]


def require_task(where: str, task: str | None, values: npt.NDArray) -> bool:
    """Whether a target of these values is one of classes.

    Raises
    ------
    InputError
        If no task is given and the values could mean either.
    """
    if task is not None or values.dtype.kind not in "iuf":
        return task != "regression"
    different = np.unique(values)
    if len(different) > FEW or (different != np.round(different)).any():
        raise InputError(
            f"{where}: {len(different)} different numbers, which may be classes or quantities; "
            "give data.task, 'classification' or 'regression'"
        )
    return True


def labels_of(values: npt.NDArray) -> Labels:
    """Class of every value; names are in the order of numbers, or of the alphabet."""
    if values.dtype.kind not in "biuf":
        values = values.astype(str)
    different, codes = np.unique(values, return_inverse=True)
    names = [each.item() for each in different]
    texts = [str(int(n)) if isinstance(n, float) and n.is_integer() else str(n) for n in names]
    return Labels(tuple(texts), codes.astype(np.intp))


def _target(path: str, table: Any, names: Sequence[str], task: str | None) -> Any:
    import pandas as pd

    first = table[names[0]]
    if isinstance(first.dtype, pd.CategoricalDtype):
        first = first.astype(object).infer_objects()
    numeric = pd.api.types.is_numeric_dtype(first)
    values = first.to_numpy() if numeric else first.astype(str).to_numpy(object)
    if numeric and values.dtype == object:  # a type of pandas with a mask
        values = np.array(values.tolist())
    if require_task(f"{path}: column {names[0]!r}", task, values):
        return labels_of(values)
    remedy = "a regression needs numbers; give another data.target, or the task 'classification'"
    found = np.column_stack([_numbers(path, table[name], remedy) for name in names])
    if not np.isfinite(found).all():
        row, column = np.argwhere(~np.isfinite(found))[0]
        raise InputError(
            f"{path}: data row {row + 1}, column {names[column]!r}: {found[row, column]}, must be "
            "finite"
        )
    return found


def _numbers(path: str, column: Any, remedy: str) -> npt.NDArray[np.float64]:
    import pandas as pd

    types = pd.api.types
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object).infer_objects()
    if types.is_numeric_dtype(column) and not types.is_complex_dtype(column):
        values: npt.NDArray[np.float64] = column.to_numpy(np.float64)
        return values
    if not (types.is_object_dtype(column) or types.is_string_dtype(column)):
        raise InputError(
            f"{path}: column {column.name!r}: {column.dtype}, must be numbers; {remedy}"
        )
    converted = pd.to_numeric(column, errors="coerce")
    if (bad := converted.isna().to_numpy()).any():
        row = int(bad.argmax())
        value = column.iloc[row]
        empty = isinstance(value, str) and value.strip().lower() in MISSING
        why = "a missing value; leave out the row" if empty else f"must be a number; {remedy}"
        raise InputError(
            f"{path}: data row {row + 1}, column {column.name!r}: {value!r:.60}, {why}"
        )
    return converted.to_numpy(np.float64)
