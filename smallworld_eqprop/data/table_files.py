"""Tables of the user in files, as specs: CSV and Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass
from typing import Any

from smallworld_eqprop.data.files import FileData
from smallworld_eqprop.data.split import Examples, Labels
from smallworld_eqprop.data.tables import read_csv, read_parquet, select
from smallworld_eqprop.errors import InputError

__all__ = ["Csv", "Parquet"]


@dataclass(frozen=True)
class _Table(FileData):
    """A file of columns with names.

    Attributes
    ----------
    target : str or tuple of str
        The column to be learned; a regression may have several.
    features : tuple of str
        Columns of the inputs; when left out, all other columns except those with the same value in
        all rows.
    test_path : str, optional
        A file with the same columns for testing; `test_share` and `split_seed` are then ignored.
    """

    target: str | tuple[str, ...]
    _: KW_ONLY
    features: tuple[str, ...] = ()
    test_path: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        names = _columns("target", (self.target,) if isinstance(self.target, str) else self.target)
        features = _columns("features", self.features)
        if not names:
            raise InputError("data.target: (), must be a column, or several")
        if len(names) > 1 and self.task != "regression":
            raise InputError(
                f"data.target: {len(names)} columns, but a classification has one; give one, or "
                "the task 'regression'"
            )
        if both := [column for column in features if column in names]:
            raise InputError(f"data.features: {both[0]!r} is the target; leave it out")
        if self.test_path is not None and not (isinstance(self.test_path, str) and self.test_path):
            raise InputError(f"data.test_path: {self.test_path!r}, must be the name of a file")
        object.__setattr__(self, "target", names[0] if len(names) == 1 else names)
        object.__setattr__(self, "features", features)

    def _paths(self) -> dict[str, str]:
        test = {} if self.test_path is None else {"test_path": self.test_path}
        return super()._paths() | test

    def _read(self, contents: dict[str, bytes]) -> tuple[Examples, Examples | None]:
        target = (self.target,) if isinstance(self.target, str) else self.target
        first = self._table(self.path, contents["path"])
        examples = select(self.path, first, target, self.features, self.task)
        if self.test_path is None:
            return examples, None
        table = self._table(self.test_path, contents["test_path"])
        task = "classification" if isinstance(examples.target, Labels) else "regression"
        return examples, select(self.test_path, table, target, examples.names, task)

    def _table(self, path: str, content: bytes) -> Any:
        raise NotImplementedError


def _columns(key: str, given: Any) -> tuple[str, ...]:
    """Names of different columns as a tuple."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise InputError(f"data.{key}: {given!r}, must be a list of columns")
    columns = tuple(given)
    for column in columns:
        if not isinstance(column, str):
            raise InputError(f"data.{key}: {column!r}, must be the name of a column")
        if columns.count(column) > 1:
            raise InputError(f"data.{key}: {column!r} is given twice; give it once")
    return columns


@dataclass(frozen=True)
class Csv(_Table):
    """A text file of rows; missing values are refused.

    Attributes
    ----------
    path, task, scaling, test_share, split_seed, n_train
        As in `FileData`.
    target : str or tuple of str
        The column to be learned; a regression may have several.
    features : tuple of str
        Columns of the inputs; when left out, all other columns except those with the same value in
        all rows.
    test_path : str, optional
        A file with the same columns for testing; `test_share` and `split_seed` are then ignored.
    separator : str
        One character between the columns.
    header : bool
        Whether the first line names the columns; otherwise they are called "0", "1" and so on.
    """

    _: KW_ONLY
    separator: str = ","
    header: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.separator, str) or len(self.separator) != 1:
            raise InputError(f"data.separator: {self.separator!r}, must be one character")
        if not isinstance(self.header, bool):
            raise InputError(f"data.header: {self.header!r}, must be true or false")

    def _table(self, path: str, content: bytes) -> Any:
        return read_csv(path, content, self.separator, self.header)


@dataclass(frozen=True)
class Parquet(_Table):
    """A Parquet file, which pandas reads where pyarrow is installed.

    Attributes
    ----------
    path, task, scaling, test_share, split_seed, n_train
        As in `FileData`.
    target, features, test_path
        As in `Csv`.
    """

    def _table(self, path: str, content: bytes) -> Any:
        return read_parquet(path, content)
