"""Time and memory against the number of edges."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from memory import alone, peak_memory
from training import median_time

from smallworld_eqprop import LayeredGraph, Network
from smallworld_eqprop.dynamics import SOR, Contrast, Euler, Nudge, initial_weights, sor
from smallworld_eqprop.files import atomic_writer

TITLE = "Growth with the number of edges"
NOTE = """\
Random graphs of one density, that of 10 million edges among 100,000 nodes; every block is
sparse. Peak memory is that of building, relaxing and one correction.
"""


def bench(out: Path) -> list[dict[str, object]]:
    """Time per sweep and memory against the number of edges, with the slope of the log-log fit."""
    counts = [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]
    # Slow minutes of a shared machine would bend the line: every size is measured three times.
    results = np.min([[alone(__file__, count) for count in counts] for _ in range(3)], axis=0)
    per_sweep = results[:, 1] / results[0, 1]
    slope = draw_scaling(np.array(counts), per_sweep, results[:, 2], out / "figures")
    rows: list[dict[str, object]] = [
        {
            "edges": f"{count:.0e}",
            "time per sweep (1e4 edges = 1)": round(float(time), 1),
            "build / sweep": round(float(row[0] / row[1]), 1),
            "peak memory (MiB)": round(float(row[2])),
        }
        for count, time, row in zip(counts, per_sweep, results, strict=True)
    ]
    for row in rows:
        print(row, flush=True)
    print(f"slope from 1e5 to 1e7 edges: {slope:.3f}", flush=True)
    return [*rows, {"edges": f"slope from 1e5 to 1e7: {slope:.2f}"}]


def draw_scaling(
    counts: npt.NDArray, per_sweep: npt.NDArray, memory: npt.NDArray, out: Path
) -> float:
    """Draw both against the number of edges; gives the slope that is fitted from 1e5 edges on."""
    import matplotlib.pyplot as plt

    large = counts >= 100_000
    slope, height = np.polyfit(np.log(counts[large]), np.log(per_sweep[large]), 1)
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 2.8), layout="constrained")
    left.loglog(counts, per_sweep, "o")
    fitted = np.exp(height) * counts[large] ** slope
    left.loglog(counts[large], fitted, "k", linewidth=1, label=f"slope {slope:.2f}")
    left.set(xlabel="edges", ylabel="relative time per sweep")
    left.legend(frameon=False)
    right.loglog(counts, memory, "o-")
    right.set(xlabel="edges", ylabel="peak memory (MiB)", ylim=(50, None))
    out.mkdir(parents=True, exist_ok=True)
    with atomic_writer(out / "benchmark_scaling.png") as file:
        figure.savefig(file, dpi=150)
    return float(slope)


def sparse_job(n_edges: int) -> tuple[float, float, float]:
    """Seconds to build, seconds per sweep and mebibytes of a random graph of n_edges edges."""
    # One density at every size, that of 10 million edges among 100,000 nodes; no block is dense.
    n_nodes = round(100_000 * (n_edges / 10_000_000) ** 0.5)
    sizes = (n_nodes // 4, n_nodes // 4, n_nodes // 4, n_nodes // 4)
    rng = np.random.default_rng(0)
    edges = random_sparse(sizes, n_edges, rng)
    begin = time.perf_counter()
    graph = LayeredGraph(sizes, edges)
    weights = initial_weights(graph, seed=0, other_amplitude=0.05) * 0.1
    network = Network(graph, weights)
    built = time.perf_counter() - begin
    circuit = network.circuit
    inputs = rng.random((20, sizes[0]), dtype=np.float32)
    drive = circuit.drive(inputs)
    start = np.zeros((20, network.n_free), np.float32)
    sweeper, state = sor._Sweeper(circuit), start.copy()
    factor = np.full(20, 1.5, np.float32)
    sweep = median_time(lambda: sweeper.sweep(state, drive, factor))
    free = SOR(max_sweeps=5).relax(circuit, drive, start)
    nudge = Nudge(np.ones((20, sizes[-1]), np.float32), 1.0)
    nudged = Euler(2).nudge(circuit, drive, free, nudge).state
    rates = [1e-3] * (len(sizes) - 1)
    network.descend(Contrast.between(free.state, nudged, inputs, 1.0), rates, rates)
    return built, sweep, peak_memory()


def random_sparse(sizes: tuple[int, ...], n_edges: int, rng: np.random.Generator) -> npt.NDArray:
    """Random edges between any two layers, without a list of all pairs."""
    n = sum(sizes)
    layer = np.repeat(np.arange(len(sizes)), sizes)
    keys = np.empty(0, np.int64)
    while len(keys) < n_edges:
        pairs = rng.integers(n, size=(2, int(1.3 * (n_edges - len(keys))) + 10))
        low, high = np.sort(pairs, axis=0)
        new = low[layer[low] != layer[high]] * np.int64(n) + high[layer[low] != layer[high]]
        keys = np.sort(np.concatenate((keys, new)))  # np.unique takes ten times as long
        keys = keys[np.append(True, keys[1:] != keys[:-1])]
    keys = np.sort(rng.permutation(keys)[:n_edges])
    return np.column_stack(np.divmod(keys, n))


if __name__ == "__main__":
    # A process of its own, started by `alone`.
    print(json.dumps(sparse_job(int(sys.argv[1]))))
