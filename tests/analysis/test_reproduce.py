from __future__ import annotations

import dataclasses
import io
import re
import runpy
import subprocess
import sys
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from smallworld_eqprop import RunConfig
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Rewire
from smallworld_eqprop.learning import Cosine

NAMES = ["layered-3x500", "layered-3x500-per-layer", "rewired-3x500"]
WEAK = ["weak-feedback-3x500", "weak-feedback-rewired-3x500"]


@pytest.fixture
def reproduce(monkeypatch, tmp_path, coarse_pictures):
    module, preset = import_module("reproduce"), RunConfig.preset

    def small(name):
        rewiring = {"p": 0.1} if "rewired-3x500" in name else {}
        small = {"data": named("digits", 600), "topology": Rewire((64, 12, 11, 10), **rewiring)}
        if name in WEAK:
            short = preset(name).changed(learning_rate=Cosine(7e-4, epochs=2))
            return dataclasses.replace(short, **small)
        return RunConfig(name=name, **small)

    monkeypatch.setattr(module.RunConfig, "preset", small)
    assert module.PROFILES["quick"] == {**dict.fromkeys(NAMES, 1), **dict.fromkeys(WEAK, 10)}
    monkeypatch.setitem(
        module.PROFILES, "quick", {**dict.fromkeys(NAMES, 1), **dict.fromkeys(WEAK, 2)}
    )
    monkeypatch.chdir(tmp_path)

    def in_process(command, *, check, stdout):
        """A script in this process: a Python of its own takes seconds to start."""
        assert (command[0], check, stdout) == (sys.executable, True, subprocess.DEVNULL)
        monkeypatch.setattr(sys, "argv", [str(word) for word in command[1:]])
        with redirect_stdout(io.StringIO()), mpl.rc_context(), pytest.raises(SystemExit) as end:
            runpy.run_path(sys.argv[0], run_name="__main__")
        assert end.value.code == 0
        plt.close("all")

    monkeypatch.setattr(module.subprocess, "run", in_process)
    return module


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["reproduce.py", *arguments])
    return module.main()


def test_the_quick_profile_ends_in_figures_and_a_table(reproduce, monkeypatch, capsys):
    assert run(reproduce, monkeypatch) == 0
    out = capsys.readouterr().out
    # Before anything is trained: how long it takes.
    assert all(f"{name}: 0 of" in out for name in NAMES + WEAK)
    assert re.search(r"^about \d+:\d\d in all", out, re.MULTILINE)
    folder = Path("runs/reproduce-quick")
    table = pd.read_csv(folder / "table.csv")
    assert list(table.network) == NAMES + WEAK
    assert list(table.epoch) == [1, 1, 1, 2, 2]
    assert table[table.network.isin(WEAK)].published_test_error.isna().all()
    table = table[:3]
    assert table.published_training_error.tolist() == pytest.approx([0.364, 0.233, 0.228], abs=5e-4)
    assert table.published_test_error.tolist() == pytest.approx([0.198, 0.113, 0.124], abs=5e-4)
    assert [path.name for path in sorted((folder / "figures").iterdir())] == [
        "figure3.pdf",
        "figure3.png",
        "figure4.pdf",
        "figure4.png",
        "time_to_error.pdf",
        "time_to_error.png",
    ]
    for name in NAMES:
        (line,) = [line for line in out.splitlines() if line.split()[:1] == [name]]
        error = 100 * table.set_index("network").training_error[name]
        assert f"{error:.1f}" in line
    assert "p = 10 %" in out  # the rewired network that was published is another one
    assert str(folder / "figures") in out


def test_started_again_it_does_not_train_again(reproduce, monkeypatch, capsys):
    monkeypatch.setattr(reproduce, "draw_figures", lambda *_: None)
    assert run(reproduce, monkeypatch, "--out", "mine") == 0
    before = {path: path.stat().st_mtime_ns for path in Path("mine").rglob("checkpoint.npz")}
    assert len(before) == 5
    assert run(reproduce, monkeypatch, "--out", "mine") == 0
    assert all(path.stat().st_mtime_ns == then for path, then in before.items())
    assert capsys.readouterr().err.count("done before") == 5


def test_the_full_profile_says_how_long_it_takes(reproduce, monkeypatch, capsys):
    full = {"layered-3x500": 2, "layered-5x100": 2}
    monkeypatch.setitem(reproduce.PROFILES, "paper", full)
    monkeypatch.setattr(reproduce, "draw_figures", lambda *_: None)
    assert run(reproduce, monkeypatch, "--profile", "paper") == 0
    out = capsys.readouterr().out
    assert "layered-3x500: 0 of 2 epochs done, about 0:0" in out
    assert "in all" in out
    table = pd.read_csv("runs/reproduce-paper/table.csv")
    assert list(table.epoch) == [2, 2]
    # The deeper network has no published curve.
    assert table.published_test_error.isna().tolist() == [False, True]


def test_ctrl_c_says_how_to_go_on(reproduce, monkeypatch, capsys):
    def interrupted(*_args, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(reproduce, "train", interrupted)
    assert run(reproduce, monkeypatch) == 130
    assert "make reproduce PROFILE=quick" in capsys.readouterr().err


def test_an_error_is_one_line(reproduce, monkeypatch, capsys):
    Path("file").write_text("")
    assert run(reproduce, monkeypatch, "--out", "file") == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith("error: file/reproduce-quick/")
