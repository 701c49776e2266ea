"""Relaxation along the edges against relaxation by dense arrays, for networks of few edges.

    python benchmarks/bench_thin.py

Processor time, one thread, float32, 50 random examples from rest: a free phase by SOR to a residual
of 1e-3, and 12 nudged Euler steps after it. Thinned networks are 784-300-300-10 and
784-500-500-500-10 without most of their edges; weights are initial ones. The share is that of
joined pairs among all pairs of free nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from unittest import mock

import numpy as np
from bench_large import best_of

import smallworld_eqprop as sw
from smallworld_eqprop.dynamics import SOR, Euler
from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.graphs.generate import thin
from smallworld_eqprop.graphs.topology.chips import Pegasus

BATCH, STEPS, SHARE_OF_PIXELS = 50, 12, 0.2


def networks() -> list[tuple[str, sw.LayeredGraph]]:
    chip = Pegasus(size=7, inputs=196, outputs=10, missing=0.02)
    found = [("Pegasus of size 7", chip.build(0))]
    for sizes in ([784, 300, 300, 10], [784, 500, 500, 500, 10]):
        whole = sw.layered(sizes)
        for kept in (0.03, 0.1, 0.2, 0.5):
            name = "-".join(map(str, sizes)) + f", {kept:.0%} of the edges"
            found.append((name, thin(whole, round(kept * whole.n_edges), seed=0)))
    return found


def calls(graph: sw.LayeredGraph, limit: float) -> tuple[float, list[Callable[[], object]]]:
    """Share of joined pairs; a free phase and a nudged one, along the edges below `limit`."""
    with mock.patch("smallworld_eqprop.dynamics.layout.THIN", limit):
        network = sw.Network(graph, seed=0)
    circuit, rng = network.circuit, np.random.default_rng(0)
    inputs = rng.random((BATCH, network.n_inputs), np.float32)
    inputs *= rng.random(inputs.shape) < SHARE_OF_PIXELS
    drive = circuit.drive(inputs)
    rest = np.tile(circuit.rest(), (BATCH, 1))
    free = SOR().relax(circuit, drive, rest)
    nudge = Nudge(np.full((BATCH, 10), 0.3, np.float32), 0.5)
    share = circuit.matrix().nnz / circuit.n_free**2
    return share, [
        partial(SOR().relax, circuit, drive, rest),
        partial(Euler(STEPS).nudge, circuit, drive, free, nudge),
    ]


def main() -> None:
    print(f"{'times faster':42}{'share':>8}{'free phase':>12}{'nudged':>10}")
    for name, graph in networks():
        share, dense = calls(graph, 0)
        _, thin_ones = calls(graph, 2)
        times = best_of([*dense, *thin_ones])
        ratios = times[0] / times[2], times[1] / times[3]
        print(f"{name:42}{share:8.1%}{ratios[0]:12.1f}{ratios[1]:10.1f}", flush=True)


if __name__ == "__main__":
    main()
