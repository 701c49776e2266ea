"""The tables that a store must have, and what is in their columns, checked when it is opened."""

from __future__ import annotations

import dataclasses
import sqlite3
from pathlib import Path

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.history import EpochRecord

__all__ = ["REMEDY", "TABLES", "check_tables", "later_columns"]

#: What to do with a store of which something is missing, odd or changed.
REMEDY = "bring back a copy of the store, or sweep the study into a new one"
_STORED = {"TEXT": "'text'", "INTEGER": "'integer'", "REAL": "'real', 'integer'"}

TABLES = """
CREATE TABLE runs (
    key TEXT PRIMARY KEY,
    config TEXT NOT NULL,
    epochs INTEGER NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending' CHECK (status IN ('pending', 'done', 'failed')),
    error TEXT,
    traceback TEXT,
    graph TEXT,
    dataset TEXT
);
CREATE TABLE claims (
    key TEXT PRIMARY KEY REFERENCES runs (key),
    owner TEXT NOT NULL,
    since REAL NOT NULL,
    heartbeat REAL NOT NULL
);
CREATE TABLE epochs (
    key TEXT NOT NULL REFERENCES runs (key),
    epoch INTEGER NOT NULL,
    PRIMARY KEY (key, epoch)
);
CREATE TABLE corrections (
    key TEXT NOT NULL REFERENCES runs (key),
    epoch INTEGER NOT NULL,
    pair TEXT NOT NULL,
    kind TEXT NOT NULL,
    rms REAL,
    PRIMARY KEY (key, epoch, pair)
);
CREATE TABLE metrics (
    key TEXT NOT NULL REFERENCES runs (key),
    metric TEXT NOT NULL,
    value REAL,
    PRIMARY KEY (key, metric)
);
CREATE TABLE measures (
    key TEXT NOT NULL REFERENCES runs (key),
    measure TEXT NOT NULL,
    error TEXT,
    PRIMARY KEY (key, measure)
);
CREATE TABLE weights (
    key TEXT PRIMARY KEY REFERENCES runs (key),
    sha256 TEXT NOT NULL
);
CREATE TABLE work (
    key TEXT PRIMARY KEY REFERENCES runs (key),
    worker TEXT NOT NULL,
    started REAL NOT NULL,
    finished REAL NOT NULL,
    seconds REAL NOT NULL,
    environment TEXT NOT NULL
);
"""


def check_tables(db: sqlite3.Connection, path: Path) -> None:
    """Refuse a store without a table or column, or with a value of another type in one.

    Raises
    ------
    InputError
        Naming file, table and column.
    """
    model = sqlite3.connect(":memory:")
    try:
        model.executescript(TABLES)
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


def later_columns(db: sqlite3.Connection) -> dict[str, str]:
    """Columns that the table of epochs lacks, and their types: quantities that came later."""
    present = _columns(db, "epochs")
    return {
        field.name: "INTEGER" if field.type == "int" else "REAL"
        for field in dataclasses.fields(EpochRecord)
        if field.name not in present
    }


def _columns(db: sqlite3.Connection, table: str) -> dict[str, str]:
    return {name: kind for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})")}


def _refuse(db: sqlite3.Connection, path: Path, table: str, column: str, wrong: str) -> None:
    # A value that is NULL makes the condition NULL.
    for key, value in db.execute(f"SELECT key, {column} FROM {table} WHERE {wrong} LIMIT 1"):
        raise InputError(f"{path}: table {table}, run {key!r}, {column}: {value!r:.60}; {REMEDY}")
