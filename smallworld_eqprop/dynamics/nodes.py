"""Relaxation node by node, in compiled loops, for small networks.

Most nodes sit at 0 or 1 and stay there: about one in five moves in a sweep. So the local field of
every example is kept up to date, ``h += (change of s_i) W_i`` for the nodes that move and for no
others. That beats the matrix products of whole layers where the products are many and small, as
with skips between all pairs of layers, or where the couplings are nearly full, as with dense
intralayer edges; and no example waits for another one.

Arrays are (batch, n_free) here, so that the states of an example lie side by side. The couplings
are one symmetric array, (n_free, n_free).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

__all__ = ["euler_steps", "sor_sweeps"]


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def sor_sweeps(  # type: ignore[no-untyped-def]
    couplings, field, state, sweeps, tolerance, max_sweeps, start_factor, limit
) -> None:  # fmt: skip
    """Sweep every example until its residual is at most `tolerance`; see `SOR`.

    Parameters
    ----------
    couplings : ndarray, shape (n_free, n_free)
    field, state : ndarray, shape (batch, n_free)
        Local field ``W s + b`` and states; both are updated in place.
    sweeps : ndarray of int, shape (batch,)
        Raised by the sweeps taken, at most to `max_sweeps`.
    tolerance, start_factor, limit : float
        Of the arrays' dtype.
    max_sweeps : int
    """
    zero, one = state.dtype.type(0), state.dtype.type(1)
    n = couplings.shape[0]
    for example in range(state.shape[0]):
        s, h = state[example], field[example]
        factor, before = float(start_factor), -1.0
        while True:
            square = 0.0
            step = state.dtype.type(min(factor, limit))
            for i in range(n):
                distance = min(max(h[i], zero), one) - s[i]
                if distance != zero:
                    square += distance * distance
                    value = min(max(s[i] + step * distance, zero), one)
                    change = value - s[i]
                    s[i] = value
                    row = couplings[i]
                    for j in range(n):
                        h[j] += change * row[j]
            sweeps[example] += 1
            if sweeps[example] >= max_sweeps or _residual(h, s) <= tolerance:
                break
            factor, before = _adapted(factor, square, before), square


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def euler_steps(couplings, field, state, target, steps, step_size, pull) -> None:  # type: ignore[no-untyped-def]
    """Take synchronous Euler steps; see `Euler.steps_from`.

    Parameters
    ----------
    couplings : ndarray, shape (n_free, n_free)
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
                    row = couplings[i]
                    for j in range(s.size):
                        h[j] += change[i] * row[j]


@njit(cache=True, error_model="numpy")
def _residual(h, s):  # type: ignore[no-untyped-def]
    largest = s.dtype.type(0)
    for i in range(s.size):
        field = min(max(h[i], s.dtype.type(0)), s.dtype.type(1))
        largest = max(largest, abs(field - s[i]))
    return largest


@njit(cache=True, error_model="numpy")
def _adapted(factor: Any, square: Any, before: Any) -> Any:
    """Relaxation factor of the next sweep, as `kernels.adapt` has it for whole batches."""
    if before < 0:
        return factor
    shrink = min(max(np.sqrt(square / max(before, 1e-38)), 1e-3), 0.995)
    if shrink > factor - 1:
        mu = min((shrink + factor - 1) / (factor * np.sqrt(shrink)), 0.995)
        factor += 0.3 * (2 / (1 + np.sqrt(1 - mu * mu)) - factor)
    else:
        factor -= 0.05
    return min(max(factor, 1.0), 1.85)
