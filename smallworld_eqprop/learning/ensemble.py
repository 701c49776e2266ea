"""Several networks trained side by side, every product serving all of them at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from smallworld_eqprop.dynamics.devices import NUMPY
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.config import FIELDS
from smallworld_eqprop.learning.engine import Engine
from smallworld_eqprop.learning.history import BatchRecord
from smallworld_eqprop.learning.trainer import Trainer

__all__ = ["Ensemble"]

# What networks trained together may differ in.
OWN = ("model", "optimiser", "initial", "seed")


class Ensemble:
    """Trains networks of the same layer sizes together on one device of torch.

    A card is hardly busy with one network of a few hundred nodes: several take little longer than
    one. They may differ in topology, model, seed, optimiser, beta and initial weights. Each ends as
    it would have alone: on the processor with one thread to the bit, otherwise up to rounding,
    which can change the attractor of an example.

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
        self.trainers = list(trainers)
        self._engine = Engine.joined([trainer.engine for trainer in trainers])

    def run_epoch(self, *, last: bool = False) -> Iterator[list[BatchRecord]]:
        """Train the rest of the epoch under way, all networks batch by batch, then evaluate.

        As `Trainer.run_epoch`. The seconds in every history are those of the whole ensemble.
        """
        trainers = self.trainers
        for trainer in trainers:
            trainer.begin_epoch()
        if self._engine.configs != [trainer.config for trainer in trainers]:
            self._engine = Engine.joined([trainer.engine for trainer in trainers])
        while trainers[0].batch < trainers[0].n_batches:
            begin = time.perf_counter()
            # Their keys differ, and no rule can draw for all of them: it is refused without one.
            batches = (t.next_batch() for t in trainers)
            examples, inputs, signs, _ = zip(*batches, strict=True)
            seen = None if inputs[0] is None else np.stack(inputs)
            outcomes = self._engine.train(np.stack(examples), signs, (), trainers[0].step, seen)
            seconds = time.perf_counter() - begin
            yield [t.take(o, seconds) for t, o in zip(trainers, outcomes, strict=True)]
        begin = time.perf_counter()
        scores = self._engine.measure(last=last)
        seconds = time.perf_counter() - begin
        for trainer, score in zip(trainers, scores, strict=True):
            trainer.finish_epoch(score, seconds)


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
    ours, theirs = map(_shared, (first, other))
    for name in ours:
        if ours[name] != theirs[name]:
            raise InputError(
                f"{name}: {theirs[name]!r} beside {ours[name]!r}; networks trained together may "
                f"differ in topology, beta, {', '.join(OWN)}"
            )


def _shared(trainer: Trainer) -> dict[str, Any]:
    """What networks trained together have to have in common, by name."""
    config = trainer.config
    rule = (type(config.rule), {k: v for k, v in vars(config.rule).items() if k != "beta"})
    shared = {name: getattr(config, name) for name in FIELDS - set(OWN)}
    return shared | {"rule": rule}
