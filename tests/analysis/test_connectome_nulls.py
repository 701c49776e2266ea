"""A small connectome beside its nulls: measures, tests, and what the files hold."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop import InputError
from smallworld_eqprop.graphs.measure import average_clustering, characteristic_path_length
from smallworld_eqprop.graphs.topology import Layered
from smallworld_eqprop.studies.study import Study
from smallworld_eqprop.studies.sweeping import sweep

STUDY = """
name = "tiny_nulls"
epochs = 1
metrics = []

[base]
data = { kind = "csv", path = "tiny.csv", target = "class" }
initial = { weights = "graph", gain = 0.1 }

[base.topology]
kind = "null"
of = { kind = "file", path = "tiny.graphml", inputs = "role=in", outputs = "role=out" }

[[grids]]
base.sample = 0
grid.seed = [0, 1]

[[grids]]
base.topology.model = "degree_preserving"
grid.seed = [0, 1]
grid.sample = [1, 2, 3]

[[grids]]
base.topology.model = "geometry_preserving"
grid.seed = [0, 1]
grid.sample = [1, 2, 3]
"""


@pytest.fixture
def script():
    return import_module("connectome_nulls")


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A directed ring with chords in the plane, and twelve examples of two classes."""
    monkeypatch.chdir(tmp_path)
    graph = nx.DiGraph()
    for i in range(12):
        role = {0: "in", 1: "in", 6: "out", 7: "out"}.get(i, "inner")
        graph.add_node(f"n{i}", role=role, x=float(np.cos(i)), y=float(np.sin(i)))
    for i in range(12):
        for step, weight in ((1, 1.0), (3, 0.5), (5, 2.0)):
            graph.add_edge(f"n{i}", f"n{(i + step) % 12}", weight=weight)
    graph.add_edge("n3", "n2", weight=3.0)
    nx.write_graphml(graph, "tiny.graphml")
    rows = [(i / 11, (i * 5 % 12) / 11, "ab"[i % 2]) for i in range(12)]
    pd.DataFrame(rows, columns=["x", "y", "class"]).to_csv("tiny.csv", index=False)
    (tmp_path / "tiny_nulls.toml").write_text(STUDY)
    return Study.from_toml("tiny_nulls.toml")


def run(script, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["connectome_nulls.py", *map(str, arguments)])
    script.main()
    nulls, tests = (pd.read_csv(f"out/{name}.csv") for name in ("nulls", "tests"))
    assert set(nulls.connectome) == {"tiny"}
    return nulls.set_index(["null", "measure", "sample"]).value.sort_index(), tests


def test_the_connectome_and_every_sample_are_measured_and_set_against_each_other(
    script, study, monkeypatch, capsys
):
    with ThreadPoolExecutor(1) as pool:
        sweep(study, "tiny_nulls.sqlite", pool)
    nulls, tests = run(script, monkeypatch, "tiny_nulls.toml", "--stores", ".", "--out", "out")
    graph, own = study.runs[0].topology.build(0), nulls["itself"].droplevel("sample")
    assert own["L"] == pytest.approx(characteristic_path_length(graph), rel=1e-5)
    assert own["C_weighted"] == pytest.approx(average_clustering(graph, weighted=True), rel=1e-5)
    # One pair of the 37 arcs runs in both directions.
    assert own["reciprocity"] == pytest.approx(2 / 37, rel=1e-5)
    for null in ("degree_preserving", "geometry_preserving"):
        for measure in ("wiring_length", "final_test_error", "final_training_cost"):
            assert nulls[null, measure].index.tolist() == [1, 2, 3]
    lengths = nulls["geometry_preserving", "wiring_length"]
    np.testing.assert_allclose(lengths, own["wiring_length"], rtol=0.1)
    tests = tests.set_index(["null", "measure"])
    test = tests.loc["degree_preserving", "final_test_error"]
    assert test.n_nulls == 3
    assert test.graph == pytest.approx(own["final_test_error"], rel=1e-5)
    mean = nulls["degree_preserving", "final_test_error"].mean()
    assert test.difference == pytest.approx(test.graph - mean, abs=1e-5)
    assert tests.n_nulls["directed_degree_preserving", "reciprocity"] == 20
    assert "degree_preserving" in capsys.readouterr().out


def test_before_training_there_is_the_structure(script, study, monkeypatch, capsys):
    nulls, tests = run(script, monkeypatch, "tiny_nulls.toml", "--stores", ".", "--out", "out")
    assert "tiny_nulls.sqlite: not there, so no outcomes of tiny_nulls" in capsys.readouterr().err
    assert "L" in set(tests.measure)
    assert not any(name.startswith("final") for name in nulls.index.get_level_values("measure"))


def test_other_topologies_are_refused(script):
    with pytest.raises(InputError, match=r"^topology: Layered, must be of kind 'null'"):
        script.null_of(Layered((2, 3, 2)))
