"""The figure of error against depth by recipe."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def runs():
    rows = [
        # model, optimiser, hidden layers, p, errors of two seeds
        ("weak-feedback", "adam", 3, 0.0, (0.04, 0.06)),
        ("weak-feedback", "adam", 10, 0.0, (0.20, 0.30)),
        ("weak-feedback", "adam", 10, 0.1, (0.04, 0.05)),
        ("weak-feedback", "adam", 10, 0.3, (0.04, 0.04)),
        ("hopfield", "sgd", 10, 0.1, (0.40, 0.44)),
    ]
    return pd.DataFrame(
        [
            {
                "layer_sizes": str([784, *[100] * hidden, 10]),
                "p": p,
                "model": model,
                "optimiser": optimiser,
                "seed": seed,
                "final_test_error": error,
            }
            for model, optimiser, hidden, p, errors in rows
            for seed, error in enumerate(errors)
        ]
    )


def test_points_are_means_over_seeds(script, runs):
    points = script("todays_means").settings(runs).set_index(["model", "hidden", "p"])
    deep = points.loc["weak-feedback", 10, 0.0]
    assert (deep.error, deep.low, deep.high) == pytest.approx((25, 20, 30))
    assert (points.seeds == 2).all()


def test_a_line_per_share_and_one_per_recipe(script, runs):
    figure = script("todays_means")
    left, right = figure.draw(figure.settings(runs)).axes
    assert left.get_legend_handles_labels()[1] == ["p = 0", "p = 0.1", "p = 0.3"]
    assert right.get_legend_handles_labels()[1] == [
        "weak feedback, Adam, p = 0", "weak feedback, Adam, p = 0.1", "the paper's recipe, p = 0.1",
    ]  # fmt: skip


def test_the_script_draws_and_prints(run_script, runs, tmp_path, capsys):
    runs.to_csv(tmp_path / "runs.csv", index=False)
    assert run_script("todays_means", "--runs", tmp_path / "runs.csv") == 0
    assert "adam, 10 hidden layers, p = 0: 25.00 % (20.00 to 30.00, 2 seeds)" in (
        capsys.readouterr().out
    )
    assert (tmp_path / "todays_means.png").stat().st_size > 5000
