"""Clustering, nulls and references of large graphs, all metrics at once, and imports: as ratios.

    python benchmarks/bench_large.py

Processor time, one thread. What is compared is timed in turn, and the best of some times counts. A
graph is an adjacency matrix here, which is checked in the time measured; igraph has its own ready.
The last column is what is to be reached: a gain over the reference (x) or a share of it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import igraph
import networkx as nx
import numpy as np
from bench_paths import shuffled
from scipy import sparse

from smallworld_eqprop import average_clustering, degree_preserving, structure_metrics
from smallworld_eqprop.graphs.core.adjacency import as_adjacency

BACKEND = "smallworld_eqprop"
SWITCHES_PER_EDGE = 2.0
NOT_OURS = "import igraph, networkx, scipy.sparse"
FIRST_CALL = (
    "import networkx, smallworld_eqprop as s; s.characteristic_path_length(networkx.path_graph(20))"
)


def best_of(calls: list[Callable[[], object]], repeats: int = 5) -> list[float]:
    best = [np.inf] * len(calls)
    for _ in range(repeats):
        for i, call in enumerate(calls):
            start = time.process_time()
            call()
            best[i] = min(best[i], time.process_time() - start)
    return best


def row(what: str, reference: float, ours: float, goal: str) -> None:
    ratio = f"{reference / ours:.1f} x" if goal.endswith("x") else f"{ours / reference:.2f}"
    print(f"{what:50}{reference:>12.3f}{ours:>10.3f}{ratio:>10}{goal:>10}", flush=True)


def as_igraph(graph: sparse.csr_array) -> igraph.Graph:
    return igraph.Graph(n=graph.shape[0], edges=np.column_stack(sparse.triu(graph).nonzero()))


def large_graph() -> None:
    start = as_adjacency(nx.barabasi_albert_graph(100_000, 10, seed=0))
    for name, graph in (
        ("BA 100k/1M", start),
        ("BA 100k/1M, shuffled", as_adjacency(shuffled(start))),
    ):
        theirs = as_igraph(graph)
        times = best_of(
            [
                lambda theirs=theirs: theirs.transitivity_avglocal_undirected(mode="zero"),
                lambda graph=graph: average_clustering(graph),
            ]
        )
        row(f"average_clustering, {name}", *times, "4 x")
    switches = round(SWITCHES_PER_EDGE * start.nnz / 2)
    theirs = as_igraph(start)
    times = best_of(
        [
            lambda: theirs.rewire(n=switches),
            lambda: degree_preserving(start, seed=0, switches_per_edge=SWITCHES_PER_EDGE),
        ],
        2,
    )
    row("degree_preserving, BA 100k/1M, equal switches", *times, "5 x")


def references() -> None:
    graph = nx.gnm_random_graph(8090, 40_000, seed=0)
    for reference in (nx.random_reference, nx.lattice_reference):
        # networkx takes minutes, so its share is left out.
        seconds = best_of([lambda f=reference: f(graph.copy(), seed=0, backend=BACKEND)], 2)[0]
        print(f"{reference.__name__ + ', 8,090 nodes / 40k edges':50}{'':12}{seconds:>10.3f}"
              f"{'':10}{'5 s':>10}")  # fmt: skip


def all_metrics() -> None:
    shapes = {
        "path(5000)": nx.path_graph(5000),
        "star(5000)": nx.star_graph(4999),
        "K(500)": nx.complete_graph(500),
        "grid(70x70)": nx.grid_2d_graph(70, 70),
        "BA(5000,3)": nx.barabasi_albert_graph(5000, 3, seed=0),
    }
    for name, shape in shapes.items():
        graph = as_adjacency(shape)
        theirs = as_igraph(graph)
        measures = [
            theirs.average_path_length,
            lambda theirs=theirs: theirs.transitivity_avglocal_undirected(mode="zero"),
            theirs.transitivity_undirected,
            lambda theirs=theirs: theirs.assortativity_degree(directed=False),
        ]
        *each, ours = best_of([*measures, lambda graph=graph: structure_metrics(graph)], 3)
        row(f"structure_metrics, {name}; igraph's slowest", max(each), ours, "3")


def in_a_process(code: str, cache: str | None = None) -> float:
    environment = {**os.environ, **({"NUMBA_CACHE_DIR": cache} if cache else {})}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def imports() -> None:
    times = [(in_a_process(NOT_OURS), in_a_process(FIRST_CALL)) for _ in range(5)]
    reference, ours = np.min(times, axis=0)
    row("import and first path length, 20 nodes", reference, ours, "1.5")
    with tempfile.TemporaryDirectory() as cache:
        row("the same, empty cache", reference, in_a_process(FIRST_CALL, cache), "6")


if __name__ == "__main__":
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    # Compiled before, of both kinds of graph.
    for warm in (nx.gnm_random_graph(60, 700, seed=0), nx.gnm_random_graph(2000, 60_000, seed=0)):
        structure_metrics(as_adjacency(warm), n_sources=10)
        degree_preserving(as_adjacency(warm), seed=0)
    print(f"{'':50}{'reference s':>12}{'here s':>10}{'ratio':>10}{'goal':>10}")
    large_graph()
    references()
    all_metrics()
    imports()
