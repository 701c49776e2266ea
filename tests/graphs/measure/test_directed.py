"""Measures of directed graphs against bctpy, networkx and igraph."""

from __future__ import annotations

import itertools
import math
from importlib import metadata

import bct
import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.arcs import arcs_of
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.clustering import average_clustering
from smallworld_eqprop.graphs.measure.components import reachable_share
from smallworld_eqprop.graphs.measure.directed import (
    directed_clustering,
    directed_degrees,
    directed_paths,
    directed_strengths,
    fagiolo_by_node,
    reciprocity,
)
from smallworld_eqprop.graphs.measure.distances import (
    characteristic_path_length,
    global_efficiency,
)

close = pytest.approx


def all_of_three_nodes() -> list[np.ndarray]:
    """All directed graphs on three nodes with labels."""
    places = [(u, v) for u in range(3) for v in range(3) if u != v]
    found = []
    for chosen in itertools.product((0.0, 1.0), repeat=6):
        matrix = np.zeros((3, 3))
        for place, value in zip(places, chosen, strict=True):
            matrix[place] = value
        found.append(matrix)
    return found


def atlas_with_directions() -> list[np.ndarray]:
    """All graphs of up to five nodes, every edge in one direction or both."""
    rng = np.random.default_rng(0)
    found = []
    for graph in nx.graph_atlas_g()[1:53]:
        upper = np.triu(nx.to_numpy_array(graph))
        ways = rng.integers(1, 4, upper.shape)
        found.append(upper * (ways & 1) + (upper * (ways >> 1)).T)
    return found


def worm() -> list[np.ndarray]:
    """Synapses among the neurons of C. elegans that begin with A, as directed counts."""
    try:
        data = metadata.distribution("c302").locate_file("c302/data/herm_full_edgelist.csv")
    except metadata.PackageNotFoundError:
        pytest.skip("c302 is not installed")
    table = pd.read_csv(data, sep=r"\s*,\s*", engine="python")
    graph = nx.from_pandas_edgelist(
        table, "Source", "Target", edge_attr="Weight", create_using=nx.DiGraph
    )
    graph.remove_edges_from(list(nx.selfloop_edges(graph)))
    cells = sorted(name for name in graph if name.startswith("A"))
    return [nx.to_numpy_array(graph, nodelist=cells, weight="Weight")]


GROUPS = {
    "three nodes": all_of_three_nodes,
    "up to five nodes": atlas_with_directions,
    "worm": worm,
}


@pytest.fixture(params=GROUPS)
def group(request) -> list[np.ndarray]:
    return GROUPS[request.param]()


def with_weights(arcs: np.ndarray) -> np.ndarray:
    rng = np.random.default_rng(1)
    return arcs * rng.uniform(0.1, 1, arcs.shape)


def test_degrees_and_strengths_are_those_of_bctpy(group) -> None:
    for arcs in group:
        pattern = (arcs != 0).astype(float)
        incoming, outgoing = directed_degrees(arcs)
        theirs = bct.degrees_dir(pattern.copy())
        assert (incoming.tolist(), outgoing.tolist()) == (theirs[0].tolist(), theirs[1].tolist())
        signed = with_weights(arcs)
        signed[::2] *= -1
        into, out = directed_strengths(signed)
        assert into.net == close(signed.sum(axis=0))
        assert out.net == close(signed.sum(axis=1))
        assert into.positive == close(np.maximum(signed, 0).sum(axis=0))
        assert out.negative == close(np.maximum(-signed, 0).sum(axis=1))


def test_reciprocity_is_that_of_networkx_and_igraph(group) -> None:
    for arcs in group:
        graph = nx.from_numpy_array((arcs != 0).astype(float), create_using=nx.DiGraph)
        if not arcs.any():
            assert math.isnan(reciprocity(arcs))
            continue
        assert reciprocity(arcs) == close(nx.overall_reciprocity(graph))
        theirs = igraph.Graph.from_networkx(graph)
        assert reciprocity(theirs) == close(theirs.reciprocity())


def test_clustering_is_that_of_bctpy_and_networkx(group) -> None:
    for arcs in group:
        pattern, weights = (arcs != 0).astype(float), with_weights(arcs)
        weights /= max(weights.max(), 1e-300)
        assert fagiolo_by_node(arcs_of(arcs, weighted=False)) == close(
            bct.clustering_coef_bd(pattern)
        )
        assert fagiolo_by_node(arcs_of(weights, weighted=True)) == close(
            bct.clustering_coef_wd(weights)
        )
        graph = nx.from_numpy_array(weights, create_using=nx.DiGraph)
        assert directed_clustering(graph) == close(nx.average_clustering(graph))
        assert directed_clustering(graph, weighted=True) == close(
            nx.average_clustering(graph, weight="weight")
        )


def test_paths_are_those_of_bctpy(group) -> None:
    for arcs in group:
        weights = with_weights(arcs)
        with np.errstate(divide="ignore"):
            lengths = np.where(weights == 0, 0, 1 / weights)
        hops = bct.distance_bin((arcs != 0).astype(float))
        for weighted, found in ((False, hops), (True, bct.distance_wei(lengths)[0])):
            pairs = found[~np.eye(len(arcs), dtype=bool)]
            joined = pairs[np.isfinite(pairs)]
            ours = directed_paths(weights, weighted=weighted)
            assert ours.path_length == close(
                joined.mean() if joined.size else math.nan, nan_ok=True
            )
            if not pairs.size:
                assert math.isnan(ours.efficiency)
                assert math.isnan(ours.reachable_share)
                continue
            assert ours.efficiency == close((1 / pairs).mean())
            assert ours.reachable_share == close(joined.size / pairs.size)
            assert repr(directed_paths(-weights, weighted=weighted)) == repr(ours)


@pytest.mark.parametrize("weighted", [False, True])
def test_edges_are_arcs_in_both_directions(weighted) -> None:
    graph = nx.karate_club_graph()
    g = LayeredGraph.from_networkx(graph, inputs=0, outputs=33)
    for each in (graph, g, nx.to_scipy_sparse_array(graph), igraph.Graph.from_networkx(graph)):
        assert reciprocity(each) == 1
        assert directed_clustering(each, weighted=weighted) == close(
            average_clustering(graph, weighted=weighted)
        )
        found = directed_paths(each, weighted=weighted)
        assert found.path_length == close(characteristic_path_length(graph, weighted=weighted))
        assert found.efficiency == close(global_efficiency(graph, weighted=weighted))
        assert found.reachable_share == reachable_share(graph)


def test_turning_all_arcs_round_swaps_in_and_out() -> None:
    graph = nx.gnp_random_graph(30, 0.1, seed=0, directed=True)
    back = graph.reverse()
    assert [each.tolist() for each in directed_degrees(graph)] == [
        each.tolist() for each in reversed(directed_degrees(back))
    ]
    assert directed_clustering(graph) == close(directed_clustering(back))
    assert directed_paths(graph).path_length == close(directed_paths(back).path_length)


@pytest.mark.parametrize(
    ("graph", "message"),
    [
        (nx.MultiDiGraph([(0, 1), (0, 1)]), "parallel arcs"),
        (igraph.Graph([(0, 1), (0, 1)], directed=True), "parallel arcs"),
        (nx.DiGraph([(0, 1), (1, 1)]), "1 self-loops"),
        (np.array([[1.0, 2], [0, 0]]), "1 self-loops"),
        (np.ones((2, 3)), "give a square one"),
        (sparse.csr_array(np.array([[0, np.inf], [0, 0]])), "infinity"),
        ("a graph", "a str"),
    ],
)
def test_what_is_no_simple_graph_is_refused(graph, message) -> None:
    with pytest.raises(InputError, match=message):
        directed_paths(graph)


def test_weights_of_arcs_have_to_be_complete_where_they_count() -> None:
    graph = nx.DiGraph([(0, 1), (1, 2), (2, 0)])
    graph.edges[0, 1]["weight"] = 2.0
    assert directed_paths(graph).reachable_share == 1
    with pytest.raises(InputError, match="2 of 3 arcs have none"):
        directed_paths(graph, weighted=True)
    nx.set_edge_attributes(graph, {(0, 1): 2.0, (1, 2): 0.0, (2, 0): 1.0}, "weight")
    assert directed_degrees(graph)[1].tolist() == [1, 0, 1]
