"""Where the runs of a store stand, and which sweep works on which of them.

The functions read and write within a transaction of the store.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.owners import is_alive
from smallworld_eqprop.studies.tables import config_of

__all__ = ["Claim", "RunStatus", "Status", "claim", "give_back", "standing", "statuses"]

Status = Literal["pending", "running", "done", "failed"]


@dataclass(frozen=True)
class Claim:
    """A run that is to be done by whoever claimed it, and by no one else."""

    key: str
    config: RunConfig
    epochs: int


@dataclass(frozen=True)
class RunStatus:
    """Where a run stands; `owner` is the sweep that it is running in."""

    key: str
    config: RunConfig
    epochs: int
    status: Status
    error: str | None
    traceback: str | None
    owner: str | None


def claim(
    db: sqlite3.Connection, keys: Iterable[str], owner: str, alive: Callable[[str, float], bool]
) -> Claim | None:
    """Take the first of these runs that is neither done, failed nor being done.

    Parameters
    ----------
    db : sqlite3.Connection
    keys : iterable of str
    owner : str
    alive : callable
        Whether a sweep may go on, from its name and its last heartbeat.
    """
    taken = _taken(db, alive)
    rows = db.execute("SELECT key, config, epochs FROM runs WHERE status='pending'")
    free = {key: row for key, *row in rows if key not in taken}
    key = next((key for key in keys if key in free), None)
    if key is None:
        return None
    now = time.time()
    db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", (key, owner, now, now))
    config, epochs = free[key]
    return Claim(key, config_of(config), epochs)


def give_back(db: sqlite3.Connection, key: str, owner: str) -> bool:
    """End the claim on a run; whether the owner had it."""
    cursor = db.execute("DELETE FROM claims WHERE key=? AND owner=?", (key, owner))
    return cursor.rowcount == 1


def standing(db: sqlite3.Connection) -> dict[str, Status]:
    """Status by key of every run, in the order in which they were added."""
    taken = _taken(db)
    rows = db.execute("SELECT key, status FROM runs ORDER BY rowid")
    return {key: "running" if key in taken else status for key, status in rows}


def statuses(db: sqlite3.Connection) -> list[RunStatus]:
    """Where every run stands, in the order in which they were added."""
    taken = _taken(db)
    rows = db.execute(
        "SELECT key, config, epochs, status, error, traceback FROM runs ORDER BY rowid"
    )
    return [
        RunStatus(
            key,
            config_of(config),
            epochs,
            "running" if key in taken else status,
            error,
            traceback,
            taken.get(key),
        )
        for key, config, epochs, status, error, traceback in rows
    ]


def _taken(
    db: sqlite3.Connection, alive: Callable[[str, float], bool] = is_alive
) -> dict[str, str]:
    """Owner by key of the runs that somebody alive works on."""
    rows = db.execute("SELECT key, owner, heartbeat FROM claims").fetchall()
    return {key: owner for key, owner, heartbeat in rows if alive(owner, heartbeat)}
