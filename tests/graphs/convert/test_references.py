"""References of networkx through the backend: its contracts, on graphs that take it minutes."""

from __future__ import annotations

import random
import time

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from smallworld_eqprop.graphs.convert.backend import NAME
from smallworld_eqprop.graphs.generate.layers import layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

REFERENCES = (nx.random_reference, nx.lattice_reference)
BOTH = pytest.mark.parametrize("reference", REFERENCES, ids=lambda function: function.__name__)


def watts_strogatz() -> nx.Graph:
    graph = nx.connected_watts_strogatz_graph(60, 4, 0.3, seed=1)
    graph.graph["name"] = "ring"
    graph.nodes[7]["colour"] = "red"
    nx.set_edge_attributes(graph, 2.5, "weight")
    return nx.relabel_nodes(graph, {node: f"n{node}" for node in graph})


@st.composite
def graphs(draw: st.DrawFn) -> nx.Graph:
    """Give graphs of any order of nodes and edges, also disconnected, with two disjoint edges."""
    n_nodes = draw(st.integers(4, 16))
    pairs = [(u, v) for u in range(n_nodes) for v in range(u)]
    chosen = draw(st.lists(st.sampled_from(pairs), min_size=4, unique=True))
    graph = nx.Graph()
    graph.add_nodes_from(draw(st.permutations(range(n_nodes))))
    graph.add_edges_from((u, v, {"number": i}) for i, (u, v) in enumerate(chosen))
    assume(max(degree for _, degree in graph.degree()) < len(chosen))
    return graph


@BOTH
@settings(max_examples=30)
@given(graphs(), st.integers(0, 3), st.booleans(), st.integers(0, 99))
def test_equal_to_networkx(reference, graph, niter, connectivity, seed) -> None:
    before = nx.Graph(graph)
    theirs, ours = random.Random(seed), random.Random(seed)
    expected = reference(graph, niter=niter, connectivity=connectivity, seed=theirs)
    found = reference(graph.copy(), niter=niter, connectivity=connectivity, seed=ours, backend=NAME)
    assert found.adj == expected.adj
    # Also the order of neighbours, which random draws from them depend on, and the generator.
    assert [list(found[node]) for node in found] == [list(expected[node]) for node in expected]
    assert ours.getstate() == theirs.getstate()
    assert nx.utils.graphs_equal(graph, before)


@BOTH
def test_labels_and_data_stay(reference) -> None:
    graph = watts_strogatz()
    expected = reference(graph, 1, seed=3)
    found = reference(graph.copy(), 1, seed=3, backend=NAME)
    assert nx.utils.graphs_equal(found, expected)
    assert list(found) == list(expected)
    assert found.nodes["n7"] == {"colour": "red"}
    assert dict(found.degree) == dict(graph.degree)
    assert nx.is_connected(found)


@BOTH
def test_many_words_are_drawn_in_blocks(reference, monkeypatch) -> None:
    graph = watts_strogatz()
    expected = reference(graph.copy(), 1, seed=3, backend=NAME)
    monkeypatch.setattr("smallworld_eqprop.graphs.convert.references.WORDS", 1100)
    assert nx.utils.graphs_equal(reference(graph.copy(), 1, seed=3, backend=NAME), expected)


@BOTH
def test_seeds_of_every_kind(reference) -> None:
    graph = watts_strogatz()

    def edges(seed: object) -> set:
        drawn = reference(graph.copy(), 1, seed=seed, backend=NAME)
        assert dict(drawn.degree) == dict(graph.degree)
        return set(map(frozenset, drawn.edges))

    for make in (random.Random, np.random.default_rng):
        seed = make(5)
        first = edges(seed)
        assert first == edges(make(5))
        # The generator has moved on.
        assert first != edges(seed)
    random.seed(1)
    first = edges(None)
    random.seed(1)
    assert first == edges(None)
    with pytest.raises(ValueError, match="cannot be used"):
        edges("text")


@BOTH
def test_a_star_stays_as_it_is_and_ends(reference) -> None:
    star = nx.star_graph(5)
    for graph in (star, nx.Graph([(0, 1), (1, 2), (2, 0), (3, 4)]).subgraph([0, 1, 2, 3])):
        assert nx.utils.graphs_equal(reference(graph.copy(), seed=0, backend=NAME), graph)


def test_distances_of_ones_own_are_left_to_networkx() -> None:
    graph = watts_strogatz()
    distances = np.ones((len(graph), len(graph)))
    expected = nx.lattice_reference(graph, 1, distances, seed=2)
    found = nx.lattice_reference(graph.copy(), 1, D=distances, seed=2, backend=NAME)
    assert nx.utils.graphs_equal(found, expected)


@BOTH
@pytest.mark.parametrize("graph", [nx.path_graph(3), nx.Graph([(0, 1)]), nx.empty_graph(5)])
def test_too_small_a_graph_ends_as_in_networkx(reference, graph) -> None:
    with pytest.raises(nx.NetworkXError) as expected:
        reference(graph)
    with pytest.raises(nx.NetworkXError) as found:
        reference(graph.copy(), backend=NAME)
    assert str(found.value) == str(expected.value)


@BOTH
def test_layered_graphs(reference) -> None:
    g = rewire(layered((6, 8, 5)), 0.2, seed=0)
    expected = reference(g.to_networkx(), 1, seed=1)
    assert nx.utils.graphs_equal(reference(g, 1, seed=1), expected)
    assert nx.utils.graphs_equal(reference(G=g, seed=1, niter=1), expected)


@BOTH
def test_thousands_of_nodes_take_seconds(reference) -> None:
    reference(watts_strogatz(), seed=0, backend=NAME)
    graph = nx.barabasi_albert_graph(2000, 5, seed=0)
    start = time.process_time()
    drawn = reference(graph, seed=0, backend=NAME)
    assert time.process_time() - start < 5
    assert nx.is_connected(drawn)
