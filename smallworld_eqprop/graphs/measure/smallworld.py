"""Small-world coefficients: a graph placed among random graphs and a lattice.

Four coefficients compare the characteristic path length L and a clustering C of a graph with
their means over null samples, marked rand, and with a lattice, marked latt.

For the spread, every null sample is given its own coefficient in place of the graph. That is the
value to expect from a graph in which nothing but the null model's constraints is at work: about 1
for sigma, and near the random end for the others.
"""

from __future__ import annotations

from concurrent.futures import Executor

from smallworld_eqprop.graphs.core.adjacency import Graph
from smallworld_eqprop.graphs.core.arguments import Seed
from smallworld_eqprop.graphs.measure.coefficients import FORMULAS, Coefficient
from smallworld_eqprop.graphs.measure.comparison import Settings, compared
from smallworld_eqprop.graphs.measure.ensembles import (
    Clustering,
    Disconnected,
    Progress,
)
from smallworld_eqprop.graphs.nulls.names import NullModel

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
    connected: bool = True,
    disconnected: Disconnected = "undefined",
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
        ``degree_preserving``, ``erdos_renyi``, ``strength_preserving``, ``shuffled_weights`` (the
        same edges), ``geometry_preserving``, or, within the blocks of layers, ``layer_blocks``,
        ``layer_blocks_with_degrees``, ``layer_blocks_with_strengths``,
        ``layer_blocks_with_weights`` or ``layer_blocks_with_geometry``.
    clustering : str, optional
        What C is: ``average``, ``transitivity`` or ``bipartite``.
    connected : bool, optional
        Whether the null samples of a connected graph have to be connected, as in networkx. Without
        effect on the null models of layers.
    disconnected : str, optional
        What to do where the graph or a null sample is not connected, because L then does not
        describe the graph as a whole. ``undefined``: the coefficient is NaN. ``harmonic``: L is the
        harmonic mean of all distances, to which pairs without a path add nothing.
        ``largest_component``: the graph, and every null sample, is its largest component.
    executor : concurrent.futures.Executor, optional
        Measures the null samples in parallel. A thread pool will do: the work is compiled and
        releases the interpreter lock.
    progress : callable, optional
        Called as ``progress(done, total)`` after every null sample.

    Returns
    -------
    Coefficient
        NaN, with the reason, if the graph or a null sample is not connected, and if the null
        samples have no clustering, as those that keep the blocks of a layered network, where C is
        the average clustering or transitivity.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, a name is unknown, `n_null` is not at least 1,
        or a null model needs layers that the graph, or its largest component, does not have.

    References
    ----------
    Humphries and Gurney, "Network 'small-world-ness'", PLoS ONE 3 (2008),
    doi:10.1371/journal.pone.0002051.
    """
    settings = Settings(n_null, clustering, connected, disconnected, executor, progress)
    return compared(["sigma"], graph, seed, null, settings)["sigma"]


def small_world_omega(
    graph: Graph,
    *,
    seed: Seed = None,
    n_null: int = 10,
    null: NullModel = "degree_preserving",
    clustering: Clustering = "average",
    connected: bool = True,
    disconnected: Disconnected = "undefined",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Coefficient:
    r"""Compare path length with a random graph's and clustering with a lattice's.

    .. math:: \omega = \frac{L_{rand}}{L} - \frac{C}{C_{latt}}

    Near 0 for a small world, towards 1 for a random graph and -1 for a lattice. :math:`C_{latt}` is
    that of the most clustered graph known with the same degrees: `degree_preserving_lattice` or,
    where this is less clustered, the graph itself, as in networkx. So omega is never below -1. It
    is above 1 only for graphs with next to no clustering and shorter paths than the null samples.

    Parameters
    ----------
    graph, seed, n_null, null, clustering, connected, disconnected, executor, progress
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
    settings = Settings(n_null, clustering, connected, disconnected, executor, progress)
    return compared(["omega"], graph, seed, null, settings)["omega"]


def small_world_index(
    graph: Graph,
    *,
    seed: Seed = None,
    n_null: int = 10,
    null: NullModel = "degree_preserving",
    clustering: Clustering = "average",
    connected: bool = True,
    disconnected: Disconnected = "undefined",
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Coefficient:
    r"""Place path length and clustering between random graph and lattice, and multiply.

    .. math:: SWI = \frac{L - L_{latt}}{L_{rand} - L_{latt}} \times
                    \frac{C - C_{rand}}{C_{latt} - C_{rand}}

    1 for a graph as short as random and as clustered as the lattice. The lattice is `ring_lattice`.
    NaN where the lattice is not longer and more clustered than the null samples.

    Parameters
    ----------
    graph, seed, n_null, null, clustering, connected, disconnected, executor, progress
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
    settings = Settings(n_null, clustering, connected, disconnected, executor, progress)
    return compared(["index"], graph, seed, null, settings)["index"]


def small_world_propensity(
    graph: Graph,
    *,
    seed: Seed = None,
    n_null: int = 10,
    null: NullModel = "erdos_renyi",
    clustering: Clustering = "average",
    connected: bool = True,
    disconnected: Disconnected = "undefined",
    weighted: bool = True,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> Coefficient:
    r"""Measure how far path length and clustering are from their small-world ideals.

    .. math:: \phi = 1 - \sqrt{\frac{\Delta_C^2 + \Delta_L^2}{2}}, \quad
              \Delta_C = \frac{C_{latt} - C}{C_{latt} - C_{rand}}, \quad
              \Delta_L = \frac{L - L_{rand}}{L_{latt} - L_{rand}}

    with both deviations cut to [0, 1]. Comparable across densities. As in the paper, weights count:
    an edge is as long as 1 / weight, and C is that of Onnela et al. The null samples permute the
    entries of the matrix above the diagonal, which is `erdos_renyi` with the weights dealt out at
    random. The lattice is `ring_lattice`, the largest weights on its shortest edges.

    Parameters
    ----------
    graph, seed, n_null, clustering, connected, disconnected, executor, progress
        As in `small_world_sigma`.
    null : str, optional
        As in `small_world_sigma`. Weights are dealt out at random by the null models that do not
        place them: `erdos_renyi`, `degree_preserving`, `layer_blocks`, `layer_blocks_with_degrees`.
    weighted : bool, optional
        False: every edge counts the same. Weights that are all equal change nothing.

    Returns
    -------
    Coefficient
        Between 0 and 1. NaN also where the lattice is not longer and more clustered than the null
        samples, as for stars and trees.

    Raises
    ------
    InputError
        As in `small_world_sigma`; also if weights count and some are negative or missing, or
        `clustering` is not ``average``.

    References
    ----------
    Muldoon, Bridgeford and Bassett, "Small-world propensity and weighted brain networks",
    Sci. Rep. 6 (2016), doi:10.1038/srep22057.
    Clustering: Onnela et al., "Intensity and coherence of motifs in weighted complex networks",
    Phys. Rev. E 71 (2005), doi:10.1103/PhysRevE.71.065103.
    """
    settings = Settings(n_null, clustering, connected, disconnected, executor, progress)
    return compared(["propensity"], graph, seed, null, settings, weighted=weighted)["propensity"]


def small_world_coefficients(
    graph: Graph,
    *,
    seed: Seed = None,
    n_null: int = 10,
    null: NullModel | None = None,
    clustering: Clustering = "average",
    connected: bool = True,
    disconnected: Disconnected = "undefined",
    weighted: bool = True,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> dict[str, Coefficient]:
    """Give all four coefficients, from as few null samples as they can share.

    Parameters
    ----------
    graph, seed, n_null, clustering, connected, disconnected, executor, progress
        As in `small_world_sigma`.
    null : str, optional
        As in `small_world_sigma`; by default that of each coefficient's own function.
    weighted : bool, optional
        As in `small_world_propensity`; the other three do not use weights.

    Returns
    -------
    dict of str to Coefficient
        ``sigma``, ``omega``, ``index`` and ``propensity``.

    Raises
    ------
    InputError
        As in `small_world_sigma` and `small_world_propensity`.
    """
    settings = Settings(n_null, clustering, connected, disconnected, executor, progress)
    return compared(list(FORMULAS), graph, seed, null, settings, weighted=weighted)
