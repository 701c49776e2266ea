"""Every command once, on small things; `make lowest` does it with the oldest libraries allowed."""

from __future__ import annotations

import json
from pathlib import Path

import networkx as nx
import typer

from smallworld_eqprop import layered, read_graph, rewire, save_graph
from smallworld_eqprop.cli import app, main

RUN = """
[topology]
kind = "rewire"
layer_sizes = [64, 10, 10, 10]
p = 0.1
[data]
kind = "digits"
n_train = 60
"""

STUDY = """
epochs = 1
metrics = ["structure", "sigma"]
[base]
dataset = "digits"
n_train = 40
learning_rate = 0.1
[base.topology]
kind = "null"
of = { kind = "rewire", layer_sizes = [64, 10, 10], p = 0.1 }
[grid]
sample = [0, 1, 2]
seed = [0, 1]
"""

#: In their order; a later one may read what an earlier one has written.
LINES = [
    "presets",
    "metrics graph.npz --costs",
    "metrics graph.graphml --null degree_preserving --n-null 2",
    "metrics outside.gml --json",
    "train run.toml --epochs 1 --out run",
    "train run.toml --epochs 2 --out run --resume --json",
    "metrics run",
    "status run --check",
    "report run",
    "sweep study.toml --store study.sqlite --workers 1",
    "status study.sqlite --json",
    "status study.sqlite --check",
    "export study.sqlite --out tables",
    "compare study.sqlite",
    "report study.sqlite --out study.html",
]


def test_the_lines_have_every_command():
    assert {line.split()[0] for line in LINES} == set(typer.main.get_command(app).commands)


def test_every_command(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    graph = rewire(layered((20, 12, 10, 4)), 0.2, seed=0)
    for name in ("graph.npz", "graph.graphml"):
        save_graph(graph, name)
        assert read_graph(name) == graph
    nx.write_gml(nx.karate_club_graph(), "outside.gml")
    Path("run.toml").write_text(RUN)
    Path("study.toml").write_text(STUDY)
    printed = {}
    for line in LINES:
        assert main(line.split()) == 0, (line, capsys.readouterr().err)
        printed[line] = capsys.readouterr().out
    assert json.loads(printed["train run.toml --epochs 2 --out run --resume --json"])["epoch"] == 2
    assert json.loads(printed["status study.sqlite --json"])["counts"]["done"] == 6
    assert "2 nulls" in printed["compare study.sqlite"]
    assert Path("run/report.html").stat().st_size
    assert Path("study.html").stat().st_size
