"""A run folder, read back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.learning.growth import grown_graph
from smallworld_eqprop.learning.rewiring import Fixed
from smallworld_eqprop.learning.trainer import Trainer, initial_network
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.folder import (
    BatchQuantity,
    checkpoint_arrays,
    epoch_path,
    read_checkpoint,
)
from smallworld_eqprop.studies.integrity import checked_epoch, checked_graph, checked_history
from smallworld_eqprop.studies.layout import RECORD, read_record
from smallworld_eqprop.studies.outcomes import judged_by
from smallworld_eqprop.studies.schema import read_batches

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from smallworld_eqprop.data import Dataset
    from smallworld_eqprop.learning.estimator import EqPropClassifier
    from smallworld_eqprop.learning.regressor import EqPropRegressor

__all__ = ["Run"]


@dataclass(frozen=True, repr=False)
class Run:
    """A run folder, for reading.

    Attributes
    ----------
    folder : Path
    """

    folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))
        _ = self.record  # a folder that holds no run is found out here

    @cached_property
    def record(self) -> dict[str, Any]:
        """The content of ``run.json``."""
        return read_record(self.folder)

    @cached_property
    def config(self) -> RunConfig:
        """The configuration of the run."""
        try:
            return RunConfig.from_dict(self.record["config"])
        # A value of another type may surface as nearly any exception.
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise InputError(f"{self.folder / RECORD}: config: {error}") from None

    @property
    def pairs(self) -> list[str]:
        """Names of the layer pairs, the columns of `corrections`."""
        return list(self.record["pairs"])

    @property
    def kinds(self) -> list[str]:
        """Kind of every layer pair: interlayer, skip or intralayer."""
        return list(self.record["kinds"])

    @cached_property
    def initial_graph(self) -> LayeredGraph:
        """The topology that training began with."""
        return checked_graph(self.folder, self.record)

    @property
    def graph(self) -> LayeredGraph:
        """The topology that was trained: that of the last checkpoint, where edges moved."""
        checkpoint = self.folder / "checkpoint.npz"
        if isinstance(self.config.training.rewire, Fixed) or not checkpoint.exists():
            return self.initial_graph
        return self.network().graph

    def network(self, *, initial: bool = False) -> Network:
        """The network as the last checkpoint has it, with trained weights and biases.

        Its methods relax from rest. The errors of `history` were counted from `start`: with
        "particles" an example starts where it was left the last time, so that the two may differ.
        Its `weighted_graph` is what measures of graphs and null models take.

        Parameters
        ----------
        initial : bool, optional
            The network as it was before training, drawn again in place of read.

        Raises
        ------
        InputError
            If there is no checkpoint yet, or it is damaged or of another version.
        """
        if initial:
            return initial_network(self.initial_graph, self.config.training)
        # The key as it was: files of graph and data may be gone.
        arrays, _ = checkpoint_arrays(self.folder / "checkpoint.npz", self.record["key"])
        weights, training = arrays["weights"], self.config.training
        graph = grown_graph(self.initial_graph, arrays)
        return Network(graph, weights, arrays["biases"], training.model, dtype=weights.dtype)

    def trainer(self, data: Dataset | None = None, **changes: Any) -> Trainer:
        """A trainer that continues from the last checkpoint, in memory.

        Parameters
        ----------
        data : Dataset, optional
            What the configuration loads, where it is at hand.
        **changes
            See `Trainer.change`: for example a lower ``learning_rate``.

        Raises
        ------
        InputError
            As `network`.
        """
        data = data or self.config.data.load()
        trainer = Trainer(self.initial_graph, data, self.config.training)
        read_checkpoint(self.folder / "checkpoint.npz", self.record["key"], trainer)
        if changes:
            trainer.change(**changes)
        return trainer

    def estimator(self) -> EqPropClassifier | EqPropRegressor:
        """The trained network as a fitted estimator of scikit-learn.

        It takes features in the units of the data of the run, and predicts classes by their
        names, or targets in their units. The data of a set that `load` knows by its name are
        those that it gives. Data are not needed: the folder holds how they were scaled.

        Returns
        -------
        EqPropClassifier or EqPropRegressor
            Its predictions are relaxed from rest, as those of `network`.

        Raises
        ------
        InputError
            As `network`.
        """
        from smallworld_eqprop.studies.estimators import estimator_of

        return estimator_of(self)

    @classmethod
    def from_estimator(cls, estimator: Any, folder: str | Path) -> Run:
        """Write a fitted estimator into a run folder, as if it had been trained there.

        Its history, corrections and network can be read and reported like those of any run. It
        cannot be continued unless the same arrays are given as data: the folder does not hold them.

        Parameters
        ----------
        estimator : EqPropClassifier or EqPropRegressor
            Fitted.
        folder : path-like
            Empty or not there.

        Returns
        -------
        Run

        Raises
        ------
        InputError
            If the folder holds something, the estimator is that of a run, or a part of it cannot
            be written because it cannot be imported by its name.
        """
        from smallworld_eqprop.studies.estimators import run_of

        return run_of(estimator, Path(folder))

    def confusion(self, data: Dataset | None = None) -> pd.DataFrame:
        """How often a test example of each class is taken for each, relaxed from rest.

        Parameters
        ----------
        data : Dataset, optional
            What the configuration loads, where it is at hand.

        Returns
        -------
        DataFrame
            True classes as rows, classes given as columns.
        """
        import pandas as pd

        data = data or self.config.data.load()
        # Outputs of a graph beyond the classes stand for none.
        given = self.network().outputs(data.x_test)[:, : data.n_classes].argmax(axis=1)
        classes = list(getattr(data, "classes", None) or range(data.n_classes))
        true = data.labels_test
        table = np.zeros((len(classes), len(classes)), int)
        np.add.at(table, (true, given), 1)
        rows = pd.Index(classes, name="true class")
        return pd.DataFrame(table, rows, pd.Index(classes, name="given"))

    @property
    def start(self) -> str:
        """Where the free phases began that errors were counted in: "particles" or "rest"."""
        return self.config.training.start

    @property
    def history(self) -> pd.DataFrame:
        """One row per finished epoch, the fields of `EpochRecord` as columns.

        Those of validation are there where the run has validation examples, those of rewiring where
        edges move.
        Free phases of training and of testing began at `start`.
        """
        return checked_history(self.folder, self.record)

    def corrections(self, epoch: int | None = None) -> npt.NDArray[np.float32]:
        """RMS corrections per batch, of one epoch or of all; shape (n_batches, n_pairs).

        They are nan where a layer pair had no edge.
        """
        return self._per_batch("corrections", epoch)

    def errors(self, epoch: int | None = None) -> npt.NDArray[np.float32]:
        """Wrong examples per batch before its update, of one epoch or of all; shape (n_batches,).

        For regression the summed costs of the batch.
        """
        return self._per_batch("errors", epoch)

    def plot_errors(self, ax: Axes | None = None) -> Axes:
        """Draw the learning curves; see `smallworld_eqprop.studies.plots.plot_errors`."""
        from smallworld_eqprop.studies.plots import plot_errors

        return plot_errors(self, ax)

    def plot_corrections(self, ax: Axes | None = None) -> Axes:
        """Draw RMS corrections; see `smallworld_eqprop.studies.plots.plot_corrections`."""
        from smallworld_eqprop.studies.plots import plot_corrections

        return plot_corrections(self, ax)

    def __repr__(self) -> str:
        told = f"Run({self.folder}: {self.config.name}, seed {self.config.training.seed}"
        if not (self.folder / "history.csv").exists():
            return f"{told}, no epoch finished)"
        history = self.history
        what = judged_by(history)
        error = history[f"{what}_error"].iloc[-1]
        outcome = f"cost {error:.4g}" if self.config.regression else f"error {100 * error:.2f} %"
        return f"{told}; epoch {len(history)}: {what} {outcome})"

    def _per_batch(self, quantity: BatchQuantity, epoch: int | None) -> npt.NDArray[np.float32]:
        epochs = range(1, len(self.history) + 1) if epoch is None else (epoch,)
        width = len(self.pairs) if quantity == "corrections" else None
        parts = []
        for number in epochs:
            path = epoch_path(self.folder, quantity, number)
            content = checked_epoch(self.folder, quantity, number, self.record)
            parts.append(read_batches(path, content, width))
        return np.concatenate(parts)
