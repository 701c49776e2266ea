"""Checks of the arguments that several graph functions share."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np

from smallworld_eqprop.errors import InputError

__all__ = ["Seed", "checked_count", "checked_share", "checked_sizes", "seeded"]

Seed: TypeAlias = int | np.random.Generator | None


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


def checked_count(name: str, value: Any, most: int, meaning: str) -> int:
    """Give a count as an int; `meaning` says in the error what `most` is.

    Raises
    ------
    InputError
        If it is not a whole number from 0 to `most`.
    """
    try:
        count = operator.index(value)
    except TypeError:
        count = -1
    if not 0 <= count <= most:
        raise InputError(f"{name}: {value!r}; give a whole number from 0 to {most}, {meaning}")
    return count


def checked_sizes(sizes: Iterable[int]) -> tuple[int, ...]:
    """Give layer sizes as a tuple of int.

    Raises
    ------
    InputError
        If they are not whole numbers, there are fewer than two layers, one of them is empty, or
        there are more nodes than can be numbered.
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
    if sum(checked) > np.iinfo(np.int32).max:
        raise InputError(f"layer sizes: {sum(checked)} nodes; at most 2147483647 can be numbered")
    return checked
