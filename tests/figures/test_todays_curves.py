"""The figure of learning curves and corrections under today's means."""

from __future__ import annotations

import pandas as pd
import pytest

SIZES = {"3 x 500": [784, 500, 500, 500, 10], "5 x 100": [784, 100, 100, 100, 100, 100, 10]}


@pytest.fixture
def results(tmp_path):
    """Both sizes, layered and rewired, two seeds, two epochs."""
    runs, history, corrections = [], [], []
    for size in SIZES.values():
        for p in (0.0, 0.1):
            for seed in (0, 1):
                key = f"{len(size)}-{p}-{seed}"
                runs.append({"key": key, "layer_sizes": str(size), "p": p, "seed": seed})
                for epoch in (1, 2):
                    error = (0.1 + 0.02 * seed) / epoch
                    history.append(
                        {"key": key, "epoch": epoch, "training_error": error, "test_error": error}
                    )
                    corrections += [
                        {"key": key, "epoch": epoch, "pair": f"{k}-{k + 1}", "kind": "interlayer",
                         "rms": 1e-3}
                        for k in range(len(size) - 1)
                    ]  # fmt: skip
    for name, rows in (("runs", runs), ("history", history), ("corrections", corrections)):
        pd.DataFrame(rows).to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def test_the_script_draws_and_prints(run_script, results, tmp_path, capsys):
    assert run_script("todays_curves", "--results", results) == 0
    assert "5 x 100, p = 0.1, epoch 2, test error: 5.50 % (5.00 to 6.00, 2 seeds)" in (
        capsys.readouterr().out
    )
    assert (tmp_path / "todays_curves.png").stat().st_size > 5000


def test_curves_beside_the_papers_and_a_panel_of_corrections_each(script, results):
    figure = script("todays_curves")
    history = figure.read(results, "history", figure.HISTORY)
    assert set(history["size"]) == set(SIZES)
    corrections = figure.read(results, "corrections", ("key", "pair"))
    papers = pd.DataFrame(
        {"network": "layered-5x100", "seed": 0, "epoch": [1, 2, 3],
         "training_error": 0.9, "test_error": 0.8}
    )  # fmt: skip
    *curves, layered, rewired = figure.draw(history, corrections, papers).axes
    for ax in curves:
        assert ax.get_legend_handles_labels()[1] == ["layered", "rewired, p = 0.1"]
    # The paper's network stands beside that of its size, up to the last epoch of today's.
    assert [len(line.get_xdata()) for line in curves[1].lines if 90 in line.get_ydata()] == [2]
    assert len(layered.lines) == len(rewired.lines) == 4


def test_a_study_that_is_not_finished_is_drawn_as_far_as_it_is(run_script, results, tmp_path):
    runs = pd.read_csv(results / "runs.csv")
    runs[runs.key == "5-0.0-0"].to_csv(results / "runs.csv", index=False)
    assert run_script("todays_curves", "--results", results) == 0
    assert (tmp_path / "todays_curves.png").stat().st_size > 5000
