from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies import regression
from smallworld_eqprop.studies.regression import explained_variance, usable_metrics

SEEDS = 3
OPTIONS = {"seed": 0, "repeats": 2, "models": ["ridge"]}
BOTH = {"repeats": 1, "models": ["ridge", "forest"]}


@pytest.fixture(autouse=True)
def small_forests(monkeypatch):
    monkeypatch.setattr(regression, "TREES", 30)


def study(n_settings=60, seed=0):
    """Settings that differ in p, three seeds each, and a metric that p says nothing about."""
    rng = np.random.default_rng(seed)
    p = np.repeat(rng.random(n_settings) ** 2, SEEDS)
    other = np.repeat(rng.normal(size=n_settings), SEEDS)
    return pd.DataFrame(
        {
            "p": p,
            "seed": np.tile(np.arange(SEEDS), n_settings),
            "metric_follows_p": np.sqrt(p) + rng.normal(0, 0.01, len(p)),
            "metric_other": other,
            "scatter": rng.normal(size=len(p)),
        }
    )


def scores(runs, outcome, metrics=("metric_follows_p", "metric_other"), **options):
    runs = runs.assign(outcome=outcome)
    table = explained_variance(runs, "outcome", metrics, **OPTIONS | options)
    return table.set_index(["model", "features"])


def test_structure_that_follows_p_explains_nothing_beyond_it():
    runs = study()
    result = scores(runs, np.exp(-8 * runs.p) + 0.05 * runs.scatter, ["metric_follows_p"], **BOTH)
    assert (result.r2.xs("p", level=1) > 0.9).all()
    assert (result.r2.xs("structure", level=1) > 0.8).all()
    assert (result.beyond_base.xs("p + structure", level=1).abs() < 0.02).all()


def test_structure_of_its_own_explains_its_share():
    runs = study()
    # Variances 1 (structure), 1/4 (scatter), and what p makes.
    trend = 3 * np.exp(-8 * runs.p)
    result = scores(runs, trend + runs.metric_other + 0.5 * runs.scatter, **BOTH)
    total = np.var(trend + runs.metric_other + 0.5 * runs.scatter, ddof=1)
    share = runs.metric_other.var() / total
    gain = result.beyond_base["ridge", "p + structure"]
    assert gain == pytest.approx(share, abs=0.12)
    assert result.r2["ridge", "p + structure"] < result.ceiling.iloc[0] + 0.03
    assert result.ceiling.to_numpy() == pytest.approx(1 - 0.25 / total, abs=0.05)
    assert result.beyond_base["forest", "p + structure"] > 0.5 * share


def test_seeds_of_a_setting_do_not_leak_across_folds():
    # Every setting has an outcome and a metric of its own, unrelated: to know the setting would
    # be to know the outcome.
    runs = study()
    fate = np.random.default_rng(1).normal(size=60).repeat(SEEDS)
    result = scores(runs, fate + 0.01 * runs.scatter, **BOTH)
    assert (result.r2 < 0.1).all()
    assert (result.ceiling > 0.99).all()
    # The same runs called settings of their own do leak, so this test could fail.
    leaking = scores(
        runs.assign(batch_size=np.arange(len(runs))), fate + 0.01 * runs.scatter, **BOTH
    )
    assert leaking.r2["forest", "structure"] > 0.5


def test_a_base_may_hold_categories():
    runs = study().assign(family=lambda t: np.where(np.arange(len(t)) // SEEDS % 2, "a", "b"))
    outcome = (runs.family == "a") + 0.1 * runs.scatter
    result = scores(runs, outcome, base=("p", "family"), **BOTH)
    assert (result.r2.xs("p + family", level=1) > 0.8).all()
    assert (scores(runs, outcome).r2.xs("p", level=1) < 0.2).all()


def test_a_base_that_does_not_vary_explains_nothing():
    runs = study().assign(p=0.1, learning_rate=lambda t: t.metric_other)
    result = scores(runs, runs.metric_other + 0.1 * runs.scatter, ["metric_other"])
    assert (result.r2.xs("p", level=1) < 0.05).all()
    assert (result.r2.xs("p + structure", level=1) > 0.9).all()


def test_metrics_with_gaps_or_without_variation_are_not_used():
    runs = study().assign(constant=1.0, gap=lambda t: t.scatter)
    runs.loc[0, "gap"] = np.nan
    metrics = ["metric_other", "constant", "gap", "p"]
    assert usable_metrics(runs, metrics) == ["metric_other", "p"]
    result = scores(runs, runs.scatter, metrics)
    assert set(result.n_metrics) == {1}  # p is in the base already


def test_rows_without_outcome_are_left_out_and_counted():
    runs = study().assign(outcome=lambda t: t.scatter)
    runs.loc[:2, "outcome"] = np.nan, np.inf, np.nan
    result = explained_variance(runs, "outcome", ["metric_other"], **OPTIONS)
    assert set(result.n_runs) == {177}
    assert set(result.n_settings) == {59}


def test_a_seed_gives_the_same_numbers():
    runs = study(20)
    first, again = (scores(runs, runs.scatter + runs.p, folds=2, **BOTH) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    other = scores(runs, runs.scatter + runs.p, folds=2, seed=1, **BOTH)
    assert not other.r2.equals(first.r2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": ["constant"]}, "metrics: none of them"),
        ({"base": ["q"]}, "unknown column 'q'"),
        ({"folds": 1}, "folds: 1, must be a whole number from 2 to"),
        ({"folds": 21}, "folds: 21, but there are only 20 settings"),
        ({"repeats": 0}, "repeats: 0, must be"),
        ({"models": ["lasso"]}, "models: 'lasso'; allowed: ridge, forest"),
        ({"outcome": "constant"}, "outcome: constant does not vary"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {"outcome": "scatter", "metrics": ["metric_other"], "seed": 0}
    with pytest.raises(InputError, match=message):
        explained_variance(study(20).assign(constant=1.0), **arguments | change)
