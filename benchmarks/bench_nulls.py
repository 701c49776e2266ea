"""Strength-preserving null samples of a connectome with weights, against bctpy.

    python benchmarks/bench_nulls.py
    python benchmarks/bench_nulls.py --samples 40 --processes 1 --without-bctpy

Every sample is drawn, and its weighted path length and clustering are measured. The graph has 1,000
nodes in space: near ones are joined, hubs more than others, and weights fall with length. bctpy
does the same once (`null_model_und_sign`, `distance_wei`, `clustering_coef_wu`), with 200 nodes
unless --full is given: its time grows with the square of the number of nodes at least.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

import numpy as np
from scipy import sparse

from smallworld_eqprop import average_clustering, characteristic_path_length
from smallworld_eqprop.graphs.nulls import strength_preserving


class Seconds(NamedTuple):
    """Seconds of processor time, one sample."""

    null: float
    path_length: float
    clustering: float
    correlation: float


def connectome(n_nodes: int, density: float = 0.05) -> sparse.csr_array:
    rng = np.random.default_rng(0)
    place = 100 * rng.random((n_nodes, 3))
    apart = np.linalg.norm(place[:, None] - place, axis=2)
    hubs = rng.lognormal(0, 0.5, n_nodes)
    chance = np.exp(-apart / 20) * np.outer(hubs, hubs)
    joined = rng.random(apart.shape) < density * chance / chance.mean()
    upper = np.triu(joined * np.exp(rng.normal(0, 1.5, apart.shape) - apart / 25), 1)
    return sparse.csr_array(upper + upper.T)


def timed(call: Callable[[], object]) -> tuple[float, object]:
    start = time.process_time()
    found = call()
    return time.process_time() - start, found


def ours(graph: sparse.csr_array, seed: int) -> Seconds:
    drawn, sample = timed(lambda: strength_preserving(graph, seed=seed))
    matrix = sample.adjacency(weighted=True)
    length, _ = timed(lambda: characteristic_path_length(matrix, weighted=True))
    clustering, _ = timed(lambda: average_clustering(matrix, weighted=True))
    return Seconds(drawn, length, clustering, sample.measured["strength_correlation"])


def theirs(graph: sparse.csr_array) -> Seconds:
    import bct

    weights = graph.toarray()
    drawn, (matrix, correlations) = timed(lambda: bct.null_model_und_sign(weights, seed=0))
    inverse = np.divide(1, matrix, out=np.zeros_like(matrix), where=matrix > 0)
    length, _ = timed(lambda: bct.distance_wei(inverse))
    clustering, _ = timed(lambda: bct.clustering_coef_wu(matrix / matrix.max()))
    return Seconds(drawn, length, clustering, correlations[0])


def show(what: str, found: list[Seconds]) -> float:
    null, length, clustering, correlation = np.mean(found, axis=0)
    total = null + length + clustering
    print(
        f"{what:<34}{null:>9.3f}{length:>9.3f}{clustering:>9.3f}{total:>9.3f}{correlation:>13.5f}"
    )
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--full", action="store_true", help="bctpy on the large graph, too")
    parser.add_argument("--without-bctpy", action="store_true")
    options = parser.parse_args()
    graph = connectome(options.nodes)
    ours(graph, 0)
    start = time.perf_counter()
    with ProcessPoolExecutor(options.processes) as pool:
        found = list(pool.map(ours, [graph] * options.samples, range(options.samples), chunksize=5))
    wall = time.perf_counter() - start
    print(f"{options.nodes} nodes, {graph.nnz // 2} edges; seconds of processor time a sample")
    print(f"{'':<34}{'null':>9}{'L':>9}{'C':>9}{'all':>9}{'correlation':>13}")
    total = show(f"here, mean of {options.samples}", found)
    print(f"{options.samples} samples on {options.processes} processes: {wall:.0f} s of wall time, "
          f"{options.samples * total:.0f} s of processor time")  # fmt: skip
    if options.without_bctpy:
        return
    small = graph if options.full else connectome(200)
    n_nodes = small.shape[0]
    mine = show(f"here, {n_nodes} nodes", [ours(small, seed) for seed in range(5)])
    bctpy = show(f"bctpy, {n_nodes} nodes, one sample", [theirs(small)])
    print(f"bctpy takes {bctpy / mine:.0f} times as long")


if __name__ == "__main__":
    main()
