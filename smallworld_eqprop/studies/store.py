"""The store of a study: one SQLite file in which a run is wholly there or not at all.

Every change is one transaction, so a kill, a full disk or a crash leaves the store as it was
before it. SQLite's rollback journal is used and not its write-ahead log: a study writes little,
and the journal keeps the store a single file, readable where nothing can be written.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, get_args

from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies import digests, tables
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.database import connect, patiently, snapshot, translated
from smallworld_eqprop.studies.owners import Watch, is_alive
from smallworld_eqprop.studies.results import Done, Failed, Work
from smallworld_eqprop.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Claim", "Status", "Store"]

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


class Store:
    """Runs of one or more studies in one SQLite file.

    Parameters
    ----------
    path : path-like
    create : bool
        Make the file if it is not there.

    Raises
    ------
    InputError
        If there is no store, or the file is damaged or something else.
    OSError
        If it cannot be read or made.

    Examples
    --------
    >>> with Store(tmp / "study.sqlite", create=False) as store:  # doctest: +SKIP
    ...     store.runs()[["p", "seed", "final_test_error", "metric_transitivity"]]
    """

    def __init__(self, path: str | Path, *, create: bool = True) -> None:
        self.path = Path(path)
        self._db = connect(self.path, create=create)
        self._watch = Watch()
        #: Asked while other processes keep the store busy: whether to end with an error.
        self.give_up: Callable[[], bool] = lambda: False

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def __repr__(self) -> str:
        try:
            counts = Counter(self.standing().values())
        except (InputError, OSError, sqlite3.Error):
            return f"Store({self.path}: closed or unreadable)"
        listed = ", ".join(
            f"{counts[state]} {state}" for state in get_args(Status) if counts[state]
        )
        return f"Store({self.path}: {listed or 'no runs'})"

    @property
    def scratch(self) -> Path:
        """Folder beside the store for the checkpoints of runs under way."""
        return self.path.with_name(f"{self.path.name}.scratch")

    # Writing

    def add(self, study: Study) -> int:
        """Note the runs of a study that are not there yet; give their number."""
        with self._transaction():
            rows = [
                (key, json.dumps(run.to_dict()), study.epochs)
                for key, run in zip(study.keys, study.runs, strict=True)
            ]
            before = self._db.total_changes
            self._db.executemany(
                "INSERT OR IGNORE INTO runs (key, config, epochs) VALUES (?, ?, ?)", rows
            )
            return self._db.total_changes - before

    def claim(self, keys: Iterable[str], owner: str) -> Claim | None:
        """Take the first of these runs that is neither done, failed nor being done.

        A run claimed by a sweep that has died since is free again; where that sweep is on another
        machine, only after this store was open for as long as a lease without a sign of it.
        """
        with self._transaction():
            taken = self._claimed(self._watch.is_alive)
            rows = self._db.execute("SELECT key, config, epochs FROM runs WHERE status='pending'")
            free = {key: row for key, *row in rows if key not in taken}
            key = next((key for key in keys if key in free), None)
            if key is None:
                return None
            now = time.time()
            self._db.execute(
                "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?)", (key, owner, now, now)
            )
            config, epochs = free[key]
            return Claim(key, tables.config_of(config), epochs)

    def beat(self, owner: str) -> None:
        """Show that the owner of claims is alive, for those on other machines."""
        with self._transaction():
            self._db.execute("UPDATE claims SET heartbeat=? WHERE owner=?", (time.time(), owner))

    def release(self, owner: str, key: str | None = None) -> None:
        """Give up the claim on one run, or on all."""
        with self._transaction():
            self._db.execute(
                "DELETE FROM claims WHERE owner=? AND key=ifnull(?, key)", (owner, key)
            )

    def finish(self, key: str, owner: str, done: Done) -> bool:
        """Store the outcome of a run, all of it or nothing.

        Returns
        -------
        bool
            Whether it was stored; not if the run was somebody else's by now.
        """
        with self._transaction():
            if not self._give_back(key, owner):
                return False
            self._db.execute(
                "UPDATE runs SET status='done', graph=?, dataset=? WHERE key=?",
                (json.dumps(done.graph), json.dumps(done.dataset), key),
            )
            for record in done.history:
                names = ", ".join(record)
                marks = ", ".join("?" * len(record))
                self._db.execute(
                    f"INSERT INTO epochs (key, {names}) VALUES (?, {marks})",
                    (key, *map(_storable, record.values())),
                )
            self._db.executemany(
                "INSERT INTO corrections VALUES (?, ?, ?, ?, ?)",
                [(key, *map(_storable, dataclasses.astuple(row))) for row in done.corrections],
            )
            self._insert_metrics(key, done.metrics, done.measures)
            if done.weights is not None:
                self._db.execute(
                    "INSERT OR REPLACE INTO weights VALUES (?, ?)", (key, done.weights)
                )
            self._insert_work(key, done.work)
            digests.seal(self._db, key)
            return True

    def fail(self, key: str, owner: str, failed: Failed) -> bool:
        """Store why a run is not possible; see `finish`."""
        with self._transaction():
            if not self._give_back(key, owner):
                return False
            self._db.execute(
                "UPDATE runs SET status='failed', error=?, traceback=? WHERE key=?",
                (failed.error, failed.traceback, key),
            )
            return True

    def retry_failed(self, keys: Iterable[str]) -> None:
        """Make failed runs pending."""
        with self._transaction():
            self._db.executemany(
                "UPDATE runs SET status='pending', error=NULL, traceback=NULL "
                "WHERE key=? AND status='failed'",
                [(key,) for key in keys],
            )

    def add_metrics(
        self, key: str, metrics: dict[str, float], measures: dict[str, str | None]
    ) -> None:
        """Store more of what was measured of a run that is done.

        Parameters
        ----------
        key : str
        metrics : dict of str to float
        measures : dict of str to str or None
            The measures that were taken, with the error of each that raised.
        """
        with self._transaction():
            damaged = bool(digests.changed(self._db, ["metrics"], key))
            self._insert_metrics(key, metrics, measures)
            if not damaged:  # what was changed stays known as such
                digests.seal(self._db, key, ["metrics"])

    # Reading

    def standing(self) -> dict[str, Status]:
        """Status by key of every run, in the order in which they were added."""
        with self._snapshot():
            taken = self._claimed()
            rows = self._db.execute("SELECT key, status FROM runs ORDER BY rowid")
            return {key: "running" if key in taken else status for key, status in rows}

    def statuses(self) -> list[RunStatus]:
        """Where every run stands, in the order in which they were added."""
        with self._snapshot():
            taken = self._claimed()
            rows = self._db.execute(
                "SELECT key, config, epochs, status, error, traceback FROM runs ORDER BY rowid"
            )
            return [
                RunStatus(
                    key,
                    tables.config_of(config),
                    epochs,
                    "running" if key in taken else status,
                    error,
                    traceback,
                    taken.get(key),
                )
                for key, config, epochs, status, error, traceback in rows
            ]

    def measured(self, name: str) -> set[str]:
        """Keys of the runs of which a measure was taken, and did not raise."""
        with self._snapshot():
            rows = self._db.execute(
                "SELECT key FROM measures WHERE measure=? AND error IS NULL", (name,)
            )
            return {key for (key,) in rows}

    def measure_errors(self) -> pd.DataFrame:
        """One row per run and measure that raised: ``key``, ``measure``, ``error``."""
        with self._snapshot():
            return tables.measure_errors(self._db)

    def weights_of(self, key: str) -> tuple[Path, str | None]:
        """Where the trained network of a run is kept, and its SHA-256 if it is."""
        with self._snapshot():
            row = self._db.execute("SELECT sha256 FROM weights WHERE key=?", (key,)).fetchone()
        folder = self.path.absolute().with_name(f"{self.path.name}.weights")
        return folder / f"{key}.npz", row and row[0]

    def network(self, key: str) -> Network:
        """The trained network of a run whose study has ``weights = true``.

        Raises
        ------
        InputError
            If its weights were not kept, or the file is not the one that was.
        """
        path, digest = self.weights_of(key)
        if digest is None:
            raise InputError(f"{self.path}: the weights of run {key!r} were not kept")
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None
        if found != digest:
            raise InputError(f"{path}: is not the file that was kept; train the run again")
        return Network.load(path)

    def runs(self) -> pd.DataFrame:
        """One row per finished run.

        Returns
        -------
        DataFrame
            ``key``; every key of the configuration (lists as JSON text); ``epochs``; the fields
            of `EpochRecord` in the last epoch as ``final_*`` and in the first as ``epoch1_*``, of
            validation and test where a run has measured them; the metrics of the graph as
            ``metric_*``.
        """
        with self._snapshot():
            self._refuse_changed("runs", "epochs", "metrics")
            return tables.runs(self._db)

    def history(self) -> pd.DataFrame:
        """One row per finished run and epoch: ``key`` and the fields of `EpochRecord`."""
        with self._snapshot():
            self._refuse_changed("epochs")
            return tables.history(self._db)

    def corrections(self) -> pd.DataFrame:
        """One row per finished run, epoch and layer pair: the mean RMS correction as ``rms``."""
        with self._snapshot():
            self._refuse_changed("corrections")
            return tables.corrections(self._db)

    def work(self) -> pd.DataFrame:
        """One row per finished run: on which worker, when, how long, with which versions."""
        with self._snapshot():
            return tables.work(self._db)

    def provenance(self, key: str) -> tuple[dict[str, Any], ...]:
        """How the graph of a finished run was made, step by step."""
        with self._snapshot():
            row = self._db.execute("SELECT graph FROM runs WHERE key=?", (key,)).fetchone()
        if row is None or row[0] is None:
            raise InputError(f"{self.path}: no finished run {key!r}")
        try:
            return tuple(json.loads(row[0])["provenance"])
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"{self.path}: table runs, graph of run {key!r}: {error!r}") from None

    def results_digest(self) -> str:
        """SHA-256 over all that was found out: equal for equal outcomes, whoever worked when."""
        digest = hashlib.sha256()
        with self._snapshot():
            for row in tables.outcomes(self._db):
                digest.update(repr(row).encode())
        return digest.hexdigest()

    def check(self) -> list[str]:
        """Problems of the store, one line for every run and table that was changed.

        Runs that an earlier version stored have no digests, and are not checked.
        """
        with self._snapshot():
            return [self._changed(key, part) for key, part in digests.changed(self._db)]

    def _refuse_changed(self, *parts: str) -> None:
        for key, part in digests.changed(self._db, parts):
            raise InputError(self._changed(key, part))

    def _changed(self, key: str, part: str) -> str:
        return (
            f"{self.path}: table {part}, run {key!r}: was changed after it was stored; bring back "
            "a copy of the store, or sweep the study into a new one"
        )

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        with translated(self.path), snapshot(self._db, self.give_up):
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translated(self.path):
            # Immediate: what is read here is still true when it is written.
            patiently(self._db, "BEGIN IMMEDIATE", self.give_up)
            try:
                yield
                patiently(self._db, "COMMIT", self.give_up)
            except BaseException:
                # A full disk may have rolled it back already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _claimed(self, alive: Callable[[str, float], bool] = is_alive) -> dict[str, str]:
        """Owner by key of the runs that somebody alive works on."""
        rows = self._db.execute("SELECT key, owner, heartbeat FROM claims").fetchall()
        return {key: owner for key, owner, heartbeat in rows if alive(owner, heartbeat)}

    def _give_back(self, key: str, owner: str) -> bool:
        cursor = self._db.execute("DELETE FROM claims WHERE key=? AND owner=?", (key, owner))
        return cursor.rowcount == 1

    def _insert_metrics(
        self, key: str, metrics: dict[str, float], measures: dict[str, str | None]
    ) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO measures VALUES (?, ?, ?)",
            [(key, name, error) for name, error in measures.items()],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO metrics VALUES (?, ?, ?)",
            [(key, metric, _storable(value)) for metric, value in metrics.items()],
        )

    def _insert_work(self, key: str, work: Work) -> None:
        environment = json.dumps(work.environment)
        self._db.execute(
            "INSERT OR REPLACE INTO work VALUES (?, ?, ?, ?, ?, ?)",
            (key, work.worker, work.started, work.finished, work.seconds, environment),
        )


def _storable(value: Any) -> Any:
    """SQLite has no NaN; it would make it NULL by itself, and does not for numpy's."""
    return None if isinstance(value, float) and math.isnan(value) else value
