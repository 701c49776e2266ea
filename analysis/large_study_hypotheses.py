"""The hypotheses of docs/study-design.md that a correlation decides: test, bound and verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

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
    Test("H7", HOPS, LAST, "above", 0.2, recipe="adjoint"),
)


def _ranks(a: np.ndarray, b: np.ndarray) -> float:
    return float(spearmanr(a, b).statistic)


#: Tests of two recipes: from hops, and last errors by the paper's recipe and by that of the test.
PAIRS: tuple[tuple[Test, Callable[[np.ndarray, np.ndarray, np.ndarray], float]], ...] = (
    (
        Test("H4", "ratio of standard deviations", LAST, "below", 0.5, recipe="adam"),
        lambda hops, paper, other: other.std(ddof=1) / paper.std(ddof=1),  # noqa: ARG005
    ),
    (
        Test("H7", "paper's Spearman less this one", LAST, "above", 0.1, recipe="adjoint"),
        lambda hops, paper, other: _ranks(hops, paper) - _ranks(hops, other),
    ),
    (
        Test("H8", HOPS, "error_lost", "above", 0.3, recipe="six-bit-steps"),
        lambda hops, paper, other: _ranks(hops, other - paper),
    ),
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
        alike = settings.comparable | (test.held != EQUALS)
        own = settings[(settings.recipe == test.recipe) & alike]
        for half, part in own.groupby("half", sort=False):
            if test.metric not in part or part[test.metric].notna().sum() < FEWEST:
                continue
            kind = "partial_spearman" if test.held else "spearman"
            found = correlations(part, [test.metric], [test.outcome], test.held, seed=seed)
            n, *numbers = found.set_index("kind").loc[kind, ["n", "value", "low", "high"]]
            rows.append(_row(test, half, n, *numbers))
    return pd.DataFrame([*rows, *_beside_paper(settings, seed)])


def _beside_paper(settings: pd.DataFrame, seed: int, n_bootstrap: int = 1999) -> list[dict]:
    """The pairs: settings by another recipe beside the same settings by the paper's."""
    errors = settings.pivot(index="setting", columns="recipe", values=LAST)
    if "paper" not in errors:
        return []
    hops = settings[settings.recipe == "paper"].set_index("setting")[HOPS]
    rows = []
    for test, statistic in PAIRS:
        columns = [hops, errors["paper"], errors.get(test.recipe, hops[:0])]
        table = pd.concat(columns, axis=1).dropna().to_numpy()
        if len(table) < FEWEST:
            continue
        rng = np.random.default_rng(seed)
        samples = table[rng.integers(len(table), size=(n_bootstrap, len(table)))]
        found = [statistic(*each.T) for each in samples]
        low, high = np.nanquantile(found, [0.025, 0.975])
        rows.append(_row(test, "all", len(table), statistic(*table.T), low, high))
    return rows


def _row(test: Test, half: str, n: int, value: float, low: float, high: float) -> dict:
    found = {"half": half, "n": n, "value": value, "low": low, "high": high}
    return asdict(test) | {"held": " ".join(test.held), **found, "verdict": test.verdict(low, high)}
