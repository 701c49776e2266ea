"""Tidy tables out of a store."""

from __future__ import annotations

import functools
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smallworld_eqprop.learning.history import REWIRED
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.database import Unreadable

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "config_of",
    "corrections",
    "history",
    "measure_errors",
    "results_digest",
    "runs",
    "work",
]

# In the order in which the runs were added, whoever finished first.
DONE = "JOIN runs USING (key) WHERE status='done' ORDER BY runs.rowid"


def runs(db: sqlite3.Connection) -> pd.DataFrame:
    """One row per finished run; see `Store.runs`."""
    import pandas as pd

    rows = [
        {"key": key, **_flat(config), "epochs": epochs}
        for key, config, epochs in db.execute(
            "SELECT key, config, epochs FROM runs WHERE status='done' ORDER BY rowid"
        )
    ]
    usual = {"key": "", **_flat(json.dumps(RunConfig().to_dict())), "epochs": 0}
    columns = list(dict.fromkeys(key for row in rows or [usual] for key in row))
    table = pd.DataFrame(rows, columns=columns)
    # Timings are no outcome: see `work`.
    by_epoch = history(db).drop(columns="seconds", errors="ignore")
    for prefix, part in (
        ("final_", by_epoch.groupby("key", sort=False).tail(1)),
        ("epoch1_", by_epoch[by_epoch["epoch"] == 1]),
    ):
        values = _measured(part).drop(columns="epoch").set_index("key").add_prefix(prefix)
        table = table.join(values, on="key")
    metrics = _read(
        db, f"SELECT key, metric, value FROM metrics {DONE}, metrics.rowid", ("key", "metric")
    )
    # pivot sorts the columns; the order in which they were measured reads better.
    order = list(dict.fromkeys(metrics["metric"]))
    wide = metrics.pivot(index="key", columns="metric", values="value")[order]
    return table.join(wide.add_prefix("metric_"), on="key")


def history(db: sqlite3.Connection) -> pd.DataFrame:
    """One row per finished run and epoch."""
    return _measured(_read(db, f"SELECT epochs.* FROM epochs {DONE}, epoch"))


def corrections(db: sqlite3.Connection) -> pd.DataFrame:
    """One row per finished run, epoch and layer pair."""
    query = f"SELECT corrections.* FROM corrections {DONE}, epoch, corrections.rowid"
    return _read(db, query, texts=("key", "pair", "kind"))


def work(db: sqlite3.Connection) -> pd.DataFrame:
    """One row per finished run."""
    query = f"SELECT work.* FROM work {DONE}"
    return _read(db, query, texts=("key", "worker", "environment"))


def measure_errors(db: sqlite3.Connection) -> pd.DataFrame:
    """One row per run and measure that raised."""
    query = f"SELECT measures.* FROM measures {DONE}, measures.rowid"
    table = _read(db, query, texts=("key", "measure", "error"))
    return table[table["error"].notna()].reset_index(drop=True)


def results_digest(db: sqlite3.Connection) -> str:
    """SHA-256 over all that was found out."""
    digest = hashlib.sha256()
    for row in _outcomes(db):
        digest.update(repr(row).encode())
    return digest.hexdigest()


def _outcomes(db: sqlite3.Connection) -> Iterator[tuple[Any, ...]]:
    """All that was found out, row by row in an order of its own, without who, when and how long."""
    quantities = [
        name for _, name, *_ in db.execute("PRAGMA table_info(epochs)") if name != "seconds"
    ]
    for columns, table, order in (
        ("key, config, epochs, graph, dataset", "runs", "key"),
        (", ".join(sorted(quantities)), "epochs", "key, epoch"),
        ("*", "corrections", "key, epoch, pair"),
        ("*", "metrics", "key, metric"),
    ):
        finished = "WHERE key IN (SELECT key FROM runs WHERE status='done')"
        yield from db.execute(f"SELECT {columns} FROM {table} {finished} ORDER BY {order}")


def _measured(by_epoch: pd.DataFrame) -> pd.DataFrame:
    """Without columns of validation, test and rewiring that no run has measured."""
    # A table without rows has the columns that are usual.
    kinds = ("validation_", *REWIRED, *(() if by_epoch.empty else ("test_",)))
    names = [name for name in by_epoch if str(name).startswith(kinds)]
    return by_epoch.drop(columns=[name for name in names if by_epoch[name].isna().all()])


def _read(db: sqlite3.Connection, query: str, texts: tuple[str, ...] = ("key",)) -> pd.DataFrame:
    import pandas as pd

    cursor = db.execute(query)
    table = pd.DataFrame(cursor.fetchall(), columns=[name for name, *_ in cursor.description])
    # A column of nothing but NULL is one of NaN.
    numbers = [name for name in table.columns if name not in texts]
    return table.assign(**{name: pd.to_numeric(table[name]) for name in numbers})


def config_of(text: str) -> RunConfig:
    """Read the configuration of a run.

    Raises
    ------
    Unreadable
        If it is none.
    """
    try:
        values = json.loads(text)
        if isinstance(values, dict):
            return RunConfig.from_dict(values)
        raise TypeError(f"{text!r:.60}, must be a table")
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise Unreadable(f"table runs, config: {error}") from None


def _flat(config: str) -> dict[str, Any]:
    """Read the keys of a configuration; those of runs that differ in their seed only once."""
    try:
        values = json.loads(config)
        seed = values["training"].pop("seed")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return dict(_read_flat(config))  # seed 0 is not written; what is damaged is told there
    if type(seed) is not int or seed < 1:
        return dict(_read_flat(config))
    return {**_read_flat(json.dumps(values)), "seed": seed}


@functools.lru_cache(maxsize=1024)
def _read_flat(config: str) -> dict[str, Any]:
    values = config_of(config).flat()
    return {
        key: json.dumps(value) if isinstance(value, list) else value
        for key, value in values.items()
    }
