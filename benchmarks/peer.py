"""Batch time against layer-wise relaxation in PyTorch."""

from __future__ import annotations

import operator
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from training import EPOCHS, EXAMPLES, MEASURED, timed, trained, warm

from smallworld_eqprop import Run, RunConfig, Trainer
from smallworld_eqprop.dynamics import threads
from smallworld_eqprop.learning.history import BatchRecord

TITLE = "Against layer-wise relaxation in PyTorch"
NOTE = """\
Both train the same layered network on the same batches. The peer updates even and odd layers in
turn, in 100 free and 2 x 10 nudged iterations from rest, as in Scellier et al. 2024, and computes
the products of the inputs in every iteration. Ours starts from persistent particles. Both have the
same number of threads, which divide the products (peer) or the examples (ours).

If a network has slow modes, some examples are far from equilibrium after 100 iterations. Ours is
therefore measured at a tolerance equal to the *mean* residual of the peer over 200 examples: our
worst example is then as close to equilibrium as the peer's are on average. The limit of single
precision is 6e-7. A second row has the tolerance of training, 1e-3. Stages beyond the first are
those of `--run FOLDER...`; the last row is the ratio of the total times from the first stage to
the last, with linear interpolation between stages.
"""

# Threads of both, and the residual where single precision ends.
THREADS = (1, os.cpu_count() or 1)
FINEST = 6e-7


def bench(folders: list[Path]) -> list[dict[str, object]]:
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
        for tolerance in (equal, config.training.relaxation.tolerance):
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
    trainer.change(tolerance=tolerance)
    relaxed = (
        trainer.config.relaxation.relax(trainer.network.circuit, drive, start)
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
