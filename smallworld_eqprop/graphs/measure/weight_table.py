"""All measures of the weights of a graph in one call, for the tables of studies."""

from __future__ import annotations

import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import Graph, weights_as_given
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.distances import ratio_estimate
from smallworld_eqprop.graphs.measure.layer_structure import input_output_path_length
from smallworld_eqprop.graphs.measure.weighted import (
    onnela_by_node,
    strengths_of,
    zhang_by_node,
)
from smallworld_eqprop.graphs.measure.weighted_paths import path_sums

__all__ = ["weight_metrics"]

NAMES = (
    "strength_mean",
    "strength_std",
    "negative_share",
    "weighted_clustering",
    "zhang_clustering",
    "weighted_path_length",
    "weighted_path_length_standard_error",
    "weighted_efficiency",
)
LAYERED = ("weighted_input_output_path_length",)


def weight_metrics(
    graph: Graph, *, seed: Seed = None, n_sources: int | None = None
) -> dict[str, float]:
    """Compute all measures of the weights of a graph, with signs where a measure uses them.

    Parameters
    ----------
    graph : Graph
        Weights may be negative.
    seed : int or numpy.random.Generator, optional
        Draws the sources; without effect if `n_sources` is None.
    n_sources : int, optional
        Estimate path length and efficiency from so many randomly drawn sources, as in
        `sample_path_length` (fewer nodes than that: all). The time of all sources grows with nodes
        times edges; of the 3 x 500 network they take a minute.

    Returns
    -------
    dict of str to float
        Empty where there are no weights, or all are 1; all NaN where some edges have no weight.
        ``strength_mean`` and ``strength_std`` of the nodes' sums of absolute weights, see
        `strengths`; ``negative_share``, the share of the absolute weights that is negative;
        ``weighted_clustering`` (`average_clustering`), `zhang_clustering`;
        ``weighted_path_length``, its standard error, ``weighted_efficiency`` and, of a
        LayeredGraph, ``weighted_input_output_path_length``, the functions of these names with
        ``weighted=True``.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, the seed is bad or `n_sources` is below 1.

    Examples
    --------
    >>> found = weight_metrics(np.array([[0, 1, 0], [1, 0, -0.5], [0, -0.5, 0]]))
    >>> found["strength_mean"], found["weighted_path_length"]
    (1.0, 2.0)
    """
    weights = weights_as_given(graph, signed=True)
    rng, seed = seeded(seed)
    if n_sources is not None and n_sources < 1:
        raise InputError(f"n_sources: {n_sources}; give at least 1")
    if (weights.data == 1).all():
        return {}
    layered = isinstance(graph, LayeredGraph)
    if np.isnan(weights.data).any():
        return dict.fromkeys((*NAMES, *LAYERED) if layered else NAMES, float("nan"))
    n_nodes = weights.shape[0]
    found = strengths_of(weights)
    total = found.total
    drawn, sources = n_nodes, None
    if n_sources is not None and n_sources < n_nodes:
        drawn, sources = n_sources, rng.choice(n_nodes, n_sources, replace=False, shuffle=False)
    paths = path_sums(weights, sources)
    length = ratio_estimate(paths.sums, paths.reached, n_nodes, seed)
    values = (
        total.mean(),
        total.std(),
        found.negative.sum() / total.sum(),
        onnela_by_node(weights).mean(),
        zhang_by_node(weights).mean(),
        length.value,
        length.standard_error,
        paths.inverse.sum() / (drawn * (n_nodes - 1)),
    )
    metrics = {name: float(value) for name, value in zip(NAMES, values, strict=True)}
    if isinstance(graph, LayeredGraph):
        metrics[LAYERED[0]] = input_output_path_length(graph, weighted=True)
    return metrics
