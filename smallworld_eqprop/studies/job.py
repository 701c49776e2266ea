"""What a worker does: one run, from its configuration to its outcome."""

from __future__ import annotations

import functools
import math
import os
import platform
import time
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.data.spec import Data
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.config import RunConfig, identity_of
from smallworld_eqprop.studies.kept import keep, kept
from smallworld_eqprop.studies.measures import Measured, take
from smallworld_eqprop.studies.record import Run
from smallworld_eqprop.studies.results import Correction, Done, Failed, Stopped, Work
from smallworld_eqprop.studies.runs import Progress, train
from smallworld_eqprop.studies.scratch import empty_unless_run, run_folder, show_progress

__all__ = ["Task", "measure_run", "perform"]

#: Seconds between two signs of progress, and between two looks at whether to go on.
PULSE = 0.5


@dataclass(frozen=True)
class Task:
    """One run for a worker to do.

    Attributes
    ----------
    key : str
    config : RunConfig
    epochs : int
    metrics : tuple of str
        See `Study`.
    marker : Path
        File in the scratch folder that is there as long as the sweep goes on.
    weights : Path, optional
        Where the trained network is kept.
    """

    key: str
    config: RunConfig
    epochs: int
    metrics: tuple[str, ...]
    marker: Path
    weights: Path | None = None


def perform(task: Task) -> Done | Failed | Stopped:
    """Train and measure; sets the process to one BLAS thread, which the last bits depend on.

    Raises
    ------
    OSError
        If the scratch folder cannot be written to: that is not the run's fault.
    """
    threadpool_limits(1)
    started = time.time()
    try:
        with run_folder(task.marker, task.key) as folder:
            try:
                return _outcome(task, _train(task, folder), started)
            except OSError:
                if folder.exists():
                    raise
                return Stopped()  # another worker, which took this one for dead, has it by now
    except KeyboardInterrupt:
        return Stopped()
    except OSError:
        raise
    except Exception as error:
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        return Failed(kind + " ".join(str(error).split()), traceback.format_exc())


def measure_run(
    config: RunConfig, names: Iterable[str], weights: Path | None, digest: str | None
) -> tuple[dict[str, float], dict[str, str]]:
    """Take measures of a run that is done, from its graph built anew and its kept weights.

    Parameters
    ----------
    weights : Path, optional
        Where the trained network was kept.
    digest : str, optional
        SHA-256 of that file.
    """
    threadpool_limits(1)
    network = None
    if weights is not None and digest is not None and weights.exists():
        try:
            network = kept(weights, digest)
        except InputError as error:
            return {}, dict.fromkeys(names, str(error))
    graph = network.graph if network else config.topology.build(config.training.seed)
    return take(names, Measured(config, graph, network))


def _train(task: Task, folder: Path) -> Run:
    pulse = _Pulse(task.marker if folder.parent == task.marker.parent else None, folder)
    data = _loaded(task.config.data, str(identity_of(task.config.data)))
    once = functools.partial(
        train,
        task.config,
        folder,
        epochs=task.epochs,
        on_batch=pulse.show,
        data=data,
        stop=pulse.stopped,
    )
    try:
        return once(existing="resume")
    except InputError:
        # Damaged or of another version; what comes out must not depend on what was there.
        empty_unless_run(folder)
        return once(existing="overwrite")


@functools.lru_cache(maxsize=2)
def _loaded(data: Data, content: str) -> Dataset:  # noqa: ARG001 a file may change
    """A data set, loaded once in every worker for the same content."""
    return data.load()


class _Pulse:
    """Shows how far a run is, and asks whether it is still wanted."""

    def __init__(self, marker: Path | None, folder: Path) -> None:
        self._marker, self._folder = marker, folder
        self._shown = self._asked = 0.0

    def show(self, progress: Progress) -> None:
        if time.monotonic() - self._shown > PULSE:
            self._shown = time.monotonic()
            batch = progress.batch
            done = (batch.epoch - 1) * progress.n_batches + batch.batch + 1
            show_progress(self._folder, done / (progress.n_epochs * progress.n_batches))

    def stopped(self) -> bool:
        if self._marker is None or time.monotonic() - self._asked < PULSE:
            return False
        self._asked = time.monotonic()
        return not self._marker.exists()


def _outcome(task: Task, run: Run, started: float) -> Done:
    history = run.history
    network = run.network()
    digest = None if task.weights is None else keep(network, task.weights)
    told = tuple({str(k): v for k, v in row.items()} for row in history.to_dict("records"))
    subject = Measured(task.config, network.graph, network, told)
    metrics, errors = take(task.metrics, subject)
    rows = history.to_dict("records")
    corrections = [
        Correction(epoch, pair, kind, float(rms))
        for epoch in history["epoch"]
        for pair, kind, rms in zip(
            run.pairs,
            run.kinds,
            run.corrections(epoch).mean(axis=0, dtype=np.float64),
            strict=True,
        )
        if not math.isnan(rms)  # the pair had no edge in some batch
    ]
    record = run.record
    return Done(
        graph=record["graph"],
        dataset=record["dataset"],
        history=[{str(name): value for name, value in row.items()} for row in rows],
        corrections=corrections,
        metrics=metrics,
        measures={name: errors.get(name) for name in task.metrics},
        weights=digest,
        work=Work(
            worker=f"{platform.node()}:{os.getpid()}",
            started=started,
            finished=time.time(),
            seconds=float(history["seconds"].sum()),
            environment={
                name: record[name]
                for name in ("version", "python", "libraries", "machine", "threads")
            },
        ),
    )
