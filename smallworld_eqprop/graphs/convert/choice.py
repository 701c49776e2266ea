"""Inputs and outputs of an outside graph: by names, or by an attribute of its nodes."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError

__all__ = ["Choice", "chosen", "roles_of"]

#: Nodes by name, one node, or ``"attribute=value"``.
Choice: TypeAlias = Iterable[Hashable] | Hashable | None

# At most so many values or names are listed in a message.
LISTED = 8


def chosen(
    what: str, given: Any, names: Sequence[Hashable], data: Mapping[str, npt.NDArray]
) -> npt.NDArray[np.int64]:
    """Numbers of the nodes that were chosen.

    Parameters
    ----------
    what : str
        "inputs" or "outputs", for messages.
    given : iterable of node, node, or str
        ``"role=sensory"``: the nodes whose attribute ``role`` is ``sensory``, in their order.
    names : sequence of hashable
        Of all nodes. What is not among them is looked for by the text that it is written as.
    data : mapping of str to ndarray
        Attributes of all nodes.

    Raises
    ------
    InputError
        If no node, or a node that is not there, was chosen, or one twice.
    """
    index = {name: i for i, name in enumerate(names)}
    if isinstance(given, str) and given not in index and "=" in given:
        return _by_attribute(what, given, data)
    if isinstance(given, np.ndarray) and given.ndim != 1:
        # One node, or rows that are the names of nodes of a grid.
        given = given.item() if not given.ndim else list(map(tuple, given.tolist()))
    if isinstance(given, str | bytes) or not isinstance(given, Iterable) or _is_node(given, index):
        given = [given]
    wanted = list(given)
    texts = {str(name): i for name, i in index.items()}
    places = []
    for name in wanted:
        place = index[name] if _is_node(name, index) else None
        place = texts.get(str(name)) if place is None and isinstance(name, str | int) else place
        if place is None:
            raise InputError(
                f"{what}: {name!r} is not a node of the graph; give its nodes by name"
                f"{_or_attribute(data)} (the first nodes: {_listed(names)})"
            )
        places.append(place)
    if not places or len(set(places)) < len(places):
        twice = next((names[place] for place in places if places.count(place) > 1), None)
        problem = "none" if not places else f"{twice!r} is given twice"
        raise InputError(f"{what}: {problem}; give at least one node, each once")
    return np.array(places, dtype=np.int64)


def roles_of(data: Mapping[str, npt.NDArray]) -> str:
    """What nodes may be chosen by: the attributes that few values share."""
    found = []
    for name, array in data.items():
        if array.ndim == 1 and array.dtype.kind in "biuU":
            values = [each for each in np.unique(array).tolist() if each != ""]
            if len(values) <= LISTED:
                found.append(f"{name} ({_listed(values)})")
    return ", ".join(found)


def _by_attribute(what: str, given: str, data: Mapping[str, npt.NDArray]) -> npt.NDArray[np.int64]:
    name, _, value = (part.strip() for part in given.partition("="))
    if name not in data:
        known = roles_of(data) or ", ".join(data)
        has = f"they have: {known}" if known else "they have none; give nodes by name"
        raise InputError(f"{what}: {given!r}: nodes have no attribute {name!r}; {has}")
    array = data[name]
    if array.dtype.kind == "U":
        matches = array == value
    elif array.dtype.kind == "b":
        matches = array == {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
    else:
        try:
            matches = array == float(value)
        except ValueError:
            matches = np.zeros(len(array), dtype=np.bool_)
    found = np.flatnonzero(np.asarray(matches)) if array.ndim == 1 else np.empty(0, np.int64)
    if not found.size:
        values = _listed([each for each in np.unique(array).tolist() if each != ""])
        raise InputError(f"{what}: no node has {given!r}; {name!r} is one of: {values}")
    return found.astype(np.int64)


def _or_attribute(data: Mapping[str, npt.NDArray]) -> str:
    known = roles_of(data)
    return f", or by an attribute as 'name=value': {known}" if known else ""


def _listed(values: Sequence[Any]) -> str:
    more = ", ..." if len(values) > LISTED else ""
    return ", ".join(str(each) for each in values[:LISTED]) + more


def _is_node(given: Any, index: Mapping[Hashable, int]) -> bool:
    try:
        return given in index
    except TypeError:
        return False
