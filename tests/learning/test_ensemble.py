"""Several networks trained side by side, and runs that change their device."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.data.transforms import Dropout, Shift
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.initial import initial_weights
from smallworld_eqprop.dynamics.models import Hopfield, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.sweeps import Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.clipping import Clipped
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.ensemble import Ensemble
from smallworld_eqprop.learning.optimisers import SGD, Optimiser
from smallworld_eqprop.learning.rules import Centred, OneSided, RandomSign
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.studies.config import RunConfig

SIZES = (8, 7, 6, 3)
# As in tests/conftest.py.
DEVICE = os.environ.get("SMALLWORLD_TORCH_DEVICE", "cpu")
CONFIG = TrainingConfig.paper(learning_rate=0.1, batch_size=10, nudged_steps=6, device=DEVICE)
MEMBERS = [
    (layered(SIZES), {"seed": 0}),
    (rewire(layered(SIZES), 0.3, seed=1), {"seed": 1, "learning_rate": (0.4, 0.2, 0.1)}),
    (add_intralayer(layered(SIZES)), {"seed": 2, "beta": 0.3, "bias_rate": 0.5}),
]

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("torch")]


@dataclass(frozen=True)
class Momentum(Optimiser):
    """The usual one, entry by entry."""

    elementwise: ClassVar[bool] = True
    rate: float = 0.05
    decay: float = 0.7

    def init(self, parameters):
        return {"velocity": 0 * parameters}

    def step(self, gradient, parameters, memory, t):
        velocity = self.decay * memory["velocity"] - self.rate / (1 + 0.1 * t) * gradient
        return velocity, {"velocity": velocity}


@dataclass(frozen=True)
class Normalised(Momentum):
    """Steps over the largest of their array: what others have changes them."""

    elementwise: ClassVar[bool] = False

    def step(self, gradient, parameters, memory, t):
        step, memory = super().step(gradient, parameters, memory, t)
        return step / (1 + abs(gradient).max()), memory


@dataclass(frozen=True)
class Damped(Solver):
    """A solver of somebody else."""

    tolerance: float = 1e-3
    max_sweeps: int = 300

    def sweeps(self, circuit, drive, state):
        while True:
            state = circuit.clip(state + 0.4 * (circuit.field(state, drive) - state))
            yield state


def trainers(toy, **changes):
    return [Trainer(graph, toy, CONFIG.changed(**own).changed(**changes)) for graph, own in MEMBERS]


def learn(trainer, epochs):
    while len(trainer.history) < epochs:
        list(trainer.run_epoch())
    return trainer


def assert_alike(one, other):
    """Equal to the bit, but for the seconds; on a card, which rounds differently, nearly so."""
    if DEVICE != "cpu":
        weights, again = one.network.weights, other.network.weights
        np.testing.assert_allclose(again, weights, atol=0.05)
        return
    for (name, array), again in zip(one.state()[0].items(), other.state()[0].values(), strict=True):
        assert np.array_equal(array, again), name
        assert array.dtype == again.dtype
    first, second = ([replace(r, seconds=0) for r in each.history] for each in (one, other))
    assert repr(first) == repr(second)


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"optimiser": Momentum()},
        {"optimiser": Normalised()},
        {"rule": Centred(0.1)},
        {"rule": Centred(0.1, SOR(1e-4)), "start": "rest"},
        {"rule": OneSided(0.7), "relaxation": Damped()},
        {"rule": Centred(0.1, Sweeps(1)), "relaxation": Sweeps(2), "start": "rest"},
        {"rule": RandomSign(0.5), "model": Hopfield(-1, 1)},
        {"model": WeakFeedback(feedback=0.4)},
        {"model": Hopfield(linear_outputs=True), "optimiser": Momentum()},
        {"optimiser": Clipped(Momentum(), 0.01), "transform": (Shift(1, (2, 4)), Dropout(0.2))},
    ],
    ids=repr,
)
@pytest.mark.parametrize("relaxation", [SOR(), Euler(30)], ids=["sor", "euler"])
def test_together_each_ends_as_it_would_alone(toy, relaxation, parts):
    changes = {"relaxation": relaxation, **parts}
    together = trainers(toy, **changes)
    ensemble = Ensemble(together)
    for epoch in (1, 2):
        seen = list(ensemble.run_epoch())
        assert [[(r.epoch, r.batch) for r in records] for records in seen] == [
            [(epoch, batch)] * 3 for batch in range(5)
        ]
    for trainer, alone in zip(together, trainers(toy, **changes), strict=True):
        assert_alike(trainer, learn(alone, 2))
        assert trainer.history[0].seconds > 0


def test_together_all_have_the_same_validation_examples(toy):
    changes = {"validation": 9, "test": "end", "start": "rest"}
    together = trainers(toy, **changes)
    ensemble = Ensemble(together)
    for last in (False, True):
        assert len(list(ensemble.run_epoch(last=last))) == 4
    for trainer, alone in zip(together, trainers(toy, **changes), strict=True):
        for last in (False, True):
            list(alone.run_epoch(last=last))
        assert_alike(trainer, alone)
        assert trainer.history[1].validation_error >= 0
        assert trainer.history[1].test_error >= 0


def test_a_dropped_epoch_goes_on_and_members_leave_when_they_like(toy):
    together = trainers(toy)
    ensemble = Ensemble(together)
    next(ensemble.run_epoch())
    next(ensemble.run_epoch())
    assert [trainer.batch for trainer in together] == [2, 2, 2]
    list(ensemble.run_epoch())
    # From here on each alone, on the memory it shares with the others.
    for trainer, alone in zip(together, trainers(toy), strict=True):
        assert_alike(learn(trainer, 2), learn(alone, 2))


def test_a_member_restored_is_restored_in_the_ensemble(toy):
    together, other = trainers(toy), learn(trainers(toy)[1], 1)
    ensemble = Ensemble(together)
    for trainer in together:
        trainer.restore(*other.state()) if trainer is together[1] else learn(trainer, 1)
    list(ensemble.run_epoch())
    assert_alike(together[1], learn(other, 2))


def test_members_differ_in_model_optimiser_and_beta(toy):
    def make():
        return [
            Trainer(
                graph,
                toy,
                CONFIG.changed(model=model, optimiser=optimiser, rule=Centred(beta)),
            )
            for (graph, _), model, optimiser, beta in zip(
                MEMBERS,
                (WeakFeedback(feedback=1), WeakFeedback(feedback=0.3), Hopfield()),
                (Momentum(), Momentum(0.1), Normalised()),
                (0.1, 0.2, 0.3),
                strict=True,
            )
        ]

    together = make()
    list(Ensemble(together).run_epoch())
    for trainer, alone in zip(together, make(), strict=True):
        assert_alike(trainer, learn(alone, 1))


def test_a_member_changes_its_recipe_between_epochs(toy):
    together, alone = trainers(toy), trainers(toy)
    ensemble = Ensemble(together)
    list(ensemble.run_epoch())
    for trainers_ in (together, [learn(trainer, 1) for trainer in alone]):
        for trainer in trainers_:
            trainer.change(optimiser=Momentum(), rule=OneSided(0.4))
    for _ in range(2):
        list(ensemble.run_epoch())
    for trainer, other in zip(together, alone, strict=True):
        assert_alike(trainer, learn(other, 3))


def test_many_wide_networks_are_trained_as_each_alone():
    """Sizes at which libraries of products change their ways."""
    rng = np.random.default_rng(0)
    x, y = rng.random((40, 150), np.float32), np.eye(10, dtype=np.float32)[np.arange(40) % 10]
    data = Dataset("noise", "classification", x, y, x[:20], y[:20], sha256={})
    graphs = [rewire(layered((150, 50, 50, 50, 10)), p, seed=1) for p in (0, 0.02, 0.1, 0.5)]

    def make():
        config = CONFIG.changed(batch_size=20, max_sweeps=60)
        return [Trainer(graph, data, config.changed(seed=k)) for k, graph in enumerate(graphs)]

    together = make()
    list(Ensemble(together).run_epoch())
    for trainer, alone in zip(together, make(), strict=True):
        assert_alike(trainer, learn(alone, 1))


@pytest.mark.parametrize("optimiser", [SGD(0.02), SGD(0.02, 0.1), Momentum(0.01), Normalised(0.01)])
@pytest.mark.parametrize(("first", "second"), [("numpy", DEVICE), (DEVICE, "numpy")])
def test_a_checkpoint_goes_on_on_another_device(toy, toy_graph, first, second, optimiser):
    def make(device):
        # Small weights, with one equilibrium only: where there are two, engines may take either.
        network = Network(toy_graph, 0.2 * initial_weights(toy_graph, seed=0))
        config = CONFIG.changed(optimiser=optimiser, device=device, tolerance=1e-6)
        return Trainer(toy_graph, toy, config, network=network)

    trainer, resumed = learn(make(first), 1), make(second)
    next(trainer.run_epoch())
    arrays, values = trainer.state()
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file) as loaded:
        resumed.restore({name: loaded[name] for name in arrays}, values)
    for name, array in resumed.state()[0].items():
        assert np.array_equal(arrays[name], array), name
        assert arrays[name].dtype == array.dtype
    assert ("optimiser/velocity/weights" in arrays) == isinstance(optimiser, Momentum)
    learn(trainer, 2), learn(resumed, 2)
    weights, again = trainer.network.weights, resumed.network.weights
    assert np.abs(again - weights).max() < 0.1 * np.abs(weights - arrays["weights"]).max()


def test_both_engines_learn_the_same_curve(digits):
    """Within what the tolerance leaves open, far below what seeds differ by."""
    graph = rewire(layered((64, 30, 20, 10)), 0.2, seed=0)
    config = CONFIG.changed(learning_rate=0.2, tolerance=1e-5, other_amplitude=0.05)
    curves = [
        [
            record.training_cost
            for record in learn(Trainer(graph, digits, config.changed(**change)), 3).history
        ]
        for change in ({}, {"device": "numpy"}, {"seed": 1})
    ]
    ours, numpys, another = map(np.array, curves)
    assert ours[-1] < ours[0] / 2
    assert np.abs(ours - numpys).max() < np.abs(ours - another).max() / 3


def test_weak_feedback_with_sweeps_trains_on_torch_as_with_numpy():
    """The preset on noise; sweeps leave nothing open, so engines differ by rounding alone.

    Adam makes a whole step of a gradient that is mere rounding, in whichever direction; so single
    weights may differ by as much as they moved, and all together by little.
    """
    rng = np.random.default_rng(0)
    x, y = rng.random((100, 784), np.float32), np.eye(10, dtype=np.float32)[np.arange(100) % 10]
    data = Dataset("noise", "classification", x, y, x[:50], y[:50], sha256={})
    ends = []
    for device in ("numpy", DEVICE):
        config = RunConfig.preset("weak-feedback-3x500", device=device)
        trainer = Trainer(config.topology.build(0), data, config.training)
        before = trainer.network.weights
        ends.append(learn(trainer, 2))
        moved = np.linalg.norm(trainer.network.weights - before)
    weights, again = (trainer.network.weights for trainer in ends)
    assert np.linalg.norm(again - weights) < 0.02 * moved
    one, other = (trainer.history[-1] for trainer in ends)
    assert other.training_cost == pytest.approx(one.training_cost, rel=1e-3)
    assert other.test_cost == pytest.approx(one.test_cost, rel=1e-3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 5}, "batch_size: 5 beside 10; networks trained together may differ in"),
        (
            {"tolerance": 1e-4},
            r"relaxation: SOR\(tolerance=0.0001, .* beside SOR\(tolerance=0.001,",
        ),
        ({"device": "numpy"}, f"device: 'numpy' beside '{DEVICE}'"),
        ({"relaxation": Damped()}, "relaxation: Damped"),
        ({"rule": Centred()}, "rule: "),
        ({"start": "rest"}, "start: 'rest' beside 'particles'"),
        ({"optimiser": Momentum()}, r"optimiser: one remembers \[\], another \['velocity'\]"),
        ({"model": Hopfield(-1, 1)}, "train_particles: torch.float16 beside torch.float32"),
    ],
)
def test_networks_that_differ_in_more_than_they_may_are_refused(toy, changes, message):
    other = Trainer(layered(SIZES), toy, CONFIG.changed(**changes))
    with pytest.raises(InputError, match=message):
        Ensemble([*trainers(toy), other])


def test_what_cannot_be_trained_together(toy, digits):
    with pytest.raises(InputError, match="none given"):
        Ensemble([])
    with pytest.raises(InputError, match="'numpy' trains one network at a time"):
        Ensemble(trainers(toy, device="numpy"))
    with pytest.raises(InputError, match="data: digits beside toy"):
        Ensemble([*trainers(toy), Trainer(layered((64, 10)), digits, CONFIG)])
    with pytest.raises(InputError, match=r"layer_sizes: \(8, 3\) beside \(8, 7, 6, 3\)"):
        Ensemble([*trainers(toy), Trainer(layered((8, 3)), toy, CONFIG)])
    ahead = trainers(toy)
    next(ahead[1].run_epoch())
    with pytest.raises(InputError, match=r"epoch and batch \(1, 1\) beside \(1, 0\)"):
        Ensemble(ahead)
