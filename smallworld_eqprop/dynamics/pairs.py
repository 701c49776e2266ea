"""Gradient for pairs of nodes, also where there is no edge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.models import Model
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["pair_gradient"]

# Pairs taken together, so that memory does not grow with pairs times examples.
TOGETHER = 100_000
# Of more than one pair of nodes in so many it is cheaper to multiply the states of all nodes, so
# many rows at a time.
FEW, ROWS = 32, 256


def pair_gradient(
    graph: LayeredGraph, model: Model, contrast: Contrast, pairs: npt.ArrayLike, *, raw: bool
) -> Array:
    """Gradient for any pairs of nodes; see `Network.pair_gradient`.

    Parameters
    ----------
    graph : LayeredGraph
    model : Model
    contrast : Contrast
        Of NumPy arrays of one network.
    pairs : array_like of int, shape (n, 2)
    raw : bool
        Leave out the coefficient k of the model.

    Returns
    -------
    ndarray, shape (n,)

    Raises
    ------
    InputError
        If a pair names a node that is not there, or one node twice.
    """
    pairs = np.sort(np.asarray(pairs, np.intp).reshape(-1, 2), axis=1)
    n = graph.n_nodes
    bad = (pairs[:, 0] < 0) | (pairs[:, 1] >= n) | (pairs[:, 0] == pairs[:, 1])
    if bad.any():
        raise InputError(f"pairs: {pairs[bad][0].tolist()}, must be two different nodes below {n}")
    deviation = np.concatenate((np.zeros_like(contrast.inputs), contrast.deviation), axis=1)
    middle = np.concatenate((contrast.inputs, contrast.midpoint), axis=1)
    sums = _by_pair if len(pairs) * FEW < n * n else _by_row
    found = sums(deviation, middle, pairs)
    if model.sees == "difference":
        own = np.einsum("bn,bn->n", deviation, middle)
        found -= own[pairs[:, 0]] + own[pairs[:, 1]]
    found *= -float(contrast.gain) / len(deviation)
    if not raw:
        found *= np.asarray(model.edge_scale(graph, pairs), found.dtype)
    return found


def _by_pair(deviation: Array, middle: Array, pairs: npt.NDArray[np.intp]) -> Array:
    """Sum over the examples of what both ends of every pair see."""
    found = np.empty(len(pairs), deviation.dtype)
    for start in range(0, len(pairs), TOGETHER):
        u, v = pairs[start : start + TOGETHER].T
        part = np.einsum("be,be->e", deviation[:, u], middle[:, v])
        part += np.einsum("be,be->e", middle[:, u], deviation[:, v])
        found[start : start + TOGETHER] = part
    return found


def _by_row(deviation: Array, middle: Array, pairs: npt.NDArray[np.intp]) -> Array:
    """The same as matrix products of nodes with all nodes after them."""
    (u, v), found = pairs.T, np.empty(len(pairs), deviation.dtype)
    for start in range(0, deviation.shape[1], ROWS):
        here = np.flatnonzero((u >= start) & (u < start + ROWS))
        if here.size:
            rows, after = slice(start, start + ROWS), slice(start, None)
            both = deviation[:, rows].T @ middle[:, after]
            both += middle[:, rows].T @ deviation[:, after]
            found[here] = both[u[here] - start, v[here] - start]
    return found
