"""Which measure ranks the outcome, over the settings of a study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.studies.correlation import FEWEST_ROWS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Ranked", "Ranking", "rank_measures"]

Array = npt.NDArray[np.float64]

#: Permutations of the outcome, and resamples of the settings.
RESAMPLES = 999
#: Measures of which the interval is computed.
SHOWN = 8


@dataclass(frozen=True)
class Ranked:
    """A column against the outcome.

    Attributes
    ----------
    column : str
    n : int
        Settings.
    value : float
        Spearman's rank correlation over settings.
    low, high : float
        95 % interval, percentiles over resamples of the settings.
    null_low, null_high : float
        Between them lie 95 % of the correlations after permutations of the outcome.
    """

    column: str
    n: int
    value: float
    low: float
    high: float
    null_low: float
    null_high: float


@dataclass(frozen=True)
class Ranking:
    """Columns by how well they rank the outcome, the best first.

    Attributes
    ----------
    ranked : tuple of Ranked
        At most eight.
    n_settings, n_compared : int
        Settings, and columns that were compared.
    within : bool
        Whether the outcome was permuted within families only.
    p : float
        Share of the permutations in which the best of all columns is as good as the best is here.
    null_best : float
        In 95 % of the permutations the best of all columns stays below.
    why_not : str
        Why nothing is ranked; empty where something is.
    """

    ranked: tuple[Ranked, ...] = ()
    n_settings: int = 0
    n_compared: int = 0
    within: bool = False
    p: float = float("nan")
    null_best: float = float("nan")
    why_not: str = ""


def rank_measures(
    settings: pd.DataFrame, columns: Sequence[str], outcome: str, family: str = "family"
) -> Ranking:
    """Rank columns by their rank correlation with the outcome.

    Parameters
    ----------
    settings : DataFrame
        One row per setting.
    columns : sequence of str
        Numeric; those that do not vary, or are undefined for a setting, are left out.
    outcome : str
    family : str
        The column within whose values the outcome is permuted, if it is there and each of enough
        settings shares its value with another; otherwise it is permuted among all settings.
    """
    settings = settings[np.isfinite(settings[outcome].to_numpy(float))]
    n = len(settings)
    if n < FEWEST_ROWS:
        return Ranking(
            n_settings=n,
            why_not=f"{n} settings are too few for a rank correlation; {FEWEST_ROWS} are needed",
        )
    if settings[outcome].nunique() < 2:
        return Ranking(n_settings=n, why_not="the outcome is the same in all settings")
    values = {name: settings[name].to_numpy(float) for name in columns}
    values = {
        name: column
        for name, column in values.items()
        if np.isfinite(column).all() and np.ptp(column) > 1e-9 * np.abs(column).max()
    }
    if not values:
        return Ranking(n_settings=n, why_not="no measure differs between the settings")
    generator = np.random.default_rng(0)
    target = settings[outcome].to_numpy(float)
    ranks, aims = np.array([_ranks(column) for column in values.values()]), _ranks(target)
    found = ranks @ aims
    groups = _groups(settings, family)
    order = np.tile(np.arange(n), (RESAMPLES, 1))
    for group in groups:
        order[:, group] = generator.permuted(order[:, group], axis=1)
    null = aims[order] @ ranks.T
    best = np.abs(null).max(axis=1)
    first = np.argsort(-np.abs(found), kind="stable")[:SHOWN]
    null_low, null_high = np.quantile(null[:, first], [0.025, 0.975], axis=0)
    counts = generator.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    names = list(values)
    ranked = tuple(
        Ranked(
            names[i],
            n,
            float(found[i]),
            *_interval(values[names[i]], target, counts),
            float(null_low[at]),
            float(null_high[at]),
        )
        for at, i in enumerate(first)
    )
    as_good = int((best >= abs(ranked[0].value) - 1e-12).sum())
    return Ranking(
        ranked,
        n,
        len(values),
        len(groups) > 1,
        (1 + as_good) / (1 + RESAMPLES),
        float(np.quantile(best, 0.95)),
    )


def _groups(settings: pd.DataFrame, family: str) -> list[npt.NDArray[np.intp]]:
    """Rows among which the outcome is permuted."""
    if family in settings:
        numbers = settings.groupby(family, dropna=False).ngroup().to_numpy()
        groups = [np.flatnonzero(numbers == number) for number in range(numbers.max() + 1)]
        if sum(len(group) for group in groups if len(group) > 1) >= FEWEST_ROWS:
            return groups
    return [np.arange(len(settings))]


def _ranks(values: Array) -> Array:
    """Ranks, centred and of length 1, so that a product is a correlation."""
    (ranks,) = _mid_ranks(values, np.ones((1, len(values)), int))
    return ranks / np.sqrt((ranks**2).sum())


def _interval(x: Array, y: Array, counts: npt.NDArray[np.int64]) -> tuple[float, float]:
    """95 % of the rank correlations of resamples, given as how often each row is drawn."""
    a, b = _mid_ranks(x, counts), _mid_ranks(y, counts)
    size = np.sqrt((counts * a * a).sum(axis=1) * (counts * b * b).sum(axis=1))
    product = (counts * a * b).sum(axis=1)
    values = np.divide(product, size, out=np.zeros_like(product), where=size > 0)
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def _mid_ranks(values: Array, counts: npt.NDArray[np.int64]) -> Array:
    """Rank of every value in every resample, less the mean rank.

    A value that is drawn c times after b smaller ones has the rank b + (c + 1) / 2. Counting
    is many times as fast as sorting every resample.
    """
    _, group = np.unique(values, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    drawn = np.add.reduceat(counts[:, order], starts, axis=1)
    rank = np.cumsum(drawn, axis=1) - drawn + (drawn + 1) / 2
    return rank[:, group] - (counts.shape[1] + 1) / 2
