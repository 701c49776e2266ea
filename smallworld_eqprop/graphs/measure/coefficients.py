"""The formulas of the small-world coefficients, and one coefficient with its spread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from smallworld_eqprop.graphs.measure.ensembles import Measured

__all__ = ["FORMULAS", "Coefficient", "Recipe", "coefficient"]

Formula: TypeAlias = Callable[[Measured, Measured, Measured], float]


@dataclass(frozen=True)
class Coefficient:
    """A small-world coefficient and where the null samples lie.

    Attributes
    ----------
    value : float
        The coefficient of the graph; NaN where a denominator is 0.
    null_mean, null_std : float
        Mean and (sample) standard deviation of the null samples' own coefficients.
    z_score : float
        (value - null_mean) / null_std; NaN when the null samples do not differ.
    n_null : int
        Number of null samples.
    mixed : bool
        Whether every null sample, and the lattice where one is used, reached its mixing criterion.
    """

    value: float
    null_mean: float
    null_std: float
    z_score: float
    n_null: int
    mixed: bool


def _sigma(graph: Measured, rand: Measured, _: Measured) -> float:
    return _ratio(
        _ratio(graph.clustering, rand.clustering), _ratio(graph.path_length, rand.path_length)
    )


def _omega(graph: Measured, rand: Measured, lattice: Measured) -> float:
    return _ratio(rand.path_length, graph.path_length) - _ratio(
        graph.clustering, lattice.clustering
    )


def _index(graph: Measured, rand: Measured, lattice: Measured) -> float:
    short = _ratio(graph.path_length - lattice.path_length, rand.path_length - lattice.path_length)
    return short * _ratio(graph.clustering - rand.clustering, lattice.clustering - rand.clustering)


def _propensity(graph: Measured, rand: Measured, lattice: Measured) -> float:
    deviations = np.clip(
        [
            _ratio(lattice.clustering - graph.clustering, lattice.clustering - rand.clustering),
            _ratio(graph.path_length - rand.path_length, lattice.path_length - rand.path_length),
        ],
        0,
        1,
    )
    return float(1 - np.sqrt((deviations**2).mean()))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator else float("nan")


class Recipe(NamedTuple):
    """A formula and the lattice it compares with, if any."""

    formula: Formula
    lattice: str | None


FORMULAS = {
    "sigma": Recipe(_sigma, None),
    "omega": Recipe(_omega, "degree_preserving_lattice"),
    "index": Recipe(_index, "ring_lattice"),
    "propensity": Recipe(_propensity, "ring_lattice"),
}


def coefficient(
    formula: Formula,
    observed: Measured,
    nulls: Sequence[Measured],
    rand: Measured,
    lattice: Measured,
) -> Coefficient:
    """Put the graph, then every null sample, into a formula."""
    value = formula(observed, rand, lattice)
    own = np.array([formula(sample, rand, lattice) for sample in nulls])
    mean = float(own.mean())
    std = float(own.std(ddof=1)) if len(own) > 1 else float("nan")
    return Coefficient(
        value, mean, std, _ratio(value - mean, std), len(own), rand.mixed and lattice.mixed
    )
