"""Checks of the arguments that several graph functions share."""

from __future__ import annotations

import operator
from collections.abc import Hashable, Iterable
from typing import Any, Literal, TypeAlias, get_args

import numpy as np

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.memory import require_memory

__all__ = [
    "BYTES_PER_NODE",
    "Seed",
    "Symmetrise",
    "check_symmetrise",
    "checked_count",
    "checked_labels",
    "checked_share",
    "checked_sizes",
    "require_edges",
    "seeded",
]

Seed: TypeAlias = int | np.random.Generator | None
#: How a directed graph becomes an undirected one: see `graphs.convert.outside`.
Symmetrise: TypeAlias = Literal["max", "mean", "or"]
#: While a graph is made, an edge is there as two pairs of int32 and one int64 that sorts as they
#: do; a node is at least one int64.
BYTES_PER_EDGE, BYTES_PER_NODE = 24, 8
#: Every pair of layers has arrays and measures of its own, so their number counts squared.
MOST_LAYERS = 10_000


def check_symmetrise(symmetrise: object) -> None:
    """Raise an InputError if this is not the name of a rule for directed graphs."""
    if symmetrise not in get_args(Symmetrise):
        told = nearest(str(symmetrise), get_args(Symmetrise))
        raise InputError(f"symmetrise: {symmetrise!r}; {told}")


def seeded(seed: Seed) -> tuple[np.random.Generator, int | None]:
    """Give the generator of a seed, and the seed as provenance records it (None: a generator).

    Where there is none, one is drawn from the system's entropy: what is recorded makes the same
    draws again.

    Raises
    ------
    InputError
        If the seed is neither a whole number that is not negative nor a generator.
    """
    if isinstance(seed, np.random.Generator):
        return seed, None
    if seed is None:
        # 32 bits: a whole number to every program that reads provenance.
        seed = int(np.random.SeedSequence().generate_state(1)[0])
    try:
        number = operator.index(seed)
        return np.random.default_rng(number), number
    except (TypeError, ValueError):
        raise InputError(
            f"seed: {seed!r}; give a whole number from 0 up, a numpy.random.Generator, or None to "
            "have one drawn"
        ) from None


def checked_share(name: str, value: Any) -> float:
    """Give a probability or share as a float.

    Raises
    ------
    InputError
        If it is not a number from 0 to 1.
    """
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = float("nan")
    if not 0 <= share <= 1:
        raise InputError(f"{name}: {value!r}; give a number from 0 to 1")
    return share


def checked_count(name: str, value: Any, most: int, meaning: str, *, least: int = 0) -> int:
    """Give a count as an int; `meaning` says in the error what `most` is.

    Raises
    ------
    InputError
        If it is not a whole number from `least` to `most`.
    """
    try:
        count = operator.index(value)
    except TypeError:
        count = least - 1
    if not least <= count <= most:
        raise InputError(
            f"{name}: {value!r}; give a whole number from {least} to {most}, {meaning}"
        )
    return count


def checked_labels(labels: Iterable[Hashable], n_nodes: int) -> tuple[Hashable, ...]:
    """Give labels as a tuple.

    Raises
    ------
    InputError
        If they are not one distinct hashable label per node.
    """
    try:
        checked = tuple(labels)
        n_distinct = len(set(checked))
    except TypeError as error:
        raise InputError(f"labels: {error}; give one distinct hashable label per node") from None
    if not len(checked) == n_distinct == n_nodes:
        raise InputError(
            f"labels: {len(checked)} labels, {n_distinct} of them distinct, for {n_nodes} nodes; "
            "give one distinct label per node"
        )
    return checked


def checked_sizes(sizes: Iterable[int]) -> tuple[int, ...]:
    """Give layer sizes as a tuple of int.

    Raises
    ------
    InputError
        If they are not whole numbers, there are fewer than two or more than `MOST_LAYERS` layers,
        one of them is empty, or there are more nodes than can be numbered or memory holds.
    """
    try:
        checked = tuple(operator.index(size) for size in sizes)
    except TypeError:
        raise InputError(
            f"layer sizes: {sizes!r}; give whole numbers, inputs first, such as 784, 500, 10"
        ) from None
    if len(checked) < 2 or min(checked) < 1:
        raise InputError(
            f"layer sizes: {list(checked)}; give at least two layers of at least one node"
        )
    if len(checked) > MOST_LAYERS:
        raise InputError(f"layer sizes: {len(checked)} layers; give at most {MOST_LAYERS}")
    if sum(checked) > np.iinfo(np.int32).max:
        raise InputError(f"layer sizes: {sum(checked)} nodes; at most 2147483647 can be numbered")
    n_nodes = sum(checked)
    told = f"layer sizes: {list(checked)}: {n_nodes} nodes"
    require_memory(n_nodes * BYTES_PER_NODE, told, "give smaller layers")
    return checked


def require_edges(name: str, n_edges: int) -> None:
    """Refuse more edges than memory holds; `name` is the argument that asks for them.

    Raises
    ------
    InputError
        If they do not fit.
    """
    require_memory(n_edges * BYTES_PER_EDGE, f"{name}: {n_edges} edges", "give smaller layers")
