"""Training examples that are set apart, so that nothing has to be chosen on the test set."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data.dataset import Dataset
from smallworld_eqprop.data.split import split_rows
from smallworld_eqprop.errors import InputError

__all__ = ["set_apart"]

Rows = npt.NDArray[np.intp]

# The split is the same for every seed of a run, so that their errors are of the same examples.
SEED = 0


def set_apart(data: Dataset, validation: int) -> tuple[Rows, Rows]:
    """Rows of the training examples that are trained, and of those for validation.

    Parameters
    ----------
    data : Dataset
    validation : int
        How many to set apart, of every class alike.

    Returns
    -------
    train, validation : ndarray of int
        Both rising.

    Raises
    ------
    InputError
        If there are too few examples, or one of the parts has none of a class.
    """
    n = len(data.x_train)
    if not validation:
        return np.arange(n), np.empty(0, np.intp)
    if validation >= n:
        raise InputError(
            f"validation: {validation}, must be below the number of training examples of "
            f"{data.name}, which is {n}"
        )
    if data.task == "regression":
        train, rest = split_rows(n, validation, SEED, None)
        return np.sort(train), np.sort(rest)
    labels = data.labels_train
    counts = np.bincount(labels)
    classes = np.flatnonzero(counts)
    if counts[classes].min() >= 2 and min(validation, n - validation) >= len(classes):
        train, rest = split_rows(n, validation, SEED, labels)
        lost = [*np.setdiff1d(classes, labels[train]), *np.setdiff1d(classes, labels[rest])]
        if not lost:
            return np.sort(train), np.sort(rest)
    else:
        lost = [classes[counts[classes].argmin()]]
    name = data.classes[lost[0]] if data.classes else str(lost[0])
    raise InputError(
        f"validation: {validation} of the {n} training examples of {data.name} leave training or "
        f"validation without class {name!r}, of which there are {counts[lost[0]]}; take another "
        "number, or give more examples of that class"
    )
