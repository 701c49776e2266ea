"""A data set: examples for training and for testing, checked when it is made."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from smallworld_eqprop.data.checks import checked_inputs, checked_targets
from smallworld_eqprop.data.columns import Columns
from smallworld_eqprop.data.rows import SparseRows
from smallworld_eqprop.errors import InputError, nearest

__all__ = ["Dataset", "Task"]

Task = Literal["classification", "regression"]

# Rows that are hashed at once.
CHUNK = 1024


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Training and test examples; the arrays are float32, C order and read-only.

    All is checked when a data set is made, and arrays of other numbers are converted. Arrays that
    are as they should be are not copied.

    Attributes
    ----------
    name
        Name of the dataset.
    task
        ``"classification"`` or ``"regression"``.
    x_train, x_test : ndarray or SparseRows, shape (n_examples, n_features)
        Inputs, from -1 to 1; those of the named data sets are in [0, 1], as the states of the
        paper's networks. There may be no test examples.
    y_train, y_test : ndarray, shape (n_examples, n_outputs)
        Targets. Those of a classification are one-hot. Those of a regression are only checked to
        be finite: outputs without bounds reach any of them, others those within their bounds.
    sha256
        SHA-256 of every source (IDX file, file of the user, or table inside scikit-learn), by its
        name; may be left out.
    classes : tuple of str
        Names of the classes, in the order of the outputs; may be left out.
    columns : Columns, optional
        Of data from a table: names of the features, and how they were scaled.
    weights : ndarray, shape (n_examples,), optional
        How much every training example counts, 1 on average; all alike when left out.
    spare : int
        Last outputs that stand for no class, see `with_outputs`.

    Raises
    ------
    InputError
        If the task is unknown, an array is not numeric or not of that shape, there is no training
        example, a number is not finite or out of range, or targets are not one-hot where they are
        classes; it names the array, the place and the value.
    """

    name: str
    task: Task
    x_train: NDArray[np.float32] | SparseRows
    y_train: NDArray[np.float32]
    x_test: NDArray[np.float32] | SparseRows
    y_test: NDArray[np.float32]
    sha256: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    columns: Columns | None = None
    weights: NDArray[np.float32] | None = None
    spare: int = 0

    def __post_init__(self) -> None:
        if self.task not in get_args(Task):
            raise InputError(f"task: {self.task!r}; {nearest(self.task, get_args(Task))}")
        for part in ("train", "test"):
            x, y = f"x_{part}", f"y_{part}"
            first = part == "train"
            x_like: Any = None if first else self.x_train
            y_like = None if first else self.y_train
            inputs = getattr(self, x)
            if not isinstance(inputs, SparseRows):
                inputs = checked_inputs(x, inputs, x_like)
            targets = checked_targets(
                y,
                getattr(self, y),
                y_like,
                classes=self.task == "classification",
                n_examples=len(inputs),
            )
            object.__setattr__(self, x, inputs)
            object.__setattr__(self, y, targets)
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.classes and len(self.classes) != self.n_classes:
            raise InputError(
                f"classes: {len(self.classes)} names, but y_train has {self.n_classes} "
                "columns; give one for every column"
            )
        if self.weights is not None and np.shape(self.weights) != (len(self.x_train),):
            raise InputError(
                f"weights: shape {np.shape(self.weights)}, must be ({len(self.x_train)},), one "
                "for every training example"
            )

    @cached_property
    def fingerprint(self) -> Mapping[str, str]:
        """What tells it from other data: `sha256`, or where there is none that of the arrays."""
        if self.sha256:
            return self.sha256
        digest = hashlib.sha256()
        for array in (self.x_train, self.y_train, self.x_test, self.y_test, self.weights):
            if array is None:
                continue
            digest.update(str(array.shape).encode())
            for start in range(0, len(array), CHUNK):
                digest.update(np.ascontiguousarray(array[start : start + CHUNK]).tobytes())
        return {"arrays": digest.hexdigest()}

    @property
    def facts(self) -> dict[str, Any]:
        """What a run records of it: name, classes, numbers of examples and SHA-256."""
        return {
            "name": self.name,
            "classes": list(self.classes),
            "n_train": len(self.x_train),
            "n_test": len(self.x_test),
            "sha256": dict(self.fingerprint),
        }

    @property
    def n_classes(self) -> int:
        """Number of outputs that stand for a class; of a regression all."""
        return self.y_train.shape[1] - self.spare

    def with_outputs(self, n_outputs: int) -> Dataset:
        """The same data for a network of more outputs than classes: targets of the others are 0.

        Raises
        ------
        InputError
            If it is a regression, or has more classes than that.
        """
        added = n_outputs - self.y_train.shape[1]
        if self.task == "regression" or added < 0:
            raise InputError(
                f"n_outputs: {n_outputs}, but {self.name} needs {self.n_classes}"
                f"{'' if self.task == 'regression' else ' or more'}"
            )
        y_train, y_test = (np.pad(y, ((0, 0), (0, added))) for y in (self.y_train, self.y_test))
        # Fingerprint and classes are those of the data, whatever network learns them.
        return replace(
            self,
            y_train=y_train,
            y_test=y_test,
            sha256=self.fingerprint,
            spare=self.spare + added,
        )

    @cached_property
    def labels_train(self) -> NDArray[np.intp]:
        """Class of each training example, shape (n_examples,); InputError for regression."""
        return self._labels(self.y_train)

    @cached_property
    def labels_test(self) -> NDArray[np.intp]:
        """Class of each test example, shape (n_examples,); InputError for regression."""
        return self._labels(self.y_test)

    def __repr__(self) -> str:
        (n, features), outputs = self.x_train.shape, self.y_train.shape[1]
        return (
            f"Dataset({self.name}: {self.task}, {n:,} training and {len(self.x_test):,} test "
            f"examples, {features} features, {outputs} outputs)"
        )

    def _labels(self, targets: NDArray[np.float32]) -> NDArray[np.intp]:
        if self.task == "regression":
            raise InputError(
                f"{self.name} is a regression dataset without classes; use its targets"
            )
        return targets.argmax(axis=1)
