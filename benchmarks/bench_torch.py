"""The engine on torch beside NumPy's, in one run: one network, and several at once.

On the processor it prints ratios (torch to NumPy, per batch); where torch finds a CUDA card also
seconds per epoch of MNIST and the throughput of several networks on one card. The time of an epoch
is that of a stretch of its batches, scaled to all of them, without the evaluation.

    python benchmarks/bench_torch.py [--device cuda] [--presets NAME ...] [--together 1 2 4 8]
"""

from __future__ import annotations

import argparse
import dataclasses
import statistics
import time

import torch

from smallworld_eqprop import Dataset, RunConfig, Trainer, load
from smallworld_eqprop.dynamics import threads
from smallworld_eqprop.learning import Ensemble

PRESETS = ("rewired-3x500-no-intralayer", "rewired-3x500", "layered-5x100", "rewired-5x100")
EXAMPLES = 2000
EPOCH = 60_000


def make(name: str, data: Dataset, device: str, seed: int = 0) -> Trainer:
    config = RunConfig.preset(name, seed=seed, device=device)
    return Trainer(config.topology.build(seed), data, config.training)


def batch_seconds(trainers: list[Trainer], batches: int, warm: int, count: int) -> list[float]:
    """Seconds of every batch, after `warm` of them, trained together if they are several."""
    together = len(trainers) > 1
    epoch = iter((Ensemble(trainers) if together else trainers[0]).run_epoch())
    seconds = []
    with threads(trainers[0].network, count):
        for n in range(warm + batches):
            begin = time.perf_counter()
            next(epoch)  # ends with a transfer from the device, so nothing is still under way
            if n >= warm:
                seconds.append(time.perf_counter() - begin)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--together", nargs="+", type=int, default=[2, 4, 8])
    parser.add_argument("--batches", type=int, default=30)
    parser.add_argument("--warm", type=int, default=10)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    data = load("mnist", n_train=EXAMPLES)
    data = dataclasses.replace(data, x_test=data.x_test[:20], y_test=data.y_test[:20])
    on_card = arguments.device.startswith("cuda")
    what = torch.cuda.get_device_name(arguments.device) if on_card else "the processor"
    print(f"torch {torch.__version__} on {what}; threads: {arguments.threads}")
    if not on_card:
        print("no CUDA card: seconds per epoch on one are not measured here")
    for name in arguments.presets:
        measured = arguments.batches, arguments.warm, arguments.threads
        numpy = statistics.median(batch_seconds([make(name, data, "numpy")], *measured))
        first = make(name, data, arguments.device)
        alone = statistics.median(batch_seconds([first], *measured))
        size = first.config.batch_size
        print(f"{name}: torch takes {alone / numpy:.2f} times as long per batch as NumPy")
        if on_card:
            print(f"  {alone * EPOCH / size:.1f} s per epoch of {EPOCH:,} examples")
        for networks in arguments.together:
            trainers = [make(name, data, arguments.device, k) for k in range(networks)]
            joint = statistics.median(batch_seconds(trainers, *measured))
            print(
                f"  {networks} at once: {joint / alone:.2f} times as long as one, "
                f"{networks * alone / joint:.2f} times the throughput"
            )


if __name__ == "__main__":
    main()
