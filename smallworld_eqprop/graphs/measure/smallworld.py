"""Small-world coefficients: a graph placed among random graphs and a lattice.

Four coefficients compare the characteristic path length L and a clustering C of a graph with
their means over null samples, marked rand, and with a lattice, marked latt.

For the spread, every null sample is given its own coefficient in place of the graph. That is the
value to expect from a graph in which nothing but the null model's constraints is at work: about 1
for sigma, and near the random end for the others.
"""

from __future__ import annotations

from concurrent.futures import Executor

import numpy as np

from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.coefficients import FORMULAS, Coefficient, Recipe, coefficient
from smallworld_eqprop.graphs.measure.ensembles import (
    Clustering,
    Measured,
    NullModel,
    Progress,
    check_choices,
    measure,
    measure_nulls,
)

__all__ = [
    "Coefficient",
    "small_world_coefficients",
    "small_world_index",
    "small_world_omega",
    "small_world_propensity",
    "small_world_sigma",
]


def small_world_sigma(
    graph: Graph,
    *,
    seed: Seed = None,
    n_null: int = 10,
    null: NullModel = "degree_preserving",
    clustering: Clustering = "average",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Coefficient:
    r"""Compare clustering and path length with a random graph's, as ratios.

    .. math:: \sigma = \frac{C / C_{rand}}{L / L_{rand}}

    Above 1 for a small world; grows with the size of the graph, so it does not compare graphs of
    different size or density. Released networkx takes transitivity as C here.

    Parameters
    ----------
    graph : Graph
        A LayeredGraph for the null models that keep layer blocks.
    seed : int or numpy.random.Generator, optional
        The same value gives the same result with any executor. Without one, the null samples
        differ from call to call.
    n_null : int, optional
        Number of null samples.
    null : str, optional
        ``degree_preserving``, ``erdos_renyi``, ``layer_blocks`` or ``layer_blocks_with_degrees``.
    clustering : str, optional
        What C is: ``average``, ``transitivity`` or ``bipartite``.
    executor : concurrent.futures.Executor, optional
        Measures the null samples in parallel. A thread pool will do: the work is compiled and
        releases the interpreter lock.
    progress : callable, optional
        Called as ``progress(done, total)`` after every null sample.

    Returns
    -------
    Coefficient
        NaN if the null samples have no clustering, as those that keep the blocks of a layered
        network, where C is the average clustering or transitivity.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, a name is unknown, `n_null` is not at least 1,
        or a null model needs layers that the graph does not have.

    References
    ----------
    Humphries and Gurney, "Network 'small-world-ness'", PLoS ONE 3 (2008),
    doi:10.1371/journal.pone.0002051.
    """
    return _coefficients(
        {"sigma": FORMULAS["sigma"]}, graph, seed, n_null, null, clustering, executor, progress
    )["sigma"]


def small_world_omega(
    graph: Graph,
    *,
    seed: Seed = None,
    n_null: int = 10,
    null: NullModel = "degree_preserving",
    clustering: Clustering = "average",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Coefficient:
    r"""Compare path length with a random graph's and clustering with a lattice's.

    .. math:: \omega = \frac{L_{rand}}{L} - \frac{C}{C_{latt}}

    Near 0 for a small world, towards 1 for a random graph and -1 for a lattice. The lattice keeps
    the degrees: `degree_preserving_lattice`.

    Parameters
    ----------
    graph, seed, n_null, null, clustering, executor, progress
        As in `small_world_sigma`.

    Returns
    -------
    Coefficient

    Raises
    ------
    InputError
        As in `small_world_sigma`.

    References
    ----------
    Telesford et al., "The ubiquity of small-world networks", Brain Connectivity 1 (2011),
    doi:10.1089/brain.2011.0038.
    """
    return _coefficients(
        {"omega": FORMULAS["omega"]}, graph, seed, n_null, null, clustering, executor, progress
    )["omega"]


def small_world_index(
    graph: Graph,
    *,
    seed: Seed = None,
    n_null: int = 10,
    null: NullModel = "degree_preserving",
    clustering: Clustering = "average",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Coefficient:
    r"""Place path length and clustering between random graph and lattice, and multiply.

    .. math:: SWI = \frac{L - L_{latt}}{L_{rand} - L_{latt}} \times
                    \frac{C - C_{rand}}{C_{latt} - C_{rand}}

    1 for a graph as short as random and as clustered as the lattice. The lattice is `ring_lattice`.

    Parameters
    ----------
    graph, seed, n_null, null, clustering, executor, progress
        As in `small_world_sigma`.

    Returns
    -------
    Coefficient

    Raises
    ------
    InputError
        As in `small_world_sigma`.

    References
    ----------
    Neal, "How small is it? Comparing indices of small worldliness", Network Science 5 (2017),
    doi:10.1017/nws.2017.5.
    """
    return _coefficients(
        {"index": FORMULAS["index"]}, graph, seed, n_null, null, clustering, executor, progress
    )["index"]


def small_world_propensity(
    graph: Graph,
    *,
    seed: Seed = None,
    n_null: int = 10,
    null: NullModel = "degree_preserving",
    clustering: Clustering = "average",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Coefficient:
    r"""Measure how far path length and clustering are from their small-world ideals.

    .. math:: \phi = 1 - \sqrt{\frac{\Delta_C^2 + \Delta_L^2}{2}}, \quad
              \Delta_C = \frac{C_{latt} - C}{C_{latt} - C_{rand}}, \quad
              \Delta_L = \frac{L - L_{rand}}{L_{latt} - L_{rand}}

    with both deviations cut to [0, 1]. Comparable across densities. The lattice is `ring_lattice`.

    Parameters
    ----------
    graph, seed, n_null, null, clustering, executor, progress
        As in `small_world_sigma`.

    Returns
    -------
    Coefficient
        Between 0 and 1.

    Raises
    ------
    InputError
        As in `small_world_sigma`.

    References
    ----------
    Muldoon, Bridgeford and Bassett, "Small-world propensity and weighted brain networks",
    Sci. Rep. 6 (2016), doi:10.1038/srep22057.
    """
    return _coefficients(
        {"propensity": FORMULAS["propensity"]},
        graph, seed, n_null, null, clustering, executor, progress,
    )["propensity"]  # fmt: skip


def small_world_coefficients(
    graph: Graph,
    *,
    seed: Seed = None,
    n_null: int = 10,
    null: NullModel = "degree_preserving",
    clustering: Clustering = "average",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> dict[str, Coefficient]:
    """Give all four coefficients from one set of null samples.

    Parameters
    ----------
    graph, seed, n_null, null, clustering, executor, progress
        As in `small_world_sigma`.

    Returns
    -------
    dict of str to Coefficient
        ``sigma``, ``omega``, ``index`` and ``propensity``.

    Raises
    ------
    InputError
        As in `small_world_sigma`.
    """
    return _coefficients(FORMULAS, graph, seed, n_null, null, clustering, executor, progress)


def _coefficients(
    recipes: dict[str, Recipe],
    graph: Graph,
    seed: Seed,
    n_null: int,
    null: str,
    clustering: str,
    executor: Executor | None,
    progress: Progress | None,
) -> dict[str, Coefficient]:
    rng, _ = seeded(seed)
    check_choices(null, clustering, n_null)
    graph = graph if isinstance(graph, LayeredGraph) else as_adjacency(graph)
    lattices = sorted({recipe.lattice for recipe in recipes.values() if recipe.lattice})
    samples = measure_nulls(
        graph, [*lattices, *[null] * n_null], clustering, rng, executor, progress
    )
    references = dict(zip(lattices, samples, strict=False))
    nulls = samples[len(lattices) :]
    rand = Measured(
        float(np.mean([sample.path_length for sample in nulls])),
        float(np.mean([sample.clustering for sample in nulls])),
        all(sample.mixed for sample in nulls),
    )
    observed = measure(graph, clustering, True)
    return {
        name: coefficient(
            recipe.formula, observed, nulls, rand, references.get(recipe.lattice or "", rand)
        )
        for name, recipe in recipes.items()
    }
