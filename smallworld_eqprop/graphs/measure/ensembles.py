"""Ensembles of null samples, drawn and measured one by one or in parallel."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency
from smallworld_eqprop.graphs.measure.clustering import (
    average_clustering,
    bipartite_clustering,
    transitivity,
)
from smallworld_eqprop.graphs.measure.distances import characteristic_path_length
from smallworld_eqprop.graphs.nulls.lattices import degree_preserving_lattice, ring_lattice
from smallworld_eqprop.graphs.nulls.nullmodels import (
    NullSample,
    degree_preserving,
    erdos_renyi,
    layer_blocks,
    layer_blocks_with_degrees,
)

__all__ = ["CLUSTERINGS", "NULL_MODELS"]

NullModel: TypeAlias = Literal[
    "degree_preserving", "erdos_renyi", "layer_blocks", "layer_blocks_with_degrees"
]
Clustering: TypeAlias = Literal["average", "transitivity", "bipartite"]
Progress: TypeAlias = Callable[[int, int], None]

NULL_MODELS: dict[str, Callable[..., NullSample]] = {
    "degree_preserving": degree_preserving,
    "erdos_renyi": erdos_renyi,
    "layer_blocks": layer_blocks,
    "layer_blocks_with_degrees": layer_blocks_with_degrees,
}
LATTICES: dict[str, Callable[..., NullSample]] = {
    "degree_preserving_lattice": degree_preserving_lattice,
    "ring_lattice": ring_lattice,
}
CLUSTERINGS: dict[str, Callable[..., float]] = {
    "average": average_clustering,
    "transitivity": transitivity,
    "bipartite": bipartite_clustering,
}


class Measured(NamedTuple):
    """Path length and clustering of one graph."""

    path_length: float
    clustering: float
    mixed: bool


def check_choices(null: str, clustering: str, n_null: int) -> None:
    """Refuse unknown names and a number of samples below 1 with an InputError."""
    if null not in NULL_MODELS:
        raise InputError(f"null: {null!r}; {nearest(null, NULL_MODELS)}")
    if clustering not in CLUSTERINGS:
        raise InputError(f"clustering: {clustering!r}; {nearest(clustering, CLUSTERINGS)}")
    if not isinstance(n_null, (int, np.integer)) or n_null < 1:
        raise InputError(f"n_null: {n_null!r}; give a whole number from 1 up")


def measure_nulls(
    graph: Graph,
    models: Sequence[str],
    clustering: str,
    rng: np.random.Generator,
    executor: Executor | None,
    progress: Progress | None,
) -> list[Measured]:
    """Draw one graph from every model named and measure it; `smallworld` documents the rest."""
    tasks = [
        (graph, model, clustering, own)
        for model, own in zip(models, rng.spawn(len(models)), strict=True)
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


def _measure_null(graph: Graph, model: str, clustering: str, rng: np.random.Generator) -> Measured:
    sample = (NULL_MODELS | LATTICES)[model](graph, seed=rng)
    return measure(sample.adjacency(), clustering, sample.mixed)


def measure(graph: Graph, clustering: str, mixed: bool) -> Measured:
    """Measure one graph."""
    adjacency = as_adjacency(graph)
    return Measured(
        characteristic_path_length(adjacency), CLUSTERINGS[clustering](adjacency), mixed
    )
