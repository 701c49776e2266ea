"""Speed and memory of training, as ratios within one run.

    python benchmarks/bench.py [--sections batch peer scaling] [--threads N] [--out docs]

Every time is the median over batches, taken in turn with its reference so that both see the same
machine. Written are ``docs/benchmarks.md`` and ``docs/figures/benchmark_scaling.png``.
"""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable
from functools import partial
from pathlib import Path

import batch
import memory
import numpy as np
import peer
import scaling
from threadpoolctl import threadpool_info, threadpool_limits

from smallworld_eqprop.files import atomic_writer

OTHER = """\
## Time to a test error

`python benchmarks/time_to_accuracy.py` trains 784-500-500-500-10 on MNIST three times, each in a
process of its own with the same number of threads: by `weak-feedback-3x500`, by the paper's recipe
in `layered-3x500-per-layer`, and as a layer-wise network in PyTorch by the settings that
energy-based-learning publishes for three hidden layers (`benchmarks/layerwise.py`; a test shows
that it takes the gradient steps of this package). The test error is measured every quarter of an
epoch; the times include these tests and the start of the process. The script prints the times to
10, 6, 3, 2.5 and 1.65 % as shares of the peer's time to 6 %. Every test is a row of
`results/time_to_accuracy.csv`, which `figures/time_to_error.py` draws. Measure on an otherwise idle
machine.
"""

#: The sections of the page, in its order.
SECTIONS = {"batch": batch, "peer": peer, "memory": memory, "scaling": scaling}


def main() -> None:
    """Run the sections asked for and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
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
    arguments = parser.parse_args()
    benches: dict[str, Callable[[], list[dict[str, object]]]] = {
        "batch": batch.bench,
        "peer": partial(peer.bench, arguments.run),
        "memory": memory.bench,
        "scaling": partial(scaling.bench, arguments.out),
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
                section = SECTIONS[key]
                text += [f"## {section.TITLE}", "", section.NOTE, table(rows), ""]
    if set(arguments.sections) == set(SECTIONS):
        text += ["![growth](figures/benchmark_scaling.png)", "", OTHER]
        with atomic_writer(arguments.out / "benchmarks.md") as file:
            file.write("\n".join(text).encode())


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


if __name__ == "__main__":
    main()
