from __future__ import annotations

import math
from collections import Counter
from itertools import combinations
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.places import FreePlaces, PlaceKind
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import difference, moves_for, rewire

sizes = st.lists(st.integers(1, 4), min_size=3, max_size=5)
starts = st.builds(
    lambda sizes, full: add_intralayer(layered(sizes)) if full else layered(sizes),
    sizes,
    st.booleans(),
)
laws = st.sampled_from(["edges", "moves"])


def is_place(g, kind, u, v):
    """The definition of every kind of place, pair by pair."""
    last = g.n_layers - 1
    a, b = sorted((g.layers[u], g.layers[v]))
    if kind == "any":
        return not (a == b == 0) and not (a == b == last)
    hubs = g.layer_offsets[last - 1] + np.arange(math.ceil(g.layer_sizes[last - 1] / 5))
    ends = {
        "skip": True,
        "short": b - a == 2,
        "hub": b == last - 1 and max(u, v) in hubs,
        "input": a == 0,
        "output": b == last,
        "hidden": a > 0 and b < last,
    }
    return b - a >= 2 and ends[kind]


def free_places(g, kind):
    edges = set(map(tuple, g.edges.tolist()))
    return [
        pair
        for pair in combinations(range(g.n_nodes), 2)
        if pair not in edges and is_place(g, kind, *pair)
    ]


def rewire_one_by_one(g, p, seed, law, moves=None):
    """Rewire with lists and a loop, drawing the same random numbers as `rewire`."""
    rng = np.random.default_rng(seed)
    edges = [tuple(edge) for edge in g.edges.tolist()]
    pool = free_places(g, "skip")
    if law == "edges":
        chosen = np.flatnonzero(rng.random(len(edges)) < p)
    else:
        chosen = rng.integers(len(edges), size=moves)
    for i, j in zip(chosen, rng.integers(len(pool), size=len(chosen)), strict=True):
        edges[i], pool[j] = pool[j], edges[i]
    return sorted(edges)


@given(starts, st.sampled_from(get_args(PlaceKind)), st.data())
def test_free_places_are_numbered_in_order(g, kind, data):
    kept = data.draw(st.lists(st.booleans(), min_size=g.n_edges, max_size=g.n_edges))
    g = rewire(g, 0.5, seed=1)
    g = g.replace_edges(g.edges[np.array(kept)])
    expected = free_places(g, kind)
    places = FreePlaces(g, kind)
    assert places.count == len(expected)
    keys = places.keys(np.arange(places.count))
    assert [(key // g.n_nodes, key % g.n_nodes) for key in keys.tolist()] == expected


@given(starts, st.floats(0, 1), st.integers(0, 1000))
def test_published_law_edge_for_edge(g, p, seed):
    expected = rewire_one_by_one(g, p, seed, "edges")
    assert list(map(tuple, rewire(g, p, seed=seed).edges.tolist())) == expected


@given(starts, st.integers(0, 1000), st.data())
def test_preprint_law_edge_for_edge(g, seed, data):
    # Through p there may be many more moves than edges: long chains of swaps.
    p = data.draw(st.sampled_from([0.1, 0.9, 0.999, 1 - 1e-9]))
    n = moves_for(p, g.n_edges)
    expected = rewire_one_by_one(g, p, seed, "moves", n)
    assert list(map(tuple, rewire(g, p, law="moves", seed=seed).edges.tolist())) == expected


def test_both_laws_edge_for_edge_on_a_larger_network():
    g = add_intralayer(layered((40, 25, 25, 25, 5)))
    for law, moves in (("edges", None), ("moves", moves_for(0.4, g.n_edges))):
        expected = rewire_one_by_one(g, 0.4, 3, law, moves)
        assert list(map(tuple, rewire(g, 0.4, law=law, seed=3).edges.tolist())) == expected


@given(starts, st.floats(0, 0.999), laws, st.integers(0, 1000))
def test_invariants(g, p, law, seed):
    before = g.edges.copy()
    after = rewire(g, p, law=law, seed=seed)
    assert (g.edges == before).all()
    assert after == rewire(g, p, law=law, seed=seed)
    assert after.n_edges == g.n_edges
    assert (after.edges[:, 0] < after.edges[:, 1]).all()
    assert len(np.unique(after.edges, axis=0)) == g.n_edges
    ends = after.layers[after.edges]
    assert not ((ends == 0).all(axis=1) | (ends == g.n_layers - 1).all(axis=1)).any()
    removed, added = difference(g, after)
    assert len(removed) == len(added) <= after.provenance[-1]["moved"]
    assert (
        after.layer_span[
            np.isin(after.edges[:, 0] * 100 + after.edges[:, 1], added[:, 0] * 100 + added[:, 1])
        ]
        >= 2
    ).all()


@given(starts, laws, st.integers(0, 1000))
def test_p_zero_is_the_identity(g, law, seed):
    assert rewire(g, 0, law=law, seed=seed) == g


def test_p_one_moves_every_edge():
    g = layered((6, 6, 6, 6))
    after = rewire(g, 1, seed=0)
    assert after.provenance[-1]["moved"] == g.n_edges


@pytest.mark.parametrize("kind", ["input", "hidden", "output", "short", "hub", "any"])
def test_places_restrict_where_edges_go(kind):
    g = layered((5, 4, 4, 4, 3))
    after = rewire(g, 0.2, seed=0, places=kind)
    added = difference(g, after)[1]
    assert len(added)
    assert all(is_place(g, kind, u, v) for u, v in added.tolist())


def chi_square(counts, expected):
    assert set(counts) <= set(expected)
    total = sum(counts.values())
    observed = [counts[key] for key in expected]
    return stats.chisquare(observed, [total * expected[key] for key in expected]).pvalue


def law_of_edges(g, p):
    """Enumerate every outcome of the published law and its probability."""
    outcomes = {(tuple(map(tuple, g.edges.tolist())), tuple(free_places(g, "skip"))): 1.0}
    for i in range(g.n_edges):
        following: dict = {}
        for (edges, pool), weight in outcomes.items():
            following[edges, pool] = following.get((edges, pool), 0) + weight * (1 - p)
            for j, place in enumerate(pool):
                state = (
                    (*edges[:i], place, *edges[i + 1 :]),
                    (*pool[:j], edges[i], *pool[j + 1 :]),
                )
                following[state] = following.get(state, 0) + weight * p / len(pool)
        outcomes = following
    law: dict = {}
    for (edges, _), weight in outcomes.items():
        key = tuple(sorted(edges))
        law[key] = law.get(key, 0) + weight
    return law


def test_published_law_has_the_enumerated_distribution():
    g = layered((1, 2, 1, 1))
    rng = np.random.default_rng(5)
    counts = Counter(
        tuple(map(tuple, rewire(g, 0.6, seed=rng).edges.tolist())) for _ in range(4000)
    )
    assert chi_square(counts, law_of_edges(g, 0.6)) > 1e-3


def test_preprint_law_becomes_uniform():
    # The swaps are symmetric, so after many of them every set of E places is equally likely.
    g = layered((1, 1, 1, 1))
    states = list(combinations(sorted([*map(tuple, g.edges.tolist()), *free_places(g, "skip")]), 3))
    rng = np.random.default_rng(6)
    counts = Counter(
        tuple(map(tuple, rewire(g, 1 - 1e-9, law="moves", seed=rng).edges.tolist()))
        for _ in range(4000)
    )
    assert len(states) == 20
    assert chi_square(counts, dict.fromkeys(states, 1 / 20)) > 1e-3


def test_p_of_the_preprint():
    g = add_intralayer(layered((784, 500, 500, 500, 10)))
    after = rewire(g, moves=100_000, seed=0)
    step = after.provenance[-1]
    assert round(step["p"], 4) == 0.0756
    # E p edges are expected to have moved; 5 standard deviations of a binomial either way.
    mean = g.n_edges * step["p"]
    assert abs(step["moved"] - mean) < 5 * np.sqrt(mean)
    assert moves_for(step["p"], g.n_edges) == 100_000


def test_share_of_moved_edges_follows_p():
    g = layered((784, 500, 500, 500, 10))
    moved = rewire(g, 0.1, seed=0).provenance[-1]["moved"]
    assert abs(moved - 89_700) < 5 * np.sqrt(89_700 * 0.9)


def test_provenance_and_generators():
    g = layered((3, 3, 3))
    after = rewire(g, 0.5, seed=7)
    assert after.provenance[0] == {"step": "layered", "sizes": [3, 3, 3]}
    assert after.provenance[1]["seed"] == 7
    assert after.provenance[1]["law"] == "edges"
    other = rewire(g, 0.5, seed=np.random.default_rng(7))
    assert other == after
    assert other.provenance[1]["seed"] is None
    assert rewire(g, 0.5, seed=8) != after


def test_difference_separates_removed_from_added():
    before = LayeredGraph((1, 1, 1), [(0, 1), (1, 2)])
    after = LayeredGraph((1, 1, 1), [(0, 2), (1, 2)])
    removed, added = difference(before, after)
    assert (removed.tolist(), added.tolist()) == ([[0, 1]], [[0, 2]])
    with pytest.raises(InputError, match="1-1-1 and 1-2"):
        difference(before, layered((1, 2)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1.1}, "p: 1.1; give a number from 0 to 1"),
        ({"p": -0.1}, "p: -0.1"),
        ({"p": float("nan")}, "p: nan"),
        ({"p": "much"}, "p: 'much'"),
        ({"p": 1, "law": "moves"}, "cannot move all edges"),
        ({"p": float("nan"), "law": "moves"}, "p: nan"),
        ({}, "give one of the two"),
        ({"p": 0.1, "moves": 3}, "give one of the two"),
        ({"moves": 3, "law": "edges"}, "takes p"),
        ({"moves": 10}, "moves: 10; give a whole number from 0 to 9"),
        ({"moves": -1}, "moves: -1"),
        ({"moves": 1.5}, "moves: 1.5"),
        ({"p": 0.1, "law": "edge"}, "law: 'edge'; did you mean edges"),
        ({"p": 0.1, "places": "outputs"}, "places: 'outputs'; did you mean output"),
        ({"p": 0.1, "seed": -1}, "seed: -1"),
        ({"p": 0.1, "seed": 0.5}, "seed: 0.5"),
    ],
)
def test_bad_input_is_named_in_one_line(arguments, message):
    g = layered((3, 2, 3))
    with pytest.raises(InputError, match=message) as caught:
        rewire(g, **{"seed": 0, **arguments})
    assert "\n" not in str(caught.value)


def test_nowhere_to_go():
    with pytest.raises(InputError, match="3-3 has no free place"):
        rewire(layered((3, 3)), 0.5, seed=0)
    with pytest.raises(InputError, match="no edge to move"):
        rewire(LayeredGraph((1, 1, 1), []), moves=1, seed=0)
    assert rewire(LayeredGraph((1, 1, 1), []), 0.5, seed=0).n_edges == 0
