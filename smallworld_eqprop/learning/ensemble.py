"""Several networks trained side by side, every product serving all of them at once."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Sequence
from typing import cast

import numpy as np

from smallworld_eqprop.dynamics.devices import NUMPY
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.history import BatchRecord
from smallworld_eqprop.learning.trainer import Trainer

__all__ = ["Ensemble"]

# What networks trained together may differ in.
OWN = ("learning_rate", "bias_rate", "beta", "other_amplitude", "seed")


class Ensemble:
    """Trains networks of the same layer sizes together on one device of torch.

    A card is hardly busy with one network of a few hundred nodes: several take little longer than
    one. They may differ in topology, seed, learning rates, beta and initial amplitude. Each ends as
    it would have alone, but for the last digits.

    Parameters
    ----------
    trainers : sequence of Trainer
        All at the same batch, on the same data. They stay usable: history, evaluation, checkpoints.

    Raises
    ------
    InputError
        If one of them is computed by NumPy, or they differ in what they have to share.

    Examples
    --------
    >>> from smallworld_eqprop import TrainingConfig, Trainer, layered, load, rewire
    >>> digits = load("digits", n_train=100)
    >>> trainers = [  # needs torch
    ...     Trainer(
    ...         rewire(layered([64, 20, 10]), 0.1, seed=seed),
    ...         digits,
    ...         TrainingConfig(seed=seed, device="cpu"),
    ...     )
    ...     for seed in range(3)
    ... ]  # doctest: +SKIP
    >>> for records in Ensemble(trainers).run_epoch():  # doctest: +SKIP
    ...     pass
    >>> [len(trainer.history) for trainer in trainers]  # doctest: +SKIP
    [1, 1, 1]
    """

    def __init__(self, trainers: Sequence[Trainer]) -> None:
        if not trainers:
            raise InputError("trainers: none given, must be at least one")
        first = trainers[0]
        for trainer in trainers:
            _check_alike(first, trainer)
        if first.config.device == NUMPY:
            raise InputError("device: 'numpy' trains one network at a time; use cpu or cuda")
        # Imported here, because torch is an extra.
        from smallworld_eqprop.learning.torch_engine import TorchEngine

        self.trainers = list(trainers)
        self._engine = TorchEngine.joined([cast(TorchEngine, t.engine) for t in trainers])

    def run_epoch(self) -> Iterator[list[BatchRecord]]:
        """Train the rest of the epoch under way, all networks batch by batch, then evaluate.

        As `Trainer.run_epoch`. The seconds in every history are those of the whole ensemble.
        """
        trainers = self.trainers
        for trainer in trainers:
            trainer.begin_epoch()
        rates = np.stack([t.rates for t in trainers])
        bias_rates = np.stack([t.rates if t.bias_rates is None else t.bias_rates for t in trainers])
        while trainers[0].batch < trainers[0].n_batches:
            begin = time.perf_counter()
            examples, betas = zip(*(t.next_batch() for t in trainers), strict=True)
            outcomes = self._engine.train_together(
                np.stack(examples), np.array(betas), rates, bias_rates
            )
            seconds = time.perf_counter() - begin
            yield [t.take(o, seconds) for t, o in zip(trainers, outcomes, strict=True)]
        begin = time.perf_counter()
        scores = self._engine.evaluate_together()
        seconds = time.perf_counter() - begin
        for trainer, score in zip(trainers, scores, strict=True):
            trainer.finish_epoch(*score, seconds)


def _check_alike(first: Trainer, other: Trainer) -> None:
    """Refuse to train networks together that differ in more than they may."""
    if other.data is not first.data:
        raise InputError(
            f"data: {other.data.name} beside {first.data.name}; networks trained together share "
            "one data set"
        )
    places = [(trainer.epoch, trainer.batch) for trainer in (first, other)]
    if places[0] != places[1]:
        raise InputError(f"trainers: at epoch and batch {places[1]} beside {places[0]}; align them")
    ours, theirs = map(dataclasses.asdict, (first.config, other.config))
    for name in ours:
        if name not in OWN and ours[name] != theirs[name]:
            raise InputError(
                f"{name}: {theirs[name]!r} beside {ours[name]!r}; networks trained together may "
                f"differ in topology and {', '.join(OWN)}"
            )
