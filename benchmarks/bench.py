"""Speed and memory of training, as ratios within one run.

    python benchmarks/bench.py [--sections batch peer scaling] [--threads N] [--out docs]

Every time is the median over batches, taken in turn with its reference so that both see the same
machine. Written are ``docs/benchmarks.md`` and ``docs/figures/benchmark_scaling.png``.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import operator
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_info, threadpool_limits

from smallworld_eqprop import LayeredGraph, Run, RunConfig, Trainer, load
from smallworld_eqprop.dynamics import sor
from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.initial import initial_weights
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.dynamics.threads import threads
from smallworld_eqprop.learning.history import BatchRecord
from smallworld_eqprop.studies.folder import read_checkpoint

PRESETS = (
    "layered-3x500",
    "layered-3x500-per-layer",
    "rewired-3x500",
    "rewired-3x500-no-intralayer",
    "layered-5x100",
    "rewired-5x100-no-intralayer",
)
# Some epochs come before the batches measured, so that relaxation starts from persistent particles,
# as in all epochs of a training but the first.
EPOCHS, EXAMPLES = 4, 2000
MEASURED, REFERENCE = 60, 6

# Against the peer: threads of both, and the residual where single precision ends.
THREADS = (1, os.cpu_count() or 1)
FINEST = 6e-7

TITLES = {
    "batch": "Batch time",
    "peer": "Against layer-wise relaxation in PyTorch",
    "memory": "Peak memory of an MNIST run",
    "scaling": "Growth with the number of edges",
}
NOTES = {
    "batch": """\
Networks after four epochs of 2,000 examples, batches of 20, one thread. Literal dense: one
N x N matrix, all synchronous steps, the whole update. Product floor: nothing but the matrix
products of a batch whose sweeps, equally many, and nudged steps are all of the whole network.
Ours can be below it, because most sweeps are of the nodes alone that are not at rest, and
examples whose outputs are at their targets are not nudged.
""",
    "peer": """\
The same layered network and batches: even and odd layers in turn, 100 free and 2 x 10 nudged
iterations from rest, as in Scellier et al. 2024, the input's products in every iteration. Ours
starts from persistent particles. Both have the same number of threads: its share the products,
ours the examples.

Where a network has slow modes, 100 iterations leave some examples far from equilibrium. So ours
is measured at a tolerance that is the *mean* residual of the peer over 200 examples: the worst of
our examples is then no further from equilibrium than the peer's are on average. Single precision
ends at 6e-7. In the row below stands the tolerance of training, 1e-3. Stages beyond the first are
those of `--run FOLDER...`; the last row is time for time from the first stage to the last, the
share between two stages taken as linear.
""",
    "memory": """\
Largest resident set of a process that trains some batches, evaluates and writes a checkpoint.
""",
    "scaling": """\
Random graphs of one density, that of 10 million edges among 100,000 nodes; every block is
sparse. Peak memory is that of building, relaxing and one correction.
""",
}


class LiteralDense:
    """The published method written literally: one N x N matrix, synchronous steps, full updates."""

    def __init__(self, trainer: Trainer) -> None:
        graph, config = trainer.graph, trainer.config
        n = graph.n_nodes
        self.weights = np.zeros((n, n), np.float32)
        u, v = graph.edges.T
        self.weights[u, v] = self.weights[v, u] = trainer.network.weights
        self.mask = self.weights != 0
        self.biases = np.zeros((n, 1), np.float32)
        self.biases[graph.layer_sizes[0] :, 0] = trainer.network.biases
        self.free_steps, self.nudged = config.free_steps, config.recipe.rule.solver
        self.n_inputs, self.n_outputs = graph.layer_sizes[0], graph.layer_sizes[-1]

    def steps(
        self, state: npt.NDArray, n_steps: int, target: npt.NDArray | None, beta: float
    ) -> npt.NDArray:
        """State after synchronous Euler steps of all N nodes, inputs put back each time."""
        inputs, size = state[: self.n_inputs].copy(), np.float32(self.nudged.step_size)
        for _ in range(n_steps):
            state = state + size * (self.weights @ state + self.biases - state)
            if target is not None:
                state[-self.n_outputs :] += 2 * beta * size * (target - state[-self.n_outputs :])
            state = np.clip(state, 0, 1)
            state[: self.n_inputs] = inputs
        return state

    def batch(self, inputs: npt.NDArray, target: npt.NDArray) -> None:
        """One training batch: free phase, nudged phase, update of the whole matrix."""
        start = np.zeros((len(self.weights), inputs.shape[1]), np.float32)
        start[: self.n_inputs] = inputs
        free = self.steps(start, self.free_steps, None, 0.0)
        nudged = self.steps(free, self.nudged.steps, target, 1.0)
        contrast = (nudged @ nudged.T - free @ free.T) * self.mask / inputs.shape[1]
        self.weights += np.float32(1e-6) * contrast
        self.biases += np.float32(1e-6) * (nudged - free).mean(axis=1, keepdims=True)


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def median_time(call: Callable[[], object], repeats: int = 7) -> float:
    call()
    return statistics.median(timed(call) for _ in range(repeats))


class Floor:
    """Time of the matrix products alone: of whole sweeps, of the drive and of the update."""

    def __init__(self, trainer: Trainer) -> None:
        network, size = trainer.network, trainer.config.batch_size
        circuit, sizes = network.circuit, network.graph.layer_sizes
        drive, update, sweep = [], [], []
        for block in network.blocks:
            rows, columns = sizes[block.lower], sizes[block.upper]
            inner = size if block.lower == 0 else 2 * size
            if block.dense:
                update.append((random(rows, inner), random(inner, columns), random(rows, columns)))
        drive += [(random(size, m.shape[0]), m, random(size, m.shape[1])) for m, _ in circuit.first]
        for layer, terms in enumerate(circuit.into):
            matrices = [matrix for matrix, _ in terms]
            matrices += [circuit.inside[layer]] if layer in circuit.inside else []
            sweep += [(random(size, m.shape[0]), m, random(size, m.shape[1])) for m in matrices]
        self.once = median_time(lambda: multiply(drive + update))
        self.steps, self.sweep = trainer.config.nudged_steps, sweep

    def batch(self, sweeps: float) -> float:
        """One batch of as many sweeps, and the steps of the nudged phase, of the whole network."""
        return self.once + (sweeps + self.steps) * median_time(lambda: multiply(self.sweep))


def multiply(calls: list[tuple]) -> None:
    """The products themselves; a sparse matrix knows no `out`."""
    for a, b, c in calls:
        if isinstance(b, np.ndarray):
            np.matmul(a, b, out=c)
        else:
            a @ b


def random(*shape: int) -> npt.NDArray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def warm(config: RunConfig) -> tuple[Trainer, Iterator[BatchRecord]]:
    """A trainer some epochs on, and the batches that follow."""
    data = load(config.dataset, n_train=EXAMPLES)
    data = dataclasses.replace(data, x_test=data.x_test[:20], y_test=data.y_test[:20])
    trainer = Trainer(config.topology.build(config.training.seed), data, config.training)
    while len(trainer.history) < EPOCHS:
        for _ in trainer.run_epoch():
            pass
    return trainer, following(trainer)


def trained(folder: Path) -> tuple[Trainer, Iterator[BatchRecord]]:
    """The trainer of a run, and the batches that follow."""
    run = Run(folder)
    data = load(run.config.dataset, n_train=run.config.n_train)
    trainer = Trainer(run.graph, data, run.config.training)
    read_checkpoint(folder / "checkpoint.npz", run.config, trainer)
    return trainer, following(trainer)


def following(trainer: Trainer) -> Iterator[BatchRecord]:
    """The batches that follow, without end."""
    while True:
        yield from trainer.run_epoch()


def bench_batch() -> list[dict[str, object]]:
    """Batch time of the presets against the literal dense reference and the product floor."""
    rows = []
    for name in PRESETS:
        config = RunConfig.preset(name)
        trainer, epoch = warm(config)
        data = trainer.data
        reference = LiteralDense(trainer)
        inputs = np.ascontiguousarray(data.x_train[:20].T)
        target = np.ascontiguousarray(data.y_train[:20].T)
        floor = Floor(trainer)
        ours, theirs, sweeps, over = [], [], [], []
        for i in range(MEASURED):
            begin = time.perf_counter()
            record = next(epoch)
            ours.append(time.perf_counter() - begin)
            sweeps.append(record.sweeps)
            if i % (MEASURED // REFERENCE) == 0:
                theirs.append(timed(partial(reference.batch, inputs, target)))
                over.append(ours[-1] / floor.batch(record.sweeps))
        faster = statistics.median(theirs) / statistics.median(ours)
        rows.append(
            {
                "network": name,
                "times faster than literal dense": round(faster, 1),
                "times the product floor": round(statistics.median(over), 2),
                "sweeps per example": round(statistics.mean(sweeps), 1),
                "worst residual": f"{trainer._sums.worst_residual:.1e}",
                "unconverged": int(trainer._sums.unconverged),
            }
        )
        print(rows[-1], flush=True)
    return rows


class LayerwisePeer:
    """The layered network in PyTorch: even and odd layers in turn, 100 free and 2 x 10 nudged."""

    FREE, NUDGED, BETA = 100, 10, 0.25

    def __init__(self, torch: Any, trainer: Trainer) -> None:
        network = trainer.network
        self.torch = torch
        weights = network.parameters[: len(network.blocks)]
        self.weights = [torch.from_numpy(each.T.copy()) for each in weights]
        self.biases = [torch.from_numpy(network.biases[rows].copy()) for rows in network.rows[1:]]

    def relax(
        self, states: list, iterations: int, inputs: Any, target: Any = None, beta: float = 0.0
    ) -> list:
        """States after the iterations, each of all even layers, then of all odd ones."""
        last = len(states) - 1
        for _ in range(iterations):
            for parity in (0, 1):
                for k in range(parity, last + 1, 2):
                    below = inputs if k == 0 else states[k - 1]
                    field = self.torch.addmm(self.biases[k], below, self.weights[k].T)
                    if k < last:
                        field = self.torch.addmm(field, states[k + 1], self.weights[k + 1])
                    elif beta:
                        field = (field + 2 * beta * target) / (1 + 2 * beta)
                    states[k] = field.clamp(0, 1)
        return states

    def batch(self, inputs: Any, target: Any) -> npt.NDArray:
        """One training batch; gives the free state as (batch, n_free)."""
        rest = [self.torch.zeros(len(inputs), len(biases)) for biases in self.biases]
        free = self.relax(rest, self.FREE, inputs)
        plus, minus = (
            self.relax([s.clone() for s in free], self.NUDGED, inputs, target, sign * self.BETA)
            for sign in (1, -1)
        )
        for k, (p, m) in enumerate(zip(plus, minus, strict=True)):
            below = (inputs, inputs) if k == 0 else (plus[k - 1], minus[k - 1])
            self.weights[k].add_((p.T @ below[0] - m.T @ below[1]) * 1e-8)
        return self.torch.cat(free, dim=1).numpy()


def bench_peer(folders: list[Path]) -> list[dict[str, object]]:
    """Batch time against layer-wise relaxation in PyTorch of the same layered network.

    Early in training and where the runs in `folders` ended, at the residual of the peer and at
    that of training; last the whole way from the first of these stages to the last.
    """
    try:
        import torch
    except ImportError:
        print("peer: torch is not installed, skipped", file=sys.stderr)
        return []
    config = RunConfig.preset("layered-3x500")
    stages = [(EPOCHS * EXAMPLES / 60_000, partial(warm, config))]
    stages += [(len(Run(folder).history), partial(trained, folder)) for folder in folders]
    stages.sort(key=operator.itemgetter(0))
    rows, shares = [], []
    for epoch, made in stages:
        trainer, batches = made()
        theirs = peer_residuals(torch, trainer)
        equal = max(float(theirs.mean()), FINEST)
        for tolerance in (equal, config.training.tolerance):
            ours = residuals(trainer, tolerance)
            faster = against_peer(torch, trainer, batches)
            rows.append(peer_row(f"{epoch:.3g}", theirs, f"{tolerance:.1e}", ours, faster))
            if tolerance == equal:
                shares.append(1 / faster)
            print(rows[-1], flush=True)
    if len(stages) > 1:
        epochs = np.array([epoch for epoch, _ in stages])
        whole = np.ptp(epochs) / np.trapezoid(shares, epochs, axis=0)
        rows.append(peer_row(f"{epochs[0]:.3g} to {epochs[-1]:g}", None, "equal", None, whole))
        print(rows[-1], flush=True)
    return rows


def peer_row(
    epochs: str,
    theirs: npt.NDArray | None,
    tolerance: str,
    ours: npt.NDArray | None,
    faster: npt.NDArray,
) -> dict[str, object]:
    """One row: residuals of the same examples, and how many times faster we are."""

    def told(residuals: npt.NDArray | None) -> str:
        if residuals is None:
            return ""
        return ", ".join(f"{f(residuals):.1e}" for f in (np.median, np.mean, np.max))

    return {
        "epochs of training": epochs,
        "peer's residuals: median, mean, worst": told(theirs),
        "our tolerance": tolerance,
        "our residuals": told(ours),
        **{
            f"times faster, {n} thread{'s' * (n > 1)} each": round(ratio, 1)
            for n, ratio in zip(THREADS, faster, strict=True)
        },
    }


def peer_residuals(torch: Any, trainer: Trainer) -> npt.NDArray:
    """Residual in which the peer leaves each of some hundred examples."""
    found = []
    for x, y, drive, _ in some_batches(trainer):
        free = LayerwisePeer(torch, trainer).batch(torch.tensor(x), torch.tensor(y))
        circuit = trainer.network.circuit
        found.append(circuit.residual(free, circuit.field(free, drive)))
    return np.concatenate(found)


def residuals(trainer: Trainer, tolerance: float) -> npt.NDArray:
    """Residuals of the same examples in ours, which relaxes to this tolerance from here on."""
    trainer.change(solver=dataclasses.replace(trainer.recipe.solver, tolerance=tolerance))
    relaxed = (
        trainer.recipe.solver.relax(trainer.network.circuit, drive, start)
        for _, _, drive, start in some_batches(trainer)
    )
    return np.concatenate([each.residual for each in relaxed])


def some_batches(trainer: Trainer) -> Iterator[tuple[npt.NDArray, ...]]:
    """Inputs, targets, drives and particles of some batches."""
    data, particles = trainer.data, trainer.engine.train_particles
    for begin in range(0, 200, 20):
        batch = slice(begin, begin + 20)
        x, start = data.x_train[batch], particles[batch].astype(np.float32)
        yield x, data.y_train[batch], trainer.network.circuit.drive(x), start


def against_peer(torch: Any, trainer: Trainer, batches: Iterator[BatchRecord]) -> npt.NDArray:
    """Median batch times of the peer over ours, by the threads of both."""
    peer = LayerwisePeer(torch, trainer)
    x, y, _, _ = next(some_batches(trainer))
    batch = partial(peer.batch, torch.tensor(x), torch.tensor(y))
    ours: list[list[float]] = [[] for _ in THREADS]
    theirs: list[list[float]] = [[] for _ in THREADS]
    for i in range(MEASURED):
        for n, mine, its in zip(THREADS, ours, theirs, strict=True):
            with threads(trainer.network, n):
                mine.append(timed(partial(next, batches)))
            if i % (MEASURED // 10) == 0:
                torch.set_num_threads(n)
                its.append(timed(batch))
    return np.median(theirs, axis=1) / np.median(ours, axis=1)


def peak_memory() -> float:
    """Largest resident set of this process so far, in mebibytes; Linux only.

    Unlike ru_maxrss it does not begin with that of the process that started this one.
    """
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


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


def memory_job(preset: str) -> float:
    """Peak mebibytes of a run of the preset: data, some batches, evaluation and checkpoint."""
    config = RunConfig.preset(preset)
    data = load(config.dataset, n_train=config.n_train)
    trainer = Trainer(config.topology.build(config.training.seed), data, config.training)
    for _, _ in zip(range(50), trainer.run_epoch(), strict=False):
        pass
    # A run touches every particle sooner or later.
    trainer.engine.train_particles[:] = 0.5
    trainer.evaluate()
    with tempfile.TemporaryFile() as file:
        np.savez(file, **trainer.state()[0])
    return peak_memory()


def alone(job: str, argument: object) -> list[float]:
    """The numbers a job prints in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, __file__, "--job", job, str(argument)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def bench_scaling(out: Path) -> list[dict[str, object]]:
    """Time per sweep and memory against the number of edges, with the slope of the log-log fit."""
    counts = [10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]
    # Slow minutes of a shared machine would bend the line: every size is measured three times.
    results = np.min([[alone("sparse", count) for count in counts] for _ in range(3)], axis=0)
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
    figure.savefig(out / "benchmark_scaling.png", dpi=150)
    return float(slope)


def bench_memory() -> list[dict[str, object]]:
    """Peak memory of MNIST runs."""
    rows: list[dict[str, object]] = [
        {"network": name, "peak memory (MiB)": round(alone("memory", name)[0])}
        for name in ("rewired-3x500", "rewired-3x500-no-intralayer")
    ]
    print(*rows, sep="\n", flush=True)
    return rows


def table(rows: list[dict[str, object]]) -> str:
    """Rows as a Markdown table; the first row names the columns."""
    names = list(rows[0])
    lines = [" | ".join(names), " | ".join("---" for _ in names)]
    lines += [" | ".join(str(row.get(name, "")) for name in names) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


def machine() -> str:
    """What the numbers were measured on."""
    pools = {f"{pool['internal_api']} {pool['num_threads']} threads" for pool in threadpool_info()}
    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        processor = next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        pass
    return (
        f"{processor}, {os.cpu_count()} cores; {', '.join(sorted(pools))}; NumPy {np.__version__}"
    )


def main() -> None:
    """Run the sections asked for and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", nargs="+", choices=TITLES, default=list(TITLES))
    parser.add_argument("--threads", type=int, default=1, help="of all matrix products")
    parser.add_argument(
        "--run",
        type=Path,
        nargs="+",
        default=[],
        metavar="FOLDER",
        help="runs of layered-3x500, for the peer: where each ended is a stage of training",
    )
    parser.add_argument("--out", type=Path, default=Path("docs"))
    parser.add_argument("--job", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.job:
        job, value = arguments.job
        print(json.dumps(sparse_job(int(value)) if job == "sparse" else [memory_job(value)]))
        return
    benches: dict[str, Callable[[], list[dict[str, object]]]] = {
        "batch": bench_batch,
        "peer": partial(bench_peer, arguments.run),
        "memory": bench_memory,
        "scaling": partial(bench_scaling, arguments.out),
    }
    with threadpool_limits(arguments.threads):
        text = [
            "# Benchmarks",
            "",
            f"Measured in one run of `benchmarks/bench.py` on: {machine()}.",
            "",
        ]
        for key in arguments.sections:
            if rows := benches[key]():
                text += [f"## {TITLES[key]}", "", NOTES[key], table(rows), ""]
    if set(arguments.sections) == set(TITLES):
        text += ["![growth](figures/benchmark_scaling.png)", ""]
        (arguments.out / "benchmarks.md").write_text("\n".join(text), encoding="utf-8")


if __name__ == "__main__":
    main()
