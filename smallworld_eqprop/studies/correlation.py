"""Which structure goes with which performance: correlations over the runs of a study.

Works on a table with one row per run (`Store.runs`) or per setting (`setting_means`). The seeds of
one setting are no independent evidence about structure: take the means when there are several.

A value that is NaN or infinite leaves out its row, for that pair of columns only; the rows used
are counted. A correlation with something that does not vary is undefined, not 0: it is NaN, and a
column says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy  # its parts are imported when they are used

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.parts import Limits, check_type

__all__ = ["KINDS", "correlations", "early_against_final"]

Array = npt.NDArray[np.float64]

#: Kinds of correlation: on the values or on their ranks, as they are or with controls held fixed.
KINDS = ("pearson", "spearman", "partial", "partial_spearman")

#: Rows below which nothing is said, beside one for each control.
FEWEST_ROWS = 5

# Shares that count as nothing: of a value, by which a column varies; of the largest eigenvalue of
# the controls' products; and of the variance, that the controls leave.
CONSTANT = 1e-9
COLLINEAR = 1e-10
NOTHING = 1e-12

# Resamples at once; bounds the memory.
BATCH = 1000


def correlations(
    table: pd.DataFrame,
    metrics: Sequence[str],
    outcomes: Sequence[str],
    controls: Sequence[str] = ("p", "metric_density"),
    *,
    seed: int | np.random.Generator,
    n_permutations: int = 9999,
    n_bootstrap: int = 1999,
    confidence: float = 0.95,
) -> pd.DataFrame:
    r"""Correlation of every metric with every outcome, in four kinds.

    Pearson's r, Spearman's rank correlation, and both with the controls held fixed. With
    residuals :math:`e = v - Z (Z^T Z)^+ Z^T v` of a column v after the regression on a constant
    and the controls Z, each is

    .. math:: r = \frac{e_x \cdot e_y}{\lVert e_x \rVert \, \lVert e_y \rVert}

    on values or, in the Spearman kinds, on ranks (those of the controls too). The simple ones have
    no controls; without controls there are no others.

    Parameters
    ----------
    table : DataFrame
        One row per independent unit: settings, or runs where each has a setting of its own.
    metrics, outcomes : sequence of str
        Numeric columns.
    controls : sequence of str
        Numeric columns to hold fixed in the partial kinds. A control that does not vary has no
        effect.
    seed : int or numpy.random.Generator
        Of permutations and resamples, which are the same for every pair of columns.
    n_permutations, n_bootstrap : int
        Number of permutations and of bootstrap resamples.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        One row per metric, outcome and kind: ``metric``, ``outcome``, ``kind``, ``n`` (rows
        used), ``value``, ``low`` and ``high`` (percentile bootstrap over rows; a resample in which
        one side does not vary counts as 0), ``p_value`` (two-sided, by permutation of the
        residuals of the outcome as Freedman and Lane do; of the outcome itself where there are no
        controls), ``q_value`` (Benjamini and Hochberg, over all rows of the same kind that are
        defined) and ``undefined`` (empty, or why there is no value).

    Raises
    ------
    InputError
        If a column is missing or not numeric, or a number is not usable.

    References
    ----------
    .. [1] D. Freedman and D. Lane, "A nonstochastic interpretation of reported significance
       levels", J. Bus. Econ. Stat. 1:292, 1983. https://doi.org/10.1080/07350015.1983.10509354
    .. [2] Y. Benjamini and Y. Hochberg, "Controlling the false discovery rate", J. R. Stat. Soc. B
       57:289, 1995. https://doi.org/10.1111/j.2517-6161.1995.tb02031.x

    Examples
    --------
    >>> runs = pd.DataFrame({"metric_L": [1, 2, 3, 4, 5], "final_test_error": [5, 4, 3, 1, 2]})
    >>> found = correlations(runs, ["metric_L"], ["final_test_error"], controls=(), seed=0)
    >>> found[["kind", "value"]].head(2)
           kind  value
    0   pearson   -0.9
    1  spearman   -0.9
    """
    for name, number in (("n_permutations", n_permutations), ("n_bootstrap", n_bootstrap)):
        check_type(name, number, Annotated[int, Limits(2, 10**6)])
    if not 0 < confidence < 1:
        raise InputError(f"confidence: {confidence}, must be between 0 and 1")
    check_numeric(table, (*metrics, *outcomes, *controls))
    # One state for all pairs: what is found for a metric does not depend on the others named.
    state = int(np.random.default_rng(seed).integers(2**63))
    kinds = [kind for kind in KINDS if controls or not kind.startswith("partial")]
    rows: list[dict[str, Any]] = []
    for outcome in outcomes:
        for metric in metrics:
            for kind in kinds:
                held = controls if kind.startswith("partial") else ()
                ranked = "spearman" in kind
                sample = _sample(table, (metric, outcome, *held))
                undefined = _why_undefined(sample, ranked)
                row = {"metric": metric, "outcome": outcome, "kind": kind, "n": sample.shape[1]}
                if not undefined:
                    row |= _associate(
                        sample, ranked, state, n_permutations, n_bootstrap, confidence
                    )
                rows.append(row | {"undefined": undefined})
    numbers = ["value", "low", "high", "p_value", "q_value"]
    columns = ["metric", "outcome", "kind", "n", *numbers, "undefined"]
    result = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(numbers, float))
    result["q_value"] = result.groupby("kind")["p_value"].transform(_adjusted)
    return result


def early_against_final(
    table: pd.DataFrame, *, seed: int | np.random.Generator, **options: Any
) -> pd.DataFrame:
    """How far the first epoch tells the last: correlation of every ``epoch1_x`` and ``final_x``.

    Parameters
    ----------
    table : DataFrame
        Runs of one epoch are left out where ``epochs`` says so.
    seed : int or numpy.random.Generator
    **options
        Of `correlations`.

    Returns
    -------
    DataFrame
        As `correlations` gives it.

    Raises
    ------
    InputError
        If there is no such pair of columns.
    """
    if "epochs" in table:
        table = table[table["epochs"] > 1]
    early = [name for name in table.columns if name.startswith("epoch1_")]
    pairs = [(name, name.replace("epoch1_", "final_", 1)) for name in early]
    pairs = [(name, final) for name, final in pairs if final in table.columns]
    if not pairs:
        raise InputError("table: no epoch1_ column with a final_ column of the same name")
    state = int(np.random.default_rng(seed).integers(2**63))
    parts = [correlations(table, [name], [final], seed=state, **options) for name, final in pairs]
    whole = pd.concat(parts, ignore_index=True)
    # The pairs are one family of tests per kind.
    whole["q_value"] = whole.groupby("kind")["p_value"].transform(_adjusted)
    return whole


def check_numeric(table: pd.DataFrame, names: Sequence[str]) -> None:
    """Refuse columns that are missing or not numbers."""
    for name in names:
        if name not in table.columns:
            raise InputError(f"unknown column {name!r}; {nearest(name, map(str, table.columns))}")
        if not pd.api.types.is_numeric_dtype(table[name]):
            raise InputError(f"column {name!r} does not hold numbers")


def _adjusted(p_values: pd.Series) -> pd.Series:
    """Adjust the p-values of one family for its size."""
    defined = p_values.dropna()
    if defined.empty:
        return p_values
    adjusted = pd.Series(scipy.stats.false_discovery_control(defined.to_numpy()), defined.index)
    return adjusted.reindex(p_values.index)


def _sample(table: pd.DataFrame, names: Sequence[str]) -> Array:
    """Columns as rows without what is not finite, standardised; exactly 0 where one is constant."""
    sample = np.array([table[name].to_numpy(float) for name in names])
    sample = sample[:, np.isfinite(sample).all(axis=0)]
    if not sample.size:
        return sample
    size = np.abs(sample).max(axis=1, keepdims=True)
    constant = np.ptp(sample, axis=1, keepdims=True) <= CONSTANT * size
    sample = np.where(constant, 0, sample - sample.mean(axis=1, keepdims=True))
    return sample / np.where(constant, 1, sample.std(axis=1, keepdims=True))


def _why_undefined(sample: Array, ranked: bool) -> str:
    """Empty where there is a correlation."""
    n_controls, n = len(sample) - 2, sample.shape[1]
    if n < FEWEST_ROWS + n_controls:
        return f"too few rows ({n})"
    for name, column in zip(("metric", "outcome"), sample, strict=False):
        if not column.any():
            return f"the {name} does not vary"
    x, y, controls = _columns(np.arange(n), sample, ranked)
    for name, column in (("metric", x), ("outcome", y)):
        if (_residuals(column, controls) ** 2).sum() <= NOTHING * (column**2).sum():
            return f"the controls determine the {name}"
    return ""


def _associate(
    sample: Array,
    ranked: bool,
    state: int,
    n_permutations: int,
    n_bootstrap: int,
    confidence: float,
) -> dict[str, float]:
    """Value, interval and p-value."""
    index = np.arange(sample.shape[1])
    x, y, controls = _columns(index, sample, ranked)
    left, right = _residuals(x, controls), _residuals(y, controls)
    permuted = scipy.stats.permutation_test(
        (right,),
        # The residuals of a permutation are no longer free of the controls.
        lambda values, axis: _cosine(left, _residuals(values, controls)),  # noqa: ARG005
        permutation_type="pairings",
        vectorized=True,
        n_resamples=n_permutations,
        batch=BATCH,
        rng=np.random.default_rng(state),
    )
    resampled = scipy.stats.bootstrap(
        (index,),
        lambda rows, axis: _correlation(rows, sample, ranked),  # noqa: ARG005
        method="percentile",
        vectorized=True,
        n_resamples=n_bootstrap,
        batch=BATCH,
        confidence_level=confidence,
        rng=np.random.default_rng(state),
    )
    interval = resampled.confidence_interval
    return {
        "value": float(permuted.statistic),
        "low": float(interval.low),
        "high": float(interval.high),
        "p_value": float(permuted.pvalue),
    }


def _correlation(rows: npt.NDArray[np.intp], sample: Array, ranked: bool) -> Array:
    """Correlation in samples of the rows given by index, shape (..., n)."""
    x, y, controls = _columns(rows, sample, ranked)
    return _cosine(_residuals(x, controls), _residuals(y, controls))


def _columns(rows: npt.NDArray[np.intp], sample: Array, ranked: bool) -> tuple[Array, Array, Array]:
    """Metric, outcome and controls, centred; shapes (..., n), (..., n) and (k, ..., n)."""
    columns = sample[:, rows]
    if ranked:
        columns = scipy.stats.rankdata(columns, axis=-1) / rows.shape[-1]
    columns -= columns.mean(axis=-1, keepdims=True)
    return columns[0], columns[1], columns[2:]


def _residuals(values: Array, controls: Array) -> Array:
    """What a regression on the controls leaves of `values`, shape (..., n)."""
    if not len(controls):
        return values
    gram = np.einsum("i...n,j...n->...ij", controls, controls)
    products = np.einsum("i...n,...n->...i", controls, values)
    # The pseudo-inverse, because controls may say the same thing twice.
    inverse = np.linalg.pinv(gram, rcond=COLLINEAR, hermitian=True)
    slopes = np.einsum("...ij,...j->...i", inverse, products)
    return values - np.einsum("...i,i...n->...n", slopes, controls)


def _cosine(a: Array, b: Array) -> Array:
    """Cosine over the last axis; 0 where one side does not vary."""
    size = np.sqrt((a * a).sum(axis=-1) * (b * b).sum(axis=-1))
    product = (a * b).sum(axis=-1)
    return np.divide(product, size, out=np.zeros_like(product), where=size > NOTHING)
