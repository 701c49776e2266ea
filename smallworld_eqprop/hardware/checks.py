"""Checks of the numbers of a device, and how a number becomes a whole one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError

__all__ = [
    "Rounding",
    "check_choice",
    "check_number",
    "check_range",
    "numbers_in",
    "whole",
]

Rounding = Literal["nearest", "zero", "stochastic"]


def check_number(
    name: str, value: Any, least: float = 0.0, most: float = np.inf, *, above: bool = False
) -> None:
    """Refuse a value that is not a finite number within these limits.

    Parameters
    ----------
    name : str
    value
    least, most : float
    above : bool
        Whether the number must be above `least`, not only at least that.

    Raises
    ------
    InputError
    """
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if (
        not number
        or not least <= value <= most
        or abs(value) == np.inf
        or (above and value == least)
    ):
        limit = f"above {least:g}" if above else f"at least {least:g}"
        limit += f" and at most {most:g}" if most < np.inf else ""
        raise InputError(f"{name}: {value!r}, must be {limit}")


def check_range(low: Any, high: Any, inside: float | None = None) -> None:
    """Refuse two numbers that are no range, or none with this number inside.

    Raises
    ------
    InputError
    """
    for name, value in (("low", low), ("high", high)):
        check_number(name, value, -np.inf)
    if not low < high:
        raise InputError(f"low: {low:g}, must be below high, which is {high:g}")
    if inside is not None and not low < inside < high:
        raise InputError(f"low, high: {low:g} and {high:g}, must be below and above {inside:g}")


def check_choice(name: str, value: Any, allowed: Iterable[str]) -> None:
    """Refuse a word that is none of those allowed.

    Raises
    ------
    InputError
    """
    if value not in (allowed := tuple(allowed)):
        raise InputError(f"{name}: {value!r}, allowed: {', '.join(allowed)}")


def whole(
    numbers: npt.NDArray[np.float64], rounding: Rounding, rng: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Numbers as whole ones: the nearest, the next one toward 0, or a neighbour drawn at random.

    A number x is drawn to be the whole number above it with the probability that its distance from
    the one below is, so that it is x on average.
    """
    if rounding == "nearest":
        return np.rint(numbers)
    if rounding == "zero":
        return np.trunc(numbers)
    return np.floor(numbers + rng.random(numbers.shape))


def numbers_in(file: str) -> tuple[float, ...]:
    """The numbers of a text file.

    Raises
    ------
    InputError
        If it cannot be read, or holds anything else.
    """
    try:
        return tuple(map(float, Path(file).read_text(encoding="utf-8").replace(",", " ").split()))
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise InputError(f"{file}: not a file of numbers ({error})") from None
