"""Checks of the arguments that several graph functions share."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from smallworld_eqprop.errors import InputError

__all__ = ["checked_count", "checked_share", "seeded"]


def seeded(seed: int | np.random.Generator) -> tuple[np.random.Generator, int | None]:
    """Give the generator of a seed, and the seed as provenance records it (None: a generator).

    Raises
    ------
    InputError
        If the seed is neither a whole number that is not negative nor a generator.
    """
    if isinstance(seed, np.random.Generator):
        return seed, None
    try:
        number = operator.index(seed)
        return np.random.default_rng(number), number
    except (TypeError, ValueError):
        raise InputError(
            f"seed: {seed!r}; give a whole number from 0 up or a numpy.random.Generator"
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
