"""Every metric against networkx and igraph, on graphs of every awkward kind."""

from __future__ import annotations

import functools
import math

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smallworld_eqprop.graphs.measure import cycles, searches
from smallworld_eqprop.graphs.measure.clustering import (
    average_clustering,
    bipartite_clustering,
    transitivity,
    triangles,
)
from smallworld_eqprop.graphs.measure.degrees import (
    degree_assortativity,
    degree_statistics,
    density,
)
from smallworld_eqprop.graphs.measure.distances import (
    characteristic_path_length,
    global_efficiency,
    local_efficiency,
)
from smallworld_eqprop.graphs.measure.spectra import (
    algebraic_connectivity,
    spectral_gap,
    spectral_radius,
)


@st.composite
def graphs(draw: st.DrawFn) -> nx.Graph:
    """Give simple graphs: often disconnected or bipartite, sometimes empty or complete."""
    n_nodes = draw(st.integers(0, 16))
    pairs = [(u, v) for u in range(n_nodes) for v in range(u)]
    if draw(st.booleans()):
        side = draw(st.lists(st.booleans(), min_size=n_nodes, max_size=n_nodes))
        pairs = [(u, v) for u, v in pairs if side[u] != side[v]]
    chosen = draw(st.lists(st.booleans(), min_size=len(pairs), max_size=len(pairs)))
    graph = nx.empty_graph(n_nodes)
    graph.add_edges_from(pair for pair, there in zip(pairs, chosen, strict=True) if there)
    return graph


@pytest.fixture(params=[True, False], ids=["dense", "sparse"], autouse=True)
def algorithm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    # Small graphs would only ever meet the algorithms for small and dense ones.
    monkeypatch.setattr(cycles, "is_dense", lambda _: request.param)
    if not request.param:
        monkeypatch.setattr(searches, "SMALL_NODES", 0)


AWKWARD = (
    nx.empty_graph(0),
    nx.empty_graph(1),
    nx.empty_graph(5),
    nx.complete_graph(9),
    nx.complete_bipartite_graph(4, 5),
    nx.disjoint_union(nx.path_graph(4), nx.complete_graph(3)),
    nx.star_graph(6),
)


def awkward(test):
    for graph in AWKWARD:
        test = example(graph)(test)
    return given(graphs())(test)


def same(ours: float, theirs: float) -> None:
    if math.isnan(theirs):
        assert math.isnan(ours)
    else:
        assert ours == pytest.approx(theirs, abs=1e-9)


def to_igraph(graph: nx.Graph) -> igraph.Graph:
    return igraph.Graph(n=len(graph), edges=list(graph.edges))


@awkward
def test_path_length(graph: nx.Graph) -> None:
    ours = characteristic_path_length(graph)
    same(ours, to_igraph(graph).average_path_length(unconn=True))
    if len(graph) > 1 and nx.is_connected(graph):
        same(ours, nx.average_shortest_path_length(graph))


@awkward
def test_path_length_of_some_nodes(graph: nx.Graph) -> None:
    nodes = np.arange(len(graph))[::2]
    found = dict(nx.all_pairs_shortest_path_length(graph))
    distances = [found[u][v] for u in nodes for v in nodes if u != v and v in found[u]]
    same(
        characteristic_path_length(graph, nodes),
        float(np.mean(distances)) if distances else math.nan,
    )


@awkward
def test_global_efficiency(graph: nx.Graph) -> None:
    # networkx gives 0 where there is no pair.
    same(global_efficiency(graph), nx.global_efficiency(graph) if len(graph) > 1 else math.nan)


@awkward
def test_local_efficiency(graph: nx.Graph) -> None:
    same(local_efficiency(graph), nx.local_efficiency(graph) if len(graph) else math.nan)


@awkward
def test_average_clustering(graph: nx.Graph) -> None:
    ours = average_clustering(graph)
    same(ours, nx.average_clustering(graph) if len(graph) else math.nan)
    if len(graph):
        same(ours, to_igraph(graph).transitivity_avglocal_undirected(mode="zero"))


@awkward
def test_transitivity(graph: nx.Graph) -> None:
    ours = transitivity(graph)
    same(ours, to_igraph(graph).transitivity_undirected())
    same(0.0 if math.isnan(ours) else ours, nx.transitivity(graph))


@awkward
def test_triangles(graph: nx.Graph) -> None:
    assert triangles(graph).tolist() == list(nx.triangles(graph).values())


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "graph",
    [
        nx.complete_graph(40),
        nx.star_graph(40),
        nx.path_graph(40),
        nx.barabasi_albert_graph(300, 20, seed=0),
        nx.powerlaw_cluster_graph(300, 3, 0.5, seed=0),
        nx.connected_caveman_graph(5, 13),
    ],
    ids=["complete", "star", "path", "hubs", "few hubs", "cliques"],
)
def test_triangles_do_not_depend_on_labels(graph: nx.Graph, seed: int) -> None:
    # Lists of neighbours longer than a block, shorter ones, and none.
    order = np.random.default_rng(seed).permutation(len(graph)).tolist()
    there = nx.relabel_nodes(graph, dict(enumerate(order)))
    given = nx.empty_graph(len(graph))
    given.add_edges_from(there.edges)
    expected = nx.triangles(graph)
    ours = triangles(given)
    assert [ours[order[node]] for node in graph] == [expected[node] for node in graph]
    theirs = to_igraph(given).transitivity_avglocal_undirected(mode="zero")
    assert average_clustering(given) == pytest.approx(theirs, abs=1e-12)


@awkward
def test_bipartite_clustering(graph: nx.Graph) -> None:
    ours = bipartite_clustering(graph)
    theirs = nx.bipartite.robins_alexander_clustering(graph)
    same(0.0 if math.isnan(ours) else ours, theirs)


@awkward
def test_degrees(graph: nx.Graph) -> None:
    theirs = to_igraph(graph)
    same(density(graph), theirs.density() if len(graph) > 1 else math.nan)
    same(degree_assortativity(graph), theirs.assortativity_degree(directed=False))
    same(degree_statistics(graph).mean, float(np.mean(theirs.degree())) if len(graph) else math.nan)


@awkward
def test_spectra(graph: nx.Graph) -> None:
    if not len(graph):
        assert math.isnan(spectral_radius(graph))
        assert math.isnan(algebraic_connectivity(graph))
        assert math.isnan(spectral_gap(graph))
        return
    same(spectral_radius(graph), float(max(nx.adjacency_spectrum(graph).real)))
    second = sorted(nx.laplacian_spectrum(graph))[1] if len(graph) > 1 else math.nan
    same(algebraic_connectivity(graph), second)
    if len(graph) > 1:
        second = sorted(nx.normalized_laplacian_spectrum(graph))[1]
        same(spectral_gap(graph), second if nx.is_connected(graph) else 0.0)


@settings(max_examples=25)
@awkward
def test_every_kind_of_graph_object_gives_the_same(graph: nx.Graph) -> None:
    kinds = [graph, to_igraph(graph)]
    if len(graph):
        kinds.append(nx.to_scipy_sparse_array(graph))
    for metric in (characteristic_path_length, average_clustering, bipartite_clustering):
        for kind in kinds:
            same(metric(kind), metric(graph))


@pytest.mark.parametrize("n_edges", [300, 1500, 20000])
def test_larger_graphs(n_edges: int) -> None:
    # More than 512 sources, more than 64 neighbours, several components.
    graph = nx.disjoint_union(nx.gnm_random_graph(560, n_edges, seed=1), nx.cycle_graph(90))
    theirs = to_igraph(graph)
    same(characteristic_path_length(graph), theirs.average_path_length(unconn=True))
    same(average_clustering(graph), theirs.transitivity_avglocal_undirected(mode="zero"))
    same(transitivity(graph), theirs.transitivity_undirected())


@functools.cache
def neighbourhoods(n_edges: int) -> tuple[nx.Graph, float, float]:
    """A graph and what networkx takes a second to find, for both algorithms."""
    graph = nx.gnm_random_graph(80, n_edges, seed=2)
    return graph, nx.local_efficiency(graph), nx.bipartite.robins_alexander_clustering(graph)


@pytest.mark.parametrize("n_edges", [200, 1000, 2600])
def test_larger_neighbourhoods(n_edges: int) -> None:
    graph, efficiency, clustering = neighbourhoods(n_edges)
    same(local_efficiency(graph), efficiency)
    same(bipartite_clustering(graph), clustering)
