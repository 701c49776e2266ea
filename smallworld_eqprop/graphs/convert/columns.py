"""Attributes of outside graphs as arrays: one value per edge or node, gaps included."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.graphs.core.attributes import BLANKS, blank
from smallworld_eqprop.graphs.core.weights import check_weights

__all__ = ["COORDINATES", "column", "columns", "parsed", "plain", "with_position"]

COORDINATES = ("x", "y", "z")
WORDS = {"true": True, "false": False}


def columns(records: Sequence[Mapping[str, Any]]) -> dict[str, npt.NDArray]:
    """All attributes of records that an array can hold, by name; see `column`."""
    names = dict.fromkeys(name for record in records for name in record)
    found = {}
    for name in names:
        array = column(str(name), [record.get(name) for record in records])
        if array is not None:
            found[str(name)] = array
    return found


def column(name: str, values: Sequence[Any]) -> npt.NDArray | None:
    """Values as an array of yes and no, of numbers or of text; None where they are none of these.

    None stands for no value.

    Raises
    ------
    InputError
        If a weight is no finite number.
    """
    if name == "weight":
        check_weights([each for each in values if each is not None])
        # Yes and no, as in a matrix of them, are 1 and 0.
        values = [None if each is None else each + 0 for each in values]
    given = [each for each in values if each is not None]
    if not given:
        return None
    if all(isinstance(each, bool | np.bool_) for each in given):
        kind: type = np.bool_
    elif all(isinstance(each, Real | np.number) for each in given):
        whole = all(isinstance(each, int | np.integer) for each in given)
        # A gap is NaN, which only floats have.
        kind = np.int64 if whole and (len(given) == len(values) or name in BLANKS) else np.float64
    elif all(isinstance(each, str) for each in given):
        kind = np.str_
    else:
        return None
    filler = blank(name, np.dtype(kind))
    try:
        return np.array([filler if each is None else each for each in values], dtype=kind)
    except (TypeError, ValueError, OverflowError):
        return None


def parsed(values: Iterable[str]) -> list[Any]:
    """Value of a cell of a table: a whole number, a number, true or false; an empty cell is none.

    All cells are of the same kind; text where they are of several.
    """
    cells = [value.strip() for value in values]
    for read in (_word, int, float):
        try:
            return [None if not cell else read(cell) for cell in cells]
        except (ValueError, KeyError):
            continue
    return list(cells)


def with_position(data: dict[str, npt.NDArray]) -> dict[str, npt.NDArray]:
    """Node attributes x, y and z, where they are numbers, as ``position``."""
    found = [name for name in COORDINATES if name in data and data[name].dtype.kind in "iuf"]
    if "position" in data or found[:2] != ["x", "y"]:
        return data
    rest = {name: array for name, array in data.items() if name not in found}
    return {**rest, "position": np.column_stack([data[name].astype(float) for name in found])}


def plain(data: Mapping[str, npt.NDArray]) -> dict[str, list[Any]]:
    """Data as lists of Python objects, ``position`` as x, y and z; None where there is no value."""
    found: dict[str, list[Any]] = {}
    for name, array in data.items():
        if array.ndim == 2:
            coordinates = zip(COORDINATES, array.T.tolist(), strict=False)
            found.update({axis: list(map(_or_none, each)) for axis, each in coordinates})
        else:
            found[name] = [_or_none(each) for each in array.tolist()]
    return found


def _or_none(value: Any) -> Any:
    return None if value == "" or (isinstance(value, float) and math.isnan(value)) else value


def _word(cell: str) -> bool:
    return WORDS[cell.lower()]
