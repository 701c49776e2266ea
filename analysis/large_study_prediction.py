"""How well structure predicts the last error of families of networks that were not seen."""

from __future__ import annotations

import numpy as np
import pandas as pd
from large_study_hypotheses import EQUALS, FEWEST, HOPS, LAST
from sklearn.base import RegressorMixin
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneGroupOut, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import QuantileTransformer, StandardScaler

from smallworld_eqprop.studies.regression import usable_metrics

#: Families that are held out one by one; fewer say little.
FAMILIES = 5
PENALTIES = np.logspace(-2, 3, 6)


def predictions(settings: pd.DataFrame, seed: int) -> pd.DataFrame:
    r"""Share of the variance of last errors that is predicted, by recipe, features and model.

    .. math:: R^2 = 1 - \frac{\sum (y - \hat y)^2}{\sum (y - \bar y)^2}

    over the settings of a recipe, each predicted from those of all other families. The ceiling is
    what the noise of seeds leaves to be predicted.

    Returns
    -------
    DataFrame
        recipe, features (edges and share of skips; these with hops; with all measures that all
        settings have), model (ridge, forest), r2, ceiling, n settings, families.
    """
    rows = []
    for recipe, part in settings.groupby("recipe", sort=False):
        part = part[part[[LAST, HOPS, *EQUALS]].notna().all(axis=1)]
        families = part.family.nunique()
        if len(part) < FEWEST or families < FAMILIES:
            continue
        columns = [c for c in part if c.startswith("metric_")]
        complete = usable_metrics(part, [c for c in columns if part[c].notna().all()])
        errors = part[LAST].to_numpy()
        noise = (part[f"seeds_{LAST}"] ** 2 / part.n_seeds).mean() / errors.var(ddof=1)
        for told, features in (
            ("edges and skips", [*EQUALS]),
            ("with hops", [*EQUALS, HOPS]),
            ("with all measures", complete),
        ):
            for name, model in _models(seed, len(part)):
                guessed = cross_val_predict(
                    model, part[features].to_numpy(), errors, groups=part.family,
                    cv=LeaveOneGroupOut(),
                )  # fmt: skip
                rows.append(
                    {
                        "recipe": recipe,
                        "features": told,
                        "model": name,
                        "r2": r2_score(errors, guessed),
                        "ceiling": 1 - noise,
                        "n": len(part),
                        "families": families,
                    }
                )
    return pd.DataFrame(rows)


def _models(seed: int, n: int) -> list[tuple[str, RegressorMixin]]:
    """A linear one of ranks, because hops and errors are far from normal, and a forest."""
    ranks = QuantileTransformer(n_quantiles=min(30, n // 2), subsample=None)
    return [
        ("ridge", make_pipeline(ranks, StandardScaler(), RidgeCV(PENALTIES))),
        ("forest", RandomForestRegressor(100, random_state=seed)),
    ]
