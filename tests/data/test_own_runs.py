"""Runs on data of the user: trained into a folder, gone on with, and refused where they differ."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from smallworld_eqprop import Dataset, Run, RunConfig, train
from smallworld_eqprop.cli import main
from smallworld_eqprop.data import Csv
from smallworld_eqprop.errors import InputError

FILE = Path(__file__).parent / "files" / "measurements.csv"


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(FILE, "mine.csv")


# One column of the file is constant, which `train` says.
pytestmark = pytest.mark.filterwarnings("ignore:mine.csv. left out of the features")


def config(path="mine.csv", **options) -> RunConfig:
    return RunConfig.from_dict(
        {
            "data": {"kind": "csv", "path": path, "target": "species", **options},
            "topology": {"kind": "layered", "layer_sizes": [6, 8, 3]},
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
    wrong = config().changed(layer_sizes=(7, 8, 3))
    with pytest.raises(InputError, match=r"input layer of 7 nodes, but mine.csv needs 6; give one"):
        train(wrong, "run", epochs=1)


def test_arrays_of_ones_own(here):
    x, y = np.random.default_rng(0).random((12, 6)), np.eye(3)[np.arange(12) % 3]
    run = train(config(), "run", epochs=1, data=Dataset("mine", "classification", x, y, x, y))
    assert len(run.history) == 1


def test_on_the_command_line(here, capsys):
    Path("own.toml").write_text(
        '[data]\nkind = "csv"\npath = "mine.csv"\ntarget = "species"\n\n'
        '[topology]\nkind = "layered"\nlayer_sizes = [6, 8, 3]\n'
    )
    assert main(["train", "own.toml", "--epochs", "1", "--out", "run"]) == 0
    assert main(["train", "own.toml", "--epochs", "2", "--out", "run", "--resume"]) == 0
    assert main(["train", "own.toml", "--set", "target=specis", "--out", "other"]) == 2
    assert "unknown column 'specis'; did you mean species?" in capsys.readouterr().err


AREAS = FILE.parents[2] / "graphs" / "files" / "areas.graphml"
#: What a newcomer writes: no list of features, none of outputs.
NEWCOMER = """
[topology]
kind = "file"
path = "areas.graphml"
inputs = "role=sensory"
outputs = "role=motor"

[data]
kind = "csv"
path = "mine.csv"
target = "species"
"""


@pytest.fixture
def newcomer(here):
    shutil.copy(AREAS, "areas.graphml")
    Path("own.toml").write_text(NEWCOMER)


def test_a_graph_and_a_table_of_ones_own_train_as_they_stand(newcomer, capsys):
    assert main(["train", "own.toml", "--epochs", "2", "--out", "run"]) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: mine.csv: left out of the features, the same in every row: 'constant'",
        "note: graph: 4 outputs for 3 classes; the targets of the last 1 are 0",
    ]
    run = Run("run")
    assert [f"note: {note}" for note in run.record["notes"]] == notes
    assert run.record["dataset"]["sha256"] == dict(Csv("mine.csv", "species").load().sha256)
    assert main(["train", "own.toml", "--epochs", "3", "--out", "run", "--resume"]) == 0
    assert len(run.history) == 3


@pytest.mark.filterwarnings("ignore:graph. 4 outputs")
def test_no_example_is_taken_for_an_output_without_a_class(newcomer):
    run = train(RunConfig.from_toml("own.toml"), "run", epochs=1)
    trainer = run.trainer()
    # The largest output of every example is the spare one.
    network = trainer.network
    network.biases = np.r_[np.zeros(network.n_free - 1), 1.0]
    network.weights = np.zeros(run.graph.n_edges)
    (error, cost), test = trainer.evaluate(), Csv("mine.csv", "species").load()
    assert (network.outputs(test.x_test).argmax(axis=1) == 3).all()
    # All other outputs are 0, so that every example is of the first class.
    assert error == pytest.approx(1 - test.y_test[:, 0].mean())
    assert cost == pytest.approx(2)
    table = run.confusion()
    assert table.shape == (3, 3)
    assert table.to_numpy().sum() == len(test.x_test)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": ["b", "c"]}, "input layer of 6 nodes, but mine.csv needs 2; give one input"),
        ({"topology.outputs": ["n23", "n22"]}, "output layer of 2 nodes, but mine.csv needs 3"),
    ],
)
def test_what_does_not_fit_a_graph_of_ones_own_is_refused(newcomer, change, message):
    with pytest.raises(InputError, match=message):
        train(RunConfig.from_toml("own.toml").changed(**change), "run", epochs=1)


def test_layers_by_size_have_an_output_for_every_class(here):
    with pytest.raises(InputError, match=r"output layer of 4 nodes, but mine.csv needs 3; give"):
        train(config().changed(layer_sizes=(6, 8, 4)), "run", epochs=1)
