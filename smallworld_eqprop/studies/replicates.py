"""Runs that differ in their seed only: their means, and the noise floor between them.

A setting is all that a configuration says but the seed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # its parts are imported when they are used

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.correlation import check_numeric
from smallworld_eqprop.studies.flat import known_keys

__all__ = ["noise_floor", "setting_columns", "setting_means", "setting_numbers"]

# Keys of a configuration that are no part of its setting.
NOT_SETTING = ("name", "summary", "seed", "device")


def setting_columns(table: pd.DataFrame) -> list[str]:
    """Columns of a table of runs that together are the setting.

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If no column is a key of a configuration.
    """
    keys = [key for key in (*known_keys(), "epochs") if key not in NOT_SETTING]
    # A dot is in keys of parts within parts, whatever their kinds.
    columns = [key for key in table.columns if key in keys or "." in str(key)]
    if not columns:
        raise InputError(f"table: no column of a configuration; allowed: {', '.join(keys)}")
    return columns


def setting_numbers(table: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Number of the setting of every row, from 0 in order of appearance; shape (n_rows,).

    Parameters
    ----------
    table : DataFrame

    Returns
    -------
    ndarray of int

    Raises
    ------
    InputError
        If no column is a key of a configuration.

    Examples
    --------
    >>> setting_numbers(pd.DataFrame({"p": [0, 0.1, 0], "seed": [0, 0, 1]}))
    array([0, 1, 0])
    """
    return np.asarray(_grouped(table).ngroup(), np.intp)


def setting_means(table: pd.DataFrame) -> pd.DataFrame:
    """Average the runs of every setting.

    Parameters
    ----------
    table : DataFrame
        One row per run.

    Returns
    -------
    DataFrame
        One row per setting: its columns, ``n_seeds``, and the mean of every other numeric column
        over the seeds in which it is not NaN.

    Raises
    ------
    InputError
        If no column is a key of a configuration.
    """
    grouped = _grouped(table)
    numeric = table.select_dtypes("number").columns.difference(
        [*setting_columns(table), "seed"], sort=False
    )
    parts = [
        grouped[setting_columns(table)].first(),
        grouped.size().rename("n_seeds"),
        grouped[list(numeric)].mean(),
    ]
    return pd.concat(parts, axis=1).reset_index(drop=True)


def noise_floor(table: pd.DataFrame, outcomes: Sequence[str]) -> pd.DataFrame:
    r"""How much of an outcome is the seed: spread inside settings against spread between them.

    With :math:`n_i` runs in setting i of k, N in all, and the mean squares of a one-way analysis of
    variance,

    .. math:: s_w^2 = MS_w, \quad s_b^2 = (MS_b - MS_w) / n_0, \quad
              n_0 = \frac{N - \sum n_i^2 / N}{k - 1}, \quad
              ICC = \frac{MS_b - MS_w}{MS_b + (n_0 - 1) MS_w}

    Settings of a single run say nothing about noise and are left out, as are values that are NaN or
    infinite.

    Parameters
    ----------
    table : DataFrame
        One row per run.
    outcomes : sequence of str
        Numeric columns.

    Returns
    -------
    DataFrame
        One row per outcome: ``outcome``, ``n_settings``, ``n_runs``, ``mean``, ``within`` (standard
        deviation between seeds) with ``within_low`` and ``within_high`` (95 %, for normal noise
        that is the same in all settings), ``between`` (standard deviation of the settings beyond
        that noise), ``icc`` (intraclass correlation: 1 for no noise, 0 or below for nothing but
        noise), and ``difference``, which two single runs of one setting exceed once in twenty
        times. NaN where there are not two runs of one setting, or not two settings.

    Raises
    ------
    InputError
        If a column is missing or not numeric.

    References
    ----------
    .. [1] P. E. Shrout and J. L. Fleiss, "Intraclass correlations: uses in assessing rater
       reliability", Psychol. Bull. 86:420, 1979, case 1.
       https://doi.org/10.1037/0033-2909.86.2.420
    """
    check_numeric(table, outcomes)
    setting = setting_numbers(table)
    rows = []
    for outcome in outcomes:
        values = table[outcome].to_numpy(float)
        finite = np.isfinite(values)
        groups = pd.Series(values[finite]).groupby(setting[finite])
        rows.append({"outcome": outcome, **_analysis(groups)})
    return pd.DataFrame(rows)


def _analysis(groups: pd.api.typing.SeriesGroupBy) -> dict[str, float]:
    """One-way analysis of variance of the groups with at least two values."""
    sizes = groups.size()
    sizes = sizes[sizes > 1]
    n, k = int(sizes.sum()), len(sizes)
    found = {"n_settings": k, "n_runs": n} | dict.fromkeys(
        ("mean", "within", "within_low", "within_high", "between", "icc", "difference"), np.nan
    )
    if not k:
        return found
    means, variances = groups.mean()[sizes.index], groups.var()[sizes.index]
    freedom = n - k
    within = float(((sizes - 1) * variances).sum() / freedom)
    whole = float((sizes * means).sum() / n)
    low, high = np.sqrt(freedom * within / scipy.stats.chi2.ppf((0.975, 0.025), freedom))
    found |= {
        "mean": whole,
        "within": np.sqrt(within),
        "within_low": low,
        "within_high": high,
        "difference": scipy.stats.norm.ppf(0.975) * np.sqrt(2 * within),
    }
    if k > 1:
        between = float((sizes * (means - whole) ** 2).sum() / (k - 1))
        typical = (n - float((sizes**2).sum()) / n) / (k - 1)
        found["between"] = np.sqrt(max(0.0, (between - within) / typical))
        total = between + (typical - 1) * within
        found["icc"] = (between - within) / total if total > 0 else np.nan
    return found


def _grouped(table: pd.DataFrame) -> pd.api.typing.DataFrameGroupBy:
    return table.groupby(setting_columns(table), dropna=False, sort=False)
