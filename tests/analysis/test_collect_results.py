from __future__ import annotations

import json
import shutil
import sys

import pandas as pd
import pytest

from smallworld_eqprop import RunConfig, train
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Rewire


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    parent = tmp_path_factory.mktemp("runs")

    def make(name, seed, epochs):
        config = RunConfig(name=name, data=named("digits", 100), topology=Rewire((64, 6, 10)))
        return train(config.changed(seed=seed), parent / f"{name}-{seed}", epochs=epochs).folder

    return [make("net", 0, 2), make("net", 1, 1), make("other", 0, 1)]


@pytest.fixture
def collect(monkeypatch, tmp_path):
    import collect_results

    def run(*arguments):
        argv = ["collect_results", *map(str, arguments), "--out", str(tmp_path)]
        monkeypatch.setattr(sys, "argv", argv)
        return exit_status(collect_results.main)

    return run


def read(folder):
    tables = [pd.read_csv(folder / f"{name}.csv") for name in ("learning_curves", "corrections")]
    return *tables, json.loads((folder / "provenance.json").read_text())


def test_the_tables_of_all_runs(collect, runs, tmp_path):
    assert collect(*runs) == 0
    curves, corrections, made = read(tmp_path)
    found = [tuple(row) for row in curves[["network", "seed", "epoch"]].to_numpy()]
    assert found == [("net", 0, 1), ("net", 0, 2), ("net", 1, 1), ("other", 0, 1)]
    assert set(corrections.pair) == {"0-1", "1-2"}
    assert {name: len(entries) for name, entries in made.items()} == {"net": 2, "other": 1}
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "corrections.csv", "learning_curves.csv", "provenance.json"
    ]  # fmt: skip


def test_adding_run_by_run_gives_the_same(collect, runs, tmp_path):
    collect(*runs)
    at_once = read(tmp_path)
    for path in tmp_path.iterdir():
        path.unlink()
    for folder in (runs[0], runs[2], runs[1], runs[0]):
        assert collect("--add", folder) == 0
    curves, _, made = read(tmp_path)
    pd.testing.assert_frame_equal(curves, at_once[0])
    assert made == at_once[2]


def test_without_add_other_rows_go(collect, runs, tmp_path):
    collect(*runs)
    collect(runs[2])
    curves, corrections, made = read(tmp_path)
    assert set(curves.network) == set(corrections.network) == set(made) == {"other"}


def test_unfinished_runs_are_skipped_and_named(collect, runs, tmp_path, capsys):
    unfinished = shutil.copytree(runs[1], tmp_path / "unfinished")
    (unfinished / "history.csv").unlink()
    assert collect(runs[0], unfinished) == 0
    assert capsys.readouterr().err == f"{unfinished}: skipped, no epoch is finished\n"
    assert collect(unfinished) == 2
    assert "none with a finished epoch" in capsys.readouterr().err


def test_a_folder_without_a_run_is_one_line(collect, tmp_path, capsys):
    assert collect(tmp_path) == 2
    error = capsys.readouterr().err
    assert error == f"error: {tmp_path}: no run here (run.json is missing)\n"
