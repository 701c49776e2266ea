"""What a weight is, for every way in: a finite number; and what measures without signs refuse."""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError

__all__ = ["check_weights", "listed_weights", "refuse_negative"]


def check_weights(given: Sequence[Any]) -> None:
    """Refuse weights that are no finite numbers with an InputError; True is 1 and False 0."""
    for each in given:
        if not isinstance(each, Real | np.number | np.bool_):
            raise InputError(f"weight: {each!r:.60} on an edge; give finite numbers")
        if not math.isfinite(each):
            raise InputError(f"weight: {each} on an edge; leave out entries that are not an edge")


def listed_weights(values: Sequence[Any]) -> npt.NDArray[np.float64] | None:
    """Weights of a list of edges, NaN where an edge has None; None where no edge has a weight.

    Raises
    ------
    InputError
        If one is no finite number.
    """
    given = [each for each in values if each is not None]
    check_weights(given)
    if not given:
        return None
    return np.array([math.nan if each is None else float(each) for each in values])


def refuse_negative(weights: npt.NDArray) -> None:
    """Refuse negative weights, for measures that do not use signs.

    Parameters
    ----------
    weights : ndarray
        Of every edge once; NaN for none.

    Raises
    ------
    InputError
        If one is below 0.
    """
    number = int(np.count_nonzero(weights < 0))
    if number:
        raise InputError(
            f"graph: {number} of {len(weights)} weights are negative, and this measure does not "
            "use signs; give the absolute values, or the positive weights only"
        )
