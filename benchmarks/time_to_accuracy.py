"""How long training takes to a test error: weak feedback, the paper's recipe, and a PyTorch peer.

    python benchmarks/time_to_accuracy.py                              all, one after the other
    python benchmarks/time_to_accuracy.py --epochs peer=20 --only peer
    python benchmarks/time_to_accuracy.py --quick                      whether the script runs

All train 784-500-500-500-10, each by its own recipe and schedule: `weak-feedback-3x500` and
`layered-3x500-per-layer` are presets, the first with a schedule as long as the run and with `SHORT`
in place of what serves longer runs better, and `peer` is `layerwise.py`. The test error is measured
every quarter of an epoch. Time is counted from the start of a process of its own, with data and
compiled code on the disk, tests and all; both the clock and the processor's time are kept. All have
the same number of threads. Times are worth something on an otherwise idle machine alone, and
relative to each other: what is printed is the share of the time that the peer takes to 6 %.

Written is ``results/time_to_accuracy.csv`` with a row for every test, during the run too.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from stand_in import stand_in

from smallworld_eqprop import Dataset, RunConfig, Trainer, load
from smallworld_eqprop.dynamics import Sweeps, threads
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.learning import Cosine

RESULTS = Path(__file__).resolve().parents[1] / "results" / "time_to_accuracy.csv"
SIZES = (784, 500, 500, 500, 10)
PEER = "peer"
#: Who takes part, and for how many epochs.
WEAK = "weak-feedback-3x500"
EPOCHS = {WEAK: 3, "layered-3x500-per-layer": 7, PEER: 1}
#: Chosen for three epochs, on 10,000 training examples set apart. At a residual of 0.01 the error
#: is that of the fixed point but for one example in ten thousand.
SHORT = {
    "batch_size": 64,
    "learning_rate": Cosine(1e-3, epochs=EPOCHS[WEAK]),
    "relaxation": Sweeps(1),
    "evaluation": Sweeps(60, 1e-2),
}
#: Test errors to reach, and the one that the peer's time is the unit of.
LEVELS, UNIT = (0.10, 0.06, 0.03, 0.025, 0.0165), 0.06
#: Tests in an epoch.
TESTS = 4

Point = tuple[float, float]


def train_preset(name: str, data: Dataset, found: argparse.Namespace) -> Iterator[Point]:
    """Train a preset; give epochs done and test error at every test."""
    config = RunConfig.preset(name, seed=found.seed)
    if name == WEAK:
        rate = dataclasses.replace(SHORT["learning_rate"], epochs=found.limit)
        config = config.changed(**SHORT | {"learning_rate": rate})
    trainer = Trainer(config.topology.build(found.seed), data, config.training)
    stops = stops_in(trainer.n_batches)
    with threads(trainer.network, found.threads):
        for epoch in range(found.limit):
            for record in trainer.run_epoch():
                if record.batch + 1 in stops[:-1]:
                    # The next test starts where this one ended, as it does after an epoch.
                    ((error, _),) = trainer.engine.evaluate(keep=True)
                    yield epoch + (record.batch + 1) / trainer.n_batches, error
            yield epoch + 1, trainer.history[-1].test_error


def train_peer(data: Dataset, found: argparse.Namespace) -> Iterator[Point]:
    """Train the peer; give epochs done and test error at every test."""
    import torch
    from layerwise import Layerwise, Published, order

    torch.set_num_threads(found.threads)
    settings = Published(
        batch_size=found.peer_batch, beta=found.peer_beta, input_once=found.peer_input_once
    )
    network = Layerwise(SIZES, settings, found.seed)
    x, y, x_test, y_test = (
        torch.tensor(each) for each in (data.x_train, data.y_train, data.x_test, data.y_test)
    )
    n_batches = -(-len(x) // settings.batch_size)
    stops = stops_in(n_batches)
    for epoch in range(found.limit):
        shuffled = order(len(x), found.seed, epoch).split(settings.batch_size)
        for done, batch in enumerate(shuffled, 1):
            network.train(x[batch], y[batch], epoch)
            if done in stops:
                yield epoch + done / n_batches, network.error(x_test, y_test)


def stops_in(n_batches: int) -> list[int]:
    """After which batches of an epoch the test error is measured, the last one included."""
    return [max(1, round(n_batches * k / TESTS)) for k in range(1, TESTS + 1)]


def contest(name: str, found: argparse.Namespace) -> None:
    """Train one of them in this process, and print every test as a line of JSON."""
    data = stand_in(1000, 500) if found.quick else load("mnist", folder=found.data)
    points = train_peer(data, found) if name == PEER else train_preset(name, data, found)
    for epoch, error in points:
        row = {
            "network": name,
            "epoch": round(epoch, 4),
            "seconds": round(time.time() - found.begin, 2),
            "cpu_seconds": round(time.process_time(), 2),
            "test_error": round(error, 5),
        }
        print(json.dumps(row), flush=True)
        if name == PEER and error <= found.peer_stop:
            break


def run_apart(name: str, found: argparse.Namespace, epochs: int) -> Iterator[dict[str, Any]]:
    """Rows of one contestant, from a process of its own."""
    count = str(found.threads)
    variables = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
    command = [sys.executable, __file__, *sys.argv[1:], "--contest", name, "--limit", str(epochs)]
    with subprocess.Popen(
        [*command, "--begin", repr(time.time())],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | dict.fromkeys(variables, count),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        print(f"{name}: ended with exit status {process.returncode}", file=sys.stderr)


def reached(table: pd.DataFrame, level: float, column: str = "seconds") -> float:
    """Time of the first test at a level or below it; NaN if there is none."""
    below = table[table.test_error <= level]
    return float(below[column].iloc[0]) if len(below) else float("nan")


def with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a column of times as a share of the peer's time to the unit."""
    return table.assign(time=table.seconds / reached(table[table.network == PEER], UNIT))


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Time of every contestant to every level: by the clock, of the processor, and as a share."""
    return pd.DataFrame(
        [
            {
                "network": name,
                "test error (%)": 100 * level,
                "wall (s)": reached(curve, level),
                "CPU (s)": reached(curve, level, "cpu_seconds"),
                f"share of the peer's time to {UNIT:.0%}": reached(curve, level, "time"),
            }
            for name, curve in table.groupby("network", sort=False)
            for level in LEVELS
        ]
    )


def epochs_of(text: str) -> tuple[str, int]:
    """Read ``NAME=EPOCHS``."""
    name, _, count = text.partition("=")
    if name not in EPOCHS or not count.isdigit() or not int(count):
        raise argparse.ArgumentTypeError(f"{text!r}, must be NAME=EPOCHS, NAME one of {[*EPOCHS]}")
    return name, int(count)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=EPOCHS, default=list(EPOCHS))
    parser.add_argument("--epochs", nargs="+", type=epochs_of, default=[], metavar="NAME=EPOCHS")
    parser.add_argument("--threads", type=int, default=1, help="of every contestant")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", help="folder with the MNIST files; fetched when left out")
    parser.add_argument("--peer-batch", type=int, default=16, help="published: 16")
    parser.add_argument("--peer-beta", type=float, default=0.2, help="published: 0.2")
    parser.add_argument(
        "--peer-input-once", action="store_true", help="one product with the inputs per phase"
    )
    parser.add_argument(
        "--peer-stop", type=float, default=0.0, help="test error at which the peer may stop"
    )
    parser.add_argument("--quick", action="store_true", help="an epoch of tiny generated data")
    parser.add_argument("--out", type=Path, help=f"table to write; {RESULTS.name} if not --quick")
    for hidden, kind in (("--contest", str), ("--limit", int), ("--begin", float)):
        parser.add_argument(hidden, type=kind, help=argparse.SUPPRESS)
    found = parser.parse_args()
    if found.contest:
        contest(found.contest, found)
        return
    out = found.out or (None if found.quick else RESULTS)
    epochs = EPOCHS | dict(found.epochs) | (dict.fromkeys(EPOCHS, 1) if found.quick else {})
    rows: list[dict[str, Any]] = []
    for name in found.only:
        for row in run_apart(name, found, epochs[name]):
            rows.append(row)
            print(row, flush=True)
            if out:
                with atomic_writer(out) as file:
                    file.write(with_shares(pd.DataFrame(rows)).to_csv(index=False).encode())
    if rows:
        print(summary(with_shares(pd.DataFrame(rows))).to_markdown(index=False, floatfmt=".3g"))


if __name__ == "__main__":
    main()
