"""Fits that learned nothing: a warning where one answer for all examples would be as good."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import ConvergenceWarning

from smallworld_eqprop.data.dataset import Dataset

__all__ = ["warn_if_constant"]

# Training examples that are looked at.
SAMPLE = 500
# And so many at once.
TOGETHER = 100
# Outputs that differ by less, relative to their size, do not depend on the input.
SMALL = 1e-6
REMEDY = "raise max_iter, or change learning_rate, gain or scaling"


def warn_if_constant(outputs: Callable[[Any], npt.NDArray[np.float64]], data: Dataset) -> None:
    """Warn of a fit whose outputs ignore the inputs, or are no better than a constant.

    The constant is the most frequent class, or the mean of the targets. Where all targets are
    the same nothing is to be learned, and no warning is given.

    Parameters
    ----------
    outputs : callable
        Takes rows of inputs, and gives the outputs of the network, shape (n, n_outputs).
    data : Dataset
        Of the fit. At most `SAMPLE` of its training examples are looked at, at equal distances.

    Warns
    -----
    ConvergenceWarning
        A class of scikit-learn.
    """
    n = len(data.x_train)
    rows = np.unique(np.linspace(0, n - 1, min(n, SAMPLE)).astype(np.intp))
    targets = data.y_train[rows].astype(np.float64)
    weights = np.ones(len(rows)) if data.weights is None else data.weights[rows]
    if (targets == targets[0]).all():
        return
    # In pieces: rows of a sparse matrix become an array.
    parts = np.array_split(rows, -(-len(rows) // TOGETHER))
    found = np.concatenate([outputs(data.x_train[part]) for part in parts])
    if (np.ptp(found, axis=0) <= SMALL * np.abs(found).max()).all():
        what = "the outputs do not depend on the input"
    elif data.task == "classification":
        right = found[:, : targets.shape[1]].argmax(axis=1) == targets.argmax(axis=1)
        better = weights @ right > (weights @ targets).max()
        what = "" if better else "the most frequent class is right as often"
    else:
        mean = np.average(targets, axis=0, weights=weights)
        better = weights @ ((found - targets) ** 2).sum(1) < weights @ ((targets - mean) ** 2).sum(
            1
        )
        what = "" if better else "the mean of the targets has no larger error"
    if what:
        warnings.warn(f"fit: {what}; {REMEDY}", ConvergenceWarning, stacklevel=4)
