"""Measures are ranked over settings, and chance is told from what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from smallworld_eqprop.studies.ranking import _interval, _mid_ranks, rank_measures

N = 30


@pytest.fixture
def settings():
    generator = np.random.default_rng(1)
    table = pd.DataFrame(generator.normal(size=(N, 4)), columns=["error", "a", "b", "c"])
    return table.assign(good=-(table["error"] ** 3), same=1.0, holes=[np.nan, *range(N - 1)])


def test_a_measure_that_orders_the_outcome_is_first(settings):
    found = rank_measures(settings, ["a", "good", "same", "holes"], "error")
    assert [each.column for each in found.ranked] == ["good", "a"]
    best, other = found.ranked
    assert (best.value, best.low, best.high) == pytest.approx((-1, -1, -1))
    assert other.value == pytest.approx(stats.spearmanr(settings.a, settings.error).statistic)
    assert other.low < other.value < other.high
    assert found.p == 1 / 1000
    # Of 30 pairs without relation, 95 % of the rank correlations are below 2 / sqrt(29).
    assert best.null_high == pytest.approx(1.96 / np.sqrt(N - 1), rel=0.15)
    assert best.null_low == pytest.approx(-best.null_high, rel=0.2)
    assert found.null_best > best.null_high


def test_noise_ranks_nothing(settings):
    found = rank_measures(settings, ["a", "b", "c"], "error")
    assert found.p > 0.05


def test_what_only_tells_families_apart_is_chance_within_them():
    generator = np.random.default_rng(0)
    family = np.repeat([0, 1, 2], 8)
    table = pd.DataFrame(
        {
            "family": np.array(["x", "y", "z"])[family],
            "measure": family + 0.01 * generator.normal(size=24),
            "error": family + 0.01 * generator.normal(size=24),
        }
    )
    within = rank_measures(table, ["measure"], "error")
    assert within.within
    assert within.ranked[0].value > 0.8
    assert within.p > 0.05
    assert rank_measures(table.drop(columns="family"), ["measure"], "error").p < 0.01


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: t.head(4), "4 settings are too few"),
        (lambda t: t.assign(error=1.0), "the outcome is the same in all settings"),
        (lambda t: t.assign(a=2.0), "no measure differs between the settings"),
    ],
)
def test_where_nothing_can_be_ranked_it_says_why(settings, change, why):
    found = rank_measures(change(settings), ["a"], "error")
    assert found.ranked == ()
    assert found.why_not.startswith(why)


@given(st.lists(st.integers(0, 4), min_size=3, max_size=9), st.integers(0, 99))
def test_ranks_of_resamples_are_those_of_the_drawn_rows(values, seed):
    values = np.array(values, float)
    drawn = np.random.default_rng(seed).integers(values.size, size=values.size)
    counts = np.bincount(drawn, minlength=values.size)
    ranks = _mid_ranks(values, counts[None])[0] + (values.size + 1) / 2
    assert ranks[drawn] == pytest.approx(stats.rankdata(values[drawn]))


def test_the_interval_is_that_of_the_bootstrap():
    generator = np.random.default_rng(2)
    x = generator.normal(size=40)
    y = x + generator.normal(size=40)
    drawn = generator.integers(40, size=(500, 40))
    counts = np.array([np.bincount(rows, minlength=40) for rows in drawn])
    values = [stats.spearmanr(x[rows], y[rows]).statistic for rows in drawn]
    assert _interval(x, y, counts) == pytest.approx(np.quantile(values, [0.025, 0.975]))
