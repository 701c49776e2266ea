from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop import RunConfig, train
from smallworld_eqprop.data import named
from smallworld_eqprop.graphs.topology import Rewire

SIZES = (64, 12, 11, 10)
SMALL = ("--dataset", "digits", "--hidden", "12", "11", "--seeds", "1", "--examples", "10")
OUT = ("--table", "table.csv", "--out", "figures")


@pytest.fixture
def fidelity(monkeypatch, tmp_path, coarse_pictures):
    module = import_module("gradient_fidelity")
    monkeypatch.setattr(module, "SHARES", (0.0, 0.3))
    monkeypatch.setattr(module, "BETAS", (1e-5, 1.0))
    monkeypatch.setattr(module, "STEPS", (2, 12, 1500))
    monkeypatch.chdir(tmp_path)
    return module


def run(module, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["gradient_fidelity.py", *arguments])
    module.main()


def config(**changes):
    return RunConfig(data=named("digits", 200), topology=Rewire(SIZES, p=0.2), **changes)


def test_the_estimate_becomes_the_gradient_with_many_steps_of_a_small_nudge(fidelity, monkeypatch):
    train(config(), "trained", epochs=1)
    run(fidelity, monkeypatch, *SMALL, *OUT, "--runs", "trained")
    table = pd.read_csv("table.csv")
    assert set(table.state) == {"at initialisation", "trained"}
    assert set(table[table.state == "trained"].p) == {0.2}
    assert set(table[table.p == 0].pair) == {"0-1", "1-2", "2-3"}
    assert set(table[table.p == 0.3].pair) == {"0-1", "1-2", "2-3", "skip"}
    exact = table[(table.beta == 1e-5) & (table.steps == 1500)]
    assert exact.cosine.to_numpy() == pytest.approx(1, abs=1e-3)
    assert exact.norm_ratio.to_numpy() == pytest.approx(1, abs=1e-3)
    # In two steps a nudge has not come to the first hidden layer, except by a shortcut.
    early = table[(table.steps == 2) & (table.pair == "0-1")].set_index(["p", "beta"]).norm_ratio
    assert early[0.0].to_numpy() == pytest.approx(0, abs=1e-12)  # but for rounding
    assert (early[0.3] > 0).all()
    figures = sorted(path.name for path in Path("figures").iterdir())
    assert figures == [
        "gradient_evenness.png",
        "gradient_fidelity.png",
        "gradient_fidelity_trained.png",
    ]


def test_drawing_again_measures_nothing(fidelity, monkeypatch, capsys):
    Path("table.csv").write_text("state,p\nat initialisation,0.5\n")
    monkeypatch.setattr(
        fidelity.gradient_figures, "draw", lambda table, out: [out / str(table.p[0])]
    )
    run(fidelity, monkeypatch, *OUT, "--draw-only")
    assert capsys.readouterr().out.split() == ["figures/0.5", "table.csv"]


def test_evenness_is_the_log_spread_over_layer_pairs(fidelity):
    common = {"state": "x", "p": 0.0, "seed": 0, "beta": 1.0, "steps": 12}
    sizes = {"0-1": (1e-3, 0.0), "1-2": (1e-2, 1.0), "2-3": (1e-1, 1.0), "skip": (5.0, 5.0)}
    table = pd.DataFrame(
        {**common, "pair": pair, "exact_rms": exact, "estimate_rms": estimate}
        for pair, (exact, estimate) in sizes.items()
    )
    (row,) = fidelity.gradient_figures.evenness(table).to_dict("records")
    assert row["exact"] == pytest.approx(np.std([-3, -2, -1]))
    assert np.isnan(row["estimate"])  # a pair that never changes has no logarithm


def test_a_run_on_other_data_is_refused_in_one_line(fidelity, monkeypatch):
    train(config(), "trained", epochs=1)
    with pytest.raises(SystemExit, match=r"^error: trained: trained on digits"):
        run(fidelity, monkeypatch, *OUT, "--runs", "trained", "--dataset", "wine")
