"""The training loop: epochs of batches, with persistent particles and everything it measures."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.energy import cost
from smallworld_eqprop.dynamics.relaxation import SOR, Euler, Relaxation, RelaxationMethod
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph
from smallworld_eqprop.graphs.reachability import unreached_outputs
from smallworld_eqprop.learning.eqprop import initial_weights

__all__ = ["BatchRecord", "EpochRecord", "Trainer", "TrainingConfig", "log_spread"]

# Streams of random numbers, so that no two uses of one seed share draws.
WEIGHTS, ORDER = 1, 2

# Examples evaluated together: wide products are the efficient ones.
EVALUATION_BATCH = 200


@dataclass(frozen=True)
class TrainingConfig:
    """Hyperparameters of training; the defaults are the paper's 3 x 500 protocol.

    Attributes
    ----------
    learning_rate : float or tuple of float
        One rate for all, or one for every layer after the input. An edge takes the rate of the
        layer of its output-side end, whatever it skips, and so do the biases of that layer.
    bias_rate : float, optional
        Rate of all biases instead. The authors' per-layer runs in effect used 1.
    beta : float
        Strength of the nudge; its sign is drawn for every batch.
    batch_size : int
    relaxation : {"sor", "euler"}
        Free phase: the fast method, or the published one.
    tolerance, max_sweeps
        Of the fast method: residual asked for, and when to give up.
    free_steps, nudged_steps, step_size
        Euler steps of the free phase (published method only), of the nudged phase, and their size.
    other_amplitude : float, optional
        Initial amplitude on skip and intralayer edges; see `initial_weights`.
    seed : int
        Of weights, order of examples and signs of beta.
    """

    learning_rate: float | tuple[float, ...] = 0.02
    bias_rate: float | None = None
    beta: float = 1.0
    batch_size: int = 20
    relaxation: Literal["sor", "euler"] = "sor"
    tolerance: float = 1e-3
    max_sweeps: int = 500
    free_steps: int = 500
    nudged_steps: int = 8
    step_size: float = 0.5
    other_amplitude: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        rates = np.atleast_1d(np.asarray(self.learning_rate, float))
        if not rates.size or not (rates >= 0).all() or not np.isfinite(rates).all():
            raise InputError(f"learning_rate: {self.learning_rate}, must be finite and at least 0")
        if not isinstance(self.learning_rate, float | int):
            object.__setattr__(self, "learning_rate", tuple(map(float, rates)))
        if not 0 < self.beta < np.inf:
            raise InputError(f"beta: {self.beta}, must be above 0")
        for name in ("bias_rate", "other_amplitude"):
            if (value := getattr(self, name)) is not None and not 0 <= value < np.inf:
                raise InputError(f"{name}: {value}, must be finite and at least 0")
        for name in ("batch_size", "max_sweeps", "free_steps", "nudged_steps"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise InputError(f"{name}: {value}, must be a whole number of at least 1")
        if self.relaxation not in ("sor", "euler"):
            raise InputError(f"relaxation: {self.relaxation!r}, allowed: sor, euler")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed: {self.seed!r}, must be an integer of at least 0")
        # The methods check their own parameters.
        _ = self.free_phase, self.nudged_phase

    @property
    def free_phase(self) -> RelaxationMethod:
        """The relaxation of the free phase."""
        if self.relaxation == "euler":
            return Euler(self.free_steps, self.step_size)
        return SOR(self.tolerance, self.max_sweeps)

    @property
    def nudged_phase(self) -> Euler:
        """The relaxation of the nudged phase."""
        return Euler(self.nudged_steps, self.step_size)

    def layer_rates(self, n_layers: int) -> npt.NDArray[np.float64]:
        """Learning rate of every layer after the input; shape (n_layers - 1,)."""
        rates = np.asarray(self.learning_rate, float)
        if rates.ndim and len(rates) != n_layers - 1:
            raise InputError(
                f"learning_rate: {len(rates)} rates for the {n_layers - 1} layers after the input"
            )
        return np.broadcast_to(rates, n_layers - 1)


@dataclass(frozen=True)
class BatchRecord:
    """What one training batch showed.

    Attributes
    ----------
    epoch, batch : int
        Counted from 1 and from 0.
    errors : float
        Wrong examples of the batch in the free phase, before the update; for regression the sum
        of their costs.
    sweeps : float
        Mean number of sweeps of the free phase.
    unconverged : int
        Examples that did not reach the tolerance.
    """

    epoch: int
    batch: int
    errors: float
    sweeps: float
    unconverged: int


@dataclass(frozen=True)
class EpochRecord:
    """One row of the history; errors are shares of examples, costs means over examples.

    `training_error` is the online error: counted in the free phase of every batch before its
    update. `test_error` is measured after the epoch. For regression both are mean costs.
    """

    epoch: int
    training_error: float
    test_error: float
    training_cost: float
    test_cost: float
    mean_sweeps: float
    unconverged: int
    worst_residual: float
    log_spread: float
    log_spread_interlayer: float
    seconds: float


def log_spread(corrections: npt.ArrayLike) -> float:
    """Unevenness of training: standard deviation over layer pairs of log10(mean RMS correction).

    Parameters
    ----------
    corrections : array_like, shape (n_batches, n_pairs)
        RMS correction of every layer pair in every batch.

    Returns
    -------
    float
        0 when all pairs train alike; 1 when they spread over about a decade each way; nan when a
        pair never changed.
    """
    mean = np.asarray(corrections, float).mean(axis=0)
    if not (mean > 0).all():
        return float("nan")
    return float(np.log10(mean).std())


@dataclass
class _EpochSums:
    """What accumulates over the batches of the epoch under way."""

    errors: float = 0.0
    cost: float = 0.0
    sweeps: float = 0.0
    unconverged: int = 0
    worst_residual: float = 0.0
    seconds: float = 0.0
    corrections: list[list[float]] = field(default_factory=list)


class Trainer:
    """Trains one network on one data set; holds all evolving state.

    Parameters
    ----------
    graph : LayeredGraph
        Its first layer takes the features, its last gives the outputs.
    data : Dataset
        Without test examples the test error and cost are nan.
    config : TrainingConfig
    couplings : Couplings, optional
        Weights and biases to go on from, made from `graph`; training changes them in place.
        Initial weights when left out.

    Attributes
    ----------
    couplings : Couplings
        Weights and biases.
    history : list of EpochRecord
        One per finished epoch.
    pairs : list of str
        Names of the layer pairs, the columns of `corrections`.

    Raises
    ------
    InputError
        If the layers do not fit the data or the rates, or outputs cannot be reached from inputs.
    """

    def __init__(
        self,
        graph: LayeredGraph,
        data: Dataset,
        config: TrainingConfig,
        couplings: Couplings | None = None,
    ) -> None:
        for name, size, needed in (
            ("input", graph.layer_sizes[0], data.x_train.shape[1]),
            ("output", graph.layer_sizes[-1], data.y_train.shape[1]),
        ):
            if size != needed:
                raise InputError(
                    f"layer_sizes: {name} layer of {size} nodes, but {data.name} needs {needed}"
                )
        if (lost := unreached_outputs(graph)).size:
            raise InputError(
                f"graph: {lost.size} of {graph.layer_sizes[-1]} outputs (the first is node "
                f"{lost[0]}) cannot be reached from the inputs; add edges or move fewer"
            )
        self.graph, self.data, self.config = graph, data, config
        if couplings is None:
            weights = initial_weights(
                graph,
                seed=np.random.default_rng([config.seed, WEIGHTS]),
                other_amplitude=config.other_amplitude,
            )
            couplings = Couplings(graph, weights)
        self.couplings = couplings
        self.rates = config.layer_rates(graph.n_layers)
        self.bias_rates = None
        if config.bias_rate is not None:
            self.bias_rates = np.full(graph.n_layers - 1, config.bias_rate)
        self.pairs = [block.name for block in self.couplings.blocks]
        self.kinds = [block.kind for block in self.couplings.blocks]
        self.history: list[EpochRecord] = []
        self.batch = 0
        self._sums = _EpochSums()
        # Particles are only starting points, so half precision (a tenth of the tolerance) is
        # enough and halves the largest array of a run. They start at rest, as published.
        n_free = self.couplings.n_free
        self._train_particles = np.zeros((len(data.x_train), n_free), np.float16)
        self._test_particles = np.zeros((len(data.x_test), n_free), np.float16)

    def __repr__(self) -> str:
        return (
            f"Trainer({self.graph!r} on {self.data.name}; {len(self.history)} epochs and "
            f"{self.batch} of {self.n_batches} batches)"
        )

    def forget_particles(self) -> None:
        """Put all particles to rest, as if no example had been seen before."""
        self._train_particles[:] = 0
        self._test_particles[:] = 0

    @property
    def n_batches(self) -> int:
        """Batches of one epoch; a last, smaller one counts."""
        return -(-len(self.data.x_train) // self.config.batch_size)

    @property
    def running_error(self) -> float:
        """Online training error of the epoch under way, so far."""
        done = self.batch or self.n_batches
        seen = min(done * self.config.batch_size, len(self.data.x_train))
        return self._sums.errors / seen

    @property
    def corrections(self) -> npt.NDArray[np.float32]:
        """RMS corrections of the epoch under way; shape (batches so far, n_pairs)."""
        return np.array(self._sums.corrections, np.float32).reshape(-1, len(self.pairs))

    def run_epoch(self) -> Iterator[BatchRecord]:
        """Train the rest of the epoch under way, batch by batch, then evaluate.

        The iterator may be dropped after any batch; the next call goes on from there. After the
        last batch the test error is measured and the epoch is appended to `history`; the
        corrections of the epoch stay readable until the next one begins.
        """
        epoch = len(self.history) + 1
        if self.batch == 0:
            self._sums = _EpochSums()
        order, signs = self.draws(epoch)
        size = self.config.batch_size
        while self.batch < self.n_batches:
            begin = time.perf_counter()
            examples = order[self.batch * size : (self.batch + 1) * size]
            record = self._train_batch(epoch, examples, signs[self.batch])
            self.batch += 1
            self._sums.seconds += time.perf_counter() - begin
            yield record
        self._finish_epoch(epoch)

    def draws(self, epoch: int) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.floating]]:
        """Order of the training examples, and the sign of beta of every batch, in an epoch.

        They depend on nothing but seed and epoch, so that resuming needs no state.
        """
        rng = np.random.default_rng([self.config.seed, ORDER, epoch])
        order = rng.permutation(len(self.data.x_train))
        return order, rng.choice((-1.0, 1.0), self.n_batches)

    def evaluate(self) -> tuple[float, float]:
        """Test error and mean test cost, from the free phase on the test set."""
        data, n = self.data, len(self.data.x_test)
        if not n:
            return math.nan, math.nan
        errors = total = 0.0
        for start in range(0, n, EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            inputs, target = _columns(data.x_test[part]), _columns(data.y_test[part])
            free = self._free_phase(self.couplings.drive(inputs), self._test_particles, part)
            wrong, costs = self._score(free.state[self.couplings.output], target)
            errors, total = errors + wrong, total + costs
        return errors / n, total / n

    def _train_batch(self, epoch: int, examples: npt.NDArray, sign: float) -> BatchRecord:
        couplings, sums = self.couplings, self._sums
        inputs = _columns(self.data.x_train[examples])
        target = _columns(self.data.y_train[examples])
        drive = couplings.drive(inputs)
        free = self._free_phase(drive, self._train_particles, examples)
        beta = sign * self.config.beta
        nudged = self.config.nudged_phase.steps_from(couplings, drive, free.state, target, beta)
        sums.corrections.append(
            couplings.correct(free.state, nudged, inputs, 1 / beta, self.rates, self.bias_rates)
        )
        errors, costs = self._score(free.state[couplings.output], target)
        unconverged = int((~free.converged).sum())
        sums.errors += errors
        sums.cost += costs
        sums.sweeps += float(free.sweeps.sum())
        sums.unconverged += unconverged
        sums.worst_residual = max(sums.worst_residual, float(free.residual.max()))
        return BatchRecord(epoch, self.batch, errors, float(free.sweeps.mean()), unconverged)

    def _free_phase(self, drive: npt.NDArray, particles: npt.NDArray, examples: Any) -> Relaxation:
        """Relax from the particles of the examples and leave the new ones there."""
        start = _columns(particles[examples].astype(np.float32))
        free = self.config.free_phase.relax(self.couplings, drive, start)
        particles[examples] = free.state.T
        return free

    def _score(self, output: npt.NDArray, target: npt.NDArray) -> tuple[float, float]:
        """Summed errors and summed costs of a batch."""
        costs = float(cost(output, target).sum())
        if self.data.task == "regression":
            return costs, costs
        return float((output.argmax(axis=0) != target.argmax(axis=0)).sum()), costs

    def _finish_epoch(self, epoch: int) -> None:
        begin = time.perf_counter()
        test_error, test_cost = self.evaluate()
        sums, n = self._sums, len(self.data.x_train)
        adjacent = np.array(self.kinds) == "interlayer"
        self.history.append(
            EpochRecord(
                epoch=epoch,
                training_error=sums.errors / n,
                test_error=test_error,
                training_cost=sums.cost / n,
                test_cost=test_cost,
                mean_sweeps=sums.sweeps / n,
                unconverged=sums.unconverged,
                worst_residual=sums.worst_residual,
                log_spread=log_spread(self.corrections),
                log_spread_interlayer=log_spread(self.corrections[:, adjacent]),
                seconds=sums.seconds + time.perf_counter() - begin,
            )
        )
        self.batch = 0

    def state(self) -> tuple[dict[str, npt.NDArray], dict[str, Any]]:
        """Everything that evolves, as arrays and as JSON-able values, for a checkpoint.

        The particles are not copied: write them before training goes on.
        """
        sums = dataclasses.asdict(self._sums)
        del sums["corrections"]
        arrays = {
            "weights": self.couplings.edge_weights(),
            "biases": self.couplings.biases[:, 0],
            "train_particles": self._train_particles,
            "test_particles": self._test_particles,
            "corrections": self.corrections,
        }
        history = [dataclasses.asdict(record) for record in self.history]
        return arrays, {"batch": self.batch, "sums": sums, "history": history}

    def restore(self, arrays: dict[str, npt.NDArray], values: dict[str, Any]) -> None:
        """Take up the state that `state` gave, from a trainer made with the same arguments."""
        self.couplings = Couplings(self.graph, arrays["weights"], arrays["biases"])
        self._train_particles = arrays["train_particles"].copy()
        self._test_particles = arrays["test_particles"].copy()
        self.batch = values["batch"]
        self.history = [EpochRecord(**record) for record in values["history"]]
        self._sums = _EpochSums(**values["sums"], corrections=arrays["corrections"].tolist())


def _columns(rows: npt.NDArray) -> npt.NDArray:
    """Examples as columns, C order: the layout of states and inputs."""
    return np.ascontiguousarray(rows.T)
