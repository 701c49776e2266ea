"""Relaxation node by node, in compiled loops, where few nodes or few examples move.

Most nodes sit at 0 or 1 and stay there: about one in five moves in a sweep. So the local field of
every example is kept up to date, ``h += (change of s_i) W_i`` for the nodes that move and for no
others. That beats the matrix products of whole layers where the products are many and small, as
with skips between all pairs of layers, or where the couplings are nearly full, as with dense
intralayer edges, or narrow, as for the last examples of a batch; and no example waits for another.

Arrays are (batch, n_free) here, so that the states of an example lie side by side. The couplings
are one symmetric array, (n_free, n_free); of row i the columns ``reach[i, 0]`` to ``reach[i, 1]``
are read.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from smallworld_eqprop.dynamics.kernels import adapted

__all__ = ["euler_steps", "sor_sweeps"]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def sor_sweeps(  # type: ignore[no-untyped-def]
    couplings, reach, field, state, factors, sweeps, tolerance, most, limit
) -> None:  # fmt: skip
    """Sweep every example until its residual is at most `tolerance`; see `SOR`.

    Parameters
    ----------
    couplings : ndarray, shape (n_free, n_free)
    reach : ndarray of int, shape (n_free, 2)
    field, state : ndarray, shape (batch, n_free)
        Local field ``W s + b`` and states; both are updated in place.
    factors : ndarray, shape (batch,)
        Relaxation factors of the first sweep; overwritten with those of the last.
    sweeps : ndarray of int, shape (batch,)
        Raised by the sweeps taken.
    tolerance, limit : float
        Of the arrays' dtype.
    most : ndarray of int, shape (batch,)
        To which `sweeps` may be raised.
    """
    zero, one = state.dtype.type(0), state.dtype.type(1)
    for example in range(state.shape[0]):
        s, h = state[example], field[example]
        before = zero
        while sweeps[example] < most[example] and _residual(h, s) > tolerance:
            square = zero
            step = min(factors[example], limit)
            for i in range(s.size):
                distance = min(max(h[i], zero), one) - s[i]
                if distance != zero:
                    square += distance * distance
                    value = min(max(s[i] + step * distance, zero), one)
                    _move(couplings[i], reach[i], h, value - s[i])
                    s[i] = value
            sweeps[example] += 1
            factors[example] = adapted(factors[example], square, before)
            before = square


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def euler_steps(  # type: ignore[no-untyped-def]
    couplings, reach, field, state, target, steps, step_size, pull
) -> None:  # fmt: skip
    """Take synchronous Euler steps; see `Euler`.

    Parameters
    ----------
    couplings : ndarray, shape (n_free, n_free)
    reach : ndarray of int, shape (n_free, 2)
    field, state : ndarray, shape (batch, n_free)
        Local field and states; both are updated in place.
    target : ndarray, shape (batch, n_outputs)
        The outputs are the last nodes; without outputs there is no nudge.
    steps : int
    step_size, pull : float
        Of the arrays' dtype; `pull` is ``2 * step_size * beta``.
    """
    zero, one = state.dtype.type(0), state.dtype.type(1)
    outputs = state.shape[1] - target.shape[1]
    change = np.empty(state.shape[1], state.dtype)
    for example in range(state.shape[0]):
        s, h = state[example], field[example]
        for _ in range(steps):
            for i in range(s.size):
                value = s[i] + step_size * (h[i] - s[i])
                if i >= outputs:
                    value += pull * (target[example, i - outputs] - value)
                value = min(max(value, zero), one)
                change[i] = value - s[i]
                s[i] = value
            for i in range(s.size):
                if change[i] != zero:
                    _move(couplings[i], reach[i], h, change[i])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _move(row, reach, field, change):  # type: ignore[no-untyped-def]
    """Let the fields follow a node that has moved; slices, because they let the loop vectorise."""
    weights, near = row[reach[0] : reach[1]], field[reach[0] : reach[1]]
    for j in range(weights.size):
        near[j] += change * weights[j]


@njit(cache=True, error_model="numpy")
def _residual(h, s):  # type: ignore[no-untyped-def]
    largest = s.dtype.type(0)
    for i in range(s.size):
        field = min(max(h[i], s.dtype.type(0)), s.dtype.type(1))
        largest = max(largest, abs(field - s[i]))
    return largest
