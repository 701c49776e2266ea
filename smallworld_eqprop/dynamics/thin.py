"""Relaxation along the edges of a thin network, many examples side by side, in compiled loops.

Among nodes with few edges each, a sweep takes time in proportion to the edges, whereas the arrays
of `active_set` hold all pairs of the nodes that move. An edge is looked up once for all examples,
whose states of one node lie side by side: loops over them run in vector registers.

`first`, `source` and `weight` are a CSC matrix: the field of node i is its drive plus
``weight[k]`` times the state of node ``source[k]``, for k from ``first[i]`` up to
``first[i + 1]``, excluded.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from smallworld_eqprop.dynamics.kernels import adapted

__all__ = ["nudge_thin", "relax_thin"]

# Most examples side by side, and their number is a multiple of the width of a vector register.
LANES, REGISTER = 64, 8


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def relax_thin(  # type: ignore[no-untyped-def]
    first, source, weight, low, high, drive, state, field, residual, factor, sweeps, tolerance,
    most, limit,
) -> None:  # fmt: skip
    """Relax every example by projected over-relaxation, node by node; see `SOR`.

    No sweep raises the energy, because every field is that of the newest states. An example does
    not depend on those beside it: it stays where it is from the sweep on in which no node was
    further than `tolerance` from its field, until the fields of all nodes tell that some is.

    Parameters
    ----------
    first, source, weight, low, high : ndarray
    drive : ndarray, shape (batch, n_free)
    state, field : ndarray, shape (batch, n_free)
        States, updated in place; fields are overwritten.
    residual : ndarray, shape (batch,)
        Overwritten.
    factor : ndarray, shape (batch,)
        Relaxation factors of the first sweep; overwritten with those of the last.
    sweeps : ndarray of int, shape (batch,)
        Raised by the sweeps taken.
    tolerance : float
    most : int
        To which `sweeps` may be raised.
    limit : float
        No factor is taken larger.
    """
    batch, n, kind = state.shape[0], state.shape[1], state.dtype.type
    lanes = _lanes(batch)
    s, d = np.zeros((n, lanes), state.dtype), np.zeros((n, lanes), state.dtype)
    h, step = np.empty(lanes, state.dtype), np.empty(lanes, state.dtype)
    square, largest = np.empty(lanes, state.dtype), np.empty(lanes, state.dtype)
    before, pending = np.zeros(lanes, state.dtype), np.empty(lanes, np.bool_)
    for begin in range(0, batch, lanes):
        own = min(lanes, batch - begin)
        for b in range(own):
            s[:, b], d[:, b] = state[begin + b], drive[begin + b]
        before[:] = 0
        while True:
            largest[:] = 0
            for i in range(n):
                _field(first, source, weight, s, d, i, h)
                for b in range(lanes):
                    distance = abs(min(max(h[b], low[i]), high[i]) - s[i, b])
                    # Bounds hide a field that is NaN, so it is asked for.
                    if not (distance <= largest[b] and h[b] == h[b]):
                        largest[b] = distance if h[b] == h[b] else kind(np.nan)
                for b in range(own):
                    field[begin + b, i] = h[b]
            pending[:] = False
            for b in range(own):
                residual[begin + b] = largest[b]
                pending[b] = largest[b] > tolerance and sweeps[begin + b] < most
            if not pending.any():
                break
            while pending.any():
                for b in range(lanes):
                    step[b] = min(factor[begin + b], limit) if pending[b] else kind(0)
                largest[:], square[:] = 0, 0
                for i in range(n):
                    _field(first, source, weight, s, d, i, h)
                    bottom, top = low[i], high[i]
                    for b in range(lanes):
                        distance = min(max(h[b], bottom), top) - s[i, b]
                        largest[b] = max(largest[b], abs(distance))
                        square[b] += distance * distance
                        s[i, b] = min(max(s[i, b] + step[b] * distance, bottom), top)
                for b in range(own):
                    if pending[b]:
                        sweeps[begin + b] += 1
                        factor[begin + b] = adapted(factor[begin + b], square[b], before[b])
                        before[b] = square[b]
                        pending[b] = largest[b] > tolerance and sweeps[begin + b] < most
        for b in range(own):
            state[begin + b] = s[:, b]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def nudge_thin(  # type: ignore[no-untyped-def]
    first, source, weight, low, high, state, field, force, curvature, steps, step_size
) -> None:  # fmt: skip
    """Take synchronous Euler steps with every example; see `Euler`.

    Parameters
    ----------
    first, source, weight, low, high : ndarray
    state : ndarray, shape (batch, n_free)
        Updated in place.
    field : ndarray, shape (batch, n_free)
        Fields of the states before the first step.
    force : ndarray, shape (batch, n_outputs)
        Of the nudge, on the outputs, which are the last nodes.
    curvature : ndarray, shape (n_outputs,)
    steps : int
    step_size : float
        Of the arrays' dtype.
    """
    batch, n = state.shape
    outputs = n - force.shape[1]
    lanes = _lanes(batch)
    s, held = np.zeros((n, lanes), state.dtype), np.zeros((n, lanes), state.dtype)
    change, pull = np.empty((n, lanes), state.dtype), np.zeros((n, lanes), state.dtype)
    h = np.empty(lanes, state.dtype)
    for begin in range(0, batch, lanes):
        own = min(lanes, batch - begin)
        for b in range(own):
            s[:, b], held[:, b] = state[begin + b], field[begin + b]
            pull[outputs:, b] = force[begin + b]
        start = s.copy()
        for _ in range(steps):
            # The field of the changes rounds less, and is none where nothing has changed.
            change[:] = s - start
            for i in range(n):
                _field(first, source, weight, change, held, i, h)
                bottom, top = low[i], high[i]
                bend = curvature[i - outputs] if i >= outputs else curvature.dtype.type(0)
                for b in range(lanes):
                    value = s[i, b] + step_size * (h[b] - s[i, b])
                    value += step_size * (pull[i, b] - bend * value)
                    s[i, b] = min(max(value, bottom), top)
        for b in range(own):
            state[begin + b] = s[:, b]


@njit(cache=True, error_model="numpy")
def _lanes(batch):  # type: ignore[no-untyped-def]
    return min(-(-batch // REGISTER) * REGISTER, LANES)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _field(first, source, weight, state, drive, node, out):  # type: ignore[no-untyped-def]
    """Write the field of one node in all lanes."""
    out[:] = drive[node]
    for k in range(first[node], first[node + 1]):
        row, w = state[source[k]], weight[k]
        for b in range(out.size):
            out[b] += w * row[b]
