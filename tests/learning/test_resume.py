"""Stopping and going on: after any batch, in the same trainer or from a checkpoint in another."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from checkpoints import saved

from smallworld_eqprop.data.transforms import Dropout, Shift
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.models import Hopfield
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.optimisers import SGD, Optimiser
from smallworld_eqprop.learning.rules import Centred, Rule
from smallworld_eqprop.learning.trainer import Trainer

EPOCHS, BATCHES = 2, 5
CONFIGS = {
    "sor": TrainingConfig.paper(learning_rate=0.1, batch_size=10, nudged_steps=6),
    "euler": TrainingConfig(optimiser=SGD((0.4, 0.2, 0.1)), relaxation=Euler(20), batch_size=10),
}


@dataclass(frozen=True)
class Momentum(Optimiser):
    """Two memories, and a step that depends on its number and on the parameters."""

    rate: float = 0.02

    def init(self, parameters):
        return {"speed": 0 * parameters, "mean": 0 * parameters}

    def step(self, gradient, parameters, memory, t):
        speed = 0.8 * memory["speed"] - self.rate / (1 + 0.1 * t) * gradient
        mean = 0.9 * memory["mean"] + 0.1 * gradient**2
        return speed / (1 + mean) - 1e-3 * parameters, {"speed": speed, "mean": mean}


@dataclass(frozen=True)
class Noisy(Rule):
    """A nudge of a random size."""

    def contrast(self, phases):
        beta = float(phases.generator(0).uniform(0.2, 0.8))
        nudged = phases.nudged(beta, Euler(6))
        return Contrast.between(phases.free.state, nudged, phases.inputs, 1 / beta)


# What else evolves, or draws random numbers, or has another precision.
PARTS = {
    "plain": {},
    "rest": {"start": "rest"},
    "momentum": {"optimiser": Momentum()},
    "noise": {"rule": Noisy()},
    "transform": {"transform": (Shift(1, (2, 4)), Dropout(0.2))},
    "double": {"dtype": np.float64, "optimiser": Momentum()},
    "linear outputs": {"model": Hopfield(-1, 1, linear_outputs=True), "rule": Centred(0.1)},
}
RUNS = [("sor", "plain"), ("euler", "plain"), *(("sor", name) for name in list(PARTS)[1:])]


@pytest.fixture(params=RUNS, ids=" with ".join)
def make_trainer(request, toy, toy_graph, device):
    config, parts = request.param
    config, parts = CONFIGS[config].changed(device=device), dict(PARTS[parts])

    def make():
        own = dict(parts)
        dtype, model = own.pop("dtype", np.float32), own.pop("model", None)
        network = Network(toy_graph, model=model, dtype=dtype, seed=4)
        return Trainer(toy_graph, toy, config.changed(**own), network=network)

    return make


def run(trainer, epochs=EPOCHS):
    while len(trainer.history) < epochs:
        list(trainer.run_epoch())
    return trainer


def assert_same(one, other):
    """Bit for bit, but for the seconds."""
    arrays, others = one.state()[0], other.state()[0]
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        again = others[name]
        assert np.array_equal(array, again), name
        assert array.dtype == again.dtype
    assert one.batch == other.batch
    for first, second in zip(one.history, other.history, strict=True):
        assert repr(replace(first, seconds=0)) == repr(replace(second, seconds=0))


@pytest.fixture(scope="module")
def made():
    """What `undisturbed` and `stops` have made, for all tests of the same parts."""
    return {}


@pytest.fixture
def undisturbed(request, make_trainer, made):
    """A trainer that went through all epochs."""
    key = ("undisturbed", *map(request.node.callspec.params.get, ("make_trainer", "device")))
    if key not in made:
        made[key] = run(make_trainer())
    return made[key]


def stop_of(trainer):
    return *saved(trainer), trainer.running_error, trainer.corrections


@pytest.fixture
def stops(request, make_trainer, made):
    """Checkpoints of a trainer that was stopped before its first batch and after every one."""
    key = ("stops", *map(request.node.callspec.params.get, ("make_trainer", "device")))
    if key not in made:
        trainer = make_trainer()
        made[key] = [stop_of(trainer)]
        while len(made[key]) <= EPOCHS * BATCHES:
            # Where the last batch is done, this finishes the epoch.
            if next(trainer.run_epoch(), None) is not None:
                made[key].append(stop_of(trainer))
    return made[key]


def test_dropping_the_iterator_after_every_batch_changes_nothing(make_trainer, undisturbed):
    interrupted, seen = make_trainer(), []
    for _ in range(EPOCHS * (BATCHES + 1)):
        for record in interrupted.run_epoch():
            seen.append((record.epoch, record.batch))
            break
    assert seen == [(e, b) for e in range(1, EPOCHS + 1) for b in range(BATCHES)]
    assert_same(interrupted, undisturbed)


@pytest.mark.parametrize("batches", range(EPOCHS * BATCHES + 1))
def test_a_checkpoint_after_any_batch_goes_on_as_if_never_stopped(
    make_trainer, undisturbed, stops, batches
):
    arrays, values, running_error, corrections = stops[batches]
    resumed = make_trainer()
    resumed.restore(arrays, values)
    assert resumed.running_error == running_error
    assert np.array_equal(resumed.corrections, corrections)
    assert_same(run(resumed), undisturbed)


def test_validation_goes_on_where_it_stood(toy, toy_graph, device):
    """Particles of the validation examples are part of a checkpoint."""
    config = CONFIGS["sor"].changed(validation=9, batch_size=17, test="end", device=device)
    undisturbed, stopped, resumed = (Trainer(toy_graph, toy, config) for _ in range(3))
    next(run(stopped, 1).run_epoch())
    resumed.restore(*saved(stopped))
    assert_same(run(resumed, 3), run(undisturbed, 3))


def test_two_trainers_do_not_share_what_was_restored(make_trainer, undisturbed):
    first, second = make_trainer(), make_trainer()
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
    dtype = trainer.network.dtype
    assert arrays["weights"].dtype == arrays["biases"].dtype == dtype
    memory = {name for name in arrays if name.startswith("optimiser/")}
    if isinstance(trainer.config.optimiser, Momentum):
        assert memory == {
            f"optimiser/{name}/{kind}"
            for name in ("speed", "mean")
            for kind in ("weights", "biases")
        }
        assert arrays["optimiser/speed/weights"].shape == (toy_graph.n_edges,)
        assert arrays["optimiser/mean/biases"].shape == (16,)
        assert all(arrays[name].any() for name in memory)
        assert all(arrays[name].dtype == dtype for name in memory)
    else:
        assert not memory
    particles = {"train_particles", "test_particles"}
    assert bool(particles & arrays.keys()) == (trainer.config.start == "particles")


def test_a_checkpoint_of_double_precision_is_of_double_precision(toy, toy_graph, device):
    config = CONFIGS["sor"].changed(device=device)

    def make(dtype):
        return Trainer(toy_graph, toy, config, network=Network(toy_graph, dtype=dtype, seed=1))

    arrays, values = saved(run(make(np.float64)))
    assert not np.array_equal(arrays["weights"], arrays["weights"].astype(np.float32))
    resumed = make(np.float64)
    resumed.restore(arrays, values)
    assert np.array_equal(resumed.state()[0]["weights"], arrays["weights"])
