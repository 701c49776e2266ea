from __future__ import annotations

import contextlib

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.io import load_graph, save_graph
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.generate.layers import add_intralayer, layered
from smallworld_eqprop.graphs.generate.rewiring import rewire

ENDINGS = [".npz", ".graphml"]
names = st.one_of(st.integers(), st.text(max_size=3), st.tuples(st.integers(), st.booleans()))


@pytest.mark.parametrize("ending", ENDINGS)
@given(st.lists(st.integers(1, 4), min_size=3, max_size=5), st.floats(0, 1), st.data())
def test_round_trip_is_lossless(tmp_path_factory, ending, sizes, p, data):
    g = rewire(add_intralayer(layered(sizes)), p, seed=np.int64(4))
    labels = data.draw(
        st.none() | st.lists(names, min_size=g.n_nodes, max_size=g.n_nodes, unique=True)
    )
    g = LayeredGraph(g.layer_sizes, g.edges, g.provenance, labels)
    path = tmp_path_factory.getbasetemp() / f"graph{ending}"
    save_graph(g, path)
    back = load_graph(path)
    assert back == g
    assert back.provenance == g.provenance
    assert back.labels == g.labels


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_graph_without_edges(tmp_path, ending):
    path = tmp_path / f"graph{ending}"
    save_graph(LayeredGraph((2, 1), []), path)
    assert load_graph(path) == LayeredGraph((2, 1), [])


def test_graphml_is_read_by_networkx(tmp_path):
    g = add_intralayer(layered((2, 3, 1)))
    save_graph(g, tmp_path / "graph.graphml")
    graph = nx.read_graphml(tmp_path / "graph.graphml", node_type=int)
    assert LayeredGraph.from_networkx(graph) == g


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_truncation_is_noticed(tmp_path, ending):
    path = tmp_path / f"graph{ending}"
    save_graph(layered((2, 2)), path)
    content = path.read_bytes()
    for length in range(0, len(content) - 1, 7):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match=f"graph{ending}: not a graph.* or damaged") as caught:
            load_graph(path)
        assert "\n" not in str(caught.value)


def test_a_changed_byte_is_noticed(tmp_path):
    path = tmp_path / "graph.npz"
    g = layered((3, 3))
    save_graph(g, path)
    content = bytearray(path.read_bytes())
    for position in range(0, len(content), 5):
        altered = content.copy()
        altered[position] ^= 0x10
        path.write_bytes(altered)
        # Some bytes, such as dates in the archive, carry nothing of the graph.
        with contextlib.suppress(InputError):
            assert load_graph(path) == g


def test_other_versions_and_origins(tmp_path):
    path = tmp_path / "graph.npz"
    save_graph(layered((2, 2)), path)
    with np.load(path) as arrays:
        fields = dict(arrays)
    np.savez(path, **{**fields, "format_version": 3})
    with pytest.raises(InputError, match="format 3; this version reads formats up to 2"):
        load_graph(path)
    np.savez(path, a=1)
    with pytest.raises(InputError, match="not a graph"):
        load_graph(path)
    np.savez(path, **{**fields, "edges": np.array([[None, None]], dtype=object)})
    with pytest.raises(InputError, match="not a graph"):
        load_graph(path)
    nx.write_graphml(nx.path_graph(3), tmp_path / "outside.graphml")
    with pytest.raises(InputError, match=r"outside.graphml.*LayeredGraph.from_networkx"):
        load_graph(tmp_path / "outside.graphml")


def test_bad_paths_and_labels(tmp_path):
    g = layered((1, 1))
    with pytest.raises(InputError, match=r"graph.txt: unknown ending; use .npz or .graphml"):
        save_graph(g, tmp_path / "graph.txt")
    with pytest.raises(InputError, match="No such file"):
        load_graph(tmp_path / "graph.npz")
    with pytest.raises(InputError, match="cannot be written"):
        save_graph(g, tmp_path / "nowhere" / "graph.npz")
    odd = LayeredGraph((1, 1), [(0, 1)], labels=[object(), 1])
    with pytest.raises(InputError, match=r"labels: .* cannot be written"):
        save_graph(odd, tmp_path / "graph.npz")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch, ending):
    path = tmp_path / f"graph{ending}"
    save_graph(layered((1, 1)), path)

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(InputError, match="No space left on device"):
        save_graph(layered((2, 2)), path)
    assert load_graph(path) == layered((1, 1))
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", ENDINGS)
def test_data_come_back_as_they_were(tmp_path, ending):
    g = LayeredGraph(
        (2, 2, 1),
        [(3, 4), (0, 2), (1, 2), (2, 3)],
        edge_data={
            "weight": np.array([0.1, -1.5, np.nan, 0], np.float32),
            "sign": [1, -1, 0, 0],
            "trainable": [True, False, True, True],
            "kind": ["a", "", "b c", "a"],
        },
        node_data={"position": np.arange(10.0).reshape(5, 2), "count": np.arange(5)},
        labels=list("vwxyz"),
    )
    path = tmp_path / f"graph{ending}"
    save_graph(g, path)
    back = load_graph(path)
    assert (back, back.labels) == (g, g.labels)
    for kind in ("edge_data", "node_data"):
        ours, theirs = getattr(g, kind), getattr(back, kind)
        assert list(ours) == list(theirs)
        for name, values in ours.items():
            assert values.dtype == theirs[name].dtype
            assert values.tobytes() == theirs[name].tobytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_graphs_without_data_are_read_by_earlier_versions(tmp_path, ending):
    path = tmp_path / f"graph{ending}"
    save_graph(layered((2, 2)), path)
    if ending == ".npz":
        with np.load(path) as arrays:
            assert set(arrays.files) == {
                "edges", "format_version", "layer_sizes", "provenance", "labels"
            }  # fmt: skip
            assert arrays["format_version"] == 1
    else:
        assert nx.read_graphml(path).graph["format_version"] == 1
