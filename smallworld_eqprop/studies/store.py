"""The store of a study: one SQLite file in which a run is wholly there or not at all.

Every change is one transaction, so a kill, a full disk or a crash leaves the store as it was
before it. SQLite's rollback journal is used and not its write-ahead log: a study writes little,
and the journal keeps the store a single file, readable where nothing can be written.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, get_args

from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies import digests, store_claims, tables
from smallworld_eqprop.studies.database import connect, snapshot, transaction, translated
from smallworld_eqprop.studies.kept import kept, kept_problems
from smallworld_eqprop.studies.owners import Watch
from smallworld_eqprop.studies.results import Done, Failed
from smallworld_eqprop.studies.store_claims import Claim, RunStatus, Status
from smallworld_eqprop.studies.store_rows import insert_metrics, insert_outcome, insert_plan
from smallworld_eqprop.studies.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from smallworld_eqprop.studies.config import RunConfig

__all__ = ["Store"]


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
            return sum(
                insert_plan(self._db, key, run, study.epochs)
                for key, run in zip(study.keys, study.runs, strict=True)
            )

    def claim(self, keys: Iterable[str], owner: str) -> Claim | None:
        """Take the first of these runs that is neither done, failed nor being done.

        A run claimed by a sweep that has died since is free again; where that sweep is on another
        machine, only after this store was open for as long as a lease without a sign of it.
        """
        with self._transaction():
            self._refuse_changed(digests.PLAN)
            return store_claims.claim(self._db, keys, owner, self._watch.is_alive)

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
            if not store_claims.give_back(self._db, key, owner):
                return False
            insert_outcome(self._db, key, done)
            return True

    def fail(self, key: str, owner: str, failed: Failed) -> bool:
        """Store why a run is not possible; see `finish`."""
        with self._transaction():
            if not store_claims.give_back(self._db, key, owner):
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
            insert_metrics(self._db, key, metrics, measures)

    # Reading

    def standing(self) -> dict[str, Status]:
        """Status by key of every run, in the order in which they were added."""
        with self._snapshot():
            return store_claims.standing(self._db)

    def statuses(self) -> list[RunStatus]:
        """Where every run stands, in the order in which they were added."""
        with self._snapshot():
            self._refuse_changed(digests.PLAN)
            return store_claims.statuses(self._db)

    def measured(self, name: str) -> set[str]:
        """Keys of the runs of which a measure was taken, and did not raise."""
        with self._snapshot():
            self._refuse_changed("measures")
            rows = self._db.execute(
                "SELECT key FROM measures WHERE measure=? AND error IS NULL", (name,)
            )
            return {key for (key,) in rows}

    def measure_errors(self) -> pd.DataFrame:
        """One row per run and measure that raised: ``key``, ``measure``, ``error``."""
        with self._snapshot():
            self._refuse_changed("measures")
            return tables.measure_errors(self._db)

    def weights_of(self, key: str) -> tuple[Path, str | None]:
        """Where the trained network of a run is kept, and its SHA-256 if it is."""
        with self._snapshot():
            self._refuse_changed("weights", key=key)
            row = self._db.execute("SELECT sha256 FROM weights WHERE key=?", (key,)).fetchone()
        return self._weights / f"{key}.npz", row and row[0]

    @property
    def _weights(self) -> Path:
        return self.path.absolute().with_name(f"{self.path.name}.weights")

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
            return kept(path, digest)
        except OSError as error:
            raise InputError(f"{path}: cannot be read ({error.strerror})") from None

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
            self._refuse_changed("work")
            return tables.work(self._db)

    def config(self, key: str) -> RunConfig:
        """The configuration of a run, done or not."""
        with self._snapshot():
            self._refuse_changed(digests.PLAN, key=key)
            row = self._db.execute("SELECT config FROM runs WHERE key=?", (key,)).fetchone()
            if row is None:
                raise InputError(f"{self.path}: no run {key!r}")
            return tables.config_of(row[0])

    def provenance(self, key: str) -> tuple[dict[str, Any], ...]:
        """How the graph of a finished run was made, step by step."""
        with self._snapshot():
            self._refuse_changed("runs", key=key)
            row = self._db.execute("SELECT graph FROM runs WHERE key=?", (key,)).fetchone()
        if row is None or row[0] is None:
            raise InputError(f"{self.path}: no finished run {key!r}")
        try:
            return tuple(json.loads(row[0])["provenance"])
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(f"{self.path}: table runs, graph of run {key!r}: {error!r}") from None

    def results_digest(self) -> str:
        """SHA-256 over all that was found out: equal for equal outcomes, whoever worked when."""
        with self._snapshot():
            self._refuse_changed("runs", "epochs", "corrections", "metrics")
            return tables.results_digest(self._db)

    def check(self) -> list[str]:
        """Problems of the store, one line for every run and table that was changed.

        The same for every file of weights. What an earlier version stored without digests is not
        checked.
        """
        with self._snapshot():
            problems = digests.problems(self._db, self.path)
            rows = self._db.execute("SELECT key, sha256 FROM weights").fetchall()
        return problems + kept_problems(self._weights, dict(rows))

    def _refuse_changed(self, *parts: str, key: str | None = None) -> None:
        for problem in digests.problems(self._db, self.path, parts, key):
            raise InputError(problem)

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        with translated(self.path), snapshot(self._db, self.give_up):
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with translated(self.path), transaction(self._db, self.give_up):
            yield
