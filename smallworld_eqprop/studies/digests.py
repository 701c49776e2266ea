"""Digests of what a store holds of every run, so that a changed row is named."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from smallworld_eqprop.studies.store_schema import REMEDY

__all__ = ["changed", "problems", "seal"]

#: Tables of which every finished run has a digest, and the columns that it leaves out.
CHECKED: dict[str, tuple[str, ...]] = {
    "runs": ("status", "error", "traceback"),
    "epochs": (),
    "corrections": (),
    "metrics": (),
    "measures": (),
    "weights": (),
    "work": (),
}
#: The part of a row of runs that is there before the run is done, and its other columns.
PLAN = "plan"
_RESULTS = ("status", "error", "traceback", "graph", "dataset")

EMPTY = hashlib.sha256().hexdigest()

# Made with the first digest: stores of earlier versions have none, and are read as they are.
TABLE = """
CREATE TABLE IF NOT EXISTS digests (
    key TEXT NOT NULL REFERENCES runs (key),
    part TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (key, part)
)
"""


def seal(db: sqlite3.Connection, key: str, parts: Iterable[str] = CHECKED) -> None:
    """Note the digests of a run, in the transaction that has written its rows."""
    db.execute(TABLE)
    db.executemany(
        "INSERT OR REPLACE INTO digests VALUES (?, ?, ?)",
        [(key, part, _digests(db, part, key)[key]) for part in parts],
    )


def changed(
    db: sqlite3.Connection, parts: Iterable[str] = (PLAN, *CHECKED), key: str | None = None
) -> list[tuple[str, str]]:
    """Key and table of everything that is not what was written, of one run or of all."""
    if not list(db.execute("SELECT 1 FROM sqlite_schema WHERE name='digests'")):
        return []
    found = []
    for part in parts:
        there = _digests(db, part, key)
        chosen, values = ("part=? AND key=?", (part, key)) if key else ("part=?", (part,))
        noted = db.execute(f"SELECT key, sha256 FROM digests WHERE {chosen} ORDER BY rowid", values)
        found += [(each, part) for each, sha256 in noted if there.get(each, EMPTY) != sha256]
    return found


def problems(
    db: sqlite3.Connection,
    path: Path,
    parts: Iterable[str] = (PLAN, *CHECKED),
    key: str | None = None,
) -> list[str]:
    """One line for every run and table that was changed, of one run or of all."""
    found = [(each, "runs" if part == PLAN else part) for each, part in changed(db, parts, key)]
    return [
        f"{path}: table {table}, run {each!r}: was changed after it was stored; {REMEDY}"
        for each, table in dict.fromkeys(found)
    ]


def _digests(db: sqlite3.Connection, part: str, key: str | None = None) -> dict[str, str]:
    """SHA-256 by key over the rows of a part, of one run or of all that are done; plans of all."""
    table, left_out = ("runs", _RESULTS) if part == PLAN else (part, CHECKED[part])
    done = "1" if part == PLAN else "key IN (SELECT key FROM runs WHERE status='done')"
    chosen = "key=?" if key else done
    cursor = db.execute(
        f"SELECT * FROM {table} WHERE {chosen} ORDER BY rowid", (key,) if key else ()
    )
    names = [name for name, *_ in cursor.description]
    place = names.index("key")
    hashes = defaultdict(hashlib.sha256, {key: hashlib.sha256()} if key else {})
    for row in cursor:
        # Columns that came later are NULL in runs of before.
        values = [
            (name, value)
            for name, value in zip(names, row, strict=True)
            if value is not None and name not in left_out
        ]
        hashes[row[place]].update(repr(values).encode())
    return {each: found.hexdigest() for each, found in hashes.items()}
