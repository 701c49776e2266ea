"""Measures of weights and signs against bctpy, networkx and closed forms."""

from __future__ import annotations

import math

import bct
import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.measure.clustering import average_clustering
from smallworld_eqprop.graphs.measure.degrees import degree_statistics
from smallworld_eqprop.graphs.measure.distances import (
    characteristic_path_length,
    global_efficiency,
    sample_path_length,
)
from smallworld_eqprop.graphs.measure.layer_structure import input_output_path_length
from smallworld_eqprop.graphs.measure.metrics import structure_metrics
from smallworld_eqprop.graphs.measure.weight_table import weight_metrics
from smallworld_eqprop.graphs.measure.weighted import (
    onnela_by_node,
    strengths,
    zhang_by_node,
    zhang_clustering,
)

close = pytest.approx


def weighted_atlas() -> list[np.ndarray]:
    """All graphs of up to five nodes, with weights from 1 / 3 to 1."""
    rng = np.random.default_rng(0)
    matrices = []
    for graph in nx.graph_atlas_g()[1:53]:
        upper = np.triu(nx.to_numpy_array(graph)) * rng.integers(1, 4, (len(graph), len(graph)))
        matrices.append((upper + upper.T) / 3)
    return matrices


def les_miserables() -> np.ndarray:
    """How often thirty of the people meet, as shares of the largest number."""
    graph = nx.les_miserables_graph()
    return nx.to_numpy_array(graph, nodelist=sorted(graph)[:30]) / 31


def with_signs(weights: np.ndarray) -> np.ndarray:
    """Every third edge made negative, in a fixed pattern."""
    rows, columns = np.indices(weights.shape)
    return np.where((rows + columns) % 3 == 0, -weights, weights)


GROUPS = {
    "up to five nodes": weighted_atlas(),
    "karate": [nx.to_numpy_array(nx.karate_club_graph()) / 7],
    "les miserables": [les_miserables()],
}


@pytest.fixture(params=GROUPS)
def group(request) -> list[np.ndarray]:
    return GROUPS[request.param]


def distances(weights: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        found, _ = bct.distance_wei(np.where(weights == 0, 0, 1 / np.abs(weights)))
    return found[~np.eye(len(weights), dtype=bool)]


def test_paths_are_those_of_bctpy_whatever_the_signs(group) -> None:
    for weights in group:
        found = distances(weights)
        joined = found[np.isfinite(found)]
        for given in (weights, with_signs(weights), sparse.csr_array(weights)):
            length = characteristic_path_length(given, weighted=True)
            assert length == close(joined.mean() if joined.size else math.nan, nan_ok=True)
            efficiency = global_efficiency(given, weighted=True)
            assert efficiency == close((1 / found).mean() if found.size else math.nan, nan_ok=True)
        if len(weights) > 1:
            assert global_efficiency(weights, weighted=True) == close(bct.efficiency_wei(weights))


def test_strengths_are_those_of_bctpy(group) -> None:
    for weights in group:
        signed = with_signs(weights)
        positive, negative, all_positive, all_negative = bct.strengths_und_sign(signed.copy())
        found = strengths(signed)
        assert found.positive == close(positive)
        assert found.negative == close(-negative)
        assert (found.positive.sum(), found.negative.sum()) == close((all_positive, -all_negative))
        assert found.net == close(signed.sum(axis=0))
        assert found.total == close(bct.strengths_und(weights))


def test_clusterings_are_those_of_bctpy_and_networkx(group) -> None:
    for weights in group:
        shares = weights / max(weights.max(), 1e-300)
        matrix = sparse.csr_array(weights)
        assert onnela_by_node(matrix) == close(bct.clustering_coef_wu(shares))
        assert zhang_by_node(matrix) == close(
            bct.clustering_coef_wu_sign(shares.copy(), "zhang")[0]
        )
        graph = nx.from_numpy_array(weights)
        assert average_clustering(graph, weighted=True) == close(
            nx.average_clustering(graph, weight="weight")
        )


def test_clusterings_keep_signs(group) -> None:
    for weights in group:
        signed = with_signs(weights)
        shares = signed / max(weights.max(), 1e-300)
        nodes = bct.clustering_coef_wu_sign(shares.copy(), "costantini")
        assert zhang_by_node(sparse.csr_array(signed)) == close(nodes)
        assert zhang_clustering(signed) == close(np.mean(nodes))
        roots = np.cbrt(shares)
        degrees = (signed != 0).sum(axis=1)
        pairs = degrees * (degrees - 1)
        closed = np.diagonal(roots @ roots @ roots)
        expected = np.divide(closed, pairs, out=np.zeros(len(pairs)), where=pairs > 0).mean()
        assert average_clustering(signed, weighted=True) == close(expected)


def test_a_triangle_counts_by_the_product_of_its_signs() -> None:
    triangle = 1.0 - np.eye(3)
    for negative, sign in ((0, 1), (1, -1), (2, 1), (3, -1)):
        signed = triangle.copy()
        for u, v in [(0, 1), (0, 2), (1, 2)][:negative]:
            signed[u, v] = signed[v, u] = -1
        assert average_clustering(signed, weighted=True) == close(sign)
        assert zhang_clustering(signed) == close(sign)


@pytest.mark.parametrize("factor", [1, 1e-3, 250])
def test_equal_weights_are_a_unit(factor) -> None:
    graph = nx.connected_watts_strogatz_graph(30, 4, 0.3, seed=1)
    scaled = nx.to_numpy_array(graph) * factor
    assert characteristic_path_length(scaled, weighted=True) == close(
        characteristic_path_length(graph) / factor
    )
    assert global_efficiency(scaled, weighted=True) == close(global_efficiency(graph) * factor)
    clustering = average_clustering(graph)
    assert average_clustering(scaled, weighted=True) == close(clustering)
    assert zhang_clustering(scaled) == close(clustering)
    assert strengths(scaled).total.mean() == close(degree_statistics(graph).mean * factor)


def test_without_weights_all_is_as_it_was() -> None:
    for graph in (nx.karate_club_graph(), layered((3, 4, 2))):
        plain = nx.Graph(graph.edges) if isinstance(graph, nx.Graph) else graph
        assert characteristic_path_length(plain, weighted=True) == close(
            characteristic_path_length(plain)
        )
        assert average_clustering(plain, weighted=True) == close(average_clustering(plain))
        assert weight_metrics(plain) == {}


def test_a_detour_along_strong_edges_is_shorter() -> None:
    # 0 - 1 directly: 4; by way of 2: 1 + 0.5. The sign of an edge changes nothing.
    g = LayeredGraph((1, 1, 1), [(0, 1), (0, 2), (1, 2)], edge_data={"weight": [0.25, -1, 2]})
    assert characteristic_path_length(g, [0, 1], weighted=True) == 1.5
    assert characteristic_path_length(g, weighted=True) == close((1.5 + 1 + 0.5) / 3)
    assert input_output_path_length(g, weighted=True) == 1
    assert input_output_path_length(g) == 1


def test_sampled_paths_come_with_an_error_that_holds() -> None:
    graph = nx.gnm_random_graph(60, 200, seed=0)
    rng = np.random.default_rng(0)
    nx.set_edge_attributes(graph, {edge: rng.lognormal() for edge in graph.edges}, "weight")
    exact = characteristic_path_length(graph, weighted=True)
    whole = sample_path_length(graph, 60, seed=0, weighted=True)
    assert (whole.value, whole.standard_error) == close((exact, 0.0))
    drawn = [sample_path_length(graph, 20, seed=seed, weighted=True) for seed in range(200)]
    scores = np.array([(each.value - exact) / each.standard_error for each in drawn])
    assert 0.8 < scores.std() < 1.25
    estimate = weight_metrics(graph, seed=0, n_sources=20)
    assert estimate["weighted_path_length"] != exact
    assert abs(estimate["weighted_path_length"] - exact) < (
        5 * estimate["weighted_path_length_standard_error"]
    )


def test_the_table_of_a_graph_with_weights_has_more() -> None:
    g = layered((3, 4, 2))
    signed = LayeredGraph(g.layer_sizes, g.edges, edge_data={"weight": np.linspace(-1, 2, 20)})
    plain, found = structure_metrics(g, seed=0), structure_metrics(signed, seed=0)
    assert list(found)[: len(plain)] == list(plain)
    assert all(found[name] == close(value, nan_ok=True) for name, value in plain.items())
    added = {name: value for name, value in found.items() if name not in plain}
    assert added == weight_metrics(signed, seed=0)
    sizes = np.abs(signed.edge_data["weight"])
    assert added["strength_mean"] == close(2 * sizes.sum() / 9)
    assert added["negative_share"] == close(
        sizes[signed.edge_data["weight"] < 0].sum() / sizes.sum()
    )
    assert added["weighted_clustering"] == added["zhang_clustering"] == 0
    assert added["weighted_path_length"] == characteristic_path_length(signed, weighted=True)
    assert added["weighted_efficiency"] == close(global_efficiency(signed, weighted=True))
    assert added["weighted_input_output_path_length"] == close(
        input_output_path_length(signed, weighted=True)
    )


def test_weights_that_are_missing_leave_the_table_undefined() -> None:
    g = LayeredGraph((1, 1, 1), [(0, 1), (1, 2)], edge_data={"weight": [2, np.nan]})
    found = structure_metrics(g, seed=0)
    assert found["characteristic_path_length"] == close(4 / 3)
    assert math.isnan(found["weighted_path_length"])
    assert math.isnan(found["weighted_input_output_path_length"])
    for measured in (characteristic_path_length, average_clustering, input_output_path_length):
        with pytest.raises(InputError, match="1 of 2 edges have none"):
            measured(g, weighted=True)


def test_no_sources_are_refused() -> None:
    with pytest.raises(InputError, match="n_sources: 0; give at least 1"):
        weight_metrics(2.0 - 2 * np.eye(3), n_sources=0)
