from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.files import read_graph
from smallworld_eqprop.graphs.topology import File, NullOf, Rewire
from smallworld_eqprop.graphs.topology.spec import TOPOLOGY
from smallworld_eqprop.specs import read_spec, write_spec

FILES = Path(__file__).parents[1] / "files"
AREAS = str(FILES / "areas.graphml")
SPEC = File(AREAS, "role=sensory", "role=motor")


def test_a_table_gives_the_graph_of_the_file():
    table = {"kind": "file", "path": AREAS, "inputs": "role=sensory", "outputs": "role=motor"}
    spec = read_spec(TOPOLOGY, table)
    assert spec == SPEC
    assert write_spec(TOPOLOGY, spec) == table
    expected = read_graph(AREAS, "role=sensory", "role=motor")
    assert spec.build(0) == spec.build(1) == expected
    assert spec.build(0).edge_data["weight"].tolist() == expected.edge_data["weight"].tolist()


def test_lists_and_tables_of_nodes():
    table = {
        "kind": "file",
        "path": str(FILES / "areas.csv"),
        "inputs": ["n0", "n1"],
        "outputs": "role=motor",
        "roles": str(FILES / "areas_roles.csv"),
    }
    spec = read_spec(TOPOLOGY, table)
    assert spec.inputs == ("n0", "n1")
    assert spec.build(0).labels[:2] == ("n0", "n1")
    assert write_spec(TOPOLOGY, spec) == table
    assert read_spec(TOPOLOGY, {**table, "inputs": "n3"}).build(0).layer_sizes[0] == 1
    number = File(str(FILES / "directed.graphml"), 0, (14, "3"))
    assert number.build(0).layer_sizes[-1] == 2


def test_identity_is_of_content_not_of_place(tmp_path):
    shutil.copy(AREAS, tmp_path / "copy.graphml")
    copied = File(str(tmp_path / "copy.graphml"), "role=sensory", "role=motor")
    assert copied.identity() == SPEC.identity()
    assert "path" not in SPEC.identity()
    other = File(AREAS, ("n0",), "role=motor")
    assert other.identity() != SPEC.identity()
    (tmp_path / "copy.graphml").write_text((FILES / "areas.graphml").read_text() + " ")
    assert copied.identity() != SPEC.identity()
    table = File(str(FILES / "areas.csv"), "n0", "n1", str(FILES / "areas_roles.csv"))
    assert set(table.identity()) == {"sha256", "roles_sha256", "inputs", "outputs"}


def test_a_file_that_changed_is_refused(tmp_path):
    path = tmp_path / "mine.graphml"
    shutil.copy(AREAS, path)
    spec = File(str(path), "n0", "n23", sha256=File(str(path), "n0", "n23").identity()["sha256"])
    assert spec.build(0).labels[0] == "n0"
    path.write_text(path.read_text().replace("2.665", "2.666"))
    with pytest.raises(InputError, match=r"mine.graphml: has changed: its SHA-256 is .* must be"):
        spec.build(0)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "fil"}, "did you mean file"),
        ({"kind": "file"}, "topology.path: must be given"),
        ({"kind": "file", "path": ""}, "path: '', must name a file"),
        ({"kind": "file", "path": "x.csv", "inputs": "a"}, "x.csv: outputs: none; give both"),
        ({"kind": "file", "path": "x.csv", "input": "a"}, "did you mean inputs"),
        ({"kind": "file", "path": "x.csv", "inputs": 1.5}, "topology.inputs: 1.5, must be"),
    ],
)
def test_bad_tables_are_named_in_one_line(table, message):
    with pytest.raises(InputError, match=message) as caught:
        read_spec(TOPOLOGY, table)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named():
    missing = File("nowhere.csv", "a", "b")
    for ask in (missing.identity, lambda: missing.build(0)):
        with pytest.raises(InputError, match=r"nowhere\.csv: No such file"):
            ask()


def test_nulls_of_a_file():
    spec = read_spec(
        TOPOLOGY, {"kind": "null", "of": write_spec(TOPOLOGY, SPEC), "sample": 2}, (TOPOLOGY,)
    )
    assert spec == NullOf(SPEC, sample=2)
    graph = spec.build(0)
    assert graph.layer_sizes == SPEC.build(0).layer_sizes
    assert graph.node_data["role"].tolist() == SPEC.build(0).node_data["role"].tolist()
    assert graph.provenance[-1]["model"] == "degree_preserving"
    assert NullOf(Rewire((3, 4, 2), p=0.5)).build(0) == Rewire((3, 4, 2), p=0.5).build(0)


@pytest.mark.parametrize("model", ["degree_preserving", "erdos_renyi", "layer_blocks"])
def test_samples_of_a_weighted_graph_have_all_of_its_weights(model):
    graph = SPEC.build(0)
    sample = NullOf(SPEC, model, sample=1).build(0)
    assert sample != graph
    assert sorted(sample.edge_data["weight"]) == sorted(graph.edge_data["weight"])
    again = NullOf(SPEC, model, sample=1).build(3)
    assert again.edge_data["weight"].tolist() == sample.edge_data["weight"].tolist()


def test_samples_are_switched_as_often_as_they_are_told():
    still = NullOf(SPEC, "geometry_preserving", sample=1, switches_per_edge=0)
    assert still.build(0).edges.tolist() == SPEC.build(0).edges.tolist()
    assert NullOf(SPEC, sample=1, switches_per_edge=30).build(0).provenance[-1]["mixed"]
    assert "switches_per_edge" not in NullOf(SPEC, sample=1).identity()
    with pytest.raises(InputError, match=r"^switches_per_edge: 5, but erdos_renyi makes no"):
        NullOf(SPEC, "erdos_renyi", switches_per_edge=5)
    with pytest.raises(InputError, match=r"^switches_per_edge: -1, must be finite and at least 0"):
        NullOf(SPEC, switches_per_edge=-1)
