from __future__ import annotations

import math

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from smallworld_eqprop.graphs.core.blocks import (
    block_densities,
)
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.graphs.measure.layer_structure import (
    hops_to_output,
    input_output_counts,
    input_output_path_length,
    intralayer_share,
    layer_modularity,
    skip_share,
)
from smallworld_eqprop.graphs.measure.metrics import structure_metrics

sizes = st.lists(st.integers(1, 5), min_size=3, max_size=5)
shares = st.floats(0, 1)
seeds = st.integers(0, 100)


@given(sizes, shares, seeds)
@example([3, 1, 3, 1], 0.3125, 8)  # the output is cut off
def test_against_networkx_and_igraph(sizes, p, seed) -> None:
    g = rewire(add_intralayer(layered(sizes)), p, seed=seed)
    graph = g.to_networkx()
    layers = [set(np.flatnonzero(g.layers == layer)) for layer in range(g.n_layers)]
    assert layer_modularity(g) == pytest.approx(nx.community.modularity(graph, layers), abs=1e-9)
    other = igraph.Graph(n=g.n_nodes, edges=g.edges)
    assert layer_modularity(g) == pytest.approx(other.modularity(g.layers.tolist()), abs=1e-9)
    found = dict(nx.all_pairs_shortest_path_length(graph))
    for node, hops in enumerate(hops_to_output(g)):
        there = [found[node][out] for out in layers[-1] if out in found[node]]
        assert hops == min(there) if there else math.isnan(hops)
    pairs = [found[i][o] for i in layers[0] for o in layers[-1] if o in found[i]]
    mean = np.mean(pairs) if pairs else math.nan  # rewiring may cut all outputs off
    assert input_output_path_length(g) == pytest.approx(mean, nan_ok=True)
    assert input_output_counts(g).tolist() == np.bincount(np.array(pairs, int)).tolist()


def test_layered() -> None:
    g = layered((4, 3, 2, 1))
    assert skip_share(g) == intralayer_share(g) == 0
    assert input_output_path_length(g) == 3
    assert hops_to_output(g).tolist() == (3 - g.layers).tolist()
    densities = block_densities(g)
    assert np.array_equal(densities, densities.T, equal_nan=True)
    assert np.diag(densities, 1).tolist() == [1, 1, 1]
    assert np.diag(densities).tolist()[:3] == [0, 0, 0]
    assert math.isnan(densities[3, 3])


def test_intralayer() -> None:
    g = add_intralayer(layered((4, 3, 2, 1)))
    assert np.diag(block_densities(g)).tolist()[:3] == [0, 1, 1]
    assert intralayer_share(g) == pytest.approx(4 / 24)


def test_skips() -> None:
    g = LayeredGraph((1, 2, 1), [[0, 1], [0, 3]])
    assert skip_share(g) == 0.5
    assert input_output_path_length(g) == 1
    assert math.isnan(hops_to_output(g)[2])
    assert hops_to_output(g)[1] == 2


def test_no_edges() -> None:
    g = LayeredGraph((2, 1), np.empty((0, 2), dtype=int))
    assert math.isnan(skip_share(g))
    assert math.isnan(intralayer_share(g))
    assert math.isnan(layer_modularity(g))
    assert math.isnan(input_output_path_length(g))


def test_structure_metrics() -> None:
    g = rewire(layered((12, 6, 5, 3)), 0.2, seed=0)
    metrics = structure_metrics(g, seed=0)
    graph = g.to_networkx()
    assert metrics["characteristic_path_length"] == pytest.approx(
        nx.average_shortest_path_length(graph)
    )
    assert metrics["density_0_1"] == block_densities(g)[0, 1]
    assert metrics["skip_share"] == skip_share(g)
    assert metrics["path_length_standard_error"] == 0
    assert all(isinstance(value, float) for value in metrics.values())
    plain = structure_metrics(graph, seed=0)
    assert plain == {name: metrics[name] for name in plain}


def test_structure_metrics_by_sampling() -> None:
    g = rewire(layered((30, 20, 20, 5)), 0.2, seed=0)
    exact = structure_metrics(g, seed=0)
    sampled = structure_metrics(g, seed=0, n_sources=40)
    error = sampled["path_length_standard_error"]
    assert abs(sampled["characteristic_path_length"] - exact["characteristic_path_length"]) > 0
    assert (
        abs(sampled["characteristic_path_length"] - exact["characteristic_path_length"]) < 4 * error
    )
    assert list(sampled) == list(exact)


def test_structure_metrics_of_graphs_with_nothing_to_measure() -> None:
    assert structure_metrics(nx.empty_graph(0), seed=0)["n_nodes"] == 0
    lonely = structure_metrics(LayeredGraph((1, 1), np.empty((0, 2), dtype=int)), seed=0)
    assert math.isnan(lonely["characteristic_path_length"])
    assert lonely["hops_to_output"] == 0
