"""Several networks trained side by side, and runs that change their device."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import add_intralayer, layered
from smallworld_eqprop.graphs.rewiring import rewire
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.ensemble import Ensemble
from smallworld_eqprop.learning.trainer import Trainer

SIZES = (8, 7, 6, 3)
CONFIG = TrainingConfig(learning_rate=0.1, batch_size=10, nudged_steps=6, device="cpu")
MEMBERS = [
    (layered(SIZES), {"seed": 0}),
    (rewire(layered(SIZES), 0.3, seed=1), {"seed": 1, "learning_rate": (0.4, 0.2, 0.1)}),
    (add_intralayer(layered(SIZES)), {"seed": 2, "beta": 0.5, "bias_rate": 0.5}),
]

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def torch():
    return pytest.importorskip("torch")


def trainers(toy, **changes):
    return [Trainer(graph, toy, replace(CONFIG, **own, **changes)) for graph, own in MEMBERS]


def learn(trainer, epochs):
    while len(trainer.history) < epochs:
        list(trainer.run_epoch())
    return trainer


def assert_alike(one, other):
    """Equal but for rounding: the products of a stack are not those of a single matrix."""
    for (name, array), again in zip(one.state()[0].items(), other.state()[0].values(), strict=True):
        # Particles are kept in half precision.
        atol = 2e-3 if "particles" in name else 1e-4
        np.testing.assert_allclose(array, again, atol=atol, err_msg=name)
    for first, second in zip(one.history, other.history, strict=True):
        assert second.training_error == pytest.approx(first.training_error, abs=1.01 / 43)
        assert second.test_error == pytest.approx(first.test_error, abs=1.01 / 21)
        assert second.training_cost == pytest.approx(first.training_cost, rel=1e-3)
        assert second.test_cost == pytest.approx(first.test_cost, rel=1e-3)
        assert second.mean_sweeps == pytest.approx(first.mean_sweeps, abs=0.2)


@pytest.mark.parametrize("relaxation", ["sor", "euler"])
def test_together_each_ends_as_it_would_alone(toy, relaxation):
    changes = {"relaxation": relaxation, "free_steps": 30}
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


@pytest.mark.parametrize(("first", "second"), [("numpy", "cpu"), ("cpu", "numpy")])
def test_a_checkpoint_goes_on_on_another_device(toy, toy_graph, first, second):
    def make(device):
        return Trainer(toy_graph, toy, replace(CONFIG, device=device))

    trainer, resumed = learn(make(first), 1), make(second)
    next(trainer.run_epoch())
    arrays, values = trainer.state()
    file = io.BytesIO()
    np.savez(file, **arrays)
    file.seek(0)
    with np.load(file) as loaded:
        resumed.restore({name: loaded[name] for name in arrays}, values)
    for array, again in zip(arrays.values(), resumed.state()[0].values(), strict=True):
        assert np.array_equal(array, again)
        assert array.dtype == again.dtype
    learn(trainer, 2), learn(resumed, 2)
    np.testing.assert_allclose(
        # Engines may end at different equilibria where there are several.
        resumed.couplings.edge_weights(),
        trainer.couplings.edge_weights(),
        atol=0.15,
    )


def test_both_engines_learn_the_same_curve(digits):
    """Within what the tolerance leaves open, far below what seeds differ by."""
    graph = rewire(layered((64, 30, 20, 10)), 0.2, seed=0)
    config = replace(CONFIG, learning_rate=0.2, tolerance=1e-5, other_amplitude=0.05)
    curves = [
        [
            record.training_cost
            for record in learn(Trainer(graph, digits, replace(config, **change)), 3).history
        ]
        for change in ({}, {"device": "numpy"}, {"seed": 1})
    ]
    ours, numpys, another = map(np.array, curves)
    assert ours[-1] < ours[0] / 2
    assert np.abs(ours - numpys).max() < np.abs(ours - another).max() / 3


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 5}, "batch_size: 5 beside 10; networks trained together may differ in"),
        ({"tolerance": 1e-4}, "tolerance: 0.0001 beside 0.001"),
        ({"device": "numpy"}, "device: 'numpy' beside 'cpu'"),
    ],
)
def test_networks_that_differ_in_more_than_they_may_are_refused(toy, changes, message):
    other = Trainer(layered(SIZES), toy, replace(CONFIG, **changes))
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
