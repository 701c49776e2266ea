"""Contracts: what a model, rule, loss, optimiser, solver, transform or device has to keep.

One line each, in any test framework::

    from smallworld_eqprop.testing import check_optimiser

    def test_mine():
        check_optimiser(MyOptimiser())

A contract that is broken raises AssertionError with what was found and what was expected. The
package runs them on its own objects, and on candidates that do nothing, which must fail.
"""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.data.transforms import Transform
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.energies import energy
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.models import Hopfield, Model
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.hardware.base import Device
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.losses import Loss, SquaredError
from smallworld_eqprop.learning.optimisers import Optimiser
from smallworld_eqprop.learning.rules import Adjoint, OneSided, Phases, Rule
from smallworld_eqprop.learning.trainer import Trainer

__all__ = [
    "awkward_graphs",
    "check_device",
    "check_loss",
    "check_model",
    "check_optimiser",
    "check_rule",
    "check_solver",
    "check_transform",
]

EXACT = SOR(tolerance=1e-12, max_sweeps=20_000)


def awkward_graphs() -> dict[str, LayeredGraph]:
    """A few small graphs that have broken things: each has what another one lacks."""
    path = [(0, 3), (1, 3), (2, 4), (3, 5), (4, 5), (4, 6), (5, 7), (6, 8), (7, 8)]
    island = [(0, 2), (1, 2), (2, 6), (2, 7), (3, 4), (3, 6), (5, 7)]
    return {
        "layered": layered((3, 4, 3, 2)),
        "skips": rewire(layered((3, 5, 4, 2)), 0.3, seed=1),
        "intralayer": rewire(add_intralayer(layered((3, 4, 3, 2))), 0.2, seed=1),
        "no hidden layer": layered((4, 2)),
        "one hidden node": layered((3, 1, 2)),
        "no layers": LayeredGraph((3, 4, 2), np.array(path)),
        "island": LayeredGraph((2, 4, 2), np.array(island)),
    }


def check_model(model: Model) -> None:
    """Check a model on every awkward graph.

    The field is what the written energy says, fixed points are its minima, weights stay within
    their limits, the exact gradient agrees with finite differences and is not 0, and copies and
    pickles keep what they were.
    """
    for name, graph in awkward_graphs().items():
        try:
            network = _smooth(graph, model)
            _check_energy(network)
            slope = _check_gradient(network, Adjoint(), SquaredError(), 1e-5)
            assert np.abs(slope).max() > 1e-9, "no weight has any effect on the cost"
            _check_limits(network)
        except AssertionError as error:
            raise AssertionError(f"{model} on graph {name!r}: {error}") from error
    for again in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):  # noqa: S301
        assert again == model, f"{model}: a copy differs"


def check_rule(rule: Rule, *, error: float = 0.05, loss: Loss | None = None) -> None:
    """Check a rule on every awkward graph: its gradient, in double precision.

    Parameters
    ----------
    rule : Rule
        With a solver that goes on to the end, and a small nudge.
    error : float
        Largest distance allowed from the exact gradient, as a share of its length.
    loss : Loss, optional
        The squared error when left out.
    """
    for name, graph in awkward_graphs().items():
        try:
            network = _smooth(graph, Hopfield())
            _check_gradient(network, rule, loss or SquaredError(), error)
        except AssertionError as problem:
            raise AssertionError(f"{rule} on graph {name!r}: {problem}") from problem


def check_loss(loss: Loss) -> None:
    """Check a loss: shapes, a force that is minus the slope of the cost, on NumPy and on torch."""
    rng = np.random.default_rng(0)
    output, target = rng.uniform(0.1, 0.9, (2, 5, 3))
    cost, force = loss.cost(output, target), loss.force(output, target)
    assert np.shape(cost) == (5,), f"{loss}: cost of shape {np.shape(cost)}, must be (5,)"
    assert np.shape(force) == (5, 3), f"{loss}: force of shape {np.shape(force)}, must be (5, 3)"
    assert np.abs(force).max() > 0, f"{loss}: pulls at nothing"
    assert loss.curvature >= 0, f"{loss}: curvature {loss.curvature}, must be at least 0"
    step = 1e-6
    for place in np.ndindex(output.shape):
        ahead, behind = output.copy(), output.copy()
        ahead[place] += step
        behind[place] -= step
        slope = (loss.cost(ahead, target) - loss.cost(behind, target))[place[0]] / (2 * step)
        assert np.isclose(-slope, force[place], rtol=1e-5, atol=1e-7), (
            f"{loss}: force {force[place]:.6g}, but the cost falls by {-slope:.6g}"
        )
    try:
        import torch
    except ImportError:
        return
    pair = torch.from_numpy(output), torch.from_numpy(target)
    np.testing.assert_allclose(loss.cost(*pair).numpy(), cost, err_msg=f"{loss}: cost on torch")
    np.testing.assert_allclose(loss.force(*pair).numpy(), force, err_msg=f"{loss}: force on torch")


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
    _check_resuming(optimiser=optimiser)


def check_solver(solver: Solver) -> None:
    """Check a solver on every awkward graph: it reaches the fixed points, nudged or not."""
    for name, graph in awkward_graphs().items():
        network = _smooth(graph, Hopfield())
        circuit = network.circuit
        drive = circuit.drive(_inputs(graph))
        start = np.zeros_like(drive)
        kept = drive.copy(), start.copy()
        relaxed = solver.relax(circuit, drive, start)
        expected = EXACT.relax(circuit, drive, start)
        assert np.array_equal(drive, kept[0]), f"{solver}: changes the drive"
        assert np.array_equal(start, kept[1]), f"{solver}: changes the start"
        field = circuit.field(relaxed.state, drive)
        residual = circuit.residual(relaxed.state, field)
        assert np.allclose(relaxed.residual, residual, atol=1e-9), f"{solver}: another residual"
        assert relaxed.converged.all(), f"{solver} on graph {name!r}: {relaxed.message}"
        tolerance = 1e-6 if solver.fixed else solver.tolerance
        far = np.abs(relaxed.state - expected.state).max()
        assert far <= 100 * tolerance, f"{solver} on graph {name!r}: {far:.2g} from the solution"


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
    _check_resuming(n_inputs, transform=transform)


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
    _check_resuming(hardware=device, **solvers)


# What the contracts are made of.


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


def _inputs(graph: LayeredGraph, batch: int = 3) -> Array:
    return np.random.default_rng(2).uniform(0.2, 1, (batch, graph.layer_sizes[0]))


def _smooth(graph: LayeredGraph, model: Model) -> Network:
    """Small weights and biases, so that the energy is convex and states lie between bounds."""
    rng = np.random.default_rng(1)
    network = Network(graph, None, None, model, dtype=np.float64, seed=rng)
    low, high = (np.broadcast_to(each, (graph.n_edges,)) for each in model.limits(graph))
    degree = np.bincount(graph.edges.ravel(), minlength=graph.n_nodes)[graph.edges].max(axis=1)
    drawn = rng.uniform(0.2, 0.6, graph.n_edges) * rng.choice([-1, 1], graph.n_edges) / degree
    network.weights = np.clip(np.where(low >= 0, low + np.abs(drawn), drawn), low, high)
    circuit = network.circuit
    bottom, top = np.maximum(circuit.low, -3), np.minimum(circuit.high, 3)
    share = rng.uniform(0.35, 0.65, network.n_free)
    rest = bottom + share * (top - bottom)
    # Biases for which `rest` is the fixed point of the first example.
    missing = rest - circuit.field(rest[None], circuit.drive(_inputs(graph)[:1]))[0]
    bias_scale = np.broadcast_to(model.bias_scale(graph), missing.shape)
    network.biases = missing * circuit.self_term / bias_scale
    return network


def _check_energy(network: Network) -> None:
    """The circuit against the energy as the model writes it, node by node and edge by edge."""
    graph, model, circuit = network.graph, network.model, network.circuit
    inputs = _inputs(graph)
    rng = np.random.default_rng(3)
    state = np.clip(rng.uniform(0, 1, (len(inputs), network.n_free)), circuit.low, circuit.high)
    u, v = graph.edges.T
    scale = np.broadcast_to(model.edge_scale(graph, graph.edges), (graph.n_edges,))

    def written(state: Array) -> Array:
        both = np.hstack((inputs, state))
        own = np.broadcast_to(model.self_term(graph), (network.n_free,))
        bias = np.broadcast_to(model.bias_scale(graph), (network.n_free,)) * network.biases
        found = (0.5 * own * state**2 - bias * state).sum(axis=1)
        seen = both[:, u] * both[:, v]
        if model.sees == "difference":
            seen = -0.5 * (both[:, u] - both[:, v]) ** 2
        return found - seen @ (scale * network.weights)

    drive = circuit.drive(inputs)
    other = state[::-1]
    change = energy(circuit, state, drive) - energy(circuit, other, drive)
    assert np.allclose(change, written(state) - written(other)), "another energy than written"
    field = circuit.field(state, drive)
    step = 1e-6
    for node in range(network.n_free):
        moved = np.zeros_like(state)
        moved[:, node] = step
        slope = (written(state + moved) - written(state - moved)) / (2 * step)
        expected = circuit.self_term[node] * (state[:, node] - field[:, node])
        assert np.allclose(slope, expected, atol=1e-6), f"the field of free node {node} is wrong"
    relaxed = EXACT.relax(circuit, drive, circuit.clip(np.zeros_like(drive)))
    assert relaxed.converged.all(), relaxed.message
    for _ in range(20):
        nearby = circuit.clip(relaxed.state + rng.normal(0, 0.05, drive.shape))
        assert (written(nearby) >= written(relaxed.state) - 1e-9).all(), "no minimum"


def _check_limits(network: Network) -> None:
    low, high = network.model.limits(network.graph)
    for sign in (-1, 1):
        network.add([np.full_like(each, 10.0 * sign) for each in network.parameters])
        weights = network.weights
        assert ((weights >= low) & (weights <= high)).all(), "weights leave their limits"


def _phases(network: Network, loss: Loss) -> Phases:
    graph = network.graph
    inputs = _inputs(graph)
    targets = np.random.default_rng(4).uniform(0.2, 0.8, (len(inputs), graph.layer_sizes[-1]))
    return Phases.of(network, inputs, targets, EXACT, loss)


def _mean_cost(network: Network, phases: Phases) -> float:
    drive = network.circuit.drive(phases.inputs)
    state = EXACT.relax(network.circuit, drive, phases.free.state).state
    return float(phases.loss.cost(state[:, network.output], phases.targets).mean())


def _check_gradient(
    network: Network, rule: Rule, loss: Loss, error: float
) -> npt.NDArray[np.float64]:
    """The gradient of a rule against finite differences of the cost; gives those of weights."""
    phases = _phases(network, loss)
    contrast = rule.contrast(phases)
    assert isinstance(contrast, Contrast), f"gives a {type(contrast).__name__}, not a Contrast"
    found = np.concatenate(dataclasses.astuple(network.edge_gradient(contrast)))
    expected = np.concatenate([list(_slopes(network, phases, name)) for name in NAMES])
    length = np.linalg.norm(expected)
    far = np.linalg.norm(found - expected)
    assert far <= error * length + 1e-8, (
        f"gradient {far / length if length else far:.2g} of its length from finite differences, "
        f"allowed {error:g}"
    )
    return expected[: network.graph.n_edges]


NAMES = ("weights", "biases")


def _slopes(network: Network, phases: Phases, name: str, step: float = 1e-5) -> Iterator[float]:
    limits: tuple[Any, Any] = (-np.inf, np.inf)
    if name == "weights":
        limits = network.model.limits(network.graph)
    values = getattr(network, name)
    low, high = (np.broadcast_to(each, values.shape) for each in limits)
    for n in range(len(values)):
        ends = [min(max(values[n] + sign * step, low[n]), high[n]) for sign in (1, -1)]
        costs = []
        for end in ends:
            moved = values.copy()
            moved[n] = end
            setattr(network, name, moved)
            costs.append(_mean_cost(network, phases))
        setattr(network, name, values)
        yield (costs[0] - costs[1]) / (ends[0] - ends[1]) if ends[0] > ends[1] else 0.0


def _check_resuming(n_inputs: int = 3, **parts: Any) -> None:
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
