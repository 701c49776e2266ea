"""Ensembles of null samples, drawn and measured one by one or in parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.adjacency import (
    Graph,
    adjacency_from_edges,
    as_adjacency,
    edges_of,
)
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.clustering import (
    average_clustering,
    bipartite_clustering,
    transitivity,
)
from smallworld_eqprop.graphs.measure.components import (
    component_sizes,
    largest_component,
    share_of_sizes,
)
from smallworld_eqprop.graphs.measure.distances import (
    characteristic_path_length,
    global_efficiency,
)
from smallworld_eqprop.graphs.measure.weighted import dealt, onnela_clustering, sorted_by_distance
from smallworld_eqprop.graphs.measure.weighted_paths import mean_inverse_path, mean_path
from smallworld_eqprop.graphs.nulls.lattices import degree_preserving_lattice, ring_lattice
from smallworld_eqprop.graphs.nulls.named import NULL_MODELS
from smallworld_eqprop.graphs.nulls.names import CONNECTABLE, PLACE_WEIGHTS
from smallworld_eqprop.graphs.nulls.samples import NullSample
from smallworld_eqprop.memory import require_memory
from smallworld_eqprop.parts import Repeats, check_type

__all__ = ["CLUSTERINGS", "NULL_MODELS"]

Clustering: TypeAlias = Literal["average", "transitivity", "bipartite"]
Disconnected: TypeAlias = Literal["undefined", "harmonic", "largest_component"]
Progress: TypeAlias = Callable[[int, int], None]

LATTICES: dict[str, Callable[..., NullSample]] = {
    "degree_preserving_lattice": degree_preserving_lattice,
    "ring_lattice": ring_lattice,
}
CLUSTERINGS: dict[str, Callable[..., float]] = {
    "average": average_clustering,
    "transitivity": transitivity,
    "bipartite": bipartite_clustering,
}
#: Of the generator of random numbers that every sample has.
BYTES_PER_SAMPLE = 1600
CONVENTIONS = ("undefined", "harmonic", "largest_component")


class Measured(NamedTuple):
    """Path length and clustering of one graph, or their means over several."""

    path_length: float
    clustering: float
    mixed: bool
    connected: bool = True
    reachable_share: float = 1.0


class Comparison(NamedTuple):
    """How a graph and what it is compared with are measured; see `smallworld`.

    Attributes
    ----------
    graph : LayeredGraph or csr_array
        What null samples and lattices are drawn from.
    weights : ndarray of float64 or None
        Of its edges, where they count.
    clustering, disconnected : str
    connected : bool
        Whether null samples have to be connected.
    """

    graph: Graph
    weights: npt.NDArray[np.float64] | None
    clustering: str
    disconnected: str
    connected: bool


def check_n_null(n_null: int) -> None:
    """Refuse a number of samples below 1, or beyond what memory holds, with an InputError."""
    check_type("n_null", n_null, Repeats)
    require_memory(int(n_null) * BYTES_PER_SAMPLE, f"n_null: {n_null} samples", "give fewer")


def check_choices(null: str | None, clustering: str, n_null: int, disconnected: str) -> None:
    """Refuse unknown names and a number of samples below 1 with an InputError."""
    if null is not None and null not in NULL_MODELS:
        raise InputError(f"null: {null!r}; {nearest(null, NULL_MODELS)}")
    if clustering not in CLUSTERINGS:
        raise InputError(f"clustering: {clustering!r}; {nearest(clustering, CLUSTERINGS)}")
    check_n_null(n_null)
    if disconnected not in CONVENTIONS:
        raise InputError(f"disconnected: {disconnected!r}; {nearest(disconnected, CONVENTIONS)}")


def measure_nulls(
    comparison: Comparison,
    models: Sequence[str],
    rng: np.random.Generator,
    executor: Executor | None,
    progress: Progress | None,
) -> list[Measured]:
    """Draw one graph from every model named and measure it; `smallworld` documents the rest."""
    tasks = [
        (comparison, model, own) for model, own in zip(models, rng.spawn(len(models)), strict=True)
    ]
    if executor is None:
        results = (_measure_null(*task) for task in tasks)
    else:
        futures = [executor.submit(_measure_null, *task) for task in tasks]
        results = (future.result() for future in futures)
    measured = []
    for result in results:
        measured.append(result)
        if progress is not None:
            progress(len(measured), len(tasks))
    return measured


def _measure_null(comparison: Comparison, model: str, rng: np.random.Generator) -> Measured:
    condition: dict[str, Any] = {}
    if comparison.connected and model in CONNECTABLE:
        condition["connected"] = True
    graph = comparison.graph
    if model in PLACE_WEIGHTS:
        graph = _with_weights(graph, comparison.weights)
    sample = (NULL_MODELS | LATTICES)[model](graph, seed=rng, **condition)
    matrix = sample.adjacency()
    if comparison.weights is not None and model in PLACE_WEIGHTS:
        matrix = sample.adjacency(weighted=True)
    elif comparison.weights is not None:
        give = sorted_by_distance if model == "ring_lattice" else dealt
        matrix = give(sample.edges, sample.n_nodes, comparison.weights, rng)
    return measure(matrix, comparison, sample.mixed)


def _with_weights(graph: Graph, weights: npt.NDArray[np.float64] | None) -> Graph:
    """Give a graph whose edges have these weights, or none."""
    if isinstance(graph, LayeredGraph):
        return replace(graph, edge_data={} if weights is None else {"weight": weights})
    if weights is None:
        return graph
    matrix = as_adjacency(graph)
    return adjacency_from_edges(edges_of(matrix), matrix.shape[0], weights)


def measure(matrix: sparse.csr_array, comparison: Comparison, mixed: bool = True) -> Measured:
    """Measure one graph, of weights or without."""
    sizes = component_sizes(matrix)
    share = share_of_sizes(sizes)
    if comparison.disconnected == "largest_component":
        matrix = largest_component(matrix)
    harmonic = comparison.disconnected == "harmonic"
    if comparison.weights is None:
        length = 1 / _or_nan(global_efficiency(matrix)) if harmonic else (
            characteristic_path_length(matrix)
        )  # fmt: skip
        clustering = CLUSTERINGS[comparison.clustering](matrix)
    else:
        length = 1 / _or_nan(mean_inverse_path(matrix)) if harmonic else mean_path(matrix)
        clustering = onnela_clustering(matrix)
    return Measured(length, clustering, mixed, len(sizes) <= 1, share)


def _or_nan(value: float) -> float:
    return value or float("nan")
