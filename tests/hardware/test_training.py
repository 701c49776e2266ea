"""Devices in training: where each acts, that none changes nothing, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from checkpoints import saved

from smallworld_eqprop.data import load
from smallworld_eqprop.dynamics import SOR, Euler, Hopfield, Sweeps, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.hardware import (
    Converters,
    Device,
    Devices,
    Drift,
    Levels,
    Mismatch,
    ProgrammingError,
    Published,
    Pulses,
    Readout,
    Resolution,
    Slew,
    SoftBounds,
    Stuck,
    Thermal,
    UpdateNoise,
)
from smallworld_eqprop.hardware.presets import PRESETS
from smallworld_eqprop.learning import (
    SGD,
    Adam,
    Adjoint,
    Centred,
    Clipped,
    Coupled,
    Momentum,
    OneSided,
    Phases,
    ReadoutOnly,
)
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.testing import check_device

TIMED = {"relaxation": Euler(15), "rule": OneSided(0.5, Euler(5))}
DEVICES = {
    "levels": Levels(33, rounding="stochastic"),
    "shadow": Levels(9, shadow=True, biases=True),
    "programming error": ProgrammingError(0.02, 0.1),
    "drift": Drift(0.05, spread=0.01, biases=True),
    "stuck": Stuck(0.2, "programmed"),
    "resolution": Resolution(7, rounding="stochastic"),
    "pulses": Pulses(0.005, limit=4, noise=0.3, spread=0.3),
    "soft bounds": SoftBounds(-0.8, 0.6, up=1.1),
    "update noise": UpdateNoise(1e-3, 0.2),
    "mismatch": Mismatch(0.05, 0.1),
    "slew": Slew(0.3),
    "thermal": Thermal(1e-3),
    "readout": Readout(4, noise=0.02, repeats=2),
    "converters": Converters(0.02, 0.05, shared=False),
    "all": Devices(
        (
            Pulses(0.005, noise=0.3),
            Levels(201),
            ProgrammingError(0.01),
            Drift(0.05),
            Stuck(0.1),
            Mismatch(0.05, 0.1),
            Slew(0.3),
            Thermal(1e-3),
            Readout(noise=0.02),
            Converters(0.02),
        )
    ),
    **{name: Published(name) for name in PRESETS},
}


def run(trainer, epochs=2):
    while len(trainer.history) < epochs:
        list(trainer.run_epoch())
    return trainer


# --- off ---------------------------------------------------------------------------------------


def test_without_devices_a_training_is_the_bare_loop_to_the_bit():
    """Free phase, contrast, descent: written out here for two epochs of digits."""
    data = load("digits", n_train=200)
    graph = rewire(layered((64, 20, 15, 10)), 0.2, seed=1)
    config = TrainingConfig(hardware=())
    assert config == TrainingConfig()
    trainer = Trainer(graph, data, config)
    assert trainer.engine.chip is None
    bare = Network(graph, trainer.network.weights)
    particles = np.zeros((200, bare.n_free), np.float16)
    ones = np.ones(graph.n_layers - 1)
    for epoch in (1, 2):
        order, signs = trainer.draws(epoch)
        for rows, sign in zip(order.reshape(-1, 20), signs, strict=True):
            inputs, targets = data.x_train[rows], data.y_train[rows]
            circuit = bare.circuit
            drive = circuit.drive(inputs)
            free = config.relaxation.relax(circuit, drive, particles[rows].astype(np.float32))
            particles[rows] = free.state
            phases = Phases(circuit, inputs, targets, drive, free, config.loss, sign)
            bare.descend(config.rule.contrast(phases), 0.02 * ones, 0.02 * ones)
    run(trainer)
    assert np.array_equal(trainer.network.weights, bare.weights)
    assert np.array_equal(trainer.network.biases, bare.biases)
    assert not any(name.startswith("hardware") for name in trainer.state()[0])


def test_a_device_of_nothing_trains_as_the_plain_path_does(toy, toy_graph):
    """Steps through a chip, which changes nothing about them, are those of the fast paths."""

    class Nothing(Device):
        def write(self, weights, step, memory, rng):
            return step

    for optimiser in SGD(0.1), Adam(1e-3), Clipped(Momentum(0.02), norm=0.1):
        config = TrainingConfig(optimiser=optimiser, relaxation=SOR(1e-10))
        found, expected = (
            run(
                Trainer(
                    toy_graph,
                    toy,
                    config.changed(hardware=hardware),
                    network=Network(toy_graph, dtype=np.float64, seed=1),
                )
            ).network.weights
            for hardware in (Nothing(), ())
        )
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8)


# --- on ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", DEVICES)
def test_devices_keep_their_contract(name):
    check_device(DEVICES[name])


@pytest.mark.parametrize("name", DEVICES)
def test_a_training_that_stops_halfway_ends_with_the_same_bits(name, toy, toy_graph):
    config = TrainingConfig(
        hardware=DEVICES[name], batch_size=10, optimiser=Adam(0.01), validation=6, test="end",
        **TIMED,
    )  # fmt: skip
    whole, stopped, resumed = (Trainer(toy_graph, toy, config) for _ in range(3))
    ideal = run(Trainer(toy_graph, toy, config.changed(hardware=())))
    list(stopped.run_epoch())
    records = stopped.run_epoch()
    for _ in range(2):
        next(records)
    resumed.restore(*saved(stopped))
    for each in (whole, resumed):
        run(each, 3)
    arrays, again = whole.state()[0], resumed.state()[0]
    assert arrays.keys() == again.keys()
    for key, array in arrays.items():
        assert np.array_equal(array, again[key]), key
        assert array.dtype == again[key].dtype
    one, other = (repr([r.training_cost for r in t.history]) for t in (whole, resumed))
    assert one == other
    assert whole.history[-1].validation_cost == resumed.history[-1].validation_cost
    # It does something to a training.
    assert not np.array_equal(whole.network.weights, run(ideal, 3).network.weights)


def test_weights_are_what_the_devices_hold_all_along(toy, toy_graph):
    hardware = (Pulses(0.01, rounding="nearest"), Levels(41, -0.5, 0.5), Stuck(0.2))
    trainer = Trainer(toy_graph, toy, TrainingConfig(hardware=hardware, optimiser=SGD(0.3)))
    levels = np.linspace(-0.5, 0.5, 41).astype(np.float32)
    before, moved = trainer.network.weights, 0
    stuck = trainer.engine.chip.memory[2]["weights"]["stuck"]
    for _ in range(3):
        for _batch in trainer.run_epoch():
            weights = trainer.network.weights
            assert np.isin(weights, levels).all()
            assert not weights[stuck].any()
            moved += (weights != before).sum()
            before = weights
    assert moved > 50
    # Biases are exact where they are not asked for.
    assert not np.isin(trainer.network.biases, levels).all()


def test_corrections_are_what_the_devices_wrote_and_not_what_time_did(toy, toy_graph):
    hardware = Pulses(0.01, rounding="nearest")
    trainer = Trainer(toy_graph, toy, TrainingConfig(hardware=hardware, optimiser=SGD(0.3)))
    before, blocks = trainer.network.weights, trainer.network.blocks
    for n, _ in enumerate(trainer.run_epoch()):
        change = trainer.network.weights - before
        expected = [np.sqrt(np.square(change[block.edges]).mean()) for block in blocks]
        np.testing.assert_allclose(trainer.corrections[n], expected, rtol=1e-4, atol=1e-7)
        pulses = change / 0.01
        np.testing.assert_allclose(pulses, np.rint(pulses), atol=1e-4)
        before = trainer.network.weights
    fading = Trainer(toy_graph, toy, TrainingConfig(hardware=Drift(0.5), optimiser=SGD(0.0)))
    start = fading.network.weights
    list(fading.run_epoch())
    assert not fading.corrections.any()
    faded = start * (1 + fading.n_batches) ** -0.5
    np.testing.assert_allclose(fading.network.weights, faded, rtol=1e-5)


def test_weights_drift_while_nothing_is_trained(toy, toy_graph):
    trainer = Trainer(toy_graph, toy, TrainingConfig(hardware=Drift(0.1, time=2)))
    before, biases = trainer.network.weights, trainer.network.biases
    trainer.wait(5)
    trainer.wait(1)
    np.testing.assert_allclose(trainer.network.weights, before * 4**-0.1, rtol=1e-6)
    assert np.array_equal(trainer.network.biases, biases)
    with pytest.raises(InputError, match="batches: -1, must be at least 0"):
        trainer.wait(-1)
    with pytest.raises(InputError, match="hardware: none, so that no weight ages"):
        Trainer(toy_graph, toy, TrainingConfig()).wait(1)


def test_signs_limits_and_frozen_weights_of_the_graph_hold(toy, toy_graph):
    n = toy_graph.n_edges
    sign, trainable = np.zeros(n, np.int8), np.ones(n, bool)
    sign[: n // 2], trainable[::5] = 1, False
    graph = LayeredGraph(
        toy_graph.layer_sizes, toy_graph.edges, edge_data={"sign": sign, "trainable": trainable}
    )
    start = np.abs(Network(graph, seed=1).weights)
    hardware = (UpdateNoise(0.05), ProgrammingError(0.05), Drift(0.2))
    trainer = Trainer(
        graph, toy, TrainingConfig(hardware=hardware), network=Network(graph, start)
    )  # fmt: skip
    weights = run(trainer).network.weights
    assert np.array_equal(weights[~trainable], start[~trainable])
    assert (weights[: n // 2] >= 0).all()
    assert (weights[n // 2 :][trainable[n // 2 :]] < 0).any()


@pytest.mark.parametrize("rule", [OneSided(0.4, SOR()), Centred(0.3), Coupled(0.3)])
def test_contrasts_are_made_of_states_that_are_read(rule, toy, toy_graph):
    """The rule by hand, from readings of relaxations that went on from unread states."""
    trainer = Trainer(toy_graph, toy, TrainingConfig(rule=rule, hardware=Readout(5)))
    circuit, chip = trainer.network.circuit, trainer.engine.chip
    inputs, targets = toy.x_train[:6], toy.y_train[:6]
    drive = circuit.drive(inputs)
    free = SOR().relax(circuit, drive, 0 * drive)
    read = chip.reading((0, 1, 0))
    phases = Phases(circuit, inputs, targets, drive, free, trainer.config.loss, read=read)
    contrast = rule.contrast(phases)
    steps = [np.round(each * 31) for each in (free.state, contrast.deviation)]
    on_grid = np.abs(contrast.deviation * 31 - steps[1]).max()
    assert on_grid < 1e-3
    assert np.abs(contrast.deviation).max() > 0
    if not isinstance(rule, Centred):
        np.testing.assert_allclose(phases.free.state, steps[0] / 31, atol=1e-6)
        middle = phases.free.state + contrast.deviation / 2
        np.testing.assert_allclose(contrast.midpoint, middle, atol=1e-6)
    assert np.array_equal(phases.settled.state, free.state)


def test_costs_are_those_of_outputs_as_they_are_read(toy, toy_graph):
    """With one bit an output is 0 or 1, so that the cost of an example is a whole number."""
    for hardware, whole in ((), False), (Readout(1), True):
        trainer = Trainer(toy_graph, toy, TrainingConfig(hardware=hardware))
        list(trainer.run_epoch())
        record = trainer.history[0]
        for cost in (43 * record.training_cost, 21 * record.test_cost):
            assert (abs(cost - round(cost)) < 1e-4) is whole


def test_noise_of_an_evaluation_is_drawn_anew_in_every_epoch_and_changes_nothing(toy, toy_graph):
    config = TrainingConfig(hardware=Readout(noise=0.3), optimiser=SGD(0.0))
    trainer = Trainer(toy_graph, toy, config)
    list(trainer.run_epoch())
    before = saved(trainer)[0]
    assert trainer.evaluate() == trainer.evaluate()
    for name, array in saved(trainer)[0].items():
        assert np.array_equal(array, before[name])
    list(trainer.run_epoch())
    assert trainer.history[0].test_cost != trainer.history[1].test_cost


def test_seeds_draw_other_devices(toy, toy_graph):
    gains = [
        Trainer(toy_graph, toy, TrainingConfig(seed=seed, hardware=(Mismatch(0, 0.1),) * 2))
        for seed in (1, 1, 2)
    ]
    first, again, other = ([m["nodes"]["gain"] for m in t.engine.chip.memory] for t in gains)
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])
    assert not np.array_equal(first[0], first[1])  # the second device of the list


def test_mismatch_goes_with_weak_feedback_and_a_readout(toy):
    model = WeakFeedback(feedback=0.2, linear_outputs=True, readout=True)
    rule, hardware = Centred(0.2, Sweeps(1)), Mismatch(0.05, 0.1)
    config = TrainingConfig(
        model=model, rule=rule, relaxation=Sweeps(2), optimiser=SGD(0.2), hardware=hardware
    )
    trainer = run(Trainer(layered((8, 12, 3)), toy, config), 30)
    assert trainer.history[-1].training_cost < 0.5 * trainer.history[0].training_cost


def test_memories_of_a_weight():
    assert TrainingConfig().memories == 1
    assert TrainingConfig(optimiser=Adam()).memories == 3
    shadow = (Readout(4), Levels(16, shadow=True))
    assert TrainingConfig(optimiser=Clipped(Momentum(0.1)), hardware=shadow).memories == 3


def test_weights_that_are_not_finite_are_told(toy, toy_graph):
    trainer = Trainer(toy_graph, toy, TrainingConfig(hardware=UpdateNoise(1e38, relative=1e38)))
    with np.errstate(all="ignore"), pytest.raises(InputError, match="no longer finite"):
        run(trainer)


# --- presets -----------------------------------------------------------------------------------


def test_presets_say_what_was_published():
    pulses, bounds = Published("gokmen-vlasov-2016").parts
    assert (bounds.high - bounds.low) / pulses.size == pytest.approx(1200)  # states
    for name in ("reram-gong-2018", "ecram-tang-2018"):
        pulses, bounds = Published(name).parts
        assert bounds.high - bounds.low == pytest.approx(2)
        assert bounds.low < 0 < bounds.high
    error, drift = Published("pcm-nandakumar-2019").parts
    # Of 25 microsiemens, at half of the largest conductance: 0.95 microsiemens.
    sigma = 25 * (error.noise + error.slope / 2 + error.curve / 4)
    assert sigma == pytest.approx(0.9527, abs=1e-4)
    assert (drift.exponent, drift.time) == (0.049, 20)


# --- refused -----------------------------------------------------------------------------------

READ = (Readout(4), Readout(noise=0.1), Converters(0.1))


@pytest.mark.parametrize("device", READ)
@pytest.mark.parametrize("rule", [Centred(0.2, Sweeps(1)), ReadoutOnly(OneSided(0.2, Sweeps(1)))])
def test_deviations_that_no_chip_can_read_are_refused(device, rule, toy, toy_graph):
    with pytest.raises(InputError) as caught:
        TrainingConfig(rule=rule, hardware=(Levels(16), device))
    assert "without subtracting two states" in str(caught.value)
    assert "take SOR or Euler as solver of the rule" in str(caught.value)
    assert "\n" not in str(caught.value)
    TrainingConfig(rule=rule, relaxation=Sweeps(2), hardware=(Levels(16), Mismatch(0.1)))
    # Also where the solver is nowhere in the configuration.
    trainer = Trainer(toy_graph, toy, TrainingConfig(hardware=device))
    circuit = trainer.network.circuit
    drive = circuit.drive(toy.x_train[:2])
    free = SOR().relax(circuit, drive, 0 * drive)
    read = trainer.engine.chip.reading((0, 1, 0))
    phases = Phases(circuit, toy.x_train[:2], toy.y_train[:2], drive, free,
                    trainer.config.loss, read=read)  # fmt: skip
    with pytest.raises(InputError, match="without subtracting two states"):
        phases.deviation(0.1, Sweeps(1))


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"hardware": Levels(9), "device": "cpu"}, "hardware: is not available with device"),
        ({"hardware": Readout(4), "rule": Adjoint()}, "rule: Adjoint solves an equation"),
        ({"hardware": Mismatch(1), "rule": ReadoutOnly(Adjoint())}, "rule: Adjoint solves"),
        ({"hardware": Thermal(0.1)}, "Thermal needs steps of time, which SOR has not; take Euler"),
        ({**TIMED, "hardware": Slew(0.1), "evaluation": SOR()}, "Slew needs steps of time, which"),
        ({**TIMED, "hardware": Slew(0.1), "rule": Centred()}, "Slew needs steps of time, which"),
        ({"hardware": 0.5}, "hardware: 0.5, must be a Device"),
        ({"hardware": (Levels(9), 3)}, "hardware: 3, must be a Device"),
        ({"hardware": Hopfield()}, "must be a Device"),
    ],
)
def test_what_cannot_go_together_is_one_line(parts, problem):
    with pytest.raises(InputError) as caught:
        TrainingConfig(**parts)
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_hardware_cannot_be_changed_on_the_way(toy, toy_graph):
    with pytest.raises(InputError, match="hardware: cannot be changed during training"):
        Trainer(toy_graph, toy, TrainingConfig()).change(hardware=Levels(9))


def test_a_preset_that_is_unknown_is_named():
    with pytest.raises(InputError, match=r"preset: unknown 'ecram'; .*ecram-tang-2018"):
        Published("ecram")
