"""Doing the runs of a study: every one once, by whom and how often interrupted it may be."""

from __future__ import annotations

import errno
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.parts import AtOnce, check_type
from smallworld_eqprop.studies.executors import GUARD, executor_of, require_guard
from smallworld_eqprop.studies.job import Task, measure_run, perform
from smallworld_eqprop.studies.owners import new_owner, retire
from smallworld_eqprop.studies.results import Done, Failed, Stopped
from smallworld_eqprop.studies.runs import deferred_interrupt
from smallworld_eqprop.studies.scratch import Scratch
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.store_claims import Claim
from smallworld_eqprop.studies.study import Study
from smallworld_eqprop.studies.tensorboard import check_tensorboard, write_done
from smallworld_eqprop.studies.verdicts import Verdicts

__all__ = ["SweepProgress", "sweep"]

#: Seconds between two looks at what the workers do, and between two signs of life.
TICK = 0.5
HEARTBEAT = 15.0
#: Seconds that workers are given to write their checkpoints when a sweep is stopped.
GRACE = 20.0


@dataclass(frozen=True)
class SweepProgress:
    """Where a sweep stands.

    Attributes
    ----------
    total, done, failed : int
        Runs of the study; done and failed by any sweep so far.
    running : dict of str to float
        Share that is done of every run that this sweep works on.
    elsewhere : int
        Runs that other sweeps work on.
    finished : (Claim, Done or Failed), optional
        The run that has just been stored.
    """

    total: int
    done: int
    failed: int
    running: dict[str, float]
    elsewhere: int
    finished: tuple[Claim, Done | Failed] | None = None


def sweep(
    study: Study,
    store: Store | str | Path,
    executor: Executor | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    retry_failed: bool = False,
    on_progress: Callable[[SweepProgress], None] | None = None,
    tensorboard: str | Path | None = None,
) -> SweepProgress:
    """Do the runs of a study that are not in the store yet.

    Several sweeps may work on one study at the same time: they share the runs out among them. A
    run that fails is stored with its error and does not stop the others.

    Parameters
    ----------
    study : Study
    store : Store or path-like
    executor : concurrent.futures.Executor, optional
        Where the runs are done; by default in processes of this machine.
    workers : int, optional
        How many runs are done at once; by default one per core.
    scheduler : str, optional
        Address of a dask scheduler, whose workers do the runs, as many at once as they have
        threads.
    retry_failed : bool
        Do runs again that have failed.
    on_progress : callable, optional
        Called with a `SweepProgress` now and then, and after every run.
    tensorboard : path-like, optional
        Folder for TensorBoard: an event file of every run that this sweep finishes, under the
        name of the study. Needs the extra ``tensorboard``.

    Returns
    -------
    SweepProgress
        At the end; runs of other sweeps may still be under way.

    Raises
    ------
    InputError
        If the store is damaged, the data cannot be had, the scheduler cannot be reached, or worker
        processes cannot be started, as from a script without ``if __name__ == "__main__":``.
    OSError
        If the store or the checkpoints cannot be written. Stored runs are kept.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM: everything is kept first.
    """
    if executor is not None and scheduler is not None:
        raise InputError("executor and scheduler exclude each other; give one of them")
    if workers is not None:
        check_type("workers", workers, AtOnce)
        workers = min(workers, len(study.keys))  # all of them are started at once
    require_guard()
    if tensorboard is not None:
        check_tensorboard()
    with ExitStack() as stack:
        if not isinstance(store, Store):
            store = stack.enter_context(Store(store))
        store.add(study)
        if retry_failed:
            store.retry_failed(study.keys)
        calls, slots = stack.enter_context(executor_of(executor, workers, scheduler))
        show = on_progress or (lambda _: None)
        return _Sweep(study, store, calls, slots, show, tensorboard).run()


class _Sweep:
    """One sweep: what it has claimed, and where that is being done."""

    def __init__(
        self,
        study: Study,
        store: Store,
        executor: Executor,
        slots: Callable[[], int],
        on_progress: Callable[[SweepProgress], None],
        tensorboard: str | Path | None,
    ) -> None:
        self._study, self._store = study, store
        self._executor, self._slots, self._on_progress = executor, slots, on_progress
        self._tensorboard = tensorboard
        self._owner = new_owner()
        self._scratch = Scratch(store.scratch, self._owner)
        self._flying: dict[Future[Done | Failed | Stopped], Claim] = {}
        self._finished: set[str] = set()  # measured here already, whatever came of it
        self._verdicts = Verdicts(self._scratch.marker)
        self._beaten = time.monotonic()

    def run(self) -> SweepProgress:
        standing = self._store.standing()
        with deferred_interrupt() as interrupted:
            self._store.give_up = interrupted
            try:
                todo = {key for key in self._study.keys if standing[key] == "pending"}
                # Once, before the workers all try: a missing data set is no fault of the runs.
                for data in {
                    run.data
                    for key, run in zip(self._study.keys, self._study.runs, strict=True)
                    if key in todo
                }:
                    data.load()
                self._scratch.open(key for key, status in standing.items() if status == "done")
                self._train(interrupted)
                self._measure(interrupted)
                return self._report()
            except BaseException as error:
                self._wind_down()
                if isinstance(error, OSError) and error.errno == errno.EBUSY:
                    raise KeyboardInterrupt from None  # while other processes kept the store busy
                if interrupted() and str(error) == GUARD:
                    raise KeyboardInterrupt from None  # the signal ended workers that were starting
                raise
            finally:
                self._scratch.close()
                retire(self._owner)
                with suppress(OSError):  # without it they are free as well, now that we retired
                    self._store.release(self._owner)
                self._store.give_up = lambda: False

    def _train(self, interrupted: Callable[[], bool]) -> None:
        """Claim and do runs until there is none left to claim."""
        while not self._stop_if(interrupted):
            while len(self._flying) < max(1, self._slots()):
                claim = self._store.claim(self._study.keys, self._owner)
                if claim is None:
                    break
                path, _ = self._store.weights_of(claim.key)
                task = Task(
                    claim.key,
                    claim.config,
                    claim.epochs,
                    self._study.metrics,
                    self._scratch.marker,
                    path if self._study.weights else None,
                )
                self._flying[self._executor.submit(perform, task)] = claim
            if not self._flying and not self._to_wait_for():
                return
            ready, _ = wait(self._flying, timeout=TICK, return_when=FIRST_COMPLETED)
            for future in ready:
                self._settle(future)
            self._report()

    def _to_wait_for(self) -> bool:
        """Whether runs are claimed by a sweep elsewhere that looks dead, and is watched first."""
        standing = self._store.standing()
        found = any(standing[key] == "pending" for key in self._study.keys)
        if found:
            time.sleep(TICK)
        return found

    def _measure(self, interrupted: Callable[[], bool]) -> None:
        """Measure what the study asks for now and did not when its runs were done."""
        runs = dict(zip(self._study.keys, self._study.runs, strict=True))
        done = {key for key, status in self._store.standing().items() if status == "done"}
        flying = {
            self._executor.submit(measure_run, runs[key], (name,), *self._store.weights_of(key)): (
                key,
                name,
            )
            for name in self._study.metrics
            for key in sorted(done & set(runs) - self._store.measured(name) - self._finished)
        }
        while flying and not self._stop_if(interrupted):
            ready, _ = wait(flying, timeout=TICK, return_when=FIRST_COMPLETED)
            for future in ready:
                key, name = flying.pop(future)
                values, errors = future.result()
                self._store.add_metrics(key, values, {name: errors.get(name)})

    def _stop_if(self, interrupted: Callable[[], bool]) -> bool:
        if interrupted():
            raise KeyboardInterrupt
        self._scratch.keep()
        if time.monotonic() - self._beaten > HEARTBEAT:
            self._beaten = time.monotonic()
            self._store.beat(self._owner)
            self._scratch.beat()
        return False

    def _settle(self, future: Future[Done | Failed | Stopped]) -> None:
        """Store what became of a run."""
        claim = self._flying.pop(future)
        result = self._verdicts.of(future, claim.key)
        if isinstance(result, Stopped):
            self._store.release(self._owner, claim.key)
            return
        keep = self._store.finish if isinstance(result, Done) else self._store.fail
        if keep(claim.key, self._owner, result):  # type: ignore[arg-type]
            self._scratch.remove(claim.key)
            self._finished.add(claim.key)
            if self._tensorboard is not None and isinstance(result, Done):
                write_done(self._tensorboard, self._study, claim.config, result)
            self._report((claim, result))

    def _wind_down(self) -> None:
        """Let the workers write their checkpoints, and store what they finish meanwhile."""
        self._scratch.close()
        ready, late = wait(self._flying, timeout=GRACE)
        for future in late:
            future.cancel()
        for future in ready:
            # Whatever the reason for stopping was, it may be in the way again.
            with suppress(Exception):
                self._settle(future)

    def _report(self, finished: tuple[Claim, Done | Failed] | None = None) -> SweepProgress:
        standing = self._store.standing()
        counts = Counter(standing[key] for key in self._study.keys)
        shares = self._scratch.fractions()
        running = {claim.key: shares.get(claim.key, 0.0) for claim in self._flying.values()}
        progress = SweepProgress(
            total=len(self._study.runs),
            done=counts["done"],
            failed=counts["failed"],
            running=running,
            elsewhere=counts["running"] - len(running),
            finished=finished,
        )
        self._on_progress(progress)
        return progress
