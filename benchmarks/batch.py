"""Batch time of the presets against the literal dense reference and the product floor."""

from __future__ import annotations

import statistics
import time
from functools import partial

import numpy as np
import numpy.typing as npt
from training import MEASURED, median_time, random, timed, warm

from smallworld_eqprop import RunConfig, Trainer

TITLE = "Batch time"
NOTE = """\
The networks were trained for four epochs of 2,000 examples, with batches of 20 and one thread.
Literal dense: one N x N matrix, all synchronous steps, the whole update. Product floor: only the
matrix products of a batch, for the same number of sweeps and nudged steps, all of the whole
network. Ours can be below the floor, because most sweeps update only the nodes that are not at
rest, and examples whose outputs are at their targets are not nudged.
"""

PRESETS = (
    "layered-3x500",
    "layered-3x500-per-layer",
    "rewired-3x500",
    "rewired-3x500-no-intralayer",
    "layered-5x100",
    "rewired-5x100-no-intralayer",
)
#: Measurements of the reference, among those of ours.
REFERENCE = 6


def bench() -> list[dict[str, object]]:
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


#: Euler steps of the published free phase, by number of layers: 3 x 500 and 5 x 100.
FREE_STEPS = {5: 500, 7: 1000}


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
        self.free_steps, self.nudged = FREE_STEPS[graph.n_layers], config.rule.solver
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
        self.steps, self.sweep = trainer.config.rule.solver.steps, sweep

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
