"""Sweeps on torch: those of NumPy, whoever else is in the stack."""

from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.devices import on_device
from smallworld_eqprop.dynamics.models import Hopfield, WeakFeedback
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.sweeps import Sweeps
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.learning.losses import CrossEntropy, SquaredError
from smallworld_eqprop.learning.rules import Centred, Phases

SIZES = (8, 20, 15, 4)
BETAS = (0.3, -0.1)
READOUTS = {
    "hopfield": Hopfield(readout=True),
    "weak feedback": WeakFeedback(-1, 1, feedback=0.3, readout=True),
}

pytestmark = pytest.mark.torch


def host(tensor):
    """A tensor of a single network as a NumPy array, without the dimension of members."""
    return tensor[0].cpu().numpy()


def phase(network, batch=5, seed=3):
    """A circuit, its drive, a start and targets, as NumPy arrays."""
    rng = np.random.default_rng(seed)
    circuit = network.circuit
    inputs = rng.random((batch, network.n_inputs)).astype(network.dtype)
    start = circuit.clip(rng.random((batch, network.n_free)).astype(network.dtype))
    target = rng.random((batch, network.graph.layer_sizes[-1])).astype(network.dtype)
    return circuit, circuit.drive(inputs), start, target


def compare(torch, network, device, solver, tolerance):
    """Free sweeps, nudged ones as states and as deviations, outputs held: as with NumPy."""
    circuit, drive, start, target = phase(network)
    ours = on_device(network, device).circuit
    x, s, t = (torch.from_numpy(each)[None].to(device) for each in (drive, start, target))
    close = {"atol": tolerance, "rtol": tolerance}
    free, freed = solver.relax(circuit, drive, start), solver.relax(ours, x, s)
    assert np.array_equal(host(s), start)
    assert np.array_equal(host(freed.sweeps), free.sweeps)
    for name in ("state", "field", "residual"):
        np.testing.assert_allclose(host(getattr(freed, name)), getattr(free, name), **close)
    nudges = [Nudge(2 * beta * target, 2 * beta) for beta in BETAS]
    # As in training, where every member has a beta of its own.
    betas = [torch.full((1, 1, 1), beta, dtype=t.dtype, device=device) for beta in BETAS]
    same = [Nudge(2 * beta * t, 2 * beta) for beta in betas]
    for one, other in zip(nudges, same, strict=True):
        nudged, again = solver.relax(circuit, drive, start, one), solver.relax(ours, x, s, other)
        np.testing.assert_allclose(host(again.state), nudged.state, **close)
    for ones, others in (
        (nudges, same),
        (nudges[:1], same[:1]),
        ([Nudge(target, np.inf)], [Nudge(t, np.inf)]),
    ):
        expected, failed = solver.deviations(circuit, drive, free, ones)
        found, fails = solver.deviations(ours, x, freed, others)
        assert int(fails) == failed
        for one, other in zip(expected, found, strict=True):
            np.testing.assert_allclose(host(other), one, **close)


@pytest.mark.parametrize("count", [1, 3])
def test_sweeps_are_those_of_numpy(torch, torch_device, any_network, count):
    compare(torch, any_network.network(), torch_device, Sweeps(count), 1e-11)


def test_sweeps_are_those_of_numpy_in_single_precision(torch, torch_device, any_model):
    compare(torch, any_model.network(np.float32), torch_device, Sweeps(2), 2e-5)


def test_sweeps_to_a_tolerance_are_those_of_numpy(torch, torch_device, varied_network):
    solver = Sweeps(2000, tolerance=1e-12)
    compare(torch, varied_network.convex().network(), torch_device, solver, 1e-9)


def test_few_sweeps_tell_that_a_tolerance_was_missed(torch, torch_device):
    network = made(layered(SIZES), Hopfield(), 0)
    circuit, drive, start, target = phase(network)
    ours = on_device(network, torch_device).circuit
    x, s, t = (torch.from_numpy(each)[None].to(torch_device) for each in (drive, start, target))
    solver = Sweeps(3, tolerance=1e-9)
    free, freed = solver.relax(circuit, drive, start), solver.relax(ours, x, s)
    assert free.failed == int(freed.failed) == 5
    nudges = Nudge(2 * target, 2.0), Nudge(2 * t, 2.0)
    _, failed = solver.deviations(circuit, drive, free, [nudges[0]])
    _, fails = solver.deviations(ours, x, freed, [nudges[1]])
    assert failed == int(fails) > 0


@pytest.mark.parametrize("loss", [SquaredError(), CrossEntropy()], ids=repr)
@pytest.mark.parametrize("model", READOUTS.values(), ids=READOUTS)
@pytest.mark.parametrize("p", [0, 0.4])
def test_outputs_outside_the_energy_teach_as_with_numpy(torch, torch_device, p, model, loss):
    network = made(rewire(layered(SIZES), p, seed=1), model, 0, np.float64)
    circuit, drive, start, target = phase(network)
    ours = on_device(network, torch_device)
    x, s, t = (torch.from_numpy(each)[None].to(torch_device) for each in (drive, start, target))
    inputs = np.random.default_rng(1).random((5, network.n_inputs))
    for solver in (Sweeps(1), Sweeps(3), Sweeps(500, tolerance=1e-13)):
        rule = Centred(0.1, solver)
        free, freed = solver.relax(circuit, drive, start), solver.relax(ours.circuit, x, s)
        np.testing.assert_allclose(host(freed.state), free.state, atol=1e-11)
        np.testing.assert_allclose(host(freed.residual), free.residual, atol=1e-11)
        expected = rule.contrast(Phases(circuit, inputs, target, drive, free, loss))
        seen = torch.from_numpy(inputs)[None].to(torch_device)
        found = rule.contrast(Phases(ours.circuit, seen, t, x, freed, loss))
        one, other = network.edge_gradient(expected), ours.edge_gradient(found)
        assert np.abs(one.weights).max() > 1e-3
        np.testing.assert_allclose(other.weights, one.weights, atol=1e-10)
        np.testing.assert_allclose(other.biases, one.biases, atol=1e-10)


def test_outputs_outside_the_energy_are_not_nudged(torch, torch_device):
    ours = on_device(made(layered(SIZES), Hopfield(readout=True), 0), torch_device).circuit
    state = torch.zeros((1, 2, 39), device=torch_device)
    for nudge in (Nudge(state[..., ours.output], 0.1), Nudge(state[..., ours.output], np.inf)):
        for solver in (Sweeps(2), SOR()):
            with pytest.raises(InputError, match="outside the energy"):
                solver.relax(ours, state, state, nudge)


def test_deviations_keep_what_the_difference_of_two_states_would_lose(torch, torch_device):
    """A node between its bounds moves as its field does, however little that is."""
    network = made(layered(SIZES), WeakFeedback(feedback=1e-4, linear_outputs=True), 0)
    _, drive, start, target = phase(network, batch=20)
    ours = on_device(network, torch_device).circuit
    x, s, t = (torch.from_numpy(each)[None].to(torch_device) for each in (drive, start, target))
    solver, scale = Sweeps(2), 1e-9
    free = solver.relax(ours, x, s)
    (found,), _ = solver.deviations(ours, x, free, [Nudge(scale * t, 0.0)])
    # The outputs are linear: all of the force arrives there. What comes back is far smaller.
    np.testing.assert_allclose(host(found)[:, ours.output], scale * target, rtol=1e-2)
    middle = network.rows[2]
    expected = scale * target @ host(ours.inner)[ours.output, middle]
    field = host(free.field)[:, middle]
    moves = (field > 1e-3) & (field < 1 - 1e-3)
    assert moves.sum() > 20
    np.testing.assert_allclose(host(found)[:, middle][moves], expected[moves], rtol=1e-2)


def made(graph, model, seed, dtype=np.float32):
    network = Network(graph, model=model, dtype=dtype, seed=seed)
    network.biases = np.random.default_rng(seed).uniform(0, 0.4, network.n_free)
    return network


@pytest.mark.parametrize("solver", [Sweeps(1), Sweeps(3), Sweeps(40, tolerance=1e-4)], ids=repr)
def test_a_member_of_a_stack_sweeps_as_it_does_alone(torch, torch_device, same, solver):
    graphs = [layered(SIZES), rewire(layered(SIZES), 0.4, seed=1), add_intralayer(layered(SIZES))]
    models = [WeakFeedback(feedback=0.1), WeakFeedback(linear_outputs=True), Hopfield(-1, 1)]
    alone, together = (
        [
            on_device(made(graph, model, seed), torch_device)
            for seed, (graph, model) in enumerate(zip(graphs, models, strict=True))
        ]
        for _ in range(2)
    )
    stack = type(alone[0]).stacked(together)
    rng = np.random.default_rng(2)
    x, s, t = (
        torch.from_numpy(rng.random((3, 7, n), np.float32)).to(torch_device) for n in (8, 39, 4)
    )
    beta = torch.tensor([0.3, -0.2, 0.1], device=torch_device)[:, None, None]
    whole = phases(solver, stack.circuit, x, s, t, beta)
    for k, network in enumerate(alone):
        part = slice(k, k + 1)
        found = phases(solver, network.circuit, x[part], s[part], t[part], beta[part])
        for one, other in zip(found, whole, strict=True):
            same(one, other[part])


def phases(solver, circuit, inputs, start, target, beta):
    drive = circuit.drive(inputs)
    free = solver.relax(circuit, drive, start)
    nudges = [Nudge(2 * sign * beta * target, 2 * sign * beta) for sign in (1, -1)]
    found, failed = solver.deviations(circuit, drive, free, nudges)
    return free.state, free.field, free.residual, free.sweeps, failed, *found
