"""Throughput of a sweep on two cores against the same runs one after another.

    python benchmarks/bench_sweep.py
    python benchmarks/bench_sweep.py --threads 1 2 --rounds 3

The same runs each way: as a sweep with two workers of one thread each, and one after another in
this process, with each of the numbers of threads asked for. The time of a sweep includes
starting its workers. The ways alternate, so that a machine that is busy for a while slows all of
them down; the ratio is that of the medians.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from smallworld_eqprop import RunConfig, Study, grid, sweep, train
from smallworld_eqprop.studies.job import measure_run

SWEPT = "sweep, two workers"


def in_a_sweep(study: Study, folder: Path) -> None:
    end = sweep(study, folder / "store.sqlite", workers=2)
    assert end.done == len(study.runs), end


def one_after_another(study: Study, folder: Path, threads: int) -> None:
    for key, config in zip(study.keys, study.runs, strict=True):
        train(config, folder / key, epochs=study.epochs, threads=threads)
        measure_run(config, study.metrics, None, None)  # as a sweep does, on one thread


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=8)
    parser.add_argument("--examples", type=int, default=1000, help="training examples of a run")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--rounds", type=int, default=1)
    options = parser.parse_args()
    base = RunConfig.preset("rewired-5x100-no-intralayer", n_train=options.examples)
    study = Study("throughput", grid(base, seed=range(options.runs)))
    base.data.load()
    ways: dict[str, Callable[[Study, Path], None]] = {SWEPT: in_a_sweep}
    for threads in options.threads:
        name = f"one after another, threads: {threads}"
        ways[name] = partial(one_after_another, threads=threads)
    warm = Study("warm", grid(base.changed(n_train=20), seed=[0]))
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as scratch:
        one_after_another(warm, Path(scratch) / "warm", 1)
        for number in range(options.rounds):
            for name, way in ways.items():
                folder = Path(scratch) / f"{number}-{name}"
                begin = time.perf_counter()
                way(study, folder)
                seconds[name].append(time.perf_counter() - begin)
    print(f"{len(study.runs)} runs of {options.examples} examples, 784-5x100-10, p = 10 %")
    swept = statistics.median(seconds[SWEPT])
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"{name:<36} {median:7.1f} s   {median / swept:5.2f} x the sweep")


if __name__ == "__main__":
    main()
