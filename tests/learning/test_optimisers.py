"""Optimisers and schedules: closed forms, the fast path, and training to the bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.optimisers import SGD, Adam, Momentum
from smallworld_eqprop.learning.schedules import Constant, Cosine, Exponential, Steps
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.testing import check_optimiser


@pytest.mark.parametrize(
    "optimiser",
    [
        Momentum(0.05),
        Adam(0.02),
        Adam(Cosine(0.05, 300, last=0.001, warm_up=20), decay=0.001),
        SGD(Exponential(0.1, 100)),
        SGD(Steps(0.1, at=(50, 100))),
    ],
    ids=repr,
)
def test_optimisers_keep_their_contract(optimiser):
    check_optimiser(optimiser)


def test_the_first_step_of_adam_is_the_rate_and_it_ends_at_the_sign():
    adam, at = Adam(0.1, epsilon=0.0), np.array([1.0, -2.0, 3.0])
    step, memory = adam.step(at, at, adam.init(at), 0)
    np.testing.assert_allclose(step, -0.1 * np.sign(at))
    for t in range(1, 50):
        step, memory = adam.step(at, at, memory, t)
    np.testing.assert_allclose(step, -0.1 * np.sign(at))


def test_decay_is_decoupled_and_not_of_biases():
    adam, at = Adam(0.1, decay=0.5), np.array([1.0, -2.0])
    gradient = np.array([0.3, 0.0])
    plain, _ = dataclasses.replace(adam, decay=0.0).step(gradient, at, adam.init(at), 0)
    decayed, _ = adam.step(gradient, at, adam.init(at), 0)
    np.testing.assert_allclose(decayed - plain, -0.1 * 0.5 * at)

    class Biases:
        kind, layer = "biases", 1

    assert adam.of(Biases).decay == 0


def test_momentum_goes_on_where_nothing_pulls():
    momentum, at = Momentum(0.1, momentum=0.5), np.zeros(2)
    step, memory = momentum.step(np.array([1.0, -1.0]), at, momentum.init(at), 0)
    np.testing.assert_allclose(step, [-0.1, 0.1])
    step, _ = momentum.step(np.zeros(2), at, memory, 1)
    np.testing.assert_allclose(step, [-0.05, 0.05])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_fast_path_of_adam_is_its_plain_step(dtype):
    rng = np.random.default_rng(0)
    adam = Adam(Cosine(0.01, 50), decay=0.1)
    plain = rng.normal(size=(7, 5)).astype(dtype)
    fast, memory = plain.copy(), adam.init(plain)
    in_place = {name: each.copy() for name, each in memory.items()}
    for t in range(20):
        gradient = rng.normal(size=plain.shape).astype(dtype)
        step, memory = adam.step(gradient, plain, memory, t)
        square = adam.step_in_place(gradient, fast, in_place, t)
        plain += step
        tolerance = 1e-4 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(fast, plain, rtol=tolerance, atol=tolerance)
        assert square == pytest.approx(float(np.square(step).sum()), rel=1e-3)


@dataclasses.dataclass(frozen=True)
class Slow(Adam):
    """Adam without its fast path, which is chosen by the type."""


def test_training_takes_the_fast_path_to_the_same_end(toy, toy_graph):
    ends = []
    for optimiser in (Adam(0.01, 0.01, epsilon=0.01), Slow(0.01, 0.01, epsilon=0.01)):
        trainer = Trainer(toy_graph, toy, TrainingConfig(optimiser=optimiser, batch_size=10))
        for _ in range(3):
            list(trainer.run_epoch())
        arrays = trainer.state()[0]
        assert {"optimiser/mean/weights", "optimiser/square/biases"} <= arrays.keys()
        ends.append(arrays)
    for name in ("weights", "biases", "corrections"):
        np.testing.assert_allclose(ends[0][name], ends[1][name], rtol=1e-3, atol=1e-5)


def test_weights_stay_on_the_edges_and_symmetric(toy, toy_graph):
    trainer = Trainer(toy_graph, toy, TrainingConfig(optimiser=Adam(0.05), batch_size=10))
    list(trainer.run_epoch())
    matrix, n = trainer.network.circuit.matrix().toarray(), trainer.network.n_inputs
    np.testing.assert_array_equal(matrix, matrix.T)
    assert not matrix[toy_graph.adjacency().toarray()[n:, n:] == 0].any()


def test_schedules_in_closed_form():
    assert Constant(0.3).value(99) == 0.3
    cosine = Cosine(1.0, steps=110, last=0.2, warm_up=10)
    assert [cosine.value(t) for t in (0, 9)] == [0.1, 1.0]
    assert cosine.value(10) == pytest.approx(1.0)
    assert cosine.value(60) == pytest.approx(0.6)
    assert [cosine.value(t) for t in (110, 1000)] == pytest.approx([0.2, 0.2])
    assert [Exponential(0.8, 5).value(t) for t in (0, 5, 10)] == pytest.approx([0.8, 0.4, 0.2])
    steps = Steps(1.0, at=(2, 4), factor=0.5)
    assert [steps.value(t) for t in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(-1), "learning_rate: -1, must be finite"),
        (lambda: Adam(0.1, first=1.0), "first: 1.0, must be at least 0 and below 1"),
        (lambda: Adam(0.1, decay=np.nan), "decay: nan"),
        (lambda: Momentum(0.1, momentum=1.0), "momentum: 1.0"),
        (lambda: Cosine(0.1, 10, warm_up=10), "steps: 10, must be above warm_up"),
        (lambda: Cosine(np.inf, 10), "rate: inf"),
        (lambda: Exponential(0.1, 0), "half_life: 0, must be above 0"),
        (lambda: Steps(0.1, at=(5, 2)), r"at: \[5, 2\], must rise"),
    ],
)
def test_bad_values_are_one_line(make, message):
    with pytest.raises(InputError, match=message):
        make()
