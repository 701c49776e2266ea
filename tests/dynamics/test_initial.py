from __future__ import annotations

import numpy as np
import pytest

from smallworld_eqprop.dynamics.initial import initial_weights
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

GRAPH = rewire(add_intralayer(layered((60, 40, 30, 20))), 0.3, seed=0)


def assert_uniform(weights, amplitude):
    """On (-a, a), by range and first two moments."""
    n = len(weights)
    assert np.abs(weights).max() <= amplitude * (1 + 1e-6)
    assert np.abs(weights).max() > amplitude * (1 - 10 / n)
    assert abs(weights.mean()) < 5 * amplitude / np.sqrt(3 * n)
    np.testing.assert_allclose(weights.std(), amplitude / np.sqrt(3), rtol=3 / np.sqrt(n))


def test_amplitude_follows_the_sizes_of_adjacent_layers():
    weights = initial_weights(GRAPH, seed=1)
    assert weights.shape == (GRAPH.n_edges,)
    assert weights.dtype == np.float32
    lower = GRAPH.layers[GRAPH.edges[:, 0]]
    for layer, amplitude in enumerate(np.sqrt([6 / 100, 6 / 70, 6 / 50])):
        assert_uniform(weights[GRAPH.interlayer & (lower == layer)], amplitude)


@pytest.mark.parametrize(("given", "amplitude"), [(None, None), (0.05, 0.05), (2.0, 2.0)])
def test_other_edges_share_one_amplitude(given, amplitude):
    if amplitude is None:
        amplitude = np.sqrt([6 / 100, 6 / 70, 6 / 50]).mean()
    weights = initial_weights(GRAPH, seed=1, other_amplitude=given)
    assert_uniform(weights[GRAPH.skip], amplitude)
    assert_uniform(weights[GRAPH.intralayer], amplitude)


@pytest.mark.parametrize(
    ("sizes", "published"),
    [((784, 500, 500, 500, 10), 0.0829), ((784, 100, 100, 100, 100, 100, 10), 0.168)],
)
def test_other_amplitude_of_the_published_networks(sizes, published):
    u, v = np.divmod(np.arange(100 * 100), 100)
    graph = LayeredGraph(sizes, np.column_stack((u, 784 + sizes[1] + v)))
    weights = initial_weights(graph, seed=0)
    np.testing.assert_allclose(np.abs(weights).max(), published, rtol=3e-3)


def test_edges_inside_the_output_layer_are_other_edges():
    graph = LayeredGraph((2, 2), [(0, 1), (0, 2), (2, 3)])
    weights = initial_weights(graph, seed=0, other_amplitude=0)
    assert weights[[0, 2]].tolist() == [0, 0]
    assert weights[1] != 0


def test_other_amplitude_leaves_adjacent_layers_alone():
    one, other = (initial_weights(GRAPH, seed=1, other_amplitude=a) for a in (0, 0.5))
    assert np.array_equal(one[GRAPH.interlayer], other[GRAPH.interlayer])
    assert not one[~GRAPH.interlayer].any()


def test_seeds():
    first = initial_weights(GRAPH, seed=3)
    assert np.array_equal(first, initial_weights(GRAPH, seed=3))
    rng = np.random.default_rng(3)
    assert np.array_equal(first, initial_weights(GRAPH, seed=rng))
    assert not np.array_equal(first, initial_weights(GRAPH, seed=rng))
    assert not np.array_equal(first, initial_weights(GRAPH, seed=4))


@pytest.mark.parametrize("value", [-0.1, float("nan"), float("inf")])
def test_impossible_amplitudes_are_refused(value):
    with pytest.raises(InputError, match=r"^other_amplitude: .*at least 0"):
        initial_weights(GRAPH, seed=0, other_amplitude=value)
