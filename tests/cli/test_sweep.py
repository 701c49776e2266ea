from __future__ import annotations

import dataclasses
import importlib.util
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from smallworld_eqprop.cli import main
from smallworld_eqprop.cli.study_progress import StudyDisplay
from smallworld_eqprop.learning.history import EpochRecord
from smallworld_eqprop.studies import executors
from smallworld_eqprop.studies.owners import new_owner, retire
from smallworld_eqprop.studies.results import Done, Failed, Work
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.store_claims import Claim
from smallworld_eqprop.studies.study import Study
from smallworld_eqprop.studies.sweeping import SweepProgress

STUDY = """
[base]
dataset = "digits"
n_train = 60
layer_sizes = [64, 12, 10]
rule.solver.steps = 4
[grid]
p = [0.0, 2.0]
[[grids]]
base.family = "thin"
grid.p = [0.1]
grid.learning_rate = [0.01, [0.01, 0.02]]
"""


@pytest.fixture(autouse=True)
def study(tmp_path, monkeypatch, clock):  # no display says that it is slow
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMALLWORLD_EQPROP_DEBUG", raising=False)
    Path("mine.toml").write_text(STUDY)
    # In this process: other tests start processes, and wait for them.
    monkeypatch.setattr(executors, "LocalProcesses", ThreadPoolExecutor)
    return Study.from_toml("mine.toml")


def fails(arguments, capsys):
    """Exit status and the one line of the error."""
    status = main(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.fullmatch(r"error: [^\n]+\n", captured.err), captured.err
    return status, captured.err


def test_sweep_does_a_study_and_says_every_run(study, capsys):
    assert main(["sweep", "mine.toml", "--workers=1"]) == 1
    captured = capsys.readouterr()
    assert captured.out == "runs/mine.sqlite\n"
    lines = captured.err.splitlines()
    assert re.match(
        r"\[1/4\] family=rewire p=0.0 learning_rate=0.02  epoch 1/1  training", lines[0]
    )
    assert re.match(r"\[2/4\] family=rewire p=2.0 .* failed: p: 2.0; give a number", lines[1])
    assert lines[4].startswith("1 of 4 runs failed; smallworld-eqprop status runs/mine.sqlite")
    assert main(["status", "mine.toml"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "runs/mine.sqlite: 3 done, 1 failed"
    assert re.match(r"failed   family=rewire p=2.0 .* p: 2.0; give a number", shown[1])


def test_json_is_one_line_per_run(study, capsys):
    assert main(["sweep", "mine.toml", "--workers=1", "--json", "--store=s.db"]) == 1
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["key"] for row in rows] == list(study.keys)
    assert [row["status"] for row in rows] == ["done", "failed", "done", "done"]
    with Store(Path("s.db")) as store:
        table = store.runs()
    assert [row["test_error"] for row in rows if "test_error" in row] == [
        *table["final_test_error"]
    ]
    assert main(["status", "mine.toml", "--store=s.db", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert status["counts"] == {"done": 3, "running": 0, "failed": 1, "pending": 0}
    assert status["runs"][1]["error"].startswith("p: 2.0")
    assert "Traceback" in status["runs"][1]["traceback"]
    assert status["runs"][2] == {
        "key": study.keys[2], "status": "done", "p": 0.1, "family": "thin", "learning_rate": 0.01,
    }  # fmt: skip


def test_a_fixed_study_goes_on_where_it_was(study, capsys):
    assert main(["sweep", "mine.toml"]) == 1
    Path("mine.toml").write_text(STUDY.replace("p = [0.0, 2.0]", "p = [0.0]"))
    capsys.readouterr()
    assert main(["sweep", "mine.toml"]) == 0
    assert capsys.readouterr().err == ""


def test_status_shows_what_is_running_and_what_is_still_to_be_added(study, capsys):
    with Store(Path("runs/mine.sqlite")) as store:
        store.add(dataclasses.replace(study, runs=study.runs[:2]))
        owner = new_owner()
        key = store.claim(study.keys, owner).key
        folder = store.scratch / f"{key}.12345678"
    folder.mkdir(parents=True)
    (folder / "progress").write_text("0.4200")
    assert main(["status", "mine.toml"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "runs/mine.sqlite: 1 running, 3 pending",
        "running  p=0.0  42%",
    ]
    assert main(["status", "runs/mine.sqlite", "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["runs"][0]["share"], status["runs"][0]["owner"]) == (0.42, owner)
    retire(owner)


def test_export_writes_tidy_tables(study, capsys):
    main(["sweep", "mine.toml"])
    capsys.readouterr()
    assert main(["export", "runs/mine.sqlite", "--out=tables"]) == 0
    names = ["runs", "history", "corrections", "work"]
    assert capsys.readouterr().out.split() == [f"tables/{name}.csv" for name in names]
    with Store(Path("runs/mine.sqlite")) as store:
        for name in names:
            table, there = pd.read_csv(f"tables/{name}.csv"), getattr(store, name)()
            assert list(table) == list(there)
            assert table["key"].tolist() == there["key"].tolist()
    assert pd.read_csv("tables/runs.csv")["learning_rate"].tolist() == [
        "0.02",
        "0.01",
        "[0.01, 0.02]",
    ]
    Path("mine.toml").write_text(STUDY.replace("p = [0.0, 2.0]", "p = [0.0]").split("[[grids]]")[0])
    assert main(["export", "mine.toml", "--out=tables"]) == 0
    assert pd.read_csv("tables/runs.csv")["key"].tolist() == [study.keys[0]]
    capsys.readouterr()
    for named in ("mine.toml", "runs/mine.sqlite"):
        _, message = fails(["compare", named], capsys)
        assert message == (
            f"error: {named}: no column 'sample'; needs a study with a topology of kind \"null\" "
            "and a grid over sample\n"
        )


def test_export_writes_over_its_own_tables_only(study, capsys):
    main(["sweep", "mine.toml"])
    export = ["export", "mine.toml", "--out=tables"]
    assert main(export) == main(export) == 0
    capsys.readouterr()
    for name in ("runs", "history", "corrections", "work"):
        mine = Path(f"tables/{name}.csv")
        for path in Path("tables").iterdir():
            path.unlink()
        mine.write_text("epoch,seconds\n1,2.0\n")  # as the history of a run
        assert fails(export, capsys) == (
            2,
            f"error: {mine}: exists already and is not a table of export ({name}); name another "
            "place, or remove it yourself\n",
        )
        assert mine.read_text() == "epoch,seconds\n1,2.0\n"
        assert list(Path("tables").iterdir()) == [mine]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_two_machines_share_a_study_by_its_tables(study, capsys, form):
    if form == "parquet":
        pytest.importorskip("pyarrow")
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet}[form]
    tables = [f"--format={form}", "--out=tables"]
    whole = STUDY.replace("p = [0.0, 2.0]", "p = [0.0, 0.5]")
    Path("whole.toml").write_text(whole)
    Path("first.toml").write_text(whole.split("[[grids]]")[0])
    keys = list(Study.from_toml("whole.toml").keys)
    assert main(["sweep", "first.toml"]) == 0
    assert main(["export", "first.toml", *tables]) == 0
    before = {path.stem: read(path) for path in Path("tables").iterdir()}
    assert main(["sweep", "whole.toml", "--skip=tables"]) == 0
    with Store(Path("runs/whole.sqlite")) as store:  # the second machine never saw the first two
        assert [run.key for run in store.statuses()] == keys[2:]
    add = ["export", "runs/whole.sqlite", "--add", *tables]
    assert main(add) == 0
    after = {path.stem: read(path) for path in Path("tables").iterdir()}
    assert after["runs"]["key"].tolist() == keys
    for name, table in before.items():
        kept = after[name][after[name]["key"].isin(table["key"])][list(table)]
        assert kept.astype(str).to_numpy().tolist() == table.astype(str).to_numpy().tolist()
    assert main(add) == 0
    assert read(f"tables/runs.{form}").equals(after["runs"])
    capsys.readouterr()
    Path("runs/whole.sqlite").unlink()
    assert main(["sweep", "whole.toml", "--skip=tables"]) == 0
    assert capsys.readouterr().err == "tables: has all 4 runs of whole\n"
    assert not Path("runs/whole.sqlite").exists()


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole + b'"',
        lambda whole: whole[: whole.rindex(b",")],  # cut off in the last row
        lambda whole: whole.replace(b"\n", b",1\n").replace(b",1", b"", 1),
        lambda whole: whole.replace(b"0.", b"\xff.", 1),
    ],
)
def test_an_earlier_table_that_cannot_be_read_is_kept(study, capsys, damage):
    main(["sweep", "mine.toml"])
    assert main(["export", "mine.toml", "--out=tables"]) == 0
    history, runs = Path("tables/history.csv"), Path("tables/runs.csv")
    history.write_bytes(damage(history.read_bytes()))
    before = history.read_bytes(), runs.read_bytes()
    capsys.readouterr()
    status, message = fails(["export", "mine.toml", "--out=tables", "--add"], capsys)
    assert status == 2
    assert message.startswith("error: tables/history.csv: cannot be read (")
    assert (history.read_bytes(), runs.read_bytes()) == before


def test_parquet_needs_pyarrow(study, capsys, monkeypatch):
    main(["sweep", "mine.toml"])
    capsys.readouterr()
    export = ["export", "mine.toml", "--out=tables", "--format=parquet"]
    if importlib.util.find_spec("pyarrow"):
        assert main(export) == 0
        capsys.readouterr()
        with Store(Path("runs/mine.sqlite")) as store:
            there = store.history()
        pd.testing.assert_frame_equal(pd.read_parquet("tables/history.parquet"), there)
        assert "0.02" in set(pd.read_parquet("tables/runs.parquet")["learning_rate"])
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    status, message = fails(export, capsys)
    assert status == 2
    assert "pip install pyarrow" in message


@pytest.mark.parametrize(
    ("arguments", "words", "status"),
    [
        (["sweep", "nowhere.toml"], "nowhere.toml: cannot be read", 2),
        (["sweep", "bad.toml"], "bad.toml: unknown key 'batchsize'; did you mean batch_size?", 2),
        (["sweep", "mine.toml", "--workers=0"], "workers: 0", 2),
        (["sweep", "mine.toml", "--skip=."], ".: no runs.csv or runs.parquet in it", 2),
        (["sweep", "mine.toml", "--skip=broken"], "runs.csv: cannot be read (line 2: 1 values", 2),
        (["sweep", "mine.toml", "--skip=empty"], "runs.csv: has no column key", 2),
        (["sweep", "mine.toml", "--scheduler=tcp://127.0.0.1:9"], "cannot be reached", 2),
        (["sweep", "mine.toml", "--store=mine.toml"], "mine.toml: damaged, or not a store", 2),
        (["sweep", "mine.toml", "--store=."], ".: a folder, not the store of a study", 2),
        (["sweep", "mine.toml", "--store=mine.toml/x"], "mine.toml", 1),
        (["status", "mine.toml"], "runs/mine.sqlite: no store here", 2),
        (["status", "x.sqlite", "--store=y.sqlite"], "name one store", 2),
        (["export", "x.sqlite", "--out=tables"], "x.sqlite: no store here", 2),
        (["export", "mine.toml"], "--out", 2),
        (["export", "mine.toml", "--out=x", "--format=xls"], "xls", 2),
    ],
)
def test_bad_input_is_one_line(arguments, words, status, capsys, monkeypatch):
    monkeypatch.setattr(executors, "CONNECT", 0.3)
    Path("bad.toml").write_text("[base]\nbatchsize = 3")
    for folder, text in (("broken", "key,name\nx\n"), ("empty", "")):
        Path(folder).mkdir()
        Path(folder, "runs.csv").write_text(text)
    found, message = fails(arguments, capsys)
    assert found == status
    assert words in message


def test_a_full_disk_is_one_line_that_names_the_store(study, capsys, monkeypatch):
    def full(store, key, owner, done):
        store._db.execute("PRAGMA max_page_count=1")
        with store._transaction():
            store._db.execute("CREATE TABLE large AS SELECT randomblob(9000)")

    monkeypatch.setattr(Store, "finish", full)
    status, message = fails(["sweep", "mine.toml", "--workers=1"], capsys)
    assert status == 1
    assert message.startswith("error: runs/mine.sqlite: No space left on device; free some space")


def test_ctrl_c_keeps_everything_and_says_so(study, tmp_path):
    """In a process group of its own, as in a terminal: the workers get the signal too."""
    Path("mine.toml").write_text("epochs = 100000\n" + STUDY)
    code = "from smallworld_eqprop.cli import main; raise SystemExit(main())"
    with subprocess.Popen(
        [sys.executable, "-c", code, "sweep", "mine.toml", "--workers=1"],
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    ) as sweep:
        while not list(Path("runs").glob("*.scratch/*/progress")):
            assert sweep.poll() is None
            time.sleep(0.02)
        os.killpg(sweep.pid, signal.SIGINT)
        _, message = sweep.communicate()
    # On a busy machine a line of progress comes first.
    assert message.splitlines()[-1] == "stopped; everything is kept. Go on with the same command"
    assert sweep.returncode == 130
    [checkpoint] = Path("runs").glob("*.scratch/*/checkpoint.npz")
    assert checkpoint.stat().st_size
    with Store(Path("runs/mine.sqlite")) as store:
        assert set(store.standing().values()) == {"pending"}


def shown(study, steps, clock, **options):
    out = io.StringIO()
    console = Console(file=out, width=200, color_system=None, **options)
    with StudyDisplay(study, console=console) as display:
        for seconds, progress in steps:
            clock.now = seconds
            display.show(progress)
    return out.getvalue()


def at(done, *running, failed=0, elsewhere=0, finished=None):
    shares = {f"run{number}": share for number, share in enumerate(running)}
    return SweepProgress(100, done, failed, shares, elsewhere, finished)


def test_the_time_left_counts_all_runs_and_those_under_way_by_their_shares(study, clock):
    # From 20 to 30.5 of 100 runs in 105 seconds, 4 of the rest done by others.
    steps = [(0.0, at(20)), (105.0, at(29, 0.3, 0.2, failed=1, elsewhere=4))]
    assert shown(study, steps, clock).splitlines() == [
        "29/100 done  2 running  4 elsewhere  1 failed  10:55 left"
    ]


def test_without_a_terminal_there_is_a_line_now_and_then(study, clock):
    steps = [(0.5 * tick, at(0, tick / 1000)) for tick in range(130)]
    assert len(shown(study, steps, clock).splitlines()) == 2


def test_a_terminal_shows_the_state_live(study, clock):
    out = shown(study, [(0.0, at(0, 0.0)), (1.0, at(1, 0.5))], clock, force_terminal=True)
    assert "1/100 done  1 running  1:06 left" in out


def test_a_finished_run_is_one_line(study, clock):
    values = {field.name: 0.25 for field in dataclasses.fields(EpochRecord)}
    done = Done({}, {}, [{**values, "epoch": 1, "unconverged": 0}], [], {}, Work("w", 0, 1, 1, {}))
    claims = [Claim("k", run, 1) for run in study.runs[:2]]
    steps = [
        (0.0, at(7, finished=(claims[0], done))),
        (1.0, at(7, failed=1, finished=(claims[1], Failed("no [place]")))),
    ]
    assert shown(study, steps, clock).splitlines() == [
        "[7/100] family=rewire p=0.0 learning_rate=0.02  epoch 1/1  training error 25.00 %  "
        "validation error 25.00 %  test error 25.00 %  0.2 sweeps  log-spread 0.25  0.2 s",
        "[8/100] family=rewire p=2.0 learning_rate=0.02  failed: no [place]",
    ]
