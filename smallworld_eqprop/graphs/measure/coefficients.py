"""The formulas of the small-world coefficients, where they are defined, and their spread."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np

from smallworld_eqprop.graphs.measure.ensembles import Measured

__all__ = ["FORMULAS", "Coefficient", "Recipe", "why_undefined"]

Formula: TypeAlias = Callable[[Measured, Measured, Measured], float]
# Values that differ by less than this share are taken as equal.
ROUNDING = 1e-9
CHOICE = "choose the convention harmonic or largest_component (disconnected)"


@dataclass(frozen=True)
class Coefficient:
    """A small-world coefficient, where the null samples lie, and what it was compared with.

    Attributes
    ----------
    value : float
        The coefficient of the graph; NaN where it is not defined, see `reason`.
    null_mean, null_std : float
        Mean and (sample) standard deviation of the null samples' own coefficients.
    z_score : float
        (value - null_mean) / null_std; NaN when the null samples do not differ.
    n_null : int
        Number of null samples.
    mixed : bool
        Whether every null sample reached its mixing criterion and the lattice, where one is used,
        settled.
    null : str
        The null model.
    connected : bool
        Whether only connected null samples were drawn.
    lattice : str or None
        The lattice, where the coefficient has one.
    settled : bool
        Whether the lattice settled.
    weighted : bool
        Whether weights counted.
    disconnected : str
        The convention for graphs that are not connected: ``undefined``, ``harmonic`` or
        ``largest_component``.
    reachable_share, null_reachable_share : float
        Share of the pairs of nodes joined by a path, in the graph and, as a mean, in the null
        samples; see `reachable_share`.
    reason : str
        Why the value is NaN; empty where it is not.
    seed : int or None
        Gives the same result again; drawn if none was given, None for a generator.
    """

    value: float
    null_mean: float
    null_std: float
    z_score: float
    n_null: int
    mixed: bool
    null: str = ""
    connected: bool = False
    lattice: str | None = None
    settled: bool = True
    weighted: bool = False
    disconnected: str = "undefined"
    reachable_share: float = 1.0
    null_reachable_share: float = 1.0
    reason: str = ""
    seed: int | None = None


def _sigma(graph: Measured, rand: Measured, _: Measured) -> float:
    return (graph.clustering / rand.clustering) / (graph.path_length / rand.path_length)


def _omega(graph: Measured, rand: Measured, lattice: Measured) -> float:
    return rand.path_length / graph.path_length - graph.clustering / lattice.clustering


def _index(graph: Measured, rand: Measured, lattice: Measured) -> float:
    short = (graph.path_length - lattice.path_length) / (rand.path_length - lattice.path_length)
    return short * (graph.clustering - rand.clustering) / (lattice.clustering - rand.clustering)


def _propensity(graph: Measured, rand: Measured, lattice: Measured) -> float:
    deviations = np.clip(
        [
            (lattice.clustering - graph.clustering) / (lattice.clustering - rand.clustering),
            (graph.path_length - rand.path_length) / (lattice.path_length - rand.path_length),
        ],
        0,
        1,
    )
    return float(1 - np.sqrt((deviations**2).mean()))


class Recipe(NamedTuple):
    """A formula, the lattice it compares with, if any, and what its own null model is.

    `between` says whether the formula places the graph between the null samples and the lattice,
    for which the lattice has to be longer and more clustered than they are.
    """

    formula: Formula
    lattice: str | None
    null: str
    between: bool = False


FORMULAS = {
    "sigma": Recipe(_sigma, None, "degree_preserving"),
    "omega": Recipe(_omega, "degree_preserving_lattice", "degree_preserving"),
    "index": Recipe(_index, "ring_lattice", "degree_preserving", between=True),
    "propensity": Recipe(_propensity, "ring_lattice", "erdos_renyi", between=True),
}


def why_undefined(
    recipe: Recipe,
    observed: Measured,
    nulls: Sequence[Measured],
    rand: Measured,
    lattice: Measured,
    disconnected: str,
) -> str:
    """Say why a coefficient is not defined; nothing where it is."""
    if disconnected == "undefined":
        if not observed.connected:
            return (
                f"the graph is not connected ({observed.reachable_share:.1%} of its pairs of nodes "
                f"are joined by a path); {CHOICE}"
            )
        broken = sum(not each.connected for each in nulls)
        if broken:
            return f"{broken} of {len(nulls)} null samples are not connected; {CHOICE}"
    for each, name in ((observed, "the graph has"), (rand, "the null samples have")):
        if math.isnan(each.path_length):
            return f"{name} no path"
        if math.isnan(each.clustering):
            return f"{name} no clustering: there is nothing that could be closed"
    if recipe.between:
        if lattice.clustering <= rand.clustering * (1 + ROUNDING):
            return "the lattice is not more clustered than the null samples"
        if lattice.path_length <= rand.path_length * (1 + ROUNDING):
            return "paths in the lattice are not longer than in the null samples"
    elif not (lattice if recipe.lattice else rand).clustering:
        return f"the {'lattice has' if recipe.lattice else 'null samples have'} no clustering"
    return ""
