"""The graphs that are taken out of packages, on stand-ins; and once on the packages themselves."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.metadata import PackageNotFoundError, distribution

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop import InputError
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.data import Csv
from smallworld_eqprop.graphs.convert import read_graph


@pytest.fixture
def script():
    return import_module("connectomes")


def small_fly(script):
    """Two projection neurons to three Kenyon cells, which meet one modulatory and one output."""
    letters = ["P", "P", "K", "K", "K", "I", "O"]
    counts = np.zeros((7, 7), dtype=int)
    for i, j, n in [(0, 2, 4), (1, 3, 2), (1, 4, 1), (2, 5, 1), (5, 2, 3), (3, 6, 7), (4, 6, 5)]:
        counts[i, j] = n
    return script.fly_graph(counts, letters)


def test_neurons_have_roles_and_synapses_directions(script):
    graph = small_fly(script)
    assert graph.nodes["P0"] == {"role": "projection"}
    assert [graph.nodes[name]["role"] for name in ("K2", "I5", "O6")] == [
        "kenyon", "modulatory", "output",
    ]  # fmt: skip
    assert graph.edges["K2", "I5"] == {"weight": 1.0}
    assert graph.edges["I5", "K2"] == {"weight": 3.0}
    assert not graph.has_edge("K2", "P0")


def test_tracts_run_from_column_to_row_and_have_lengths(script):
    weights = np.array([[0, 2.0, 0], [0, 0, 0], [0.5, 0, 0]])
    lengths = np.array([[0, 10.0, 20], [10, 0, 30], [20, 30, 0]])
    names, centres = ["rV1", "lM1", "lPFCM"], np.arange(9.0).reshape(3, 3)
    graph = script.brain_graph(weights, lengths, names, centres)
    assert dict(graph.nodes(data="role")) == {"rV1": "sensory", "lM1": "motor", "lPFCM": "other"}
    assert graph.nodes["lM1"]["y"] == 4.0
    assert dict(graph.edges) == {
        ("lM1", "rV1"): {"weight": 2.0, "length": 10.0},
        ("rV1", "lPFCM"): {"weight": 0.5, "length": 20.0},
    }


def test_the_columns_that_vary_most_one_for_every_input(script):
    features, digit = script.digits()
    found = script.fitted(features, 5)
    assert (features.shape, digit.name) == ((1797, 64), "digit")
    pixels = list(found)
    assert len(pixels) == 5
    assert pixels == sorted(pixels, key=lambda name: int(name.removeprefix("pixel")))
    assert found.var().min() >= features.drop(columns=pixels).var().max()
    pd.testing.assert_frame_equal(found, features[pixels])


def test_of_few_columns_each_is_read_in_turn(script):
    features, benign = script.cancer()
    assert (features.shape, benign.sum()) == ((569, 30), 357)
    assert (features.min().max(), features.max().min()) == (0, 1)
    found = script.fitted(features, 58)
    assert (found.shape[1], len(set(found))) == (58, 58)
    np.testing.assert_array_equal(found.to_numpy()[:, 30:], features.to_numpy()[:, :28])


def test_files_train_as_they_are(script, monkeypatch, tmp_path, capsys):
    tiny = {"fly": (lambda: small_fly(script), "projection")}
    monkeypatch.setattr(script, "CONNECTOMES", tiny)
    arguments = ["fly", "--tasks", "digits", "cancer", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["connectomes.py", *arguments])
    script.main()
    names = ["fly.graphml", "fly.csv", "fly_cancer.csv"]
    assert capsys.readouterr().out.split() == [f"{tmp_path}/{name}" for name in names]
    graph = read_graph(tmp_path / "fly.graphml", "role=projection", "role=output")
    assert graph.layer_sizes == (2, 3, 1, 1)
    # Of the synapses in both directions the larger number counts.
    assert sorted(graph.edge_data["weight"]) == [1, 2, 3, 4, 5, 7]
    for name, target in (("fly.csv", "digit"), ("fly_cancer.csv", "benign")):
        assert len(Csv(str(tmp_path / name), target).load().x_train[0]) == 2


def test_what_is_not_there_is_one_line(script, monkeypatch, capsys):
    with pytest.raises(InputError, match=r"^no-such-thing: not installed; pip install --no-deps"):
        script.located("no-such-thing", "a.csv")
    with pytest.raises(InputError, match=r"^pytest: no a/b.csv in it"):
        script.located("pytest", "a/b.csv")
    monkeypatch.setattr(sys, "argv", ["connectomes.py", "worm"])
    assert exit_status(script.main) != 0
    assert "worm: no connectome; allowed: fly, brain" in capsys.readouterr().err


@pytest.mark.network
@pytest.mark.parametrize(
    ("name", "package", "sizes", "roles"),
    [
        ("fly", "graspologic", (209, 7425), {"projection": 58, "output": 29}),
        ("brain", "tvb-data", (76, 1560), {"sensory": 14, "motor": 10}),
    ],
)
def test_the_packages_have_what_the_pages_say(script, name, package, sizes, roles):
    try:
        distribution(package)
    except PackageNotFoundError:
        pytest.skip(f"{package} is not installed")
    graph = script.CONNECTOMES[name][0]()
    assert (graph.number_of_nodes(), graph.number_of_edges()) == sizes
    given = [role for _, role in graph.nodes(data="role")]
    assert {role: given.count(role) for role in roles} == roles
    assert all(weight > 0 for *_, weight in graph.edges(data="weight"))
    assert nx.number_weakly_connected_components(graph) == (1 if name == "fly" else 3)
