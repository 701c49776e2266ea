"""How much of an outcome structure explains beyond p, on settings that were not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import RegressorMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    QuantileTransformer,
    SplineTransformer,
    StandardScaler,
)

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.parts import Limits, Repeats, check_type
from smallworld_eqprop.studies.correlation import check_numeric
from smallworld_eqprop.studies.replicates import noise_floor, setting_numbers

__all__ = ["Model", "explained_variance", "usable_metrics"]

Model = Literal["ridge", "forest"]

#: Trees of a random forest.
TREES = 100


def usable_metrics(table: pd.DataFrame, metrics: Sequence[str]) -> list[str]:
    """Those metrics that a regression can use: finite in every row, and not constant.

    Parameters
    ----------
    table : DataFrame
    metrics : sequence of str

    Returns
    -------
    list of str

    Raises
    ------
    InputError
        If a column is missing or not numeric.
    """
    check_numeric(table, metrics)
    return [
        name
        for name in metrics
        if np.isfinite(table[name]).all() and np.ptp(table[name].to_numpy(float)) > 0
    ]


def explained_variance(
    table: pd.DataFrame,
    outcome: str,
    metrics: Sequence[str],
    *,
    seed: int | np.random.Generator,
    base: Sequence[str] = ("p",),
    folds: int = 5,
    repeats: int = 5,
    models: Sequence[Model] = ("ridge", "forest"),
) -> pd.DataFrame:
    r"""Share of the variance of an outcome that is predicted in settings that were not seen.

    .. math:: R^2 = 1 - \frac{\sum (y - \hat y)^2}{\sum (y - \bar y)^2}

    over the predictions of a cross-validation whose folds keep the seeds of a setting together. Two
    models are used, because effects that are not linear in p must not be attributed to structure:
    ``ridge``, linear in the metrics and in cubic splines of the base; ``forest``, a random forest.

    Parameters
    ----------
    table : DataFrame
        One row per run. Rows without a finite outcome or with a gap in the base are left out.
    outcome : str
        Numeric column.
    metrics : sequence of str
        Numeric columns; those that `usable_metrics` does not give are not used.
    seed : int or numpy.random.Generator
        Of the folds and the forest.
    base : sequence of str
        Features that are known without structure: numeric columns, or others taken as categories.
    folds, repeats : int
        Folds of a cross-validation, and how often it is repeated with other folds.
    models : sequence of {"ridge", "forest"}

    Returns
    -------
    DataFrame
        One row per model and set of features (base, structure, base + structure): ``outcome``,
        ``model``, ``features``, ``n_metrics``, ``n_runs``, ``n_settings``; ``r2``, its mean over
        the repeats, with ``r2_std``; ``beyond_base``, the mean gain on the base alone, with
        ``beyond_base_std`` (standard deviations over the repeats: what the choice of folds does,
        not the uncertainty of the study); ``ceiling``, the R² of a model that knows the mean of
        every setting, 1 minus the share of the noise between seeds (NaN without repeated
        settings).

    Raises
    ------
    InputError
        If a column is missing, no metric is usable, there are fewer settings than folds, or the
        outcome does not vary.
    """
    check_type("folds", folds, Annotated[int, Limits(2, 10**6)])
    check_type("repeats", repeats, Repeats)
    for model in models:
        if model not in get_args(Model):
            raise InputError(f"models: {model!r}; {nearest(model, get_args(Model))}")
    check_numeric(table, (outcome,))
    for name in base:
        if name not in table.columns:
            raise InputError(f"unknown column {name!r}; {nearest(name, map(str, table.columns))}")
    table = table[np.isfinite(table[outcome]) & table[list(base)].notna().all(axis=1)]
    used = [name for name in usable_metrics(table, metrics) if name not in base]
    setting = setting_numbers(table)
    n_settings = len(np.unique(setting))
    y = table[outcome].to_numpy(float)
    if not used:
        raise InputError("metrics: none of them is finite in all runs and varies; name others")
    if n_settings < folds:
        raise InputError(f"folds: {folds}, but there are only {n_settings} settings")
    if not np.ptp(y) > 0:
        raise InputError(f"outcome: {outcome} does not vary")
    rng = np.random.default_rng(seed)
    # Every model and set of features sees the same folds, so that gains are paired.
    splits = [rng.permutation(n_settings)[setting] % folds for _ in range(repeats)]
    forest_seed = int(rng.integers(2**31))
    names = {" + ".join(base): list(base), "structure": used}
    names[f"{' + '.join(base)} + structure"] = [*base, *used]
    rows = []
    for model in models:
        scores = {}
        for label, columns in names.items():
            regressor = _regressor(model, table[columns], set(base), forest_seed)
            scores[label] = np.array([_score(regressor, table[columns], y, s) for s in splits])
        for label, r2 in scores.items():
            gain = r2 - scores[next(iter(names))]
            rows.append(
                {
                    "model": model,
                    "features": label,
                    "r2": r2.mean(),
                    "r2_std": _std(r2),
                    "beyond_base": gain.mean(),
                    "beyond_base_std": _std(gain),
                }
            )
    noise = noise_floor(table, [outcome])["within"].to_numpy(float)[0]
    whole = {
        "n_metrics": len(used),
        "n_runs": len(table),
        "n_settings": n_settings,
        "ceiling": 1 - noise**2 / y.var(ddof=1),
    }
    result = pd.DataFrame(rows).assign(**whole)
    result.insert(0, "outcome", outcome)
    return result


def _regressor(model: Model, features: pd.DataFrame, base: set[str], seed: int) -> Any:
    numeric = [n for n in features if pd.api.types.is_numeric_dtype(features[n])]
    categories = [n for n in features if n not in numeric]
    encoded = (
        "categories",
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        categories,
    )
    if model == "forest":
        forest = RandomForestRegressor(n_estimators=TREES, min_samples_leaf=2, random_state=seed)
        return make_pipeline(ColumnTransformer([encoded], remainder="passthrough"), forest)
    # On ranks, because p is mostly chosen dense near 0.
    splines = make_pipeline(
        QuantileTransformer(n_quantiles=min(20, len(features) // 2)), SplineTransformer(n_knots=4)
    )
    linear = ColumnTransformer(
        [
            ("base", splines, [n for n in numeric if n in base]),
            ("structure", StandardScaler(), [n for n in numeric if n not in base]),
            encoded,
        ]
    )
    return make_pipeline(linear, RidgeCV(np.logspace(-3, 3, 13)))


def _score(
    regressor: RegressorMixin, features: pd.DataFrame, y: npt.NDArray, fold: npt.NDArray
) -> float:
    return float(r2_score(y, cross_val_predict(regressor, features, y, cv=PredefinedSplit(fold))))


def _std(values: npt.NDArray) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")
