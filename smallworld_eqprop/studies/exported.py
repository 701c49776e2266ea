"""Tables of a study in a folder, which outlive its store: written, added to, read again."""

from __future__ import annotations

import csv
import functools
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer, first_bytes, require_own

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Format", "exported_keys", "write_tables"]

Format = Literal["csv", "parquet"]


def write_tables(
    tables: Mapping[str, pd.DataFrame], folder: Path, form: Format, *, add: bool = False
) -> list[Path]:
    """Write tables into a folder, each whole or not at all.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        By their names; each has a column ``key``.
    folder : Path
        It is made if missing.
    form : {"csv", "parquet"}
    add : bool
        Whether runs that are only in tables of an earlier export stay in them.

    Returns
    -------
    list of Path

    Raises
    ------
    InputError
        If a file is in the way that is no such table, or the earlier table cannot be read.
    """
    if form == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise InputError("--format: parquet needs pyarrow; pip install pyarrow, or choose csv")
    paths = {name: folder / f"{name}.{form}" for name in tables}
    for name, path in paths.items():
        ours = functools.partial(_has_columns, first=[str(column) for column in tables[name]][:2])
        require_own(path, f"a table of export ({name})", ours)
    if add:  # all are read before the first is written
        tables = {name: _added(table, paths[name]) for name, table in tables.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        _write(table, paths[name], form)
    return list(paths.values())


def exported_keys(folder: Path) -> frozenset[str]:
    """Keys of the finished runs in the tables of an earlier export.

    Raises
    ------
    InputError
        If the folder has no table of runs, or it cannot be read.
    """
    for form in get_args(Format):
        path = folder / f"runs.{form}"
        if path.exists():
            table = _read(path)
            if "key" in table:
                return frozenset(table["key"])
            raise InputError(f"{path}: has no column key; give a folder of export")
    raise InputError(f"{folder}: no runs.csv or runs.parquet in it; give a folder of export")


def _added(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """A table after those rows of an earlier one whose runs it lacks."""
    import pandas as pd

    if not path.exists() or path.stat().st_size == 0:
        return table
    earlier = _read(path)
    earlier = earlier[~earlier["key"].isin(table["key"])]
    if earlier.empty:
        return table
    if path.suffix == ".csv":
        table = table.astype(object)  # beside texts
    # A column of one table only is empty in the rows of the other.
    return pd.concat([earlier, table], ignore_index=True)


def _read(path: Path) -> pd.DataFrame:
    """A table as it is in a file; numbers of a CSV stay the texts that they are."""
    import pandas as pd

    try:
        if path.suffix != ".csv":
            return pd.read_parquet(path, engine="pyarrow")
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.reader(file, strict=True))
        header = rows[0] if rows else []
        for line, row in enumerate(rows, start=1):  # pandas would fill up a row that is cut off
            if len(row) != len(header):
                raise ValueError(f"line {line}: {len(row)} values, must be {len(header)}")
        return pd.DataFrame(rows[1:], columns=header)
    except (OSError, ValueError, ImportError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None


def _write(table: pd.DataFrame, path: Path, form: Format) -> None:
    """Write a table, whole or not at all."""
    with atomic_writer(path) as file:
        if form == "csv":
            table.to_csv(file, index=False)
            return
        # Parquet knows one type per column; a learning rate may be a number or a list.
        mixed = [name for name in table if len({type(value) for value in table[name].dropna()}) > 1]
        table.astype(dict.fromkeys(mixed, str)).to_parquet(file, engine="pyarrow", index=False)


def _has_columns(path: Path, first: list[str]) -> bool:
    """Whether a file holds a table whose first columns have these names."""
    if path.suffix == ".csv":
        line = first_bytes(path).partition(b"\n")[0]
        return line.decode(errors="replace").rstrip("\r").split(",")[: len(first)] == first
    import pandas as pd

    try:
        return list(pd.read_parquet(path, engine="pyarrow"))[: len(first)] == first
    except (OSError, ValueError):
        return False
