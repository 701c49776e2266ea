from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.binning import binned_means


def table(n=200):
    rng = np.random.default_rng(0)
    metric = rng.random((2, n)) ** 2
    error = (metric[0] - 0.3) ** 2 + rng.normal(0, 0.01, n)
    return pd.DataFrame({"metric_L": metric[0], "metric_C": metric[1], "error": error})


@pytest.mark.parametrize("edges", ["width", "quantile"])
def test_every_row_is_in_one_bin_and_the_means_are_right(edges):
    runs = table()
    binned = binned_means(runs, "metric_L", "error", bins=6, edges=edges)
    assert len(binned) == 6
    assert binned.n.sum() == len(runs)
    for number, row in enumerate(binned.itertuples()):
        above = (
            runs.metric_L >= row.metric_L_low if number == 0 else runs.metric_L > row.metric_L_low
        )
        inside = runs[above & (runs.metric_L <= row.metric_L_high)]
        assert len(inside) == row.n
        assert row.mean == pytest.approx(inside.error.mean())
        assert row.std == pytest.approx(inside.error.std())
        assert row.sem == pytest.approx(inside.error.std() / np.sqrt(row.n))
        assert row.metric_L == pytest.approx(inside.metric_L.mean())


def test_widths_and_quantiles():
    runs = table()
    width = binned_means(runs, "metric_L", "error", bins=5)
    np.testing.assert_allclose(width.metric_L_high - width.metric_L_low, np.ptp(runs.metric_L) / 5)
    np.testing.assert_array_equal(width.metric_L_low[1:], width.metric_L_high[:-1])
    quantile = binned_means(runs, "metric_L", "error", bins=5, edges="quantile")
    assert quantile.n.tolist() == [40] * 5


def test_a_trend_that_is_not_monotonic_shows():
    binned = binned_means(table(2000), "metric_L", "error", bins=10)
    assert 0.2 < binned.metric_L[binned["mean"].idxmin()] < 0.4
    assert binned["mean"].iloc[0] > 0.05
    assert binned["mean"].iloc[-1] > 0.3


def test_bins_in_a_plane_hold_what_they_say():
    runs = table()
    binned = binned_means(runs, ["metric_L", "metric_C"], "error", bins=3)
    assert binned.n.sum() == len(runs)
    assert len(binned) <= 9
    row = binned.iloc[-1]
    inside = runs[
        runs.metric_L.between(row.metric_L_low, row.metric_L_high, inclusive="right")
        & runs.metric_C.between(row.metric_C_low, row.metric_C_high, inclusive="right")
    ]
    assert row["mean"] == pytest.approx(inside.error.mean())


def test_gaps_are_left_out_and_one_value_is_one_bin():
    runs = table(5).assign(metric_L=1.0)
    runs.loc[0, "error"] = np.nan
    runs.loc[1, "metric_C"] = np.inf
    assert binned_means(runs, "metric_L", "error", bins=4).n.tolist() == [4]
    assert binned_means(runs, "metric_L", "error", edges="quantile").n.tolist() == [4]
    assert binned_means(runs, "metric_C", "error", bins=2).n.sum() == 3
    assert binned_means(runs.assign(error=np.nan), "metric_L", "error").empty
    alone = binned_means(runs[:2], "metric_L", "error")
    assert alone.n.tolist() == [1]
    assert np.isnan(alone["std"][0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"bins": 0}, "bins: 0, must be"),
        ({"edges": "even"}, "edges: 'even', allowed: width, quantile"),
        ({"metrics": "L"}, "unknown column 'L'"),
    ],
)
def test_bad_arguments_are_named(change, message):
    with pytest.raises(InputError, match=message):
        binned_means(table(), **{"metrics": "metric_L", "outcome": "error"} | change)
