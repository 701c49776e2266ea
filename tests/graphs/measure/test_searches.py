"""Every way to count distances gives the same, on graphs of every shape and in every order."""

from __future__ import annotations

import subprocess
import sys

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.csgraph import shortest_path

from smallworld_eqprop.graphs.core.adjacency import as_adjacency
from smallworld_eqprop.graphs.measure import breadth_first, searches, trees
from smallworld_eqprop.graphs.measure.distances import distance_counts, local_efficiency

FAMILIES = {
    "no edges": nx.empty_graph(70),
    "path": nx.path_graph(200),
    "star": nx.star_graph(90),
    "clique": nx.complete_graph(130),
    "cycle": nx.cycle_graph(201),
    "ring lattice": nx.watts_strogatz_graph(300, 6, 0),
    "small world": nx.watts_strogatz_graph(300, 6, 0.02, seed=0),
    "grid": nx.grid_2d_graph(13, 17),
    "preferential": nx.barabasi_albert_graph(300, 3, seed=0),
    "in pieces": nx.gnm_random_graph(300, 250, seed=0),
    "grid beside trees": nx.disjoint_union_all(
        [nx.grid_2d_graph(9, 9), *(nx.random_labeled_tree(n, seed=n) for n in (1, 2, 60))]
    ),
}


@pytest.fixture(params=["numpy", "compiled", "ordered"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Take one way of searching, whatever the graph."""
    small = 10**9 if request.param == "numpy" else 0
    for limit in ("SMALL_NODES", "SMALL_WORDS", "SMALL_DEPTH"):
        monkeypatch.setattr(searches, limit, small)
    monkeypatch.setattr(searches, "DEEP", -1 if request.param == "ordered" else 10**9)
    return request.param


def expected(
    adjacency: sparse.csr_array, sources: np.ndarray, targets: np.ndarray
) -> searches.Found:
    hops = shortest_path(adjacency, unweighted=True)[np.ix_(sources, targets)]
    there = np.isfinite(hops)
    counts = np.bincount(hops[there].astype(int))
    return searches.Found(
        counts, np.where(there, hops, 0).sum(axis=1), (there & (hops > 0)).sum(axis=1)
    )


def shuffled(adjacency: sparse.csr_array) -> sparse.csr_array:
    order = np.random.default_rng(1).permutation(adjacency.shape[0])
    return as_adjacency(sparse.csr_array(adjacency[order][:, order]))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("arranged", [as_adjacency, shuffled])
def test_all_pairs_and_some(family: str, arranged, way: str) -> None:
    adjacency = arranged(as_adjacency(FAMILIES[family]))
    n_nodes = adjacency.shape[0]
    rng = np.random.default_rng(2)
    everyone = np.arange(n_nodes)
    some, others = (rng.choice(n_nodes, n_nodes // k, replace=False) for k in (2, 3))
    for sources, targets in ((everyone, everyone), (some, others), (some[:3], everyone)):
        right = expected(adjacency, sources, targets)
        assert np.array_equal(searches.search(adjacency, sources, targets).counts, right.counts)
        found = searches.search(adjacency, sources, targets, per_source=True)
        for ours, theirs in zip(found, right, strict=True):
            assert np.array_equal(ours, theirs)


@pytest.mark.parametrize("family", FAMILIES)
def test_local_efficiency(family: str) -> None:
    # networkx takes seconds for the clique of 130 nodes, which are more than two words of bits.
    graph = nx.complete_graph(70) if family == "clique" else FAMILIES[family]
    assert local_efficiency(graph) == pytest.approx(nx.local_efficiency(graph), abs=1e-12)


def test_all_graphs_of_up_to_five_nodes(way: str) -> None:
    for graph in nx.graph_atlas_g()[:53]:
        adjacency = as_adjacency(graph)
        everyone = np.arange(len(graph))
        right = expected(adjacency, everyone, everyone).counts if len(graph) else []
        assert distance_counts(adjacency).tolist() == list(right)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 120), st.floats(0, 1), st.integers(0, 10**6))
def test_trees_are_counted_right(n_nodes: int, shape: float, seed: int) -> None:
    # From paths (shape 0) over random recursive trees to stars; labels shuffled.
    rng = np.random.default_rng(seed)
    parents = [int(node * (1 - rng.random() ** shape)) for node in range(1, n_nodes)]
    graph = nx.empty_graph(n_nodes)
    graph.add_edges_from((node + 1, parent) for node, parent in enumerate(parents))
    adjacency = shuffled(as_adjacency(graph))
    roots, inside = trees.find_trees(adjacency)
    assert len(roots) == 1
    assert inside.all()
    counts = np.zeros(n_nodes + 1, np.int64)
    trees.count_pairs(adjacency, roots, counts)
    hops = shortest_path(adjacency, unweighted=True).astype(int)
    assert counts[1:].tolist() == np.bincount(hops.ravel(), minlength=n_nodes + 1)[1:].tolist()


def test_only_trees_are_taken_for_trees() -> None:
    graph = nx.disjoint_union_all([nx.cycle_graph(4), nx.path_graph(3), nx.empty_graph(1)])
    roots, inside = trees.find_trees(as_adjacency(graph))
    assert roots.tolist() == [4, 7]
    assert inside.tolist() == [False] * 4 + [True] * 4


@pytest.mark.parametrize(
    ("graph", "value"),
    [
        (nx.path_graph(100_000), 100_001 / 3),
        # A spider: three legs of k nodes.
        (nx.from_edgelist([(max(i - 3, 0), i) for i in range(1, 3001)]), None),
        (nx.cycle_graph(2001), 1001 / 2),
    ],
    ids=["path", "spider", "cycle"],
)
def test_large_graphs_by_their_closed_forms(graph: nx.Graph, value: float | None) -> None:
    counts = distance_counts(graph)
    if value is None:
        k, n = 1000, 3001
        inside = k * (k + 1) * (k + 2) / 6
        value = 2 * (3 * inside + 3 * k * k * (k + 1)) / (n * (n - 1))
    assert np.arange(len(counts)) @ counts / counts[1:].sum() == pytest.approx(value, rel=1e-12)


def test_a_large_graph_agrees_with_igraph() -> None:
    graph = nx.watts_strogatz_graph(3000, 6, 0.001, seed=3)
    counts = distance_counts(graph)
    theirs = igraph.Graph(n=3000, edges=list(graph.edges)).path_length_hist().bins()
    assert counts[1:].tolist() == [2 * n for *_, n in theirs]


def test_balls_hold_every_node_once_and_lie_close() -> None:
    side = 40
    adjacency = as_adjacency(nx.grid_2d_graph(side, side))
    graph = (each.astype(np.uint32) for each in (adjacency.indptr, adjacency.indices))
    order = breadth_first.close_together(*graph, np.arange(side * side)).astype(int)
    assert sorted(order) == list(range(side * side))
    spread = [
        np.ptp(block // side) + np.ptp(block % side)
        for block in np.split(order, range(64, len(order), 64))
    ]
    # A square of 64 nodes has 14, a row of them at least 40.
    assert np.median(spread) < 25


def test_small_graphs_need_no_compiled_code() -> None:
    code = (
        "import sys, networkx as nx, smallworld_eqprop as sw;"
        "assert sw.characteristic_path_length(nx.gnm_random_graph(300, 900, seed=0)) > 1;"
        "assert 'numba' not in sys.modules;"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("beside", [0, 5])
def test_depth_is_seen_beside_a_small_dense_part(beside: int) -> None:
    graph = nx.disjoint_union(nx.complete_graph(beside), nx.path_graph(100))
    assert 50 <= searches.depth_of(as_adjacency(graph)) < 100
