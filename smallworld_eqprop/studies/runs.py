"""One run: trained into a folder, and gone on with after any interruption."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np

from smallworld_eqprop._version import __version__
from smallworld_eqprop.data import Dataset
from smallworld_eqprop.dynamics.devices import require_device
from smallworld_eqprop.dynamics.threads import check_threads
from smallworld_eqprop.dynamics.threads import threads as sharing
from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.learning.history import BatchRecord, EpochRecord
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.folder import (
    read_checkpoint,
    start_folder,
    write_checkpoint,
    write_epoch,
    write_history,
)
from smallworld_eqprop.studies.layout import clear_temporaries, holding, require_checkpoint
from smallworld_eqprop.studies.record import Run
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

    The outcome depends on `config` and `epochs` alone (and on the device, in the last bits): a run
    that was killed and resumed on the same device ends with the very same numbers. It may also be
    resumed on another.

    Parameters
    ----------
    config : RunConfig
    folder : path-like
        Made if it is not there.
    epochs : int
        Total number of epochs, those of an earlier start included.
    existing : {"error", "resume", "overwrite"}
        What to do when the folder holds a run already. With "resume", a folder that holds nothing
        is started in; with "overwrite", only what a run writes is removed.
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
        Threads that share the work, see `threads`: only with more than 4096 free nodes, or on
        torch, do the last bits depend on their number.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        If the folder holds a run and `existing` is "error", or files but no run; if another
        configuration or version is to be resumed, or a run whose checkpoint is gone; if a file is
        damaged, tensorboardX is missing, or the device cannot be used here.
    OSError
        If the folder cannot be written to; what was written before stays valid.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, or when `stop` says so: the batch is finished and everything kept
        first.
    """
    check_threads(threads)
    if existing not in get_args(Existing):
        raise InputError(f"existing: {existing!r}; {nearest(existing, get_args(Existing))}")
    if not isinstance(epochs, int | np.integer) or epochs < 1:
        raise InputError(f"epochs: {epochs!r}, must be an integer of at least 1")
    require_device(config.training.device)  # before any data is fetched
    if tensorboard is not None:
        check_tensorboard()
    folder = Path(folder)
    held = holding(folder)
    if held != "nothing" and existing == "error":
        raise InputError(f"{folder}: holds a run already; resume it, overwrite it or name another")
    errors: list[float] = []  # of every batch of the epoch under way
    if held == "run" and existing == "resume":
        run = Run(folder)
        _check_same(run, config)
        checkpointed = require_checkpoint(folder)
        data = data or config.data.load()
        _check_same_data(run, data)
        trainer = Trainer(run.graph, data, config.training)
        clear_temporaries(folder)
        if checkpointed:
            errors = read_checkpoint(folder / "checkpoint.npz", config, trainer)
            write_history(folder, trainer)
    else:
        # The graph first: a bad topology is found out before any data is fetched.
        graph = config.topology.build(config.training.seed)
        data = data or config.data.load()
        trainer = Trainer(graph, data, config.training)
        start_folder(folder, config, trainer, threads)
        run = Run(folder)
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
            for batch in trainer.run_epoch():
                errors.append(batch.errors)
                last = trainer.batch == trainer.n_batches
                if on_batch:
                    on_batch(_progress(trainer, batch, epochs, None))
                if not last and (interrupted() or time.monotonic() - saved > CHECKPOINT_EVERY):
                    write_checkpoint(checkpoint, config, trainer, errors)
                    saved = time.monotonic()
                    if interrupted():
                        raise KeyboardInterrupt
            # The checkpoint comes last but one: whatever a kill leaves out is written on resuming.
            write_epoch(folder, trainer, errors)
            errors = []
            write_checkpoint(checkpoint, config, trainer, errors)
            write_history(folder, trainer)
            add_events()
            saved = time.monotonic()
            if on_batch:
                on_batch(_progress(trainer, batch, epochs, trainer.history[-1]))
            if interrupted():
                raise KeyboardInterrupt
    return run


def _progress(
    trainer: Trainer, batch: BatchRecord, epochs: int, finished: EpochRecord | None
) -> Progress:
    return Progress(batch, trainer.n_batches, epochs, trainer.running_error, finished)


def _check_same(run: Run, config: RunConfig) -> None:
    """Refuse to resume a run of another configuration or version."""
    if run.record.get("version") != __version__:
        raise InputError(
            f"{run.folder}: made by version {run.record.get('version')}, this is {__version__}; "
            "resume it with that version or overwrite it"
        )
    # The key as it was: a file may have changed since, or gone elsewhere.
    if run.record.get("key") == config.key:
        return
    old, new = run.config.flat(), config.flat()
    changed = [
        f"{key} is {old[key]}, not {new[key]}"
        for key in new
        if key in old and key not in ("name", "summary", "device") and old[key] != new[key]
    ] or ["a file has another content"]
    raise InputError(
        f"{run.folder}: holds a run of another configuration ({'; '.join(changed)}); "
        "ask for the same one, or name another folder"
    )


def _check_same_data(run: Run, data: Dataset) -> None:
    """Refuse to resume a run on other data."""
    old = run.record["dataset"]
    for name, was, now in (
        ("SHA-256", _contents(old["sha256"]), _contents(data.fingerprint)),
        ("n_train", old["n_train"], len(data.x_train)),
        ("n_test", old["n_test"], len(data.x_test)),
    ):
        if was != now:
            raise InputError(
                f"{run.folder}: holds a run on other data ({old['name']}, now {data.name}: {name} "
                f"was {was}, is {now}); give the same data, or name another folder"
            )


def _contents(sha256: Mapping[str, str]) -> str:
    """What is in files, whatever they are called."""
    return " ".join(sorted(digest[:16] for digest in sha256.values()))


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
