"""Effects of made-up connectomes, in units of the spread of their nulls."""

from __future__ import annotations

import itertools
import sys

import connectome_tasks as script
import numpy as np
import pandas as pd
import pytest

SAMPLES = range(21)


@pytest.fixture
def folder(tmp_path):
    """Nulls of errors 1 to 20 % by either recipe; the connectome is 2 sd away on one task only."""
    rows = []
    tasks = itertools.product(("hopfield", "weak-feedback"), ("mnist", "cancer"), SAMPLES, (0, 1))
    for model, task, sample, seed in tasks:
        itself = 10.5 if (model, task) == ("hopfield", "mnist") else 40.5
        rows.append(
            {
                "key": f"{model}-{task}-{sample}-{seed}",
                "topology.of.path": "runs/connectomes/worm.graphml",
                "path": f"runs/connectomes/worm_{task}.csv",
                "model": model,
                "topology.model": "degree_preserving",
                "sample": sample,
                "seed": seed,
                script.OUTCOME: (sample or itself) / 100,
            }
        )
    pd.DataFrame(rows).to_csv(tmp_path / "runs.csv", index=False)
    return tmp_path


def test_effects_and_verdicts(folder, monkeypatch, capsys):
    arguments = ["--results", folder, "--figures", folder, "--digits", folder / "none.csv"]
    monkeypatch.setattr(sys, "argv", ["connectome_tasks.py", *map(str, arguments)])
    script.main()
    found = pd.read_csv(folder / "tests.csv").set_index(["recipe", "task"])
    spread = np.arange(1, 21).std(ddof=1)
    alike, apart = found.loc[("paper", "mnist")], found.loc[("weak feedback", "cancer")]
    assert (alike.error, alike.effect, alike.p) == pytest.approx((10.5, 0, 1))
    assert apart.effect == pytest.approx(30 / spread, rel=1e-5)
    assert apart.low < apart.effect < apart.high
    assert apart.p == pytest.approx(1 / 21, rel=1e-5)
    assert set(found.n_nulls) == {20}
    assert set(found.n_seeds) == {2}
    out = capsys.readouterr().out
    assert "H9 holds: worm, paper, degree_preserving: beyond 2 sd on cancer +5.1 (of 2 " in out
    assert "H9 refuted: worm, weak feedback, degree_preserving" in out
    assert (folder / "connectome_tasks.png").stat().st_size > 0


def test_the_digits_of_the_first_study_join(tmp_path):
    row = {
        "connectome": "worm",
        "null": "degree_preserving",
        "measure": script.OUTCOME,
        "graph": 0.2,
        "nulls": 0.1,
        "n_nulls": 40,
        "difference": 0.1,
        "low": 0.05,
        "high": 0.12,
        "effect": 4.0,
        "p": 0.02,
    }
    pd.DataFrame([row, row | {"measure": "L"}]).to_csv(tmp_path / "tests.csv", index=False)
    (found,) = script.earlier(tmp_path / "tests.csv").itertuples()
    assert (found.task, found.recipe, found.error, found.nulls) == ("digits", "paper", 20, 10)
    assert (found.effect, found.low, found.high) == pytest.approx((4, 2, 4.8))
