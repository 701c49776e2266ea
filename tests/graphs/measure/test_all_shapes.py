"""All metrics at once on graphs of every shape: each ends soon, with the values of theory."""

from __future__ import annotations

import math
import time

import networkx as nx
import pytest

from smallworld_eqprop.graphs.measure.metrics import structure_metrics

N = 5000
SHAPES = {
    "path": (
        lambda: nx.path_graph(N),
        {
            "characteristic_path_length": (N + 1) / 3,
            "spectral_radius": 2 * math.cos(math.pi / (N + 1)),
            "algebraic_connectivity": 2 - 2 * math.cos(math.pi / N),
            "transitivity": 0,
        },
    ),
    "star": (
        lambda: nx.star_graph(N - 1),
        {
            "characteristic_path_length": 2 - 2 / N,
            "spectral_radius": math.sqrt(N - 1),
            "algebraic_connectivity": 1,
            "degree_assortativity": -1,
        },
    ),
    "complete": (
        lambda: nx.complete_graph(500),
        {
            "characteristic_path_length": 1,
            "local_efficiency": 1,
            "average_clustering": 1,
            "bipartite_clustering": 1,
            "spectral_radius": 499,
            "algebraic_connectivity": 500,
        },
    ),
    "grid": (
        lambda: nx.grid_2d_graph(70, 70),
        {
            # A grid's path length is that of its two paths together, over more pairs.
            "characteristic_path_length": 2 * (70**2 - 1) / (3 * 70) * 70**2 / (70**2 - 1),
            "spectral_radius": 4 * math.cos(math.pi / 71),
            "algebraic_connectivity": 2 - 2 * math.cos(math.pi / 70),
            "average_clustering": 0,
        },
    ),
    "barabasi-albert": (
        lambda: nx.barabasi_albert_graph(N, 3, seed=0),
        {"n_edges": 3 * (N - 3), "reachable_share": 1, "degree_smallest": 3},
    ),
}


@pytest.mark.parametrize("name", SHAPES)
def test_all_metrics_of_every_shape(name: str) -> None:
    make, expected = SHAPES[name]
    graph = make()
    start = time.process_time()
    metrics = structure_metrics(graph)
    # Seconds also where the compiled code is not there yet.
    assert time.process_time() - start < 60
    for metric, value in expected.items():
        assert metrics[metric] == pytest.approx(value, rel=1e-7, abs=1e-9), metric
