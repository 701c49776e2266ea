"""Mean performance in bins of structure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.parts import Repeats, check_type
from smallworld_eqprop.studies.correlation import check_numeric

__all__ = ["binned_means"]


def binned_means(
    table: pd.DataFrame,
    metrics: str | Sequence[str],
    outcome: str,
    *,
    bins: int = 8,
    edges: Literal["width", "quantile"] = "width",
) -> pd.DataFrame:
    """Mean of an outcome in bins of one or more metrics.

    Averages over networks of like structure, as You et al. do in the plane of clustering and path
    length, so that a trend that is neither straight nor monotonic shows.

    Parameters
    ----------
    table : DataFrame
        One row per run or setting. Rows with a value that is NaN or infinite are left out.
    metrics : str or sequence of str
        Numeric columns to bin by.
    outcome : str
        Numeric column to average.
    bins : int
        Bins along each metric.
    edges : {"width", "quantile"}
        Bins of equal width, or bins that hold equally many rows (fewer bins where many rows have
        the same value).

    Returns
    -------
    DataFrame
        One row per bin that holds anything: for every metric its mean as ``<metric>`` and the
        edges ``<metric>_low`` and ``<metric>_high``; ``outcome``, ``n``, ``mean``, ``std`` and
        ``sem`` (standard error), NaN for n = 1. A bin holds its upper edge, the first one its lower
        edge too.

    Raises
    ------
    InputError
        If a column is missing or not numeric, or the number of bins is not usable.

    References
    ----------
    .. [1] J. You, J. Leskovec, K. He and S. Xie, "Graph structure of neural networks", ICML 2020.
       https://doi.org/10.48550/arXiv.2007.06559

    Examples
    --------
    >>> table = pd.DataFrame({"metric_L": [1, 2, 3, 4], "error": [0.4, 0.2, 0.2, 0.6]})
    >>> binned_means(table, "metric_L", "error", bins=2)[["metric_L", "n", "mean"]]
       metric_L  n  mean
    0       1.5  2   0.3
    1       3.5  2   0.4
    """
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    check_type("bins", bins, Repeats)
    if edges not in ("width", "quantile"):
        raise InputError(f"edges: {edges!r}, allowed: width, quantile")
    check_numeric(table, (*names, outcome))
    part = table[[*names, outcome]].replace([np.inf, -np.inf], np.nan).dropna()
    numbers, sides = {}, {}
    for name in names:
        values = part[name].to_numpy(float)
        sides[name] = _edges(values, bins, edges)
        # The first bin holds its lower edge too.
        numbers[name] = np.maximum(np.searchsorted(sides[name], values) - 1, 0)
    grouped = part.groupby([pd.Series(numbers[name], part.index, name=name) for name in names])
    binned = grouped[names].mean()
    for position, name in enumerate(names):
        number = binned.index.get_level_values(position).to_numpy()
        binned[f"{name}_low"] = sides[name][number]
        binned[f"{name}_high"] = sides[name][np.minimum(number + 1, len(sides[name]) - 1)]
    binned["outcome"] = outcome
    statistics = grouped[outcome].agg(n="size", mean="mean", std="std", sem="sem")
    return binned.join(statistics).reset_index(drop=True)


def _edges(values: npt.NDArray[np.float64], bins: int, edges: str) -> npt.NDArray[np.float64]:
    """Edges of the bins, ascending; a single one where all values are equal."""
    if not values.size:
        return np.zeros(1)
    if edges == "quantile":
        return np.unique(np.quantile(values, np.linspace(0, 1, bins + 1)))
    return np.unique(np.linspace(values.min(), values.max(), bins + 1))
