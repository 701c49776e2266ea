"""Checks of the arrays of a data set, made once, where the data set is made."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Number
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError

__all__ = ["LIMITS", "checked_inputs", "checked_targets", "first_place", "number_text", "numbers"]

#: Lowest and highest value of an input.
LIMITS = (-1.0, 1.0)
#: float32 rounds a value that was scaled to 1.
SLACK = 1e-6
#: Rows that are looked through at once when a bad value is searched for.
CHUNK = 1024


def checked_inputs(name: str, values: Any, like: npt.NDArray | None) -> npt.NDArray[np.float32]:
    """Inputs as read-only float32 in C order, one example a row; no copy where they are that.

    Parameters
    ----------
    name : str
        Of the array, for messages.
    values : array_like, shape (n_examples, n_features)
    like : ndarray, optional
        Training inputs that these are to be as wide as. Only where there are some may there be
        no examples.

    Raises
    ------
    InputError
        If they are not numbers of that shape, or one is not finite or outside `LIMITS`.
    """
    array = _shaped(name, numbers(name, values), like)
    low, high = LIMITS
    remedy = (
        f"must be from {low:g} to {high:g}; scale the features (divide pixels of 0 to 255 by 255)"
    )
    return _ready(name, array, low - SLACK, high + SLACK, remedy)


def checked_targets(
    name: str, values: Any, like: npt.NDArray | None, *, classes: bool, n_examples: int
) -> npt.NDArray[np.float32]:
    """Targets as read-only float32 in C order, one example a row; no copy where they are that.

    Parameters
    ----------
    name : str
        Of the array, for messages.
    values : array_like, shape (n_examples, n_outputs)
        One column may be given as shape (n_examples,).
    like : ndarray, optional
        Training targets that these are to be as wide as.
    classes : bool
        Whether every row is to be one-hot.
    n_examples : int
        Rows of the inputs.

    Raises
    ------
    InputError
        If they are not finite numbers of that shape, or not one-hot where they are classes.
    """
    array = numbers(name, values)
    if array.size and (array.ndim == 1 or array.shape[1:] == (1,)):
        # A column of 1 alone is one-hot too, of a single class.
        if classes and (place := first_place(array, lambda part: part != 1)) is not None:
            raise InputError(
                f"{name}: one column of labels ({number_text(array[place])} in row {place[0]}, "
                "counted from 0); a classification has a column for every class: give "
                "numpy.eye(n_classes)[labels], or the task 'regression'"
            )
        array = array.reshape(-1, 1)
    array = _shaped(name, array, like)
    if len(array) != n_examples:
        raise InputError(
            f"{name}: {len(array)} rows, but {name.replace('y', 'x', 1)} has {n_examples}; "
            "give one row for every example"
        )
    # Outputs of a model may be without bounds: any number that float32 can hold.
    largest = float(np.finfo(np.float32).max)
    array = _ready(name, array, -largest, largest, "is too large for float32; scale the targets")
    if classes:
        _check_one_hot(name, array)
    return array


def numbers(name: str, values: Any) -> npt.NDArray:
    """An array of real numbers, as it came where it is one.

    Raises
    ------
    InputError
        If a value is missing or no number.
    """
    if np.ma.isMaskedArray(values) and np.ma.getmaskarray(values).any():
        place = _place(np.argwhere(np.ma.getmaskarray(values))[0])
        raise InputError(f"{name}: masked in {place}; fill it in or leave out its row")
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"{name}: rows of different lengths; give them all as many") from None
    if array.dtype.kind in "biuf":
        return array
    if array.dtype.kind not in "OUS" or array.ndim == 0:
        kind = type(values).__name__ if array.ndim == 0 else str(array.dtype)
        raise InputError(f"{name}: {kind}, must be an array of numbers")
    for index, value in np.ndenumerate(array):
        if not isinstance(value, Number | np.bool_) or isinstance(value, complex):
            raise InputError(f"{name}: {value!r:.60} in {_place(index)}; must be a number")
    return array.astype(np.float64)


def first_place(
    array: npt.NDArray, test: Callable[[npt.NDArray], npt.NDArray]
) -> tuple[int, ...] | None:
    """Index of the first value of which the test is true, with little memory."""
    for start in range(0, len(array), CHUNK):
        found = np.argwhere(test(array[start : start + CHUNK]))
        if len(found):
            return (start + int(found[0][0]), *map(int, found[0][1:]))
    return None


def number_text(value: Any) -> str:
    """A number as people write it."""
    return f"{np.asarray(value).item():.7g}"


def _shaped(name: str, array: npt.NDArray, like: npt.NDArray | None) -> npt.NDArray:
    """The array, if it has rows and columns as it should."""
    if like is not None and array.shape == (0,):
        return array.reshape(0, like.shape[1])
    if array.ndim != 2:
        one = "reshape(-1, 1)" if array.ndim == 1 else "reshape(len(...), -1)"
        raise InputError(
            f"{name}: shape {array.shape}, must have one row for every example and one column for "
            f"every value ({one} may be meant)"
        )
    if like is None and not array.size:
        raise InputError(f"{name}: shape {array.shape}; give at least one example of one value")
    if like is not None and array.shape[1] != like.shape[1]:
        raise InputError(
            f"{name}: {array.shape[1]} columns, but {name.replace('test', 'train')} has "
            f"{like.shape[1]}; give as many"
        )
    return array


def _ready(
    name: str, array: npt.NDArray, low: float, high: float, remedy: str
) -> npt.NDArray[np.float32]:
    """As float32 that cannot be written to, if every value is finite and within the limits."""
    # Minimum and maximum are nan if any value is: two passes that need no memory.
    if array.size and not (array.min() >= low and array.max() <= high):
        place = first_place(array, lambda part: ~((part >= low) & (part <= high)))
        assert place is not None
        value = array[place]
        if not np.isfinite(value):
            remedy = "must be finite; leave out the row or fill in a number"
        raise InputError(f"{name}: {number_text(value)} in {_place(place)}; {remedy}")
    # A view, so that the array of the caller stays as writeable as it is.
    ready = np.ascontiguousarray(array, dtype=np.float32).view()
    ready.setflags(write=False)
    return ready


def _check_one_hot(name: str, array: npt.NDArray[np.float32]) -> None:
    def not_one_hot(part: npt.NDArray) -> npt.NDArray:
        return ((part != 0) & (part != 1)).any(axis=1) | (part.sum(axis=1) != 1)

    if (place := first_place(array, not_one_hot)) is not None:
        row = array[place[0]]
        shown = ", ".join(map(number_text, row[:10])) + (", ..." if len(row) > 10 else "")
        raise InputError(
            f"{name}: row {place[0]} (counted from 0) is [{shown}]; a classification needs a 1 for "
            "the class and 0 for all others"
        )


def _place(index: Any) -> str:
    names = ("row", "column", "place")
    parts = [f"{names[min(n, 2)]} {int(each)}" for n, each in enumerate(index)]
    return f"{', '.join(parts)} (counted from 0)"
