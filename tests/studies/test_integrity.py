"""What is recorded is what is read: flipped bits of run folders and stores are named."""

from __future__ import annotations

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from smallworld_eqprop import InputError, Run, RunConfig, train
from smallworld_eqprop.cli import main
from smallworld_eqprop.data import named
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study, grid
from smallworld_eqprop.studies.sweeping import sweep

BASE = RunConfig(data=named("digits", 60)).changed(
    layer_sizes=[64, 9, 8, 10], learning_rate=[0.1, 0.2, 0.2]
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two epochs that nobody changes."""
    return train(BASE, tmp_path_factory.mktemp("trained") / "run", epochs=2).folder


@pytest.fixture
def run(trained, tmp_path):
    return Run(shutil.copytree(trained, tmp_path / "run"))


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("name", "place", "words", "read"),
    [
        ("history.csv", -20, "the row of epoch 2 was changed", lambda run: run.history),
        ("history.csv", 3, "the row of epoch 1 was changed", lambda run: run.history),
        ("corrections/epoch-0002.npy", -2, "was changed after", Run.corrections),
        ("corrections/epoch-0001.npy", 30, "was changed after", Run.corrections),
        ("errors/epoch-0001.npy", -1, "was changed after", Run.errors),
        ("graph.npz", 200, "not a graph", lambda run: run.graph),
        ("checkpoint.npz", 2000, "damaged checkpoint", Run.network),
    ],
)
def test_a_flipped_bit_is_named_and_not_read(run, capsys, name, place, words, read):
    assert main(["status", str(run.folder), "--check"]) == 0
    assert capsys.readouterr().out == f"{run.folder}: as it was written\n"
    flip(run.folder / name, place)
    assert main(["status", str(run.folder), "--check"]) == 1
    [line] = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{run.folder / name}: ")
    assert words in line
    with pytest.raises(InputError, match=words):
        read(Run(run.folder))


@pytest.mark.parametrize("name", ["history.csv", "errors/epoch-0002.npy", "checkpoint.npz"])
def test_a_file_that_is_gone_is_named(run, capsys, name):
    (run.folder / name).unlink()
    assert main(["status", str(run.folder), "--check"]) == 1
    assert str(run.folder / name) in capsys.readouterr().out


def test_problems_as_json(run, capsys):
    command = ["status", str(run.folder), "--check", "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == {"path": str(run.folder), "problems": []}
    (run.folder / "checkpoint.npz").unlink()
    assert main(command) == 1
    [problem] = json.loads(capsys.readouterr().out)["problems"]
    assert str(run.folder / "checkpoint.npz") in problem


def test_another_graph_in_the_place_of_the_trained_one_is_named(run, tmp_path, capsys):
    other = train(BASE.changed(seed=7, p=0.3), tmp_path / "other", epochs=1)
    shutil.copy(other.folder / "graph.npz", run.folder / "graph.npz")
    assert main(["status", str(run.folder), "--check"]) == 1
    assert "graph.npz: is not the graph that was trained" in capsys.readouterr().out
    for read in (
        lambda run: run.graph,
        Run.network,
        lambda run: train(BASE, run.folder, epochs=3, existing="resume"),
    ):
        with pytest.raises(InputError, match="is not the graph that was trained"):
            read(Run(run.folder))


def test_a_changed_setting_of_the_record_is_named_and_its_layout_is_none(run, capsys):
    path = run.folder / "run.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record))
    assert Run(run.folder).config == BASE
    record["config"]["optimiser"]["learning_rate"][0] = 0.3
    path.write_text(json.dumps(record, indent=2))
    told = f"error: {path}: was changed after it was written; bring back a copy of it"
    for command in (["report"], ["status", "--check"], ["metrics"]):
        assert main([*command, str(run.folder)]) == 2
        assert capsys.readouterr().err == f"{told}\n"
    for existing in ("resume", "overwrite"):
        with pytest.raises(InputError, match="was changed after it was written"):
            train(BASE, run.folder, epochs=3, existing=existing)


def test_a_row_too_many_is_named(run, capsys):
    path = run.folder / "history.csv"
    path.write_text(path.read_text() + path.read_text().splitlines()[-1])
    assert main(["status", str(run.folder), "--check"]) == 1
    assert capsys.readouterr().out.startswith(f"{path}: column epoch: must be 1, 2, ...")


def test_a_run_of_before_there_were_hashes_opens_and_gets_them_as_it_goes_on(run):
    path = run.folder / "run.json"
    record = json.loads(path.read_text())
    hashes = record.pop("epochs")
    del record["sha256"]
    path.write_text(json.dumps(record))
    assert len(Run(run.folder).history) == 2
    (run.folder / "errors" / "epoch-0001.npy").unlink()  # of an old run something may be gone
    train(BASE, run.folder, epochs=3, existing="resume")
    found = json.loads(path.read_text())["epochs"]
    assert found["2"] == hashes["2"]
    assert sorted(found) == ["2", "3"]


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    path = tmp_path_factory.mktemp("swept") / "s.sqlite"
    with ThreadPoolExecutor(1) as pool:
        sweep(Study("s", grid(BASE, seed=[0, 1]), epochs=2), path, pool, workers=1)
    return path


@pytest.fixture
def path(swept, tmp_path):
    return shutil.copy(swept, tmp_path / "s.sqlite")


@pytest.mark.parametrize(
    ("statement", "table", "reads"),
    [
        ("UPDATE epochs SET test_error=0.01 WHERE epoch=2", "epochs", ("runs", "history")),
        ("DELETE FROM epochs WHERE epoch=2", "epochs", ("runs", "history")),
        ("UPDATE corrections SET rms=0 WHERE pair='0-1'", "corrections", ("corrections",)),
        ("UPDATE metrics SET value=value+1 WHERE metric='n_edges'", "metrics", ("runs",)),
        ("DELETE FROM metrics", "metrics", ("runs",)),
        ("UPDATE runs SET config=replace(config, '0.2', '0.3')", "runs", ("runs",)),
        ("UPDATE runs SET status='pending'", "runs", ("runs",)),
        ("UPDATE runs SET epochs=3", "runs", ("runs", "statuses")),
        ("UPDATE runs SET graph=graph||' '", "runs", ("results_digest",)),
        ("UPDATE work SET seconds=seconds+1", "work", ("work",)),
        ("UPDATE measures SET error='no'", "measures", ("measure_errors",)),
    ],
)
def test_a_changed_row_is_named_and_not_read(path, capsys, statement, table, reads):
    assert main(["status", str(path), "--check"]) == 0
    assert capsys.readouterr().out == f"{path}: as it was written\n"
    with closing(sqlite3.connect(path)) as db, db:
        db.execute(statement)
    assert main(["status", str(path), "--check"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert any(f"{path}: table {table}, run '" in line for line in lines)
    with Store(path, create=False) as store:
        for read in reads:
            with pytest.raises(InputError, match="was changed after it was stored"):
                getattr(store, read)()


def test_a_changed_run_that_is_still_to_do_is_not_trained(path):
    study = Study("s", grid(BASE, seed=[0, 1, 2]), epochs=2)
    with Store(path) as store, ThreadPoolExecutor(1) as pool:
        store.add(study)
        store._db.execute("UPDATE runs SET config=replace(config, '0.2', '0.3') WHERE rowid=3")
        for read in (store.statuses, lambda: sweep(study, store, pool, workers=1)):
            with pytest.raises(InputError, match=f"runs, run '{study.keys[2]}': was changed after"):
                read()
        assert len(store.standing()) == 3


@pytest.mark.parametrize("gone", [False, True])
def test_changed_weights_that_a_study_keeps_are_named(tmp_path, capsys, gone):
    path = tmp_path / "s.sqlite"
    with ThreadPoolExecutor(1) as pool:
        sweep(Study("s", (BASE,), weights=True), path, pool, workers=1)
    assert main(["status", str(path), "--check"]) == 0
    [kept] = (tmp_path / "s.sqlite.weights").iterdir()
    if gone:
        kept.unlink()
    else:
        flip(kept, 500)
    capsys.readouterr()
    assert main(["status", str(path), "--check"]) == 1
    assert capsys.readouterr().out.startswith(f"{kept}: ")


def test_what_is_measured_later_hides_no_change(path):
    with Store(path, create=False) as store:
        one, other = store.standing()
        store.add_metrics(one, {"mine": 3.0}, {"mine": None})
        assert store.check() == []
        store._db.execute("UPDATE metrics SET value=7 WHERE metric='mine'")
        store.add_metrics(one, {"more": 3.0}, {"more": None})
        [line] = store.check()
        assert one in line
        assert other not in line


def test_a_store_of_before_there_were_digests_opens(path):
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE digests")
    with Store(path) as store:
        assert store.check() == []
        assert len(store.runs()) == 2


def test_a_column_that_comes_later_changes_no_hash_of_earlier_epochs(run):
    path = run.folder / "history.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([f"{head},moved_edges", *(f"{row}," for row in rows)]))
    assert len(Run(run.folder).history) == 2
    path.write_text(path.read_text() + "3")
    with pytest.raises(InputError, match="the row of epoch 2 was changed"):
        _ = Run(run.folder).history
