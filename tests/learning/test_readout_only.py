"""The reservoir control: what does not end at the outputs stays as it was, to the bit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from smallworld_eqprop.dynamics.contrast import Group
from smallworld_eqprop.dynamics.models import WeakFeedback
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.learning.clipping import Clipped
from smallworld_eqprop.learning.config import SLOTS, TrainingConfig
from smallworld_eqprop.learning.ensemble import Ensemble
from smallworld_eqprop.learning.optimisers import SGD, Adam, Momentum
from smallworld_eqprop.learning.rules import Centred, Contrastive, OneSided, ReadoutOnly, Rule
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.specs import read_spec, write_spec

RULE = Centred(0.2, SOR(1e-4))
OPTIMISERS = {
    "sgd": SGD(0.1),
    "by layer": SGD((0.1, 0.2, 0.3), bias_rate=0.4),
    "momentum": Momentum(0.05),
    "adam": Adam(0.01),
    "decay": Adam(0.01, decay=0.5),
    "clipped": Clipped(Adam(0.01, decay=0.5), norm=0.1),
}
MODELS = {"paper": TrainingConfig.model, "weak feedback": WeakFeedback(feedback=0.3)}


def ends_at_outputs(graph):
    """Which weights and which biases learn."""
    first = graph.n_nodes - graph.layer_sizes[-1]
    return (graph.edges >= first).any(axis=1), np.arange(
        graph.layer_sizes[0], graph.n_nodes
    ) >= first


def trained(graph, data, epochs=1, **parts):
    config = TrainingConfig(**{"rule": ReadoutOnly(RULE), "batch_size": 10} | parts)
    trainer = Trainer(graph, data, config)
    before = trainer.network.weights, trainer.network.biases
    for _ in range(epochs):
        for _batch in trainer.run_epoch():
            pass
    return trainer, before, (trainer.network.weights, trainer.network.biases)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("optimiser", OPTIMISERS)
def test_only_what_ends_at_the_outputs_moves(toy, toy_graph, optimiser, model, device):
    parts = {"optimiser": OPTIMISERS[optimiser], "model": MODELS[model], "device": device}
    _, before, after = trained(toy_graph, toy, **parts)
    for old, new, learns in zip(before, after, ends_at_outputs(toy_graph), strict=True):
        np.testing.assert_array_equal(new[~learns], old[~learns])
        assert (new[learns] != old[learns]).mean() > 0.3
        assert not learns.all()


def test_graphs_whose_signs_and_weights_are_fixed_keep_both(toy, toy_graph, device):
    rng = np.random.default_rng(0)
    fixed = rng.random(toy_graph.n_edges) < 0.3
    data = {"trainable": ~fixed, "sign": np.ones(len(fixed), np.int8)}
    graph = replace(toy_graph, edge_data=data)
    optimiser = Adam(0.01, decay=0.5)
    _, before, after = trained(graph, toy, optimiser=optimiser, device=device)
    learns = ends_at_outputs(graph)[0] & ~fixed
    np.testing.assert_array_equal(after[0][~learns], before[0][~learns])
    assert (after[0] >= 0).all()
    assert (after[0][learns] != before[0][learns]).mean() > 0.5


def test_the_outputs_learn_as_under_the_rule_itself(toy, toy_graph, device):
    # One batch, so that nothing else has changed yet.
    parts = {"optimiser": SGD(0.1), "batch_size": 43, "device": device}
    _, _, alone = trained(toy_graph, toy, **parts)
    _, _, whole = trained(toy_graph, toy, rule=RULE, **parts)
    for one, other, learns in zip(alone, whole, ends_at_outputs(toy_graph), strict=True):
        np.testing.assert_array_equal(one[learns], other[learns])
        assert (one[~learns] != other[~learns]).any()


def test_a_norm_that_is_clipped_is_that_of_what_learns(toy, toy_graph):
    """What the rule finds for frozen weights must not shorten the step of the others."""
    steps = {}
    for norm in (1e-3, 2e-3):
        optimiser = Clipped(SGD(1.0), norm=norm)
        _, before, after = trained(toy_graph, toy, optimiser=optimiser, batch_size=43)
        moved = np.concatenate([new - old for new, old in zip(after, before, strict=True)])
        steps[norm] = np.linalg.norm(moved.astype(float))
    assert steps[1e-3] == pytest.approx(1e-3, rel=1e-3)
    assert steps[2e-3] == pytest.approx(2e-3, rel=1e-3)


def test_it_lowers_the_cost_and_the_whole_rule_lowers_it_further(digits):
    graph = layered((64, 20, 15, 10))
    model = WeakFeedback(feedback=0.3, linear_outputs=True)
    parts = {"optimiser": Adam(3e-3), "epochs": 4, "model": model}
    alone, whole = (trained(graph, digits, rule=r, **parts)[0] for r in (ReadoutOnly(RULE), RULE))
    assert alone.history[-1].training_cost < 0.9 * alone.history[0].training_cost
    assert whole.history[-1].training_cost < 0.9 * alone.history[-1].training_cost


def test_what_was_frozen_learns_when_the_rule_is_changed(toy, toy_graph):
    trainer, before, _ = trained(toy_graph, toy, optimiser=Adam(0.01))
    trainer.change(rule=RULE)
    for _batch in trainer.run_epoch():
        pass
    frozen = ~ends_at_outputs(toy_graph)[0]
    assert (trainer.network.weights[frozen] != before[0][frozen]).mean() > 0.3


@pytest.mark.torch
def test_a_stack_freezes_every_member(toy, toy_graph):
    pytest.importorskip("torch")
    parts = {"rule": ReadoutOnly(RULE), "optimiser": Adam(0.01, decay=0.5), "batch_size": 10}
    configs = [TrainingConfig(device="cpu", seed=seed, **parts) for seed in (0, 1)]
    trainers = [Trainer(toy_graph, toy, config) for config in configs]
    before = [each.network.weights for each in trainers]
    for _batch in Ensemble(trainers).run_epoch():
        pass
    learns = ends_at_outputs(toy_graph)[0]
    for trainer, old in zip(trainers, before, strict=True):
        np.testing.assert_array_equal(trainer.network.weights[~learns], old[~learns])
        assert (trainer.network.weights[learns] != old[learns]).all()


def test_a_rule_of_ones_own_says_what_it_trains(toy, toy_graph):
    class Biases(Centred):
        def trains(self, group, n_layers):
            return group.kind == "biases"

    _, before, after = trained(toy_graph, toy, rule=Biases(0.2))
    np.testing.assert_array_equal(after[0], before[0])
    assert (after[1] != before[1]).mean() > 0.5
    # Within the control only biases of the outputs are left.
    both = ReadoutOnly(Biases(0.2))
    groups = [Group(kind, layer) for kind in ("weights", "biases") for layer in (1, 2, 3)]
    assert [both.trains(each, 4) for each in groups] == [False] * 5 + [True]


@pytest.mark.parametrize("inner", [Contrastive(), OneSided(0.3), ReadoutOnly(Centred(0.1))])
def test_it_is_written_with_the_rule_inside(inner):
    slot = next(slot for slot in SLOTS if slot.base is Rule)
    table = write_spec(slot, ReadoutOnly(inner), SLOTS)
    assert table == {"kind": "readout-only", "rule": write_spec(slot, inner, SLOTS)}
    assert read_spec(slot, table, SLOTS) == ReadoutOnly(inner)


def test_what_is_no_rule_is_refused():
    with pytest.raises(InputError, match=r"^rule: SGD\(.*must be a Rule$"):
        ReadoutOnly(SGD())
