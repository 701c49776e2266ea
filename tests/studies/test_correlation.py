from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.correlation import KINDS, correlations, early_against_final

QUICK = {"seed": 0, "n_permutations": 99, "n_bootstrap": 19}
CONTROLS = ("p", "metric_density")


def table(n=60, seed=0):
    """Structure and error that both depend on p and density, and on each other a little."""
    rng = np.random.default_rng(seed)
    p, density = rng.random(n), rng.random(n)
    metric = 2 * p - density + rng.normal(0, 0.5, n)
    error = np.exp(-2 * p) + density + 0.2 * metric + rng.normal(0, 0.2, n)
    return pd.DataFrame(
        {"p": p, "metric_density": density, "metric_L": metric, "final_test_error": error}
    )


def found(runs, controls=CONTROLS, **options):
    result = correlations(runs, ["metric_L"], ["final_test_error"], controls, **QUICK | options)
    assert result["kind"].tolist() == list(KINDS if controls else KINDS[:2])
    return result.set_index("kind")


def test_simple_correlations_are_scipys():
    runs = table()
    value = found(runs).value
    pair = runs.metric_L, runs.final_test_error
    assert value.pearson == pytest.approx(stats.pearsonr(*pair).statistic)
    assert value.spearman == pytest.approx(stats.spearmanr(*pair).statistic)


@pytest.mark.parametrize("kind", ["partial", "partial_spearman"])
def test_one_control_gives_the_textbook_formula(kind):
    runs = table()
    columns = runs[["metric_L", "final_test_error", "p"]]
    r = (columns.rank() if kind == "partial_spearman" else columns).corr().to_numpy()
    expected = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert found(runs, ["p"]).value[kind] == pytest.approx(expected)


@pytest.mark.parametrize("kind", ["partial", "partial_spearman"])
def test_two_controls_give_the_correlation_of_regression_residuals(kind):
    runs = table()
    columns = runs.rank() if kind == "partial_spearman" else runs
    design = np.column_stack((np.ones(len(runs)), columns[list(CONTROLS)]))
    pair = columns[["metric_L", "final_test_error"]].to_numpy()
    residuals = pair - design @ np.linalg.lstsq(design, pair)[0]
    assert found(runs).value[kind] == pytest.approx(stats.pearsonr(*residuals.T).statistic)


def test_a_correlation_that_p_alone_makes_vanishes_when_p_is_held_fixed():
    rng = np.random.default_rng(1)
    p = rng.random(400)
    noise = rng.normal(0, 0.1, (2, 400))
    runs = pd.DataFrame({"p": p, "metric_L": p + noise[0], "final_test_error": -p + noise[1]})
    result = found(runs, ["p"], n_permutations=999)
    assert result.value.pearson < -0.8
    assert abs(result.value.partial) < 0.1
    assert result.p_value.pearson == pytest.approx(0.002)  # the smallest that 999 can give
    assert result.p_value.partial > 0.05


def test_p_values_are_those_of_the_t_test_for_normal_noise():
    rng = np.random.default_rng(2)
    runs = pd.DataFrame(rng.normal(size=(40, 2)), columns=["metric_L", "final_test_error"])
    runs["final_test_error"] += 0.3 * runs.metric_L
    expected = stats.pearsonr(runs.metric_L, runs.final_test_error).pvalue
    assert 0.01 < expected < 0.3
    assert found(runs, [], n_permutations=9999).p_value.pearson == pytest.approx(expected, abs=0.01)


def test_p_values_are_uniform_where_there_is_nothing_to_find():
    # Skewed noise, a strong influence of the controls on both sides, few rows for three of them.
    rng = np.random.default_rng(3)
    p_values = []
    for _ in range(160):
        p, density = rng.random((2, 16))
        runs = pd.DataFrame({"p": p, "metric_density": density, "square": p * p})
        runs["metric_L"] = 3 * p + density + rng.exponential(size=16)
        runs["final_test_error"] = density - 4 * p * p + rng.exponential(size=16)
        result = found(runs, (*CONTROLS, "square"), n_permutations=99, n_bootstrap=2)
        p_values.append(result.p_value.partial)
    assert stats.kstest(p_values, "uniform").pvalue > 0.05
    assert 0.01 < np.mean(np.array(p_values) <= 0.05) < 0.09


def test_intervals_cover_the_true_correlation_about_as_often_as_they_say():
    rng = np.random.default_rng(4)
    rho, covered = 0.6, 0
    for _ in range(150):
        pair = rng.multivariate_normal([0, 0], [[1, rho], [rho, 1]], 60)
        runs = pd.DataFrame(pair, columns=["metric_L", "final_test_error"])
        row = found(runs, [], n_permutations=2, n_bootstrap=199).loc["pearson"]
        assert row.low < row.value < row.high
        covered += row.low < rho < row.high
    assert 0.89 < covered / 150 < 0.99


def test_adjusted_p_values_are_those_of_benjamini_and_hochberg():
    rng = np.random.default_rng(5)
    runs = pd.DataFrame(rng.normal(size=(30, 6)), columns=[*"abcdef"])
    runs["outcome"] = runs.a + 0.5 * runs.b + rng.normal(size=30)
    runs["constant"] = 1.0
    result = correlations(runs, [*"abcdef", "constant"], ["outcome"], (), **QUICK)
    for _, family in result.groupby("kind"):
        defined = family.dropna(subset="p_value").sort_values("p_value")
        m, smallest, expected = len(defined), 1.0, []
        for rank in range(m, 0, -1):
            smallest = min(smallest, defined.p_value.iloc[rank - 1] * m / rank)
            expected.insert(0, smallest)
        assert m == 6
        assert defined.q_value.tolist() == pytest.approx(expected)
        assert family.q_value.isna().sum() == 1


def test_what_does_not_vary_is_undefined_and_says_why():
    runs = table().assign(constant=0.1 + 0.2, twice=lambda t: 2 * t.p + 1)
    runs["noise"] = 0.3 + 1e-16 * np.arange(len(runs))  # equal but for rounding
    names = ["constant", "noise", "twice"]
    result = correlations(runs, names, ["final_test_error", "constant"], **QUICK)
    numbers = ["value", "low", "high", "p_value", "q_value"]
    missing = result[result.undefined != ""]
    assert missing[numbers].isna().all(axis=None)
    assert result[result.undefined == ""][numbers].notna().all(axis=None)
    reasons = result.set_index(["metric", "outcome", "kind"]).undefined
    assert reasons["constant", "final_test_error", "pearson"] == "the metric does not vary"
    assert reasons["noise", "final_test_error", "spearman"] == "the metric does not vary"
    assert reasons["twice", "constant", "pearson"] == "the outcome does not vary"
    assert reasons["twice", "final_test_error", "pearson"] == ""
    for kind in ("partial", "partial_spearman"):
        assert reasons["twice", "final_test_error", kind] == "the controls determine the metric"


def test_controls_that_say_nothing_new_change_nothing():
    runs = table().assign(constant=0.3, twice=lambda t: 2 * t.p + 1)
    expected = found(runs, ["p"]).drop(columns="n")
    same = found(runs, ["p", "twice", "constant"]).drop(columns="n")
    numbers = ["value", "low", "high", "p_value"]
    np.testing.assert_allclose(same[numbers].astype(float), expected[numbers].astype(float))


def test_rows_with_gaps_are_left_out_for_their_pair_only():
    runs = table()
    gaps = runs.copy()
    gaps.loc[0, "metric_L"] = np.nan
    gaps.loc[1, "final_test_error"] = np.inf
    gaps.loc[2, "p"] = np.nan
    result = found(gaps)
    assert result.n.tolist() == [58, 58, 57, 57]
    assert result.value.pearson == found(runs.drop([0, 1])).value.pearson
    assert result.value.partial == found(runs.drop([0, 1, 2])).value.partial


def test_few_rows_are_undefined():
    result = found(table(6))
    assert result.undefined.tolist() == ["", "", "too few rows (6)", "too few rows (6)"]
    empty = found(table(6).assign(metric_L=np.nan))
    assert set(empty.undefined) == {"too few rows (0)"}


@given(
    seed=st.integers(0, 1000),
    scale=st.floats(1e-3, 1e3),
    shift=st.floats(-1e3, 1e3),
    kind=st.sampled_from(KINDS),
)
@settings(max_examples=20, deadline=None)
def test_units_do_not_matter_and_values_are_correlations(seed, scale, shift, kind):
    runs = table(20, seed)
    options = {"n_permutations": 2, "n_bootstrap": 2}
    row = found(runs, **options).loc[kind]
    assert -1 <= row.value <= 1
    other = found(runs.assign(metric_L=shift - scale * runs.metric_L, p=scale * runs.p), **options)
    assert other.value[kind] == pytest.approx(-row.value, abs=1e-6)


def test_ranks_see_through_any_monotonic_change():
    runs = table()
    warped = runs.assign(metric_L=np.exp(5 * runs.metric_L))
    expected, value = found(runs).value, found(warped).value
    assert value.spearman == pytest.approx(expected.spearman)
    assert value.partial_spearman == pytest.approx(expected.partial_spearman)
    assert value.pearson != pytest.approx(expected.pearson, abs=0.01)


def test_a_seed_gives_the_same_numbers_whatever_else_is_asked():
    runs = table().assign(metric_C=lambda t: t.metric_L**2)
    alone = found(runs)
    both = correlations(runs, ["metric_C", "metric_L"], ["final_test_error"], **QUICK)
    both = both[both.metric == "metric_L"].set_index("kind")
    pd.testing.assert_frame_equal(both.drop(columns="q_value"), alone.drop(columns="q_value"))
    generator = found(runs, seed=np.random.default_rng(0))
    pd.testing.assert_frame_equal(generator, alone)
    assert not found(runs, seed=1).p_value.equals(alone.p_value)


def test_the_first_epoch_against_the_last():
    runs = table().rename(columns={"final_test_error": "final_x", "metric_L": "epoch1_x"})
    runs = runs.assign(epoch1_y=runs.p, final_y=-runs.p, epoch1_only=0.0, epochs=2)
    runs.loc[0, ["epochs", "final_y"]] = 1, 100
    result = early_against_final(runs, controls=(), **QUICK)
    assert set(zip(result.metric, result.outcome, strict=True)) == {
        ("epoch1_x", "final_x"),
        ("epoch1_y", "final_y"),
    }
    assert set(result.n) == {59}
    rows = result[result.metric == "epoch1_y"]
    assert rows.value.to_numpy() == pytest.approx(-1)
    pearson = result[result.kind == "pearson"]
    expected = stats.false_discovery_control(pearson.p_value)
    assert pearson.q_value.to_numpy() == pytest.approx(expected)
    with pytest.raises(InputError, match="no epoch1_ column"):
        early_against_final(table(), **QUICK)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": ["metric_l"]}, "unknown column 'metric_l'; did you mean metric_L?"),
        ({"outcomes": ["name"]}, "column 'name' does not hold numbers"),
        ({"controls": ["q"]}, "unknown column 'q'"),
        ({"n_permutations": 0}, "n_permutations: 0, must be"),
        ({"n_bootstrap": 1.5}, "n_bootstrap: 1.5, must be"),
        ({"confidence": 1}, "confidence: 1, must be between 0 and 1"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {"metrics": ["metric_L"], "outcomes": ["final_test_error"], "seed": 0}
    with pytest.raises(InputError, match=message.replace("?", r"\?")):
        correlations(table().assign(name="a"), **arguments | change)
