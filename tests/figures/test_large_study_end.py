"""The figure of errors to the end of training."""

from __future__ import annotations

import pandas as pd
import pytest

HOPS = "metric_input_output_path_length"


@pytest.fixture
def tables():
    rows = [
        # key, name, hops, errors of the epochs
        ("a", "layered--paper-long", 6, (0.9, 0.8, 0.7)),
        ("b", "rewired--paper-long", 2, (0.5, 0.2, 0.1)),
        ("c", "rewired--paper-long", 3, (0.5, 0.3, 0.3)),
        ("d", "layered--weak-feedback", 6, (0.1, 0.04)),
        ("e", "other--weak-feedback", 4, (0.1, 0.04)),
        ("f", "layered--adam", 6, (0.1, 0.04)),
    ]
    runs = pd.DataFrame([{"key": key, "name": name, HOPS: hops} for key, name, hops, _ in rows])
    history = pd.DataFrame(
        [
            {"key": key, "epoch": epoch, "validation_error": error}
            for key, *_, errors in rows
            for epoch, error in enumerate(errors, start=1)
        ]
    )
    return runs, history


def test_curves_are_means_over_seeds_of_settings_that_were_trained_long(script, tables):
    found = script("large_study_end").curves(*tables).set_index(["recipe", "setting", "epoch"])
    assert set(found.index.droplevel("epoch")) == {
        ("paper-long", "layered"), ("paper-long", "rewired"), ("weak-feedback", "layered"),
    }  # fmt: skip
    rewired = found.loc["paper-long", "rewired", 3]
    assert (rewired.error, rewired.hops, rewired.seeds) == pytest.approx((20, 2.5, 2))


def test_a_panel_per_recipe_with_epochs_of_one_width(script, tables):
    figure = script("large_study_end")
    left, right, _ = figure.draw(figure.curves(*tables)).axes
    assert left.get_legend_handles_labels()[1] == ["layered, 70.0 %", "rewired, 20.0 %"]
    assert [len(ax.lines) for ax in (left, right)] == [2, 1]
    assert left.get_xlim()[1] / right.get_xlim()[1] == 3 / 2


def test_the_script_draws_and_prints(run_script, tables, tmp_path, capsys):
    for name, table in zip(("runs", "history"), tables, strict=True):
        table.to_csv(tmp_path / f"{name}.csv", index=False)
    assert run_script("large_study_end", "--results", tmp_path) == 0
    assert "rewired, the paper's recipe, epoch 3: 20.0 % (2 seeds)" in capsys.readouterr().out
    assert (tmp_path / "large_study_end.png").stat().st_size > 5000


def test_tables_that_are_not_there_are_one_line(run_script, tmp_path, capsys):
    assert run_script("large_study_end", "--results", tmp_path) == 2
    assert "runs.csv: not there; make study makes it" in capsys.readouterr().err
