"""Validation, the test set, and transforms in training: who sees which examples, and when."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pytest

from smallworld_eqprop.data.transforms import Chain, Dropout, Shift, Transform
from smallworld_eqprop.data.validation import set_apart
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.trainer import Trainer

#: Of 43 examples 34 are left, which batches of 10 do not divide.
VALIDATION = 9
CONFIG = TrainingConfig.paper(learning_rate=0.1, batch_size=10, nudged_steps=6)
MOVED = (Shift(1, (2, 4)), Dropout(0.2))


def train(graph, data, config, epochs=1, last=False):
    trainer = Trainer(graph, data, config)
    for _ in range(epochs):
        list(trainer.run_epoch(last=last and trainer.epoch == epochs))
    return trainer


def same_parameters(one, other):
    return all(
        np.array_equal(one.state()[0][name], other.state()[0][name])
        for name in ("weights", "biases")
    )


# --- validation --------------------------------------------------------------------------------


def test_validation_examples_are_never_trained(toy, toy_graph, device):
    trainer = Trainer(toy_graph, toy, CONFIG.changed(validation=VALIDATION, device=device))
    train_rows, rest = set_apart(toy, VALIDATION)
    for epoch in (1, 2):
        assert sorted(trainer.draws(epoch)[0]) == train_rows.tolist()
    assert (trainer.n_examples, trainer.n_batches) == (34, 4)
    # What they are does not matter for what is learned.
    x = toy.x_train.copy()
    x[rest] = 0.5
    other = replace(toy, x_train=x)
    config = CONFIG.changed(validation=VALIDATION, device=device)
    ends = [train(toy_graph, data, config, 2) for data in (toy, other)]
    assert same_parameters(*ends)
    assert ends[0].history[-1].validation_cost != ends[1].history[-1].validation_cost
    assert ends[0].history[-1].training_cost == ends[1].history[-1].training_cost


def test_every_seed_has_the_same_validation_examples(toy, toy_graph):
    trainers = [
        Trainer(toy_graph, toy, CONFIG.changed(validation=VALIDATION, seed=seed)) for seed in (0, 7)
    ]
    one, other = (trainer.engine.validation_rows.tolist() for trainer in trainers)
    assert one == other
    assert len(one) == VALIDATION


def test_the_validation_error_is_that_of_the_network(toy, toy_graph, device):
    config = CONFIG.changed(validation=VALIDATION, device=device, start="rest")
    trainer = train(toy_graph, toy, config, 3)
    rest = trainer.engine.validation_rows
    x, y = toy.x_train[rest], toy.y_train[rest]
    held_out = replace(toy, x_test=x, y_test=y)
    fresh = Trainer(toy_graph, held_out, CONFIG.changed(device=device, start="rest"))
    fresh.network.weights, fresh.network.biases = trainer.network.weights, trainer.network.biases
    error, cost = fresh.evaluate()
    record = trainer.history[-1]
    assert record.validation_error == error
    assert record.validation_cost == pytest.approx(cost, rel=1e-6)


def test_the_training_error_is_a_share_of_what_is_trained(toy, toy_graph):
    trainer = Trainer(toy_graph, toy, CONFIG.changed(validation=VALIDATION))
    wrong = sum(record.errors for record in trainer.run_epoch())
    assert trainer.history[0].training_error == pytest.approx(wrong / 34)
    assert trainer.running_error == pytest.approx(wrong / 34)


def test_with_validation_the_test_set_is_not_looked_at(toy, toy_graph):
    config = CONFIG.changed(validation=VALIDATION)
    broken = replace(toy, x_test=1 - toy.x_test)
    one, other = (train(toy_graph, data, config, 2, last=True) for data in (toy, broken))
    for left, right in zip(one.history, other.history, strict=True):
        assert math.isnan(left.test_error)
        assert math.isnan(left.test_cost)
        assert 0 <= left.validation_error <= 1
        assert repr(replace(left, seconds=0)) == repr(replace(right, seconds=0))


@pytest.mark.parametrize("validation", [0, VALIDATION])
def test_the_test_set_is_measured_once_at_the_end(toy, toy_graph, validation, device):
    config = CONFIG.changed(validation=validation, test="end", device=device)
    trainer = train(toy_graph, toy, config, 3, last=True)
    assert [math.isnan(r.test_error) for r in trainer.history] == [True, True, False]
    assert (trainer.history[-1].test_error, trainer.history[-1].test_cost) == trainer.evaluate()
    # It is not known beforehand which epoch is the last one, so nothing may depend on it.
    assert same_parameters(trainer, train(toy_graph, toy, config, 3))
    assert "test_particles" not in trainer.state()[0]


def test_looking_at_the_test_set_changes_nothing_else(toy, toy_graph):
    one, other = (train(toy_graph, toy, CONFIG.changed(test=t), 2) for t in ("epochs", "end"))
    assert same_parameters(one, other)
    assert one.history[-1].training_cost == other.history[-1].training_cost


@pytest.mark.parametrize(
    ("training", "found"),
    [
        ({}, {"training": "particles", "test": "particles"}),
        ({"start": "rest"}, {"training": "rest", "test": "rest"}),
        ({"validation": 9}, {"training": "particles", "validation": "particles"}),
        ({"test": "end"}, {"training": "particles", "test": "rest"}),
    ],
)
def test_what_is_measured_and_from_where(training, found):
    assert CONFIG.changed(**training).errors_from == found


def test_what_is_set_apart_stays_so(toy, toy_graph):
    trainer = Trainer(toy_graph, toy, CONFIG)
    for parts in ({"validation": 3}, {"test": "end"}):
        with pytest.raises(InputError, match="cannot be changed during training"):
            trainer.change(**parts)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"validation": -1}, "validation: -1, must be a whole number from 0"),
        ({"validation": 0.5}, "validation: 0.5, must be a whole number"),
        ({"validation": True}, "validation: True, must be a whole number"),
        ({"test": "never"}, "test: 'never', allowed: epochs, end"),
        ({"transform": 0.5}, "transform: 0.5, must be a Transform"),
        ({"transform": (Dropout(0.5), 3)}, "transform: 3, must be a Transform"),
    ],
)
def test_bad_values_are_one_line(parts, message):
    with pytest.raises(InputError, match=message):
        TrainingConfig(**parts)


def test_a_number_that_does_not_fit_the_data_is_refused(toy, toy_graph):
    with pytest.raises(InputError, match="validation: 43, must be below"):
        Trainer(toy_graph, toy, CONFIG.changed(validation=43))


# --- transforms --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Watch(Transform):
    """Leaves the inputs as they are, and keeps what it was given."""

    def apply(self, inputs, generator):
        SEEN.append((inputs, generator.random(4)))
        return inputs


SEEN: list = []


def test_a_transform_has_every_training_batch_and_numbers_of_its_own(toy, toy_graph, device):
    SEEN.clear()
    config = CONFIG.changed(transform=Watch(), device=device)
    trainer = Trainer(toy_graph, toy, config)
    tried = len(SEEN)
    for _ in range(2):
        list(trainer.run_epoch())
    batches = SEEN[tried:]
    assert len(batches) == 10
    for epoch in (1, 2):
        order = trainer.draws(epoch)[0]
        seen = np.concatenate([inputs for inputs, _ in batches[5 * (epoch - 1) : 5 * epoch]])
        assert np.array_equal(seen, toy.x_train[order])
    assert len({tuple(numbers) for _, numbers in batches}) == 10
    # Inputs that are left as they are train as without a transform.
    assert same_parameters(trainer, train(toy_graph, toy, CONFIG.changed(device=device), 2))


def test_a_transform_is_for_training_alone(toy, toy_graph, device):
    """With rates of 0 nothing is learned, and only what is trained is seen otherwise."""
    config = CONFIG.changed(learning_rate=0.0, validation=VALIDATION, start="rest", device=device)
    plain, moved = (
        train(toy_graph, toy, config.changed(transform=transform)) for transform in ((), MOVED)
    )
    assert plain.history[0].validation_cost == moved.history[0].validation_cost
    assert plain.evaluate() == moved.evaluate()
    assert plain.history[0].training_cost != moved.history[0].training_cost


def test_the_network_is_given_what_the_transform_made(toy, toy_graph, device):
    """Data that are 0 everywhere train as data of which a transform leaves nothing."""

    @dataclass(frozen=True)
    class Nothing(Transform):
        def apply(self, inputs, generator):
            return 0 * inputs

    config = CONFIG.changed(device=device)
    empty = replace(toy, x_train=0 * toy.x_train)
    assert same_parameters(
        train(toy_graph, toy, config.changed(transform=Nothing())), train(toy_graph, empty, config)
    )


def test_every_seed_has_other_draws(toy, toy_graph):
    def inputs(seed):
        trainer = Trainer(toy_graph, toy, CONFIG.changed(transform=MOVED, seed=seed))
        trainer.begin_epoch()
        trainer._order = np.arange(43)
        return trainer.next_batch()[1]

    assert np.array_equal(inputs(0), inputs(0))
    assert not np.array_equal(inputs(0), inputs(1))


def test_one_transform_is_a_part_like_others(toy, toy_graph):
    config = CONFIG.changed(transform=Dropout(0.2)).changed(rate=0.4)
    assert config.transform == Dropout(0.4)
    assert CONFIG.changed(transform=[Dropout(0.2)]).transform == Dropout(0.2)
    assert CONFIG.changed(transform=MOVED).transform == Chain(MOVED)
    trainer = Trainer(toy_graph, toy, config)
    trainer.change(rate=0.1)
    assert trainer.config.transform == Dropout(0.1)


def test_a_transform_that_does_not_fit_is_refused_before_training(toy, toy_graph):
    @dataclass(frozen=True)
    class Short(Transform):
        def apply(self, inputs, generator):
            return inputs[:, 1:]

    for transform, message in (
        (Shift(1), "8 features are not a square image"),
        (Shift(1, (3, 3)), "3 x 3 is 9 pixels, but the data have 8 features"),
        (Short(), r"transform: Short gave shape \(1, 7\), must give \(1, 8\)"),
    ):
        with pytest.raises(InputError, match=message):
            Trainer(toy_graph, toy, CONFIG.changed(transform=transform))
