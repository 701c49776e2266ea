"""What training showed: of a batch, of an epoch, and how evenly the layers train."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
import numpy.typing as npt

__all__ = ["REWIRED", "BatchRecord", "EpochRecord", "log_spread"]

#: What columns begin with that say how edges moved.
REWIRED = ("moved_", "share_")


@dataclass(frozen=True)
class BatchRecord:
    """Results of one training batch.

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
    update, with inputs as the transform gives them. `validation_error` and `test_error` are
    measured after the epoch, with inputs as they are; they are nan where they are not measured, see
    `TrainingConfig` under `validation` and `test`. Free phases of all start as it says under
    `start`: where the example was left the last time (particles), or from rest. For regression
    the errors are mean costs.

    Where edges move while the network is trained, `moved_edges` is how many did in the epoch, and
    `share_*` are the shares of all edges by place after it: of skip edges those between inputs and
    hidden nodes (input), hidden nodes (hidden), hidden nodes and outputs (output), and inputs and
    outputs (direct). They are nan where the graph stays.
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
    validation_error: float = nan
    validation_cost: float = nan
    moved_edges: float = nan
    share_interlayer: float = nan
    share_intralayer: float = nan
    share_input_skip: float = nan
    share_hidden_skip: float = nan
    share_output_skip: float = nan
    share_direct_skip: float = nan


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
