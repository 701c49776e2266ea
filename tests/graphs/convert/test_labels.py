"""Labels of every hashable kind: into a graph, out of it, and through files."""

from __future__ import annotations

import datetime
import enum
from collections import namedtuple
from decimal import Decimal

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.files import read_graph
from smallworld_eqprop.graphs.convert.io import load_graph, save_graph
from smallworld_eqprop.graphs.convert.labels import read_labels, written_labels
from smallworld_eqprop.graphs.core.graph import LayeredGraph

ENDINGS = [".npz", ".graphml"]
Colour = enum.Enum("Colour", "RED BLUE")
Rank = enum.IntEnum("Rank", "FIRST SECOND")
Point = namedtuple("Point", "x y")

numbers = st.one_of(
    st.integers(),
    st.integers(0, 255).map(np.uint8),
    st.integers(-(2**40), 2**40).map(np.int64),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(allow_nan=False, allow_infinity=False, width=32).map(np.float32),
    st.floats(allow_nan=False, allow_infinity=False).map(np.float64),
)
simple = numbers | st.text(max_size=4) | st.text(max_size=4).map(np.str_) | st.binary(max_size=4)
simple |= st.binary(max_size=4).map(np.bytes_)
others = st.booleans() | st.booleans().map(np.bool_) | st.sampled_from(list(Rank))
labels = st.recursive(
    simple | others | st.none() | st.complex_numbers(allow_nan=False, allow_infinity=False),
    lambda each: st.lists(each, max_size=3).map(tuple) | st.frozensets(each, max_size=3),
    max_leaves=4,
)


@given(st.lists(labels, unique=True, max_size=6).map(tuple) | st.none())
def test_labels_come_back_equal(given):
    back = read_labels(written_labels(given))
    assert back == given
    # With equal hashes they find the same nodes.
    assert given is None or [hash(each) for each in back] == [hash(each) for each in given]


KINDS = {
    "numpy integers": [np.int64(7), np.uint8(3), np.int32(-5)],
    "numpy floats": [np.float64(0.5), np.float32(0.1), np.float16(3)],
    "numpy text": [np.str_("a"), np.str_("b c"), np.str_("")],
    "zeros at the end": [np.str_("\0"), np.bytes_(b"a\0"), (np.str_("b\0"),)],
    "numpy booleans": [np.True_, np.False_, 2],
    "tuples": [(0, 0), (0, np.int64(1)), (1, ("a", None))],
    "named tuples": [Point(0, 0), Point(0, 1), Point(1, 1)],
    "frozensets": [frozenset(), frozenset({np.int64(1), "a"}), frozenset({frozenset({2})})],
    "an IntEnum": [*Rank, 3],
    "a mixture": [1.5, "1.5", (1.5,)],
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_kinds_of_labels_survive_a_file(tmp_path, kind, ending):
    names = KINDS[kind]
    graph = nx.relabel_nodes(nx.path_graph(3), dict(enumerate(names)))
    for inputs, outputs in (([names[0]], [names[2]]), (names[0], names[2])):
        g = LayeredGraph.from_networkx(graph, inputs, outputs)
        assert g.labels == tuple(names)
    save_graph(g, tmp_path / f"graph{ending}")
    back = load_graph(tmp_path / f"graph{ending}")
    assert (back, back.labels) == (g, g.labels)
    assert not any(isinstance(each, np.generic) for each in back.labels)
    again = read_graph(tmp_path / f"graph{ending}", [names[2]], [names[0]])
    assert again.labels == tuple(reversed(names))


UNWRITABLE = {
    "an enum": Colour.RED,
    "a date": datetime.date(2020, 1, 1),
    "a numpy date": np.datetime64("2020-01-01"),
    "a decimal": Decimal("0.1"),
    "a class": int,
    "an object": object(),
    "a range": range(3),
    "nan": float("nan"),
    "infinity": np.float64("inf"),
    "a date in a tuple": ("a", datetime.date(2020, 1, 1)),
    "an enum in a frozenset": frozenset({Colour.BLUE}),
}


@pytest.mark.parametrize("kind", UNWRITABLE)
def test_other_labels_are_in_graphs_but_not_in_files(tmp_path, kind):
    bad = UNWRITABLE[kind]
    graph = nx.relabel_nodes(nx.path_graph(3), {0: "first", 1: bad})
    g = LayeredGraph.from_networkx(graph, "first", 2)
    assert g.labels == ("first", bad, 2)
    assert LayeredGraph.from_networkx(g.to_networkx()).labels == g.labels
    for ending in ENDINGS:
        with pytest.raises(InputError, match="cannot be written; relabel the nodes") as caught:
            save_graph(g, tmp_path / f"graph{ending}")
        text = str(caught.value)
        assert repr(bad) in text
        assert "\n" not in text
    assert not list(tmp_path.iterdir())


def test_a_long_label_is_cut_in_the_message(tmp_path):
    g = LayeredGraph((1, 1), [(0, 1)], labels=["a", range(10**70)])
    with pytest.raises(InputError, match=r"labels: range\(0, 10+\.\.\. cannot be written"):
        save_graph(g, tmp_path / "graph.npz")


def test_none_is_a_label_but_no_node_of_networkx(tmp_path):
    g = LayeredGraph((1, 1), [(0, 1)], labels=[None, "a"])
    save_graph(g, tmp_path / "graph.npz")
    assert load_graph(tmp_path / "graph.npz").labels == (None, "a")
    with pytest.raises(InputError, match="labels: None is not a node of a networkx graph"):
        g.to_networkx()


@pytest.mark.parametrize("bad", [[[1], [2]], 5, [1, 1], [1]])
def test_bad_labels_are_one_line(bad):
    with pytest.raises(InputError, match=r"labels: .*; give one distinct") as caught:
        LayeredGraph((1, 1), [(0, 1)], labels=bad)
    assert "\n" not in str(caught.value)


def test_numpy_labels_through_files_of_igraph(tmp_path):
    g = LayeredGraph((1, 1), [(0, 1)], labels=np.array(["left", "right"]))
    g.to_igraph().write_graphml(str(tmp_path / "graph.graphml"))
    assert read_graph(tmp_path / "graph.graphml").labels == ("left", "right")


@pytest.mark.parametrize("text", ["1", "'a'", "[1]", "f(1)", "(", "(a,)", "{}"])
def test_other_text_is_no_labels(text):
    with pytest.raises((SyntaxError, ValueError)):
        read_labels(text)
