"""Bits needed, from a small table of runs that is made up."""

from __future__ import annotations

import sys
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop import InputError


@pytest.fixture
def module():
    return import_module("bits")


def run(recipe, seed, error, hardware="devices", optimiser="sgd", **device):
    return {
        "key": f"{recipe}-{seed}-{hardware}-{device}",
        "name": recipe,
        "p": 0.1,
        "seed": seed,
        "optimiser": optimiser,
        "hardware": hardware,
        "devices": "[]" if hardware == "devices" else np.nan,
        "final_test_error": error,
        **dict.fromkeys(("bits", "noise", "levels", "rounding", "shadow"), np.nan),
        **device,
    }


@pytest.fixture
def runs():
    """Two seeds of one gain, whose ideal errors differ by two points, and one of Adam."""
    rows = []
    for seed, ideal in enumerate((0.06, 0.08)):
        rows.append(run("one gain", seed, ideal))
        for bits, lost in ((2, 0.20), (4, 0.01), (6, 0.004), (8, 0.0)):
            rows.append(run("one gain", seed, ideal + lost, "readout", bits=bits, noise=0.0))
    rows.append(run("Adam", 0, 0.05, optimiser="adam"))
    for bits in (2, 4):
        rows.append(run("Adam", 0, 0.30, "readout", optimiser="adam", bits=bits, noise=0.0))
    return pd.DataFrame(rows)


def test_the_fewest_bits_that_lose_little_enough(module, runs):
    bits = module.needed(module.levels(runs), 0.5).set_index("recipe")
    own = bits.loc["one gain"]
    assert (own.factor, own.needed, own.seeds) == ("read bits", "6", 2)
    assert (own.ideal, own.lost) == pytest.approx((7, 0.4))
    assert module.needed(module.levels(runs), 1.1).needed[0] == "4"


def test_points_are_lost_against_the_ideal_run_of_the_same_seed(module, runs):
    at_four = module.levels(runs).query("recipe == 'one gain' and level == 4")
    assert at_four.lost.tolist() == pytest.approx([1, 1])
    # A seed without an ideal run has nothing to be compared with.
    late = pd.DataFrame([run("one gain", 7, 0.5, "readout", bits=6, noise=0.0)])
    assert 7 not in set(module.levels(pd.concat([runs, late])).seed)


def test_where_no_level_is_enough_the_table_says_so(module, runs):
    own = module.needed(module.levels(runs), 0.5).set_index("recipe").loc["Adam"]
    assert own.needed == "> 4"
    assert own.lost == pytest.approx(25)


def test_of_noise_the_most_that_is_borne(module):
    noise = [
        run("one gain", 0, 0.06 + lost, "readout", noise=sigma)
        for sigma, lost in ((0.003, 0.0), (0.01, 0.002), (0.03, 0.08))
    ]
    table = module.levels(pd.DataFrame([run("one gain", 0, 0.06), *noise]))
    bits = module.needed(table, 0.5)
    assert (bits.factor[0], bits.needed[0]) == ("read noise", "0.01")
    none = module.needed(module.levels(pd.DataFrame([run("one gain", 0, 0.06), noise[2]])), 0.5)
    assert none.needed[0] == "< 0.03"


def test_factors_levels_and_memories(module):
    table = module.levels(
        pd.DataFrame(
            [
                run("Adam", 0, 0.05, optimiser="adam"),
                run("Adam", 0, 0.05, "levels", optimiser="adam", levels=64, shadow=True),
                run("Adam", 0, 0.05, "resolution", optimiser="adam", bits=9, rounding="nearest"),
                run("Adam", 0, 0.05, "resolution", optimiser="adam", bits=7, rounding="stochastic"),
            ]
        )
    )
    assert table.factor.tolist() == ["ideal", "weight bits", "step bits", "step bits, stochastic"]
    assert table.level.tolist()[1:] == [6, 9, 7]
    assert table.memories.tolist() == [3, 4, 3, 3]


def test_the_headline_ranks_recipes_by_bits(module, runs):
    table = module.needed(module.levels(runs), 0.5)
    dearer = table[:1].assign(recipe="layers, gains per layer", needed="12")
    none = table[:1].assign(recipe="worst", needed="> 4")
    plain, adam = module.headline(pd.concat([none, dearer, table]))
    assert plain.endswith(
        "one gain, p = 0.1: 6 (ideal 7.00 %); layers, gains per layer, p = 0.1: 12 "
        "(ideal 7.00 %); worst, p = 0.1: > 4 (ideal 7.00 %)"
    )
    assert "Adam, p = 0.1: > 4" in adam


def test_the_script_writes_both_tables(module, runs, tmp_path, monkeypatch, capsys):
    runs.to_csv(tmp_path / "runs.csv", index=False)
    monkeypatch.setattr(sys, "argv", ["bits.py", "--results", str(tmp_path)])
    module.main()
    assert len(pd.read_csv(tmp_path / "levels.csv")) == len(runs)
    assert set(pd.read_csv(tmp_path / "bits_needed.csv").needed) == {"6", "> 4"}
    assert "bits needed to lose at most 0.5 points" in capsys.readouterr().out


def test_what_cannot_be_compared_is_refused(module, runs):
    with pytest.raises(InputError, match="no ideal run is done yet"):
        module.levels(runs[runs.hardware != "devices"])
    two = runs.assign(devices='[{"kind": "levels"}, {"kind": "readout"}]')
    with pytest.raises(InputError, match="more than one device"):
        module.levels(two)
    with pytest.raises(InputError, match="device 'slew' is no factor"):
        module.levels(runs.assign(hardware="slew"))
