"""The figure of the agreement of recipes."""

from __future__ import annotations

import pandas as pd
import pytest


@pytest.fixture
def pairs():
    rows = [
        ("weak-feedback", "paper", 61, -0.2, -0.4, 0.1),
        ("paper", "adam", 12, 0.9, 0.5, 1.0),
        ("weak-feedback", "adam", 12, -0.3, -0.8, 0.5),
    ]
    return pd.DataFrame(rows, columns=["recipe", "other", "n", "value", "low", "high"])


def test_a_pair_is_in_both_places_of_the_matrix(script, pairs):
    found = script("large_study_agreement").square(pairs)
    assert list(found) == list(found.index) == ["paper", "adam", "weak-feedback"]
    assert found.loc["adam", "paper"] == found.loc["paper", "adam"] == 0.9
    assert found.loc["weak-feedback", "adam"] == -0.3


def test_every_pair_is_written_once(script, pairs):
    ax = script("large_study_agreement").draw(pairs).axes[0]
    assert sorted(text.get_text() for text in ax.texts) == ["-0.20", "-0.30", "0.90"]


def test_the_script_draws_and_prints(run_script, pairs, tmp_path, capsys):
    pairs.to_csv(tmp_path / "agreement.csv", index=False)
    assert run_script("large_study_agreement", "--table", tmp_path / "agreement.csv") == 0
    assert "paper, adam: 0.90 (0.50 to 1.00), 12 settings" in capsys.readouterr().out
    assert (tmp_path / "large_study_agreement.png").stat().st_size > 5000
