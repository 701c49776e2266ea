from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.replicates import (
    noise_floor,
    setting_columns,
    setting_means,
    setting_numbers,
)

# Ratings of six targets, table 2 of Shrout and Fleiss (1979), who give ICC(1,1) = .17 with mean
# squares 11.24 between and 6.26 within.
SHROUT_FLEISS = (
    (9, 2, 5, 8),
    (6, 1, 3, 2),
    (8, 4, 6, 8),
    (7, 1, 2, 6),
    (10, 5, 6, 9),
    (6, 2, 4, 7),
)


def runs(groups):
    return pd.DataFrame(
        {"p": p, "seed": seed, "final_test_error": value}
        for p, values in enumerate(groups)
        for seed, value in enumerate(values)
    )


def floor(groups):
    (row,) = noise_floor(runs(groups), ["final_test_error"]).to_dict("records")
    return row


def test_the_published_intraclass_correlation():
    row = floor(SHROUT_FLEISS)
    assert row["icc"] == pytest.approx(0.166, abs=5e-4)
    assert row["within"] ** 2 == pytest.approx(6.26, abs=5e-3)
    assert row["between"] ** 2 == pytest.approx((11.24 - 6.26) / 4, abs=5e-3)
    assert (row["n_settings"], row["n_runs"]) == (6, 24)
    assert row["mean"] == pytest.approx(np.mean(SHROUT_FLEISS))


def test_unequal_numbers_of_seeds_give_the_f_ratio():
    groups = [(1, 2, 4), (3, 5), (2, 2, 7, 1), (9,)]  # a single run says nothing
    row = floor(groups)
    f_ratio = stats.f_oneway(*groups[:3]).statistic
    n0 = (9 - (9 + 4 + 16) / 9) / 2
    assert row["icc"] == pytest.approx((f_ratio - 1) / (f_ratio + n0 - 1))
    assert row["within"] ** 2 == pytest.approx(np.sum([2, 1, 3] * np.array(
        [np.var(g, ddof=1) for g in groups[:3]])) / 6)  # fmt: skip
    assert (row["n_settings"], row["n_runs"]) == (3, 9)


def test_a_simulated_noise_floor_is_recovered():
    rng = np.random.default_rng(0)
    covered = exceeded = 0
    for _ in range(200):
        groups = 0.2 + rng.normal(0, 0.03, (20, 1)) + rng.normal(0, 0.01, (20, 3))
        row = floor(groups)
        covered += row["within_low"] < 0.01 < row["within_high"]
        exceeded += abs(groups[0, 0] - groups[0, 1]) > row["difference"]
    assert 0.9 < covered / 200 < 0.99
    assert 0.02 < exceeded / 200 < 0.09
    many = floor(rng.normal(0, 0.03, (3000, 1)) + rng.normal(0, 0.01, (3000, 3)))
    assert many["within"] == pytest.approx(0.01, rel=0.03)
    assert many["between"] == pytest.approx(0.03, rel=0.05)
    assert many["icc"] == pytest.approx(0.9, abs=0.01)


def test_nothing_but_noise_and_no_noise_at_all():
    rng = np.random.default_rng(1)
    noise = floor(rng.normal(size=(500, 4)))
    assert noise["icc"] == pytest.approx(0, abs=0.05)
    assert floor([(1, 1), (2, 2), (4, 4)])["icc"] == 1
    assert np.isnan(floor([(1, 1), (1, 1)])["icc"])


def test_without_repeated_settings_there_is_no_noise_floor():
    row = floor([(1,), (2,), (3,)])
    assert (row["n_settings"], row["n_runs"]) == (0, 0)
    assert np.isnan([row["within"], row["icc"], row["difference"]]).all()
    one = floor([(1, 2, 3)])
    assert one["within"] == pytest.approx(1)
    assert np.isnan([one["between"], one["icc"]]).all()


def test_undefined_values_are_left_out():
    row = floor([(1, 2, np.nan), (3, 5, np.inf), (4, np.nan, np.nan)])
    expected = floor([(1, 2), (3, 5), (4,)])
    assert row == expected


def test_settings_are_all_of_the_configuration_but_seed_and_names():
    table = pd.DataFrame(
        {
            "key": ["a", "b", "c", "d", "e"],
            "name": ["x", "y", "x", "x", "x"],
            "p": [0.1, 0.1, 0.2, 0.1, 0.1],
            "n_train": [np.nan, np.nan, np.nan, 100, np.nan],
            "layer_sizes": ["[4, 2]"] * 5,
            "seed": [0, 1, 0, 0, 2],
            "final_test_error": [1.0, 2.0, 5.0, 7.0, np.nan],
            "metric_density": [0.5, 0.7, 0.5, 0.5, 0.9],
        }
    )
    assert setting_columns(table) == ["p", "n_train", "layer_sizes"]
    assert setting_numbers(table).tolist() == [0, 0, 1, 2, 0]
    means = setting_means(table)
    assert means.p.tolist() == [0.1, 0.2, 0.1]
    assert means.n_seeds.tolist() == [3, 1, 1]
    assert means.final_test_error.tolist() == [1.5, 5, 7]
    assert means.metric_density.tolist() == pytest.approx([0.7, 0.5, 0.5])
    assert means.layer_sizes.tolist() == ["[4, 2]"] * 3
    assert not {"seed", "key", "name"} & set(means)


def test_a_table_without_settings_is_refused():
    with pytest.raises(InputError, match="no column of a configuration"):
        noise_floor(pd.DataFrame({"final_test_error": [1.0]}), ["final_test_error"])
    with pytest.raises(InputError, match="unknown column 'final_error'"):
        noise_floor(runs(SHROUT_FLEISS), ["final_error"])
