"""Counts of attractors against networks whose fixed points are known."""

from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop import Network, layered, rewire
from smallworld_eqprop.dynamics import SOR, Resistive, WeakFeedback, attractors
from smallworld_eqprop.errors import InputError

NO_INPUT = np.zeros((3, 1))


def pair(coupling: float, bias: float, **options: object) -> Network:
    """A hidden node and an output, which excite each other; the input does nothing."""
    return Network(layered([1, 1, 1]), [0.0, coupling], [bias, bias], **options)


@pytest.mark.parametrize(
    ("coupling", "bias", "expected"),
    [
        (2.0, -0.5, 2),  # s = clip(2 s - 1/2): 0 and 1; 1/2 is not stable
        (0.5, 0.1, 1),  # s = 0.2
        (0.0, 0.3, 1),
        (-2.0, 1.0, 2),  # one is 1 and the other 0
    ],
)
def test_two_nodes(coupling: float, bias: float, expected: int) -> None:
    found = attractors(pair(coupling, bias), NO_INPUT, seed=0)
    assert found.counts.tolist() == [expected] * 3
    assert found.unconverged == 0
    assert found.mean == expected
    assert found.share_of_several == (expected > 1)


def test_one_start_finds_one() -> None:
    found = attractors(pair(2.0, -0.5), NO_INPUT, seed=0, n_starts=1)
    assert found.counts.tolist() == [1, 1, 1]


def test_weak_couplings_have_one() -> None:
    graph = rewire(layered([6, 10, 10, 4]), 0.2, seed=0)
    weights = np.random.default_rng(0).uniform(-0.05, 0.05, graph.n_edges)
    inputs = np.random.default_rng(1).random((5, 6))
    assert attractors(Network(graph, weights), inputs, seed=0).counts.tolist() == [1] * 5


def test_counts_are_those_of_all_corners() -> None:
    # Strong self-consistent states of three nodes at bounds, checked one by one.
    graph = layered([1, 2, 1])
    weights = [0.0, 0.0, 3.0, -3.0]
    network = Network(graph, weights, [-0.2, 1.5, 0.1])
    corners = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, -1).T
    matrix = network.to_sparse().toarray()[1:, 1:]
    settled = [s for s in corners if np.array_equal(np.clip(matrix @ s + network.biases, 0, 1), s)]
    found = attractors(network, NO_INPUT[:1], seed=0, n_starts=100, solver=SOR(tolerance=1e-6))
    assert found.counts.tolist() == [len(settled)]


def test_relaxations_that_end_nowhere_count_for_nothing() -> None:
    graph = rewire(layered([2, 20, 20, 3]), 0.2, seed=0)
    weights = np.random.default_rng(0).normal(0, 1, graph.n_edges)
    solver = SOR(tolerance=1e-7, max_sweeps=1)
    found = attractors(Network(graph, weights), np.ones((2, 2)), seed=0, n_starts=3, solver=solver)
    assert found.unconverged == 6
    assert found.counts.tolist() == [0, 0]


@pytest.mark.parametrize("model", [WeakFeedback(linear_outputs=True), Resistive()])
def test_nodes_without_bounds(model: object) -> None:
    size = 4 if isinstance(model, Resistive) else 2
    graph = layered([size, 3, 2])
    weights = np.full(graph.n_edges, 0.1)
    inputs = np.ones((2, 2))
    assert attractors(Network(graph, weights, model=model), inputs, seed=0).counts.tolist() == [
        1,
        1,
    ]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"n_starts": 0}, "n_starts: 0"),
        ({"n_starts": 1.5}, "n_starts: 1.5"),
        ({"apart": 0}, "apart: 0"),
        ({"inputs": np.ones((2, 3))}, r"inputs: shape \(2, 3\), must be \(batch, 1\)"),
    ],
)
def test_refusals(options: dict, told: str) -> None:
    inputs = options.pop("inputs", NO_INPUT)
    with pytest.raises(InputError, match=told):
        attractors(pair(1.0, 0.0), inputs, seed=0, **options)
