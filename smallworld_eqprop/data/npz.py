"""Arrays of the user in an npz file, as a spec."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data.checks import number_text, numbers
from smallworld_eqprop.data.files import FileData
from smallworld_eqprop.data.split import Examples, Labels
from smallworld_eqprop.data.tables import labels_of, require_task
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.memory import open_npz

__all__ = ["Npz", "read_npz"]

WHOLE = ("x", "y")
APART = ("x_train", "y_train", "x_test", "y_test")


@dataclass(frozen=True)
class Npz(FileData):
    """Arrays that `numpy.savez` wrote: x_train, y_train, x_test and y_test, or x and y.

    x has one example a row; images are read as rows of pixels. y holds one label or number for
    every example, one-hot rows, or several numbers for a regression. Pickled objects are refused.

    Attributes
    ----------
    path, task, scaling, test_share, split_seed, n_train
        As in `FileData`. With x_test and y_test, `test_share` and `split_seed` mean nothing.
    """

    def _read(self, contents: dict[str, bytes]) -> tuple[Examples, Examples | None]:
        return read_npz(self.path, contents["path"], self.task)


def read_npz(path: str, content: bytes, task: str | None) -> tuple[Examples, Examples | None]:
    """Examples to be split, or those for training and those for testing.

    Parameters
    ----------
    path : str
        For messages.
    content : bytes
        Of the whole file.
    task : {"classification", "regression"}, optional

    Raises
    ------
    InputError
        If it is no npz file, lacks an array or holds pickled objects, or an array does not fit.
    """
    arrays = _arrays(path, content)
    if all(name in arrays for name in WHOLE):
        return _examples(path, arrays, *WHOLE, task), None
    examples = _examples(path, arrays, "x_train", "y_train", task)
    task = "classification" if isinstance(examples.target, Labels) else "regression"
    test = _examples(path, arrays, "x_test", "y_test", task)
    for name, first, second in (
        ("x", examples.features, test.features),
        ("y", _wide(examples.target), _wide(test.target)),
    ):
        if first.shape[1] != second.shape[1]:
            raise InputError(
                f"{path}: {name}_test: {second.shape[1]} values an example, but {name}_train has "
                f"{first.shape[1]}; give as many"
            )
    return examples, test


def _arrays(path: str, content: bytes) -> dict[str, npt.NDArray]:
    try:
        file = open_npz(io.BytesIO(content))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    # A flipped byte can surface as nearly any exception of zipfile or numpy.
    except Exception as error:
        pickled = "; pickled objects are not read" if "pickle" in str(error) else f" ({error})"
        raise InputError(f"{path}: not an npz file, or a damaged one{pickled}") from None
    with file:
        wanted = WHOLE if all(name in file.files for name in WHOLE) else APART
        for name in wanted:
            if name not in file.files:
                raise InputError(
                    f"{path}: no array {name!r} (there are: {', '.join(file.files) or 'none'}); "
                    f"give {', '.join(APART)}, or x and y"
                )
        found = {}
        for name in wanted:
            try:
                found[name] = file[name]
            except Exception as error:
                if "pickle" in str(error):
                    raise InputError(
                        f"{path}: {name}: pickled objects, which are not read; save numbers or "
                        "texts"
                    ) from None
                raise InputError(f"{path}: {name}: damaged ({error})") from None
    return found


def _examples(
    path: str, arrays: dict[str, npt.NDArray], x: str, y: str, task: str | None
) -> Examples:
    features = numbers(f"{path}: {x}", arrays[x])
    if features.ndim < 2:
        raise InputError(
            f"{path}: {x}: shape {features.shape}, must have one row for every example"
        )
    if len(features) != len(np.atleast_1d(arrays[y])):
        raise InputError(
            f"{path}: {y}: {len(np.atleast_1d(arrays[y]))} rows, but {x} has {len(features)}; "
            "give one for every example"
        )
    features = features.reshape(len(features), math.prod(features.shape[1:]))
    if features.dtype != np.float32:
        features = features.astype(np.float64)
    if not features.shape[1]:
        raise InputError(f"{path}: {x}: shape {arrays[x].shape}; give at least one value")
    return Examples(
        f"{path}: {x}",
        features,
        _target(f"{path}: {y}", arrays[y], task),
        lambda row, column: f"row {row}, column {column} (counted from 0)",
    )


def _target(where: str, values: npt.NDArray, task: str | None) -> Labels | npt.NDArray[np.float64]:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim not in (1, 2):
        raise InputError(
            f"{where}: shape {values.shape}, must have one value or one row for every example"
        )
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    if values.ndim == 1 and values.dtype.kind == "U" and task != "regression":
        return labels_of(values)
    values = numbers(where, values)
    if not np.isfinite(values).all():
        place = np.argwhere(~np.isfinite(values))[0]
        raise InputError(
            f"{where}: {number_text(values[tuple(place)])} in row {place[0]} (counted from 0), "
            "must be finite"
        )
    if values.ndim == 1 and require_task(where, task, values):
        return labels_of(values)
    if values.ndim == 1 or task == "regression":
        return values.reshape(len(values), -1).astype(np.float64)
    bad = ((values != 0) & (values != 1)).any(axis=1) | (values.sum(axis=1) != 1)
    if bad.any():
        row = int(bad.argmax())
        shown = ", ".join(map(number_text, values[row, :10]))
        raise InputError(
            f"{where}: row {row} (counted from 0) is [{shown}], not one-hot; give one label for "
            "every example, one-hot rows, or data.task = 'regression'"
        )
    return Labels(tuple(map(str, range(values.shape[1]))), values.argmax(axis=1))


def _wide(target: Labels | npt.NDArray) -> npt.NDArray:
    return np.empty((0, 1)) if isinstance(target, Labels) else target
