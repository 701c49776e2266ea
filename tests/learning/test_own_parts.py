"""A model, a rule, a loss, an optimiser and a solver of one's own, through the trainer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.models import Model
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.losses import Loss
from smallworld_eqprop.learning.optimisers import Optimiser
from smallworld_eqprop.learning.rules import Rule
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.testing import check_loss, check_model, check_optimiser, check_solver


@dataclass(frozen=True)
class Leaky(Model):
    """Nodes between -1 and 2 that leak."""

    leak: float = 1.5

    def bounds(self, graph):
        return -1.0, 2.0

    def self_term(self, graph):
        return self.leak


@dataclass(frozen=True)
class Damped(Solver):
    """Damped synchronous steps."""

    tolerance: float = 1e-4
    max_sweeps: int = 300
    damping: float = 0.4

    def sweeps(self, circuit, drive, state):
        while True:
            step = circuit.field(state, drive) - state
            state = circuit.clip(state + self.damping * step)
            yield state


@dataclass(frozen=True)
class QuarticError(Loss):
    """Cost that grows with the fourth power."""

    curvature = 3.0

    def cost(self, output, target):
        return ((output - target) ** 4).sum(-1)

    def force(self, output, target):
        return 4 * (target - output) ** 3


@dataclass(frozen=True)
class Two(Rule):
    """The nudge toward the target, and half as much away from it."""

    beta: float = 0.1
    solver: Solver = Damped()

    def contrast(self, phases):
        toward = phases.nudged(self.beta, self.solver)
        away = phases.nudged(-self.beta / 2, self.solver)
        return Contrast.between(away, toward, phases.inputs, 1 / (1.5 * self.beta))


@dataclass(frozen=True)
class HeavyBall(Optimiser):
    """Gradient descent with momentum."""

    rate: float = 0.02
    momentum: float = 0.8

    def init(self, parameters):
        return {"speed": 0 * parameters}

    def step(self, gradient, parameters, memory, t):
        speed = self.momentum * memory["speed"] - self.rate * gradient
        return speed, {"speed": speed}


PARTS = {
    "model": Leaky(),
    "relaxation": Damped(),
    "rule": Two(),
    "loss": QuarticError(),
    "optimiser": HeavyBall(),
}


def trainer(graph, data, device):
    return Trainer(graph, data, TrainingConfig(**PARTS, batch_size=10, device=device))


def finish(found, epochs):
    while len(found.history) < epochs:
        for _ in found.run_epoch():
            pass
    return found.state()


def test_they_learn_and_resume_to_the_bit(toy, toy_graph, device):
    whole, first, second = (trainer(toy_graph, toy, device) for _ in range(3))
    arrays, _ = finish(whole, 30)
    costs = [record.training_cost for record in whole.history]
    assert costs[-1] < costs[0] / 2
    finish(first, 14)
    batches = first.run_epoch()
    for _ in range(2):
        next(batches)
    kept, numbers = first.state()
    second.restore({name: array.copy() for name, array in kept.items()}, numbers)
    again, told = finish(second, 30)
    assert {"optimiser/speed/weights", "optimiser/speed/biases"} <= again.keys()
    for name in arrays:
        np.testing.assert_array_equal(again[name], arrays[name], err_msg=name)
    assert [r["training_cost"] for r in told["history"]] == costs


@pytest.mark.torch
def test_a_checkpoint_changes_engines(toy, toy_graph):
    pytest.importorskip("torch")
    arrays, values = finish(trainer(toy_graph, toy, "numpy"), 3)
    ends = []
    for device in ("numpy", "cpu"):
        found = trainer(toy_graph, toy, device)
        found.restore({name: array.copy() for name, array in arrays.items()}, values)
        ends.append(finish(found, 5)[0])
    for name in ("weights", "biases", "optimiser/speed/weights"):
        np.testing.assert_allclose(ends[1][name], ends[0][name], atol=1e-3)


def test_they_keep_the_contracts():
    check_model(Leaky())
    check_loss(QuarticError())
    check_optimiser(HeavyBall())
    check_solver(Damped(tolerance=1e-6, max_sweeps=2000))
