"""One run: trained, recorded in a folder, and continued after any interruption."""

from __future__ import annotations

import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.dynamics.devices import require_device
from smallworld_eqprop.dynamics.sharing import threads as sharing
from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.learning.history import BatchRecord, EpochRecord
from smallworld_eqprop.learning.lengths import schedule_lengths
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.parts import AtOnce, Repeats, check_type
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.folder import (
    read_checkpoint,
    start_folder,
    write_checkpoint,
    write_epoch,
    write_history,
)
from smallworld_eqprop.studies.integrity import seal
from smallworld_eqprop.studies.layout import clear_temporaries, holding, require_checkpoint
from smallworld_eqprop.studies.locking import one_writer
from smallworld_eqprop.studies.notes import notes, require_outputs
from smallworld_eqprop.studies.record import Run
from smallworld_eqprop.studies.resuming import check_same, check_same_data
from smallworld_eqprop.studies.tensorboard import check_tensorboard, follow

__all__ = ["Progress", "deferred_interrupt", "train"]

Existing: TypeAlias = Literal["error", "resume", "overwrite"]

#: Seconds of training that a kill may cost at most.
CHECKPOINT_EVERY = 120.0


@dataclass(frozen=True)
class Progress:
    """Where training stands, given to the callback of `train`.

    Attributes
    ----------
    batch : BatchRecord
    n_batches, n_epochs : int
        Batches of an epoch, epochs asked for.
    running_error : float
        Online training error of the epoch so far.
    finished : EpochRecord or None
        The epoch that ended with this batch, once it is evaluated.
    """

    batch: BatchRecord
    n_batches: int
    n_epochs: int
    running_error: float
    finished: EpochRecord | None


def train(
    config: RunConfig,
    folder: str | Path,
    *,
    epochs: int,
    existing: Existing = "error",
    on_batch: Callable[[Progress], None] | None = None,
    data: Dataset | None = None,
    stop: Callable[[], bool] | None = None,
    tensorboard: str | Path | None = None,
    threads: int = 1,
) -> Run:
    """Train a network and record it in a folder.

    The outcome depends on `config`, `epochs` and the device: a run that was killed and resumed on
    the same device ends with the same numbers. It may be resumed on another device. Devices differ
    in rounding, and where a network has several attractors, rounding decides in which one an
    example ends; then two devices give different weights.

    Parameters
    ----------
    config : RunConfig
    folder : path-like
        Made if it is not there.
    epochs : int
        Total number of epochs, those of an earlier start included.
    existing : {"error", "resume", "overwrite"}
        Action if the folder already holds a run. With "resume", a folder that holds nothing is
        started in; with "overwrite", only files of a run are removed.
    on_batch : callable, optional
        Called with a `Progress` after every batch, and once more after the evaluation of an epoch.
    data : Dataset, optional
        What `load` gives for the configuration, where many runs share it.
    stop : callable, optional
        Asked after every batch whether to stop as after Ctrl-C.
    tensorboard : path-like, optional
        Folder for TensorBoard: every epoch goes into an event file there, in a folder named as the
        run's. Needs the extra ``tensorboard``.
    threads : int
        Threads that share the work. Rounding depends on their number with `Sweeps`, with more
        than 4096 free nodes and on torch, see `threads`.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the folder holds a run and `existing` is "error", or files but no run; if another
        process writes to it; if another configuration, version or graph is to be resumed, or a run
        whose checkpoint is gone; if a file is damaged, tensorboardX is missing, or the device
        cannot be used here.
    OSError
        If the folder cannot be written to; what was written before stays valid.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, or when `stop` says so: the batch is finished and everything kept
        first.
    """
    check_type("threads", threads, AtOnce)
    if existing not in get_args(Existing):
        raise InputError(f"existing: {existing!r}; {nearest(existing, get_args(Existing))}")
    check_type("epochs", epochs, Repeats)
    require_device(config.training.device)  # before any data is fetched
    if tensorboard is not None:
        check_tensorboard()
    folder = Path(folder)
    holding(folder)  # a folder with files of others is not even locked
    with one_writer(folder):
        return _write(config, folder, epochs, existing, on_batch, data, stop, tensorboard, threads)


def _write(
    config: RunConfig,
    folder: Path,
    epochs: int,
    existing: Existing,
    on_batch: Callable[[Progress], None] | None,
    data: Dataset | None,
    stop: Callable[[], bool] | None,
    tensorboard: str | Path | None,
    threads: int,
) -> Run:
    """Train in a folder to which nobody else writes."""
    validated = bool(config.training.validation)
    held = holding(folder)
    if held != "nothing" and existing == "error":
        raise InputError(
            f'{folder}: holds a run already; give existing="resume" or existing="overwrite", or '
            "name another folder"
        )
    errors: list[float] = []  # of every batch of the epoch under way
    if held == "run" and existing == "resume":
        run = Run(folder)
        check_same(run, config)
        checkpointed = require_checkpoint(folder)
        data = data or config.data.load()
        check_same_data(run, data)
        trainer = Trainer(run.initial_graph, data, config.training)
        clear_temporaries(folder)
        if checkpointed:
            errors = read_checkpoint(folder / "checkpoint.npz", config.key, trainer)
            write_history(folder, trainer.history, validated=validated)
            seal(folder, len(trainer.history))
    else:
        # The graph first: a bad topology is found out before any data is fetched.
        graph = config.topology.build(config.training.seed)
        data = data or config.data.load()
        trainer = Trainer(graph, data, config.training)
        require_outputs(config, trainer)
        for note in notes(trainer):
            warnings.warn(note, stacklevel=3)
        start_folder(folder, config, trainer, threads)
        run = Run(folder)
    _warn_of_length(trainer, epochs)
    checkpoint = folder / "checkpoint.npz"
    saved = time.monotonic()
    with (
        sharing(trainer.network, threads),
        follow(tensorboard, run) as add_events,
        deferred_interrupt() as signalled,
    ):

        def interrupted() -> bool:
            return signalled() or (stop is not None and stop())

        while len(trainer.history) < epochs:
            for batch in trainer.run_epoch(last=trainer.epoch == epochs):
                errors.append(batch.errors)
                last = trainer.batch == trainer.n_batches
                if on_batch:
                    on_batch(_progress(trainer, batch, epochs, None))
                if not last and (interrupted() or time.monotonic() - saved > CHECKPOINT_EVERY):
                    write_checkpoint(checkpoint, config.key, trainer.state(), errors)
                    saved = time.monotonic()
                    if interrupted():
                        raise KeyboardInterrupt
            # What a kill leaves out after the checkpoint is written on resuming.
            write_epoch(folder, len(trainer.history), trainer.corrections, errors)
            errors = []
            write_checkpoint(checkpoint, config.key, trainer.state(), errors)
            write_history(folder, trainer.history, validated=validated)
            seal(folder, len(trainer.history))
            add_events()
            saved = time.monotonic()
            if on_batch:
                on_batch(_progress(trainer, batch, epochs, trainer.history[-1]))
            if interrupted():
                raise KeyboardInterrupt
    return run


def _warn_of_length(trainer: Trainer, epochs: int) -> None:
    """Say so where a schedule ends before or after the run, which may be meant."""
    steps = epochs * trainer.n_batches
    for length in schedule_lengths(trainer.config.optimiser, trainer.n_batches):
        if length != steps:
            warnings.warn(
                f"optimiser: the schedule ends after {length} steps, but the run after {steps} "
                f"({epochs} epochs of {trainer.n_batches} batches)",
                stacklevel=4,
            )


def _progress(
    trainer: Trainer, batch: BatchRecord, epochs: int, finished: EpochRecord | None
) -> Progress:
    return Progress(batch, trainer.n_batches, epochs, trainer.running_error, finished)


@contextmanager
def deferred_interrupt() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a question that is asked where one can stop."""
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set  # signals arrive in the main thread only
        return
    handlers = {
        number: signal.signal(number, lambda *_: asked.set())
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield asked.is_set
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
