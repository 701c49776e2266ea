"""What a change of the physics must not change: outcomes, speed and memory, against another commit.

    python benchmarks/guard.py --against REV                    # outcomes, speed, memory
    python benchmarks/guard.py --against REV --only outcomes

Every part trains the same networks with both commits, the other one in a git worktree. Outcomes are
the weights after 1 and 10 batches. Speed is measured with both programs alive and taking turns, so
that what else the machine does meets both; printed is the median of the ratios of the turns. The
workers use only what has been the same for long: graphs, `TrainingConfig`, `Trainer`.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve()
ROOT = HERE.parents[1]
TURNS, WARM, BATCHES = 15, 200, 20

SMALL = ("layered", "rewired", "intralayer", "no layers", "per-layer")
TIMED = ("layered-3x500", "rewired-3x500", "preprint-3x500", "layered-5x100", "sparse-1e6")


# Within a worker: the package is the one of the commit.


def make_trainer(case: str, method: str = "sor", dtype: str = "float32"):
    """A trainer of the case, the same in every commit."""
    import smallworld_eqprop as sw

    rng = np.random.default_rng(0)
    rates: float | tuple[float, ...] = 0.02
    if case in SMALL:
        graph = sw.layered((64, 60, 50, 40, 10))
        if case == "rewired":
            graph = sw.rewire(graph, 0.2, seed=1)
        elif case == "intralayer":
            graph = sw.rewire(sw.add_intralayer(graph), seed=1, law="moves", moves=2000)
        elif case == "no layers":
            pairs = np.argwhere(np.triu(rng.random((174, 174)) < 0.2, 1))
            graph = sw.LayeredGraph((64, 100, 10), pairs)
        elif case == "per-layer":
            rates = (0.128, 0.032, 0.008, 0.002)
        data = sw.load("digits")
    elif case == "sparse-1e6":
        edges = np.unique(np.sort(rng.integers(0, 10_784, (1_000_000, 2)), axis=1), axis=0)
        edges = edges[(edges[:, 0] != edges[:, 1]) & (edges[:, 1] >= 784) & (edges[:, 0] < 10_774)]
        graph = sw.LayeredGraph((784, 9_990, 10), edges)
        data = sw.load("mnist", n_train=20_000)
    else:
        config = sw.RunConfig.preset(
            {"rewired-3x500": "rewired-3x500-no-intralayer", "preprint-3x500": "rewired-3x500"}.get(
                case, case
            )
        )
        data = sw.load("mnist", n_train=config.flat()["n_train"])
        return sw.Trainer(config.topology.build(0), data, config.training)
    made = getattr(sw.TrainingConfig, "paper", sw.TrainingConfig)  # by version
    config = made(learning_rate=rates, relaxation=method, free_steps=60, other_amplitude=0.02)
    if dtype == "float32":
        return sw.Trainer(graph, data, config)
    initial_weights = getattr(sw, "initial_weights", None) or sw.dynamics.initial_weights
    weights = initial_weights(graph, seed=np.random.default_rng([0, 1]), other_amplitude=0.02)
    if hasattr(sw, "Network"):
        return sw.Trainer(graph, data, config, network=sw.Network(graph, weights, dtype=dtype))
    return sw.Trainer(graph, data, config, sw.Couplings(graph, weights, dtype=dtype))


def threads(trainer, n: int):
    import smallworld_eqprop as sw

    sharing = getattr(sw, "threads", None) or sw.dynamics.threads
    return sharing(trainer.network if hasattr(trainer, "network") else trainer.couplings, n)


def outcomes(path: str) -> None:
    """Weights after 1 and 10 batches, for every small case, method, dtype and number of threads."""
    found = {}
    for case in SMALL:
        for method in ("sor", "euler"):
            for dtype in ("float32", "float64"):
                for n in (1, 2):
                    trainer = make_trainer(case, method, dtype)
                    with threads(trainer, n):
                        for batch in trainer.run_epoch():
                            if batch.batch in (0, 9):
                                name = f"{case}, {method}, {dtype}, {n} threads, {batch.batch + 1}"
                                found[name] = trainer.state()[0]["weights"].copy()
                            if batch.batch == 9:
                                break
    np.savez(path, **found)


def serve(case: str) -> None:
    """Train so many batches for every line of standard input, and say how long it took."""
    trainer = make_trainer(case)
    with threads(trainer, 1):
        batches = trainer.run_epoch()
        for _ in range(WARM // (1 if case != "sparse-1e6" else 10)):
            next(batches)
        print("ready", flush=True)
        for _ in sys.stdin:
            begin = time.perf_counter()
            for _ in range(BATCHES // (1 if case != "sparse-1e6" else 4)):
                next(batches)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(json.dumps([time.perf_counter() - begin, peak]), flush=True)


# The judge.


def start(tree: Path, *arguments: str) -> subprocess.Popen:
    environment = os.environ | {"PYTHONPATH": str(tree), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE), "--worker", *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(
        command, env=environment, cwd=tree, stdin=pipe, stdout=pipe, text=True, bufsize=1
    )


def compare_outcomes(trees: list[Path], folder: Path) -> None:
    files = [folder / f"{n}.npz" for n in range(2)]
    for tree, file in zip(trees, files, strict=True):
        if start(tree, "outcomes", str(file)).wait():
            raise SystemExit("a worker failed")
    with np.load(files[0]) as old, np.load(files[1]) as new:
        print("largest difference of a weight, as a share of the RMS weight:")
        for name in old.files:
            scale = np.sqrt(np.mean(np.square(old[name], dtype=float)))
            print(f"  {name:45} {np.abs(old[name] - new[name]).max() / scale:.1e}", flush=True)


def duel(trees: list[Path], case: str) -> None:
    workers = [start(tree, "serve", case) for tree in trees]
    for worker in workers:
        worker.stdout.readline()
    times: list[list[float]] = [[], []]
    peaks = [0.0, 0.0]
    for _ in range(TURNS):
        for n, worker in enumerate(workers):
            worker.stdin.write("go\n")
            seconds, peaks[n] = json.loads(worker.stdout.readline())
            times[n].append(seconds)
    for worker in workers:
        worker.stdin.close()
        worker.wait()
    ratios = np.array(times[1]) / np.array(times[0])
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    print(
        f"  {case:16} time x {middle:.3f} (quartiles {low:.3f} to {high:.3f}), "
        f"least x {min(times[1]) / min(times[0]):.3f}, peak memory x {peaks[1] / peaks[0]:.3f}",
        flush=True,
    )


def duel_import(trees: list[Path]) -> None:
    code = "import smallworld_eqprop as s; s.Trainer; s.rewire"
    times: list[list[float]] = [[], []]
    for _ in range(TURNS):
        for n, tree in enumerate(trees):
            begin = time.perf_counter()
            environment = os.environ | {"PYTHONPATH": str(tree)}
            subprocess.run([sys.executable, "-c", code], env=environment, cwd=tree, check=True)
            times[n].append(time.perf_counter() - begin)
    ratio = np.median(np.array(times[1]) / np.array(times[0]))
    print(f"  import           time x {ratio:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", help="the commit to compare this work tree with")
    parser.add_argument("--only", choices=["outcomes", "speed"])
    parser.add_argument("--cases", nargs="+", choices=TIMED, default=TIMED)
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker:
        {"outcomes": outcomes, "serve": serve}[arguments.worker[0]](*arguments.worker[1:])
        return
    if not arguments.against:
        parser.error("--against: name a commit")
    with tempfile.TemporaryDirectory() as name:
        folder, other = Path(name), Path(name) / "other"
        git = ["git", "-C", str(ROOT), "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", other, arguments.against], check=True)
        try:
            trees = [other, ROOT]
            if arguments.only != "speed":
                compare_outcomes(trees, folder)
            if arguments.only != "outcomes":
                print("this work tree against the other commit (below 1: faster, smaller):")
                for case in arguments.cases:
                    duel(trees, case)
                duel_import(trees)
        finally:
            subprocess.run([*git, "remove", "--force", other], check=True)


if __name__ == "__main__":
    main()
