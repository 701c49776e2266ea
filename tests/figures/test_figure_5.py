from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

P = [0.0, 0.001, 0.1]


@pytest.fixture
def tables(tmp_path):
    """Two networks, three seeds: error falls with p, the pair nearer the output trains more."""
    runs, corrections = [], []
    for network in ("5x100", "3x500, intralayer edges"):
        for p in P:
            for seed in range(3):
                about = {"network": network, "p": p, "seed": seed}
                runs.append(
                    {**about, "training_error": 0.8 - 5 * p + 0.01 * seed, "log_spread": 1 - p}
                )
                for pair, kind, rms in (
                    ("0-1", "interlayer", 1e-5),
                    ("1-2", "interlayer", 1e-3 * (1 + seed)),
                    ("0-2", "skip", 0.0 if p < 0.01 else 1e-4),
                ):
                    corrections.append({**about, "pair": pair, "kind": kind, "rms": rms})
    pd.DataFrame(runs).to_csv(tmp_path / "figure5_runs.csv", index=False)
    pd.DataFrame(corrections).to_csv(tmp_path / "figure5_corrections.csv", index=False)
    return tmp_path


@pytest.fixture
def drawn(script, tables):
    module = script("figure5")
    read = (pd.read_csv(tables / f"figure5_{name}.csv") for name in ("runs", "corrections"))
    return module.draw(*read, None)


def test_it_writes_pdf_and_png_and_prints_the_numbers(run_script, tables, capsys):
    assert run_script("figure5", "--results", tables) == 0
    assert {path.name for path in tables.glob("figure5.*")} == {"figure5.pdf", "figure5.png"}
    assert "0.31" in capsys.readouterr().out  # 0.8 - 0.5, and 0.01 for the mean seed


def test_errors_above_corrections_one_column_per_network(drawn):
    top, bottom = drawn.axes[:2], drawn.axes[2:]
    assert len(drawn.axes) == 4
    curve = top[0].lines[0]
    np.testing.assert_allclose(curve.get_xdata(), P)
    np.testing.assert_allclose(curve.get_ydata(), [81, 80.5, 31])
    lines = {line.get_label(): line for line in bottom[0].lines}
    middle = 10 ** np.mean(np.log10([1e-3, 2e-3, 3e-3]))
    np.testing.assert_allclose(lines["1-2"].get_ydata(), middle)
    # A pair that did not change has no place on a logarithmic axis.
    assert np.isnan(lines["0-2"].get_ydata()[:2]).all()
    assert bottom[0].get_yscale() == "log"
    left, right = bottom[0].get_xlim()
    assert left < 0 < max(P) < right


def test_the_published_sweep_is_shown_beside_its_own_network(script, tables):
    module = script("figure5")
    runs, corrections = (
        pd.read_csv(tables / f"figure5_{name}.csv") for name in ("runs", "corrections")
    )
    published = pd.DataFrame({"p": [0, 0.1], "epoch": 1, "training_error": [0.79, 0.33]})
    figure = module.draw(runs, corrections, published)
    ours, other = (ax.lines for ax in figure.axes[:2])
    np.testing.assert_allclose(ours[-1].get_ydata(), [79, 33])
    assert len(other) == 1
