"""What a batch of the weak-feedback recipe takes: products, the rest, and two threads.

    python benchmarks/bench_weak_feedback.py

Three ratios, each the median of turns taken one after the other in one process:

- share of the sgemm floor: the matrix products of a batch, logged and replayed alone with the same
  shapes and strides, over the whole batch, one thread;
- gain of a second core: batches per second with two threads over those with one;
- most a second core can gain: the same replay done twice, by two threads that share nothing, over
  twice the time of one. Below 2 the cores slow each other, whatever the program does.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import numpy as np
from tabulate import tabulate
from training import following, timed

from smallworld_eqprop import Dataset, RunConfig, Trainer, load
from smallworld_eqprop.dynamics import threads

PRESETS = ("weak-feedback-3x500", "weak-feedback-rewired-3x500", "weak-feedback-10x64")
WARM_UP, BATCHES, TURNS = 50, 20, 15


class Logged:
    """NumPy, whose matrix products are noted as arrays of the same shapes and strides."""

    def __init__(self) -> None:
        self.products: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def matmul(self, left: Any, right: Any, out: Any = None) -> Any:
        """Note and multiply."""
        self.products.append(_likes((left, right, out)))
        return np.matmul(left, right, out=out)


def _like(array: Any) -> Any:
    """An array of its own with the shape and the strides of another."""
    memory = np.random.default_rng(0).random(_span(array), np.float32)
    return np.lib.stride_tricks.as_strided(memory, array.shape, array.strides)


def _likes(arrays: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(None if each is None else _like(each) for each in arrays)


def _span(array: Any) -> int:
    last = (s * (n - 1) for s, n in zip(array.strides, array.shape, strict=True))
    return sum(last) // array.itemsize + 1


@contextmanager
def logged() -> Iterator[Logged]:
    """Note the products inside the ``with`` statement."""
    log = Logged()
    modules = [
        import_module(f"smallworld_eqprop.dynamics.{name}") for name in ("products", "layout")
    ]
    for module in modules:
        module.np = log  # type: ignore[attr-defined]
    try:
        yield log
    finally:
        for module in modules:
            module.np = np  # type: ignore[attr-defined]


def measure(name: str, batch_size: int | None, data: Dataset) -> dict[str, object]:
    config = RunConfig.preset(name, **({"batch_size": batch_size} if batch_size else {}))
    trainer = Trainer(config.topology.build(0), data, config.training)
    batches = following(trainer)

    def run(n: int) -> None:
        for _ in itertools.islice(batches, n):
            pass

    run(WARM_UP)
    with threads(trainer.network, 1), logged() as log:
        run(1)

    # Two of them, so that two threads write to no array of each other.
    copies = [[_likes(row) for row in log.products] for _ in range(2)]
    pool = ThreadPoolExecutor(2)

    def replay(copy: int = 0) -> None:
        for _ in range(BATCHES):
            for left, right, out in copies[copy]:
                np.matmul(left, right, out=out)

    def replay_twice() -> None:
        list(pool.map(replay, (0, 1)))

    shares, gains, bounds = [], [], []
    for _ in range(TURNS):
        with threads(trainer.network, 1):
            one = timed(lambda: run(BATCHES))
            alone = timed(replay)
            shares.append(alone / one)
            bounds.append(2 * alone / timed(replay_twice))
        with threads(trainer.network, 2):
            gains.append(one / timed(lambda: run(BATCHES)))
    flops = sum(2 * left.shape[0] * right.size for left, right, _ in log.products)
    row = {
        "network": name,
        "batch": trainer.config.batch_size,
        "products": len(log.products),
        "million operations": round(flops / 1e6),
        "share of the floor": round(statistics.median(shares), 2),
        "gain of a second core": round(statistics.median(gains), 2),
        "most it can gain": round(statistics.median(bounds), 2),
    }
    print(row, flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--batch-sizes", nargs="+", type=int, default=[50, 100])
    found = parser.parse_args()
    begin, data = time.perf_counter(), load("mnist")
    rows = [
        measure(name, size, data)
        for name, size in itertools.product(found.presets, found.batch_sizes)
    ]
    print(tabulate(rows, "keys", "github"))
    print(f"{time.perf_counter() - begin:.0f} s in all")


if __name__ == "__main__":
    main()
