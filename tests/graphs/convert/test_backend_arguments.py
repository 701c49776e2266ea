"""Functions of the backend take their arguments in every form that networkx takes."""

from __future__ import annotations

import enum
import random

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smallworld_eqprop.graphs.convert.backend import NAME, OWN
from smallworld_eqprop.graphs.convert.references import REFERENCES
from smallworld_eqprop.graphs.core.graph import LayeredGraph

Side = enum.Enum("Side", "LEFT RIGHT")
#: Names of eight nodes, of every hashable kind that networkx takes. A numpy scalar beside a tuple
#: is none: they do not compare.
LABELS = {
    "numbers": list(range(8)),
    "numpy integers": list(np.arange(8)),
    "numpy floats": list(np.arange(8) / 2),
    "text": list("abcdefgh"),
    "numpy text": list(np.array(list("abcdefgh"))),
    "tuples": [(0, i) for i in range(8)],
    "frozensets": [frozenset({i}) for i in range(8)],
    "a mixture": [Side.LEFT, Side.RIGHT, 1.5, "x", (1, 2), b"x", 4, frozenset()],
}
#: Some nodes, in every form that networkx takes.
FORMS = {
    "list": list,
    "tuple": tuple,
    "set": set,
    "iterator": iter,
    "generator": lambda nodes: (node for node in nodes),
    "dict": dict.fromkeys,
    "keys": lambda nodes: dict.fromkeys(nodes).keys(),
    "array": lambda nodes: filled(np.empty(len(nodes), dtype=object), nodes),
    "index": lambda nodes: pd.Index(filled(np.empty(len(nodes), dtype=object), nodes)),
    "plain array": np.array,
    "series": pd.Series,
    "all": lambda nodes: None,
}
NUMBERS = ("plain array", "series")
WITH_NODES = (nx.clustering, nx.triangles, nx.average_clustering)
#: What else networkx takes, by function, in the order of its parameters.
OTHERS = {
    nx.average_clustering: {"nodes": [None], "weight": [None, "weight"], "count_zeros": [
        True, False, np.True_, np.False_, 1, 0]},
    nx.average_shortest_path_length: {"weight": [None, "weight", lambda u, v, data: 2],
                                      "method": [None, "dijkstra", "bellman-ford"]},
    nx.clustering: {"nodes": [None], "weight": [None, "weight", np.str_("weight")]},
    nx.degree_assortativity_coefficient: {"x": ["out", "in"], "y": ["in", "out"],
                                          "weight": [None, "weight"]},
    nx.bipartite.robins_alexander_clustering: {},
    nx.global_efficiency: {},
    nx.local_efficiency: {},
    nx.transitivity: {},
    nx.triangles: {"nodes": [None]},
}  # fmt: skip
SEEDS = {"number": lambda: 3, "generator": lambda: random.Random(3)}
# What networkx takes after the graph, by place and by name.
RANDOM = {
    nx.random_reference: [((), {}), ((2,), {}), ((2, False), {}), ((), {"connectivity": False}),
                          ((np.int64(2),), {"connectivity": np.True_})],
    nx.lattice_reference: [((), {}), ((2,), {"D": None}), ((), {"niter": 1, "connectivity": False}),
                           ((1, np.ones((8, 8)), False), {})],
}  # fmt: skip


def filled(array, nodes):
    for place, node in enumerate(nodes):
        array[place] = node
    return array


@st.composite
def graphs(draw, labels):
    """A connected graph with weights as both libraries know it."""
    graph = nx.gnp_random_graph(8, 0.5, seed=draw(st.integers(0, 99)))
    nx.add_path(graph, range(8))
    for u, v in graph.edges:
        graph.edges[u, v]["weight"] = 1 + (u * v) % 3
    graph = nx.relabel_nodes(graph, dict(enumerate(labels)))
    layered = LayeredGraph.from_networkx(graph, [labels[0]], [labels[7]])
    return layered.to_networkx(), layered


def same(function, args, kwargs, layered, graph):
    """Ours, by either way in, as networkx has it; arguments are made anew for every call."""
    expected = function(graph, *args(), **kwargs())
    for found in (
        function(layered, *args(), **kwargs()),
        # A copy, because networkx warns when it finds an earlier conversion.
        function(graph.copy(), *args(), **kwargs(), backend=NAME),
        function(G=graph.copy(), **kwargs(), backend=NAME) if not args() else expected,
    ):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-9)
        if isinstance(expected, dict):
            assert set(found) == set(expected)


@pytest.mark.parametrize("kind", LABELS)
@settings(max_examples=10)
@given(st.data())
def test_nodes_in_every_form(kind, data):
    graph, layered = data.draw(graphs(LABELS[kind]))
    some = data.draw(st.lists(st.sampled_from(LABELS[kind]), min_size=1, max_size=5))
    function = data.draw(st.sampled_from(WITH_NODES))
    for form, make in FORMS.items():
        # An array of tuples or of text and numbers would hold something else.
        if form in NUMBERS and kind not in ("numbers", "text") and "numpy" not in kind:
            continue
        if data.draw(st.booleans()):
            same(function, lambda make=make: (make(some),), dict, layered, graph)
        else:
            same(function, tuple, lambda make=make: {"nodes": make(some)}, layered, graph)


@pytest.mark.parametrize("kind", LABELS)
@settings(max_examples=5)
@given(st.data())
def test_one_node(kind, data):
    graph, layered = data.draw(graphs(LABELS[kind]))
    node = data.draw(st.sampled_from(LABELS[kind]))
    for function in (nx.clustering, nx.triangles):
        same(function, lambda: (node,), dict, layered, graph)
        same(function, tuple, lambda: {"nodes": node}, layered, graph)


@pytest.mark.parametrize("function", OTHERS, ids=lambda function: function.__name__)
@settings(max_examples=20)
@given(st.data())
def test_all_other_arguments(function, data):
    graph, layered = data.draw(graphs(LABELS["numbers"]))
    values = {key: data.draw(st.sampled_from(each)) for key, each in OTHERS[function].items()}
    n_positional = data.draw(st.integers(0, len(values)))
    by_place = list(values.values())[:n_positional]
    by_name = dict(list(values.items())[n_positional:])
    same(function, lambda: by_place, lambda: by_name, layered, graph)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("function", RANDOM, ids=lambda function: function.__name__)
@settings(max_examples=2)
@given(st.data())
def test_reference_graphs(function, kind, seed, data):
    graph, layered = data.draw(graphs(LABELS[kind]))
    args, kwargs = data.draw(st.sampled_from(RANDOM[function]))
    expected = function(graph, *args, **kwargs, seed=SEEDS[seed]())
    for found in (
        function(layered, *args, **kwargs, seed=SEEDS[seed]()),
        function(graph.copy(), *args, **kwargs, seed=SEEDS[seed](), backend=NAME),
    ):
        assert list(found) == list(expected)
        assert set(map(frozenset, found.edges)) == set(map(frozenset, expected.edges))


def test_every_function_of_the_backend_is_here():
    assert {function.__name__ for function in (*OTHERS, *RANDOM)} == {*OWN, *REFERENCES}


@pytest.mark.parametrize("bad", [99, [[1]], object()])
def test_what_is_no_node_ends_as_in_networkx(bad):
    graph = nx.cycle_graph(5)
    layered = LayeredGraph.from_networkx(graph, 0, 2)
    with pytest.raises(nx.NetworkXError) as expected:
        nx.clustering(graph, bad)
    for call in (
        lambda: nx.clustering(layered, bad),
        lambda: nx.clustering(graph, bad, backend=NAME),
    ):
        with pytest.raises(nx.NetworkXError) as found:
            call()
        assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("make", [list, tuple, iter], ids=["list", "tuple", "iterator"])
def test_several_graphs(make):
    layered = LayeredGraph((1, 2, 1), [(0, 1), (1, 3), (2, 3)])
    graph = layered.to_networkx()
    expected = nx.disjoint_union_all([graph, graph])
    assert nx.utils.graphs_equal(nx.disjoint_union_all(make([layered, layered])), expected)


def test_where_networkx_chooses_it_takes_what_is_computed_here(caplog):
    graph = nx.cycle_graph(5)
    with nx.config.backend_priority(algos=[NAME]), caplog.at_level("DEBUG", "networkx"):
        nx.clustering(graph.copy())
        assert f"Using backend '{NAME}'" in caplog.text
        caplog.clear()
        nx.clustering(graph.copy(), nodes=np.array([1, 2]))
        assert f"Using backend '{NAME}'" not in caplog.text
