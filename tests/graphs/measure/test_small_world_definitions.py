"""Small-world coefficients against their papers: graphs in parts, lattices, weights, networkx."""

from __future__ import annotations

import math

import networkx as nx
import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.smallworld import (
    small_world_coefficients,
    small_world_omega,
    small_world_propensity,
    small_world_sigma,
)
from smallworld_eqprop.graphs.measure.weighted import onnela_clustering
from smallworld_eqprop.graphs.measure.weighted_paths import mean_inverse_path, mean_path

CLIQUES = nx.disjoint_union_all([nx.complete_graph(4)] * 50)
TRIANGLES = nx.disjoint_union_all([nx.complete_graph(3)] * 30)


def clustering_by_onnela(weights: np.ndarray) -> float:
    degree = (weights > 0).sum(axis=1)
    roots = np.cbrt(weights / weights.max())
    closed = np.diagonal(roots @ roots @ roots)
    pairs = degree * (degree - 1)
    return float(np.mean(np.divide(closed, pairs, out=np.zeros(len(pairs)), where=pairs > 0)))


def length(weights: np.ndarray) -> float:
    lengths = np.divide(1, weights, out=np.zeros(weights.shape), where=weights > 0)
    found = shortest_path(lengths, directed=False)[~np.eye(len(weights), dtype=bool)]
    return float(found[np.isfinite(found)].mean())


def propensity_of_muldoon(weights: np.ndarray, n_null: int, seed: int) -> float:
    """Propensity by dense matrices, written from the paper and from nothing else."""
    rng = np.random.default_rng(seed)
    n = len(weights)
    above = np.triu_indices(n, 1)
    nulls = []
    for _ in range(n_null):
        null = np.zeros((n, n))
        null[above] = rng.permutation(weights[above])
        nulls.append(null + null.T)
    lattice = np.zeros((n, n))
    ranked = np.sort(weights[above][weights[above] > 0])[::-1]
    for apart in range(math.ceil(len(ranked) / n)):
        ring = ranked[apart * n : (apart + 1) * n]
        for node, weight in zip(rng.permutation(n), ring, strict=False):
            other = (node + apart + 1) % n
            lattice[node, other] = lattice[other, node] = weight
    c_rand = np.mean([clustering_by_onnela(null) for null in nulls])
    l_rand = np.mean([length(null) for null in nulls])
    c_latt, l_latt = clustering_by_onnela(lattice), length(lattice)
    deviations = np.clip(
        [
            (c_latt - clustering_by_onnela(weights)) / (c_latt - c_rand),
            (length(weights) - l_rand) / (l_latt - l_rand),
        ],
        0,
        1,
    )
    return float(1 - np.linalg.norm(deviations) / math.sqrt(2))


def correlations(threshold: float) -> np.ndarray:
    # An odd number of nodes, so that no place on the ring has a single opposite one.
    rng = np.random.default_rng(0)
    series = rng.normal(size=(49, 40)) + np.repeat(rng.normal(size=(7, 40)), 7, axis=0)
    weights = np.abs(np.corrcoef(series))
    np.fill_diagonal(weights, 0)
    return np.where(weights > threshold, weights, 0)


@pytest.mark.parametrize("graph", [CLIQUES, TRIANGLES], ids=["cliques", "triangles"])
def test_a_graph_in_parts_has_no_coefficients(graph) -> None:
    size = nx.average_degree_connectivity(graph).popitem()[0] + 1
    found = small_world_coefficients(graph, seed=0, n_null=2)
    for each in found.values():
        assert math.isnan(each.value)
        assert "the graph is not connected" in each.reason
        assert each.reachable_share == pytest.approx((size - 1) / (len(graph) - 1))
        assert not each.connected


def test_conventions_for_graphs_in_parts() -> None:
    # Each part by itself is complete: no longer and no less clustered than a lattice.
    alone = small_world_coefficients(CLIQUES, seed=0, n_null=2, disconnected="largest_component")
    assert alone["sigma"].value == 1
    assert alone["omega"].value == 0
    assert math.isnan(alone["propensity"].value)
    assert alone["propensity"].disconnected == "largest_component"
    # By harmonic means fragments are long: as clustered as the lattice and longer, one deviation
    # is 0 and the other 1.
    whole = small_world_coefficients(CLIQUES, seed=0, n_null=2, disconnected="harmonic")
    assert whole["propensity"].value == pytest.approx(1 - math.sqrt(0.5))
    assert -1 <= whole["omega"].value < -0.9
    assert whole["omega"].reachable_share < 0.02 < 0.9 < whole["omega"].null_reachable_share


@pytest.mark.parametrize("weighted", [False, True])
def test_harmonic_is_the_mean_of_a_connected_graph_without_longer_paths(weighted) -> None:
    graph = nx.complete_graph(6)
    if weighted:
        nx.set_edge_attributes(graph, 1.0, "weight")
    plain, harmonic = (
        small_world_sigma(graph, seed=0, n_null=1, disconnected=convention).value
        for convention in ("undefined", "harmonic")
    )
    assert plain == harmonic == 1


def test_null_samples_in_parts_are_told() -> None:
    graph = nx.cycle_graph(30)
    graph.add_edge(0, 2)
    held = small_world_sigma(graph, seed=0, n_null=5)
    assert held.connected
    assert held.null_reachable_share == 1
    free = small_world_sigma(graph, seed=0, n_null=5, connected=False)
    assert math.isnan(free.value)
    assert "of 5 null samples are not connected" in free.reason
    assert free.reachable_share == 1 > free.null_reachable_share


def test_a_largest_component_has_no_layers() -> None:
    g = LayeredGraph((2, 2, 2), [[0, 2], [1, 3], [2, 4], [3, 5]])
    for null in ("layer_blocks", "layer_blocks_with_degrees"):
        with pytest.raises(InputError, match="largest_component has no layers"):
            small_world_sigma(g, seed=0, null=null, disconnected="largest_component")


@pytest.mark.parametrize(
    ("graph", "lowest"),
    [
        (nx.watts_strogatz_graph(500, 10, 0), -0.95),
        (nx.watts_strogatz_graph(1000, 10, 0), -0.97),
        (nx.connected_caveman_graph(20, 6), -0.8),
    ],
    ids=["ring 500", "ring 1000", "caveman"],
)
def test_omega_of_lattices_is_near_minus_one_and_never_below(graph, lowest) -> None:
    found = small_world_omega(graph, seed=0, n_null=2)
    assert -1 <= found.value < -0.6
    assert found.value >= lowest
    assert found.settled
    assert found.lattice == "degree_preserving_lattice"


@pytest.mark.parametrize(
    ("graph", "own_lattice"),
    [
        (nx.connected_caveman_graph(4, 4), True),
        (nx.watts_strogatz_graph(24, 4, 0), True),
        (nx.gnm_random_graph(20, 50, seed=0), False),
    ],
    ids=["caveman", "ring", "random"],
)
def test_omega_beside_that_of_networkx(graph, own_lattice) -> None:
    theirs = nx.omega(graph, niter=2, nrand=2, seed=0)
    found = small_world_omega(graph, seed=0).value
    # The same where the graph is the most clustered one with its degrees. Elsewhere the lattices of
    # networkx are less clustered than those here, so that its omega is lower.
    if own_lattice:
        assert found == pytest.approx(theirs, abs=0.06)
    else:
        assert theirs - 0.06 < found <= 1


def test_propensity_is_that_of_the_paper() -> None:
    for threshold in (0.0, 0.25):
        weights = correlations(threshold)
        expected = propensity_of_muldoon(weights, 10, seed=1)
        found = small_world_propensity(weights, seed=0)
        assert found.value == pytest.approx(expected, abs=0.02)
        assert (found.weighted, found.null, found.lattice) == (True, "erdos_renyi", "ring_lattice")
        # Without weights a complete graph is nothing between lattice and random graph.
        binary = small_world_propensity(weights, seed=0, weighted=False)
        assert math.isnan(binary.value) == (threshold == 0)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_propensity_of_a_graph_without_weights(seed: int) -> None:
    graph = nx.barabasi_albert_graph(300, 3, seed=seed)
    found = small_world_propensity(graph, seed=0)
    assert found.value == pytest.approx(
        propensity_of_muldoon(nx.to_numpy_array(graph), 5, seed=0), abs=0.01
    )
    assert 0.33 < found.value < 0.39
    assert not found.weighted
    equal = small_world_propensity(7 * nx.to_numpy_array(graph), seed=0)
    assert equal.value == pytest.approx(found.value)


@pytest.mark.parametrize("graph", [nx.star_graph(20), nx.balanced_tree(2, 5), nx.complete_graph(9)])
def test_where_the_lattice_is_no_other_end_of_the_scale(graph) -> None:
    for null in ("erdos_renyi", "degree_preserving"):
        found = small_world_propensity(graph, seed=0, n_null=3, null=null)
        assert math.isnan(found.value)
        assert "the lattice is not more clustered" in found.reason


def test_weights_that_cannot_count_are_refused() -> None:
    weights = correlations(0.25)
    with pytest.raises(InputError, match="'bipartite' does not use weights"):
        small_world_propensity(weights, seed=0, clustering="bipartite")
    with pytest.raises(InputError, match="negative"):
        small_world_propensity(np.negative(weights), seed=0)
    binary = small_world_propensity(
        weights, seed=0, n_null=2, clustering="bipartite", weighted=False
    )
    assert not binary.weighted


def test_weights_of_a_layered_graph_count() -> None:
    rng = np.random.default_rng(0)
    graph = nx.watts_strogatz_graph(40, 6, 0.1, seed=0)
    for *_, data in graph.edges(data=True):
        data["weight"] = rng.uniform(0.1, 1)
    g = LayeredGraph.from_networkx(graph, [0], [20])
    assert g.n_nodes == 40
    found = [small_world_propensity(each, seed=0, n_null=20).value for each in (graph, g)]
    assert found[0] == pytest.approx(found[1], abs=0.05)
    g = LayeredGraph(g.layer_sizes, g.edges, edge_data={"weight": np.zeros(g.n_edges)})
    assert math.isnan(small_world_propensity(g, seed=0, n_null=1).value)


def test_a_coefficient_carries_its_seed() -> None:
    graph = nx.watts_strogatz_graph(60, 6, 0.1, seed=0)
    found = small_world_sigma(graph, n_null=2)
    assert small_world_sigma(graph, n_null=2, seed=found.seed) == found
    assert small_world_sigma(graph, n_null=2, seed=np.random.default_rng(0)).seed is None


@pytest.mark.parametrize("seed", range(3))
def test_weighted_measures_are_those_of_networkx(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = nx.gnm_random_graph(20, 30, seed=seed)
    for *_, data in graph.edges(data=True):
        data["weight"] = rng.uniform(0.1, 3)
        data["length"] = 1 / data["weight"]
    matrix = sparse.csr_array(nx.to_scipy_sparse_array(graph))
    assert onnela_clustering(matrix) == pytest.approx(nx.average_clustering(graph, weight="weight"))
    apart = dict(nx.all_pairs_dijkstra_path_length(graph, weight="length"))
    found = [apart[u][v] for u in graph for v in apart[u] if u != v]
    assert mean_path(matrix) == pytest.approx(np.mean(found))
    assert mean_inverse_path(matrix) == pytest.approx(sum(1 / np.array(found)) / (20 * 19))
