"""Data of edges and nodes: named arrays with one value for each, checked once, then read-only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.edges import read_only

__all__ = ["BLANKS", "blank", "carried", "checked_data", "edge_numbers"]

#: What a new edge or node has where "no value" would be no sensible one: nothing restrains it.
BLANKS: Mapping[str, Any] = {"trainable": True, "sign": 0}
NUMBERS = ("weight", "length")


def checked_data(
    what: str, data: Mapping[str, Any], n: int, order: npt.NDArray[np.intp] | None = None
) -> Mapping[str, npt.NDArray]:
    """Arrays of their own, one value per edge or node, that nobody can write to.

    Parameters
    ----------
    what : {"edge_data", "node_data"}
        For messages; ``position`` is for nodes only.
    data : mapping of str to array_like
    n : int
        Number of edges or nodes.
    order : ndarray of int, optional
        Take the values in this order.

    Raises
    ------
    InputError
        If an array has the wrong length or type, or holds an infinite number.
    """
    if not data:
        return MappingProxyType({})
    checked = {}
    for name, values in data.items():
        if not isinstance(name, str) or not name:
            raise InputError(f"{what}: {name!r} is no name; give text")
        array = _typed(f"{what} {name!r}", name, values)
        if len(array) != n:
            of = what.split("_")[0]
            raise InputError(f"{what} {name!r}: {len(array)} values; give {n}, one per {of}")
        if order is not None:
            array = array[order]
        # A read-only array that owns its memory, as one from another graph, is shared.
        elif array.base is not None or (array is values and array.flags.writeable):
            array = array.copy()
        checked[name] = read_only(array)
    if what == "node_data" and "layer" in checked:
        raise InputError("node_data: 'layer' is given by the layer sizes; choose another name")
    if "position" in checked and (twice := sorted({"x", "y", "z"} & checked.keys())):
        raise InputError(f"{what}: {', '.join(twice)} beside 'position'; give one of the two")
    return MappingProxyType(checked)


def carried(
    data: Mapping[str, npt.NDArray], origin: npt.NDArray[np.integer]
) -> dict[str, npt.NDArray]:
    """The data of edges that were at these places before; -1 for new ones, which have no value."""
    new = origin < 0
    found = {}
    for name, array in data.items():
        filler = np.full((1, *array.shape[1:]), blank(name, array.dtype))
        source = np.concatenate((array, filler)) if new.any() else array
        found[name] = source[origin].astype(array.dtype if name in BLANKS else source.dtype)
    return found


def blank(name: str, dtype: np.dtype) -> Any:
    """What stands for "no value": NaN for numbers, "" for text, False for yes or no."""
    if name in BLANKS:
        return BLANKS[name]
    return {"b": False, "U": ""}.get(dtype.kind, np.nan)


def edge_numbers(data: Mapping[str, npt.NDArray], name: str) -> npt.NDArray:
    """Edge data of that name, if they are numbers and no edge lacks one.

    Raises
    ------
    InputError
        If they are not.
    """
    if name not in data:
        known = f"it has: {', '.join(data)}" if data else "it has none"
        raise InputError(f"edge_data: the graph has no {name!r}; {known}")
    values = data[name]
    if values.dtype.kind == "U":
        raise InputError(f"edge_data {name!r}: text; give numbers")
    if missing := int(np.isnan(values).sum()):
        raise InputError(
            f"edge_data {name!r}: {missing} of {len(values)} edges have no value, as new edges "
            "have none; give every edge one"
        )
    return values


def _typed(where: str, name: str, values: Any) -> npt.NDArray:
    try:
        array = values if isinstance(values, np.ndarray) else np.asarray(values)
    except ValueError:
        raise InputError(f"{where}: rows of different lengths") from None
    if array.dtype.kind == "O" and all(isinstance(each, str) for each in array.flat):
        array = array.astype(np.str_)
    if array.dtype.kind not in "biufU":
        raise InputError(f"{where}: {array.dtype}; give numbers, text, or True and False")
    wide = name == "position" and where.startswith("node")
    if array.ndim != 1 + wide or (wide and array.shape[1] not in (2, 3)):
        shape = "(n_nodes, 2) or (n_nodes, 3)" if wide else "one value for each"
        raise InputError(f"{where}: shape {array.shape}; give {shape}")
    if array.dtype.kind == "f" and np.isinf(array).any():
        raise InputError(
            f"{where}: infinite at {np.flatnonzero(np.isinf(array))[0]}; give finite numbers, or "
            "nan where there is no value"
        )
    if name in NUMBERS:
        if array.dtype.kind not in "iuf":
            raise InputError(f"{where}: {array.dtype}; give numbers")
        return array if array.dtype.kind == "f" else array.astype(np.float64)
    allowed = {"trainable": (0, 1), "sign": (-1, 0, 1)}.get(name)
    if allowed is None:
        return array
    if array.dtype.kind == "U" or not np.isin(array, allowed).all():
        bad = array[~np.isin(array, allowed)] if array.dtype.kind != "U" else array
        raise InputError(f"{where}: {bad[0]!s}; allowed: {', '.join(map(str, allowed))}")
    kind = np.dtype(np.bool_ if name == "trainable" else np.int8)
    return array if array.dtype == kind else array.astype(kind)
