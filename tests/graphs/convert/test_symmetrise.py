"""Directed graphs made undirected, by each rule and from every source."""

from __future__ import annotations

import igraph
import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.files import read_adjacency, read_graph
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.topology.file import File
from smallworld_eqprop.graphs.topology.spec import TOPOLOGY
from smallworld_eqprop.specs import read_spec, write_spec

# Both ways with two weights, both ways with weights that cancel, one way.
MATRIX = np.array(
    [[0, 1, 0, 2.0], [-3, 0, 0.5, 0], [0, -0.5, 0, 4], [0, 0, 0, 0]],
)
EXPECTED = {
    "max": {(0, 1): -3, (0, 3): 2, (1, 2): 0.5, (2, 3): 4},
    "mean": {(0, 1): -1, (0, 3): 1, (2, 3): 2},
    "or": {(0, 1): None, (0, 3): None, (1, 2): None, (2, 3): None},
}


def sources(matrix):
    """The same directed graph in every form, and what takes it."""
    ways = np.argwhere(matrix)
    weights = matrix[tuple(ways.T)].tolist()
    graph = nx.DiGraph()
    graph.add_nodes_from(range(len(matrix)))
    graph.add_weighted_edges_from(
        [(*way, w) for way, w in zip(ways.tolist(), weights, strict=True)]
    )
    other = igraph.Graph(len(matrix), ways.tolist(), directed=True)
    other.es["weight"] = weights
    yield LayeredGraph.from_networkx, graph
    yield LayeredGraph.from_igraph, other
    yield LayeredGraph.from_sparse, matrix


@pytest.mark.parametrize("rule", EXPECTED)
def test_one_rule_for_every_source(rule, tmp_path):
    sparse.save_npz(tmp_path / "mine.npz", sparse.csr_array(MATRIX))
    found = [take(graph, 0, 3, symmetrise=rule) for take, graph in sources(MATRIX)]
    found.append(read_graph(tmp_path / "mine.npz", 0, 3, symmetrise=rule))
    found.append(File(str(tmp_path / "mine.npz"), 0, 3, symmetrise=rule).build(0))
    for g in found:
        names = range(4) if g.labels is None else g.labels
        weights = g.edge_data.get("weight", [None] * g.n_edges)
        edges = {
            tuple(sorted((names[u], names[v]))): weight
            for (u, v), weight in zip(g.edges.tolist(), weights, strict=True)
        }
        assert edges == EXPECTED[rule]
        step = g.provenance[-1]
        assert step["symmetrised"] == rule
        assert (step["directed_edges"], step["reciprocal_pairs_merged"]) == (6, 2)
        assert step.get("cancelled_left_out", 0) == (rule == "mean")
    matrix, step = read_adjacency(tmp_path / "mine.npz", symmetrise=rule)
    assert step["symmetrised"] == rule
    expected = np.zeros((4, 4))
    for (u, v), weight in EXPECTED[rule].items():
        expected[u, v] = expected[v, u] = 1 if weight is None else weight
    assert np.array_equal(matrix.toarray(), expected)


@given(st.integers(2, 9), st.integers(0, 999))
def test_the_mean_is_that_of_a_matrix_and_its_transpose(n, seed):
    rng = np.random.default_rng(seed)
    matrix = rng.integers(-2, 3, (n, n)) * (rng.random((n, n)) < 0.5)
    np.fill_diagonal(matrix, 0)
    if not matrix.any() or not np.triu(matrix).any() or not np.tril(matrix).any():
        return
    mean = (matrix + matrix.T) / 2
    sizes = (1, n - 1)
    g = LayeredGraph.from_sparse(matrix, layer_sizes=sizes, symmetrise="mean")
    if (matrix != matrix.T).any():
        assert np.array_equal(g.adjacency("weight").toarray(), mean)
    either = LayeredGraph.from_sparse(matrix, layer_sizes=sizes, symmetrise="or")
    assert np.array_equal(either.adjacency().toarray(), (matrix != 0) | (matrix.T != 0))


def test_without_weights_the_mean_says_how_many_ways_an_edge_runs():
    g = LayeredGraph.from_networkx(nx.DiGraph([(0, 1), (1, 0), (1, 2)]), 0, 2, symmetrise="mean")
    assert g.edge_data["weight"].tolist() == [1, 0.5]


def test_parallel_edges_count_by_the_largest_of_their_direction():
    graph = nx.MultiDiGraph()
    graph.add_weighted_edges_from([(0, 1, 1), (0, 1, 4), (1, 0, 2), (1, 2, 3)])
    nx.set_edge_attributes(graph, {(0, 1, 0): "a", (0, 1, 1): "b", (1, 0, 0): "c"}, "kind")
    g = LayeredGraph.from_networkx(graph, 0, 2, symmetrise="mean")
    assert g.edge_data["weight"].tolist() == [3, 1.5]
    assert g.edge_data["kind"][0] == "b"
    assert g.provenance[-1]["parallel_edges_merged"] == 1


def test_undirected_graphs_keep_their_weights():
    graph = nx.Graph()
    graph.add_weighted_edges_from([(0, 1, 2.0), (1, 2, -1.0)])
    for rule in ("max", "mean", "or"):
        g = LayeredGraph.from_networkx(graph, 0, 2, symmetrise=rule)
        assert g.edge_data["weight"].tolist() == [2, -1]
        assert "symmetrised" not in g.provenance[-1]


def test_a_run_file_names_the_rule(tmp_path):
    sparse.save_npz(tmp_path / "mine.npz", sparse.csr_array(MATRIX))
    table = {"kind": "file", "path": str(tmp_path / "mine.npz"), "inputs": 0, "outputs": 3}
    default = read_spec(TOPOLOGY, table)
    assert "symmetrise" not in default.identity()
    spec = read_spec(TOPOLOGY, {**table, "symmetrise": "or"})
    assert write_spec(TOPOLOGY, spec) == {**table, "symmetrise": "or"}
    assert spec.identity() == {**default.identity(), "symmetrise": "or"}
    assert "weight" not in spec.build(0).edge_data


@pytest.mark.parametrize("graph", [nx.path_graph(3), nx.path_graph(3, create_using=nx.DiGraph)])
def test_a_rule_that_is_none_is_refused(graph):
    with pytest.raises(InputError, match="symmetrise: 'men'; did you mean"):
        LayeredGraph.from_networkx(graph, 0, 2, symmetrise="men")
    with pytest.raises(InputError, match="symmetrise: 'largest'"):
        File("mine.npz", 0, 2, symmetrise="largest")
