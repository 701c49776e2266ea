"""What torch has beside NumPy: the same numbers, and stacks of networks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from smallworld_eqprop.dynamics import devices
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

SIZES = (8, 20, 15, 4)
NO_LAYERS = [(u, v) for u in range(30) for v in range(u + 1, 30) if (7 * u + 5 * v) % 11 < 3]
GRAPHS = {
    "layered": layered(SIZES),
    "skips": rewire(layered(SIZES), 0.4, seed=1),
    "intralayer": add_intralayer(layered(SIZES)),
    "no layers": LayeredGraph((6, 20, 4), np.array(NO_LAYERS)),
    "no hidden layer": layered((5, 3)),
}


@dataclass(frozen=True)
class Conductances(Model):
    """A resistor at every edge, a leak at every node."""

    sees: ClassVar = "difference"

    def bounds(self, graph):
        return -np.inf, np.linspace(0.5, 1.0, graph.n_nodes - graph.layer_sizes[0])

    def self_term(self, graph):
        return 0.25

    def edge_scale(self, graph, edges):
        return 1 + 0.5 * (edges.sum(axis=1) % 3)

    def limits(self, graph):
        return 0.01, 2.0

    def initial(self, graph, seed):
        return np.random.default_rng(seed).uniform(0.05, 0.4, graph.n_edges)


MODELS = {
    "hopfield": Hopfield(),
    "between -1 and 1": Hopfield(-1, 1),
    "linear outputs": Hopfield(linear_outputs=True),
    "weak feedback by layers": WeakFeedback(feedback=0.3),
    "weak feedback by hops": WeakFeedback(-1, 1, feedback=0.5, depth="hops"),
    "conductances": Conductances(),
}


@pytest.fixture
def kind(torch_device):
    """Makes networks on the device of the tests."""
    from smallworld_eqprop.dynamics.torch_network import TorchNetwork

    return partial(TorchNetwork, device=torch_device)


def pair(kind, graph, model, dtype=np.float64, seed=1):
    """The same network twice: with NumPy and on torch."""
    network = Network(graph, model=model, dtype=dtype, seed=seed)
    network.biases = np.random.default_rng(seed).normal(0, 0.3, network.n_free)
    return network, on_torch(kind, network)


def on_torch(kind, network):
    parts = network.graph, network.weights, network.biases, network.model
    return kind(*parts, dtype=network.dtype)


def contrasts(network, ours, batch=5, seed=0):
    """The same contrast twice."""
    rng = np.random.default_rng(seed)
    states = rng.random((2, batch, network.n_free)).astype(network.dtype)
    inputs = rng.random((batch, network.n_inputs)).astype(network.dtype)
    found = Contrast.between(*states, inputs, -2.5)
    arrays = (found.deviation, found.midpoint, found.inputs)
    return found, Contrast(*(ours.backend.array(a)[None] for a in arrays), -2.5)


def assert_same(one, other, atol=1e-12):
    np.testing.assert_allclose(other.weights, one.weights, atol=atol)
    np.testing.assert_allclose(other.biases, one.biases, atol=atol)


ANY = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
EVERY = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


@pytest.mark.torch
@EVERY
@ANY
def test_gradients_and_steps_are_those_of_numpy(kind, graph, model):
    network, ours = pair(kind, graph, model)
    assert_same(network, ours, 0)
    theirs, contrast = contrasts(network, ours)
    assert_same(network.edge_gradient(theirs), ours.edge_gradient(contrast))
    free = [edge for edge in graph.edges if edge[1] >= network.n_inputs]
    pairs = np.array([*free, (network.n_inputs, network.n_inputs + 1)])
    for raw in (False, True):
        np.testing.assert_allclose(
            ours.pair_gradient(contrast, pairs, raw=raw),
            network.pair_gradient(theirs, pairs, raw=raw),
            atol=1e-12,
        )
    rates = np.array([0.1, 0.2, 0.3])[: graph.n_layers - 1]
    first = network.descend(theirs, rates, rates / 2)
    (again,) = ours.descend(contrast, rates[None], rates[None] / 2)
    np.testing.assert_allclose(again, first, atol=1e-12)
    assert_same(network, ours)
    second = network.add([0.1 * g for g in network.gradient(theirs)])
    (again,) = ours.add([0.1 * g for g in ours.gradient(contrast)])
    np.testing.assert_allclose(again, second, atol=1e-12)
    assert_same(network, ours)
    assert [b.name for b in ours.blocks] == [b.name for b in network.blocks]


@pytest.mark.torch
@EVERY
@ANY
def test_descent_in_one_pass_is_the_gradient_added(kind, graph, model):
    network, ours = pair(kind, graph, model)
    other = on_torch(kind, network)
    _, contrast = contrasts(network, ours)
    rates = np.array([[0.1, 0.2, 0.3]])[:, : graph.n_layers - 1]
    first = ours.descend(contrast, rates, rates / 2)
    rate = {"weights": rates[0], "biases": rates[0] / 2}
    gradient = zip(other.groups, other.gradient(contrast), strict=True)
    second = other.add([-float(rate[group.kind][group.layer - 1]) * g for group, g in gradient])
    np.testing.assert_allclose(second, first, atol=1e-14)
    assert_same(ours, other, 1e-14)


@pytest.mark.torch
def test_numpy_and_torch_step_alike_in_single_precision(kind):
    for graph in GRAPHS.values():
        network, ours = pair(kind, graph, Hopfield(), np.float32)
        before = network.weights
        theirs, contrast = contrasts(network, ours, batch=20)
        rates = np.full(graph.n_layers - 1, 0.1)
        rms = network.descend(theirs, rates, rates)
        (again,) = ours.descend(contrast, rates[None], rates[None])
        np.testing.assert_allclose(ours.weights - before, network.weights - before, atol=2e-7)
        np.testing.assert_allclose(again, rms, rtol=1e-5)
        np.testing.assert_allclose(ours.biases, network.biases, atol=1e-6)


@pytest.mark.torch
@EVERY
def test_what_an_optimiser_remembers_survives_edge_order(kind, graph):
    network, ours = pair(kind, graph, Hopfield())
    rng = np.random.default_rng(4)
    weights, biases = rng.normal(size=graph.n_edges), rng.normal(size=network.n_free)
    packed = ours.pack(weights, biases)
    assert [a.shape for a in packed] == [a.shape for a in ours.parameters]
    found, again = ours.unpack([a + 0 for a in packed])
    # Between inputs nothing is remembered, because nothing happens.
    between = graph.edges[:, 1] < network.n_inputs
    assert np.array_equal(found, np.where(between, 0, weights))
    assert np.array_equal(again, biases)
    for k, group in enumerate(ours.groups):
        rows = ours.rows[group.layer]
        assert packed[k].shape[-1] == rows.stop - rows.start


@pytest.mark.torch
@ANY
def test_every_write_reaches_the_circuit_and_every_edge_twice(torch, kind, model):
    network, ours = pair(kind, GRAPHS["intralayer"], model)
    circuit = ours.circuit
    _, contrast = contrasts(network, ours)
    rng = np.random.default_rng(8)
    noisy = [ours.backend.array(rng.normal(0, 0.1, a.shape)) for a in ours.parameters]
    for write in (
        lambda: setattr(ours, "weights", model.initial(ours.graph, 5)),
        lambda: setattr(ours, "biases", np.arange(ours.n_free) / 10),
        lambda: ours.descend(contrast, np.full((1, 3), 0.1), np.full((1, 3), 0.1)),
        lambda: ours.add(noisy),  # not the same for both places of an edge inside a layer
    ):
        write()
        fresh = on_torch(kind, ours).circuit
        assert ours.circuit is circuit
        for name in ("inner", "outer", "bias", "self_term"):
            assert torch.equal(getattr(ours.circuit, name), getattr(fresh, name)), name
    symmetric = ours.circuit.inner * ours.circuit.self_term
    torch.testing.assert_close(symmetric, symmetric.mT, atol=1e-15, rtol=0)


@pytest.mark.torch
def test_weak_feedback_of_1_is_hopfield_to_the_bit(torch, kind):
    for graph in GRAPHS.values():
        networks = [
            pair(kind, graph, m, np.float32)[1] for m in (Hopfield(), WeakFeedback(feedback=1))
        ]
        _, contrast = contrasts(networks[0], networks[0])
        rates = np.full((1, graph.n_layers - 1), 0.1)
        for network in networks:
            network.descend(contrast, rates, rates)
            network.add([-0.1 * g for g in network.gradient(contrast)])
        for name in ("inner", "outer", "bias"):
            one, other = (getattr(network.circuit, name) for network in networks)
            assert torch.equal(one, other)


def members(kind, dtype=np.float32):
    """Networks of their own graphs, weights and feedback, one of them plain."""
    chosen = ("layered", "skips", "intralayer")
    models = (WeakFeedback(feedback=1), WeakFeedback(feedback=0.5), WeakFeedback(feedback=0.2))
    return [
        pair(kind, GRAPHS[name], model, dtype, seed)[1]
        for seed, (name, model) in enumerate(zip(chosen, models, strict=True))
    ]


@pytest.mark.torch
@pytest.mark.parametrize("count", [3, 1])
def test_a_stack_does_to_each_network_what_is_done_to_it_alone(torch, kind, same, count):
    alone, together = members(kind)[:count], members(kind)[:count]
    stack = kind.func.stacked(together)
    rates = np.array([[0.1, 0.2, 0.3], [0.3, 0.0, 1.0], [0.7, 0.7, 0.7]])[:count]
    gains = stack.backend.each([1.0, -3.0, 0.7][:count])
    parts = [contrasts(network, network, 7, seed)[1] for seed, network in enumerate(alone)]
    contrast = Contrast(
        *(torch.cat([getattr(c, n) for c in parts]) for n in ("deviation", "midpoint", "inputs")),
        gains,
    )
    rms = stack.descend(contrast, rates, 2 * rates)
    steps = [-0.2 * g for g in stack.gradient(contrast)]
    more = stack.add(steps)
    for k, network in enumerate(alone):
        own = Contrast(parts[k].deviation, parts[k].midpoint, parts[k].inputs, gains[k : k + 1])
        (found,) = network.descend(own, rates[k : k + 1], 2 * rates[k : k + 1])
        same(found, rms[k])
        (found,) = network.add([-0.2 * g for g in network.gradient(own)])
        same(found, more[k])
        # The members given to the stack have changed with it.
        same(together[k].weights, network.weights)
        same(together[k].biases, network.biases)
        same(together[k].circuit.inner, network.circuit.inner)
        same(stack.circuit.inner[k : k + 1], network.circuit.inner)
        assert stack.only(k) is together[k]
        assert [b.name for b in together[k].blocks] == [b.name for b in network.blocks]


@pytest.mark.torch
def test_a_stack_follows_its_members(torch, kind):
    together = members(kind)
    stack = kind.func.stacked(together)
    before = stack.circuit.bias.clone()
    weights = np.random.default_rng(0).random(together[1].graph.n_edges)
    together[1].weights, together[1].biases = weights, np.full(39, 7.0)
    fresh = on_torch(kind, together[1]).circuit
    assert torch.equal(stack.circuit.inner[1:2], fresh.inner)
    assert torch.equal(stack.circuit.bias[1:2], fresh.bias)
    assert torch.equal(stack.circuit.bias[::2], before[::2])
    with pytest.raises(InputError, match=r"stack of 3 networks has no single weights.*only\(k\)"):
        stack.weights  # noqa: B018


@pytest.mark.torch
def test_what_cannot_be_stacked(kind):
    networks, stacked = members(kind), kind.func.stacked
    other = kind(layered((8, 20, 4)), np.zeros(240))
    with pytest.raises(InputError, match=r"layer_sizes: \(8, 20, 4\) beside \(8, 20, 15, 4\)"):
        stacked([*networks, other])
    with pytest.raises(InputError, match="dtype: float64 beside float32"):
        stacked([*networks, members(kind, np.float64)[0]])
    with pytest.raises(InputError, match="sees: difference beside product"):
        stacked([*networks, pair(kind, GRAPHS["skips"], Conductances(), np.float32)[1]])
    outside = pair(kind, GRAPHS["layered"], WeakFeedback(readout=True), np.float32)[1]
    with pytest.raises(InputError, match="readout: True beside False"):
        stacked([*networks, outside])
    with pytest.raises(InputError, match="given twice"):
        stacked([networks[0], networks[0]])


@pytest.mark.torch
def test_what_does_not_fit_is_refused(torch, kind):
    network, ours = pair(kind, GRAPHS["layered"], Hopfield())
    _, contrast = contrasts(network, ours)
    with pytest.raises(InputError, match=r"inputs of a contrast: shape \(1, 5, 8\)|deviation of a"):
        ours.gradient(Contrast(contrast.deviation[..., 1:], contrast.midpoint, contrast.inputs, 1))
    steps = ours.gradient(contrast)
    with pytest.raises(InputError, match="steps: 2 arrays, must be 6"):
        ours.add(steps[:2])
    with pytest.raises(InputError, match=r"step of weights of layer 1: shape \(1, 3\), must be"):
        ours.add([torch.zeros(1, 3), *steps[1:]])
    for values, message in (
        (np.zeros(3), r"weights: shape \(3,\), must be"),
        (np.full(ours.graph.n_edges, np.nan), "weights: entry 0 is not finite"),
    ):
        with pytest.raises(InputError, match=message):
            ours.weights = values
    _, resistors = pair(kind, GRAPHS["layered"], Conductances())
    with pytest.raises(InputError, match=r"weights: 0\.0 on edge 0, must be from 0\.01 to 2\.0"):
        resistors.weights = np.zeros(ours.graph.n_edges)
    with pytest.raises(InputError, match="dtype: float16, allowed: float32, float64"):
        kind(ours.graph, ours.weights, dtype=np.float16)


@pytest.mark.torch
def test_weights_are_cut_at_their_limits(kind, torch):
    _, ours = pair(kind, GRAPHS["intralayer"], Conductances())
    before = ours.weights
    (rms,) = ours.add([0 * a + 10 for a in ours.parameters])
    assert (ours.weights == 2).all()
    moved = [np.sqrt(np.mean((2 - before[block.edges]) ** 2)) for block in ours.blocks]
    np.testing.assert_allclose(rms, moved)
    free = 1.0 * (ours.circuit.inner != 0)
    assert torch.equal(free, free.mT)
    assert int(free.sum()) == 2 * (ours.graph.edges[:, 0] >= ours.n_inputs).sum()


@pytest.mark.torch
def test_a_network_too_large_to_be_dense_is_refused(kind, torch_device, monkeypatch):
    monkeypatch.setattr("smallworld_eqprop.dynamics.torch_network.LARGEST", 38 * 50)
    graph = LayeredGraph((10, 40), [(0, 10)])
    message = f"device: '{torch_device}' .* 50 nodes are too many .* 'numpy'"
    with pytest.raises(InputError, match=message):
        kind(graph, [1.0])


@pytest.mark.torch
def test_a_network_is_moved_to_a_device_once(kind):
    network, _ = pair(kind, GRAPHS["skips"], WeakFeedback(feedback=0.5), np.float32)
    assert devices.on_device(network, "numpy") is network
    moved = devices.on_device(network, "cpu")
    assert_same(network, moved, 0)
    assert (moved.model, moved.dtype, moved.graph) == (network.model, network.dtype, network.graph)
    assert devices.on_device(moved, "cpu") is moved
    assert "8-20-15-4" in repr(moved)


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "CUDA", "", 3, None])
def test_a_device_that_does_not_exist_is_refused(name):
    with pytest.raises(InputError, match=r"device: .*, allowed: numpy, cpu, cuda, cuda:N$"):
        devices.require_device(name)


def test_without_torch_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(devices.importlib.util, "find_spec", lambda name: None)
    devices.require_device("numpy")
    with pytest.raises(InputError, match=r"'cuda' needs torch, .* 'smallworld-eqprop\[gpu\]'"):
        devices.require_device("cuda")


@pytest.mark.torch
def test_a_card_that_is_not_there_is_named(torch, monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    devices.require_device("cpu")
    with pytest.raises(InputError, match=r"'cuda', but torch .* finds 0 CUDA cards; .* cpu$"):
        devices.require_device("cuda")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    devices.require_device("cuda:1")
    with pytest.raises(InputError, match=r"'cuda:2', .* finds 2 CUDA cards; .* cuda:0, cuda:1$"):
        devices.require_device("cuda:2")


@pytest.mark.torch
def test_a_network_on_torch_is_saved_as_any(kind, tmp_path):
    graph = layered((3, 4, 2))
    weights = np.random.default_rng(0).normal(size=graph.n_edges).astype(np.float32)
    network = kind(graph, weights, np.arange(6), WeakFeedback(feedback=0.5))
    network.save(tmp_path / "n.npz")
    again = Network.load(tmp_path / "n.npz")
    np.testing.assert_array_equal(again.weights, weights)
    np.testing.assert_array_equal(again.biases, np.arange(6))
    assert again.model == WeakFeedback(feedback=0.5)
