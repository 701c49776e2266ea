"""The rows that a run has in a store, written within a transaction."""

from __future__ import annotations

import dataclasses
import json
import math
import sqlite3
from typing import Any

from smallworld_eqprop.studies import digests
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.results import Done

__all__ = ["insert_metrics", "insert_outcome", "insert_plan"]

#: Tables that get more rows after a run is done.
MEASURED = ("metrics", "measures")


def insert_plan(db: sqlite3.Connection, key: str, config: RunConfig, epochs: int) -> bool:
    """Note a run that is to be done; whether it was not there yet."""
    cursor = db.execute(
        "INSERT OR IGNORE INTO runs (key, config, epochs) VALUES (?, ?, ?)",
        (key, json.dumps(config.to_dict()), epochs),
    )
    if not cursor.rowcount:
        return False
    digests.seal(db, key, [digests.PLAN])
    return True


def insert_outcome(db: sqlite3.Connection, key: str, done: Done) -> None:
    """Write the outcome of a run, with the digests of its rows."""
    db.execute(
        "UPDATE runs SET status='done', graph=?, dataset=? WHERE key=?",
        (json.dumps(done.graph), json.dumps(done.dataset), key),
    )
    for record in done.history:
        names = ", ".join(record)
        marks = ", ".join("?" * len(record))
        db.execute(
            f"INSERT INTO epochs (key, {names}) VALUES (?, {marks})",
            (key, *map(_storable, record.values())),
        )
    db.executemany(
        "INSERT INTO corrections VALUES (?, ?, ?, ?, ?)",
        [(key, *map(_storable, dataclasses.astuple(row))) for row in done.corrections],
    )
    _insert_measured(db, key, done.metrics, done.measures)
    if done.weights is not None:
        db.execute("INSERT OR REPLACE INTO weights VALUES (?, ?)", (key, done.weights))
    work = done.work
    environment = json.dumps(work.environment)
    db.execute(
        "INSERT OR REPLACE INTO work VALUES (?, ?, ?, ?, ?, ?)",
        (key, work.worker, work.started, work.finished, work.seconds, environment),
    )
    digests.seal(db, key)


def insert_metrics(
    db: sqlite3.Connection, key: str, metrics: dict[str, float], measures: dict[str, str | None]
) -> None:
    """Write more of what was measured of a run that is done."""
    damaged = [part for _, part in digests.changed(db, MEASURED, key)]
    _insert_measured(db, key, metrics, measures)
    # What was changed stays known as such.
    digests.seal(db, key, [part for part in MEASURED if part not in damaged])


def _insert_measured(
    db: sqlite3.Connection, key: str, metrics: dict[str, float], measures: dict[str, str | None]
) -> None:
    db.executemany(
        "INSERT OR REPLACE INTO measures VALUES (?, ?, ?)",
        [(key, name, error) for name, error in measures.items()],
    )
    db.executemany(
        "INSERT OR REPLACE INTO metrics VALUES (?, ?, ?)",
        [(key, metric, _storable(value)) for metric, value in metrics.items()],
    )


def _storable(value: Any) -> Any:
    """SQLite has no NaN: it stores a NaN of Python as NULL, but not one of NumPy."""
    return None if isinstance(value, float) and math.isnan(value) else value
