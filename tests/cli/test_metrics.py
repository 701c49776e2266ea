from __future__ import annotations

import importlib
import io
import json
import re
from pathlib import Path

import networkx as nx
import numpy as np
import pytest
from rich.console import Console

from smallworld_eqprop import (
    LayeredGraph,
    RunConfig,
    layered,
    read_graph,
    rewire,
    save_graph,
    small_world_coefficients,
    structure_metrics,
    train,
)
from smallworld_eqprop.cli import main
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.measure import smallworld
from smallworld_eqprop.graphs.topology import Rewire
from smallworld_eqprop.hardware import hardware_costs

G = rewire(layered((20, 12, 10, 4)), 0.2, seed=0)
SMALL = """
summary = "small"
[topology]
layer_sizes = [20, 12, 10, 4]
p = 0.2
[training]
seed = 3
"""


@pytest.fixture(autouse=True)
def in_a_folder_with_graphs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMALLWORLD_EQPROP_DEBUG", raising=False)
    save_graph(G, "graph.npz")
    save_graph(G, "graph.graphml")
    Path("small.toml").write_text(SMALL)


def measured(capsys, *arguments):
    """Run the command with --json; nothing but progress may be on stderr."""
    assert main(["metrics", *arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    (line,) = captured.out.splitlines()
    # Strict: NaN is no JSON.
    return json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def same(found, expected):
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert found[key] is None if np.isnan(value) else found[key] == value


@pytest.mark.parametrize("file", ["graph.npz", "graph.graphml"])
def test_a_saved_graph(file, capsys):
    found = measured(capsys, file)
    same(found["metrics"], structure_metrics(G, seed=0))
    assert found["layer_sizes"] == [20, 12, 10, 4]
    assert found["provenance"][-1]["step"] == "rewire"
    assert (found["ensemble"], found["coefficients"]) == (None, {})


def test_a_toml_file_with_its_own_seed_or_another(capsys):
    config = RunConfig.from_toml("small.toml")
    for arguments, seed in (((), 3), (("--seed=5",), 5)):
        found = measured(capsys, "small.toml", *arguments)
        assert found["seed"] == seed
        same(found["metrics"], structure_metrics(config.topology.build(seed), seed=seed))


def test_a_preset(capsys):
    found = measured(capsys, "layered-5x100")
    assert found["layer_sizes"] == [784, 100, 100, 100, 100, 100, 10]
    assert found["metrics"]["input_output_path_length"] == 6


def test_a_run_folder(capsys):
    config = RunConfig(data=named("digits", 40), topology=Rewire((64, 10, 8, 10), p=0.2))
    run = train(config, "run", epochs=1)
    same(measured(capsys, "run")["metrics"], structure_metrics(run.graph, seed=0))


@pytest.mark.parametrize("threads", [1, 3])
def test_coefficients_are_those_of_the_library(threads, capsys):
    arguments = ("--null=erdos_renyi", "--n-null=4", "--clustering=bipartite", "--seed=2")
    found = measured(capsys, "graph.npz", *arguments, f"--threads={threads}")
    expected = small_world_coefficients(
        G, seed=2, null="erdos_renyi", n_null=4, clustering="bipartite"
    )
    assert found["ensemble"] == {
        "null": "erdos_renyi", "n_null": 4, "clustering": "bipartite", "disconnected": "undefined",
        "weighted": True,
    }  # fmt: skip
    assert list(found["coefficients"]) == list(expected)
    for name, coefficient in expected.items():
        assert found["coefficients"][name] == vars(coefficient)


def test_sampled_path_lengths_come_with_their_error(capsys):
    found = measured(capsys, "graph.npz", "--sources=15")["metrics"]
    same(found, structure_metrics(G, seed=0, n_sources=15))
    assert found["path_length_standard_error"] > 0
    assert found["global_efficiency"] is None


def test_tables_for_people(capsys):
    assert main(["metrics", "graph.npz", "--null=degree_preserving", "--n-null=3"]) == 0
    out = capsys.readouterr().out
    rows = {words[0]: words[1:] for line in out.splitlines() if (words := line.split())}
    assert out.startswith("LayeredGraph(20-12-10-4, 400 edges; layered > rewire(")
    assert rows["n_edges"] == ["400"]
    exact = structure_metrics(G, seed=0)
    assert float(rows["average_clustering"][0]) == pytest.approx(exact["average_clustering"], 1e-5)
    # The densities as a matrix; two inputs are never joined.
    assert float(rows["0"][1]) == pytest.approx(exact["density_0_1"], 1e-2)
    assert rows["0"][0] == "0"
    sigma = small_world_coefficients(G, seed=0, n_null=3)["sigma"]
    numbers = [sigma.value, sigma.null_mean, sigma.null_std, sigma.z_score]
    assert list(map(float, rows["sigma"][:4])) == pytest.approx(numbers, 1e-5)
    assert rows["sigma"][4] == ("yes" if sigma.mixed else "no")
    assert "3 null samples: degree_preserving; clustering: average" in out


def test_what_is_undefined_is_called_so(capsys):
    save_graph(LayeredGraph((2, 1), np.empty((0, 2), dtype=int)), "empty.npz")
    assert main(["metrics", "empty.npz", "--null=erdos_renyi", "--n-null=2"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^characteristic_path_length +undefined$", out, re.MULTILINE)
    assert re.search(r"^sigma( +undefined){4} +yes$", out, re.MULTILINE)
    assert "nan" not in out
    found = measured(capsys, "empty.npz", "--null=erdos_renyi", "--n-null=2")
    assert found["metrics"]["characteristic_path_length"] is None
    assert found["metrics"]["n_edges"] == 0
    assert found["coefficients"]["sigma"]["value"] is None


def test_not_mixed_is_said(capsys):
    # A layered network is the only one with its blocks.
    save_graph(layered((5, 4, 3)), "pure.npz")
    arguments = ("--null=layer_blocks_with_degrees", "--clustering=bipartite", "--n-null=2")
    sigma = measured(capsys, "pure.npz", *arguments)["coefficients"]["sigma"]
    assert (sigma["value"], sigma["mixed"], sigma["z_score"]) == (1, False, None)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["layered-5x10"], "did you mean layered-5x100?"),
        (["nowhere.npz"], "nowhere.npz: No such file"),
        (["nowhere.toml"], "nowhere.toml: cannot be read"),
        (["graph.xlsx"], "graph.xlsx: unknown ending"),
        (["void"], "void/graph.npz: No such file"),
        (["other.graphml", "--inputs=0", "--outputs=9"], "outputs: '9' is not a node"),
        (["graph.npz", "--null=erdos"], "did you mean erdos_renyi?"),
        (["graph.npz", "--null=erdos_renyi", "--n-null=0"], "--n-null: 0"),
        (["graph.npz", "--null=erdos_renyi", "--clustering=all"], "clustering: 'all'"),
        (["graph.npz", "--n-null=3"], "--n-null: 3 has no effect without --null"),
        (["graph.npz", "--clustering=bipartite"], "without --null"),
        (["graph.npz", "--sources=0"], "--sources: 0"),
        (["graph.npz", "--threads=0"], "threads: 0, must be a whole number from 1 to"),
        (["graph.npz", "--seed=-1"], "seed: -1"),
        (["small.toml", "--seed=-1"], "seed: -1"),
        ([], "PRESET|FILE"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, words, capsys):
    nx.write_graphml(nx.path_graph(3), "other.graphml")
    Path("void").mkdir()
    assert main(["metrics", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", captured.err), captured.err
    assert words in captured.err


def test_ctrl_c_is_status_130(capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(smallworld, "small_world_coefficients", interrupted)
    assert main(["metrics", "graph.npz", "--null=erdos_renyi"]) == 130
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "stopped\n")


def progress(clock, *, terminal):
    # The function of this name hides the module.
    module = importlib.import_module("smallworld_eqprop.cli.metrics")
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=100, color_system=None)
    with module.counting(console) as count:
        for done in range(1, 5):
            clock.now += 20
            count("null samples", done, 4)
        count("structure", 0, None)
    return out.getvalue()


def test_progress_without_a_terminal_is_a_line_now_and_then(clock):
    assert progress(clock, terminal=False) == "null samples 2/4\nnull samples 4/4\n"


def test_progress_in_a_terminal_is_a_bar_that_goes_away(clock):
    shown = progress(clock, terminal=True)
    assert "structure" in shown
    assert shown.endswith("\x1b[2K")


FILES = Path(__file__).parents[1] / "graphs" / "files"
ROLES = ("--inputs=role=sensory", "--outputs=role=motor")


@pytest.mark.parametrize(
    ("file", "options"),
    [
        ("areas.graphml", ()),
        ("areas.gml", ()),
        ("areas.net", ()),
        ("areas.csv", (f"--roles={FILES / 'areas_roles.csv'}",)),
    ],
)
def test_graphs_of_other_programs(file, options, capsys):
    found = measured(capsys, str(FILES / file), *ROLES, *options)
    expected = read_graph(FILES / "areas.graphml", "role=sensory", "role=motor")
    same(found["metrics"], structure_metrics(expected, seed=0))
    assert found["layer_sizes"] == list(expected.layer_sizes)
    assert found["provenance"][-1]["file"] == file


def test_what_networkx_writes(capsys):
    nx.write_graphml(G.to_networkx(), "networkx.graphml")
    assert measured(capsys, "networkx.graphml")["layer_sizes"] == [20, 12, 10, 4]
    nx.write_edgelist(G.to_networkx(), "networkx.edgelist")
    assert measured(capsys, "networkx.edgelist")["metrics"]["n_edges"] == G.n_edges
    chosen = measured(capsys, "networkx.edgelist", "--inputs=0,1", "--outputs=45")
    assert chosen["layer_sizes"][0] == 2


def test_nodes_by_name(capsys):
    found = measured(capsys, str(FILES / "directed.graphml"), "--inputs=0, 5", "--outputs=14")
    assert found["layer_sizes"][0] == 2


@pytest.mark.parametrize("layers", [(), ("--inputs=0, 5", "--outputs=14")])
def test_how_a_directed_graph_becomes_undirected(layers, capsys):
    arguments = (str(FILES / "directed.graphml"), *layers)
    found = {
        rule: measured(capsys, *arguments, f"--symmetrise={rule}") for rule in ("max", "mean", "or")
    }
    for rule, each in found.items():
        assert each["provenance"][-1]["symmetrised"] == rule
    assert found["max"] | {"network": ""} == measured(capsys, *arguments) | {"network": ""}
    strengths = [found[rule]["metrics"]["strength_mean"] for rule in ("max", "mean")]
    assert strengths[0] > strengths[1]
    assert "strength_mean" not in found["or"]["metrics"]


@pytest.mark.parametrize(
    ("file", "n_edges"),
    [("areas.csv", 48), ("signed.csv", 19), ("directed.graphml", 34), ("areas.gml", 48)],
)
def test_without_layers_what_needs_none_is_measured(file, n_edges, capsys):
    signs = ("--absolute",) if file == "signed.csv" else ()
    found = measured(capsys, str(FILES / file), "--null=erdos_renyi", "--n-null=2", *signs)
    assert found["metrics"]["n_edges"] == n_edges
    assert found["layer_sizes"] is None
    assert "input_output_path_length" not in found["metrics"]
    assert set(found["coefficients"]) == {"sigma", "omega", "index", "propensity"}
    assert main(["metrics", str(FILES / file), *signs]) == 0
    out = capsys.readouterr().out
    assert out.startswith("a graph without layers (no --inputs and --outputs)")
    assert ("reciprocal_pairs_merged 2" in out) == (file == "directed.graphml")
    assert "density of layers" not in out


def test_layers_of_a_graph_that_igraph_wrote(capsys):
    assert measured(capsys, str(FILES / "layers_by_igraph.graphml"))["layer_sizes"] == [6, 5, 4, 3]


def test_the_reason_is_told_where_a_coefficient_is_undefined(capsys):
    Path("parts.csv").write_text("source,target\n1,2\n2,3\n1,3\n4,5\n5,6\n4,6\n")
    arguments = ("parts.csv", "--null=erdos_renyi", "--n-null=2")
    assert main(["metrics", *arguments]) == 0
    out = capsys.readouterr().out
    assert "sigma, omega, index, propensity: the graph is not connected (40.0% of its" in out
    assert re.search(r"^n_components +2$", out, re.MULTILINE)
    sigma = measured(capsys, *arguments)["coefficients"]["sigma"]
    assert (sigma["value"], sigma["reachable_share"]) == (None, 0.4)
    sigma = measured(capsys, *arguments, "--disconnected=harmonic")["coefficients"]["sigma"]
    assert (sigma["disconnected"], sigma["reason"]) == ("harmonic", "")


def test_weights_count_for_the_propensity_unless_told(capsys):
    arguments = (str(FILES / "areas.csv"), "--null=erdos_renyi", "--n-null=2")
    with_weights, without = (
        measured(capsys, *arguments, *more)["coefficients"] for more in ((), ("--unweighted",))
    )
    assert (with_weights["propensity"]["weighted"], without["propensity"]["weighted"]) == (1, 0)
    assert with_weights["propensity"]["value"] != without["propensity"]["value"]
    assert with_weights["sigma"] == without["sigma"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((str(FILES / "signed.csv"),), "10 of 19 weights are negative"),
        (("graph.npz", "--unweighted"), "has no effect without --null"),
        (("graph.npz", "--null=erdos_renyi", "--disconnected=all"), "allowed: undefined, harmonic"),
        ((str(FILES / "areas.gml"), "--inputs=role=sensry", "--outputs=n3"), "'role' is one of"),
        ((str(FILES / "areas.gml"), "--inputs=n0,n99", "--outputs=n3"), "'n99' is not a node"),
        ((str(FILES / "areas.gml"), "--inputs=n0"), "outputs: none; give both"),
        ((str(FILES / "directed.graphml"), "--symmetrise=min"), "symmetrise: 'min'"),
        (("rewired-5x100", "--symmetrise=max"), "--symmetrise: max; rewired-5x100 has layers"),
        ((str(FILES / "areas.gml"), "--null=layer_blocks"), "has no layers"),
        (("small.toml", "--inputs=n0"), "--inputs: n0; small.toml has layers; leave it out"),
    ],
)
def test_bad_choices_of_nodes_are_one_line(arguments, message, capsys):
    assert main(["metrics", *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_costs_stand_among_the_metrics_when_asked_for(capsys):
    assert "wire_length" not in measured(capsys, "graph.npz")["metrics"]
    found = measured(capsys, "graph.npz", "--costs")["metrics"]
    same({name: found[name] for name in hardware_costs(G)}, hardware_costs(G))
    nx.write_edgelist(nx.path_graph(3), "path.edgelist", data=False)
    assert main(["metrics", "path.edgelist", "--costs"]) == 2
    assert "--costs: the graph has no layers" in capsys.readouterr().err
