from __future__ import annotations

from collections import Counter
from itertools import combinations

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.places import FreePlaces
from smallworld_eqprop.graphs.generate import endpoints
from smallworld_eqprop.graphs.generate.endpoints import rewire_ends, rewire_keeping_degrees
from smallworld_eqprop.graphs.generate.families import add_rings, add_skips, random_like, thin
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import difference, rewire

shares = st.floats(0, 1)
seeds = st.integers(0, 999)


@st.composite
def graphs(draw):
    g = layered(draw(st.lists(st.integers(1, 5), min_size=3, max_size=5)))
    if draw(st.booleans()):
        g = add_intralayer(g)
    if draw(st.booleans()):
        g = rewire(g, 0.3, seed=1)
    kept = draw(st.lists(st.booleans(), min_size=g.n_edges, max_size=g.n_edges))
    return g.replace_edges(g.edges[np.array(kept)])


def degrees(g):
    return np.bincount(g.edges.ravel(), minlength=g.n_nodes)


def block_counts(g):
    return Counter(map(tuple, g.layers[g.edges].tolist()))


def joins_ends(g):
    a, b = g.layers[g.edges].T
    return bool(((a == b) & ((a == 0) | (a == g.n_layers - 1))).any())


def has_place(g, *, keep_layers=False):
    """Whether some edge could move one end to a place that no edge holds."""
    held = set(map(tuple, g.edges.tolist()))
    for kept, end in np.concatenate((g.edges, g.edges[:, ::-1])).tolist():
        for other in range(g.n_nodes):
            same = g.layers[kept] == g.layers[other]
            at_an_end = g.layers[kept] in (0, g.n_layers - 1)
            if keep_layers and g.layers[other] != g.layers[end]:
                continue
            pair = min(kept, other), max(kept, other)
            if kept != other and pair not in held and not (same and at_an_end):
                return True
    return False


def with_place(g):
    """Only graphs whose families move something; the others are errors, tested below."""
    assume(has_place(g, keep_layers=True))
    return g


FAMILIES = {
    "rewire_ends within": lambda g, p, seed: rewire_ends(g, p, seed=seed),
    "rewire_ends across": lambda g, p, seed: rewire_ends(g, p, seed=seed, across_layers=True),
    "rewire_keeping_degrees": lambda g, p, seed: rewire_keeping_degrees(g, p, seed=seed),
}


@pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
@given(graphs(), shares, seeds)
def test_moving_families(family, g, p, seed):
    before = with_place(g).edges.copy()
    after = family(g, p, seed)
    assert (g.edges == before).all()
    assert after == family(g, p, seed)
    assert after.n_edges == g.n_edges
    assert not joins_ends(after)
    assert family(g, 0, seed) == g
    # A place once held stays blocked, so every move shows.
    removed, added = difference(g, after)
    assert len(removed) == len(added) == after.provenance[-1]["moved"]


@given(graphs(), shares, seeds)
def test_degrees_are_kept(g, p, seed):
    assert (degrees(rewire_keeping_degrees(with_place(g), p, seed=seed)) == degrees(g)).all()


@given(graphs(), shares, seeds)
def test_ends_within_layers_keep_every_block(g, p, seed):
    assert block_counts(rewire_ends(with_place(g), p, seed=seed)) == block_counts(g)


@given(graphs(), st.booleans(), seeds)
def test_where_no_end_can_move_is_an_error(g, across, seed):
    if not g.n_edges or has_place(g, keep_layers=not across):
        rewire_ends(g, 1, seed=seed, across_layers=across)
    else:
        with pytest.raises(InputError, match=r"no edge of the graph .* has a free place"):
            rewire_ends(g, 1, seed=seed, across_layers=across)


def test_completely_connected_layers_have_no_place_and_p_of_0_needs_none():
    g = layered((4, 3, 3, 2))
    with pytest.raises(InputError, match=r"^p: 0.5; no edge of the graph 4-3-3-2 .* across_layers"):
        rewire_ends(g, 0.5, seed=0)
    assert rewire_ends(g, 0, seed=0) == g
    assert rewire_ends(g, 0.5, seed=0, across_layers=True) != g
    two = layered((4, 3))
    with pytest.raises(InputError, match=r"^p: 0.5; no edge of the graph 4-3 has .* fewer edges"):
        rewire_ends(two, 0.5, seed=0, across_layers=True)
    with pytest.raises(InputError, match=r"^p: 0.5; the graph 4-3 has no free place to exchange"):
        rewire_keeping_degrees(two, 0.5, seed=0)


@given(graphs(), seeds)
def test_moved_edges_keep_one_end(g, seed):
    for across in (False, True):
        after = rewire_ends(with_place(g), 1, seed=seed, across_layers=across)
        removed, added = difference(g, after)
        # Some perfect matching pairs each removed edge with an added one that shares a node.
        pairs = nx.Graph()
        pairs.add_nodes_from((("removed", i) for i in range(len(removed))), bipartite=0)
        pairs.add_edges_from(
            (("removed", i), ("added", j))
            for i, old in enumerate(removed.tolist())
            for j, new in enumerate(added.tolist())
            if set(old) & set(new)
        )
        top = [node for node in pairs if node[0] == "removed"]
        matching = nx.bipartite.maximum_matching(pairs, top_nodes=top)
        assert len(matching) == 2 * len(removed)


def test_an_edge_moves_whenever_there_is_a_place():
    g = add_rings(layered((2, 30, 2)), 4)
    after = rewire_ends(g, 1, seed=0)
    assert after.provenance[-1]["moved"] == 60
    crossed = rewire_ends(g, 1, seed=0, across_layers=True)
    assert crossed.skip.any()


def test_new_ends_are_uniform():
    # The one edge 0-2 keeps either end; the other goes to one of the free nodes of its layer.
    g = LayeredGraph((3, 4, 1), [(0, 3)])
    rng = np.random.default_rng(0)
    counts = Counter(tuple(rewire_ends(g, 1, seed=rng).edges[0].tolist()) for _ in range(1500))
    expected = {(1, 3): 1 / 4, (2, 3): 1 / 4, (0, 4): 1 / 6, (0, 5): 1 / 6, (0, 6): 1 / 6}
    observed = [counts.pop(edge) for edge in expected]
    assert not counts
    law = np.array(list(expected.values())) * 1500
    assert stats.chisquare(observed, law).pvalue > 1e-3


@given(graphs(), shares, seeds)
def test_large_graphs_take_the_same_course_without_the_bitmap(g, p, seed):
    with pytest.MonkeyPatch.context() as patch:
        expected = [family(with_place(g), p, seed) for family in FAMILIES.values()]
        patch.setattr(endpoints, "_BITMAP", 0)
        assert [family(g, p, seed) for family in FAMILIES.values()] == expected


@given(graphs(), st.sampled_from(["skip", "input", "hidden", "output"]), seeds, st.data())
def test_added_skips(g, places, seed, data):
    n = data.draw(st.integers(0, FreePlaces(g, places).count))
    after = add_skips(g, n, seed=seed, places=places)
    removed, added = difference(g, after)
    assert (len(removed), len(added)) == (0, n)
    layers = g.layers[added]
    assert (layers[:, 1] - layers[:, 0] >= 2).all()
    last = g.n_layers - 1
    ends = {
        "skip": np.ones(n, dtype=bool),
        "input": layers[:, 0] == 0,
        "output": layers[:, 1] == last,
        "hidden": (layers[:, 0] > 0) & (layers[:, 1] < last),
    }
    assert ends[places].all()


def test_added_skips_are_uniform():
    g = layered((2, 1, 2))
    rng = np.random.default_rng(3)
    counts = Counter(str(add_skips(g, 2, seed=rng).edges.tolist()) for _ in range(1500))
    assert len(counts) == 6
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


@given(st.integers(3, 9), st.integers(3, 9), st.data())
def test_rings_are_those_of_watts_and_strogatz(a, b, data):
    neighbours = 2 * data.draw(st.integers(0, (min(a, b) - 1) // 2))
    g = add_rings(layered((2, a, b, 1)), neighbours)
    whole = g.to_networkx()
    for layer, size in ((1, a), (2, b)):
        here = g.layer_slice(layer)
        ring = nx.convert_node_labels_to_integers(
            whole.subgraph(range(here.start, here.stop)), ordering="sorted"
        )
        expected = nx.watts_strogatz_graph(size, neighbours, 0)
        assert nx.utils.edges_equal(ring.edges, expected.edges)
    assert add_rings(g, neighbours) == g


@given(graphs(), seeds)
def test_random_like_and_thin(g, seed):
    try:
        drawn = random_like(g, seed=seed)
    except InputError as error:
        assert "give more edges" in str(error)
    else:
        assert drawn == random_like(g, seed=seed)
        assert (drawn.layer_sizes, drawn.n_edges) == (g.layer_sizes, g.n_edges)
        assert not joins_ends(drawn)
        whole = drawn.to_networkx()
        reached = set().union(
            *(nx.node_connected_component(whole, u) for u in range(g.layer_sizes[0]))
        )
        assert set(range(*g.layer_slice(-1).indices(g.n_nodes))) <= reached
        kept = thin(drawn, drawn.n_edges, seed=seed)
        assert kept == drawn


def test_thin_keeps_a_subset():
    g = layered((10, 10, 10))
    sparse = thin(g, 60, seed=0)
    removed, added = difference(g, sparse)
    assert (sparse.n_edges, len(removed), len(added)) == (60, 140, 0)


def test_random_like_is_uniform():
    g = LayeredGraph((1, 2, 1), [(0, 1), (1, 3)])
    rng = np.random.default_rng(0)
    counts = Counter(str(random_like(g, seed=rng).edges.tolist()) for _ in range(2000))
    # Of the 15 pairs of 6 places, those that reach the output: 0-3 with any other, two paths.
    pairs = [
        pair
        for pair in combinations([(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)], 2)
        if nx.has_path(nx.Graph([(0, 0), (3, 3), *pair]), 0, 3)
    ]
    assert len(counts) == len(pairs) == 7
    assert stats.chisquare(list(counts.values())).pvalue > 1e-3


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: add_skips(g, 10, seed=0), "n: 10; give a whole number from 0 to 9"),
        (lambda g: add_skips(g, -1, seed=0), "n: -1"),
        (lambda g: add_skips(g, 1, seed=0, places="hiden"), "did you mean hidden"),
        (lambda g: add_rings(g, 2), "neighbours: 2; give a whole number from 0 to 1"),
        (lambda g: add_rings(layered((1, 5, 1)), 3), "neighbours: 3; give an even number"),
        (lambda g: rewire_ends(g, float("nan"), seed=0), "p: nan"),
        (lambda g: rewire_keeping_degrees(g, 2, seed=0), "p: 2"),
        (lambda g: thin(g, 13, seed=0), "n_edges: 13; give a whole number from 0 to 12"),
        (lambda g: thin(g, 1, seed=0), "edges: 1; in 100 draws an output could not be reached"),
        (lambda g: random_like(thin(g, 12, seed=0), seed=-1), "seed: -1"),
    ],
)
def test_bad_input_is_named_in_one_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call(layered((3, 2, 3)))
    assert "\n" not in str(caught.value)
