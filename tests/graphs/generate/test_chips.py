"""Graphs of chips: sizes in closed form, where inputs and outputs are, and what is missing."""

from __future__ import annotations

import importlib.util
import sys

import networkx as nx
import numpy as np
import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.generate import (
    chimera_graph,
    chip_graph,
    kings_graph,
    pegasus_graph,
    square_lattice,
    zephyr_graph,
)
from smallworld_eqprop.graphs.measure import hops_to_output


@pytest.fixture
def dwave():
    if importlib.util.find_spec("dwave_networkx") is None:
        pytest.skip("needs the extra hardware")


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 5), (4, None), (3, 7)])
def test_lattices_in_closed_form(rows, columns):
    wide = rows if columns is None else columns
    straight = rows * (wide - 1) + wide * (rows - 1)
    square, king = square_lattice(rows, columns), kings_graph(rows, columns)
    assert len(square) == len(king) == rows * wide
    assert square.number_of_edges() == straight
    assert king.number_of_edges() == straight + 2 * (rows - 1) * (wide - 1)
    for graph, longest in ((square, 1), (king, np.sqrt(2))):
        for a, b in graph.edges:
            one, other = graph.nodes[a], graph.nodes[b]
            assert np.hypot(one["x"] - other["x"], one["y"] - other["y"]) <= longest


@pytest.mark.parametrize(
    ("make", "sizes", "nodes", "edges", "degree"),
    [
        # Inside a cell shore ** 2 edges, and shore of them to each neighbouring cell.
        (chimera_graph, (2, 3, 4), 48, 6 * 16 + 4 * (3 + 4), 6),
        (pegasus_graph, (4,), 8 * 11 * 3, None, 15),
        (zephyr_graph, (3,), 4 * 4 * 3 * 7, None, 20),
    ],
)
def test_graphs_of_dwave_in_closed_form(dwave, make, sizes, nodes, edges, degree):
    graph = make(*sizes)
    assert len(graph) == nodes
    assert edges is None or graph.number_of_edges() == edges
    assert max(found for _, found in graph.degree) <= degree
    places = np.array([(place["x"], place["y"]) for place in graph.nodes.values()])
    assert np.ptp(places, axis=0).prod() == pytest.approx(nodes)


def test_the_largest_degree_of_dwaves_graphs(dwave):
    for graph, degree in ((chimera_graph(3), 6), (pegasus_graph(4), 15), (zephyr_graph(3), 20)):
        assert max(found for _, found in graph.degree) == degree


def test_without_the_extra_it_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "dwave_networkx", None)
    for make in (chimera_graph, pegasus_graph, zephyr_graph):
        with pytest.raises(InputError, match=r"pip install 'smallworld-eqprop\[hardware\]'$"):
            make(3)


@pytest.mark.parametrize("placing", ["spread", "sides"])
def test_every_edge_of_the_chip_is_there_but_those_between_inputs(placing):
    lattice = kings_graph(9)
    graph = chip_graph(lattice, 8, 4, placing=placing)
    names = graph.labels
    inputs = names[:8]
    expected = {frozenset(edge) for edge in lattice.edges if not set(edge) <= set(inputs)}
    assert {frozenset(names[i] for i in edge) for edge in graph.edges.tolist()} == expected
    where = [(lattice.nodes[name]["x"], lattice.nodes[name]["y"]) for name in names]
    np.testing.assert_array_equal(graph.node_data["position"], where)


def test_sides_are_left_and_right_and_layers_are_hops():
    graph = chip_graph(square_lattice(5, 7), 5, 5, placing="sides")
    assert graph.layer_sizes == (5,) * 7
    assert graph.labels == tuple(7 * row + column for column in range(7) for row in range(5))


def test_spread_inputs_are_apart_and_numbered_like_an_image():
    graph = chip_graph(kings_graph(12), 9, 4)
    places = graph.node_data["position"][:9]
    apart = np.hypot(*(places[:, None] - places[None]).transpose(2, 0, 1))
    assert apart[~np.eye(9, dtype=bool)].min() > 2
    x, y = places.reshape(3, 3, 2).transpose(2, 0, 1)
    assert (np.diff(x, axis=1) > 0).all()
    assert (y[:-1].min(axis=1) >= y[1:].max(axis=1)).all()


def test_missing_nodes_are_drawn_by_the_seed():
    lattice = kings_graph(10)
    one, same, other = (chip_graph(lattice, 9, 4, missing=0.2, seed=seed) for seed in (1, 1, 2))
    assert one == same and one.labels == same.labels
    assert one.labels != other.labels
    (step,) = one.provenance
    left_out = step["missing"] + step["disconnected_left_out"] + step["cut_off_left_out"]
    assert step["missing"] == 20
    assert one.n_nodes == 100 - left_out


@pytest.mark.parametrize("seed", range(20))
def test_every_free_node_reaches_an_output_without_passing_an_input(seed):
    graph = chip_graph(square_lattice(12), 20, 2, missing=0.1, seed=seed)
    free = nx.Graph(graph.edges[graph.edges[:, 0] >= 20].tolist())
    free.add_nodes_from(range(20, graph.n_nodes))
    outputs = range(graph.n_nodes - 2, graph.n_nodes)
    reached = set().union(*(nx.node_connected_component(free, node) for node in outputs))
    assert reached == set(free)
    assert np.isnan(hops_to_output(graph)[:20]).sum() == graph.provenance[0]["idle_inputs"]


def test_a_node_cut_off_by_inputs_is_left_out():
    # The input lies in the path between the output and three other nodes.
    path = nx.path_graph(5)
    nx.set_node_attributes(path, {n: {"x": x, "y": 0} for n, x in enumerate((4, 0, 1, 2, 3))})
    graph = chip_graph(path, 1, 1, placing="sides")
    assert graph.labels == (1, 0)
    assert graph.provenance[0]["cut_off_left_out"] == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"inputs": 0}, "inputs: 0, must be a whole number from 1 to"),
        ({"outputs": 0}, "outputs: 0, must be a whole number from 1 to"),
        ({"missing": 1.2}, "missing: 1.2; give a number from 0 to 1"),
        ({"missing": 1.0}, "inputs: 3, with 2 outputs; only 0 nodes"),
        ({"inputs": 24}, "inputs: 24, with 2 outputs; only 25 nodes"),
        ({"placing": "corners"}, "placing: 'corners'; .*spread, sides"),
        ({"placing": "sides", "inputs": 20}, "inputs: 20, of which 15 join no node"),
        ({"lattice": nx.path_graph(5)}, "lattice: a node has no numbers x and y"),
    ],
)
def test_bad_input_is_one_line(change, message):
    arguments = {"lattice": square_lattice(5), "inputs": 3, "outputs": 2, **change}
    with pytest.raises(InputError, match=message) as error:
        chip_graph(**arguments)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("make", "arguments"),
    [(square_lattice, (0,)), (kings_graph, (3, 0)), (pegasus_graph, (1,)), (zephyr_graph, (1.5,))],
)
def test_bad_sizes_are_one_line(make, arguments):
    with pytest.raises(InputError, match=r"must be a whole number of at least [12]$"):
        make(*arguments)
