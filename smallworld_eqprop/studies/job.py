"""What a worker does: one run, from its configuration to its outcome."""

from __future__ import annotations

import functools
import os
import platform
import time
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from smallworld_eqprop.data import Dataset, load
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.metrics import structure_metrics
from smallworld_eqprop.graphs.measure.smallworld import small_world_coefficients, small_world_sigma
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.record import Run
from smallworld_eqprop.studies.results import Correction, Done, Failed, Stopped, Work
from smallworld_eqprop.studies.runs import Progress, train
from smallworld_eqprop.studies.scratch import empty_unless_run, run_folder, show_progress
from smallworld_eqprop.studies.study import Metrics

__all__ = ["TELLTALE", "Task", "measure_graph", "perform"]

#: A metric of every group, by which to see that the group was measured.
TELLTALE: Mapping[Metrics, str] = {
    "structure": "density",
    "sigma": "small_world_sigma",
    "small_world": "small_world_omega",
}

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
    """

    key: str
    config: RunConfig
    epochs: int
    metrics: tuple[Metrics, ...]
    marker: Path


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
            run = _train(task, folder)
            metrics = _measure(run.graph, task.metrics, task.config.training.seed)
            return _outcome(run, metrics, started)
    except KeyboardInterrupt:
        return Stopped()
    except OSError:
        raise
    except Exception as error:
        kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
        return Failed(kind + " ".join(str(error).split()), traceback.format_exc())


def measure_graph(config: RunConfig, groups: Iterable[Metrics]) -> dict[str, float]:
    """Metrics of the graph of a run, built anew."""
    threadpool_limits(1)
    seed = config.training.seed
    return _measure(config.topology.build(seed), groups, seed)


def _measure(graph: LayeredGraph, groups: Iterable[Metrics], seed: int) -> dict[str, float]:
    """Metrics of a graph by name; see `Study`."""
    metrics: dict[str, float] = {}
    if "structure" in groups:
        metrics |= structure_metrics(graph, seed=seed)
    if "sigma" in groups and "small_world" not in groups:
        metrics["small_world_sigma"] = small_world_sigma(graph, seed=seed).value
    if "small_world" in groups:
        coefficients = small_world_coefficients(graph, seed=seed)
        metrics |= {f"small_world_{name}": found.value for name, found in coefficients.items()}
    return metrics


def _train(task: Task, folder: Path) -> Run:
    pulse = _Pulse(task.marker if folder.parent == task.marker.parent else None, folder)
    data = _data(task.config.dataset, task.config.n_train)
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
def _data(name: str, n_train: int | None) -> Dataset:
    """A data set, loaded once in every worker."""
    return load(name, n_train=n_train)


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


def _outcome(run: Run, metrics: dict[str, float], started: float) -> Done:
    history = run.history
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
    ]
    record = run.record
    return Done(
        graph=record["graph"],
        dataset=record["dataset"],
        history=[{str(name): value for name, value in row.items()} for row in rows],
        corrections=corrections,
        metrics=metrics,
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
