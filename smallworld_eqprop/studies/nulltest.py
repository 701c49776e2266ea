"""Is a graph better than its nulls? A permutation test with effect size and interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.parts import Repeats, check_type
from smallworld_eqprop.studies.outcomes import judged_by

__all__ = ["NullTest", "against_nulls"]

NEEDS = 'needs a study with a topology of kind "null" and a grid over sample'


@dataclass(frozen=True)
class NullTest:
    """A graph among samples of its null model.

    Attributes
    ----------
    outcome : str
    graph : float
        Outcome of the graph, the mean over its seeds.
    nulls : tuple of float
        Outcome of every sample, means over the same seeds.
    difference : float
        Outcome of the graph minus the mean of the nulls.
    low, high : float
        Interval of the difference, from resampling nulls and seeds.
    level : float
        Of the interval.
    effect : float
        Difference over the standard deviation of the nulls; NaN where all nulls are alike.
    p : float
        Two-sided: how often a null lies as far from the mean of all as the graph does, the graph
        counted among them.
    """

    outcome: str
    graph: float
    nulls: tuple[float, ...]
    difference: float
    low: float
    high: float
    level: float
    effect: float
    p: float

    def __str__(self) -> str:
        n = len(self.nulls)
        return (
            f"{self.outcome}: graph {self.graph:.4g}, {n} nulls {np.mean(self.nulls):.4g} "
            f"(sd {np.std(self.nulls, ddof=1):.2g}); difference {self.difference:+.3g} "
            f"({100 * self.level:.0f} % interval {self.low:+.3g} to {self.high:+.3g}), effect "
            f"{self.effect:+.2f} sd, p = {self.p:.3g} (least possible with {n} nulls "
            f"{1 / (n + 1):.2g})"
        )


def against_nulls(
    runs: pd.DataFrame,
    outcome: str | None = None,
    *,
    level: float = 0.95,
    resamples: int = 10_000,
    seed: int | np.random.Generator = 0,
) -> NullTest:
    """Test whether a graph has another outcome than its nulls.

    Under the hypothesis that the graph is one more sample of its null model, each place of its
    outcome among all is equally probable: p is the share of outcomes that lie at least as far from
    their mean. Seeds of one graph are averaged first.

    Parameters
    ----------
    runs : DataFrame
        From `Store.runs` of a study over ``sample``, 0 being the graph, see `NullOf`; every sample
        with the same seeds.
    outcome : str, optional
        Column to compare. When left out ``final_validation_error`` where there is one, and
        ``final_test_error`` otherwise.
    level : float
        Of the interval.
    resamples : int
    seed : int or numpy.random.Generator
        Of resampling.

    Returns
    -------
    NullTest

    Raises
    ------
    InputError
        If columns are missing, there is no graph or fewer than two nulls, their seeds differ, or
        runs differ in more than sample and seed.

    References
    ----------
    B. Phipson and G. K. Smyth, "Permutation p-values should never be zero", Stat. Appl. Genet.
    Mol. Biol. 9:39, 2010, doi:10.2202/1544-6115.1585.
    """
    outcome = outcome or f"final_{judged_by(runs, 'final_')}_error"
    for column in ("sample", "seed", outcome):
        if column not in runs.columns:
            known = [name for name in runs.columns if str(name).startswith(("final_", "epoch1_"))]
            hint = nearest(column, known) if column == outcome else NEEDS
            raise InputError(f"runs: no column {column!r}; {hint}")
    check_type("resamples", resamples, Repeats)
    if not 0 < level < 1:
        raise InputError(f"level: {level}, must be between 0 and 1")
    if (again := runs.duplicated(["sample", "seed"])).any():
        sample, seen = runs.loc[again, ["sample", "seed"]].iloc[0]
        raise InputError(
            f"runs: sample {sample} with seed {seen} is there twice; give the runs of one null "
            "model and one setting"
        )
    table = runs.pivot_table(index="sample", columns="seed", values=outcome, dropna=False)
    if table.isna().to_numpy().any():
        missing = table.index[table.isna().any(axis=1)].tolist()
        raise InputError(f"runs: samples {missing} lack some seeds; finish the sweep first")
    if 0 not in table.index or len(table) < 3:
        raise InputError(
            f"runs: samples {table.index.tolist()}; needs 0, the graph, and two nulls or more"
        )
    own, others = table.loc[0].to_numpy(float), table.drop(index=0).to_numpy(float)
    means = others.mean(axis=1)
    graph, difference = float(own.mean()), float(own.mean() - means.mean())
    every = np.append(means, graph)
    far = np.abs(every - every.mean())
    p = float((far >= far[-1] - 1e-12 * (1 + far[-1])).mean())
    rng = np.random.default_rng(seed)
    seeds = rng.integers(len(own), size=(resamples, len(own)))
    drawn = rng.integers(len(means), size=(resamples, len(means)))
    # The same seeds for graph and nulls: they share initial weights and order.
    spread = own[seeds].mean(axis=1) - np.array(
        [others[rows][:, columns].mean() for rows, columns in zip(drawn, seeds, strict=True)]
    )
    low, high = np.quantile(spread, [(1 - level) / 2, (1 + level) / 2])
    deviation = float(np.std(means, ddof=1))
    # Nulls that are alike may differ in the last digits.
    differ = deviation > 1e-12 * np.abs(means).max()
    effect = difference / deviation if differ else float("nan")
    return NullTest(
        outcome, graph, tuple(means.tolist()), difference, float(low), float(high), level, effect, p
    )
