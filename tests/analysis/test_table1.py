from __future__ import annotations

import sys

import pandas as pd
import pytest

from smallworld_eqprop import RunConfig, train
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Rewire
from smallworld_eqprop.hardware import hardware_costs


@pytest.fixture
def table1():
    import table1

    return table1


@pytest.fixture
def write(table1, monkeypatch, tmp_path):
    """Run the script; gives its exit status."""

    def run(*arguments):
        argv = ["table1", *map(str, arguments), "--out", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", argv)
        return exit_status(table1.main)

    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    topology = Rewire((64, 6, 5, 10), p=0.1)
    config = RunConfig(name="mine", data=named("digits", 100), topology=topology)
    return train(config, tmp_path_factory.mktemp("runs") / "mine", epochs=2)


def test_four_files_with_the_same_numbers(write, run, tmp_path, capsys):
    assert write("--run", run.folder) == 0
    text = (tmp_path / "table1.txt").read_text()
    assert capsys.readouterr().out.startswith(text)
    assert f"{run.history.mean_sweeps.mean():.1f} sweeps of the free phase" in text
    assert f"mean of 2 epochs of {run.folder}" in text
    free = int((run.graph.edges[:, 0] >= 64).sum())
    assert f"mine: 64-6-5-10, {run.graph.n_edges:,} connections" in text
    for ending in ("txt", "md", "tex"):
        content = (tmp_path / f"table1.{ending}").read_text()
        rows = [line for line in content.splitlines() if "two-way wires" in line]
        assert len(rows) == 1
        cells = rows[0].replace("&", " ").replace("|", " ").replace("\\", " ").split()
        assert cells[-3:] == ["0", str(free), str(free)]
    table = pd.read_csv(tmp_path / "table1.csv")
    assert list(table) == [
        "network", "quantity", "backpropagation", "equilibrium propagation",
        "the same, as published",
    ]  # fmt: skip
    words = table[table.network.isna()]
    assert list(words.quantity) == [
        "memory", "nonlinear activation function", "its derivative", "distinct computations",
        "connections", "corrections", "order",
    ]  # fmt: skip
    counted = table[table.network == "mine"].set_index("quantity")
    assert float(counted.backpropagation["multiply-accumulates, total"]) == (
        2 * run.graph.n_edges + free
    )
    costs = hardware_costs(run.graph, free_sweeps=run.history.mean_sweeps.mean(), nudged_sweeps=8)
    column = counted["equilibrium propagation"].astype(float)
    assert column["crossbar tiles of 128 x 128"] == costs["crossbar_tiles"]
    energy = 1e6 * costs["correction_energy"]
    assert column["energy of one correction (uJ)"] == pytest.approx(energy)


def test_a_preset_with_given_sweeps(write, tmp_path):
    assert write("--network", "layered-5x100", "--sweeps", 20) == 0
    counted = pd.read_csv(tmp_path / "table1.csv").set_index("quantity")
    edges, free = 784 * 100 + 4 * 100 * 100 + 100 * 10, 4 * 100 * 100 + 100 * 10
    column = counted["equilibrium propagation"]
    assert float(column["multiply-accumulates, forwards or free phase"]) == (
        edges - free + 20 * 2 * free
    )
    # As published: 1000 free steps.
    published = counted["the same, as published"]
    assert float(published["steps one after the other"]) == 1000 + 12


def test_sweeps_come_from_the_collected_table(table1, monkeypatch, tmp_path):
    table = {"network": ["a", "a", "b"], "seed": [0, 1, 0], "mean_sweeps": [10.0, 20.0, 40.0]}
    pd.DataFrame(table).to_csv(tmp_path / "learning_curves.csv", index=False)
    monkeypatch.setattr(table1, "RESULTS", tmp_path)
    assert table1.recorded_sweeps("a") == (15.0, "mean of 2 epochs of 2 seeds")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--network", "layered-5x10"], "did you mean layered-5x100?"),
        (["--sweeps", "0"], "--sweeps: 0.0, must be above 0"),
        (["--sweeps", "nan"], "--sweeps: nan, must be above 0"),
        (["--run", "nowhere"], "nowhere: no run here"),
    ],
)
def test_bad_input_is_one_line(write, capsys, arguments, expected):
    assert write(*arguments) == 2
    error = capsys.readouterr().err
    assert expected in error
    assert error.count("\n") == 1


def test_a_network_never_collected_is_one_line(write, table1, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(table1, "RESULTS", tmp_path)
    assert write() == 2
    assert "layered-3x500: no run of it" in capsys.readouterr().err


def test_latex_is_escaped(write, tmp_path):
    write("--network", "layered-5x100", "--sweeps", 20)
    lines = (tmp_path / "table1.tex").read_text().splitlines()
    body = [line for line in lines if not line.startswith("%")]
    assert not any(character in line for line in body for character in "%#_")
    assert sum(line.startswith(r"\begin{tabular}") for line in body) == 3
