"""The named datasets, scaled to the unit interval in which the states of a network live."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from smallworld_eqprop.data.fetchers import FileSet
from smallworld_eqprop.data.idx import parse_idx
from smallworld_eqprop.data.sources import FASHION_MNIST, MNIST, read_files
from smallworld_eqprop.errors import InputError, nearest

__all__ = ["DATASETS", "TASKS", "Dataset", "load"]

Task = Literal["classification", "regression"]

_IMAGES: Mapping[str, FileSet] = {files.name: files for files in (MNIST, FASHION_MNIST)}
_TABLES: Mapping[str, Task] = {
    "digits": "classification",
    "wine": "classification",
    "diabetes": "regression",
}

TASKS: Mapping[str, Task] = {**dict.fromkeys(_IMAGES, "classification"), **_TABLES}
"""What is to be learned, by the name of the dataset."""

DATASETS: tuple[str, ...] = tuple(TASKS)
"""The names that `load` knows."""

_TEST_FRACTION = 0.2


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Training and test examples; the arrays are float32 in [0, 1], C order and read-only.

    Attributes
    ----------
    name
        Name of the dataset.
    task
        ``"classification"`` or ``"regression"``.
    x_train, x_test : ndarray, shape (n_examples, n_features)
        Inputs.
    y_train, y_test : ndarray, shape (n_examples, n_outputs)
        Targets: one-hot for classification, one column for regression.
    sha256
        SHA-256 of every source (IDX file, or table inside scikit-learn), by its name.
    """

    name: str
    task: Task
    x_train: NDArray[np.float32]
    y_train: NDArray[np.float32]
    x_test: NDArray[np.float32]
    y_test: NDArray[np.float32]
    sha256: Mapping[str, str]

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


def load(
    name: str,
    *,
    n_train: int | None = None,
    folder: str | Path | None = None,
    cache: str | Path | None = None,
    seed: int | np.random.Generator = 0,
) -> Dataset:
    """Load a dataset by name.

    MNIST and Fashion-MNIST come split (60,000 training, 10,000 test examples); their pixels are
    divided by 255. They are looked for in ``folder``, the cache, public mirrors, and packages
    that carry the same files, and every file is checked by SHA-256 before use.

    Digits, Wine and Diabetes ship inside scikit-learn. A seeded shuffle, stratified by class
    where there are classes, sets a fifth of the examples apart for testing. Pixels of digits are
    divided by 16. The features of Wine and Diabetes, and the Diabetes target, are scaled by their
    minimum and maximum over all examples, training and test, so that no value leaves [0, 1].

    Parameters
    ----------
    name
        One of `DATASETS`.
    n_train
        How many training examples to keep, the first ones; by default all.
    folder
        Folder of the user's own copies of the IDX files, plain or ``.gz``; by default the
        environment variable ``SMALLWORLD_EQPROP_DATA``.
    cache
        Folder where fetched files are kept; by default the user's cache folder.
    seed
        Seed of the split of Digits, Wine and Diabetes.

    Returns
    -------
    Dataset
        Read-only float32 arrays of shape (n_examples, n_features) and (n_examples, n_outputs).

    Raises
    ------
    InputError
        If the name is unknown, ``n_train`` is out of range, a file is not the published one, or
        no source has the files.

    References
    ----------
    LeCun, Bottou, Bengio, Haffner (1998), doi:10.1109/5.726791 (MNIST).
    Xiao, Rasul, Vollgraf (2017), arXiv:1708.07747 (Fashion-MNIST).

    Examples
    --------
    >>> load("wine").x_train.shape
    (142, 13)
    """
    if name in _IMAGES:
        return _load_images(_IMAGES[name], n_train, folder, cache)
    if name in _TABLES:
        return _load_table(name, n_train, np.random.default_rng(seed))
    raise InputError(f"unknown dataset {name!r}; {nearest(name, DATASETS)}")


def _load_images(
    files: FileSet, n_train: int | None, folder: str | Path | None, cache: str | Path | None
) -> Dataset:
    kept = slice(_check_n_train(files.name, n_train, 60_000))
    contents = read_files(files, folder=folder, cache=cache)
    x_train, labels_train, x_test, labels_test = (
        parse_idx(contents[name], name=name) for name in files.sha256
    )
    return Dataset(
        name=files.name,
        task="classification",
        x_train=_scaled_pixels(x_train[kept], 255),
        y_train=_one_hot(labels_train[kept], 10),
        x_test=_scaled_pixels(x_test, 255),
        y_test=_one_hot(labels_test, 10),
        sha256=dict(files.sha256),
    )


def _load_table(name: str, n_train: int | None, rng: np.random.Generator) -> Dataset:
    # Imported here because scikit-learn takes longer to import than MNIST to load.
    from sklearn import datasets
    from sklearn.model_selection import train_test_split

    options = {"scaled": False} if name == "diabetes" else {}
    data, target = getattr(datasets, f"load_{name}")(return_X_y=True, **options)
    task = _TABLES[name]
    digest = hashlib.sha256(b"".join(a.astype("<f8").tobytes() for a in (data, target)))
    x = _scaled_pixels(data, 16) if name == "digits" else _min_max(data)
    if task == "classification":
        y = _one_hot(target, int(target.max()) + 1)
    else:
        y = _min_max(target[:, np.newaxis])
    train, test = train_test_split(
        np.arange(len(x)),
        test_size=_TEST_FRACTION,
        random_state=int(rng.integers(2**31)),
        stratify=target if task == "classification" else None,
    )
    train = train[: _check_n_train(name, n_train, len(train))]
    return Dataset(
        name=name,
        task=task,
        x_train=_read_only(x[train]),
        y_train=_read_only(y[train]),
        x_test=_read_only(x[test]),
        y_test=_read_only(y[test]),
        sha256={name: digest.hexdigest()},
    )


def _check_n_train(name: str, n_train: int | None, available: int) -> int:
    if n_train is None:
        return available
    try:
        number = -1 if isinstance(n_train, bool) else operator.index(n_train)
    except TypeError:
        number = -1
    if not 1 <= number <= available:
        raise InputError(
            f"n_train must be an integer from 1 to {available} for {name}, not {n_train!r}"
        )
    return number


def _scaled_pixels(pixels: NDArray, maximum: int) -> NDArray[np.float32]:
    flat = pixels.reshape(len(pixels), -1)
    return _read_only(np.divide(flat, np.float32(maximum), dtype=np.float32))


def _min_max(table: NDArray) -> NDArray[np.float32]:
    low, high = table.min(axis=0), table.max(axis=0)
    return ((table - low) / (high - low)).astype(np.float32)


def _one_hot(labels: NDArray, n_classes: int) -> NDArray[np.float32]:
    return _read_only(np.eye(n_classes, dtype=np.float32)[labels])


def _read_only(array: NDArray[np.float32]) -> NDArray[np.float32]:
    array.setflags(write=False)
    return array
