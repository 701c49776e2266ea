"""Weights exchanged among edges, until nodes have the strengths asked for: annealing."""

from __future__ import annotations

import math
from itertools import pairwise

import numba
import numpy as np
import numpy.typing as npt

__all__ = ["match_strengths"]

# The temperature starts at the mean square error of shuffled weights. It falls by this factor from
# stage to stage, and is 0 in the last one.
COOLING = 0.8
STAGES = 60
# Large weights decide the error, so they are drawn more often: of m weights in ascending order,
# that with the number m (1 - x^3), with x uniform between 0 and 1. Half of the exchanges are with
# one of the next larger weights, which is what makes the last, small corrections.
POWER = 3
NEAR = 32


def match_strengths(
    weights: npt.NDArray[np.float64],
    places: npt.NDArray[np.int64],
    labels: npt.NDArray[np.integer],
    target: npt.NDArray[np.float64],
    rounds: float,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    r"""Deal weights out to edges, so that the sums over the edges of each place are near a target.

    The weights are first shuffled among the edges of one label. Then annealing exchanges two of
    them at a time and lowers :math:`\sum_i (s_i - t_i)^2`, s being the sums and t the target.

    Parameters
    ----------
    weights : ndarray of float64, shape (n_edges,)
        From 0 up.
    places : ndarray of int64, shape (n_edges, 2)
        The two places to whose sums an edge adds its weight.
    labels : ndarray of int, shape (n_edges,)
        From 0 up; weights are exchanged among edges of one label. Weight i has the label of edge i.
    target : ndarray of float64, shape (n_places,)
    rounds : float
        Attempted exchanges, per edge.
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (n_edges,)
        Which weight every edge has.
    """
    ranked = np.lexsort((weights, labels))
    starts = np.searchsorted(labels[ranked], np.arange(labels.max(initial=-1) + 2))
    holders = np.argsort(labels, kind="stable")
    for start, end in pairwise(starts):
        rng.shuffle(holders[start:end])
    values, values_labels = weights[ranked], labels[ranked].astype(np.int64)
    excess = -target.astype(np.float64)
    for side in (0, 1):
        excess += np.bincount(places[holders, side], values, minlength=len(target))
    heat = float(excess @ excess) / max(len(target), 1)
    attempts = math.ceil(rounds * len(weights) / STAGES)
    for stage in range(STAGES) if attempts else ():
        temperature = heat * COOLING**stage if stage < STAGES - 1 else 0.0
        _anneal(holders, values, values_labels, starts, places, excess, temperature, attempts, rng)
    found = np.empty(len(weights), dtype=np.int64)
    found[holders] = ranked
    return found


@numba.njit(nogil=True, cache=True)
def _anneal(  # type: ignore[no-untyped-def]
    holders, values, labels, starts, places, excess, temperature, attempts, rng
):
    for _ in range(attempts):
        label = labels[rng.integers(0, len(values))]
        first, end = starts[label], starts[label + 1]
        one = min(end - 1, first + int((end - first) * (1 - rng.random() ** POWER)))
        if rng.random() < 0.5:
            other = one + rng.integers(1, NEAR + 1)
            if other >= end:
                continue
        else:
            other = rng.integers(first, end)
        more = values[other] - values[one]
        if more == 0.0:
            continue
        a, b = places[holders[one]]
        c, d = places[holders[other]]
        # Where both edges end at one place, its sum stays.
        change = 0.0
        if a not in (c, d):
            change += more * (2 * excess[a] + more)
        if b not in (c, d):
            change += more * (2 * excess[b] + more)
        if c not in (a, b):
            change -= more * (2 * excess[c] - more)
        if d not in (a, b):
            change -= more * (2 * excess[d] - more)
        if change > 0.0 and (temperature == 0.0 or rng.random() >= np.exp(-change / temperature)):
            continue
        excess[a] += more
        excess[b] += more
        excess[c] -= more
        excess[d] -= more
        holders[one], holders[other] = holders[other], holders[one]
