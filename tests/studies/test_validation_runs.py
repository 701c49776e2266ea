"""Runs with validation: what is recorded, drawn and compared, and that old records are read."""

from __future__ import annotations

import math
import re
import sqlite3
from concurrent.futures import ThreadPoolExecutor

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop.cli import main
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.nulltest import against_nulls
from smallworld_eqprop.studies.outcomes import judged_by, measured_errors
from smallworld_eqprop.studies.plots import running_error
from smallworld_eqprop.studies.record import Run
from smallworld_eqprop.studies.report import report_html
from smallworld_eqprop.studies.runs import train
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid
from smallworld_eqprop.studies.sweeping import sweep
from smallworld_eqprop.studies.tidy import learning_curves

SET_APART = {"validation": 40, "test": "end"}
TRANSFORMS = [{"kind": "shift", "pixels": 1}, {"kind": "dropout", "rate": 0.1}]


@pytest.fixture
def validated(tiny, tmp_path):
    """Two epochs of eight batches, with 40 of 200 examples set apart."""
    return train(tiny.changed(**SET_APART), tmp_path / "validated", epochs=2)


def test_the_history_has_validation_errors_and_one_test_error(validated):
    history = validated.history
    assert history["validation_error"].between(0, 1).all()
    assert history["test_error"].isna().tolist() == [True, False]
    assert validated.record["errors_from"] == {
        "training": "particles",
        "validation": "particles",
        "test": "rest",
    }
    error = 100 * history["validation_error"].iloc[-1]
    assert repr(validated).endswith(f"epoch 2: validation error {error:.2f} %)")
    assert validated.corrections(1).shape[0] == 8


def test_a_killed_run_with_transforms_ends_with_the_same_bits(tiny, tmp_path, same_outcome):
    config = tiny.changed(**SET_APART, transform=TRANSFORMS)
    whole = train(config, tmp_path / "whole", epochs=2)
    for after in (3, 8, 11):
        folder, asked = tmp_path / str(after), iter(range(100))
        with pytest.raises(KeyboardInterrupt):
            train(config, folder, epochs=2, stop=lambda: next(asked) >= after)  # noqa: B023
        resumed = train(config, folder, epochs=2, existing="resume")
        same_outcome(whole.folder, resumed.folder)


def test_a_longer_run_measures_the_test_error_again(tiny, tmp_path):
    config = tiny.changed(test="end")
    train(config, tmp_path / "run", epochs=1)
    longer = train(config, tmp_path / "run", epochs=3, existing="resume")
    assert longer.history["test_error"].isna().tolist() == [False, True, False]


def test_the_training_error_within_epochs_counts_what_is_trained(validated):
    epochs, error = running_error(validated)
    assert (epochs[0], epochs[-1]) == (1 / 16, 2 - 1 / 16)
    assert error[4] == pytest.approx(100 * validated.history["training_error"][0])


def test_curves_are_named_by_what_they_are(validated, reference):
    axes = validated.plot_errors()
    lines = {line.get_label(): line.get_ydata() for line in axes.lines}
    assert np.allclose(lines["validation"], 100 * validated.history["validation_error"])
    assert np.isnan(lines["test"]).tolist() == [True, False]
    assert "validation" not in [line.get_label() for line in reference.plot_errors().lines]
    plt.close("all")


def test_the_report_shows_the_error_that_a_run_is_judged_by(validated):
    page, last = report_html(validated), validated.history.iloc[-1]
    tiles = dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)<", page))
    assert tiles["validation error"] == f"{100 * last['validation_error']:.2f} %"
    assert tiles["test error"] == f"{100 * last['test_error']:.2f} %"
    least = 100 * validated.history["validation_error"].min()
    assert f"least {least:.2f} % after epoch" in page
    assert "the validation error from" in page
    assert "160 examples" in page


def test_tables_of_curves_have_the_column_where_there_is_one(validated, reference):
    both = [validated, Run(reference.folder)]
    with pytest.raises(InputError, match="both are tiny, seed 3"):
        learning_curves(both)
    assert "validation_error" in learning_curves([validated])
    assert "validation_error" not in learning_curves([reference])


# --- studies -----------------------------------------------------------------------------------


@pytest.fixture
def store(tiny, tmp_path):
    study = Study("s", grid(tiny.changed(**SET_APART), seed=[0, 1]), epochs=2, metrics=())
    with ThreadPoolExecutor(1) as executor:
        sweep(study, tmp_path / "s.sqlite", executor)
    with Store(tmp_path / "s.sqlite") as opened:
        yield opened


def test_a_study_is_judged_by_validation(store):
    runs = store.runs()
    assert runs["final_validation_error"].between(0, 1).all()
    assert runs["final_test_error"].between(0, 1).all()
    # What no run has measured has no column.
    assert "epoch1_test_error" not in runs
    assert "epoch1_validation_cost" in runs
    assert set(runs["validation"]) == {40}
    assert judged_by(runs, "final_") == "validation"
    page, least = report_html(store), runs["final_validation_error"].min()
    shown = re.search(r"<dt>least validation error</dt><dd>([\d.]+)", page)
    assert float(shown[1]) == pytest.approx(100 * least, rel=0.05)
    assert '"y": "final_validation_error"' in page.replace('":"', '": "')


def test_a_store_of_before_there_was_validation_is_read_and_goes_on(store, tiny):
    path = store.path
    store.close()
    with sqlite3.connect(path) as db:
        for column in ("validation_error", "validation_cost"):
            db.execute(f"ALTER TABLE epochs DROP COLUMN {column}")
        db.execute("DROP TABLE digests")
    with Store(path, create=False) as old:
        assert judged_by(old.runs(), "final_") == "test"
        assert "validation_error" not in old.history()
        assert "least test error" in report_html(old)
    more = Study("s", grid(tiny.changed(**SET_APART), seed=[2]), epochs=2, metrics=())
    with ThreadPoolExecutor(1) as executor:
        sweep(more, path, executor)
    with Store(path) as new:
        assert new.runs()["final_validation_error"].isna().tolist() == [True, True, False]


def test_an_old_checkpoint_has_no_validation_errors(reference, tiny, tmp_path, same_outcome):
    """As one was written before: records without the fields."""
    import json

    path = reference.folder / "checkpoint.npz"
    with np.load(path) as file:
        arrays = {name: file[name] for name in file.files}
    header = json.loads(str(arrays.pop("header")))
    for record in header["history"]:
        assert math.isnan(record.pop("validation_error"))
        del record["validation_cost"]
    np.savez(path, header=np.array(json.dumps(header)), **arrays)
    train(tiny, reference.folder, epochs=3, existing="resume")
    same_outcome(reference.folder, train(tiny, tmp_path / "whole", epochs=3).folder)


@pytest.mark.parametrize(
    ("columns", "errors", "judged"),
    [
        ({"training_error": [0.5]}, ["training"], "training"),
        ({"test_error": [0.5]}, ["training", "test"], "test"),
        ({"test_error": [math.nan]}, ["training"], "training"),
        (
            {"test_error": [0.5, 0.5], "validation_error": [math.nan, 0.5]},
            ["training", "validation", "test"],
            "validation",
        ),
    ],
)
def test_which_errors_a_table_has(columns, errors, judged):
    table = pd.DataFrame(columns)
    assert measured_errors(table) == errors
    assert judged_by(table.add_prefix("final_"), "final_") == judged


def test_a_graph_is_compared_with_its_nulls_by_validation():
    rows = [
        {"sample": k, "seed": 0, "final_test_error": 0.1 * k, "final_validation_error": 1.0 + k}
        for k in range(4)
    ]
    assert against_nulls(pd.DataFrame(rows)).outcome == "final_validation_error"
    table = pd.DataFrame(rows).drop(columns="final_validation_error")
    assert against_nulls(table).outcome == "final_test_error"
    assert against_nulls(pd.DataFrame(rows), "final_test_error").graph == 0


# --- keys and schedules ------------------------------------------------------------------------


def test_defaults_are_no_part_of_a_key():
    """The key as it was before there were validation and transforms."""
    assert RunConfig().key == "9f14360d7f518ea1"
    same = RunConfig().changed(validation=0, test="epochs", transform=[])
    assert same.key == RunConfig().key
    assert "transform" not in RunConfig().to_dict()


def test_what_decides_the_outcome_is_in_the_key(tiny):
    changes = [
        {},
        {"validation": 40},
        {"test": "end"},
        {"transform": TRANSFORMS},
        {"transform": TRANSFORMS[::-1]},
        {"transform": TRANSFORMS[:1]},
        {
            "optimiser": {
                "kind": "adam",
                "learning_rate": {"kind": "cosine", "rate": 1, "epochs": 2},
            }
        },
        {
            "optimiser": {
                "kind": "adam",
                "learning_rate": {"kind": "cosine", "rate": 1, "epochs": 3},
            }
        },
        {"optimiser": {"kind": "clipped", "optimiser": {"kind": "adam"}, "norm": 0.5}},
    ]
    runs = [tiny.changed(**each) for each in changes]
    assert len({run.key for run in runs}) == len(runs)
    for run in runs:
        assert RunConfig.from_dict(run.to_dict()) == run


def test_transforms_are_written_as_tables_of_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(
        '[[transform]]\nkind = "shift"\npixels = 2\n[[transform]]\nkind = "dropout"\nrate = 0.15\n'
    )
    several = RunConfig.from_toml(path)
    assert several.flat()["transforms"] == [
        {"kind": "shift", "pixels": 2},
        {"kind": "dropout", "rate": 0.15},
    ]
    path.write_text('[transform]\nkind = "dropout"\nrate = 0.15\n')
    assert RunConfig.from_toml(path) == several.changed(transform="dropout", rate=0.15)


def cosine(**length):
    schedule = {"kind": "cosine", "rate": 0.001, **length}
    return {"optimiser": {"kind": "adam", "learning_rate": schedule}}


@pytest.mark.parametrize("length", [{"steps": 20}, {"epochs": 2}])
def test_a_schedule_as_long_as_the_run_is_nothing_to_say(tiny, tmp_path, length):
    train(tiny.changed(**cosine(**length)), tmp_path / "run", epochs=2)


@pytest.mark.parametrize(("length", "steps"), [({"steps": 25}, 25), ({"epochs": 3}, 30)])
def test_a_schedule_of_another_length_is_said(tiny, tmp_path, length, steps):
    told = f"the schedule ends after {steps} steps, but the run after 20 .2 epochs of 10 batches"
    with pytest.warns(UserWarning, match=told):
        train(tiny.changed(**cosine(**length)), tmp_path / "run", epochs=2)


# --- the command line --------------------------------------------------------------------------


def test_the_command_line_names_the_validation_error(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["train", "rewired-5x100", "--dataset=digits", "--set=layer_sizes=64,9,10"]
    words += ["--train-examples=60", "--threads=1", "--out=run"]
    assert main([*words, "--epochs=1", "--set=validation=20", "--json"]) == 0
    captured = capsys.readouterr()
    line = next(line for line in captured.err.splitlines() if line.startswith("epoch 1/1"))
    assert "validation error " in line
    assert "test error" not in line
    assert '"test_error": null' in captured.out
    assert main([*words, "--epochs=2", "--resume", "--set=validation=10"]) == 2
    assert "validation is 20, not 10" in capsys.readouterr().err
