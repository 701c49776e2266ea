"""The contracts that ship with the package hold for its own objects, and can fail."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from smallworld_eqprop.data.transforms import Transform
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.learning.losses import SquaredError
from smallworld_eqprop.learning.optimisers import SGD, Optimiser
from smallworld_eqprop.learning.rules import Adjoint, Centred, OneSided, RandomSign, Rule
from smallworld_eqprop.testing import (
    check_loss,
    check_model,
    check_optimiser,
    check_rule,
    check_solver,
    check_transform,
)


@dataclass(frozen=True)
class Conductances(Model):
    """Edges see differences, and add to the self-terms of their ends."""

    smallest: float = 0.05
    sees = "difference"

    def bounds(self, graph):
        return 0.0, np.inf

    def self_term(self, graph):
        return 0.1

    def bias_scale(self, graph):
        return 1.0

    def limits(self, graph):
        return self.smallest, np.inf


SETTLED = SOR(tolerance=1e-12, max_sweeps=20_000)


@pytest.mark.parametrize(
    "model",
    [
        Hopfield(),
        Hopfield(-1, 1),
        Hopfield(linear_outputs=True),
        WeakFeedback(feedback=0.3),
        WeakFeedback(-1, 1, linear_outputs=True, feedback=0.2),
        Conductances(),
    ],
    ids=repr,
)
def test_models_keep_their_contract(model):
    check_model(model)


@pytest.mark.parametrize(
    ("rule", "error"),
    [
        (Adjoint(), 1e-5),
        (Centred(1e-3, SETTLED), 1e-4),
        (OneSided(1e-3, SETTLED), 1e-2),
        (RandomSign(1e-3, SETTLED), 1e-2),
        (OneSided(1e-3, Euler(300)), 1e-2),
    ],
)
def test_rules_keep_their_contract(rule, error):
    check_rule(rule, error=error)


def test_others_keep_their_contract():
    check_loss(SquaredError())
    check_optimiser(SGD(0.05))
    check_optimiser(SGD((0.05, 0.01), bias_rate=0.3).of(BIASES))
    for solver in (SOR(), SOR(tolerance=1e-9), Euler(300)):
        check_solver(solver)


class BIASES:
    kind, layer = "biases", 1


@dataclass(frozen=True)
class Nothing(Rule, Optimiser, Solver, Model):
    """Does nothing, as every kind of object."""

    curvature = 2.0

    def edge_scale(self, graph, edges):
        return 0.0

    def contrast(self, phases):
        zero = np.zeros_like(phases.free.state)
        return Contrast(zero, phases.free.state, phases.inputs, 1.0)

    def cost(self, output, target):
        return 0 * (output - target).sum(-1)

    def force(self, output, target):
        return 0 * output

    def step(self, gradient, parameters, memory, t):
        return 0 * gradient, memory

    def sweeps(self, circuit, drive, state):
        while True:
            yield state


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (check_model, "no weight has any effect"),
        (check_rule, "of its length from finite differences"),
        (check_loss, "pulls at nothing"),
        (check_optimiser, "lead nowhere"),
        (check_solver, "too few sweeps"),
    ],
)
def test_doing_nothing_breaks_every_contract(check, problem):
    with pytest.raises(AssertionError, match=problem):
        check(Nothing())


def test_a_transform_that_does_nothing_or_wrong_breaks_its_contract():
    class Made(Transform):
        def __init__(self, make):
            self.apply = make

    for make, problem in (
        (lambda inputs, generator: inputs, "changes no input"),
        (lambda inputs, generator: inputs[:, 1:], "gives another shape"),
        (lambda inputs, generator: np.float64(2) * inputs.astype(float), "gives float64"),
        (lambda inputs, generator: inputs / 0, "not finite"),
        (lambda inputs, generator: np.multiply(inputs, 2, out=inputs), "changes what it is given"),
        (
            lambda inputs, generator: inputs * np.random.default_rng().random(),
            "draws from more than the generator",
        ),
    ):
        with np.errstate(divide="ignore"), pytest.raises(AssertionError, match=problem):
            check_transform(Made(make))


@dataclass(frozen=True)
class Wrong(Nothing):
    """Does something, and that wrong."""

    def force(self, output, target):
        return output - target

    def cost(self, output, target):
        return ((output - target) ** 2).sum(-1)

    def contrast(self, phases):
        free = phases.free.state
        return Contrast(np.ones_like(free), free, phases.inputs, 1.0)

    def init(self, parameters):
        return {"count": np.zeros_like(parameters)}

    def step(self, gradient, parameters, memory, t):
        memory["count"] += 1
        return -0.1 * gradient, memory


@pytest.mark.parametrize(
    ("check", "problem"),
    [
        (check_rule, "of its length from finite differences"),
        (check_loss, "but the cost falls by"),
        (check_optimiser, "changes memory 'count'"),
    ],
)
def test_doing_wrong_breaks_a_contract(check, problem):
    with pytest.raises(AssertionError, match=problem):
        check(Wrong())
