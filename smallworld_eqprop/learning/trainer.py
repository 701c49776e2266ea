"""The training loop: epochs of batches, with persistent particles and everything it measures."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.data.transforms import transformed
from smallworld_eqprop.dynamics.devices import on_device
from smallworld_eqprop.dynamics.layout import pair_kind, pair_name
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.hardware.checks import check_number
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.engine import Engine, Outcome
from smallworld_eqprop.learning.history import BatchRecord, EpochRecord
from smallworld_eqprop.learning.matching import matched
from smallworld_eqprop.learning.sums import EpochSums

__all__ = ["Trainer", "initial_network"]

# Streams of random numbers, so that no two uses of one seed share draws; `hardware.chip` has 5 and
# `learning.growth` has 6.
WEIGHTS, ORDER, RULE, TRANSFORM = 1, 2, 3, 4


def initial_network(graph: LayeredGraph, config: TrainingConfig) -> Network:
    """Draw the network that training starts from."""
    rng = np.random.default_rng([config.seed, WEIGHTS])
    return Network(graph, config.initial.draw(graph, config.model, rng), model=config.model)


class Trainer:
    """Trains one network on one data set; holds all evolving state.

    Parameters
    ----------
    graph : LayeredGraph
        Its first layer takes the features, its last gives the outputs. It may have more outputs
        than there are classes: targets of the others are 0, and no example is taken for them.
    data : Dataset
        Without test examples the test error and cost are nan.
    config : TrainingConfig
    network : Network, optional
        To go on from, on `graph`; training changes it in place where it lives on the device
        already, but for one whose edges move. Initial weights when left out.

    Attributes
    ----------
    engine : Engine
        Holds data, weights and particles, and does the work.
    history : list of EpochRecord
        One per finished epoch.
    pairs : list of str
        Names of the layer pairs, the columns of `corrections`: those that have edges, or may get
        some.

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
        *,
        network: Any = None,
    ) -> None:
        data = matched(graph, data, config)
        if network is None:
            network = initial_network(graph, config)
        elif network.graph != graph:
            raise InputError(f"network: has {network.graph!r}, not {graph!r}")
        elif config.model not in (network.model, TrainingConfig.model):
            raise InputError(f"model: {config.model}, but the given network has {network.model}")
        else:
            config = config.changed(model=network.model)
        self.data, self.config = data, config
        self.engine = Engine(on_device(network, config.device), data, [config])
        layers = {(block.lower, block.upper) for block in self.network.blocks}
        if self.engine.growth is not None:
            layers |= set(config.rewire.layer_pairs(graph))
        self.pairs = [pair_name(*each) for each in sorted(layers)]
        self.kinds = [pair_kind(*each) for each in sorted(layers)]
        self.history: list[EpochRecord] = []
        self.batch = 0
        self._sums = EpochSums()
        self._transformed(np.zeros(1, int))  # a transform that does not fit is refused here

    def __repr__(self) -> str:
        return (
            f"Trainer({self.graph!r} on {self.data.name}; {len(self.history)} epochs and "
            f"{self.batch} of {self.n_batches} batches)"
        )

    def change(self, **parts: Any) -> None:
        """Go on with another recipe, for example a lower learning rate.

        Parameters
        ----------
        **parts
            Fields of `TrainingConfig`, or of its parts: relaxation, rule, loss and optimiser can
            be changed on the way. The memory of an optimiser of the same kind is kept.

        Raises
        ------
        InputError
            If a field cannot be changed during training, or a value is not usable.
        """
        config = self.config.changed(**parts)
        fixed = (
            *("model", "initial", "hardware", "rewire", "batch_size", "start"),
            *("validation", "test", "seed", "device"),
        )
        for name in fixed:
            if getattr(config, name) != getattr(self.config, name):
                raise InputError(f"{name}: cannot be changed during training; make a new trainer")
        config.check_layers(self.graph.n_layers)
        self.config = config
        self.engine.use([config])

    def forget_particles(self) -> None:
        """Put all particles to rest, as if no example had been seen before."""
        self.engine.forget_particles()

    @property
    def network(self) -> Any:
        """What is trained: a `Network`, or on torch a `TorchNetwork`."""
        return self.engine.network

    @property
    def graph(self) -> LayeredGraph:
        """The graph of the network: another one after edges have moved."""
        return self.network.graph

    @property
    def step(self) -> int:
        """Number of the batch that comes next, counted from 0 over all epochs."""
        return len(self.history) * self.n_batches + self.batch

    @property
    def epoch(self) -> int:
        """The epoch under way, or the one that comes next, counted from 1."""
        return len(self.history) + 1

    @property
    def n_batches(self) -> int:
        """Batches of one epoch; a last, smaller one counts."""
        return self.engine.n_batches

    @property
    def n_examples(self) -> int:
        """Examples of one epoch: those for training without those for validation."""
        return len(self.engine.rows)

    @property
    def running_error(self) -> float:
        """Online training error of the epoch under way, so far."""
        done = self.batch or self.n_batches
        seen = min(done * self.config.batch_size, self.n_examples)
        return self._sums.errors / seen

    @property
    def corrections(self) -> npt.NDArray[np.float32]:
        """RMS corrections of the epoch under way; shape (batches so far, n_pairs).

        They are nan where a layer pair had no edge.
        """
        return self._sums.by_pair(len(self.pairs))

    def run_epoch(self, *, last: bool = False) -> Iterator[BatchRecord]:
        """Train the rest of the epoch under way, batch by batch, then evaluate.

        The iterator may be dropped after any batch; the next call goes on from there. After the
        last batch the validation error or the test error is measured and the epoch is appended to
        `history`; the corrections of the epoch stay readable until the next one begins.

        Parameters
        ----------
        last : bool
            Whether no epoch follows, so that the test error is measured where the configuration
            says ``test="end"``.
        """
        self.begin_epoch()
        while self.batch < self.n_batches:
            begin = time.perf_counter()
            self.engine.rewire(self.step)
            examples, inputs, sign, key = self.next_batch()
            inputs = None if inputs is None else inputs[None]
            # Numbers that overflow are found in the outcome, which says where.
            with np.errstate(over="ignore", invalid="ignore"):
                (outcome,) = self.engine.train(examples[None], [sign], key, self.step, inputs)
            yield self.take(outcome, time.perf_counter() - begin)
        begin = time.perf_counter()
        (scores,) = self.engine.measure(last=last, epoch=self.epoch)
        self.finish_epoch(scores, time.perf_counter() - begin)

    def draws(self, epoch: int) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.floating]]:
        """Order of the training examples, and the sign of beta of every batch, in an epoch.

        They depend on nothing but seed and epoch, so that resuming needs no state.
        """
        rng = np.random.default_rng([self.config.seed, ORDER, epoch])
        order = self.engine.rows[rng.permutation(self.n_examples)]
        return order, rng.choice((-1.0, 1.0), self.n_batches)

    def evaluate(self) -> tuple[float, float]:
        """Test error and mean test cost, from the free phase on the test set.

        It leaves everything as it was: no evaluation or training that follows is changed by it.
        """
        (scores,) = self.engine.evaluate(epoch=self.epoch)
        return scores

    def wait(self, batches: float) -> None:
        """Let time pass in which nothing is trained: weights drift, where the hardware lets them.

        Parameters
        ----------
        batches : float
            How long, in batches.

        Raises
        ------
        InputError
            If no time can pass, or there is no hardware.
        """
        check_number("batches", batches)
        if self.engine.chip is None:
            raise InputError(
                "hardware: none, so that no weight ages; add Drift or a device like it"
            )
        self.engine.chip.wait(batches)

    def begin_epoch(self) -> None:
        """Draw the epoch that comes next, or the one under way again."""
        if self.batch == 0:
            self._sums = EpochSums()
        self._order, self._signs = self.draws(self.epoch)

    def next_batch(
        self,
    ) -> tuple[npt.NDArray[np.integer], npt.NDArray | None, float, tuple[int, ...]]:
        """The batch that comes next.

        Returns
        -------
        examples : ndarray of int, shape (batch,)
        inputs : ndarray, shape (batch, n_inputs), or None
            What a transform makes of their inputs; None where there is no transform.
        sign : float
            Of beta.
        key : tuple of int
            For random draws of the rule.
        """
        size = self.config.batch_size
        examples = self._order[self.batch * size : (self.batch + 1) * size]
        key = (self.config.seed, RULE, self.epoch, self.batch)
        inputs = self._transformed(examples)
        return examples, inputs, float(self._signs[self.batch]), key

    def take(self, outcome: Outcome, seconds: float) -> BatchRecord:
        """Add the results of the batch to the sums of the epoch.

        Raises
        ------
        InputError
            If states or weights are no longer finite.
        """
        if not outcome.finite:
            raise InputError(
                f"epoch {self.epoch}, batch {self.batch + 1}: states or weights are no longer "
                f"finite; lower the learning rate or beta, or check the data "
                f"({self.config.optimiser}, {self.config.rule})"
            )
        names = [block.name for block in self.network.blocks]
        self._sums.add(outcome, names, self.pairs, seconds)
        size = min(self.config.batch_size, len(self._order) - self.batch * self.config.batch_size)
        record = BatchRecord(
            self.epoch, self.batch, outcome.errors, outcome.sweeps / size, outcome.unconverged
        )
        self.batch += 1
        return record

    def finish_epoch(self, scores: Mapping[str, float], seconds: float) -> None:
        """End the epoch; `scores` are those of `Engine.measure`."""
        growth = self.engine.growth
        moved = growth.finish_epoch(self.graph) if growth is not None else {}
        self.history.append(
            self._sums.record(self.epoch, self.n_examples, self.kinds, seconds, {**scores, **moved})
        )
        self.batch = 0

    def _transformed(self, examples: npt.NDArray[np.integer]) -> npt.NDArray | None:
        """Inputs of these examples after the transform; None where there is none."""
        transform = self.config.transform
        if transform == TrainingConfig.transform:
            return None
        key = (self.config.seed, TRANSFORM, self.epoch, self.batch)
        return transformed(transform, self.data.x_train[examples], key)

    def state(self) -> tuple[dict[str, npt.NDArray], dict[str, Any]]:
        """Everything that evolves, as arrays and as JSON-able values, for a checkpoint.

        The particles are not copied: write them before training goes on.
        """
        sums = dataclasses.asdict(self._sums)
        del sums["corrections"]
        arrays = self.engine.arrays() | {"corrections": self.corrections}
        history = [dataclasses.asdict(record) for record in self.history]
        return arrays, {"batch": self.batch, "sums": sums, "history": history}

    def restore(self, arrays: dict[str, npt.NDArray], values: dict[str, Any]) -> None:
        """Take up the state that `state` gave, from a trainer made with the same arguments."""
        self.engine.restore(arrays)
        self.batch = values["batch"]
        self.history = [EpochRecord(**record) for record in values["history"]]
        self._sums = EpochSums(**values["sums"], corrections=arrays["corrections"].tolist())
