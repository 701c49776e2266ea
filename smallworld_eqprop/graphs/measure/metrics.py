"""Every scalar metric of a graph in one call, for the tables of studies."""

from __future__ import annotations

import itertools

import numpy as np

from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency
from smallworld_eqprop.graphs.core.arguments import Seed, seeded
from smallworld_eqprop.graphs.core.blocks import (
    block_densities,
)
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.clustering import (
    average_clustering,
    bipartite_clustering,
    transitivity,
)
from smallworld_eqprop.graphs.measure.components import component_sizes, share_of_sizes
from smallworld_eqprop.graphs.measure.degrees import (
    degree_assortativity,
    degree_statistics,
    density,
)
from smallworld_eqprop.graphs.measure.distances import (
    distance_counts,
    local_efficiency,
    mean_distance,
    mean_inverse_distance,
    sample_path_length,
)
from smallworld_eqprop.graphs.measure.flow import edge_disjoint_paths, input_output_resistance
from smallworld_eqprop.graphs.measure.layer_structure import (
    hops_to_output,
    input_output_path_length,
    intralayer_share,
    layer_modularity,
    skip_share,
)
from smallworld_eqprop.graphs.measure.spectra import (
    algebraic_connectivity,
    spectral_gap,
    spectral_radius,
)
from smallworld_eqprop.graphs.measure.walks import (
    input_output_communicability,
    input_output_resolvent,
)
from smallworld_eqprop.graphs.measure.weight_table import weight_metrics

__all__ = ["structure_metrics"]


def structure_metrics(
    graph: Graph, *, seed: Seed = None, n_sources: int | None = None
) -> dict[str, float]:
    """Measure a graph with every scalar metric of the package that needs no null model.

    Parameters
    ----------
    graph : Graph
    seed : int or numpy.random.Generator, optional
        Draws the sources; without effect if `n_sources` is None.
    n_sources : int, optional
        Estimate the path lengths from so many randomly drawn sources, for graphs too large for
        all of them (fewer nodes than that: all). Global efficiency is then left NaN.

    Returns
    -------
    dict of str to float
        By metric, in a fixed order; NaN where a metric is not defined. Each is documented at the
        function of its name. A LayeredGraph has more: ``hidden_output_path_length``,
        ``input_output_path_length``, ``edge_disjoint_paths``, ``input_output_resistance``,
        ``input_output_communicability``, ``input_output_resolvent``, ``hops_to_output``,
        ``skip_share``, ``intralayer_share``, ``layer_modularity`` and ``density_a_b`` for layers a
        and b. A graph with weights also has what `weight_metrics` gives.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, the seed is bad or `n_sources` is below 1.
    """
    adjacency = as_adjacency(graph)
    rng, _ = seeded(seed)
    n_nodes = adjacency.shape[0]

    def path_length(nodes: np.ndarray) -> tuple[float, float]:
        if not len(nodes):
            return float("nan"), float("nan")
        drawn = len(nodes) if n_sources is None else min(n_sources, len(nodes))
        estimate = sample_path_length(adjacency, drawn, seed=rng, nodes=nodes)
        return estimate.value, estimate.standard_error

    degree = degree_statistics(adjacency)
    sizes = component_sizes(adjacency)
    efficiency = float("nan")
    if n_sources is None:
        counts = distance_counts(adjacency)
        whole, error = mean_distance(counts), 0.0 if counts[1:].any() else float("nan")
        efficiency = mean_inverse_distance(counts, n_nodes)
    else:
        whole, error = path_length(np.arange(n_nodes))
    metrics = {
        "n_nodes": float(n_nodes),
        "n_edges": float(adjacency.nnz // 2),
        "density": density(adjacency),
        "n_components": float(len(sizes)),
        "reachable_share": share_of_sizes(sizes),
        "degree_mean": degree.mean,
        "degree_std": degree.std,
        "degree_smallest": degree.smallest,
        "degree_largest": degree.largest,
        "degree_assortativity": degree_assortativity(adjacency),
        "characteristic_path_length": whole,
        "path_length_standard_error": error,
        "global_efficiency": efficiency,
        "local_efficiency": local_efficiency(adjacency),
        "average_clustering": average_clustering(adjacency),
        "transitivity": transitivity(adjacency),
        "bipartite_clustering": bipartite_clustering(adjacency),
        "algebraic_connectivity": algebraic_connectivity(adjacency),
        "spectral_gap": spectral_gap(adjacency),
        "spectral_radius": spectral_radius(adjacency),
    }
    if not isinstance(graph, LayeredGraph):
        return metrics | weight_metrics(graph, seed=rng, n_sources=n_sources)
    hops = hops_to_output(graph)
    metrics["hidden_output_path_length"], _ = path_length(
        np.arange(n_nodes)[graph.layer_sizes[0] :]
    )
    metrics["input_output_path_length"] = input_output_path_length(graph)
    metrics["edge_disjoint_paths"] = float(edge_disjoint_paths(graph))
    metrics["input_output_resistance"] = input_output_resistance(graph)
    metrics["input_output_communicability"] = input_output_communicability(graph)
    metrics["input_output_resolvent"] = input_output_resolvent(graph)
    metrics["hops_to_output"] = float(hops[~np.isnan(hops)].mean())
    metrics["skip_share"] = skip_share(graph)
    metrics["intralayer_share"] = intralayer_share(graph)
    metrics["layer_modularity"] = layer_modularity(graph)
    densities = block_densities(graph)
    for a, b in itertools.combinations_with_replacement(range(graph.n_layers), 2):
        metrics[f"density_{a}_{b}"] = float(densities[a, b])
    return metrics | weight_metrics(graph, seed=rng, n_sources=n_sources)
