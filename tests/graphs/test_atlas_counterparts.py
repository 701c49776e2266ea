"""Measures of all small graphs are those that networkx, igraph and bctpy find."""

from __future__ import annotations

import inspect
from collections import Counter
from itertools import pairwise
from typing import Any

import bct
import igraph
import networkx as nx
import numpy as np
import pytest
from small_graphs import ARGUMENTS, ATLAS, FUNCTIONS, forms, halves, numbers


def distances(graph: nx.Graph, weight: str | None) -> np.ndarray:
    """Lengths of the shortest paths between all pairs, infinite where there is none."""
    lengths = [1 / value for *_, value in graph.edges(data="weight")] if weight else None
    found = as_igraph(graph).distances(weights=lengths)
    return np.array(found, dtype=float).reshape(len(graph), len(graph))


def pairs(graph: nx.Graph, weight: str | None) -> np.ndarray:
    """Distances of the pairs of different nodes."""
    return distances(graph, weight)[~np.eye(len(graph), dtype=bool)]


def finite(values: np.ndarray) -> np.ndarray:
    return values[np.isfinite(values)]


def mean(values: np.ndarray) -> float:
    return float(values.mean()) if values.size else np.nan


def as_igraph(graph: nx.Graph) -> igraph.Graph:
    return igraph.Graph(n=len(graph), edges=list(graph.edges), directed=graph.is_directed())


def degrees(graph: nx.Graph, kind: str = "degree") -> np.ndarray:
    return np.array([degree for _, degree in getattr(graph, kind)()], dtype=float)


def statistics(graph: nx.Graph, _: str | None) -> list[float]:
    found = degrees(graph)
    return [found.mean(), found.std(), found.min(), found.max()] if len(found) else [np.nan] * 4


def spectrum(function: Any, graph: nx.Graph, place: int) -> float:
    """An eigenvalue by its place."""
    values = np.sort(function(graph).real) if len(graph) else np.empty(0)
    return float(values[place]) if -len(values) <= place < len(values) else np.nan


def parts(graph: nx.Graph) -> list[set[int]]:
    return [each for each in (set(range(0, len(graph), 2)), set(range(1, len(graph), 2))) if each]


def joined(graph: nx.Graph) -> bool:
    """Whether a path joins the first node and the last."""
    return len(graph) > 1 and nx.has_path(graph, 0, len(graph) - 1)


def between(graph: nx.Graph, weight: str | None) -> list[float]:
    """Betweenness of the nodes between the first and the last, as a share."""
    ends = ([0], [len(graph) - 1])
    found = nx.betweenness_centrality_subset(graph, *ends, weight="length" if weight else None)
    return [2 * found[node] if joined(graph) else np.nan for node in sorted(found)]


def edge_between(graph: nx.Graph, weight: str | None) -> list[float]:
    """The same of edges, from a list of all shortest paths.

    `networkx.edge_betweenness_centrality_subset` (3.6) gives all edges into a node equal shares,
    whatever the number of paths through them.
    """
    edges = sorted(tuple(sorted(edge)) for edge in graph.edges)
    if not joined(graph):
        return [np.nan] * len(edges)
    length = "length" if weight else None
    paths = list(nx.all_shortest_paths(graph, 0, len(graph) - 1, weight=length))
    passed = Counter(tuple(sorted(step)) for path in paths for step in pairwise(path))
    return [passed[edge] / len(paths) for edge in edges]


def clustering(graph: nx.Graph, weight: str | None) -> float:
    return nx.average_clustering(graph, weight=weight) if len(graph) else np.nan


def rich_club(graph: nx.Graph, weight: str | None) -> list[float]:
    largest = max(dict(graph.degree).values(), default=0)
    if weight and largest:
        with np.errstate(invalid="ignore"):
            found = bct.rich_club_wu(nx.to_numpy_array(graph), largest)
        # Of the graph as a whole, which bctpy leaves out.
        found[: min(dict(graph.degree).values())] = 1
        return found.tolist()
    # networkx leaves out what has fewer than two nodes.
    found = nx.rich_club_coefficient(graph, normalized=False) if graph.size() else {}
    return [found.get(k, np.nan) for k in range(largest)]


def participation(graph: nx.Graph, weight: str | None) -> np.ndarray:
    if not graph.size():
        return np.full(len(graph), np.nan)
    matrix = nx.to_numpy_array(graph, weight=weight)
    with np.errstate(invalid="ignore"):
        found = bct.participation_coef(matrix, np.array(halves(len(graph))) + 1)
    return np.where(matrix.any(axis=1), found, np.nan)


def modularity(graph: nx.Graph, weight: str | None, communities: Any = None) -> float:
    communities = parts(graph) if communities is None else communities
    return nx.community.modularity(graph, communities, weight=weight) if graph.size() else np.nan


def resistance(graph: nx.Graph, weight: str | None) -> float:
    if not joined(graph):
        return np.nan
    part = graph.subgraph(nx.node_connected_component(graph, 0))
    return nx.resistance_distance(part, 0, len(graph) - 1, weight, invert_weight=False)


def gap(graph: nx.Graph, weight: str | None) -> float:
    if len(graph) > 1 and not nx.is_connected(graph):
        return 0.0
    return spectrum(nx.normalized_laplacian_spectrum, graph, 1)


def squares(graph: nx.Graph, _: str | None) -> float:
    # networkx has 0 where there is no path of length 3.
    ends = sum((graph.degree[u] - 1) * (graph.degree[v] - 1) for u, v in graph.edges)
    if ends == sum(nx.triangles(graph).values()):
        return np.nan
    return nx.bipartite.robins_alexander_clustering(graph)


def zhang(graph: nx.Graph, weight: str | None) -> float:
    if not graph.size():
        return 0.0 if len(graph) else np.nan
    matrix = nx.to_numpy_array(graph)
    with np.errstate(invalid="ignore"):
        found = bct.clustering_coef_wu_sign(matrix / matrix.max(), "costantini")
    return mean(np.nan_to_num(found))


def directed_paths(graph: nx.DiGraph, weight: str | None) -> list[float]:
    found = pairs(graph, weight)
    return [mean(finite(found)), mean(1 / found), mean(np.isfinite(found))]


def strengths(graph: nx.Graph, weight: str | None) -> list[float]:
    return [*dict(graph.degree(weight="weight")).values(), *[0] * len(graph)]


def layers(graph: nx.Graph) -> list[set[int]]:
    """Nodes of every layer, as a LayeredGraph hands them to networkx."""
    placed = graph.nodes(data="layer")
    return [
        {node for node, at in placed if at == layer}
        for layer in range(len(set(dict(placed).values())))
    ]


def hops(graph: nx.Graph, _: str | None) -> list[float]:
    found = nx.multi_source_dijkstra_path_length(graph, layers(graph)[-1], weight=None)
    return [found.get(node, np.nan) for node in graph]


def io_length(graph: nx.Graph, weight: str | None) -> float:
    found = distances(graph, weight)[np.ix_(sorted(layers(graph)[0]), sorted(layers(graph)[-1]))]
    return mean(finite(found))


#: By measure, what another library says of a graph, with weights or (None) without.
COUNTERPARTS = {
    "algebraic_connectivity": lambda g, _: spectrum(nx.laplacian_spectrum, g, 1),
    "average_clustering": clustering,
    "bipartite_clustering": squares,
    "characteristic_path_length": lambda g, w: mean(finite(pairs(g, w))),
    "core_numbers": lambda g, _: list(nx.core_number(g).values()),
    "degree_assortativity": lambda g, _: as_igraph(g).assortativity_degree(directed=False),
    "degree_statistics": statistics,
    "density": lambda g, _: as_igraph(g).density() if len(g) > 1 else np.nan,
    "directed_clustering": clustering,
    "directed_degrees": lambda g, _: [*degrees(g, "in_degree"), *degrees(g, "out_degree")],
    "directed_paths": directed_paths,
    "edge_disjoint_paths": lambda g, _: nx.edge_connectivity(g, 0, len(g) - 1),
    "global_efficiency": lambda g, w: mean(1 / pairs(g, w)),
    "hops_to_output": hops,
    "input_output_betweenness": between,
    "input_output_edge_betweenness": edge_between,
    "input_output_path_length": io_length,
    "input_output_resistance": resistance,
    "layer_modularity": lambda g, _: modularity(g, None, layers(g)),
    "local_efficiency": lambda g, _: nx.local_efficiency(g) if len(g) else np.nan,
    "modularity": modularity,
    "n_components": lambda g, _: nx.number_connected_components(g),
    "participation_coefficient": participation,
    "reachable_share": lambda g, _: mean(np.isfinite(pairs(g, None))),
    "reciprocity": lambda g, _: nx.overall_reciprocity(g) if g.size() else np.nan,
    "rich_club": rich_club,
    "spectral_gap": gap,
    "spectral_radius": lambda g, _: spectrum(nx.adjacency_spectrum, g, -1),
    "strengths": strengths,
    "transitivity": lambda g, _: as_igraph(g).transitivity_undirected(),
    "triangles": lambda g, _: list(nx.triangles(g).values()),
    "zhang_clustering": zhang,
}


#: Measures that count weights wherever there are any.
WEIGHTED = ("strengths", "zhang_clustering")


def weighted(graph: nx.Graph) -> nx.Graph:
    found = graph.copy()
    for place, edge in enumerate(sorted(graph.edges)):
        weight = 0.5 + place % 3
        found.edges[edge].update(weight=weight, length=1 / weight)
    return found


@pytest.mark.parametrize("name", COUNTERPARTS)
def test_other_libraries_find_the_same(name: str) -> None:
    function, theirs = FUNCTIONS[name], COUNTERPARTS[name]
    parameters = inspect.signature(function).parameters
    for graph in ATLAS:
        kinds = forms(graph)
        if len(graph) < 2 and ("inputs" in parameters or "g" in parameters):
            continue
        given = {key: make(len(graph))[0] for key, make in ARGUMENTS.items() if key in parameters}
        for weight in (None, "weight") if "weighted" in parameters or name in WEIGHTED else (None,):
            options = {**given, "weighted": True} if weight and name not in WEIGHTED else given
            if "g" in parameters:
                ours = kinds["layered"]
                other = ours.to_networkx()
            else:
                ours = kinds["directed" if "Directed" in str(parameters["graph"]) else "plain"]
                ours = other = weighted(ours) if weight else ours
            np.testing.assert_allclose(
                numbers(function(ours, **options)), numbers(theirs(other, weight)),
                rtol=1e-9, atol=1e-9, err_msg=f"{name}, {graph.name}, {weight}",
            )  # fmt: skip
