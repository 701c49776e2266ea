"""Runs on data of the user: trained into a folder, gone on with, and refused where they differ."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from smallworld_eqprop import Dataset, RunConfig, train
from smallworld_eqprop.cli import main
from smallworld_eqprop.data import Csv
from smallworld_eqprop.errors import InputError

FILE = Path(__file__).parent / "files" / "measurements.csv"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILE, "mine.csv")


def config(path="mine.csv", **options) -> RunConfig:
    return RunConfig.from_dict(
        {
            "data": {"kind": "csv", "path": path, "target": "species", **options},
            "topology": {"kind": "layered", "layer_sizes": [7, 8, 3]},
            "optimiser": {"kind": "sgd", "learning_rate": 0.1},
        }
    )


def test_a_run_is_trained_and_gone_on_with(here):
    whole = train(config(), "whole", epochs=3)
    train(config(), "parts", epochs=1)
    parts = train(config(), "parts", epochs=3, existing="resume")
    assert parts.history.training_error.tolist() == whole.history.training_error.tolist()
    assert whole.history.training_error.iloc[-1] < 0.7
    record = json.loads(Path("whole/run.json").read_text())
    assert record["dataset"]["sha256"] == dict(Csv("mine.csv", "species").load().sha256)
    assert record["key"] == config().key


def test_a_moved_file_is_the_same_run(here):
    train(config(), "run", epochs=1)
    Path("mine.csv").rename("moved.csv")
    assert len(train(config("moved.csv"), "run", epochs=2, existing="resume").history) == 2


@pytest.mark.parametrize("options", [{}, {"split_seed": 1}])
def test_a_run_on_other_data_is_not_gone_on_with(here, options):
    train(config(), "run", epochs=1)
    if not options:
        Path("mine.csv").write_text(FILE.read_text().replace("1.516", "1.517"))
    with pytest.raises(InputError, match=r"^run") as caught:
        train(config(**options), "run", epochs=2, existing="resume")
    assert "\n" not in str(caught.value)


def test_keys_are_of_contents(here):
    before = config().key
    shutil.copy("mine.csv", "copy.csv")
    assert config("copy.csv").key == before
    assert config(n_train=100).key != before
    text = FILE.read_text()
    Path("mine.csv").write_text(text.replace("1.516", "1.517"))
    assert config().key != before


def test_layers_that_do_not_fit_say_what_would(here):
    wrong = config().changed(layer_sizes=(6, 8, 3))
    with pytest.raises(InputError, match=r"input layer of 6 nodes, but mine.csv needs 7"):
        train(wrong, "run", epochs=1)


def test_arrays_of_ones_own(here):
    x, y = np.random.default_rng(0).random((12, 7)), np.eye(3)[np.arange(12) % 3]
    run = train(config(), "run", epochs=1, data=Dataset("mine", "classification", x, y, x, y))
    assert len(run.history) == 1


def test_on_the_command_line(here, capsys):
    Path("own.toml").write_text(
        '[data]\nkind = "csv"\npath = "mine.csv"\ntarget = "species"\n\n'
        '[topology]\nkind = "layered"\nlayer_sizes = [7, 8, 3]\n'
    )
    assert main(["train", "own.toml", "--epochs", "1", "--out", "run"]) == 0
    assert main(["train", "own.toml", "--epochs", "2", "--out", "run", "--resume"]) == 0
    assert main(["train", "own.toml", "--set", "target=specis", "--out", "other"]) == 2
    assert "unknown column 'specis'; did you mean species?" in capsys.readouterr().err
