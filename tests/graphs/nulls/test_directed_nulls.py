from __future__ import annotations

from collections import Counter
from itertools import product

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.nulls.directed import (
    directed_degree_preserving,
    reciprocity_preserving,
)

MODELS = (directed_degree_preserving, reciprocity_preserving)


def random_arcs(n_nodes: int, signed: bool, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    there = rng.random((n_nodes, n_nodes)) < rng.random()
    signs = rng.choice((-1, 1), there.shape) if signed else 1
    weights = there * signs * rng.lognormal(size=there.shape)
    np.fill_diagonal(weights, 0)
    return weights


digraphs = st.builds(random_arcs, st.integers(0, 10), st.booleans(), st.integers(0, 10**6))


def kinds(matrix: np.ndarray) -> list[np.ndarray]:
    """Arcs by sign and by the sign of the arc that answers each."""
    signs = np.sign(matrix)
    return [(signs == sign) & (answer == signs.T) for sign in (1, -1) for answer in (0, 1, -1)]


@given(digraphs, st.integers(0, 99), st.sampled_from((1, 2)))
def test_degrees_and_weights_are_kept(matrix, seed, n_blocks) -> None:
    one_hot = np.eye(n_blocks)[np.arange(len(matrix)) % n_blocks]
    options = {"blocks": np.arange(len(matrix)) % n_blocks} if n_blocks > 1 else {}
    for model in MODELS:
        sample = model(matrix, seed=seed, **options)
        found = sample.adjacency(weighted=True).toarray()
        assert np.array_equal(found != 0, sample.adjacency().toarray())
        assert np.array_equal(np.sort(found, None), np.sort(matrix, None))
        assert not found.diagonal().any()
        assert np.array_equal(model(matrix, seed=seed, **options).weights, sample.weights)
        sides = [(np.sign(matrix) == sign, np.sign(found) == sign) for sign in (1, -1)]
        if model is reciprocity_preserving:
            sides += list(zip(kinds(matrix), kinds(found), strict=True))
        else:
            # Arcs keep the nodes where they begin, with their weights.
            assert np.array_equal(np.sort(matrix, axis=1), np.sort(found, axis=1))
        for before, after in sides:
            assert np.array_equal(before @ one_hot, after @ one_hot)
            assert np.array_equal(before.T @ one_hot, after.T @ one_hot)


def states(n_nodes: int, kept) -> int:
    """How many directed graphs share what `kept` gives of the one that `kept` knows."""
    places = [(u, v) for u in range(n_nodes) for v in range(n_nodes) if u != v]
    count = 0
    for bits in product((0, 1), repeat=len(places)):
        matrix = np.zeros((n_nodes, n_nodes), dtype=int)
        matrix[tuple(np.transpose(places))] = bits
        count += kept(matrix)
    return count


def same_degrees(matrix: np.ndarray):
    return lambda other: (
        np.array_equal(matrix.sum(axis=0), other.sum(axis=0))
        and np.array_equal(matrix.sum(axis=1), other.sum(axis=1))
    )  # fmt: skip


def same_reciprocity(matrix: np.ndarray):
    both = (matrix * matrix.T).sum(axis=0)
    same = same_degrees(matrix)
    return lambda other: same(other) and np.array_equal((other * other.T).sum(axis=0), both)


def check_uniform(model, matrix: np.ndarray, n_states: int, *, per_state: int = 15) -> None:
    rng = np.random.default_rng(0)
    seen = Counter(
        model(matrix, seed=rng, switches_per_edge=100).arcs.tobytes()
        for _ in range(max(per_state * n_states, 300))
    )
    assert len(seen) == n_states
    assert stats.chisquare(list(seen.values())).pvalue > 1e-3


ARCS = {
    # Two arcs could not be switched here; three can.
    "a cycle of three": [(0, 1), (1, 2), (2, 0)],
    "a cycle of four": [(0, 1), (1, 2), (2, 3), (3, 0)],
    "uneven": [(0, 1), (1, 0), (1, 2), (2, 3), (3, 1)],
    "dense": [(0, 1), (1, 0), (1, 2), (2, 1), (2, 3), (3, 0), (0, 2), (3, 1)],
}


@pytest.mark.parametrize("name", ARCS)
def test_the_law_is_uniform(name) -> None:
    graph = nx.DiGraph(ARCS[name])
    matrix = nx.to_numpy_array(graph, nodelist=range(len(graph)), dtype=int)
    n_states = states(len(matrix), same_degrees(matrix))
    assert n_states > 1
    check_uniform(directed_degree_preserving, matrix, n_states)
    n_states = states(len(matrix), same_reciprocity(matrix))
    check_uniform(reciprocity_preserving, matrix, n_states)


def test_single_arcs_and_pairs_change_places() -> None:
    # Pairs of opposite arcs 0-1 and 2-3, single arcs from 0 to 3 and from 2 to 1. Only the places
    # 0-2 and 1-3 are free.
    matrix = np.zeros((4, 4), dtype=int)
    for u, v in [(0, 1), (1, 0), (2, 3), (3, 2), (0, 3), (2, 1)]:
        matrix[u, v] = 1
    assert states(4, same_reciprocity(matrix)) == 4
    check_uniform(reciprocity_preserving, matrix, 4)


def test_reciprocity_is_lost_or_kept() -> None:
    rng = np.random.default_rng(0)
    matrix = np.triu(rng.random((80, 80)) < 0.1, 1)
    matrix = (matrix | (matrix.T & (rng.random((80, 80)) < 0.8))).astype(float)
    before = (matrix * matrix.T).sum() / matrix.sum()
    found = [model(matrix, seed=0) for model in MODELS]
    shares = [
        each.adjacency().multiply(each.adjacency().T).sum() / len(each.arcs) for each in found
    ]
    assert before > 0.7
    assert shares[0] < 0.3
    assert shares[1] == before
    assert all(each.mixed for each in found)
    assert not any(model(matrix, seed=0, switches_per_edge=0.5).mixed for model in MODELS)


def test_graphs_of_libraries_and_seeds() -> None:
    arcs = ARCS["uneven"]
    theirs = igraph.Graph(arcs, directed=True)
    ours = nx.DiGraph(arcs)
    for model in MODELS:
        sample = model(theirs, seed=3)
        assert np.array_equal(sample.arcs, model(ours, seed=3).arcs)
        assert sample.weights.tolist() == [1.0] * 5
        assert (sample.made["step"], sample.seed) == (model.__name__, 3)
        drawn = model(ours)
        assert np.array_equal(model(ours, seed=drawn.seed).arcs, drawn.arcs)
        with pytest.raises(InputError, match="switches_per_edge: -1"):
            model(ours, switches_per_edge=-1)
        with pytest.raises(InputError, match="for each of 4 nodes"):
            model(ours, blocks=[0])
