"""Trainers some epochs on, and the time that a call takes."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from smallworld_eqprop import Run, RunConfig, Trainer
from smallworld_eqprop.learning.history import BatchRecord

# Some epochs come before the batches measured, so that relaxation starts from persistent particles,
# as in all epochs of a training but the first.
EPOCHS, EXAMPLES = 4, 2000
#: Batches that are measured.
MEASURED = 60


def warm(config: RunConfig) -> tuple[Trainer, Iterator[BatchRecord]]:
    """A trainer some epochs on, and the batches that follow."""
    data = config.changed(n_train=EXAMPLES).data.load()
    data = dataclasses.replace(data, x_test=data.x_test[:20], y_test=data.y_test[:20])
    trainer = Trainer(config.topology.build(config.training.seed), data, config.training)
    while len(trainer.history) < EPOCHS:
        for _ in trainer.run_epoch():
            pass
    return trainer, following(trainer)


def trained(folder: Path) -> tuple[Trainer, Iterator[BatchRecord]]:
    """The trainer of a run, and the batches that follow."""
    trainer = Run(folder).trainer()
    return trainer, following(trainer)


def following(trainer: Trainer) -> Iterator[BatchRecord]:
    """The batches that follow, without end."""
    while True:
        yield from trainer.run_epoch()


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def median_time(call: Callable[[], object], repeats: int = 7) -> float:
    call()
    return statistics.median(timed(call) for _ in range(repeats))


def random(*shape: int) -> npt.NDArray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)
