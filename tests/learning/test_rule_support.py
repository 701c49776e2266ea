"""What docs/rules.md says that goes together does, and the rest is refused in one line."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.models import Hopfield, Resistive, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.sweeps import Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.config import SLOTS, TrainingConfig
from smallworld_eqprop.learning.ensemble import Ensemble
from smallworld_eqprop.learning.losses import CrossEntropy
from smallworld_eqprop.learning.optimisers import SGD
from smallworld_eqprop.learning.rules import (
    Adjoint,
    Centred,
    Contrastive,
    Coupled,
    OneSided,
    RandomSign,
    ReadoutOnly,
    Rule,
)
from smallworld_eqprop.learning.trainer import Trainer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules.md"
SIZES = (4, 5, 4, 3)


def without_layers():
    pairs = [(u, v) for u, v in itertools.combinations(range(13), 2) if v > 3 and (u + 2 * v) % 3]
    return LayeredGraph((4, 6, 3), pairs)


GRAPHS = {
    "layered": layered(SIZES),
    "skips": rewire(layered(SIZES), 0.3, seed=1),
    "intralayer": add_intralayer(layered(SIZES)),
    "no layers": without_layers(),
}
MODELS = {
    "between 0 and 1": Hopfield(),
    "between -1 and 1": Hopfield(-1, 1),
    "linear outputs": Hopfield(linear_outputs=True),
    "weak feedback by layers": WeakFeedback(feedback=0.3, linear_outputs=True),
    "weak feedback by hops": WeakFeedback(feedback=0.3, depth="hops"),
    "resistors": Resistive(gain=10, doubled=False, leak=0.5),
}
READOUTS = [Hopfield(readout=True), WeakFeedback(feedback=0.3, readout=True)]
SOLVERS = {"sor": SOR(1e-5), "euler": Euler(60), "sweeps": Sweeps(6)}
RULES = {
    "one-sided": lambda solver: OneSided(0.1, solver),
    "random-sign": lambda solver: RandomSign(0.1, solver),
    "centred": lambda solver: Centred(0.2, solver),
    "contrastive": Contrastive,
    "coupled": lambda solver: Coupled(0.3, solver),
    "adjoint": lambda solver: Adjoint(),
    "readout-only": lambda solver: ReadoutOnly(Centred(0.2, solver)),
}
ENGINES = ("NumPy", "torch")


def table():
    """Cells of the table, by kind of rule and by column."""
    text = (
        PAGE.read_text(encoding="utf-8")
        .partition("## Allowed combinations")[2]
        .partition("\n## ")[0]
    )
    rows = [line.strip("|").split("|") for line in re.findall(r"^\|.*\|$", text, re.M)]
    head, _, *body = ([cell.strip().replace("`", "") for cell in row] for row in rows)
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in body}


TABLE = table()


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(0)
    x = rng.random((6, 4)).astype(np.float32)
    y = np.eye(3, dtype=np.float32)[np.arange(6) % 3]
    return Dataset("toy", "classification", x, y, x, y, sha256={})


def trainer(data, graph, model, rule, solver, device, seed=0, **parts):
    """Weights so small that the energy is convex."""
    network = Network(graph, model=model, seed=seed)
    inner = (network.graph.edges >= 4).all(axis=1)
    sums = np.bincount(graph.edges[inner].ravel(), np.repeat(np.abs(network.weights[inner]), 2))
    network.weights = np.clip(0.8 * network.weights / sums.max(), *model.limits(graph))
    network.biases = np.full(network.n_free, 0.4)
    config = TrainingConfig(
        model=model, rule=rule, relaxation=solver, device=device, seed=seed, batch_size=6,
        start="rest", optimiser=SGD(0.01), **parts,
    )  # fmt: skip
    return Trainer(graph, data, config, network=network)


def train(found):
    """A step of a trainer, which is to lower the cost."""
    before = found.evaluate()[1]
    for _ in found.run_epoch():
        pass
    assert found.history[-1].test_cost < before
    assert found.history[-1].unconverged == 0


def test_the_table_has_every_rule_of_the_package():
    kinds = next(slot.kinds for slot in SLOTS if slot.base is Rule)
    assert set(TABLE) == set(RULES) == set(kinds)
    for columns in TABLE.values():
        assert set(columns) == {*SOLVERS, *ENGINES, "stacks", "readout"}
    for kind, make in RULES.items():
        assert isinstance(make(SOR()), kinds[kind])


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", RULES)
def test_every_graph_and_model_goes_with_it(data, kind, solver, device):
    engine = "NumPy" if device == "numpy" else "torch"
    assert TABLE[kind][solver] == TABLE[kind][engine] == "yes"
    rule = RULES[kind](SOLVERS[solver])
    for graph, model in itertools.product(GRAPHS.values(), MODELS.values()):
        train(trainer(data, graph, model, rule, SOLVERS[solver], device))


@pytest.mark.torch
@pytest.mark.parametrize("kind", RULES)
def test_stacks_of_networks_go_with_it(data, kind, torch_device):
    assert TABLE[kind]["stacks"] == "yes"
    for solver in SOLVERS.values():
        arguments = MODELS["weak feedback by hops"], RULES[kind](solver), solver, torch_device
        members = [trainer(data, GRAPHS["skips"], *arguments, seed=seed) for seed in (0, 1)]
        before = [each.evaluate()[1] for each in members]
        for _ in Ensemble(members).run_epoch():
            pass
        for each, cost in zip(members, before, strict=True):
            assert each.history[-1].test_cost < cost


@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("kind", RULES)
def test_outputs_outside_the_energy_go_with_it_or_are_refused(data, kind, solver, device):
    works = TABLE[kind]["readout"] in ("yes", solver)
    rule = RULES[kind](SOLVERS[solver])
    for graph, model in itertools.product((GRAPHS["layered"], GRAPHS["skips"]), READOUTS):
        found = trainer(data, graph, model, rule, SOLVERS[solver], device, loss=CrossEntropy())
        if works:
            train(found)
            continue
        with pytest.raises(InputError, match=r"^rule: the outputs of this model are outside"):
            train(found)
