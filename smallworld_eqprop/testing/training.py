"""Contracts of optimisers, transforms and devices: what acts in a training."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.data.transforms import Transform
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.hardware.base import Device
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.optimisers import Optimiser
from smallworld_eqprop.learning.rules import OneSided
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.testing.networks import awkward_graphs

__all__ = ["check_device", "check_optimiser", "check_transform"]


def check_optimiser(optimiser: Optimiser) -> None:
    """Check an optimiser.

    It finds the way down, keeps shape and dtype, changes nothing it is given, remembers by the
    same names, and a training with it resumes to the bit.
    """
    for dtype in (np.float32, np.float64):
        goal = np.linspace(-1, 1, 6, dtype=dtype).reshape(2, 3)
        at = np.zeros_like(goal)
        memory = optimiser.init(at)
        for t in range(300):
            gradient = at - goal
            given = gradient.copy(), at.copy(), copy.deepcopy(memory)
            step, after = optimiser.step(gradient, at, memory, t)
            for now, before in zip((gradient, at), given[:2], strict=True):
                assert np.array_equal(now, before), f"{optimiser}: changes what it is given"
            for key, before in given[2].items():
                assert np.array_equal(memory[key], before), f"{optimiser}: changes memory {key!r}"
            assert after.keys() == memory.keys(), f"{optimiser}: memory changes its names"
            for key, values in {"the step": step, **after}.items():
                assert values.shape == goal.shape, f"{optimiser}: {key} has another shape"
                assert values.dtype == dtype, f"{optimiser}: {key} is {values.dtype}, not {dtype}"
            at, memory = at + step, after
        before, now = (np.square(where - goal).sum() for where in (np.zeros_like(goal), at))
        assert now < 0.99 * before, f"{optimiser}: 300 steps lead nowhere"
    check_resuming(optimiser=optimiser)


def check_transform(transform: Transform, n_inputs: int = 16) -> None:
    """Check a transform of inputs.

    It keeps shape and dtype, gives finite numbers, changes nothing it is given, draws from the
    generator alone, changes some input, and a training with it resumes to the bit.

    Parameters
    ----------
    transform : Transform
        One that does something: with all inputs left as they are the contract is broken.
    n_inputs : int
        A number of inputs that it fits.
    """
    for dtype in (np.float32, np.float64):
        inputs: Array = np.random.default_rng(6).uniform(0.1, 1, (20, n_inputs)).astype(dtype)
        kept = inputs.copy()
        found = [transform.apply(inputs, np.random.default_rng([7, seed])) for seed in range(5)]
        again = transform.apply(inputs, np.random.default_rng([7, 0]))
        assert np.array_equal(inputs, kept), f"{transform}: changes what it is given"
        for each in found:
            assert each.shape == inputs.shape, f"{transform}: gives another shape, {each.shape}"
            assert each.dtype == dtype, f"{transform}: gives {each.dtype}, not {dtype}"
            assert np.isfinite(each).all(), f"{transform}: gives numbers that are not finite"
        assert np.array_equal(again, found[0]), f"{transform}: draws from more than the generator"
        assert any((each != inputs).any() for each in found), f"{transform}: changes no input"
    check_resuming(n_inputs, transform=transform)


def check_device(device: Device) -> None:
    """Check a device of a chip.

    Its methods keep shape and dtype, give finite numbers, change nothing they are given but memory
    and draw from the generator alone; a step of 0 stays 0; some method changes something; and a
    training with the device resumes to the bit. Of a list of devices each one is checked.
    """
    for part in device.parts:
        acted = False
        for dtype in (np.float32, np.float64):
            found, again = (_device_calls(part, dtype) for _ in range(2))
            for name, (given, array) in found.items():
                assert np.shape(array) == given.shape, f"{part}: {name} gives another shape"
                assert array.dtype == given.dtype, f"{part}: {name} gives {array.dtype}"
                assert np.isfinite(array).all(), f"{part}: {name} gives what is not finite"
                same = np.array_equal(array, again[name][1])
                assert same, f"{part}: {name} draws from more than the generator"
                acted |= not np.array_equal(array, given)
            asked, made = found["write"]
            assert not made[asked == 0].any(), f"{part}: write makes a step where none is asked for"
        assert acted, f"{part}: changes nothing"
    # In time, as some devices act.
    solvers: dict[str, Any] = {"relaxation": Euler(20), "rule": OneSided(0.5, Euler(4))}
    check_resuming(hardware=device, **solvers)


def _device_calls(device: Device, dtype: Any) -> dict[str, tuple[Array, Array]]:
    """What each method of a device is given, and what it makes of it, by name."""
    network = Network(awkward_graphs()["skips"], dtype=dtype, seed=1)
    rng, n_edges = np.random.default_rng(8), network.graph.n_edges
    weights, step = rng.uniform(-0.7, 0.7, n_edges), rng.uniform(-0.1, 0.1, n_edges)
    step[::3] = 0
    written = step != 0
    state: Array = rng.random((3, network.n_free)).astype(dtype)
    circuit = network.circuit
    moved = circuit.drift(state, circuit.field(state), 0.5)
    given = weights.copy(), step.copy(), state.copy(), written.copy()

    def draw(n: int) -> np.random.Generator:
        return np.random.default_rng([9, n])

    memory = device.weight_memory(weights.astype(dtype), draw(0))
    nodes = device.node_memory(network.n_free, draw(1))
    other = device.circuit(circuit, nodes, draw(2))
    found = {
        "program": (weights, device.program(weights, memory, draw(3))),
        "write": (step, device.write(weights, step, memory, draw(4))),
        "age": (weights, device.age(weights, written, memory, 2.0)),
        "read": (state, device.read(state, 0, nodes, draw(5))),
        "circuit": (moved, other.drift(state, other.field(state, other.bias), 0.5)),
    }
    for now, before in zip((weights, step, state, written), given, strict=True):
        assert np.array_equal(now, before), f"{device}: changes what it is given"
    after = circuit.drift(state, circuit.field(state), 0.5)
    assert np.array_equal(after, moved), f"{device}: changes the circuit it is given"
    return found


def check_resuming(n_inputs: int = 3, **parts: Any) -> None:
    """A training that stops in mid-epoch, and goes on in another trainer, ends the same."""
    rng = np.random.default_rng(5)
    x = rng.random((24, n_inputs)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[(x[:, 0] > 0.5).astype(int)]
    data = Dataset("toy", "classification", x, y, x, y, sha256={})
    config = TrainingConfig(batch_size=5, **parts)
    whole, first, second = (Trainer(layered((n_inputs, 4, 2)), data, config) for _ in range(3))
    for _ in range(2):
        for _ in whole.run_epoch():
            pass
    batches = first.run_epoch()
    for _ in range(3):
        next(batches)
    arrays, values = first.state()
    second.restore({name: array.copy() for name, array in arrays.items()}, values)
    for _ in range(2):
        for _ in second.run_epoch():
            pass
    for name, array in whole.state()[0].items():
        same = np.array_equal(array, second.state()[0][name])
        assert same, f"{parts}: {name} differ after resuming"
