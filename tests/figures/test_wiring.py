"""The figure of error against wire length: what a point and the front are."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def runs():
    rows = [
        # p, places, length, errors of two seeds
        (0.0, "skip", 100.0, (0.30, 0.34)),
        (0.1, "short", 102.0, (0.20, 0.22)),
        (0.1, "output", 110.0, (0.24, 0.26)),  # longer and worse than short
        (0.1, "skip", 120.0, (0.10, 0.14)),
    ]
    return pd.DataFrame(
        [
            {
                "p": p,
                "places": places,
                "seed": seed,
                "final_test_error": error,
                "metric_wire_length": length + seed - 0.5,
            }
            for p, places, length, errors in rows
            for seed, error in enumerate(errors)
        ]
    )


def test_points_are_means_over_seeds(script, runs):
    points = script("wiring").settings(runs).set_index("places")
    assert list(points.index) == ["layered", "short", "output", "skip"]
    assert points.length["skip"] == 120
    assert points.error["layered"] == pytest.approx(32)
    assert (points.low["skip"], points.high["skip"]) == pytest.approx((10, 14))


def test_the_front_leaves_out_what_is_longer_and_worse(script, runs):
    wiring = script("wiring")
    assert list(wiring.front(wiring.settings(runs)).places) == ["layered", "short", "skip"]


def test_the_script_draws_and_tells_the_front(run_script, runs, tmp_path, capsys):
    runs.to_csv(tmp_path / "runs.csv", index=False)
    assert run_script("wiring", "--runs", tmp_path / "runs.csv") == 0
    out = capsys.readouterr().out
    assert "short p = 0.1: 102 pitches, 21.00 %" in out
    assert "output p" not in out
    assert (tmp_path / "wiring.png").stat().st_size > 5000


def test_lengths_are_shown_of_the_shortest(script, runs):
    wiring = script("wiring")
    (ax,) = wiring.draw(wiring.settings(runs)).axes
    assert min(line.get_xdata().min() for line in ax.lines if len(line.get_xdata())) == 1
    assert ax.get_legend_handles_labels()[1] == [
        "no skips", "between any layers", "to the outputs", "over one layer",
    ]  # fmt: skip


def test_without_the_table_it_says_how_to_make_it(run_script, tmp_path, capsys):
    assert run_script("wiring", "--runs", tmp_path / "none.csv") == 2
    assert "make it with analysis/studies/wiring.toml" in capsys.readouterr().err
