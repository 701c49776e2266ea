from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from smallworld_eqprop.data import load
from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.energy import cost
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph, add_intralayer, layered
from smallworld_eqprop.graphs.rewiring import rewire
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.eqprop import initial_weights
from smallworld_eqprop.learning.history import log_spread
from smallworld_eqprop.learning.trainer import Trainer

CONFIG = TrainingConfig(learning_rate=0.1, batch_size=10, nudged_steps=6)


@pytest.fixture
def config(device):
    return replace(CONFIG, device=device)


def train(graph, data, config, epochs=1):
    trainer = Trainer(graph, data, config)
    for _ in range(epochs):
        for _ in trainer.run_epoch():
            pass
    return trainer


def copy_of(trainer):
    """The couplings on NumPy arrays, whatever the engine."""
    arrays = trainer.engine.arrays()
    return Couplings(trainer.graph, arrays["weights"], arrays["biases"])


def biases(trainer):
    return trainer.engine.arrays()["biases"]


def outputs(trainer, couplings, x):
    """Outputs of the free phase from rest, all examples in one batch."""
    inputs = np.ascontiguousarray(x.T)
    start = np.zeros((couplings.n_free, len(x)), np.float32)
    free = trainer.config.free_phase.relax(couplings, couplings.drive(inputs), start)
    return free.state[couplings.output].T


def wrong(output, y):
    return (output.argmax(axis=1) != y.argmax(axis=1)).sum()


# --- learning ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "graph",
    [
        layered((64, 30, 10)),
        add_intralayer(layered((64, 30, 10))),
        rewire(layered((64, 30, 20, 10)), 0.2, seed=0),
    ],
    ids=["layered", "intralayer", "rewired"],
)
def test_digits_are_learned(digits, graph, config):
    config = replace(config, learning_rate=0.2, other_amplitude=0.05)
    history = train(graph, digits, config, epochs=6).history
    assert history[0].training_error > 0.5  # chance is 0.9
    assert history[-1].training_error < 0.3
    assert history[-1].test_error < 0.3
    assert history[-1].test_cost < history[0].test_cost / 2
    assert sum(record.unconverged for record in history) == 0


def test_regression_is_learned(device):
    data = load("diabetes")
    config = TrainingConfig(learning_rate=0.01, batch_size=5, nudged_steps=12, device=device)
    history = train(layered((10, 10, 10, 1)), data, config, epochs=3).history
    costs = [record.training_cost for record in history]
    assert max(costs[1:]) < costs[0] / 2
    assert [r.training_error for r in history] == costs
    assert [r.test_error for r in history] == [r.test_cost for r in history]


def test_both_relaxations_give_the_same_learning_curve(digits):
    graph = layered((64, 20, 10))
    config = TrainingConfig(learning_rate=0.2, free_steps=150, nudged_steps=6)
    curves = {
        mode: np.array(
            [
                [r.training_error for r in train(graph, digits, seeded, 3).history]
                for seeded in (replace(config, relaxation=mode, seed=seed) for seed in range(4))
            ]
        )
        for mode in ("sor", "euler")
    }
    noise = max(curve.std(axis=0, ddof=1).max() for curve in curves.values())
    assert noise > 0.005
    difference = curves["sor"].mean(axis=0) - curves["euler"].mean(axis=0)
    assert np.abs(difference).max() < 2 * noise / np.sqrt(4)
    assert curves["sor"].mean(axis=0)[-1] < curves["sor"].mean(axis=0)[0] - 0.1


# --- what one batch does -----------------------------------------------------------------------


@pytest.mark.parametrize("rates", [0.1, (0.4, 0.2, 0.1)])
@pytest.mark.parametrize("bias_rate", [None, 1.0])
def test_a_batch_is_two_phases_and_an_update_with_a_random_sign(
    toy, toy_graph, rates, bias_rate, config
):
    """Replays full-batch epochs with the parts: the sign of beta is the only thing unknown."""
    # Euler, because the examples are relaxed in another order here.
    config = replace(
        config, learning_rate=rates, bias_rate=bias_rate, batch_size=43, beta=0.5,
        relaxation="euler", free_steps=60,
    )  # fmt: skip
    trainer = Trainer(toy_graph, toy, config)
    inputs, target = (np.ascontiguousarray(a.T) for a in (toy.x_train, toy.y_train))
    layer_rates = np.broadcast_to(rates, 3)
    bias_rates = layer_rates if bias_rate is None else np.full(3, bias_rate)
    signs = []
    for _ in range(12):
        before = copy_of(trainer)
        drive = before.drive(inputs)
        start = trainer.state()[0]["train_particles"].T.astype(np.float32)
        list(trainer.run_epoch())
        matching = []
        for sign in (1, -1):
            replayed = Couplings(toy_graph, before.edge_weights(), before.biases[:, 0])
            free = config.free_phase.relax(replayed, drive, start).state
            beta = sign * config.beta
            nudged = config.nudged_phase.steps_from(replayed, drive, free, target, beta)
            replayed.correct(free, nudged, inputs, 1 / beta, layer_rates, bias_rates)
            found = trainer.couplings.edge_weights()
            if np.allclose(found, replayed.edge_weights(), atol=1e-5) and (
                np.allclose(biases(trainer), replayed.biases[:, 0], atol=1e-5)
            ):
                matching.append(sign)
        assert len(matching) == 1
        signs += matching
    assert {1, -1} == set(signs)


def test_training_error_is_counted_before_the_update(toy, toy_graph, config):
    # One batch holds all examples: its free phase sees the initial weights, the test set the
    # updated ones. Euler, because engines may end at different equilibria where there are several.
    config = replace(config, batch_size=43, learning_rate=0.5, relaxation="euler", free_steps=60)
    trainer = Trainer(toy_graph, toy, config)
    initial = copy_of(trainer)
    output = outputs(trainer, initial, toy.x_train)
    (batch,) = trainer.run_epoch()
    (record,) = trainer.history
    assert batch.errors == wrong(output, toy.y_train)
    assert record.training_error == batch.errors / 43
    mean_cost = cost(output, toy.y_train)  # summed over examples: axis 0 is the example here
    assert record.training_cost == pytest.approx(mean_cost.sum() / 43, rel=1e-3)
    output = outputs(trainer, copy_of(trainer), toy.x_test)
    assert record.test_error == wrong(output, toy.y_test) / 21
    assert record.test_cost == pytest.approx(cost(output, toy.y_test).sum() / 21, rel=1e-3)
    after = outputs(trainer, copy_of(trainer), toy.x_train)
    assert wrong(after, toy.y_train) != batch.errors  # the definition makes a difference here


def test_every_batch_is_counted_once_the_last_smaller_one_too(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, config)
    assert trainer.n_batches == 5
    errors = 0.0
    for n, record in enumerate(trainer.run_epoch()):
        assert (record.epoch, record.batch) == (1, n)
        errors += record.errors
        assert trainer.running_error == pytest.approx(errors / min(10 * (n + 1), 43))
    assert record.batch == 4
    assert trainer.history[0].training_error == pytest.approx(errors / 43)
    assert trainer.running_error == trainer.history[0].training_error


def test_without_learning_nothing_changes(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, replace(config, learning_rate=0))
    weights = trainer.couplings.edge_weights()
    for _ in range(2):
        list(trainer.run_epoch())
    assert np.array_equal(trainer.couplings.edge_weights(), weights)
    assert not biases(trainer).any()
    first, second = trainer.history
    assert (first.training_error, first.test_error) == (second.training_error, second.test_error)
    assert np.isnan(first.log_spread)


def test_per_layer_rates_scale_the_corrections_of_their_layer(toy, config):
    graph = layered((8, 7, 6, 3))
    corrections = []
    for rates in (0.1, (0.4, 0.2, 0.1)):
        trainer = Trainer(graph, toy, replace(config, learning_rate=rates))
        next(trainer.run_epoch())
        corrections.append(trainer.corrections[0])
    assert trainer.pairs == ["0-1", "1-2", "2-3"]
    np.testing.assert_allclose(corrections[1] / corrections[0], [4, 2, 1], rtol=1e-4)


# --- what it reports ---------------------------------------------------------------------------


def test_history_of_an_epoch(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, config)
    sweeps = [[record.sweeps for record in trainer.run_epoch()] for _ in range(2)]
    assert [record.epoch for record in trainer.history] == [1, 2]
    for record, means in zip(trainer.history, sweeps, strict=True):
        assert record.mean_sweeps == pytest.approx((10 * sum(means[:-1]) + 3 * means[-1]) / 43)
        assert record.unconverged == 0
        assert 0 < record.worst_residual <= config.tolerance
        assert record.seconds > 0
    last = trainer.history[-1]
    assert last.log_spread == log_spread(trainer.corrections)
    adjacent = [pair in ("0-1", "1-2", "2-3") for pair in trainer.pairs]
    assert last.log_spread_interlayer == log_spread(trainer.corrections[:, adjacent])


def test_corrections_of_every_pair_of_layers_in_every_batch(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, config)
    assert set(trainer.kinds) == {"interlayer", "intralayer", "skip"}
    assert trainer.corrections.shape == (0, len(trainer.pairs))
    before = trainer.couplings.edge_weights()
    epoch = trainer.run_epoch()
    next(epoch)
    change = trainer.couplings.edge_weights() - before
    a, b = toy_graph.layers[toy_graph.edges].T
    for pair, rms in zip(trainer.pairs, trainer.corrections[0], strict=True):
        lower, upper = map(int, pair.split("-"))
        members = change[(a == lower) & (b == upper)]
        assert rms == pytest.approx(np.sqrt(np.mean(members**2)), rel=1e-3, abs=1e-7)
    list(epoch)
    assert trainer.corrections.shape == (5, len(trainer.pairs))
    next(trainer.run_epoch())
    assert len(trainer.corrections) == 1


def test_what_did_not_converge_is_counted(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, replace(config, tolerance=1e-9, max_sweeps=3))
    records = list(trainer.run_epoch())
    assert [record.unconverged for record in records] == [10, 10, 10, 10, 3]
    assert trainer.history[0].unconverged == 43
    assert trainer.history[0].worst_residual > 1e-9
    assert trainer.history[0].mean_sweeps == 3


def test_evaluation_repeats(digits, config):
    # 360 test examples: more than are relaxed together.
    trainer = train(layered((64, 12, 10)), digits, config)
    output = outputs(trainer, copy_of(trainer), digits.x_test)
    error, mean_cost = trainer.evaluate()
    assert (error, mean_cost) == pytest.approx(
        (trainer.history[0].test_error, trainer.history[0].test_cost), rel=1e-2
    )
    assert error == pytest.approx(wrong(output, digits.y_test) / len(output), abs=2 / len(output))
    assert mean_cost == pytest.approx(cost(output, digits.y_test).sum() / len(output), rel=1e-2)
    particles = trainer.state()[0]["test_particles"]
    np.testing.assert_allclose(particles[:, trainer.couplings.output], output, atol=0.02)


@pytest.mark.parametrize(("rate", "share"), [(0, 0.2), (3e-4, 0.95)])
def test_particles_persist(digits, rate, share, config):
    graph = layered((64, 30, 20, 10))
    first, second = train(graph, digits, replace(config, learning_rate=rate), epochs=2).history
    assert second.mean_sweeps < share * first.mean_sweeps


# --- seeds -------------------------------------------------------------------------------------


def test_a_run_repeats_bit_for_bit(toy, toy_graph, config):
    first, second = (train(toy_graph, toy, config, epochs=2) for _ in range(2))
    assert np.array_equal(first.couplings.edge_weights(), second.couplings.edge_weights())
    assert np.array_equal(biases(first), biases(second))
    for one, other in zip(first.history, second.history, strict=True):
        assert replace(one, seconds=0) == replace(other, seconds=0)


def test_seeds_draw_weights_order_and_signs(toy, toy_graph, config):
    first, second = (train(toy_graph, toy, replace(config, seed=seed)) for seed in (0, 1))
    assert not np.array_equal(first.couplings.edge_weights(), second.couplings.edge_weights())
    assert not np.allclose(first.corrections, second.corrections)


@pytest.mark.parametrize("amplitude", [None, 0.05])
def test_initial_weights_are_drawn_from_the_seed(toy, toy_graph, amplitude):
    config = replace(CONFIG, seed=5, other_amplitude=amplitude)
    weights = Trainer(toy_graph, toy, config).couplings.edge_weights()
    assert np.array_equal(weights, Trainer(toy_graph, toy, config).couplings.edge_weights())
    scale = np.abs(initial_weights(toy_graph, seed=0, other_amplitude=amplitude))
    skip = toy_graph.skip
    assert np.abs(weights[skip]).max() == pytest.approx(scale[skip].max(), rel=0.3)


def test_examples_come_in_a_new_order_every_epoch(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, replace(config, learning_rate=0))
    errors = [tuple(record.errors for record in trainer.run_epoch()) for _ in range(4)]
    assert len(set(errors)) > 1
    assert len({sum(epoch) for epoch in errors}) == 1


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((9, 7, 3), "input layer of 9 nodes, but toy needs 8"),
        ((8, 7, 4), "output layer of 4 nodes, but toy needs 3"),
        ((3, 8), "input layer of 3 nodes"),
    ],
)
def test_layers_must_fit_the_data(toy, sizes, message):
    with pytest.raises(InputError, match=message):
        Trainer(layered(sizes), toy, CONFIG)


def test_rates_must_fit_the_network(toy, toy_graph):
    with pytest.raises(InputError, match="2 rates for the 3 layers"):
        Trainer(toy_graph, toy, replace(CONFIG, learning_rate=(0.1, 0.1)))


@pytest.mark.parametrize(
    ("edges", "count"),
    [
        ([], "3 of 3"),
        ([(8, 9), (9, 11), (8, 12)], "3 of 3"),
        ([(0, 8), (8, 11), (0, 12)], "1 of 3"),
    ],
)
def test_outputs_must_be_within_reach_of_the_inputs(toy, edges, count):
    graph = LayeredGraph((8, 3, 3), np.array(edges, int).reshape(-1, 2))
    with pytest.raises(InputError, match=rf"{count} outputs .* cannot be reached"):
        Trainer(graph, toy, CONFIG)


def test_records_are_plain_numbers(toy, toy_graph, config):
    trainer = train(toy_graph, toy, config)
    for value in dataclasses.asdict(trainer.history[0]).values():
        assert type(value) in (int, float)
