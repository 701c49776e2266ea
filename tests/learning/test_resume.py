"""Stopping and going on: after any batch, in the same trainer or from a checkpoint in another."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import numpy as np
import pytest

from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.trainer import Trainer

EPOCHS, BATCHES = 2, 5
CONFIGS = {
    "sor": TrainingConfig(learning_rate=0.1, batch_size=10, nudged_steps=6),
    "euler": TrainingConfig(
        learning_rate=(0.4, 0.2, 0.1), batch_size=10, relaxation="euler", free_steps=20
    ),
}


@pytest.fixture(params=CONFIGS)
def make_trainer(request, toy, toy_graph, device):
    config = replace(CONFIGS[request.param], device=device)
    return lambda: Trainer(toy_graph, toy, config)


def run(trainer, epochs=EPOCHS):
    while len(trainer.history) < epochs:
        list(trainer.run_epoch())
    return trainer


def saved(trainer):
    """A checkpoint as it is written and read: through npz and JSON."""
    arrays, values = trainer.state()
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file) as loaded:
        return {name: loaded[name] for name in arrays}, json.loads(json.dumps(values))


def assert_same(one, other):
    """Bit for bit, but for the seconds."""
    for (name, array), again in zip(one.state()[0].items(), other.state()[0].values(), strict=True):
        assert np.array_equal(array, again), name
        assert array.dtype == again.dtype
    assert one.batch == other.batch
    for first, second in zip(one.history, other.history, strict=True):
        assert repr(replace(first, seconds=0)) == repr(replace(second, seconds=0))


def test_dropping_the_iterator_after_every_batch_changes_nothing(make_trainer):
    undisturbed, interrupted = run(make_trainer()), make_trainer()
    seen = []
    for _ in range(EPOCHS * (BATCHES + 1)):
        for record in interrupted.run_epoch():
            seen.append((record.epoch, record.batch))
            break
    assert seen == [(e, b) for e in range(1, EPOCHS + 1) for b in range(BATCHES)]
    assert_same(interrupted, undisturbed)


@pytest.mark.parametrize("batches", range(EPOCHS * BATCHES + 1))
def test_a_checkpoint_after_any_batch_goes_on_as_if_never_stopped(make_trainer, batches):
    undisturbed, stopped = run(make_trainer()), make_trainer()
    done = 0
    while done < batches:
        for _ in stopped.run_epoch():  # finishes the epoch when its last batch is done
            done += 1
            if done == batches:
                break
    resumed = make_trainer()
    resumed.restore(*saved(stopped))
    assert resumed.running_error == stopped.running_error
    assert np.array_equal(resumed.corrections, stopped.corrections)
    assert_same(run(resumed), undisturbed)


def test_two_trainers_do_not_share_what_was_restored(make_trainer):
    undisturbed, first, second = run(make_trainer()), make_trainer(), make_trainer()
    next(first.run_epoch())
    second.restore(*first.state())
    run(first)
    assert_same(run(second), undisturbed)


def test_state_says_where_it_is(make_trainer, toy_graph):
    trainer = make_trainer()
    list(trainer.run_epoch())
    records = trainer.run_epoch()
    next(records)
    next(records)
    arrays, values = trainer.state()
    assert values["batch"] == 2
    assert len(values["history"]) == 1
    assert arrays["weights"].shape == (toy_graph.n_edges,)
    assert arrays["biases"].shape == (16,)
    assert len(arrays["corrections"]) == 2
