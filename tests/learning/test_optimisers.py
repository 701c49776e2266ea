"""Optimisers and schedules: closed forms, the fast path, and training to the bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.clipping import Clipped
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.lengths import schedule_lengths
from smallworld_eqprop.learning.optimisers import SGD, Adam, Momentum
from smallworld_eqprop.learning.schedules import Constant, Cosine, Exponential, Steps, WarmUp
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
        SGD(WarmUp(Exponential(0.1, 100), 20)),
        Clipped(SGD(0.05), 0.5),
        Clipped(Momentum(0.05), 0.5),
        Clipped(Adam(0.02), 0.1),
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
        square = sum(piece() for piece in adam.in_place(t)(gradient, fast, in_place))
        plain += step
        tolerance = 1e-4 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(fast, plain, rtol=tolerance, atol=tolerance)
        assert square == pytest.approx(float(np.square(step).sum()), rel=1e-3)


@dataclasses.dataclass(frozen=True)
class Slow(Adam):
    """Adam without its fast path, which is chosen by the type."""


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_not_corrected_any_more_is_forgotten_whole(dtype):
    """A moment that shrinks for ever would stop below the normal numbers, which are slow."""
    gradient, parameters = np.array([1e-3, -1e-25], dtype), np.zeros(2, dtype)
    memory = Adam().init(parameters)
    for t in range(10_000):
        for piece in Adam(first=0.5, second=0.6).in_place(t)(gradient, parameters, memory):
            piece()
        gradient *= t < 5
        for moment in memory.values():
            assert not np.any((moment != 0) & (np.abs(moment) < np.finfo(dtype).tiny))
    assert not memory["mean"].any()
    assert not memory["square"].any()


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
    rising = WarmUp(Steps(0.8, at=(2,), factor=0.5), 4)
    assert [rising.value(t) for t in range(8)] == pytest.approx(
        [0.2, 0.4, 0.6, 0.8, 0.8, 0.8, 0.4, 0.4]
    )
    steps = Steps(1.0, at=(2, 4), factor=0.5)
    assert [steps.value(t) for t in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]


def test_warm_up_within_a_cosine_is_warm_up_around_one():
    one, other = Cosine(1.0, 110, 0.2, warm_up=10), WarmUp(Cosine(1.0, 100, 0.2), 10)
    assert [one.value(t) for t in range(120)] == pytest.approx([other.value(t) for t in range(120)])
    assert one.length == other.length == 110


def test_a_length_in_epochs_is_one_in_steps():
    cosine = Cosine(1.0, epochs=4, warm_up=3)
    assert cosine.in_steps(25) == Cosine(1.0, 100, warm_up=3)
    assert WarmUp(cosine, 5).in_steps(25) == WarmUp(Cosine(1.0, 100, warm_up=3), 5)
    assert Cosine(1.0, 7).in_steps(25) == Cosine(1.0, 7)
    assert Constant(1.0).in_steps(25) == Constant(1.0)
    with pytest.raises(InputError, match="epochs: 4; call in_steps"):
        cosine.value(0)
    for optimiser, lengths in (
        (Adam(cosine), [100]),
        (Clipped(Momentum(WarmUp(cosine, 5))), [105]),
        (SGD(Exponential(1.0, 5)), []),
        (SGD(0.1), []),
    ):
        assert schedule_lengths(optimiser, 25) == lengths


@pytest.mark.parametrize("wrap", [Adam, SGD, lambda rate: Clipped(Adam(rate), 0.1)])
def test_training_counts_the_batches_of_an_epoch(toy, toy_graph, device, wrap):
    ends = []
    for schedule in (Cosine(0.02, epochs=2), Cosine(0.02, steps=8)):
        config = TrainingConfig(
            optimiser=wrap(schedule), batch_size=10, validation=9, device=device
        )
        trainer = Trainer(toy_graph, toy, config)
        for _ in range(3):
            list(trainer.run_epoch())
        assert trainer.config.optimiser == wrap(schedule)
        ends.append(trainer.state()[0]["weights"])
        # The rate is 0 from the third epoch on.
        assert trainer.corrections.max() == pytest.approx(0, abs=1e-12)
    assert np.array_equal(*ends)


def test_a_clipped_gradient_keeps_its_direction():
    clipped, gradient = Clipped(SGD(0.1), norm=2.0), np.array([3.0, 0.0, -4.0])
    step, memory = clipped.step(gradient, gradient, clipped.init(gradient), 0)
    np.testing.assert_allclose(step, -0.1 * gradient * 2 / 5)
    assert memory == {}
    short, _ = clipped.step(0.1 * gradient, gradient, {}, 0)
    np.testing.assert_allclose(short, -0.01 * gradient)
    assert not clipped.step(0 * gradient, gradient, {}, 0)[0].any()


def contrast_of(trainer):
    """The contrast of the first examples, as this engine has it."""
    engine = trainer.engine
    found = []
    trained = engine.updates.step
    engine.updates.step = lambda contrast, *rest: found.append(contrast) or trained(contrast, *rest)
    next(trainer.run_epoch())
    engine.updates.step = trained
    return found[0]


def test_the_norm_counts_every_edge_once_in_every_engine(toy, toy_graph, device):
    config = TrainingConfig(batch_size=10, device=device)
    trainer = Trainer(toy_graph, toy, config)
    contrast, network = contrast_of(trainer), trainer.network
    own = network.edge_gradient(contrast)
    expected = np.sqrt(np.square(own.weights).sum() + np.square(own.biases).sum())
    found = network.norms(network.gradient(contrast))
    assert found.shape == (1,)
    assert found[0] == pytest.approx(expected, rel=1e-5)
    assert any(block.inside and block.dense for block in network.blocks)


@pytest.mark.parametrize("inner", [SGD(0.1), Momentum(0.1), Adam(0.01, epsilon=0.01)], ids=repr)
def test_a_large_norm_changes_nothing(toy, toy_graph, device, inner):
    ends = []
    for optimiser in (inner, Clipped(inner, 1e6)):
        config = TrainingConfig(optimiser=optimiser, batch_size=10, device=device)
        trainer = Trainer(toy_graph, toy, config)
        for _ in range(2):
            list(trainer.run_epoch())
        ends.append(trainer.state()[0])
    assert ends[0].keys() == ends[1].keys()
    for name in ("weights", "biases"):
        np.testing.assert_allclose(ends[0][name], ends[1][name], rtol=1e-4, atol=1e-6)


def test_a_small_norm_is_the_length_of_the_step(toy, toy_graph, device):
    """Of plain descent with rate 1, in weights and biases together."""
    config = TrainingConfig(optimiser=Clipped(SGD(1.0), 1e-3), batch_size=10, device=device)
    trainer = Trainer(toy_graph, toy, config)
    before = trainer.state()[0]
    before = {name: before[name].copy() for name in ("weights", "biases")}
    next(trainer.run_epoch())
    after = trainer.state()[0]
    square = sum(np.square(after[name] - before[name]).sum() for name in before)
    assert np.sqrt(square) == pytest.approx(1e-3, rel=1e-2)


def test_rates_of_layers_are_checked_within(toy, toy_graph):
    with pytest.raises(InputError, match="2 rates for the 3 layers"):
        Trainer(toy_graph, toy, TrainingConfig(optimiser=Clipped(SGD((0.1, 0.2)))))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Adam(-1), "learning_rate: -1, must be finite"),
        (lambda: Adam(0.1, first=1.0), "first: 1.0, must be at least 0 and below 1"),
        (lambda: Adam(0.1, decay=np.nan), "decay: nan"),
        (lambda: Momentum(0.1, momentum=1.0), "momentum: 1.0"),
        (lambda: Cosine(0.1, 10, warm_up=10), "steps: 10, must be above warm_up"),
        (lambda: Cosine(np.inf, 10), "rate: inf"),
        (lambda: Cosine(0.1), "steps: None, epochs: None; give one of them"),
        (lambda: Cosine(0.1, 10, epochs=2), "steps: 10, epochs: 2; give one of them"),
        (lambda: Cosine(0.1, epochs=0), "epochs: 0, must be a whole number from 1 to"),
        (lambda: Cosine(0.1, 10, warm_up=-1), "warm_up: -1, must be a whole number from 0 to"),
        (lambda: Cosine(0.1, epochs=1, warm_up=9).in_steps(9), "steps: 9, must be above warm_up"),
        (lambda: WarmUp(0.1, 5), "schedule: 0.1, must be a Schedule"),
        (lambda: WarmUp(Constant(0.1), 0), "steps: 0, must be a whole number from 1 to"),
        (lambda: Clipped(SGD(), 0), "norm: 0, must be above 0"),
        (lambda: Clipped(0.1), "optimiser: 0.1, must be an Optimiser"),
        (lambda: Clipped(Clipped()), "clipped within clipped; give one norm"),
        (lambda: Exponential(0.1, 0), "half_life: 0, must be above 0"),
        (lambda: Steps(0.1, at=(5, 2)), r"at: \[5, 2\], must increase"),
    ],
)
def test_bad_values_are_one_line(make, message):
    with pytest.raises(InputError, match=message):
        make()
