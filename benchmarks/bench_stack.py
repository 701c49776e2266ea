"""Runs per hour: a stack of networks on torch beside NumPy with one process per core.

The work is that of a study of 784-5x50-10 networks rewired from p = 0 to 1, each with a seed of its
own, on a part of MNIST: training and evaluation of every epoch. Both ways train the same networks
for the same epochs in one run of this script and take turns, so that a machine that is busy for a
while slows both down. Torch has as many threads as there are processes, once in one stack and once
in one stack of one thread per process. Loading, starting of processes and what is compiled or
allocated at the first batch are not timed.

    python benchmarks/bench_stack.py [--members 10 30 150] [--examples 2000] [--processes 2]
"""

from __future__ import annotations

import argparse
import dataclasses
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from functools import cache, partial
from multiprocessing.pool import Pool

from smallworld_eqprop import Dataset, Trainer, TrainingConfig, layered, load, rewire
from smallworld_eqprop.dynamics import threads
from smallworld_eqprop.learning import Ensemble

SIZES = (784, 50, 50, 50, 50, 50, 10)
CONFIG = TrainingConfig.paper(learning_rate=0.015, nudged_steps=12, other_amplitude=0.05)
PREPARED: list[Callable[[], None]] = []


@cache
def data_of(examples: int, tested: int) -> Dataset:
    data = load("mnist", n_train=examples)
    return dataclasses.replace(data, x_test=data.x_test[:tested], y_test=data.y_test[:tested])


def make(k: int, members: int, device: str, sizes: tuple[int, int]) -> Trainer:
    graph = rewire(layered(SIZES), k / max(members - 1, 1), seed=k)
    return Trainer(graph, data_of(*sizes), dataclasses.replace(CONFIG, seed=k, device=device))


def one_by_one(trainers: list[Trainer], epochs: int) -> None:
    with threads(trainers[0].network, 1):
        for trainer in trainers:
            for _ in range(epochs):
                list(trainer.run_epoch())


def together(ensemble: Ensemble, epochs: int, count: int) -> None:
    with threads(ensemble.trainers[0].network, count):
        for _ in range(epochs):
            list(ensemble.run_epoch())


def prepare(
    which: list[int], members: int, device: str, sizes: tuple[int, int], epochs: int
) -> int:
    """Make the networks of one process and run their first batch; `go` does the rest."""
    import torch

    torch.set_num_threads(1)
    trainers = [make(k, members, device, sizes) for k in which]
    PREPARED.clear()
    if device == "numpy":
        with threads(trainers[0].network, 1):
            next(trainers[0].run_epoch())
        PREPARED.append(partial(one_by_one, trainers, epochs))
    else:
        ensemble = Ensemble(trainers)
        next(ensemble.run_epoch())
        PREPARED.append(partial(together, ensemble, epochs, 1))
    return os.getpid()


def go(_: int) -> int:
    PREPARED[0]()
    return os.getpid()


def in_processes(
    pools: list[Pool], device: str, members: int, options: argparse.Namespace
) -> float:
    sizes = options.examples, options.tested
    parts = [list(range(k, members, len(pools))) for k in range(len(pools))]
    ready = [
        pool.apply_async(prepare, (part, members, device, sizes, options.epochs))
        for pool, part in zip(pools, parts, strict=True)
        if part
    ]
    for each in ready:
        each.get()
    begin = time.perf_counter()
    running = [pool.apply_async(go, (0,)) for pool in pools[: len(ready)]]
    for each in running:
        each.get()
    return time.perf_counter() - begin


def in_one_stack(members: int, options: argparse.Namespace) -> float:
    sizes = options.examples, options.tested
    ensemble = Ensemble([make(k, members, options.device, sizes) for k in range(members)])
    with threads(ensemble.trainers[0].network, options.processes):
        next(ensemble.run_epoch())
    begin = time.perf_counter()
    together(ensemble, options.epochs, options.processes)
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", nargs="+", type=int, default=[10, 30, 150])
    parser.add_argument("--examples", type=int, default=2000, help="training examples of a run")
    parser.add_argument("--tested", type=int, default=400, help="test examples of a run")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--device", default="cpu", help="of the stack in one process")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    pools = [context.Pool(1) for _ in range(options.processes)]
    n = options.processes
    print(f"{options.epochs} epochs of {options.examples} examples, {'-'.join(map(str, SIZES))}")
    for members in options.members:
        ways: dict[str, Callable[[], float]] = {
            f"NumPy, {n} processes": partial(in_processes, pools, "numpy", members, options),
            f"one stack on {options.device}, {n} threads": partial(in_one_stack, members, options),
        }
        if options.device == "cpu" and n > 1:
            name = f"{n} processes of a stack on cpu"
            ways[name] = partial(in_processes, pools, "cpu", members, options)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(options.rounds):
            for name, way in ways.items():
                seconds[name].append(way())
        first = statistics.median(next(iter(seconds.values())))
        for name, times in seconds.items():
            median = statistics.median(times)
            print(
                f"{members:4} networks, {name:<30} {median:8.1f} s, "
                f"{members / median * 3600:8.0f} runs per hour, {first / median:5.2f} x NumPy",
                flush=True,
            )
    for pool in pools:
        pool.terminate()


if __name__ == "__main__":
    main()
