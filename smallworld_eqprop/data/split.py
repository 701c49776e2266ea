"""From examples to a data set: classes, the split, and the scaling that training rows decide."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data.checks import LIMITS, first_place, number_text
from smallworld_eqprop.data.columns import Columns, Scaling
from smallworld_eqprop.errors import InputError, nearest

__all__ = ["Examples", "Labels", "arrays", "check_n_train", "check_values", "split_rows"]


@dataclass(frozen=True)
class Labels:
    """Class of every example, as its place in the names of the classes."""

    names: tuple[str, ...]
    codes: npt.NDArray[np.intp]


@dataclass(frozen=True)
class Examples:
    """Examples as they were read.

    Attributes
    ----------
    source : str
        Where they are from, to begin messages with.
    features : ndarray of float64 or float32, shape (n_examples, n_features)
    target : Labels, or ndarray of float64 of shape (n_examples, n_outputs)
    place : callable
        What people call the place of a feature, given row and column.
    names : tuple of str
        Of the features, where they have some.
    constant : tuple of str
        Columns that were left out of them, because all rows have the same value there.
    """

    source: str
    features: npt.NDArray[np.floating]
    target: Labels | npt.NDArray[np.float64]
    place: Callable[[int, int], str]
    names: tuple[str, ...] = ()
    constant: tuple[str, ...] = ()


def split_rows(
    n_rows: int, share: float, seed: int | np.random.Generator, labels: npt.NDArray | None
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Training and test rows of a seeded shuffle, stratified where there are labels.

    `share` is that of the test rows, or as a whole number how many they are.
    """
    # Imported here because scikit-learn takes longer to import than MNIST to load.
    from sklearn.model_selection import train_test_split

    draw = int(np.random.default_rng(seed).integers(2**31))
    train, test = train_test_split(
        np.arange(n_rows), test_size=share, random_state=draw, stratify=labels
    )
    return train, test


def check_n_train(name: str, n_train: int | None, available: int) -> int:
    """How many training examples to use.

    Raises
    ------
    InputError
        If `n_train` is no whole number from 1 to `available`.
    """
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


def check_values(examples: Examples, scaling: str) -> None:
    """Refuse features that are not finite or, where they are not scaled, out of range.

    Raises
    ------
    InputError
        Naming the first bad value and its place.
    """
    low, high = LIMITS

    def bad(part: npt.NDArray) -> npt.NDArray:
        return ~((part >= low) & (part <= high)) if scaling == "none" else ~np.isfinite(part)

    found = first_place(examples.features, bad)
    if found is None:
        return
    value = examples.features[found]
    where = f"{examples.source}: {examples.place(found[0], found[1])}"
    if np.isnan(value):
        raise InputError(f"{where}: missing; leave out the row or fill in a number")
    if not np.isfinite(value):
        raise InputError(f"{where}: {number_text(value)}, must be finite")
    raise InputError(
        f"{where}: {number_text(value)}, must be from {low:g} to {high:g}; scale the features, or "
        "say scaling = 'min-max'"
    )


def arrays(
    examples: Examples,
    test: Examples | None,
    *,
    scaling: str,
    test_share: float,
    split_seed: int,
    n_train: int | None,
) -> tuple[Mapping[str, Any], Columns]:
    """Arrays of a data set, by the names they have in `Dataset`, and how they were scaled.

    Parameters
    ----------
    examples : Examples
        Of training, or to be split.
    test : Examples, optional
        Of testing; a share of `examples` is set apart when left out.
    scaling : {"min-max", "none"}
        Minimum and maximum are those of the training rows that are used. Test features are cut
        at 0 and 1, test targets of a regression are not.
    test_share, split_seed, n_train
        As in `smallworld_eqprop.data.files.FileData`.

    Raises
    ------
    InputError
        If there are too few rows, a single class, or classes in the test examples alone.
    """
    x, y = examples.features, _targets(examples)
    if not len(x):
        raise InputError(f"{examples.source}: no rows; give at least one example")
    _check_different(examples, y, "rows")
    if test is None:
        train, rest = _split(examples, test_share, split_seed)
        x_test, y_test = x[rest], y[rest]
    else:
        train, x_test, y_test = np.arange(len(x)), test.features, _targets(test, examples)
    train = train[: check_n_train(examples.source, n_train, len(train))]
    x, y = x[train], y[train]
    _check_different(examples, y, "training rows")
    inputs = targets = None
    if scaling == "min-max":
        inputs = Scaling.of_range(x, cut=True)
        x, x_test = inputs.forward(x), inputs.forward(x_test)
        if not isinstance(examples.target, Labels):
            targets = Scaling.of_range(y, cut=False)
            y, y_test = targets.forward(y), targets.forward(y_test)
    found = {"x_train": x, "y_train": y, "x_test": x_test, "y_test": y_test}
    return (
        {name: each.astype(np.float32, copy=False) for name, each in found.items()},
        Columns(examples.names, examples.constant, inputs, targets),
    )


def _check_different(examples: Examples, y: npt.NDArray, rows: str) -> None:
    """Refuse targets that are all the same."""
    constant = (y == y[0]).all(axis=0)
    if isinstance(examples.target, Labels):
        if constant.all():
            raise InputError(
                f"{examples.source}: all {len(y)} {rows} are of the one class "
                f"{examples.target.names[int(y[0].argmax())]!r}; give rows of at least two"
            )
    elif constant.any():
        raise InputError(
            f"{examples.source}: all {len(y)} {rows} have the one target "
            f"{number_text(y[0, constant.argmax()])}; there is nothing to learn"
        )


def _targets(examples: Examples, like: Examples | None = None) -> npt.NDArray:
    """Targets as numbers; classes one-hot, and those of `like`."""
    target = examples.target
    if not isinstance(target, Labels):
        return target
    assert like is None or isinstance(like.target, Labels)
    names, codes = target.names, target.codes
    if like is not None:
        names = like.target.names  # type: ignore[union-attr]
        # Of `names` those that no row has are no concern.
        for code in np.unique(codes):
            if target.names[code] not in names:
                raise InputError(
                    f"{examples.source}: class {target.names[code]!r} has no training example; "
                    f"{nearest(target.names[code], names)}"
                )
        places: Any = [names.index(name) if name in names else -1 for name in target.names]
        codes = np.array(places, np.intp)[codes]
    return np.eye(len(names), dtype=np.float32)[codes]


def _split(
    examples: Examples, share: float, seed: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    n, target = len(examples.features), examples.target
    labels = target.codes if isinstance(target, Labels) else None
    if share == 0:
        return np.random.default_rng(seed).permutation(n), np.empty(0, np.intp)
    n_test, least, who = int(np.ceil(share * n)), 1, "row"
    if isinstance(target, Labels):
        counts = np.bincount(target.codes, minlength=len(target.names))
        present = np.flatnonzero(counts)
        least, who = len(present), "row of each class"
        for code in present:
            if least > 1 and counts[code] < 2:
                raise InputError(
                    f"{examples.source}: class {target.names[code]!r} has 1 row, too few for a "
                    "split; give at least 2, or test rows of their own, or test_share = 0 (or the "
                    "task 'regression', where the target is a quantity)"
                )
    if min(n_test, n - n_test) < least:
        raise InputError(
            f"{examples.source}: data.test_share: {share:g} of {n} rows leaves {n - n_test} for "
            f"training and {n_test} for testing; both need at least {least}, one {who}"
        )
    return split_rows(n, share, seed, labels)
