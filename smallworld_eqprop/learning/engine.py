"""Engines: what a batch does to a network, wherever its numbers live.

A `Trainer` keeps the books: order of the examples, sums, history. Its engine holds all that is
large (data, weights, particles), relaxes, nudges and corrects, and says what came of it.
`NumpyEngine` does so with NumPy arrays, `TorchEngine` with tensors on any device of torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.devices import NUMPY, require_device
from smallworld_eqprop.dynamics.energy import cost
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import Relaxation, RelaxationMethod
from smallworld_eqprop.graphs.layered import LayeredGraph

__all__ = ["EVALUATION_BATCH", "Engine", "NumpyEngine", "Outcome", "make_engine"]

# Examples evaluated together: wide products are the efficient ones.
EVALUATION_BATCH = 200


@dataclass(frozen=True)
class Outcome:
    """What one batch of training showed of one network; all but the last two are sums.

    Attributes
    ----------
    errors : float
        Wrong examples in the free phase; for regression their costs.
    cost : float
    sweeps : float
        Sweeps of the free phase.
    unconverged : int
        Examples that did not reach the tolerance.
    worst_residual : float
    corrections : list of float
        RMS correction of every pair of layers.
    """

    errors: float
    cost: float
    sweeps: float
    unconverged: int
    worst_residual: float
    corrections: list[float]


class Engine(Protocol):
    """Holds one network, its data and its particles, and trains it batch by batch."""

    @property
    def couplings(self) -> Any:
        """Weights and biases: `Couplings`, or what has their interface."""
        ...

    def train(
        self,
        examples: npt.NDArray[np.integer],
        beta: float,
        rates: npt.NDArray[np.floating],
        bias_rates: npt.NDArray[np.floating] | None,
    ) -> Outcome:
        """Two phases on these training examples, and the correction."""
        ...

    def evaluate(self) -> tuple[float, float]:
        """Share of wrong examples and mean cost on the test set."""
        ...

    def forget_particles(self) -> None:
        """Put all particles to rest."""
        ...

    def arrays(self) -> dict[str, npt.NDArray]:
        """Weights, biases and particles as NumPy arrays, which every engine can take up."""
        ...

    def restore(self, arrays: dict[str, npt.NDArray]) -> None:
        """Take up what `arrays` gave, in this engine or another."""
        ...


def make_engine(
    graph: LayeredGraph,
    data: Dataset,
    device: str,
    phases: tuple[RelaxationMethod, Euler],
    couplings: Any,
) -> Engine:
    """The engine of a device.

    Parameters
    ----------
    graph : LayeredGraph
    data : Dataset
    device : str
        ``numpy``, or a device of torch.
    phases : relaxation methods
        Of the free and of the nudged phase.
    couplings : Couplings
        Used as they are where they live on the device already, copied to it otherwise.

    Raises
    ------
    InputError
        If the device cannot be used here.
    """
    if device == NUMPY:
        return NumpyEngine(graph, data, phases, couplings)
    require_device(device)
    # Imported here, because torch is an extra.
    from smallworld_eqprop.learning.torch_engine import TorchEngine

    return TorchEngine.on_device(graph, data, device, phases, couplings)


class NumpyEngine:
    """One network on NumPy arrays; states are columns, so batches are transposed at the door."""

    def __init__(
        self,
        graph: LayeredGraph,
        data: Dataset,
        phases: tuple[RelaxationMethod, Euler],
        couplings: Couplings,
    ) -> None:
        self.graph, self.data, self.couplings = graph, data, couplings
        self.free, self.nudged = phases
        # Particles are only starting points, so half precision (a tenth of the tolerance) is
        # enough and halves the largest array of a run. They start at rest, as published.
        self.train_particles = np.zeros((len(data.x_train), couplings.n_free), np.float16)
        self.test_particles = np.zeros((len(data.x_test), couplings.n_free), np.float16)

    def train(
        self,
        examples: npt.NDArray[np.integer],
        beta: float,
        rates: npt.NDArray[np.floating],
        bias_rates: npt.NDArray[np.floating] | None,
    ) -> Outcome:
        """Two phases on these training examples, and the correction."""
        couplings = self.couplings
        inputs = _columns(self.data.x_train[examples])
        target = _columns(self.data.y_train[examples])
        drive = couplings.drive(inputs)
        free = self._free_phase(drive, self.train_particles, examples)
        nudged = self.nudged.nudge(couplings, drive, free, target, beta)
        corrections = couplings.correct(free.state, nudged, inputs, 1 / beta, rates, bias_rates)
        errors, total = self._score(free.state[couplings.output], target)
        return Outcome(
            errors,
            total,
            float(free.sweeps.sum()),
            int((~free.converged).sum()),
            float(free.residual.max()),
            corrections,
        )

    def evaluate(self) -> tuple[float, float]:
        """Share of wrong examples and mean cost on the test set."""
        data, n = self.data, len(self.data.x_test)
        if not n:
            return math.nan, math.nan
        errors = total = 0.0
        for start in range(0, n, EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            inputs, target = _columns(data.x_test[part]), _columns(data.y_test[part])
            free = self._free_phase(self.couplings.drive(inputs), self.test_particles, part)
            wrong, costs = self._score(free.state[self.couplings.output], target)
            errors, total = errors + wrong, total + costs
        return errors / n, total / n

    def forget_particles(self) -> None:
        """Put all particles to rest."""
        self.train_particles[:] = 0
        self.test_particles[:] = 0

    def arrays(self) -> dict[str, npt.NDArray]:
        """As `Engine` says; the particles are not copied: write them before training goes on."""
        return {
            "weights": self.couplings.edge_weights(),
            "biases": self.couplings.biases[:, 0],
            "train_particles": self.train_particles,
            "test_particles": self.test_particles,
        }

    def restore(self, arrays: dict[str, npt.NDArray]) -> None:
        """Take up what the `arrays` of any engine gave."""
        self.couplings = Couplings(self.graph, arrays["weights"], arrays["biases"])
        self.train_particles = arrays["train_particles"].copy()
        self.test_particles = arrays["test_particles"].copy()

    def _free_phase(self, drive: npt.NDArray, particles: npt.NDArray, examples: Any) -> Relaxation:
        """Relax from the particles of the examples and leave the new ones there."""
        start = _columns(particles[examples].astype(np.float32))
        free = self.free.relax(self.couplings, drive, start)
        particles[examples] = free.state.T
        return free

    def _score(self, output: npt.NDArray, target: npt.NDArray) -> tuple[float, float]:
        """Summed errors and summed costs of a batch."""
        costs = float(cost(output, target).sum())
        if self.data.task == "regression":
            return costs, costs
        return float((output.argmax(axis=0) != target.argmax(axis=0)).sum()), costs


def _columns(rows: npt.NDArray) -> npt.NDArray:
    """Examples as columns, C order: the layout of states and inputs."""
    return np.ascontiguousarray(rows.T)
