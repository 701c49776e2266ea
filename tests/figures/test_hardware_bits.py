"""The figure of bits: which panels, curves and labels it has."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def table():
    rows = [
        (recipe, p, factor, level, seed, times * error + seed)
        for recipe, p, error in (("one gain", 0.1, 7.0), ("layers, gains per layer", 0.0, 6.0))
        for seed in (0, 1)
        for factor, level, times in (
            ("ideal", np.nan, 1),
            ("read bits", 4, 3),
            ("read bits", 8, 1),
            ("read noise", 0.01, 1),
            ("read noise", 0.1, 2),
        )
    ]
    return pd.DataFrame(rows, columns=["recipe", "p", "factor", "level", "seed", "error"])


def test_a_panel_for_every_factor_and_means_over_seeds(script, table):
    fig = script("hardware_bits").draw(table)
    panels = {ax.get_xlabel(): ax for ax in fig.axes if ax.get_xlabel()}
    assert list(panels) == ["bits of a reading", "noise of a reading"]
    reading = panels["bits of a reading"]
    curves = [line for line in reading.lines if line.get_marker() != "None"]
    assert [line.get_ydata().tolist() for line in curves] == [[21.5, 7.5], [18.5, 6.5]]
    assert reading.get_xticks().tolist() == [4, 8]
    ideal = [line.get_ydata()[0] for line in reading.lines if line.get_linestyle() == ":"]
    assert ideal == [7.5, 6.5]


def test_the_legend_names_every_recipe_once(script, table):
    fig = script("hardware_bits").draw(table)
    (legend,) = [ax.get_legend() for ax in fig.axes if ax.get_legend()]
    assert [text.get_text() for text in legend.get_texts()] == [
        "one gain, p = 0.1", "layers, gains per layer, p = 0",
    ]  # fmt: skip


def test_the_script_draws_from_the_table(run_script, table, tmp_path, capsys):
    table.to_csv(tmp_path / "levels.csv", index=False)
    assert run_script("hardware_bits", "--levels", tmp_path / "levels.csv") == 0
    assert (tmp_path / "hardware_bits.png").stat().st_size > 5000
    table[table.factor == "ideal"].to_csv(tmp_path / "levels.csv", index=False)
    assert run_script("hardware_bits", "--levels", tmp_path / "levels.csv") == 2
    assert "ideal runs only" in capsys.readouterr().err
    assert run_script("hardware_bits", "--levels", tmp_path / "none.csv") == 2
    assert "make it with analysis/bits.py" in capsys.readouterr().err
