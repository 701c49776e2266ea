from __future__ import annotations

from collections import Counter
from dataclasses import replace

import bct
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.graphs.nulls.weighted import shuffled_weights, strength_preserving

KINDS = ("mixed", "positive", "negative", "full")


def random_weights(n_nodes: int, kind: str, seed: int) -> np.ndarray:
    """Give a symmetric matrix of weights: of either sign, of one sign, or with no free pair."""
    rng = np.random.default_rng(seed)
    there = rng.random((n_nodes, n_nodes)) < (1.0 if kind == "full" else rng.random())
    weights = rng.lognormal(size=(n_nodes, n_nodes))
    signs = {"positive": 1, "negative": -1}.get(kind, rng.choice((-1, 1), (n_nodes, n_nodes)))
    upper = np.triu(there * weights * signs, 1)
    return upper + upper.T


graphs = st.builds(
    random_weights, st.integers(0, 12), st.sampled_from(KINDS), st.integers(0, 10**6)
)


def by_sign(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return np.maximum(matrix, 0), np.maximum(-matrix, 0)


@given(graphs, st.integers(0, 99), st.sampled_from((1, 3)))
def test_degrees_signs_and_weights_are_kept(matrix, seed, n_blocks) -> None:
    blocks = np.arange(len(matrix)) % n_blocks
    one_hot = np.eye(n_blocks)[blocks]
    options = {"blocks": blocks} if n_blocks > 1 else {}
    sample = strength_preserving(matrix, seed=seed, **options)
    found = sample.adjacency(weighted=True).toarray()
    assert np.array_equal(found != 0, sample.adjacency().toarray())
    for before, after in zip(by_sign(matrix), by_sign(found), strict=True):
        assert np.array_equal((before > 0) @ one_hot, (after > 0) @ one_hot)
        for first in range(n_blocks):
            for second in range(n_blocks):
                inside = np.ix_(blocks == first, blocks == second)
                assert np.array_equal(np.sort(before[inside], None), np.sort(after[inside], None))
    u, v = np.nonzero(np.triu(matrix))
    assert np.array_equal(matrix[u, v][sample.origin], sample.weights)
    assert sorted(sample.origin) == list(range(len(u)))
    again = strength_preserving(matrix, seed=seed, **options)
    assert np.array_equal(again.weights, sample.weights)
    assert 0 <= sample.accepted <= sample.attempted


def connectome_like(n_nodes: int = 60, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hubs = rng.lognormal(0, 0.5, n_nodes)
    joined = rng.random((n_nodes, n_nodes)) < 0.2 * np.outer(hubs, hubs) / hubs.mean() ** 2
    upper = np.triu(joined * rng.lognormal(0, 1, (n_nodes, n_nodes)), 1)
    return upper + upper.T


@pytest.mark.filterwarnings("ignore:invalid value")
def test_strengths_are_nearer_than_those_of_bctpy() -> None:
    matrix = connectome_like()
    _, (theirs, *_) = bct.null_model_und_sign(matrix, 2, 0.1, seed=0)
    sample = strength_preserving(matrix, seed=0)
    found = sample.adjacency(weighted=True).toarray().sum(axis=0)
    correlation = np.corrcoef(matrix.sum(axis=0), found)[0, 1]
    assert sample.measured["strength_correlation"] == pytest.approx(correlation)
    assert correlation > max(theirs, 0.995)
    error = np.abs(found - matrix.sum(axis=0)).sum() / matrix.sum()
    assert sample.measured["strength_error"] == pytest.approx(error)
    shuffled = strength_preserving(matrix, seed=0, exchanges_per_edge=0)
    assert shuffled.measured["strength_error"] > 10 * error
    assert sample.mixed
    assert (sample.adjacency().toarray() != (matrix > 0)).any()


def test_both_strengths_of_a_correlation_matrix_are_matched() -> None:
    matrix = np.corrcoef(np.random.default_rng(0).normal(size=(50, 100)))
    np.fill_diagonal(matrix, 0)
    sample = strength_preserving(matrix, seed=0)
    assert sample.mixed
    assert sample.measured["strength_correlation"] > 0.999
    assert sample.measured["negative_strength_correlation"] > 0.999
    found = sample.adjacency(weighted=True).toarray()
    changed = (np.sign(found) != np.sign(matrix)).sum() / found.size
    assert 0.3 < changed < 0.6


def test_strengths_into_every_block_are_matched() -> None:
    matrix = connectome_like()
    blocks = np.repeat(["left", "right"], 30)
    sample = strength_preserving(matrix, seed=0, blocks=blocks)
    assert sample.made["blocks"] == 2
    one_hot = np.eye(2)[np.arange(60) // 30]
    found = sample.adjacency(weighted=True).toarray() @ one_hot
    assert np.corrcoef(found[:, 0], (matrix @ one_hot)[:, 0])[0, 1] > 0.97
    # Without blocks they are not.
    free = strength_preserving(matrix, seed=0).adjacency(weighted=True).toarray() @ one_hot
    assert np.corrcoef(free[:, 0], (matrix @ one_hot)[:, 0])[0, 1] < 0.97


def test_weights_that_fit_exactly_are_found() -> None:
    # The edges stay: the original weights are a perfect answer.
    matrix = connectome_like()
    sample = strength_preserving(matrix, seed=0, switches_per_edge=0)
    assert sample.measured["strength_error"] < 0.02
    assert np.array_equal(sample.adjacency().toarray(), matrix > 0)
    assert not sample.mixed
    full = np.abs(random_weights(20, "full", 0))
    assert strength_preserving(full, seed=0).mixed
    assert not strength_preserving(np.ones((20, 20)) - np.eye(20), seed=0).mixed


def check_uniform(draw, n_states: int, per_state: int = 15) -> None:
    rng = np.random.default_rng(0)
    seen = Counter(draw(rng) for _ in range(max(per_state * n_states, 300)))
    assert len(seen) == n_states
    assert stats.chisquare(list(seen.values())).pvalue > 1e-3


def test_signs_of_a_full_matrix_are_uniform() -> None:
    # The negative edges are one of 12 cycles through five labelled nodes.
    matrix = np.ones((5, 5)) - 2 * nx.to_numpy_array(nx.cycle_graph(5)) - np.eye(5)
    check_uniform(
        lambda rng: strength_preserving(
            matrix, seed=rng, switches_per_edge=20, exchanges_per_edge=0
        ).weights.tobytes(),
        12,
    )


def test_signed_sparse_graphs_are_uniform() -> None:
    # A positive perfect matching of six nodes and a negative one that shares no edge: 15 * 8.
    matrix = np.zeros((6, 6))
    for (u, v), weight in {(0, 1): 1, (2, 3): 1, (4, 5): 1, (1, 2): -1, (3, 4): -1}.items():
        matrix[u, v] = matrix[v, u] = weight
    matrix[0, 5] = matrix[5, 0] = -1

    def draw(rng: np.random.Generator) -> bytes:
        sample = strength_preserving(matrix, seed=rng, switches_per_edge=30, exchanges_per_edge=0)
        return sample.adjacency(weighted=True).toarray().tobytes()

    check_uniform(draw, 120, per_state=10)


def test_shuffled_weights_are_uniform() -> None:
    matrix = np.zeros((5, 5))
    for place, weight in enumerate((1, 2, -3, -4)):
        matrix[place, place + 1] = matrix[place + 1, place] = weight
    check_uniform(lambda rng: shuffled_weights(matrix, seed=rng).weights.tobytes(), 24)
    check_uniform(
        lambda rng: shuffled_weights(matrix, seed=rng, keep_signs=True).weights.tobytes(), 4
    )
    # Edges 0-1 and 1-2 are in one block, 2-3 joins two, 3-4 is in the other.
    blocks = [0, 0, 0, 1, 1]
    check_uniform(
        lambda rng: shuffled_weights(matrix, seed=rng, blocks=blocks).weights.tobytes(), 2
    )


@given(graphs, st.integers(0, 99))
def test_shuffling_keeps_edges_and_weights(matrix, seed) -> None:
    sample = shuffled_weights(matrix, seed=seed, keep_signs=True)
    found = sample.adjacency(weighted=True).toarray()
    assert np.array_equal(np.sign(found), np.sign(matrix))
    assert np.array_equal(np.sort(found, None), np.sort(matrix, None))
    values = [side[side > 0] for side in by_sign(np.triu(matrix))]
    assert sample.mixed == any(len(np.unique(each)) > 1 for each in values)


def test_all_data_of_an_edge_go_where_its_weight_goes() -> None:
    g = rewire(add_intralayer(layered((5, 6, 4))), 0.3, seed=0)
    numbers = np.arange(g.n_edges)
    data = {"weight": np.linspace(-1, 3, g.n_edges), "number": numbers, "name": numbers.astype(str)}
    g = LayeredGraph(g.layer_sizes, g.edges, edge_data=data)
    for model in (strength_preserving, shuffled_weights):
        sample = model(g, seed=1, blocks=g.layers)
        found = sample.applied_to(g)
        assert np.array_equal(found.edges, sample.edges)
        assert np.array_equal(found.edge_data["number"], sample.origin)
        assert np.array_equal(found.edge_data["weight"], sample.weights)
        assert found.edge_data["name"].tolist() == sample.origin.astype(str).tolist()
        step = found.provenance[-1]
        assert (step["step"], step["seed"], step["blocks"]) == (model.__name__, 1, 3)
    assert found != strength_preserving(g, seed=1).applied_to(g)


def test_graphs_without_weights_and_edges_of_weight_0() -> None:
    ring = nx.cycle_graph(8)
    sample = strength_preserving(ring, seed=0)
    assert sample.weights.tolist() == [1.0] * 8
    assert np.isnan(sample.measured["strength_correlation"])
    assert sample.measured["strength_error"] == 0
    assert not shuffled_weights(ring, seed=0).mixed
    g = LayeredGraph((1, 2), [(0, 1), (0, 2)], edge_data={"weight": [0, 2]})
    assert sorted(shuffled_weights(g, seed=0).weights) == [0, 2]
    assert len(strength_preserving(np.zeros((3, 3)), seed=0).edges) == 0


def test_samples_stay_connected_where_asked() -> None:
    path = np.diag(np.arange(1.0, 12), 1)
    path += path.T
    for seed in range(5):
        sample = strength_preserving(path, seed=seed, connected=True)
        assert nx.is_connected(nx.from_scipy_sparse_array(sample.adjacency()))
    assert sample.made["connected"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"exchanges_per_edge": -1}, "exchanges_per_edge: -1; give a number from 0 up"),
        ({"switches_per_edge": np.inf}, "switches_per_edge: inf"),
        ({"blocks": [0, 1]}, r"blocks: an array of shape \(2,\) .* for each of 8 nodes"),
        ({"blocks": np.linspace(0, 1, 8)}, "blocks: .* float64; give a whole number"),
        ({"connected": True, "blocks": np.arange(8)}, "not with blocks or negative weights"),
        ({"seed": -1}, "seed: -1"),
    ],
)
def test_bad_arguments(options, message) -> None:
    with pytest.raises(InputError, match=message) as caught:
        strength_preserving(nx.cycle_graph(8), **options)
    assert "\n" not in str(caught.value)


def test_missing_weights_are_refused() -> None:
    g = LayeredGraph((1, 2), [(0, 1), (0, 2)], edge_data={"weight": [np.nan, 2]})
    for model in (strength_preserving, shuffled_weights):
        with pytest.raises(InputError, match="1 of 2 edges have no value"):
            model(g, seed=0)
    assert replace(g, edge_data={}) == shuffled_weights(replace(g, edge_data={})).applied_to(g)
