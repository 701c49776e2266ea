"""Relaxation on torch: the same fixed points as with NumPy, whoever else is in the stack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np
import pytest

from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.models import Hopfield, Model, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Solver, Status
from smallworld_eqprop.dynamics.sor import SOR
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
    """A resistor at every edge, a leak at every node: always one fixed point."""

    sees: ClassVar = "difference"

    def bounds(self, graph):
        return -np.inf, 0.5

    def self_term(self, graph):
        return 0.25

    def initial(self, graph, seed):
        return np.random.default_rng(seed).uniform(0.05, 0.4, graph.n_edges)


@dataclass(frozen=True)
class Damped(Solver):
    """A solver of somebody else: `sweeps` and nothing more."""

    tolerance: float = 1e-9
    max_sweeps: int = 5000

    def sweeps(self, circuit, drive, state):
        while True:
            state = circuit.clip(state + 0.4 * (circuit.field(state, drive) - state))
            yield state


MODELS = {
    "hopfield": Hopfield(),
    "between -1 and 1": Hopfield(-1, 1),
    "linear outputs": Hopfield(linear_outputs=True),
    "weak feedback by layers": WeakFeedback(feedback=0.3),
    "weak feedback by hops": WeakFeedback(-1, 1, feedback=0.5, depth="hops"),
    "conductances": Conductances(),
}
ANY = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
EVERY = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)
SOLVERS = {"sor": SOR(1e-10, 5000), "euler": Euler(40), "other": Damped()}

pytestmark = pytest.mark.torch


@pytest.fixture
def kind(torch_device):
    """Makes networks on the device of the tests."""
    from smallworld_eqprop.dynamics.torch_network import TorchNetwork

    return partial(TorchNetwork, device=torch_device)


def host(tensor):
    """A tensor of a single network as a NumPy array, without the dimension of members."""
    return tensor[0].cpu().numpy()


def pair(kind, graph, model, dtype=np.float64, seed=1):
    """The same network twice, with one fixed point each."""
    network = Network(graph, model=model, dtype=dtype, seed=seed)
    if model.sees == "product":
        largest = np.abs(np.linalg.eigvals(network.circuit.matrix().toarray())).max()
        network.weights = network.weights * (0.8 / max(largest, 0.8))
    network.biases = np.random.default_rng(seed).normal(0, 0.3, network.n_free)
    weights, biases = network.weights, network.biases
    return network, kind(graph, weights, biases, model, dtype=dtype)


def batches(network, ours, n=6, seed=0):
    """The same inputs, start and targets twice."""
    rng = np.random.default_rng(seed)
    sizes = network.n_inputs, network.n_free, network.output.stop - network.output.start
    arrays = [rng.random((n, size)).astype(network.dtype) for size in sizes]
    arrays[1] = network.circuit.clip(arrays[1])
    return arrays, [ours.backend.array(array)[None] for array in arrays]


@EVERY
@ANY
def test_fields_drives_and_residuals_are_those_of_numpy(torch, kind, graph, model):
    network, ours = pair(kind, graph, model)
    (inputs, state, _), (x, s, _) = batches(network, ours)
    one, other = network.circuit, ours.circuit
    drive, again = one.drive(inputs), other.drive(x)
    np.testing.assert_allclose(host(again), drive, atol=1e-14)
    assert torch.equal(other.drive(inputs), again)
    field = one.field(state, drive)
    np.testing.assert_allclose(host(other.field(s, again)), field, atol=1e-13)
    np.testing.assert_allclose(host(other.field(s)), one.field(state), atol=1e-13)
    found = other.residual(s, other.field(s, again))
    np.testing.assert_allclose(host(found), one.residual(state, field), atol=1e-13)
    np.testing.assert_allclose(host(other.self_term)[0], one.self_term, rtol=1e-14)
    assert np.array_equal(host(other.rest())[0], one.rest())
    assert other.output == one.output


@EVERY
@ANY
@pytest.mark.parametrize("solver", SOLVERS.values(), ids=SOLVERS)
def test_phases_end_where_those_of_numpy_do(torch, kind, graph, model, solver):
    """The free phase, a nudge either way within the energy, the outputs held."""
    network, ours = pair(kind, graph, model)
    (inputs, start, target), (x, s, t) = batches(network, ours)
    one, other = network.circuit, ours.circuit
    drive, again = one.drive(inputs), other.drive(x)
    free, freed = solver.relax(one, drive, start), solver.relax(other, again, s)
    for nudge, same in (
        (None, None),
        (Nudge(0.6 * target, 0.6), Nudge(0.6 * t, 0.6)),
        (Nudge(-0.3 * target, -0.3), Nudge(-0.3 * t, torch.full_like(t[:, :1, :1], -0.3))),
        (Nudge(target, np.inf), Nudge(t, np.inf)),
    ):
        first, second = free, freed
        if nudge is not None:
            first = solver.relax(one, drive, start, nudge)
            second = solver.relax(other, again, s, same)
        if not solver.fixed:
            assert first.converged.all()
            assert second.converged.all()
            assert second.residual.max() <= solver.tolerance
        np.testing.assert_allclose(host(second.state), first.state, atol=1e-7)
        # From the end of a free phase, as a rule nudges.
        if nudge is not None:
            first = solver.nudge(one, drive, free, nudge)
            second = solver.nudge(other, again, freed, same)
            np.testing.assert_allclose(host(second.state), first.state, atol=1e-7)
            assert np.array_equal(host(second.sweeps) > 0, first.sweeps > 0)
        if nudge is not None and nudge.holds:
            held = host(second.state)[:, other.output]
            np.testing.assert_allclose(held, one.clip(first.state)[:, one.output], atol=1e-12)


def test_a_nudge_without_a_minimum_is_refused(kind):
    network, ours = pair(kind, GRAPHS["layered"], Hopfield())
    _, (x, s, t) = batches(network, ours)
    for curvature in (-1.2, ours.backend.each([-1.2])):
        with pytest.raises(InputError, match=r"nudge: a curvature of -1\.2 leaves the outputs"):
            SOR().relax(ours.circuit, ours.circuit.drive(x), s, Nudge(t, curvature))


def test_a_converged_example_is_left_where_it_is(torch, kind):
    network, ours = pair(kind, GRAPHS["intralayer"], Hopfield())
    _, (x, _, _) = batches(network, ours)
    circuit, drive = ours.circuit, ours.circuit.drive(x)
    for solver in (SOR(1e-10, 5000), Damped()):
        rest = solver.relax(circuit, drive, 0 * drive).state
        start = rest.clone()
        start[:, 1::2] = 0.5
        found = solver.relax(circuit, drive, start)
        assert found.sweeps[0, ::2].tolist() == [0, 0, 0]
        assert (found.sweeps[0, 1::2] > 0).all()
        assert torch.equal(found.state[:, ::2], rest[:, ::2])


def test_what_is_not_finite_and_what_is_unfinished_are_told(torch, kind):
    network, ours = pair(kind, GRAPHS["skips"], Hopfield())
    _, (x, s, _) = batches(network, ours)
    x[0, 2, 0] = torch.nan
    drive = ours.circuit.drive(x)
    for solver in (SOR(1e-10, 5000), Damped()):
        found = solver.relax(ours.circuit, drive, s)
        assert found.status[0, 2] is Status.NOT_FINITE
        assert int(found.failed) == 1
        assert "1 not finite: lower the learning rate" in found.message
    found = SOR(1e-10, 3).relax(ours.circuit, drive, s)
    assert found.sweeps.max() == 3
    assert int(found.failed) == 6
    assert "too few sweeps" in found.message


def members(kind, dtype=np.float32, sizes=SIZES):
    """Networks of their own graphs and models; the second does not converge at once."""
    graphs = [layered(sizes), rewire(layered(sizes), 0.4, seed=1), add_intralayer(layered(sizes))]
    models = [WeakFeedback(feedback=f) for f in (1, 0.6, 0.3)]
    return [
        kind(graph, 1.5 * model.initial(graph, seed), None, model, dtype=dtype)
        for seed, (graph, model) in enumerate(zip(graphs, models, strict=True))
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "solver", [SOR(1e-5), SOR(1e-5, 6), Euler(30), Damped(1e-5, 300)], ids=repr
)
def test_an_example_ends_alone_as_it_does_in_a_stack(kind, same, dtype, solver):
    """To the bit, in the free phase and in those that rules ask for."""
    rng = np.random.default_rng(2)
    alone, stack = members(kind, dtype), kind.func.stacked(members(kind, dtype))
    x, s, t = (stack.backend.array(rng.random((3, 7, n)).astype(dtype)) for n in (8, 39, 4))
    beta = stack.backend.each([0.3, -0.2, 0.1])
    nudge = Nudge(2 * beta * t, 2 * beta)
    whole = phases(solver, stack.circuit, x, s, t, nudge)
    for k, network in enumerate(alone):
        part = slice(k, k + 1)
        own = Nudge(nudge.force[part], nudge.curvature[part])
        for found, other in zip(
            phases(solver, network.circuit, x[part], s[part], t[part], own), whole, strict=True
        ):
            same(found, other[part])


def phases(solver, circuit, inputs, start, target, nudge):
    drive = circuit.drive(inputs)
    free = solver.relax(circuit, drive, start)
    nudged = solver.nudge(circuit, drive, free, nudge)
    held = solver.relax(circuit, drive, free.state, Nudge(target, np.inf))
    found = [free.state, free.field, free.residual, free.sweeps]
    return [*found, nudged.state, nudged.sweeps, held.state, held.sweeps]


@pytest.mark.parametrize("width", [60, 300])
def test_layers_cut_into_groups_do_not_tell_members_apart(kind, same, width):
    """A layer is cut where any member has edges inside; that changes nothing for the others."""
    sizes = (8, width, 4)
    alone, stack = members(kind, sizes=sizes), kind.func.stacked(members(kind, sizes=sizes))
    rng = np.random.default_rng(2)
    x, s = (stack.backend.array(rng.random((3, 7, n), np.float32)) for n in (8, width + 4))
    whole = SOR(1e-4).relax(stack.circuit, stack.circuit.drive(x), s)
    for k, network in enumerate(alone):
        part = slice(k, k + 1)
        found = SOR(1e-4).relax(network.circuit, network.circuit.drive(x[part]), s[part])
        same(found.sweeps, whole.sweeps[part])
        same(found.state, whole.state[part])
