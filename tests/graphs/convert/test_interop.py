from __future__ import annotations

import io

import igraph
import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

sizes = st.lists(st.integers(1, 4), min_size=3, max_size=5)


@st.composite
def graphs(draw):
    g = add_intralayer(layered(draw(sizes)))
    g = rewire(g, draw(st.floats(0, 1)), seed=draw(st.integers(0, 99)))
    g = g.replace_edges(g.edges[: draw(st.integers(0, g.n_edges))])
    if draw(st.booleans()):
        names = draw(st.permutations([f"neuron {i}" for i in range(g.n_nodes)]))
        g = LayeredGraph(g.layer_sizes, g.edges, g.provenance, names)
    return g


@given(graphs())
def test_networkx_round_trip(g):
    exported = g.to_networkx()
    back = LayeredGraph.from_networkx(exported)
    assert back == g
    assert back.labels == g.labels
    assert back.provenance[:-1] == g.provenance
    assert nx.utils.edges_equal(back.to_networkx().edges, exported.edges)
    nx.write_graphml(exported, io.BytesIO())
    assert [exported.nodes[name]["layer"] for name in exported] == g.layers.tolist()


@given(graphs())
def test_igraph_round_trip(g):
    exported = g.to_igraph()
    back = LayeredGraph.from_igraph(exported)
    assert exported.get_edgelist() == [tuple(edge) for edge in g.edges.tolist()]
    assert back == g
    assert back.labels == g.labels
    assert back.provenance[:-1] == g.provenance


@given(graphs(), st.sampled_from([sparse.csr_array, sparse.coo_matrix, np.asarray]))
def test_sparse_round_trip(g, form):
    matrix = form(g.adjacency().toarray())
    back = LayeredGraph.from_sparse(matrix, layer_sizes=g.layer_sizes)
    assert back == g
    assert back.provenance == (
        {"step": "from_sparse", "self_loops_left_out": 0, "parallel_edges_merged": 0},
    )


@given(st.integers(2, 12), st.integers(0, 1000), st.data())
def test_hidden_layers_are_hop_distances(n, seed, data):
    graph = nx.gnp_random_graph(n, 0.4, seed=seed)
    chosen = data.draw(st.permutations(range(n)))
    cut = data.draw(st.integers(1, n - 1))
    inputs, outputs = chosen[:cut], chosen[cut : cut + 2]
    hops = nx.multi_source_dijkstra_path_length(graph, set(inputs))
    assume(all(node in hops for node in outputs))
    g = LayeredGraph.from_networkx(graph, inputs, outputs)
    names = list(range(g.n_nodes)) if g.labels is None else list(g.labels)
    assert [names[i] for i in range(cut)] == inputs
    assert names[-len(outputs) :] == outputs
    hidden = names[cut : len(names) - len(outputs)]
    assert set(hidden) == set(hops) - set(inputs) - set(outputs)
    ranks = {hop: rank for rank, hop in enumerate(sorted({hops[name] for name in hidden}), 1)}
    layers = g.layers[cut : cut + len(hidden)].tolist()
    assert [ranks[hops[name]] for name in hidden] == layers
    expected = {
        frozenset(edge) for edge in graph.edges if edge[0] in hops and not set(edge) <= set(inputs)
    }
    assert {frozenset((names[u], names[v])) for u, v in g.edges.tolist()} == expected


@given(st.integers(0, 1000))
def test_the_three_sources_agree(seed):
    graph = nx.connected_watts_strogatz_graph(12, 4, 0.3, seed=seed)
    g = LayeredGraph.from_networkx(graph, [3, 1], [7])
    assert LayeredGraph.from_igraph(igraph.Graph(12, list(graph.edges)), [3, 1], [7]) == g
    other = LayeredGraph.from_sparse(nx.to_scipy_sparse_array(graph), [3, 1], [7])
    assert other == g
    assert other.labels == g.labels
    assert {**other.provenance[-1], "step": ""} == {**g.provenance[-1], "step": ""}


def test_directed_multigraph_with_loops():
    graph = nx.MultiDiGraph([("a", "b"), ("b", "a"), ("a", "b"), ("b", "b"), ("b", "c")])
    graph.add_edges_from([("x", "y"), ("a", "d"), ("d", "b")])
    g = LayeredGraph.from_networkx(graph, ["a", "d"], ["c"])
    assert g.labels == ("a", "d", "b", "c")
    assert g.edges.tolist() == [[0, 2], [1, 2], [2, 3]]
    assert g.provenance == (
        {
            "step": "from_networkx",
            "self_loops_left_out": 1,
            "parallel_edges_merged": 1,
            "directed_edges": 6,
            "reciprocal_pairs_merged": 1,
            "symmetrised": "max",
            "input_edges_left_out": 1,
            "unreachable_nodes_left_out": 2,
        },
    )


def test_one_sided_matrix_means_the_same_edges():
    g = layered((2, 2, 1))
    upper = sparse.triu(g.adjacency())
    assert LayeredGraph.from_sparse(upper, layer_sizes=(2, 2, 1)) == g
    assert LayeredGraph.from_sparse(upper.T, range(2), [4]) == g


def test_explicit_zeros_are_no_edges():
    matrix = sparse.coo_array(([1.0, 0.0], ([0, 0], [1, 2])), shape=(3, 3))
    assert LayeredGraph.from_sparse(matrix, layer_sizes=(1, 1, 1)).edges.tolist() == [[0, 1]]


def test_labels_of_any_hashable_kind():
    graph = nx.grid_2d_graph(3, 3)
    g = LayeredGraph.from_networkx(graph, [(0, 0)], [(2, 2)])
    assert g.layer_sizes == (1, 2, 3, 2, 1)
    assert g.labels[-1] == (2, 2)
    assert LayeredGraph.from_networkx(g.to_networkx()).labels == g.labels


@pytest.mark.parametrize(
    ("inputs", "outputs"),
    [
        (0, 4),
        (np.int64(0), np.uint8(4)),
        (np.array(0), np.array(4)),
        (np.array([0]), pd.Series([4])),
        (iter([0]), (i for i in [4])),
        ({0}, frozenset({4})),
        (range(1), {4: "four"}),
        ((0,), "4"),
    ],
)
def test_inputs_and_outputs_in_every_form(inputs, outputs):
    g = LayeredGraph.from_networkx(nx.path_graph(5), inputs=inputs, outputs=outputs)
    assert (g.layer_sizes, g.labels) == ((1, 1, 1, 1, 1), None)


@pytest.mark.parametrize("make", [list, tuple, np.array], ids=["list", "tuple", "array"])
def test_nodes_of_a_grid_as_inputs(make):
    g = LayeredGraph.from_networkx(nx.grid_2d_graph(2, 2), make([(0, 1), (0, 0)]), (1, 1))
    assert g.labels == ((0, 1), (0, 0), (1, 0), (1, 1))


def test_objects_of_another_library_are_named():
    graph, other = nx.path_graph(3), igraph.Graph.Ring(3)
    for bad in (other, layered((2, 1)), np.eye(3), 42, None):
        with pytest.raises(InputError, match=f"a {type(bad).__name__}; give a networkx graph"):
            LayeredGraph.from_networkx(bad, 0, 2)
    for bad in (graph, layered((2, 1)), np.eye(3), 42, None):
        with pytest.raises(InputError, match=f"a {type(bad).__name__}; give an igraph graph"):
            LayeredGraph.from_igraph(bad, 0, 2)


@pytest.mark.parametrize("names", [["a", "b", "b"], ["a", [1], "b"]])
def test_names_of_igraph_that_are_no_labels(names):
    graph = igraph.Graph.Ring(3)
    graph.vs["name"] = names
    with pytest.raises(InputError, match=r"labels: .* give one distinct"):
        LayeredGraph.from_igraph(graph, "a", "b")


@pytest.mark.parametrize(
    ("inputs", "outputs", "message"),
    [
        ([0], [4], "outputs: 4 cannot be reached"),
        ([([1], 2)], 4, r"inputs: \(\[1\], 2\) is not a node"),
        (0, 4, "outputs: 4 cannot be reached"),
        (7, 3, "inputs: 7 is not a node"),
        ("role=in", [3], "inputs: 'role=in': nodes have no attribute 'role'; they have none"),
        ([4], [0, 1, 2, 3], "outputs: 0, 1, 2, 3 cannot be reached"),
        ([0], [9], "outputs: 9 is not a node"),
        (["a"], [1], "inputs: 'a' is not a node"),
        ([0, 0], [1], "inputs: 0 is given twice"),
        ([], [1], "inputs: none"),
        ([0, 1], [1], "outputs: 1 is an input too"),
        ([0], None, "outputs: none; give both"),
        (None, [0], "inputs: none; give both"),
        (None, None, "no layers 0, 1, ... either"),
    ],
)
def test_bad_choices_are_named_in_one_line(inputs, outputs, message):
    graph = nx.path_graph(4)
    graph.add_node(4)
    for source in (
        lambda: LayeredGraph.from_networkx(graph, inputs, outputs),
        lambda: LayeredGraph.from_igraph(igraph.Graph(5, list(graph.edges)), inputs, outputs),
        lambda: LayeredGraph.from_sparse(nx.to_scipy_sparse_array(graph), inputs, outputs),
    ):
        with pytest.raises(InputError, match=message) as caught:
            source()
        assert "\n" not in str(caught.value)


def test_bad_layers_and_matrices():
    graph = layered((2, 2, 1)).to_networkx()
    graph.nodes[4]["layer"] = 5
    with pytest.raises(InputError, match="no layers 0, 1"):
        LayeredGraph.from_networkx(graph)
    with pytest.raises(InputError, match="give a square"):
        LayeredGraph.from_sparse(np.ones((2, 3)), layer_sizes=(1, 1))
    with pytest.raises(InputError, match="matrix: nan"):
        LayeredGraph.from_sparse(np.full((2, 2), np.nan), layer_sizes=(1, 1))
    with pytest.raises(InputError, match="sum to 2; the matrix has 3 nodes"):
        LayeredGraph.from_sparse(np.ones((3, 3)), layer_sizes=(1, 1))


DATA = LayeredGraph(
    (2, 2, 1),
    [(0, 2), (1, 2), (2, 3), (3, 4)],
    edge_data={
        "weight": [0.5, -1.5, np.nan, 2],
        "sign": [1, -1, 0, 0],
        "trainable": [True, False, True, True],
        "kind": ["a", "", "b", "a"],
    },
    node_data={
        "role": list("iihho"),
        "position": np.arange(15.0).reshape(5, 3),
        "count": np.arange(5),
    },
)


def same_data(one, other):
    for kind in ("edge_data", "node_data"):
        ours, theirs = getattr(one, kind), getattr(other, kind)
        assert set(ours) == set(theirs)
        for name, values in ours.items():
            assert np.array_equal(values, theirs[name], equal_nan=values.dtype.kind == "f"), name
            assert values.dtype == theirs[name].dtype
            assert not theirs[name].flags.writeable


def test_data_are_kept():
    for back in (
        LayeredGraph.from_networkx(DATA.to_networkx()),
        LayeredGraph.from_igraph(DATA.to_igraph()),
    ):
        assert back == DATA
        same_data(DATA, back)


def test_data_follow_their_edges_and_nodes_into_layers():
    graph = nx.Graph()
    graph.add_edge("z", "b", weight=2.0, kind="x")
    graph.add_edge("a", "z", weight=-1)
    graph.add_edge("a", "lost", weight=5)
    graph.remove_edge("a", "lost")
    nx.set_node_attributes(graph, {"a": {"x": 1, "y": 2}, "b": {"x": 3.0, "y": 4}, "z": {"x": 5,
                           "y": 6}, "lost": {"x": 7, "y": 8}})  # fmt: skip
    graph.nodes["a"]["anything"] = {"not": "an array"}
    g = LayeredGraph.from_networkx(graph, "a", "b")
    assert g.labels == ("a", "z", "b")
    assert g.edge_data["weight"].tolist() == [-1, 2]
    assert g.edge_data["kind"].tolist() == ["", "x"]
    assert g.node_data["position"].tolist() == [[1, 2], [5, 6], [3, 4]]
    assert set(g.node_data) == {"position"}


def test_one_rule_for_weights_whatever_the_way_in():
    """A weight of 0 is no edge; of several edges the one with the largest weight stays."""
    arcs = [(0, 1, 0.5), (1, 0, -2.0), (1, 2, 3.0), (0, 2, 0.0), (2, 2, 1.0)]
    directed = nx.DiGraph()
    directed.add_weighted_edges_from(arcs)
    matrix = np.zeros((3, 3))
    for u, v, weight in arcs:
        matrix[u, v] = weight
    other = igraph.Graph(3, [(u, v) for u, v, _ in arcs], directed=True)
    other.es["weight"] = [weight for *_, weight in arcs]
    found = [
        LayeredGraph.from_networkx(directed, 0, 2),
        LayeredGraph.from_igraph(other, 0, 2),
        LayeredGraph.from_sparse(matrix, 0, 2),
        LayeredGraph.from_sparse(sparse.coo_array(matrix), 0, 2),
        LayeredGraph.from_sparse(pd.DataFrame(matrix), 0, 2),
    ]
    for g in found:
        assert g.edges.tolist() == [[0, 1], [1, 2]]
        assert g.edge_data["weight"].tolist() == [-2, 3]
        step = g.provenance[-1]
        assert step["self_loops_left_out"] == step["reciprocal_pairs_merged"] == 1
        assert step["symmetrised"] == "max"
        assert step["directed_edges"] == 3
    assert [g.provenance[-1]["zero_weights_left_out"] for g in found[:2]] == [1, 1]
    assert np.array_equal(found[0].adjacency("weight").toarray(), [[0, -2, 0], [-2, 0, 3],
                                                                   [0, 3, 0]])  # fmt: skip


@pytest.mark.parametrize("weight", [np.nan, np.inf, "heavy", 1j])
def test_what_is_no_weight_is_refused(weight):
    graph = nx.path_graph(3)
    graph.edges[0, 1]["weight"] = weight
    with pytest.raises(InputError, match=r"weight: .* on an edge"):
        LayeredGraph.from_networkx(graph, 0, 2)


def test_a_symmetric_matrix_up_to_its_last_digits_is_undirected():
    rng = np.random.default_rng(0)
    matrix = np.corrcoef(rng.normal(size=(5, 20)))
    matrix[0, 1] *= 1 + 1e-15
    g = LayeredGraph.from_sparse(matrix, 0, 4)
    assert "symmetrised" not in g.provenance[-1]
    assert g.provenance[-1]["self_loops_left_out"] == 5


def test_a_frame_names_the_nodes():
    frame = pd.DataFrame(np.ones((3, 3)) - np.eye(3), list("abc"), list("abc"))
    g = LayeredGraph.from_sparse(frame, "b", ["c"])
    assert g.labels == ("b", "a", "c")
    with pytest.raises(InputError, match="rows and columns have different labels"):
        LayeredGraph.from_sparse(frame.set_axis(list("abx"), axis=1), "b", "c")
