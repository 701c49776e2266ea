"""The tables that a store must have, and what is in their columns, checked when it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from smallworld_eqprop.errors import InputError

__all__ = ["check_tables"]

REMEDY = "bring back a copy of the store, or sweep the study into a new one"
_STORED = {"TEXT": "'text'", "INTEGER": "'integer'", "REAL": "'real', 'integer'"}


def check_tables(db: sqlite3.Connection, path: Path, statements: str) -> None:
    """Refuse a store without a table or column, or with a value of another type in one.

    Parameters
    ----------
    statements : str
        SQL that makes the tables.

    Raises
    ------
    InputError
        Naming file, table and column.
    """
    model = sqlite3.connect(":memory:")
    try:
        model.executescript(statements)
        names = [name for (name,) in model.execute("SELECT name FROM sqlite_schema WHERE sql>''")]
        expected = {table: _columns(model, table) for table in names}
    finally:
        model.close()
    for table, columns in expected.items():
        there = _columns(db, table)  # with columns that came later
        if not there:
            raise InputError(f"{path}: table {table} is missing; {REMEDY}")
        for column in columns:
            if column not in there:
                raise InputError(f"{path}: table {table} has no column {column}; {REMEDY}")
        for column, kind in there.items():
            allowed = _STORED.get(kind, "'text', 'integer', 'real'")
            _refuse(db, path, table, column, f"typeof({column}) NOT IN ('null', {allowed})")


def _columns(db: sqlite3.Connection, table: str) -> dict[str, str]:
    return {name: kind for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})")}


def _refuse(db: sqlite3.Connection, path: Path, table: str, column: str, wrong: str) -> None:
    # A value that is NULL makes the condition NULL.
    for key, value in db.execute(f"SELECT key, {column} FROM {table} WHERE {wrong} LIMIT 1"):
        raise InputError(f"{path}: table {table}, run {key!r}, {column}: {value!r:.60}; {REMEDY}")
