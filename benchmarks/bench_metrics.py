"""Metrics and null models against igraph: times as ratios within one run, with peak memory.

    python benchmarks/bench_metrics.py

One thread each; the metrics take the graph object and convert it, igraph has its own ready. Peak
memory is what the process grew by at most during the call (Linux only, NaN elsewhere).
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import igraph
import numpy as np

from smallworld_eqprop import (
    average_clustering,
    characteristic_path_length,
    degree_preserving,
    layered,
    rewire,
)
from smallworld_eqprop.graphs.core.adjacency import adjacency_from_edges
from smallworld_eqprop.graphs.measure import (
    bipartite_clustering,
    sample_path_length,
    small_world_sigma,
)
from smallworld_eqprop.graphs.nulls import erdos_renyi

N_SOURCES = 1000


class Row(NamedTuple):
    """One call: how long, how much memory, and what it gave."""

    what: str
    seconds: float
    mebibytes: float
    result: Any


def resident(field: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field))
    except (OSError, StopIteration):
        return float("nan")


def measure(what: str, call: Callable[[], Any], repeats: int = 1) -> Row:
    try:
        Path("/proc/self/clear_refs").write_text("5")
        before = resident("VmRSS")
    except OSError:
        before = float("nan")
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
    return Row(what, statistics.median(times), resident("VmHWM") - before, result)


def show(title: str, rows: list[tuple[Row, Row | None, float | None]]) -> None:
    print(f"\n{title}")
    print(f"{'':58}{'seconds':>10}{'peak MiB':>10}{'ratio':>14}")
    for row, reference, asked in rows:
        ratio = "" if reference is None else f"{reference.seconds / row.seconds:.1f} x"
        if asked is not None and reference is not None:
            ratio = f"1/{row.seconds / reference.seconds:.1f}" if asked < 1 else ratio
            ratio += f" ({'1/' + format(1 / asked, '.0f') if asked < 1 else format(asked, '.0f')})"
        print(f"{row.what:58}{row.seconds:>10.3f}{row.mebibytes:>10.0f}{ratio:>14}")


def path_length_by_products(dense: np.ndarray) -> float:
    """Give the path length of a connected graph without compiled code of our own."""
    n_nodes = len(dense)
    reached = dense + np.eye(n_nodes, dtype=np.float32)
    total = n_nodes * (n_nodes - 1)
    while missing := n_nodes**2 - np.count_nonzero(reached):
        total += missing
        reached = np.minimum(reached @ dense + reached, 1)
    return total / (n_nodes * (n_nodes - 1))


def clustering_by_products(dense: np.ndarray) -> float:
    """Give the average clustering without compiled code; counts below 2**24 are exact."""
    degree = dense.sum(axis=1, dtype=np.float64)
    closed = ((dense @ dense) * dense).sum(axis=1, dtype=np.float64)
    possible = degree * (degree - 1)
    return float(np.divide(closed, possible, out=np.zeros(len(dense)), where=possible > 0).mean())


def warm_up() -> None:
    for n_edges in (1, 200):
        edges = np.array([(0, 1)] if n_edges == 1 else np.argwhere(np.tri(21, k=-1))[:n_edges])
        graph = adjacency_from_edges(edges, 100 if n_edges == 1 else 21)
        small_world_sigma(graph, seed=0, n_null=1)
        bipartite_clustering(graph)
        sample_path_length(graph, 3, seed=0)


def paper_graph() -> None:
    g = rewire(layered((784, 500, 500, 500, 10)), 0.1, seed=0)
    theirs = igraph.Graph(n=g.n_nodes, edges=g.edges)
    path = measure("igraph average_path_length", theirs.average_path_length)
    mine = measure("characteristic_path_length", lambda: characteristic_path_length(g), 5)
    triples = measure(
        "igraph transitivity_avglocal_undirected",
        lambda: theirs.transitivity_avglocal_undirected(mode="zero"),
    )
    clustering = measure("average_clustering", lambda: average_clustering(g), 5)
    nulls = measure(
        "10 degree-preserving nulls, L and C of each", lambda: small_world_sigma(g, seed=0)
    )
    dense = np.ascontiguousarray(g.adjacency().toarray())
    products = measure("numpy, float32 products", lambda: path_length_by_products(dense), 3)
    squared = measure("numpy, float32 products", lambda: clustering_by_products(dense), 3)
    for row, other in ((mine, path), (products, path), (clustering, triples), (squared, triples)):
        assert abs(row.result - other.result) < 1e-9
    title = f"{g.n_nodes:,} nodes, {g.n_edges:,} edges: ratio to igraph's of the same kind (asked)"
    rows = [
        (path, None, None),
        (products, path, None),
        (mine, path, 20.0),
        (triples, None, None),
        (squared, triples, None),
        (clustering, triples, 3.0),
        (measure("bipartite_clustering", lambda: bipartite_clustering(g), 5), None, None),
        (nulls, path, 1 / 25),
    ]
    show(title, rows)


def sparse_graph() -> None:
    rng = np.random.default_rng(0)
    n_nodes, n_edges = 100_000, 1_000_000
    pairs = np.sort(rng.integers(0, n_nodes, (n_edges + 1000, 2)), axis=1)
    pairs = np.unique(pairs[pairs[:, 0] < pairs[:, 1]], axis=0)
    edges = rng.permutation(pairs)[:n_edges]
    graph = adjacency_from_edges(edges, n_nodes)
    theirs = igraph.Graph(n=n_nodes, edges=edges)
    held = (graph.indices.nbytes + graph.indptr.nbytes) / 2**20
    exact = measure(
        "characteristic_path_length, all sources", lambda: characteristic_path_length(graph)
    )
    sampled = measure(
        f"sample_path_length, {N_SOURCES} sources",
        lambda: sample_path_length(graph, N_SOURCES, seed=0),
        3,
    )
    sources = rng.choice(n_nodes, 50, replace=False).tolist()
    few = measure("igraph distances, 50 sources", lambda: theirs.distances(source=sources))
    triples = measure(
        "igraph transitivity_avglocal_undirected",
        lambda: theirs.transitivity_avglocal_undirected(mode="zero"),
    )
    clustering = measure("average_clustering", lambda: average_clustering(graph), 3)
    assert abs(triples.result - clustering.result) < 1e-9
    rows = [
        (exact, None, None),
        (sampled, None, None),
        (few, None, None),
        (triples, None, None),
        (clustering, triples, None),
        (measure("bipartite_clustering", lambda: bipartite_clustering(graph)), None, None),
        (measure("erdos_renyi", lambda: erdos_renyi(graph, seed=0)), None, None),
        (measure("degree_preserving", lambda: degree_preserving(graph, seed=0)), None, None),
    ]
    show(f"{n_nodes:,} nodes, {n_edges:,} edges; the adjacency takes {held:.0f} MiB", rows)
    per_source = few.seconds / len(sources) / (exact.seconds / n_nodes)
    estimate = sampled.result
    print(f"a source costs igraph {per_source:.0f} times what it costs here (all sources)")
    print(
        f"L = {exact.result:.5f}; sampled {estimate.value:.5f}, "
        f"standard error {estimate.standard_error:.5f}"
    )


if __name__ == "__main__":
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    warm_up()
    paper_graph()
    sparse_graph()
