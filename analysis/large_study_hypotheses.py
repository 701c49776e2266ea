"""The hypotheses of docs/study-design.md that a correlation decides: test, bound and verdict."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from smallworld_eqprop.studies import correlations

HOPS = "metric_input_output_path_length"
FIRST, LAST, LOG_SPREAD = "error_1", "error_last", "log_spread_1"
#: Edges and share of skips, which are held fixed to compare equals.
EQUALS = ("metric_n_edges", "metric_skip_share")
COEFFICIENTS = ("sigma", "omega", "propensity")
#: Too few settings to rank.
FEWEST = 8


@dataclass(frozen=True)
class Test:
    """A correlation over settings, and on which side of a bound the hypothesis says it is."""

    hypothesis: str
    metric: str
    outcome: str
    side: Literal["above", "below", "within"]
    bound: float
    held: tuple[str, ...] = ()
    recipe: str = "paper"

    def verdict(self, low: float, high: float) -> str:
        """What an interval says: the whole of it has to be on one side."""
        least, most = low, high
        if self.side == "within":
            most = max(abs(low), abs(high))
            least = 0.0 if low <= 0 <= high else min(abs(low), abs(high))
        if math.isnan(least + most) or least <= self.bound <= most:
            return "open"
        return "holds" if (least > self.bound) == (self.side == "above") else "refuted"


TESTS = (
    Test("H1", HOPS, FIRST, "above", 0.7),
    Test("H1", HOPS, FIRST, "above", 0.5, EQUALS),
    Test("H2", HOPS, LAST, "above", 0.5),
    Test("H2", FIRST, LAST, "above", 0.5),
    Test("H3", HOPS, LAST, "below", 0.5, recipe="weak-feedback"),
    *(
        Test("H5", f"metric_small_world_{name}", LAST, "within", 0.4, EQUALS)
        for name in COEFFICIENTS
    ),
    Test("H6", HOPS, LAST, "below", 0.4, (LOG_SPREAD,)),
)


def judge(settings: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Every test in every half that has enough settings.

    Returns
    -------
    DataFrame
        Fields of `Test`; half, n, value, low, high; verdict: holds or refuted when the whole
        interval is on one side of the bound, open otherwise.
    """
    rows = []
    for test in TESTS:
        for half, part in settings[settings.recipe == test.recipe].groupby("half", sort=False):
            if test.metric not in part or part[test.metric].notna().sum() < FEWEST:
                continue
            kind = "partial_spearman" if test.held else "spearman"
            found = correlations(part, [test.metric], [test.outcome], test.held, seed=seed)
            n, *numbers = found.set_index("kind").loc[kind, ["n", "value", "low", "high"]]
            rows.append(_row(test, half, n, *numbers))
    return pd.DataFrame([*rows, *_spread_by_adam(settings, seed)])


def _spread_by_adam(settings: pd.DataFrame, seed: int, n_bootstrap: int = 1999) -> list[dict]:
    """H4: how far last errors are apart by Adam, over how far by the paper's descent."""
    wide = settings.pivot(index="setting", columns="recipe", values=LAST)
    errors = wide.reindex(columns=["adam", "paper"]).dropna().to_numpy()
    if len(errors) < FEWEST:
        return []
    test = Test("H4", "ratio of standard deviations", LAST, "below", 0.5, recipe="adam")
    rng = np.random.default_rng(seed)
    samples = errors[rng.integers(len(errors), size=(n_bootstrap, len(errors)))]
    found = [np.divide(*each.std(axis=-2, ddof=1).T) for each in (errors, samples)]
    low, high = np.quantile(found[1], [0.025, 0.975])
    return [_row(test, "all", len(errors), found[0], low, high)]


def _row(test: Test, half: str, n: int, value: float, low: float, high: float) -> dict:
    found = {"half": half, "n": n, "value": value, "low": low, "high": high}
    return asdict(test) | {"held": " ".join(test.held), **found, "verdict": test.verdict(low, high)}
