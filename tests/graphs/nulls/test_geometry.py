from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from itertools import combinations, product

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.nulls.geometry import geometry_preserving


def in_space(n_nodes: int, seed: int, *, signed: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Give weights, of which near nodes have more, and positions, some of them the same."""
    rng = np.random.default_rng(seed)
    place = rng.integers(0, 6, (n_nodes, 3)).astype(float)
    apart = np.linalg.norm(place[:, None] - place, axis=2)
    joined = rng.random(apart.shape) < np.exp(-apart / 4)
    signs = rng.choice((-1, 1), apart.shape) if signed else 1
    upper = np.triu(joined * signs * rng.lognormal(size=apart.shape), 1)
    return upper + upper.T, place


def lengths_of(edges: np.ndarray, place: np.ndarray) -> np.ndarray:
    return np.linalg.norm(place[edges[:, 0]] - place[edges[:, 1]], axis=1)


@given(
    st.integers(2, 25), st.integers(0, 10**6), st.booleans(), st.sampled_from((0.01, 0.2, 2.0)),
    st.sampled_from((1, 2)),
)  # fmt: skip
def test_degrees_lengths_and_weights_are_kept(n_nodes, seed, signed, tolerance, n_blocks) -> None:
    matrix, place = in_space(n_nodes, seed, signed=signed)
    blocks = np.arange(n_nodes) % n_blocks
    sample = geometry_preserving(
        matrix, place, seed=seed, tolerance=tolerance, blocks=blocks, switches_per_edge=30
    )
    found = sample.adjacency(weighted=True).toarray()
    one_hot = np.eye(n_blocks)[blocks]
    for sign in (1, -1):
        before, after = np.sign(matrix) == sign, np.sign(found) == sign
        assert np.array_equal(before @ one_hot, after @ one_hot)
    edges = np.transpose(np.nonzero(np.triu(matrix)))
    # Every edge stays in its bin, with its weight.
    assert np.array_equal(matrix[tuple(edges.T)][sample.origin], sample.weights)
    old, new = lengths_of(edges, place)[sample.origin], lengths_of(sample.edges, place)
    assert np.array_equal(old == 0, new == 0)
    ratio = new[old > 0] / old[old > 0]
    assert (np.maximum(ratio, 1 / ratio) <= 1 + tolerance + 1e-9).all()
    assert sample.measured["wiring_length_before"] == pytest.approx(old.sum())
    assert sample.measured["wiring_length_after"] == pytest.approx(new.sum())


def in_order(n_nodes: int, edges: list[tuple[int, int]]) -> nx.Graph:
    """Give a graph whose nodes are in the order of their numbers."""
    graph = nx.empty_graph(n_nodes)
    graph.add_edges_from(edges)
    return graph


def check_uniform(graph, place, n_states: int, **options) -> None:
    rng = np.random.default_rng(0)
    seen = Counter(
        geometry_preserving(graph, place, seed=rng, switches_per_edge=60, **options).edges.tobytes()
        for _ in range(15 * n_states)
    )
    assert len(seen) == n_states
    assert stats.chisquare(list(seen.values())).pvalue > 1e-3


def test_the_law_is_uniform() -> None:
    rng = np.random.default_rng(0)
    # One wide bin from the shortest distance on: the 70 graphs with six nodes of degree 2.
    angles = np.arange(6) * np.pi / 3
    hexagon = np.column_stack((np.cos(angles), np.sin(angles)))
    check_uniform(nx.cycle_graph(6), hexagon, 70, tolerance=1e6)
    # Edges between two far groups of four have one length, and those within are shorter: 4!.
    # The first is the shortest: shorter edges than there are in the graph cannot come in.
    place = np.column_stack((np.repeat([0, 100], 4), rng.random(8)))
    place[4] = place[0] + [100, 0]
    check_uniform(in_order(8, [(i, i + 4) for i in range(4)]), place, 24)


def test_the_law_is_uniform_with_several_bins() -> None:
    # Matchings of the corners of a cube with as many edges, diagonals of sides and of the cube.
    place = np.array(list(product((0.0, 1.0), repeat=3)))
    matching = in_order(8, [(0, 1), (2, 3), (4, 7), (5, 6)])

    def kept(edges: Collection[tuple[int, int]]) -> list[float]:
        return sorted(lengths_of(np.array(list(edges)), place).round(6))

    pairs = list(combinations(range(8), 2))
    n_states = sum(
        len({end for pair in four for end in pair}) == 8 and kept(four) == kept(matching.edges)
        for four in combinations(pairs, 4)
    )
    check_uniform(matching, place, n_states)


def test_a_connectome_like_graph() -> None:
    rng = np.random.default_rng(0)
    place = rng.random((150, 3))
    apart = np.linalg.norm(place[:, None] - place, axis=2)
    upper = np.triu((rng.random(apart.shape) < np.exp(-apart / 0.4)) / (apart + 1), 1)
    matrix = upper + upper.T
    sample = geometry_preserving(matrix, place, seed=0)
    before, after = (sample.measured[f"wiring_length_{when}"] for when in ("before", "after"))
    assert sample.mixed
    assert abs(after / before - 1) < 0.02
    # Most edges are elsewhere, and weights go with lengths as before.
    shared = sample.adjacency().multiply(matrix > 0).sum() / len(sample.edges) / 2
    assert shared < 0.5
    lengths = lengths_of(sample.edges, place)
    assert stats.spearmanr(sample.weights, lengths).statistic < -0.97


def test_positions_of_a_graph_and_data_of_its_edges() -> None:
    matrix, place = in_space(20, 0)
    edges = np.transpose(np.nonzero(np.triu(matrix)))
    data = {"weight": matrix[tuple(edges.T)], "number": np.arange(len(edges))}
    g = LayeredGraph((5, 10, 5), edges, edge_data=data, node_data={"position": place})
    sample = geometry_preserving(g, seed=0, blocks=g.layers)
    found = sample.applied_to(g)
    assert np.array_equal(found.edge_data["number"], sample.origin)
    step = found.provenance[-1]
    assert (step["step"], step["seed"], step["blocks"]) == ("geometry_preserving", 0, 3)
    assert step["wiring_length_after"] == sample.measured["wiring_length_after"]
    assert np.array_equal(geometry_preserving(matrix, place, seed=0, blocks=g.layers).edges,
                          sample.edges)  # fmt: skip


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "positions: none, and the graph has no node data 'position'"),
        ({"positions": np.zeros((4, 2))}, r"shape \(4, 2\); give one row for each of 5 nodes"),
        ({"positions": np.full((5, 2), np.nan)}, "5 of 5 nodes have none .* the first is node 0"),
        ({"positions": np.eye(5), "tolerance": 0}, "tolerance: 0; give a number above 0"),
        ({"positions": np.eye(5), "switches_per_edge": -1}, "switches_per_edge: -1"),
    ],
)
def test_bad_arguments(options, message) -> None:
    with pytest.raises(InputError, match=message) as caught:
        geometry_preserving(nx.cycle_graph(5), **options)
    assert "\n" not in str(caught.value)


def test_nothing_to_switch() -> None:
    for graph in (nx.empty_graph(3), nx.path_graph(2), nx.complete_graph(4)):
        sample = geometry_preserving(graph, np.zeros((len(graph), 2)), seed=0)
        assert len(sample.edges) == graph.number_of_edges()
        assert not sample.mixed
        assert sample.measured["wiring_length_after"] == 0
