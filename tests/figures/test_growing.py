"""The figure of grown networks: kinds, shares of skips and places."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def runs(script):
    """Two seeds of each: layered, rewired anywhere and to outputs, and grown by both kinds."""
    rows = [
        # model, rewire, places, p, share, skips, errors
        ("hopfield", "fixed", "skip", 0.0, None, 0.0, (0.4, 0.6)),
        ("hopfield", "fixed", "skip", 0.1, None, 0.1, (0.2, 0.2)),
        ("hopfield", "fixed", "output", 0.1, None, 0.1, (0.1, 0.1)),
        ("hopfield", "absent-correction", "skip", 0.0, 0.001, 0.01, (0.3, 0.3)),
        ("hopfield", "absent-correction", "skip", 0.0, 0.01, 0.1, (0.05, 0.07)),
        ("hopfield", "random", "hidden", 0.0, 0.003, 0.03, (0.2, 0.2)),
        ("weak-feedback", "random", "skip", 0.0, 0.01, 0.1, (0.05, 0.07)),
    ]
    places = script("growing").PLACES.values()
    return pd.DataFrame(
        [
            {
                "layer_sizes": "[784, 100, 100, 10]",
                "model": model,
                "rewire": rewire,
                "places": where if rewire == "fixed" else "skip",
                "rewire.places": None if rewire == "fixed" else where,
                "drop": None if rewire == "fixed" else "random",
                "p": p,
                "share": share,
                "seed": seed,
                "final_validation_error": error,
                "metric_skip_share": skips,
                "metric_input_output_path_length": 2.0,
                **dict.fromkeys(places, skips / 4),
            }
            for model, rewire, where, p, share, skips, errors in rows
            for seed, error in enumerate(errors)
        ]
    )


def test_settings_are_means_over_seeds_by_kind(script, runs):
    points = script("growing").settings(runs)
    assert set(points.network) == {"2 x 100"}
    assert (points.seeds == 2).all()
    by_kind = points.set_index(["kind", "p", "share"])
    layered = by_kind.loc[("rewired before training", 0.0, 0.0)]
    assert layered[["error", "low", "high"]].tolist() == pytest.approx([50, 40, 60])
    assert by_kind.error["rewired before training, to outputs", 0.1, 0.0] == pytest.approx(10)
    grown = by_kind.loc[("absent-correction", 0.0, 0.01)]
    assert grown.error == pytest.approx(6)
    assert grown["to outputs"] == pytest.approx(0.025)


def test_a_line_per_kind_and_a_bar_per_network_grown_most(script, runs):
    figure = script("growing")
    errors, places = figure.draw(figure.settings(runs)).axes
    assert errors.get_legend_handles_labels()[1] == [
        "rewired before training", "rewired before training, to outputs",
        "grown by correction, any dropped", "grown at random among hidden layers",
    ]  # fmt: skip
    told = [each.get_text() for each in places.get_yticklabels()]
    assert told == ["2 x 100, paper,\nabsent-correction", "2 x 100, weak feedback,\nrandom"]
    ends = [bar.get_x() + bar.get_width() for bar in places.containers[-1]]
    assert ends == pytest.approx([100, 100])


def test_the_script_draws_and_prints(run_script, runs, tmp_path, capsys):
    runs.to_csv(tmp_path / "runs.csv", index=False)
    assert run_script("growing", "--runs", tmp_path / "runs.csv") == 0
    assert "absent-correction, random dropped, p = 0, share 0.01: 6.00 % (5.00 to 7.00, 2 " in (
        capsys.readouterr().out
    )
    assert (tmp_path / "growing.png").stat().st_size > 5000
