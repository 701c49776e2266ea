"""NetworkX backend: networkx functions on a LayeredGraph, and this package's speed on any graph.

Registered under the entry point group ``networkx.backends``. The functions of `OWN` run here;
every other networkx function runs on a conversion to networkx, except the few that would change
the graph. With arguments other than networkx's defaults (weights, some nodes only) a function of
`OWN` is that of networkx, too: who names the backend gets an answer for every form of argument, and
where networkx chooses, it chooses its own. Results follow networkx's conventions, also where this
package says NaN.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import networkx as nx
import numpy as np
from networkx.utils.backends import _registered_algorithms
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.interop import to_networkx
from smallworld_eqprop.graphs.convert.references import REFERENCES
from smallworld_eqprop.graphs.core.adjacency import networkx_adjacency
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.clustering import (
    average_clustering,
    bipartite_clustering,
    degrees,
    transitivity,
    triangles,
)
from smallworld_eqprop.graphs.measure.degrees import degree_assortativity
from smallworld_eqprop.graphs.measure.distances import (
    distance_counts,
    global_efficiency,
    local_efficiency,
    mean_distance,
)

__all__ = ["NAME", "OWN", "ConvertedGraph", "backend"]

NAME = "smallworld_eqprop"
SCALARS = (bool, int, float, str, np.generic)


@dataclass(frozen=True, eq=False)
class ConvertedGraph:
    """A networkx graph and its adjacency matrix."""

    source: nx.Graph
    adjacency: sparse.csr_array
    __networkx_backend__ = NAME

    def is_directed(self) -> bool:
        """Give False."""
        return False

    def is_multigraph(self) -> bool:
        """Give False."""
        return False


def _average_shortest_path_length(adjacency: sparse.csr_array, _: Sequence[Hashable]) -> float:
    n_nodes = adjacency.shape[0]
    counts = distance_counts(adjacency)
    if counts.sum() < n_nodes**2:
        raise nx.NetworkXError("Graph is not connected.")
    return mean_distance(counts) if n_nodes > 1 else 0


def _clustering(adjacency: sparse.csr_array, nodes: Sequence[Hashable]) -> dict[Hashable, float]:
    possible = degrees(adjacency) * (degrees(adjacency) - 1) / 2
    shares = np.divide(
        triangles(adjacency), possible, out=np.zeros(len(possible)), where=possible > 0
    )
    return dict(zip(nodes, shares.tolist(), strict=True))


def _triangles(adjacency: sparse.csr_array, nodes: Sequence[Hashable]) -> dict[Hashable, int]:
    return dict(zip(nodes, triangles(adjacency).tolist(), strict=True))


def _plain(
    metric: Callable[[sparse.csr_array], float], undefined: float = 0
) -> Callable[[sparse.csr_array, Sequence[Hashable]], float]:
    def run(adjacency: sparse.csr_array, _: Sequence[Hashable]) -> float:
        value = metric(adjacency)
        return undefined if math.isnan(value) else value

    return run


OWN: dict[str, Callable[[sparse.csr_array, Sequence[Hashable]], Any]] = {
    "average_clustering": _plain(average_clustering),
    "average_shortest_path_length": _average_shortest_path_length,
    "clustering": _clustering,
    "degree_assortativity_coefficient": _plain(degree_assortativity, undefined=math.nan),
    "global_efficiency": _plain(global_efficiency),
    "local_efficiency": _plain(local_efficiency),
    "robins_alexander_clustering": _plain(bipartite_clustering),
    "transitivity": _plain(transitivity),
    "triangles": _triangles,
}


class _Backend:
    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in _registered_algorithms:
            raise AttributeError(name)
        return partial(_run, name)

    @staticmethod
    def can_run(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Tell whether a call can run here: on our graphs all, on networkx graphs those of OWN."""
        graph = args[0] if args else kwargs.get("G")
        given = [item for value in (*args, *kwargs.values()) for item in _items(value)]
        if any(isinstance(item, (LayeredGraph, ConvertedGraph)) for item in given):
            return not _would_change_graph(name, args, kwargs)
        return (
            (name in OWN or name in REFERENCES)
            and isinstance(graph, nx.Graph)
            and len(graph) > 0
            and not (graph.is_directed() or graph.is_multigraph())
            and nx.number_of_selfloops(graph) == 0
        )

    @staticmethod
    def should_run(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """Tell whether converting a networkx graph pays: for what the functions of OWN compute."""
        return _runs_here(name, args, kwargs)

    @staticmethod
    def convert_from_nx(graph: Any, **_: Any) -> Any:
        """Give a networkx graph with its adjacency matrix."""
        if isinstance(graph, (LayeredGraph, ConvertedGraph)):
            return graph
        try:
            return ConvertedGraph(graph, networkx_adjacency(graph, zero_weights=True))
        except InputError as error:
            raise NotImplementedError(str(error)) from error

    @staticmethod
    def convert_to_nx(result: Any, **_: Any) -> Any:
        """Give one of our graphs as a networkx graph, anything else as it is."""
        if isinstance(result, LayeredGraph):
            return to_networkx(result)
        return result.source if isinstance(result, ConvertedGraph) else result


backend = _Backend()


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _would_change_graph(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    function = _registered_algorithms[name]
    if isinstance(function.mutates_input, bool):
        return function.mutates_input
    # By argument: one that must be false, written "not copy", or one that must be given.
    bound = inspect.signature(function.orig_func).bind(*args, **kwargs)
    bound.apply_defaults()
    return any(
        not bound.arguments[key[4:]] if key.startswith("not ") else bound.arguments[key] is not None
        for key in function.mutates_input
    )


def _given(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any] | None:
    """Arguments after the graph, by name; None if networkx will refuse them."""
    try:
        bound = inspect.signature(_registered_algorithms[name].orig_func).bind(*args, **kwargs)
    except TypeError:
        return None
    return dict(list(bound.arguments.items())[1:])


def _runs_here(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether a call is computed here, if the graph is one of ours."""
    given = _given(name, args, kwargs) if name in OWN or name in REFERENCES else None
    if given is None:
        return False
    if name in REFERENCES:
        return given.get("D") is None
    defaults = inspect.signature(_registered_algorithms[name].orig_func).parameters
    return all(_same(value, defaults[key].default) for key, value in given.items())


def _same(value: Any, default: Any) -> bool:
    """Whether an argument is the default; one that holds several values, as an array, never is."""
    return value is default or (isinstance(value, SCALARS) and bool(value == default))


def _run(name: str, *args: Any, **kwargs: Any) -> Any:
    graph = args[0] if args else kwargs.get("G")
    if isinstance(graph, (ConvertedGraph, LayeredGraph)) and _runs_here(name, args, kwargs):
        if name in REFERENCES:
            given = _given(name, args, kwargs) or {}
            return REFERENCES[name](backend.convert_to_nx(graph), **given)
        adjacency = graph.adjacency() if isinstance(graph, LayeredGraph) else graph.adjacency
        return OWN[name](adjacency, _nodes(graph))
    return _registered_algorithms[name].orig_func(
        *map(_converted, args), **{key: _converted(value) for key, value in kwargs.items()}
    )


def _nodes(graph: ConvertedGraph | LayeredGraph) -> Sequence[Hashable]:
    if isinstance(graph, ConvertedGraph):
        return list(graph.source)
    return range(graph.n_nodes) if graph.labels is None else graph.labels


def _converted(value: Any) -> Any:
    if isinstance(value, list):
        return [backend.convert_to_nx(item) for item in value]
    return backend.convert_to_nx(value)
