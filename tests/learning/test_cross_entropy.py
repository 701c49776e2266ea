"""Outputs outside the energy, and the cross-entropy that they are trained by."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from smallworld_eqprop.data.datasets import load
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.models import Hopfield, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sharing import threads
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.sweeps import Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.families import add_rings
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.losses import CrossEntropy, SquaredError
from smallworld_eqprop.learning.optimisers import SGD, Adam
from smallworld_eqprop.learning.rules import Centred, OneSided, Phases
from smallworld_eqprop.learning.trainer import Trainer

SIZES = (5, 8, 6, 3)
GRAPHS = {
    "layered": layered(SIZES),
    "skips": rewire(layered(SIZES), 0.3, seed=1),
    "rings": add_rings(layered(SIZES), 2),
}
MODELS = {
    "hopfield": Hopfield(readout=True),
    "symmetric": Hopfield(-1, 1, readout=True),
    "weak feedback": WeakFeedback(feedback=0.2, readout=True),
    "hops": WeakFeedback(feedback=0.5, depth="hops", readout=True),
}
FREE, NUDGED = Sweeps(500, tolerance=1e-13), Sweeps(500, tolerance=1e-12)


def network(graph, model):
    found = Network(graph, None, None, model, dtype=np.float64, seed=1)
    found.weights = 0.5 * found.weights
    found.biases = np.random.default_rng(0).uniform(0.1, 0.4, found.n_free)
    return found


def examples(found, batch=4):
    rng = np.random.default_rng(2)
    return rng.random((batch, found.n_inputs)), np.eye(3)[rng.integers(0, 3, batch)]


def mean_cost(found, inputs, targets, loss):
    return loss.cost(found.outputs(inputs, FREE), targets).mean()


def test_cost_and_force_are_those_of_the_softmax():
    rng = np.random.default_rng(0)
    output, target = rng.normal(0, 3, (6, 4)), np.eye(4)[rng.integers(0, 4, 6)]
    loss = CrossEntropy()
    expected = -(target * np.log(special.softmax(output, axis=1))).sum(axis=1)
    np.testing.assert_allclose(loss.cost(output, target), expected)
    step = 1e-6 * np.eye(4)
    slope = [(loss.cost(output + d, target) - loss.cost(output - d, target)) / 2e-6 for d in step]
    np.testing.assert_allclose(loss.force(output, target), -np.transpose(slope), atol=1e-8)
    # Logits of several hundreds overflow nothing.
    assert np.isfinite(loss.cost(np.array([[800.0, 0, -800]]), np.eye(3)[:1])).all()


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
@pytest.mark.parametrize("loss", [CrossEntropy(), SquaredError()], ids=["cross-entropy", "square"])
def test_gradients_are_those_of_finite_differences(graph, model, loss):
    found = network(graph, model)
    inputs, targets = examples(found)
    phases = Phases.of(found, inputs, targets, FREE, loss)
    gradient = found.edge_gradient(Centred(1e-4, NUDGED).contrast(phases))
    weights, biases, h = found.weights, found.biases, 1e-6
    for name, values, expected in (
        ("weights", weights, gradient.weights),
        ("biases", biases, gradient.biases),
    ):
        # Some of every block.
        some = np.arange(0, len(values), max(len(values) // 12, 1))
        slopes = np.empty(len(some))
        for k, n in enumerate(some):
            costs = []
            for sign in (1, -1):
                moved = values.copy()
                moved[n] += sign * h
                setattr(found, name, moved)
                costs.append(mean_cost(found, inputs, targets, loss))
            setattr(found, name, values)
            slopes[k] = (costs[0] - costs[1]) / (2 * h)
        np.testing.assert_allclose(expected[some], slopes, atol=2e-6 * np.abs(slopes).max() + 1e-9)


@pytest.mark.parametrize("solver", [SOR(1e-10, 5000), Euler(2000), FREE], ids=["sor", "euler", "s"])
def test_outputs_do_not_act_back(solver):
    """Whatever their weights, the hidden states are the same; the outputs are a linear reading."""
    found = network(GRAPHS["skips"], MODELS["weak feedback"])
    inputs, _ = examples(found)
    before = found.states(inputs, solver)
    to_output = found.graph.layers[found.graph.edges].max(axis=1) == len(SIZES) - 1
    found.weights = np.where(to_output, 7, 1) * found.weights
    after = found.states(inputs, solver)
    hidden = slice(0, found.output.start)
    np.testing.assert_allclose(after[:, hidden], before[:, hidden], atol=1e-6)
    bias = found.biases[found.output]
    np.testing.assert_allclose(
        after[:, found.output] - bias, 7 * (before[:, found.output] - bias), atol=1e-4
    )


def test_one_sided_rule_has_a_bias_of_first_order():
    found = network(GRAPHS["layered"], MODELS["weak feedback"])
    inputs, targets = examples(found)
    phases = Phases.of(found, inputs, targets, FREE, CrossEntropy())
    exact = found.edge_gradient(Centred(1e-4, NUDGED).contrast(phases)).weights
    errors = [
        np.abs(found.edge_gradient(OneSided(beta, NUDGED).contrast(phases)).weights - exact).max()
        for beta in (0.02, 0.01)
    ]
    assert errors[0] / errors[1] == pytest.approx(2, rel=0.1)


RECIPE = TrainingConfig(
    model=WeakFeedback(feedback=0.1, readout=True),
    rule=Centred(0.5, Sweeps(1)),
    loss=CrossEntropy(),
    optimiser=Adam(2e-3),
    relaxation=Sweeps(2),
    start="rest",
)


@pytest.mark.parametrize("p", [0, 0.1])
def test_digits_are_learnt(p):
    graph = rewire(layered((64, 60, 60, 10)), p, seed=0) if p else layered((64, 60, 60, 10))
    trainer = Trainer(graph, load("digits"), RECIPE)
    for _ in range(3):
        list(trainer.run_epoch())
    assert trainer.history[-1].test_error < 0.08


@pytest.mark.parametrize("p", [0, 0.1])
def test_threads_change_last_bits_alone(p):
    """Descent keeps them small; Adam makes whole steps of gradients that are mere rounding."""
    graph = rewire(layered((64, 60, 60, 10)), p, seed=0) if p else layered((64, 60, 60, 10))
    weights = []
    for n in (1, 2):
        trainer = Trainer(graph, load("digits"), RECIPE.changed(optimiser=SGD(0.1)))
        with threads(trainer.network, n):
            for _ in zip(range(5), trainer.run_epoch(), strict=False):
                pass
        weights.append(trainer.network.weights)
    np.testing.assert_allclose(*weights, atol=1e-5)


def test_what_does_not_fit_is_refused_in_one_line():
    with pytest.raises(InputError, match="CrossEntropy needs outputs outside the energy"):
        TrainingConfig(loss=CrossEntropy())
    outputs = np.array([[0, 5], [5, 19], [19, 20], [6, 21]])
    graph = LayeredGraph(SIZES, outputs)
    with pytest.raises(InputError, match="edges between outputs"):
        Network(graph, model=Hopfield(readout=True))
    found = network(GRAPHS["layered"], MODELS["hopfield"])
    phases = Phases.of(found, *examples(found), FREE, CrossEntropy())
    with pytest.raises(InputError, match="outside the energy"):
        Centred(0.1, SOR()).contrast(phases)
    config = TrainingConfig(model=Hopfield(readout=True), loss=CrossEntropy())
    with pytest.raises(InputError, match="CrossEntropy is for classes"):
        Trainer(layered((10, 5, 1)), load("diabetes"), config)
