"""Resistive networks: voltages against Kirchhoff's laws, gradients, inputs of both signs."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy import sparse
from scipy.optimize import lsq_linear

from smallworld_eqprop.dynamics import SOR, Network, Resistive, Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning import (
    SGD,
    Adam,
    Adjoint,
    Centred,
    EqPropClassifier,
    OneSided,
    Phases,
    SquaredError,
    Trainer,
    TrainingConfig,
)
from smallworld_eqprop.testing import check_model

GRAPHS = {
    "layered": layered((8, 9, 7, 3)),
    "no hidden layer": layered((8, 3)),
    "rewired": rewire(layered((8, 9, 7, 3)), 0.3, seed=1),
    "intralayer": rewire(add_intralayer(layered((8, 9, 7, 3))), 0.2, seed=1),
}
MODEL = Resistive(gain=5.0, smallest=1e-3)
EXACT = SOR(1e-13, 20_000)


def made(graph, model=MODEL, dtype=np.float64):
    """Conductances and currents of every size, and four examples of four features."""
    rng = np.random.default_rng(3)
    network = Network(graph, model=model, dtype=dtype, seed=rng)
    network.biases = rng.normal(0, 0.5, network.n_free)
    return network, rng.uniform(-1, 1, (4, 4)).astype(dtype)


# --- voltages ----------------------------------------------------------------------------------


@pytest.mark.parametrize("solver", [EXACT, Sweeps(20_000, 1e-13)], ids=["sor", "sweeps"])
@pytest.mark.parametrize("name", GRAPHS)
def test_voltages_dissipate_the_least_power(name, solver):
    network, features = made(GRAPHS[name])
    found = network.states(features, solver)
    n = network.n_inputs
    low, high = network.circuit.low, network.circuit.high
    u, v = network.graph.edges.T
    fall = np.zeros((len(u), network.graph.n_nodes))
    fall[np.arange(len(u)), u], fall[np.arange(len(u)), v] = 1, -1
    fall *= np.sqrt(network.weights)[:, None]
    # A current b adds -b v: the squares of R v - R^-T b add it, with R of the power itself.
    root = np.linalg.cholesky(fall[:, n:].T @ fall[:, n:]).T
    for state, x in zip(found, features, strict=True):
        sources = np.concatenate((5 * x, -5 * x))
        goal = np.linalg.solve(root.T, network.biases - fall[:, n:].T @ fall[:, :n] @ sources)
        expected = lsq_linear(root, goal, (low, high), method="bvls", tol=1e-15).x
        np.testing.assert_allclose(state, expected, atol=1e-8)
    hidden = found[:, : -network.graph.layer_sizes[-1]]
    if hidden.size:
        assert 0.1 < (hidden == 0).mean() < 0.9  # some diodes conduct, some do not


@pytest.mark.parametrize("diodes", ["alternating", "positive", "negative", "none"])
def test_currents_cancel_and_diodes_conduct_one_way(diodes):
    network, features = made(
        GRAPHS["intralayer"], dataclasses.replace(MODEL, diodes=diodes, leak=0.1)
    )
    state = network.states(features, EXACT)
    both = np.hstack((MODEL.clamped(features), state))
    conductance = network.to_sparse().toarray()
    currents = both @ conductance - both * conductance.sum(axis=0)
    into = currents[:, 8:] + network.biases - 0.1 * state
    hidden = slice(0, -3)
    turns = np.r_[np.arange(9) % 2, np.arange(7) % 2]
    sign = {"alternating": 1 - 2 * turns, "positive": 1, "negative": -1, "none": 0}[diodes]
    sign = np.broadcast_to(sign, turns.shape)
    assert (sign * state[:, hidden] >= 0).all()
    blocked = np.hstack((state[:, hidden] == 0, np.zeros((4, 3), bool)))
    np.testing.assert_allclose(into[~blocked], 0, atol=1e-9)
    # What a diode carries away pulls the node toward the side that is not allowed.
    assert (sign * into[:, hidden] <= 1e-9)[blocked[:, hidden]].all()
    assert blocked.any() == (diodes != "none")


def test_a_voltage_divider():
    network = Network(layered((2, 1)), [3.0, 1.0], [0.5], Resistive(gain=4), dtype=np.float64)
    # (3 * 4x - 1 * 4x + 0.5) / (3 + 1)
    found = network.states([[0.5], [-1.0]], EXACT)
    np.testing.assert_allclose(found, [[1.125], [-1.875]], atol=1e-7)


# --- gradients ---------------------------------------------------------------------------------


def cost_of(network, features, targets):
    outputs = network.states(features, EXACT)[:, network.output]
    return SquaredError().cost(outputs, targets).mean()


def slopes(network, features, targets, name, step=1e-6):
    values = getattr(network, name)
    for n in range(len(values)):
        costs = []
        for sign in (1, -1):
            moved = values.copy()
            moved[n] += sign * step
            setattr(network, name, moved)
            costs.append(cost_of(network, features, targets))
        setattr(network, name, values)
        yield (costs[0] - costs[1]) / (2 * step)


@pytest.mark.parametrize("name", GRAPHS)
def test_gradients_against_finite_differences(name):
    network, features = made(GRAPHS[name])
    network.weights = network.weights + 0.01  # so that a step down is allowed
    targets = np.random.default_rng(4).uniform(0, 1, (4, 3))
    expected = [
        np.array(list(slopes(network, features, targets, each))) for each in ("weights", "biases")
    ]
    phases = Phases.of(network, MODEL.clamped(features), targets, EXACT)
    for rule, error in (
        (Adjoint(), 1e-5),
        (Centred(3e-4, EXACT), 1e-4),
        (Centred(3e-4, Sweeps(2000, 1e-12)), 1e-4),
        (OneSided(3e-5, EXACT), 5e-3),
    ):
        found = network.edge_gradient(rule.contrast(phases))
        for one, other in zip((found.weights, found.biases), expected, strict=True):
            assert np.linalg.norm(one - other) < error * np.linalg.norm(other), rule


def test_the_contract_of_models():
    check_model(Resistive(leak=0.2))


def test_single_precision_loses_little_at_a_large_gain():
    graph, model = layered((8, 20, 3)), Resistive(gain=480)
    found = []
    for dtype in (np.float32, np.float64):
        network, features = made(graph, model, dtype)
        targets = np.eye(3, dtype=dtype)[[0, 1, 2, 0]]
        phases = Phases.of(network, model.clamped(features), targets, Sweeps(30))
        found.append(network.edge_gradient(Centred(0.1, Sweeps(30)).contrast(phases)).weights)
    assert np.linalg.norm(found[0] - found[1]) < 1e-4 * np.linalg.norm(found[1])


# --- inputs ------------------------------------------------------------------------------------


def test_features_are_held_with_both_signs(torch):
    x = np.array([[0.5, -0.25], [1, 0]], np.float32)
    expected = 8 * np.array([[0.5, -0.25, -0.5, 0.25], [1, 0, -1, 0]], np.float32)
    for found in (Resistive(gain=8).clamped(x), Resistive(gain=8).clamped(torch.tensor(x)).numpy()):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32
    np.testing.assert_array_equal(Resistive(gain=8, doubled=False).clamped(x), expected[:, :2])
    assert x[0, 0] == 0.5


def doubled(data):
    def both(x):
        return np.hstack((x, -x))

    return dataclasses.replace(data, x_train=both(data.x_train), x_test=both(data.x_test))


@pytest.mark.parametrize("optimiser", [SGD(0.05), Adam(1e-3)], ids=["sgd", "adam"])
def test_training_is_that_with_inputs_doubled_by_hand(toy, optimiser, device):
    graph = rewire(layered((16, 9, 3)), 0.2, seed=1)
    found = []
    for model, data in ((Resistive(), toy), (Resistive(doubled=False), doubled(toy))):
        config = TrainingConfig(
            model=model, rule=Centred(0.1, Sweeps(4)), optimiser=optimiser, relaxation=Sweeps(8),
            start="rest", batch_size=10, device=device,
        )  # fmt: skip
        trainer = Trainer(graph, data, config)
        before = trainer.evaluate()
        for _ in range(2):
            for _ in trainer.run_epoch():
                pass
        found.append((trainer.network.weights, trainer.history[-1].test_cost))
        assert trainer.history[-1].test_cost < before[1]
    np.testing.assert_array_equal(found[0][0], found[1][0])
    assert found[0][1] == found[1][1]
    assert found[0][0].min() == np.float32(1e-5)  # some conductances are at their limit


def test_an_estimator_with_dense_and_sparse_features(toy):
    model = EqPropClassifier(
        (12,), model=Resistive(gain=20), loss=SquaredError(), rule=Centred(0.1, Sweeps(4)),
        relaxation=Sweeps(20, 1e-4), max_iter=10, learning_rate=3e-3, random_state=0,
    )  # fmt: skip
    labels = toy.y_train.argmax(axis=1)
    assert model.fit(toy.x_train, labels).score(toy.x_test, toy.y_test.argmax(axis=1)) > 0.8
    assert model.graph_.layer_sizes == (16, 12, 3)
    some = np.where(toy.x_train > 0.4, toy.x_train, 0)
    dense = model.fit(some, labels).predict_proba(some)
    thin = model.fit(sparse.csr_array(some), labels).predict_proba(sparse.csr_array(some))
    np.testing.assert_allclose(thin, dense, atol=1e-3)


# --- refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gain": 0}, "gain: 0, must be finite and above 0"),
        ({"smallest": -1.0}, "smallest: -1.0, must be finite and above 0"),
        ({"leak": -0.1}, "leak: -0.1, must be finite and at least 0"),
        ({"diodes": "some"}, "diodes: 'some', allowed: alternating, positive, negative, none"),
    ],
)
def test_values_out_of_range(values, message):
    with pytest.raises(InputError, match=rf"^{message}$"):
        Resistive(**values)


def test_open_voltages():
    graph = LayeredGraph((2, 3, 1), [(0, 2), (1, 2), (2, 5), (3, 4)])
    told = "^leak: 0, but 2 of 4 free nodes have no path to an input, the first is node 3, so"
    with pytest.raises(InputError, match=told):
        Network(graph, model=Resistive())
    assert Network(graph, model=Resistive(leak=0.1)).states([[1.0]]).shape == (1, 4)


def test_conductances_below_the_smallest():
    network, _ = made(GRAPHS["layered"])
    with pytest.raises(InputError, match=r"^weights: -0.1 on edge 0, must be from 0.00100"):
        network.weights = np.full(network.graph.n_edges, -0.1)


def test_a_graph_with_too_few_inputs(toy):
    with pytest.raises(InputError, match=r"^layer_sizes: input layer of 8 nodes, but toy needs 16"):
        Trainer(layered((8, 5, 3)), toy, TrainingConfig(model=Resistive()))
    network, features = made(GRAPHS["layered"])
    with pytest.raises(InputError, match=r"features for 8 input nodes, 6 here"):
        network.states(features[:, :3])


def test_outputs_are_never_outside_the_energy(toy):
    with pytest.raises(TypeError, match="readout"):
        Resistive(readout=True)
