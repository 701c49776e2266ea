from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.endpoints import rewire_ends, rewire_keeping_degrees
from smallworld_eqprop.graphs.generate.families import add_rings, add_skips, random_like, thin
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire
from smallworld_eqprop.graphs.nulls.lattices import degree_preserving_lattice, ring_lattice
from smallworld_eqprop.graphs.nulls.nullmodels import (
    degree_preserving,
    erdos_renyi,
    layer_blocks,
    layer_blocks_with_degrees,
)

PLAIN = layered((4, 6, 6, 3))
#: Every edge knows who it is.
G = LayeredGraph(
    PLAIN.layer_sizes,
    PLAIN.edges,
    edge_data={
        "weight": np.arange(1.0, PLAIN.n_edges + 1),
        "number": np.arange(PLAIN.n_edges),
        "name": [f"{u}-{v}" for u, v in PLAIN.edges.tolist()],
        "trainable": np.arange(PLAIN.n_edges) % 2 == 0,
        "sign": np.arange(PLAIN.n_edges) % 3 - 1,
    },
    node_data={"role": ["x"] * PLAIN.n_nodes},
)


def test_values_are_sorted_with_their_edges_and_read_only():
    weights = np.array([3.0, 1.0, 2.0])
    g = LayeredGraph((1, 1, 1), [(2, 1), (0, 1), (0, 2)], edge_data={"weight": weights})
    assert g.edges.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert g.edge_data["weight"].tolist() == [1, 2, 3]
    weights[:] = 0
    assert g.edge_data["weight"].tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match="read-only"):
        g.edge_data["weight"][0] = 1
    with pytest.raises(TypeError):
        g.edge_data["weight"] = 1


def test_kinds_of_numbers():
    assert {name: each.dtype.kind for name, each in G.edge_data.items()} == {
        "weight": "f", "number": "i", "name": "U", "trainable": "b", "sign": "i",
    }  # fmt: skip
    g = LayeredGraph((1, 1), [(0, 1)], edge_data={"trainable": [0], "sign": [-1.0], "weight": [2]})
    assert [each.dtype for each in g.edge_data.values()] == [bool, np.int8, np.float64]


def test_equality_is_that_of_layers_and_edges():
    assert G == PLAIN
    assert hash(G) == hash(PLAIN)


def test_copies_keep_data():
    for other in (copy.deepcopy(G), pickle.loads(pickle.dumps(G))):  # noqa: S301
        assert other.edge_data["name"].tolist() == G.edge_data["name"].tolist()
        assert other.node_data["role"].tolist() == ["x"] * G.n_nodes
        assert not other.edge_data["weight"].flags.writeable


def test_what_is_not_changed_is_shared():
    again = LayeredGraph(G.layer_sizes, G.edges, edge_data=G.edge_data, node_data=G.node_data)
    assert again.edge_data["weight"] is G.edge_data["weight"]
    assert G.replace_edges(G.edges[:3]).node_data["role"] is G.node_data["role"]


def consistent(found):
    """Values stand together as they did; new edges have none; gives who is at every edge."""
    data = found.edge_data
    old = ~np.isnan(data["number"])
    who = data["number"][old].astype(int)
    for name in ("weight", "name", "trainable", "sign"):
        assert np.array_equal(data[name][old], G.edge_data[name][who]), name
    assert np.isnan(data["weight"][~old]).all()
    assert (data["name"][~old] == "").all()
    assert data["trainable"][~old].all()
    assert (data["sign"][~old] == 0).all()
    assert found.node_data["role"] is G.node_data["role"]
    names = [f"{u}-{v}" for u, v in found.edges.tolist()]
    stayed = data["name"] == np.array(names)
    return old, stayed


MOVES = {
    "rewire": lambda p, seed: rewire(G, p, seed=seed),
    "moves": lambda p, seed: rewire(G, moves=round(40 * p), seed=seed),
    "ends": lambda p, seed: rewire_ends(G, p, seed=seed, across_layers=True),
    "degrees": lambda p, seed: rewire_keeping_degrees(G, p, seed=seed),
}


@pytest.mark.parametrize("name", MOVES)
@given(p=st.floats(0, 0.9), seed=st.integers(0, 99))
def test_moved_edges_take_their_data_along(name, p, seed):
    found = MOVES[name](p, seed)
    old, stayed = consistent(found)
    assert old.all()
    assert (~stayed).sum() <= found.provenance[-1]["moved"]
    plain = {"rewire": lambda: rewire(PLAIN, p, seed=seed)}.get(name)
    assert plain is None or plain() == found


@pytest.mark.parametrize(
    "change",
    [
        lambda: add_skips(G, 5, seed=0),
        lambda: add_rings(G, 2),
        lambda: add_intralayer(G),
        lambda: thin(G, 60, seed=0),
        lambda: random_like(G, seed=0),
        lambda: G.replace_edges(np.empty((0, 2), int)),
        lambda: G.replace_edges(np.empty((0, 2), int)).replace_edges(G.edges),
    ],
)
def test_edges_that_stay_keep_their_data_and_new_ones_have_none(change):
    found = change()
    old, stayed = consistent(found)
    assert np.array_equal(old, stayed)


NULLS = (
    degree_preserving, erdos_renyi, layer_blocks, layer_blocks_with_degrees, ring_lattice,
    degree_preserving_lattice,
)  # fmt: skip


@pytest.mark.parametrize("null", NULLS)
def test_null_samples_say_in_a_graph_how_they_were_made(null):
    sample = null(G, seed=3)
    found = sample.applied_to(G)
    assert np.array_equal(found.edges, sample.edges)
    old, stayed = consistent(found)
    assert np.array_equal(old, stayed)
    step = found.provenance[-1]
    assert (step["step"], step["seed"]) == (null.__name__, 3)
    assert (step["accepted"], step["mixed"]) == (sample.accepted, sample.mixed)
    assert null.__name__ in repr(found)
    assert null(G, seed=np.random.default_rng(3)).applied_to(G).provenance[-1]["seed"] is None
    with pytest.raises(InputError, match="2 nodes; the sample has 19"):
        sample.applied_to(layered((1, 1)))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"edge_data": {"weight": [1, 2]}}, r"edge_data 'weight': 2 values; give 1, one per edge"),
        ({"node_data": {"role": ["a"]}}, r"node_data 'role': 1 values; give 2, one per node"),
        ({"edge_data": {"weight": [np.inf]}}, "infinite at 0; give finite numbers, or nan"),
        ({"edge_data": {"weight": ["a"]}}, "edge_data 'weight': <U1; give numbers"),
        ({"edge_data": {"sign": [2]}}, "edge_data 'sign': 2; allowed: -1, 0, 1"),
        ({"edge_data": {"trainable": ["no"]}}, "edge_data 'trainable': no; allowed: 0, 1"),
        ({"edge_data": {"x": [None]}}, "object; give numbers, text, or True and False"),
        ({"edge_data": {"x": [[1, 2]]}}, r"shape \(1, 2\); give one value for each"),
        ({"edge_data": {1: [1]}}, "edge_data: 1 is no name"),
        ({"node_data": {"position": [1, 2]}}, r"give \(n_nodes, 2\) or \(n_nodes, 3\)"),
        ({"node_data": {"layer": [0, 1]}}, "'layer' is given by the layer sizes"),
        ({"node_data": {"position": np.eye(2), "x": [1, 2]}}, "x beside 'position'"),
    ],
)
def test_bad_data_are_named_in_one_line(data, message):
    with pytest.raises(InputError, match=message) as caught:
        LayeredGraph((1, 1), [(0, 1)], **data)
    assert "\n" not in str(caught.value)


def test_a_matrix_of_data():
    assert np.array_equal(PLAIN.adjacency().toarray() * 0, G.adjacency("weight").toarray() * 0)
    u, v = G.edges[5]
    assert G.adjacency("weight")[v, u] == G.edge_data["weight"][5]
    for graph, name, message in (
        (G, "length", "has no 'length'; it has: weight, number, name, trainable, sign"),
        (PLAIN, "weight", "has no 'weight'; it has none"),
        (G, "name", "'name': text; give numbers"),
        (add_skips(G, 2, seed=0), "weight", "2 of 80 edges have no value"),
    ):
        with pytest.raises(InputError, match=message):
            graph.adjacency(name)
