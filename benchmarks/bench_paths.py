"""Path lengths against igraph, over graphs of every shape: ratios of processor time, one thread.

    python benchmarks/bench_paths.py

All rows come from one process, compiled before. Both sides are timed in turn, and the least time
counts. Here a graph is an adjacency matrix, and checking it is part of the time; igraph has its own
graph ready. The last column is what is to be reached at least.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import igraph
import networkx as nx
import numpy as np
from scipy import sparse

from smallworld_eqprop import characteristic_path_length, layered, rewire
from smallworld_eqprop.graphs.core.adjacency import adjacency_from_edges, as_adjacency
from smallworld_eqprop.graphs.measure import distance_counts
from smallworld_eqprop.graphs.measure.distances import mean_distance

N_NODES = 10_000
N_SOURCES = 100
# Igraph's longest calls are made once.
LONG = 3.0


def ring(n_nodes: int, degree: int) -> sparse.csr_array:
    nodes = np.repeat(np.arange(n_nodes), degree // 2)
    others = nodes + np.tile(np.arange(1, degree // 2 + 1), n_nodes)
    return adjacency_from_edges(np.column_stack((nodes, others % n_nodes)), n_nodes)


def grid(side: int) -> sparse.csr_array:
    nodes = np.arange(side * side).reshape(side, side)
    down = np.column_stack((nodes[:-1].ravel(), nodes[1:].ravel()))
    right = np.column_stack((nodes[:, :-1].ravel(), nodes[:, 1:].ravel()))
    return adjacency_from_edges(np.vstack((down, right)), side * side)


def graphs() -> Iterator[tuple[str, sparse.csr_array, float, int | None]]:
    """Give name, graph, goal and number of sources (None for all)."""
    yield "path 10k", as_adjacency(nx.path_graph(N_NODES)), 10, None
    yield "random tree 10k", as_adjacency(nx.random_labeled_tree(N_NODES, seed=0)), 10, None
    yield "ring lattice 10k, degree 4", ring(N_NODES, 4), 2, None
    yield "ring lattice 10k, degree 10", ring(N_NODES, 10), 2, None
    yield "grid 100 x 100", grid(100), 3, None
    yield "grid 316 x 316, 100 sources", grid(316), 4, N_SOURCES
    yield "cycle 10k", ring(N_NODES, 2), 1.2, None
    yield "BA 10k/100k", as_adjacency(nx.barabasi_albert_graph(N_NODES, 10, seed=0)), 40, None
    paper = rewire(layered((784, 500, 500, 500, 10)), 0.1, seed=0)
    yield "paper network 2,294/897k", paper.adjacency(), 80, None


def shuffled(graph: sparse.csr_array) -> sparse.csr_array:
    order = np.random.default_rng(0).permutation(graph.shape[0])
    return as_adjacency(sparse.csr_array(graph[order][:, order]))


def best_of(calls: tuple[Callable[[], float], ...], repeats: int = 5) -> list[float]:
    """Give the least time of each call, made in turn; all must give the same."""
    best = [np.inf] * len(calls)
    values = []
    for turn in range(repeats):
        for i, call in enumerate(calls):
            if turn and best[i] > LONG:
                continue
            start = time.process_time()
            values.append(call())
            best[i] = min(best[i], time.process_time() - start)
    assert np.ptp(values) < 1e-9
    return best


def row(name: str, graph: sparse.csr_array, goal: float, n_sources: int | None) -> None:
    theirs = igraph.Graph(n=graph.shape[0], edges=np.column_stack(sparse.triu(graph).nonzero()))
    if n_sources is None:
        ours = lambda: characteristic_path_length(graph)  # noqa: E731
        reference = theirs.average_path_length
    else:
        sources = np.random.default_rng(1).choice(graph.shape[0], n_sources, replace=False)

        def ours() -> float:
            return mean_distance(distance_counts(graph, sources))

        def reference() -> float:
            return np.sum(theirs.distances(sources)) / (n_sources * (graph.shape[0] - 1))

    mine, other = best_of((ours, reference))
    print(f"{name:40}{other:>10.3f}{mine:>10.4f}{other / mine:>10.1f}{goal:>8g}", flush=True)


if __name__ == "__main__":
    for warm in (nx.path_graph(2000), nx.cycle_graph(2000), nx.star_graph(2000)):
        characteristic_path_length(warm)
    print(f"{'':40}{'igraph s':>10}{'here s':>10}{'ratio':>10}{'goal':>8}")
    for name, graph, goal, n_sources in graphs():
        row(name, graph, goal, n_sources)
        row(f"{name}, shuffled", shuffled(graph), goal, n_sources)
