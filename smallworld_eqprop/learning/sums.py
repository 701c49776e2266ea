"""What accumulates over the batches of an epoch, and what it comes to at the end."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.learning.engine import Outcome
from smallworld_eqprop.learning.history import EpochRecord, log_spread

__all__ = ["EpochSums"]


@dataclass
class EpochSums:
    """Sums over the batches so far; `corrections` has a row for each, with a column per pair."""

    errors: float = 0.0
    cost: float = 0.0
    sweeps: float = 0.0
    unconverged: int = 0
    worst_residual: float = 0.0
    seconds: float = 0.0
    corrections: list[list[float]] = field(default_factory=list)

    def add(
        self, outcome: Outcome, names: Sequence[str], pairs: Sequence[str], seconds: float
    ) -> None:
        """Add what a batch showed.

        Parameters
        ----------
        outcome : Outcome
        names : sequence of str
            Of the blocks of weights that it tells of.
        pairs : sequence of str
            All layer pairs; those without a block get nan.
        seconds : float
        """
        by_pair = dict.fromkeys(pairs, math.nan)
        by_pair |= zip(names, outcome.corrections, strict=True)
        self.corrections.append(list(by_pair.values()))
        self.errors += outcome.errors
        self.cost += outcome.cost
        self.sweeps += outcome.sweeps
        self.unconverged += outcome.unconverged
        self.worst_residual = max(self.worst_residual, outcome.worst_residual)
        self.seconds += seconds

    def by_pair(self, n_pairs: int) -> npt.NDArray[np.float32]:
        """RMS corrections, shape (batches so far, n_pairs)."""
        return np.array(self.corrections, np.float32).reshape(-1, n_pairs)

    def record(
        self,
        epoch: int,
        n_examples: int,
        kinds: Sequence[str],
        seconds: float,
        others: Mapping[str, float],
    ) -> EpochRecord:
        """The row of an epoch in the history.

        Parameters
        ----------
        epoch, n_examples : int
        kinds : sequence of str
            Of the layer pairs.
        seconds : float
            Of what followed the last batch.
        others : mapping of str to float
            The fields of the record that are no sums over batches.
        """
        corrections = self.by_pair(len(kinds))
        present = ~np.isnan(corrections).any(axis=0)
        adjacent = present & (np.array(kinds) == "interlayer")
        return EpochRecord(
            epoch=epoch,
            training_error=self.errors / n_examples,
            training_cost=self.cost / n_examples,
            mean_sweeps=self.sweeps / n_examples,
            unconverged=self.unconverged,
            worst_residual=self.worst_residual,
            log_spread=log_spread(corrections[:, present]),
            log_spread_interlayer=log_spread(corrections[:, adjacent]),
            seconds=self.seconds + seconds,
            **others,
        )
