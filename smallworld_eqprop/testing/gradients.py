"""Contracts of rules and of losses: gradients against finite differences."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.models import Hopfield
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.learning.losses import Loss, SquaredError
from smallworld_eqprop.learning.rules import Phases, Rule
from smallworld_eqprop.testing.networks import EXACT, awkward_graphs, draw_inputs, smooth

__all__ = ["check_gradient", "check_loss", "check_rule"]

NAMES = ("weights", "biases")


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
            network = smooth(graph, Hopfield())
            check_gradient(network, rule, loss or SquaredError(), error)
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


def check_gradient(
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


def _phases(network: Network, loss: Loss) -> Phases:
    graph = network.graph
    inputs = draw_inputs(graph)
    targets = np.random.default_rng(4).uniform(0.2, 0.8, (len(inputs), graph.layer_sizes[-1]))
    return Phases.of(network, inputs, targets, EXACT, loss)


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


def _mean_cost(network: Network, phases: Phases) -> float:
    drive = network.circuit.drive(phases.inputs)
    state = EXACT.relax(network.circuit, drive, phases.free.state).state
    return float(phases.loss.cost(state[:, network.output], phases.targets).mean())
