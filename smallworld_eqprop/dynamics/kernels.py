"""Element-wise work fused into single passes by numba; the matrix products stay with BLAS.

NumPy would make a pass over memory for every operation. On blocks of a few hundred nodes these
passes cost a third as much as the products themselves (benchmarks/ measures both). States are
(batch, n_free), C order: the nodes of an example lie side by side.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

__all__ = [
    "adam_in_place",
    "adapt",
    "adapted",
    "add_at_edges",
    "add_at_inside_edges",
    "add_at_sparse_edges",
    "add_rows",
    "copy_sparse",
    "count_moving",
    "deviations",
    "drift",
    "residuals",
    "residuals_each",
    "rests",
    "step",
]


# nnan and nsz let the largest distance run in vector lanes. A NaN is found by `residuals`.
@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nnan", "nsz"})
def step(  # type: ignore[no-untyped-def]
    state, field, drive, low, high, begin, factor, limit, largest, square
) -> None:
    """Move a group of nodes toward its clipped field, in place: one projected SOR step.

    Parameters
    ----------
    state, drive : ndarray, shape (batch, n_free)
        The nodes of the group begin at column `begin` and are overwritten by
        ``clip(s + w d, low, high)`` with ``d = clip(field + drive, low, high) - s``.
    field : ndarray, shape (batch, n)
        Of the group; with `drive` it makes the local field.
    low, high : ndarray, shape (n_free,)
        Bounds of every node.
    begin : int
    factor : ndarray, shape (batch,)
        Relaxation factor w of every example, at most `limit`.
    limit : float
    largest, square : ndarray, shape (batch,)
        Raised to the largest ``|d|``, and increased by the sum of ``d**2``.
    """
    end = begin + field.shape[1]
    bottom, top = low[begin:end], high[begin:end]
    for example in range(state.shape[0]):
        states, fields = state[example, begin:end], field[example]
        drives, w = drive[example, begin:end], min(factor[example], limit)
        most, total = largest[example], square[example]
        for i in range(states.size):
            s = states[i]
            d = min(max(fields[i] + drives[i], bottom[i]), top[i]) - s
            most = max(most, abs(d))
            total += d * d
            states[i] = min(max(s + w * d, bottom[i]), top[i])
        largest[example], square[example] = most, total


@njit(cache=True, error_model="numpy")
def residuals(state, field, low, high):  # type: ignore[no-untyped-def]
    """Largest distance of a node from its clipped field; NaN where a state or field is NaN.

    All are vectors of one example.
    """
    largest = state.dtype.type(0)
    for i in range(state.size):
        distance = abs(min(max(field[i], low[i]), high[i]) - state[i])
        # Bounds hide a field that is NaN, so it is asked for.
        if distance != distance or field[i] != field[i]:
            return state.dtype.type(np.nan)
        largest = max(largest, distance)
    return largest


@njit(cache=True, nogil=True, error_model="numpy")
def residuals_each(state, field, low, high, out):  # type: ignore[no-untyped-def]
    """Write the `residuals` of every example, arrays of shape (batch, n_free), to `out`."""
    for example in range(state.shape[0]):
        out[example] = residuals(state[example], field[example], low, high)


@njit(cache=True, error_model="numpy")
def rests(s, h, low, high, margin):  # type: ignore[no-untyped-def]
    """Whether a node is held at a bound by its field, which lies beyond it by over `margin`."""
    return (s == low and h < low - margin) or (s == high and h > high + margin)


@njit(cache=True, error_model="numpy")
def count_moving(state, field, low, high, margin):  # type: ignore[no-untyped-def]
    """How many nodes of every example are not at rest; arrays of shape (batch, n_free)."""
    moving = np.zeros(state.shape[0], np.intp)
    for example in range(state.shape[0]):
        for i in range(state.shape[1]):
            held = rests(state[example, i], field[example, i], low[i], high[i], margin)
            moving[example] += not held
    return moving


@njit(cache=True, error_model="numpy")
def adapted(factor: Any, square: Any, before: Any) -> Any:
    """Relaxation factor of the next sweep, from the squared residuals of this and the last one.

    With the contraction c of a sweep at factor w, Young's relation gives the Jacobi eigenvalue
    ``mu = (c + w - 1) / (w sqrt(c))`` and the best factor ``2 / (1 + sqrt(1 - mu**2))``.
    `before` is 0 where there was no last sweep.
    """
    if before == 0:
        return factor
    w = factor
    c = min(max(math.sqrt(square / before), 1e-3), 0.995)
    if c > w - 1:
        mu = min((c + w - 1) / (w * math.sqrt(c)), 0.995)
        # A third of the way up: the contraction of one sweep is a noisy estimate.
        w += 0.3 * (2 / (1 + math.sqrt(1 - mu * mu)) - w)
    else:
        w -= 0.05
    return min(max(w, 1.0), 1.85)


@njit(cache=True, error_model="numpy")
def adapt(factor, square, before):  # type: ignore[no-untyped-def]
    """Adapt the factors of a batch in place; `before` is overwritten with `square`.

    All are of shape (batch,); see `adapted`.
    """
    for j in range(factor.size):
        factor[j] = adapted(factor[j], square[j], before[j])
        before[j] = square[j]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def drift(state, field, low, high, step_size, force, curvature):  # type: ignore[no-untyped-def]
    """One synchronous Euler step in place; see `Euler`.

    Parameters
    ----------
    state, field : ndarray, shape (batch, n_free)
    low, high : ndarray, shape (n_free,)
    step_size : float
    force : ndarray, shape (batch, n_outputs)
        Of the nudge, on the outputs, which are the last nodes; without columns there is no nudge.
    curvature : ndarray, shape (n_outputs,)
    """
    outputs = state.shape[1] - force.shape[1]
    for example in range(state.shape[0]):
        states, fields, pull = state[example], field[example], force[example]
        for i in range(outputs):
            value = states[i] + step_size * (fields[i] - states[i])
            states[i] = min(max(value, low[i]), high[i])
        for i in range(outputs, states.size):
            value = states[i] + step_size * (fields[i] - states[i])
            value += step_size * (pull[i - outputs] - curvature[i - outputs] * value)
            states[i] = min(max(value, low[i]), high[i])


@njit(cache=True, nogil=True, error_model="numpy")
def settle(field, drive, back, state, low, high):  # type: ignore[no-untyped-def]
    """Add `drive` and `back` to `field`, and take the clipped field as state; all in place.

    Arrays have shape (batch, n), bounds (n,).
    """
    for example in range(field.shape[0]):
        for i in range(field.shape[1]):
            h = field[example, i] + drive[example, i] + back[example, i]
            field[example, i] = h
            state[example, i] = min(max(h, low[i]), high[i])


@njit(cache=True, nogil=True, error_model="numpy")
def deviations(field, moved, low, high, out):  # type: ignore[no-untyped-def]
    """Write ``clip(field + moved, low, high) - clip(field, low, high)`` to `out`.

    No difference of nearly equal numbers is taken: between the bounds it is `moved` itself. Arrays
    have shape (batch, n), bounds (n,).
    """
    for example in range(field.shape[0]):
        for i in range(field.shape[1]):
            h = field[example, i]
            at = min(max(h, low[i]), high[i])
            change = moved[example, i] + (h - at)
            out[example, i] = min(max(change, low[i] - at), high[i] - at)


@njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def add_rows(matrix, top, values, left, out):  # type: ignore[no-untyped-def]
    """Add ``values @ matrix[top:, left:]`` to `out`, passing over the rows whose value is 0.

    Four rows at a time, so that `out` is read and written once for four of them.

    Parameters
    ----------
    matrix : ndarray, C order
    top : int
        Row that goes with the first value.
    values : ndarray, shape (n,)
    left : int
        Column that goes with the first entry of `out`.
    out : ndarray, shape (m,)
    """
    if not out.size:
        return
    # Unsigned, because what may be negative is checked for it at every access.
    rows, size = np.empty(values.size, np.uint32), 0
    for i in range(values.size):
        rows[size] = i
        size += values[i] != 0
    right, fours = left + out.size, size // 4 * 4
    for k in range(0, fours, 4):
        i, j, m, n = rows[k], rows[k + 1], rows[k + 2], rows[k + 3]
        a, b, c, d = values[i], values[j], values[m], values[n]
        p, q = matrix[top + i, left:right], matrix[top + j, left:right]
        u, v = matrix[top + m, left:right], matrix[top + n, left:right]
        for x in range(out.size):
            out[x] += a * p[x] + b * q[x] + c * u[x] + d * v[x]
    for k in range(fours, size):
        a, p = values[rows[k]], matrix[top + rows[k], left:right]
        for x in range(out.size):
            out[x] += a * p[x]


@njit(cache=True, nogil=True, error_model="numpy")
def add_rows_each(matrix, values, out, left):  # type: ignore[no-untyped-def]
    """Add ``values @ matrix`` to columns of `out` from `left` on, passing over values that are 0.

    `out` is an array in C order, not a part of its columns: only then the sums run in vector lanes.
    """
    right = left + matrix.shape[1]
    for example in range(values.shape[0]):
        add_rows(matrix, 0, values[example], 0, out[example, left:right])


@njit(cache=True, error_model="numpy")
def copy_sparse(data, indices, indptr, out, top, left, transposed):  # type: ignore[no-untyped-def]
    """Copy the stored entries of a CSR matrix, or of its transpose, to ``out[top:, left:]``."""
    for a in range(indptr.size - 1):
        for e in range(indptr[a], indptr[a + 1]):
            b = indices[e]
            if transposed:
                out[top + b, left + a] = data[e]
            else:
                out[top + a, left + b] = data[e]


# reassoc lets the sum of squares run in vector lanes; the order is fixed, so it stays reproducible.
@njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def add_at_edges(matrix, rows, change, mask):  # type: ignore[no-untyped-def]
    """Add `change` to these rows of `matrix` where `mask` holds.

    Returns
    -------
    float
        Sum of squares of what was added, once per edge; so do the other two.
    """
    total = 0.0
    for a in range(rows.size):
        row, added, edge = matrix[rows[a]], change[a], mask[rows[a]]
        # Rows are summed in the working precision, rows among each other in double.
        square = matrix.dtype.type(0)
        for j in range(row.size):
            at_edge = added[j] if edge[j] else matrix.dtype.type(0)
            row[j] += at_edge
            square += at_edge * at_edge
        total += square
    return total


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def add_at_inside_edges(matrix, rows, change, mask):  # type: ignore[no-untyped-def]
    """Add `change` to these rows and columns of a symmetric `matrix` where `mask` holds.

    `change` is symmetric on paper but not in floating point; its mean with its transpose is.
    """
    total, half = 0.0, matrix.dtype.type(0.5)
    for a in range(rows.size):
        i = rows[a]
        square = matrix.dtype.type(0)
        for b in range(a):
            j = rows[b]
            if mask[i, j]:
                at_edge = half * (change[a, b] + change[b, a])
                matrix[i, j] += at_edge
                matrix[j, i] = matrix[i, j]
                square += at_edge * at_edge
        total += square
    return total


@njit(cache=True, error_model="numpy", fastmath={"reassoc", "contract"})
def add_at_sparse_edges(data, indices, indptr, rows, left, right):  # type: ignore[no-untyped-def]
    """Add ``left[a] @ right[j]`` to every stored entry (rows[a], j) of a CSR matrix.

    Only existing edges are touched: no product of the whole block, no gathered copies.
    """
    total = 0.0
    for a in range(rows.size):
        i = rows[a]
        square = data.dtype.type(0)
        for e in range(indptr[i], indptr[i + 1]):
            j = indices[e]
            change = data.dtype.type(0)
            for k in range(left.shape[1]):
                change += left[a, k] * right[j, k]
            data[e] += change
            square += change * change
        total += square
    return total


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def adam_in_place(  # type: ignore[no-untyped-def]
    values, gradient, mean, square,
    rate, mean_scale, square_scale, first, second, epsilon, decay, smallest,
):  # fmt: skip
    """One step of Adam on flat arrays, in place; see `Adam`. Gives the sum of squares of the step.

    Where the gradient has always been 0, as where there is no edge, nothing moves but by decay.
    Moments below `smallest`, the smallest normal number, become 0: where a gradient is 0 from some
    batch on they would stay just below it for good, and processors are slow there.
    """
    one = values.dtype.type(1)
    total = values.dtype.type(0)
    for i in range(values.size):
        g = gradient[i]
        m = first * mean[i] + (one - first) * g
        v = second * square[i] + (one - second) * g * g
        m = m if abs(m) >= smallest else m * 0
        v = v if v >= smallest else v * 0
        mean[i], square[i] = m, v
        step = -rate * (m * mean_scale / (math.sqrt(v * square_scale) + epsilon))
        step -= rate * decay * values[i]
        values[i] += step
        total += step * step
    return total
