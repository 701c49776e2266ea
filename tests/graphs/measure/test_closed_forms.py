"""Metrics where their values are known: cliques, rings, wheels, lattices, multipartite graphs."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.measure import spectra
from smallworld_eqprop.graphs.measure.clustering import (
    average_clustering,
    bipartite_clustering,
    transitivity,
)
from smallworld_eqprop.graphs.measure.degrees import degree_assortativity
from smallworld_eqprop.graphs.measure.distances import (
    characteristic_path_length,
    distance_counts,
    global_efficiency,
    local_efficiency,
    sample_path_length,
)
from smallworld_eqprop.graphs.measure.spectra import (
    algebraic_connectivity,
    largest_eigenvalue,
    spectral_gap,
    spectral_radius,
)

close = pytest.approx


@pytest.mark.parametrize("n", [2, 5, 70])
def test_clique(n: int) -> None:
    graph = nx.complete_graph(n)
    assert characteristic_path_length(graph) == 1
    assert global_efficiency(graph) == 1
    assert spectral_radius(graph) == close(n - 1)
    assert algebraic_connectivity(graph) == close(n)
    assert spectral_gap(graph) == close(n / (n - 1))
    assert math.isnan(degree_assortativity(graph))
    if n > 2:
        assert average_clustering(graph) == transitivity(graph) == local_efficiency(graph) == 1
    if n > 3:
        # Three 4-cycles on every four nodes, twelve paths of length 3: all closed.
        assert bipartite_clustering(graph) == 1


@pytest.mark.parametrize("n", [5, 8, 601])
def test_ring(n: int) -> None:
    graph = nx.cycle_graph(n)
    halves = [min(k, n - k) for k in range(1, n)]
    assert characteristic_path_length(graph) == close(np.mean(halves))
    assert average_clustering(graph) == transitivity(graph) == 0
    assert bipartite_clustering(graph) == 0
    assert spectral_radius(graph) == close(2)
    assert algebraic_connectivity(graph) == close(2 - 2 * math.cos(2 * math.pi / n), abs=1e-9)
    assert spectral_gap(graph) == close(1 - math.cos(2 * math.pi / n), abs=1e-9)


@pytest.mark.parametrize("k", [4, 6])
def test_ring_lattice(k: int) -> None:
    graph = nx.watts_strogatz_graph(80, k, 0, seed=0)
    assert average_clustering(graph) == close(3 * (k - 2) / (4 * (k - 1)))
    assert transitivity(graph) == close(3 * (k - 2) / (4 * (k - 1)))
    hops = [math.ceil(min(distance, 80 - distance) / (k / 2)) for distance in range(1, 80)]
    assert characteristic_path_length(graph) == close(np.mean(hops))
    assert global_efficiency(graph) == close(np.mean(1 / np.array(hops)))


@pytest.mark.parametrize("rim", [5, 12])
def test_wheel(rim: int) -> None:
    graph = nx.wheel_graph(rim + 1)
    hub = 2 / (rim - 1)
    assert average_clustering(graph) == close((hub + rim * 2 / 3) / (rim + 1))
    assert characteristic_path_length(graph) == close(
        (4 * rim + 2 * rim * (rim - 3)) / rim / (rim + 1)
    )
    assert spectral_radius(graph) == close(1 + math.sqrt(1 + rim))


def test_grid() -> None:
    # Unit squares: one for every inner corner; a grid has no triangle.
    graph = nx.grid_2d_graph(4, 5)
    apart = [abs(a - c) + abs(b - d) for a, b in graph for c, d in graph if (a, b) != (c, d)]
    assert characteristic_path_length(graph) == close(np.mean(apart))
    assert transitivity(graph) == 0
    assert bipartite_clustering(graph) == nx.bipartite.robins_alexander_clustering(graph)
    assert algebraic_connectivity(graph) == close(2 - 2 * math.cos(math.pi / 5))


def test_long_and_thin_graphs_need_the_factorisation() -> None:
    n = 3000
    expected = 2 - 2 * math.cos(math.pi / n)
    assert algebraic_connectivity(nx.path_graph(n)) == close(expected, rel=1e-6)
    assert spectral_gap(nx.path_graph(n)) == close(1 - math.cos(math.pi / (n - 1)), rel=1e-6)
    assert spectral_radius(nx.path_graph(n)) == close(2 * math.cos(math.pi / (n + 1)), rel=1e-12)
    # In parts, one of which has a hub.
    parts = nx.disjoint_union(nx.path_graph(600), nx.star_graph(9))
    assert spectral_radius(parts) == close(3)
    weights = 2.5 * nx.to_scipy_sparse_array(nx.path_graph(n))
    assert largest_eigenvalue(weights) == close(5 * math.cos(math.pi / (n + 1)), rel=1e-12)


def test_iteration_and_factorisation_agree(monkeypatch) -> None:
    graph = nx.barabasi_albert_graph(600, 2, seed=0)
    found = []
    for limit in (0, math.inf):
        monkeypatch.setattr(spectra, "THIN", limit)
        found.append((spectral_radius(graph), algebraic_connectivity(graph), spectral_gap(graph)))
    assert found[0] == close(found[1], rel=1e-9)


def test_large_expander_by_iteration() -> None:
    graph = nx.random_regular_graph(6, 700, seed=0)
    matrix = nx.laplacian_matrix(graph).toarray()
    assert algebraic_connectivity(graph) == close(np.linalg.eigvalsh(matrix)[1], abs=1e-9)
    assert spectral_gap(graph) == close(np.linalg.eigvalsh(matrix)[1] / 6, abs=1e-9)
    assert spectral_radius(graph) == close(6)


@pytest.mark.parametrize("sizes", [(3, 4, 5), (2, 2, 2, 2), (1, 1, 6), (30, 40, 50)])
def test_complete_multipartite(sizes: tuple[int, ...]) -> None:
    graph = nx.complete_multipartite_graph(*sizes)
    n = sum(sizes)
    inside = sum(size * (size - 1) for size in sizes)
    assert characteristic_path_length(graph) == close(1 + inside / (n * (n - 1)))
    assert global_efficiency(graph) == close(1 - inside / (2 * n * (n - 1)))
    assert algebraic_connectivity(graph) == close(n - max(sizes))
    # A node of a part of size s has the n - s others; all of their pairs but those of one part
    # are connected.
    joined = [(n - s) * (n - s - 1) - inside + s * (s - 1) for s in sizes]
    pairs = [(n - s) * (n - s - 1) for s in sizes]
    shares = [s * j / p for s, j, p in zip(sizes, joined, pairs, strict=True)]
    assert average_clustering(graph) == close(sum(shares) / n)
    triples = sum(s * p for s, p in zip(sizes, pairs, strict=True))
    assert transitivity(graph) == close(
        sum(s * j for s, j in zip(sizes, joined, strict=True)) / triples
    )


def test_complete_bipartite() -> None:
    graph = nx.complete_bipartite_graph(4, 6)
    assert average_clustering(graph) == transitivity(graph) == 0
    assert bipartite_clustering(graph) == 1
    assert spectral_radius(graph) == close(math.sqrt(24))
    assert spectral_gap(graph) == close(1)
    assert degree_assortativity(graph) == -1


def test_layered_network_has_no_triangles_but_4_cycles() -> None:
    g = layered((6, 5, 4, 3))
    assert average_clustering(g) == transitivity(g) == 0
    assert 0.5 < bipartite_clustering(g) < 1


def test_undefined_is_nan() -> None:
    for metric in (
        characteristic_path_length,
        global_efficiency,
        transitivity,
        bipartite_clustering,
        algebraic_connectivity,
        degree_assortativity,
    ):
        assert math.isnan(metric(nx.empty_graph(1)))
    assert average_clustering(nx.empty_graph(1)) == local_efficiency(nx.empty_graph(1)) == 0


def test_pairs_without_a_path_are_left_out() -> None:
    graph = nx.disjoint_union(nx.complete_graph(3), nx.complete_graph(4))
    assert characteristic_path_length(graph) == 1
    assert distance_counts(graph).tolist() == [7, 6 + 12]
    assert algebraic_connectivity(graph) == 0
    assert math.isnan(characteristic_path_length(graph, [0, 5]))


def test_a_subset_is_measured_in_the_whole_graph() -> None:
    assert characteristic_path_length(nx.path_graph(6), [0, 5]) == 5
    assert distance_counts(nx.path_graph(6), [0], [0, 5]).tolist() == [1, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("nodes", "message"), [([7], "7"), ([-1], "-1"), ([1, 1], "twice"), ([0.5], "float64")]
)
def test_bad_nodes(nodes, message) -> None:
    with pytest.raises(InputError, match=message):
        characteristic_path_length(nx.path_graph(7), nodes)


def test_sample_of_all_sources_is_exact() -> None:
    graph = nx.gnm_random_graph(60, 90, seed=3)
    estimate = sample_path_length(graph, 60, seed=0)
    assert estimate.value == close(characteristic_path_length(graph))
    assert estimate.standard_error == 0
    some = sample_path_length(graph, 20, seed=0, nodes=np.arange(20))
    assert some.value == close(characteristic_path_length(graph, np.arange(20)))


@pytest.mark.parametrize("n_edges", [120, 6000])
def test_standard_error_is_the_spread_of_estimates(n_edges: int) -> None:
    graph = nx.gnm_random_graph(150, n_edges, seed=4)
    estimates = [sample_path_length(graph, 40, seed=seed) for seed in range(200)]
    spread = np.std([estimate.value for estimate in estimates])
    assert np.mean([e.standard_error for e in estimates]) == close(spread, rel=0.25)
    exact = characteristic_path_length(graph)
    inside = [abs(e.value - exact) < 3 * e.standard_error for e in estimates]
    assert np.mean(inside) > 0.95


def test_sampling_is_seeded_and_checked() -> None:
    graph = nx.gnm_random_graph(50, 100, seed=5)
    assert sample_path_length(graph, 7, seed=1) == sample_path_length(graph, 7, seed=1)
    assert sample_path_length(graph, 7, seed=1) != sample_path_length(graph, 7, seed=2)
    drawn = sample_path_length(graph, 7)
    assert sample_path_length(graph, 7, seed=drawn.seed) == drawn
    assert math.isnan(sample_path_length(graph, 1, seed=1).standard_error)
    assert math.isnan(sample_path_length(nx.empty_graph(4), 2, seed=1).value)
    for bad in (0, 51, 2.5):
        with pytest.raises(InputError, match="n_sources"):
            sample_path_length(graph, bad, seed=1)
