from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from smallworld_eqprop.data import load
from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.initial import initial_weights
from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.history import log_spread
from smallworld_eqprop.learning.losses import SquaredError
from smallworld_eqprop.learning.optimisers import SGD, Optimiser
from smallworld_eqprop.learning.rules import Centred, OneSided, RandomSign, Rule
from smallworld_eqprop.learning.schedules import Schedule
from smallworld_eqprop.learning.trainer import Trainer

CONFIG = TrainingConfig.paper(learning_rate=0.1, batch_size=10, nudged_steps=6)
cost = SquaredError().cost


@pytest.fixture
def config(device):
    return CONFIG.changed(device=device)


def train(graph, data, config, epochs=1, network=None):
    trainer = Trainer(graph, data, config, network=network)
    while len(trainer.history) < epochs:
        for _ in trainer.run_epoch():
            pass
    return trainer


def weights(trainer):
    return trainer.engine.arrays()["weights"]


def biases(trainer):
    return trainer.engine.arrays()["biases"]


def copy_of(trainer):
    """The network on NumPy arrays, whatever the engine."""
    network = trainer.network
    return Network(
        trainer.graph, weights(trainer), biases(trainer), network.model, dtype=network.dtype
    )


def outputs(trainer, network, x):
    """Outputs of the free phase from rest, all examples in one batch."""
    circuit = network.circuit
    drive = circuit.drive(x)
    free = trainer.config.relaxation.relax(circuit, drive, circuit.clip(np.zeros_like(drive)))
    return free.state[:, circuit.output]


def without_seconds(history):
    return [replace(record, seconds=0) for record in history]


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
    config = config.changed(learning_rate=0.2, other_amplitude=0.05)
    history = train(graph, digits, config, epochs=6).history
    assert history[0].training_error > 0.5  # chance is 0.9
    assert history[-1].training_error < 0.3
    assert history[-1].test_error < 0.3
    assert history[-1].test_cost < history[0].test_cost / 2
    assert sum(record.unconverged for record in history) == 0


def test_regression_is_learned(device):
    data = load("diabetes")
    config = TrainingConfig.paper(learning_rate=0.01, batch_size=5, nudged_steps=12, device=device)
    history = train(layered((10, 10, 10, 1)), data, config, epochs=3).history
    costs = [record.training_cost for record in history]
    assert max(costs[1:]) < costs[0] / 2
    assert [r.training_error for r in history] == costs
    assert [r.test_error for r in history] == [r.test_cost for r in history]


def test_both_relaxations_give_the_same_learning_curve(digits):
    graph = layered((64, 20, 10))
    config = TrainingConfig.paper(learning_rate=0.2, nudged_steps=6)
    modes = {"sor": SOR(), "euler": Euler(150)}
    curves = {
        mode: np.array(
            [
                [r.training_error for r in train(graph, digits, seeded, 3).history]
                for seeded in (config.changed(relaxation=solver, seed=seed) for seed in range(4))
            ]
        )
        for mode, solver in modes.items()
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
    config = config.changed(
        optimiser=SGD(rates, bias_rate), beta=0.5, relaxation=Euler(60), batch_size=43
    )
    trainer = Trainer(toy_graph, toy, config)
    inputs, target = toy.x_train, toy.y_train
    layer_rates = np.broadcast_to(rates, 3)
    bias_rates = layer_rates if bias_rate is None else np.full(3, bias_rate)
    signs = []
    for _ in range(12):
        before = copy_of(trainer)
        drive = before.circuit.drive(inputs)
        start = trainer.state()[0]["train_particles"].astype(np.float32)
        list(trainer.run_epoch())
        matching = []
        for sign in (1, -1):
            replayed = Network(toy_graph, before.weights, before.biases)
            circuit = replayed.circuit
            free = Euler(60).relax(circuit, drive, start).state
            beta = sign * config.rule.beta
            nudge = Nudge(2 * beta * target, 2 * beta)
            nudged = Euler(6).relax(circuit, drive, free, nudge).state
            contrast = Contrast.between(free, nudged, inputs, 1 / beta)
            replayed.descend(contrast, layer_rates, bias_rates)
            if np.allclose(weights(trainer), replayed.weights, atol=1e-5) and (
                np.allclose(biases(trainer), replayed.biases, atol=1e-5)
            ):
                matching.append(sign)
        assert len(matching) == 1
        signs += matching
    assert {1, -1} == set(signs)


def test_training_error_is_counted_before_the_update(toy, toy_graph, config):
    # One batch holds all examples: its free phase sees the initial weights, the test set the
    # updated ones. Euler, because engines may end at different equilibria where there are several.
    config = config.changed(batch_size=43, learning_rate=0.5, relaxation=Euler(60))
    trainer = Trainer(toy_graph, toy, config)
    initial = copy_of(trainer)
    output = outputs(trainer, initial, toy.x_train)
    (batch,) = trainer.run_epoch()
    (record,) = trainer.history
    assert batch.errors == wrong(output, toy.y_train)
    assert record.training_error == batch.errors / 43
    mean_cost = cost(output, toy.y_train)
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
    trainer = Trainer(toy_graph, toy, config.changed(learning_rate=0))
    before = weights(trainer).copy()
    for _ in range(2):
        list(trainer.run_epoch())
    assert np.array_equal(weights(trainer), before)
    assert not biases(trainer).any()
    first, second = trainer.history
    assert (first.training_error, first.test_error) == (second.training_error, second.test_error)
    assert np.isnan(first.log_spread)


def test_per_layer_rates_scale_the_corrections_of_their_layer(toy, config):
    graph = layered((8, 7, 6, 3))
    corrections = []
    for rates in (0.1, (0.4, 0.2, 0.1)):
        trainer = Trainer(graph, toy, config.changed(learning_rate=rates))
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
        assert 0 < record.worst_residual <= config.relaxation.tolerance
        assert record.seconds > 0
    last = trainer.history[-1]
    assert last.log_spread == log_spread(trainer.corrections)
    adjacent = [pair in ("0-1", "1-2", "2-3") for pair in trainer.pairs]
    assert last.log_spread_interlayer == log_spread(trainer.corrections[:, adjacent])


def test_corrections_of_every_pair_of_layers_in_every_batch(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, config)
    assert set(trainer.kinds) == {"interlayer", "intralayer", "skip"}
    assert trainer.corrections.shape == (0, len(trainer.pairs))
    before = weights(trainer).copy()
    epoch = trainer.run_epoch()
    next(epoch)
    change = weights(trainer) - before
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
    trainer = Trainer(toy_graph, toy, config.changed(tolerance=1e-9, max_sweeps=3))
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
    np.testing.assert_allclose(particles[:, -10:], output, atol=0.02)


@pytest.mark.parametrize(("rate", "share"), [(0, 0.2), (3e-4, 0.95)])
def test_particles_persist(digits, rate, share, config):
    graph = layered((64, 30, 20, 10))
    first, second = train(graph, digits, config.changed(learning_rate=rate), epochs=2).history
    assert second.mean_sweeps < share * first.mean_sweeps


# --- seeds -------------------------------------------------------------------------------------


def test_a_run_repeats_bit_for_bit(toy, toy_graph, config):
    first, second = (train(toy_graph, toy, config, epochs=2) for _ in range(2))
    assert np.array_equal(weights(first), weights(second))
    assert np.array_equal(biases(first), biases(second))
    assert without_seconds(first.history) == without_seconds(second.history)


def test_seeds_draw_weights_order_and_signs(toy, toy_graph, config):
    first, second = (train(toy_graph, toy, config.changed(seed=seed)) for seed in (0, 1))
    assert not np.array_equal(weights(first), weights(second))
    assert not np.allclose(first.corrections, second.corrections)


@pytest.mark.parametrize("amplitude", [None, 0.05])
def test_initial_weights_are_drawn_from_the_seed(toy, toy_graph, amplitude):
    config = CONFIG.changed(seed=5, other_amplitude=amplitude)
    first, again = (weights(Trainer(toy_graph, toy, config)) for _ in range(2))
    assert np.array_equal(first, again)
    scale = np.abs(initial_weights(toy_graph, seed=0, other_amplitude=amplitude))
    skip = toy_graph.skip
    assert np.abs(first[skip]).max() == pytest.approx(scale[skip].max(), rel=0.3)


def test_examples_come_in_a_new_order_every_epoch(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, config.changed(learning_rate=0))
    errors = [tuple(record.errors for record in trainer.run_epoch()) for _ in range(4)]
    assert len(set(errors)) > 1
    assert len({sum(epoch) for epoch in errors}) == 1


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((9, 7, 3), "input layer of 9 nodes, but toy needs 8"),
        ((8, 7, 2), "output layer of 2 nodes, but toy needs 3"),
        ((3, 8), "input layer of 3 nodes"),
    ],
)
def test_layers_must_fit_the_data(toy, sizes, message):
    with pytest.raises(InputError, match=message):
        Trainer(layered(sizes), toy, CONFIG)


def test_rates_must_fit_the_network(toy, toy_graph):
    with pytest.raises(InputError, match="2 rates for the 3 layers"):
        Trainer(toy_graph, toy, CONFIG.changed(learning_rate=(0.1, 0.1)))


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


# --- parts of the recipe -----------------------------------------------------------------------


RULES = {
    "random sign": RandomSign(0.5),
    "one-sided": OneSided(0.5),
    "centred": Centred(0.2),
    "centred by euler steps": Centred(0.2, Euler(8)),
}
MODELS = {
    "hopfield": Hopfield(),
    "between -1 and 1": Hopfield(-1, 1),
    "linear outputs": Hopfield(linear_outputs=True),
    "weak feedback": WeakFeedback(feedback=0.3),
}


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_every_rule_trains_every_model(digits, device, rule, model):
    graph = rewire(layered((64, 20, 10)), 0.1, seed=0)
    # Weights so small that there is about one minimum, for every model.
    network = Network(graph, 0.5 * model.initial(graph, 0), model=model)
    config = TrainingConfig(rule=rule, optimiser=SGD(0.04), batch_size=10, device=device)
    history = train(graph, digits, config, 4, network).history
    assert history[-1].training_cost < 0.7 * history[0].training_cost
    assert history[-1].training_error < 0.4  # chance is 0.9
    assert history[-1].test_error < 0.4


def test_a_trainer_has_a_config_and_no_parts_beside_it(toy, toy_graph, config):
    assert Trainer(toy_graph, toy, config).config == config
    with pytest.raises(TypeError, match="rule"):
        Trainer(toy_graph, toy, config, rule=OneSided(0.3))


def test_full_feedback_trains_as_a_hopfield_network_to_the_bit(toy, toy_graph, config):
    plain, full = (
        Trainer(toy_graph, toy, config.changed(model=model))
        for model in (Hopfield(), WeakFeedback(feedback=1.0, depth="hops"))
    )
    for _ in range(2):  # ten batches
        for one, other in zip(plain.run_epoch(), full.run_epoch(), strict=True):
            assert one == other
            assert np.array_equal(weights(plain), weights(full))
            assert np.array_equal(biases(plain), biases(full))
    assert without_seconds(plain.history) == without_seconds(full.history)


@dataclasses.dataclass(frozen=True)
class SlowSGD(Optimiser):
    """Plain descent by the path of every other optimiser."""

    learning_rate: float = 0.1

    def step(self, gradient, parameters, memory, t):
        return -self.learning_rate * gradient, memory


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_fast_path_of_plain_descent_is_the_slow_one(toy, toy_graph, config, model):
    # Euler, whose states follow the weights without a threshold.
    config = config.changed(model=model, relaxation=Euler(30), learning_rate=0.05)
    fast = Trainer(toy_graph, toy, config)
    slow = Trainer(toy_graph, toy, config.changed(optimiser=SlowSGD(0.05)))
    for _ in zip(fast.run_epoch(), slow.run_epoch(), strict=True):
        np.testing.assert_allclose(weights(slow), weights(fast), atol=1e-5)
        np.testing.assert_allclose(biases(slow), biases(fast), atol=1e-5)
    np.testing.assert_allclose(slow.corrections, fast.corrections, atol=1e-5)


@dataclasses.dataclass(frozen=True)
class Falling(Schedule):
    def value(self, t):
        return 0.1 / (1 + t)


def test_a_schedule_is_asked_for_the_number_of_the_step(toy, toy_graph, config):
    # One step at a time by hand, against a schedule: 5 batches an epoch.
    scheduled = Trainer(toy_graph, toy, config.changed(optimiser=SGD(Falling())))
    byhand = Trainer(toy_graph, toy, config)
    for _ in range(2):
        steps, records = [], scheduled.run_epoch()
        for _ in range(5):
            steps.append(byhand.step)
            byhand.change(optimiser=SGD(0.1 / (1 + byhand.step)))
            next(byhand.run_epoch())
            next(records)
            assert np.array_equal(weights(scheduled), weights(byhand))
        list(records)
        list(byhand.run_epoch())
    assert steps == [5, 6, 7, 8, 9]


def test_a_network_goes_on_training(toy, toy_graph, config):
    network = Network(toy_graph, seed=8)
    before = network.weights
    trainer = Trainer(toy_graph, toy, config, network=network)
    assert np.array_equal(weights(trainer), before)
    list(trainer.run_epoch())
    assert not np.array_equal(weights(trainer), before)
    if config.device == "numpy":
        assert trainer.network is network
        assert np.array_equal(network.weights, weights(trainer))


def test_a_network_that_does_not_fit_is_refused(toy, toy_graph):
    with pytest.raises(InputError, match=r"^network: has LayeredGraph.*, not LayeredGraph"):
        Trainer(toy_graph, toy, CONFIG, network=Network(layered((8, 7, 6, 3))))
    network = Network(toy_graph, model=Hopfield(-1, 1))
    with pytest.raises(InputError, match=r"^model: Hopfield.*, but the given network has Hop"):
        Trainer(toy_graph, toy, CONFIG.changed(model=Hopfield(0, 2)), network=network)
    for config in (CONFIG, CONFIG.changed(model=Hopfield(-1, 1))):
        assert Trainer(toy_graph, toy, config, network=network).config.model == Hopfield(-1, 1)


def test_double_precision_is_trained_in_double_precision(toy, toy_graph, config):
    ends = []
    config = config.changed(relaxation=Euler(30))
    for dtype in (np.float32, np.float64):
        start = Network(toy_graph, dtype=dtype, seed=3)
        trainer = train(toy_graph, toy, config, network=start)
        assert weights(trainer).dtype == biases(trainer).dtype == dtype
        ends.append(weights(trainer))
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-3)
    assert not np.array_equal(ends[1], ends[1].astype(np.float32))


# --- particles ---------------------------------------------------------------------------------


def test_evaluating_in_between_changes_nothing(toy, toy_graph, config):
    undisturbed = train(toy_graph, toy, config, 3)
    trainer = Trainer(toy_graph, toy, config)
    for _ in range(3):
        for _ in trainer.run_epoch():
            first = trainer.evaluate()
            assert trainer.evaluate() == first
        trainer.evaluate()
    assert without_seconds(trainer.history) == without_seconds(undisturbed.history)
    for name, array in undisturbed.state()[0].items():
        assert np.array_equal(trainer.state()[0][name], array), name


def test_starting_at_rest_keeps_no_particles(toy, toy_graph, config):
    config = config.changed(start="rest")
    trainer = train(toy_graph, toy, config, 2)
    assert trainer.engine.train_particles is None
    assert trainer.engine.test_particles is None
    assert set(trainer.state()[0]) == {"weights", "biases", "corrections"}
    trainer.forget_particles()
    # Every free phase starts at rest, so that it takes as long as the first.
    still = train(toy_graph, toy, config.changed(learning_rate=0), 2)
    first, second = still.history
    assert second.mean_sweeps == pytest.approx(first.mean_sweeps, rel=0.02)
    assert first.test_cost == second.test_cost


@pytest.mark.parametrize(
    ("model", "half"),
    [
        (Hopfield(), True),
        (Hopfield(0.0, 1.0), True),
        (Hopfield(-1, 1), False),
        (Hopfield(0, 2), False),
        (Hopfield(linear_outputs=True), False),
        (WeakFeedback(feedback=0.5), True),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_particles_are_of_half_precision_between_0_and_1_alone(
    toy, toy_graph, config, model, half, dtype
):
    network = Network(toy_graph, model=model, dtype=dtype, seed=0)
    arrays = Trainer(toy_graph, toy, config, network=network).state()[0]
    expected = np.float16 if half else dtype
    assert arrays["train_particles"].dtype == arrays["test_particles"].dtype == expected


def test_forgotten_particles_are_at_rest(toy, toy_graph, config):
    trainer = train(toy_graph, toy, config.changed(model=Hopfield(0.25, 1)))
    assert (trainer.state()[0]["train_particles"] != 0.25).any()
    trainer.forget_particles()
    for name in ("train_particles", "test_particles"):
        assert (trainer.state()[0][name] == 0.25).all()


# --- what goes wrong in a run ------------------------------------------------------------------


def test_a_run_that_blows_up_says_when(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, config.changed(learning_rate=1e38))
    told = r"^epoch 1, batch \d: states or weights are no longer finite; lower the learning rate "
    with pytest.raises(InputError, match=told) as caught:
        for _ in range(3):
            list(trainer.run_epoch())
    assert "\n" not in str(caught.value)
    assert "1e+38" in str(caught.value)
    assert not trainer.history


def test_data_that_is_not_a_number_is_found_in_its_batch(toy, toy_graph, config):
    x = toy.x_train.copy()
    data = replace(toy, x_train=x)
    x[17, 3] = np.nan  # afterwards: a data set refuses it from the beginning
    trainer = Trainer(toy_graph, data, config)
    order, _ = trainer.draws(1)
    batch = int(np.flatnonzero(order == 17)[0]) // 10
    seen = []
    with pytest.raises(InputError, match=rf"^epoch 1, batch {batch + 1}: .*check the data"):
        for record in trainer.run_epoch():
            seen.append(record.batch)
    assert seen == list(range(batch))


@dataclasses.dataclass(frozen=True)
class Wrong(Rule):
    gives: str

    def contrast(self, phases):
        state, inputs = phases.free.state, phases.inputs
        if self.gives == "nothing":
            return None
        if self.gives == "a state":
            return state
        if self.gives == "too few nodes":
            return Contrast(state[..., 1:], state, inputs, 1.0)
        if self.gives == "too few examples":
            return Contrast(state, state[..., 1:, :], inputs, 1.0)
        return Contrast(state, state, inputs[..., :, 1:], 1.0)


@pytest.mark.parametrize(
    ("gives", "told"),
    [
        ("nothing", r"rule: Wrong gave None, must give a Contrast"),
        ("a state", r"rule: Wrong gave .*, must give a Contrast"),
        ("too few nodes", r"deviation of a contrast: shape .*15.*, must be \(.*10, 16\)"),
        ("too few examples", r"midpoint of a contrast: shape .*9, 16.*, must be \(.*10, 16\)"),
        ("too few inputs", r"inputs of a contrast: shape .*7.*, must be \(.*10, 8\)"),
    ],
)
def test_what_a_rule_gets_wrong_is_told_in_one_line(toy, toy_graph, config, gives, told):
    trainer = Trainer(toy_graph, toy, config.changed(rule=Wrong(gives)))
    before = weights(trainer).copy()
    with pytest.raises(InputError, match=told) as caught:
        next(trainer.run_epoch())
    assert "\n" not in str(caught.value)
    assert np.array_equal(weights(trainer), before)


@dataclasses.dataclass(frozen=True)
class Forgetful(Optimiser):
    def init(self, parameters):
        return {"speed": 0 * parameters}

    def step(self, gradient, parameters, memory, t):
        return -0.1 * gradient, {}


def test_an_optimiser_that_forgets_is_told(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, config.changed(optimiser=Forgetful()))
    told = r"^optimiser: Forgetful.* remembers \[\] after a step, and \['speed'\] before it"
    with pytest.raises(InputError, match=told):
        next(trainer.run_epoch())


@dataclasses.dataclass(frozen=True)
class Resistors(Model):
    sees = "difference"

    def self_term(self, graph):
        return 0.2

    def limits(self, graph):
        return 0.01, 1.0

    def initial(self, graph, seed):
        return np.random.default_rng(seed).uniform(0.05, 0.5, graph.n_edges)


def test_conductances_are_trained_within_their_limits(toy, toy_graph, config):
    config = config.changed(
        model=Resistors(), rule=Centred(0.1), optimiser=SGD(1.0), relaxation=SOR(1e-5)
    )
    trainer = train(toy_graph, toy, config, 15)
    least, most = np.float32([0.01, 1.0])
    assert weights(trainer).min() == least
    assert weights(trainer).max() <= most
    history = trainer.history
    assert history[-1].training_cost < 0.95 * history[0].training_cost


# --- changes on the way ------------------------------------------------------------------------


def test_a_lower_rate_from_some_batch_on(toy, toy_graph, config):
    trainer = Trainer(toy_graph, toy, config)
    next(trainer.run_epoch())
    before = weights(trainer).copy()
    trainer.change(learning_rate=0)
    list(trainer.run_epoch())
    assert np.array_equal(weights(trainer), before)
    trainer.change(optimiser=SGD(0.1))
    list(trainer.run_epoch())
    assert not np.array_equal(weights(trainer), before)
    with pytest.raises(InputError, match="2 rates for the 3 layers"):
        trainer.change(optimiser=SGD((0.1, 0.2)))
    assert trainer.config.optimiser == SGD(0.1)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("model", Hopfield(-1, 1)),
        ("other_amplitude", 0.1),
        ("batch_size", 3),
        ("start", "rest"),
        ("seed", 7),
    ],
)
def test_what_a_trainer_began_with_stays(toy, toy_graph, config, field, value):
    trainer = Trainer(toy_graph, toy, config)
    with pytest.raises(InputError, match="cannot be changed during training; make a new trainer"):
        trainer.change(**{field: value})
    assert trainer.config == config
