from __future__ import annotations

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def table():
    """Two connectomes, two null models of three samples; only the brain has lengths."""
    rows = []
    for connectome in ("fly", "brain"):
        for null, samples in (("itself", [0]), ("degree_preserving", [1, 2, 3]),
                              ("strength_preserving", [1, 2, 3])):  # fmt: skip
            for sample in samples:
                measures = ("C", "wiring_length")[: 1 + (connectome == "brain")]
                rows += [(connectome, null, sample, measure, 0.1 * sample) for measure in measures]
    return pd.DataFrame(rows, columns=["connectome", "null", "sample", "measure", "value"])


def test_it_writes_pdf_and_png(run_script, table, tmp_path):
    table.to_csv(tmp_path / "nulls.csv", index=False)
    assert run_script("connectome_panels", "--results", tmp_path) == 0
    assert {path.suffix for path in tmp_path.glob("connectomes.*")} == {".pdf", ".png"}


def test_samples_are_dots_and_the_connectome_is_a_line(script, table):
    figure = script("connectome_panels").draw(table)
    top, empty, bottom, lengths = figure.axes
    for ax in (top, bottom, lengths):
        *dots, line = ax.lines
        assert [np.round(each.get_ydata(), 9).tolist() for each in dots] == [[0.1, 0.2, 0.3]] * 2
        assert dots[0].get_xdata().max() < dots[1].get_xdata().min()
        assert set(line.get_ydata()) == {0.0}
    assert not empty.axison
    assert top.get_title() == "clustering"
    assert [text.get_text() for text in figure.legends[0].texts] == [
        "degree preserving", "strength preserving", "connectome",
    ]  # fmt: skip


def test_without_a_table_it_says_what_makes_one(run_script, tmp_path, capsys):
    assert run_script("connectome_panels", "--results", tmp_path) != 0
    assert (
        "nulls.csv: not there; make it with analysis/connectome_nulls.py" in capsys.readouterr().err
    )
