"""What only torch has: stacks of networks, devices, dense matrices alone."""

from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop.dynamics import devices
from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph, add_intralayer, layered
from smallworld_eqprop.graphs.rewiring import rewire
from smallworld_eqprop.learning.eqprop import initial_weights

SIZES = (8, 20, 15, 4)
GRAPHS = [layered(SIZES), rewire(layered(SIZES), 0.4, seed=1), add_intralayer(layered(SIZES))]


@pytest.fixture
def torch():
    return pytest.importorskip("torch")


@pytest.fixture
def module(torch):
    from smallworld_eqprop.dynamics import torch_couplings

    return torch_couplings


@pytest.fixture
def methods(torch):
    from smallworld_eqprop.dynamics.torch_relaxation import on_torch

    return on_torch(SOR(1e-10, 5000)), on_torch(Euler(6))


def networks(kind):
    """One network per graph, each with weights of its own."""
    rng = np.random.default_rng(3)
    return [
        kind(graph, initial_weights(graph, seed=k), rng.normal(0, 0.3, 39), np.float64)
        for k, graph in enumerate(GRAPHS)
    ]


def update(couplings, methods, inputs, target, beta):
    """One batch of training: where the phases end, and the corrections."""
    free_phase, nudged_phase = methods
    drive = couplings.drive(inputs)
    free = free_phase.relax(couplings, drive, np.zeros(drive.shape))
    nudged = nudged_phase.steps_from(couplings, drive, free.state, target, beta)
    rms = couplings.correct(free.state, nudged, inputs, 1 / beta, [0.1, 0.2, 0.3], [1.0, 0, 0.5])
    return free, nudged, rms


@pytest.mark.torch
def test_a_stack_does_to_each_network_what_is_done_to_it_alone(module, methods):
    rng = np.random.default_rng(1)
    inputs, target = rng.random((3, 8, 5)), rng.random((3, 4, 5))
    betas = np.array([1.0, -1.0, 0.5])
    alone, members = networks(module.TorchCouplings), networks(module.TorchCouplings)
    stack = module.TorchCouplings.stacked(members)
    free, nudged, rms = update(stack, methods, inputs, target, betas)
    assert free.converged.all()
    for k, couplings in enumerate(alone):
        found = update(couplings, methods, inputs[k], target[k], float(betas[k]))
        np.testing.assert_allclose(free.state[k], found[0].state, atol=1e-8)
        np.testing.assert_allclose(nudged[k], found[1], atol=1e-8)
        np.testing.assert_allclose(rms[k], found[2], atol=1e-8)
        # The members given to the stack have been corrected with it.
        np.testing.assert_allclose(members[k].edge_weights(), couplings.edge_weights(), atol=1e-8)
        np.testing.assert_allclose(members[k].biases, couplings.biases, atol=1e-8)
        assert [block.name for block in members[k].blocks] == [b.name for b in couplings.blocks]


@pytest.mark.torch
def test_a_stack_follows_its_members_and_its_parts(module):
    members = networks(module.TorchCouplings)
    stack = module.TorchCouplings.stacked(members)
    members[1].restore(np.full(members[1].n_edges, 0.25), np.full(39, 7.0))
    assert (stack.biases[1] == 7).all()
    assert not (stack.biases[0] == 7).any()
    assert set(stack.inner[1].unique().tolist()) == {0, 0.25}
    part = stack.only(1)
    assert part.inner.shape == (1, 39, 39)
    part.biases += 1
    assert (members[1].biases == 8).all()


@pytest.mark.torch
def test_numpy_and_torch_correct_alike_in_single_precision(module):
    rng = np.random.default_rng(0)
    free, nudged = rng.random((2, 39, 20), dtype=np.float32)
    inputs = rng.random((8, 20), dtype=np.float32)
    for graph in GRAPHS:
        weights = initial_weights(graph, seed=1)
        pair = [kind(graph, weights) for kind in (Couplings, module.TorchCouplings)]
        rms = [c.correct(free, nudged, inputs, -2.0, [0.1, 0.2, 0.3]) for c in pair]
        changes = [c.edge_weights() - weights for c in pair]
        np.testing.assert_allclose(changes[1], changes[0], atol=2e-7)
        np.testing.assert_allclose(rms[1], rms[0], rtol=1e-5)
        np.testing.assert_allclose(pair[1].biases, pair[0].biases, rtol=1e-5)
        assert [(b.name, b.kind) for b in pair[1].blocks] == [
            (b.name, b.kind) for b in pair[0].blocks
        ]
        for ours, theirs in zip(pair[1].blocks, pair[0].blocks, strict=True):
            assert np.array_equal(ours.edges, theirs.edges)


@pytest.mark.torch
def test_a_converged_example_is_left_where_it_is(module, methods):
    couplings = networks(module.TorchCouplings)[2]
    inputs = np.random.default_rng(5).random((8, 6))
    drive = couplings.drive(inputs)
    rest = methods[0].relax(couplings, drive, np.zeros((39, 6))).state
    start = rest.clone()
    start[:, 1::2] = 0.5
    found = methods[0].relax(couplings, drive, start)
    assert found.sweeps[::2].tolist() == [0, 0, 0]
    assert (found.sweeps[1::2] > 0).all()
    assert (found.state[:, ::2] == rest[:, ::2]).all()


@pytest.mark.torch
def test_networks_of_other_sizes_are_not_stacked(module):
    other = module.TorchCouplings(layered((8, 20, 4)), np.zeros(240), dtype=np.float64)
    with pytest.raises(InputError, match=r"layer_sizes: \(8, 20, 4\) beside \(8, 20, 15, 4\)"):
        module.TorchCouplings.stacked([*networks(module.TorchCouplings), other])


@pytest.mark.torch
def test_a_network_too_large_to_be_dense_is_refused(module, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 38 * 50)
    graph = LayeredGraph((10, 40), [(0, 10)])
    with pytest.raises(InputError, match=r"device: 'cpu' .* 50 nodes are too many .* 'numpy'"):
        module.TorchCouplings(graph, [1.0])


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
