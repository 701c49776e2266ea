"""Relaxation of one example after the other by its active set, in compiled loops.

Most nodes rest at a bound, held there by their fields, and which ones differs from example to
example. So every example is relaxed as a small network of its own, of the nodes that are not at
rest (its active set):

- the weights among its nodes that are not at rest are gathered into an array small enough for the
  cache, where a sweep costs about a seventh of what it costs among all nodes;
- after some sweeps the changes are spread to the fields of all nodes, which tells whether the
  example has the residual asked for and, if not, which nodes move next.

No example waits for another. `weights`, `ends`, `near`, `inside`, `low` and `high` describe the
network, see `Whole`; row i of `weights` is what node i adds to the fields of the others.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from smallworld_eqprop.dynamics.kernels import adapted, add_rows, residuals, rests

__all__ = ["nudge_each", "relax_each"]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def relax_each(  # type: ignore[no-untyped-def]
    weights, ends, near, inside, low, high, state, field, residual, factor, sweeps, tolerance, most,
    limit, margin, budget,
) -> None:  # fmt: skip
    """Relax every example by projected over-relaxation, layer by layer; see `SOR`.

    Nodes with edges inside their layer are updated one after the other, so that no sweep raises
    the energy.

    Parameters
    ----------
    weights, ends, near, inside, low, high : ndarray
    state, field : ndarray, shape (batch, n_free)
        States and their fields; both are updated in place.
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
    margin : float
        How far beyond its bound a field must lie for its node to rest.
    budget : int
        Sweeps before the first look at all nodes; then twice as many, and so on.
    """
    zero = state.dtype.type(0)
    room = np.empty(weights.size, weights.dtype)
    change, moves = np.empty(state.shape[1], state.dtype), np.empty(state.shape[1], np.bool_)
    for example in range(state.shape[0]):
        states, fields = state[example], field[example]
        before, allowed = zero, budget
        while True:
            residual[example] = residuals(states, fields, low, high)
            # Not above the tolerance, or NaN.
            if not residual[example] > tolerance or sweeps[example] >= most:
                break
            moves[:] = False
            _join(moves, states, fields, low, high, margin, states.size)
            nodes = _places(moves)
            cuts = np.searchsorted(nodes, ends)
            own = _gather(weights, nodes, cuts, near, inside, room)
            s, h, bottom, top = states[nodes], fields[nodes], low[nodes], high[nodes]
            held = h - _field(own, s, cuts, near, inside)
            last = min(sweeps[example] + allowed, most)
            allowed = min(2 * allowed, most)
            close = settled = False
            while sweeps[example] < last and not settled:
                step, largest, square = min(factor[example], limit), zero, zero
                h[:] = held
                for layer in range(inside.size):
                    _collect(own, s, h, cuts, near, inside, layer)
                    start, stop = cuts[layer], cuts[layer + 1]
                    for i in range(start, stop):
                        distance = min(max(h[i], bottom[i]), top[i]) - s[i]
                        largest = max(largest, abs(distance))
                        square += distance * distance
                        value = min(max(s[i] + step * distance, bottom[i]), top[i])
                        if inside[layer] and value != s[i]:
                            _follow(own[i, start:stop], h[start:stop], value - s[i])
                        s[i] = value
                sweeps[example] += 1
                factor[example] = adapted(factor[example], square, before)
                before = square
                # Neighbours moved on after a node's distance was taken: one more sweep.
                settled = close
                close = largest <= tolerance
            change[:] = 0
            change[nodes] = s - states[nodes]
            states[nodes] = s
            _spread(weights, change, fields, ends, near, inside)


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def nudge_each(  # type: ignore[no-untyped-def]
    margin, weights, ends, near, inside, low, high, state, field, force, curvature, steps, step_size
) -> None:  # fmt: skip
    """Take synchronous Euler steps with every example; see `Euler`.

    A node that the nudge would set free takes part from the first step: where the end shows that
    one was left out, the example takes its steps again.

    Parameters
    ----------
    margin : float
        How far beyond its bound a field must lie for its node to rest; in the end a quarter of
        that will do.
    weights, ends, near, inside, low, high : ndarray
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
    room = np.empty(weights.size, weights.dtype)
    change, ahead = np.empty(state.shape[1], state.dtype), np.empty(state.shape[1], state.dtype)
    moves = np.empty(state.shape[1], np.bool_)
    outputs = state.shape[1] - force.shape[1]
    for example in range(state.shape[0]):
        states, fields, pull = state[example], field[example], force[example]
        nudged, ahead[:], enough = states.copy(), fields, margin
        moves[:] = False
        while _join(moves, states, ahead, low, high, enough, outputs):
            nodes = _places(moves)
            cuts = np.searchsorted(nodes, ends)
            own = _gather(weights, nodes, cuts, near, inside, room)
            s, held, bottom, top = states[nodes], fields[nodes], low[nodes], high[nodes]
            start, first = s.copy(), s.size - pull.size
            for _ in range(steps):
                # The field of the changes rounds less, and is none where nothing has changed.
                h = held + _field(own, s - start, cuts, near, inside)
                for i in range(s.size):
                    value = s[i] + step_size * (h[i] - s[i])
                    if i >= first:
                        value += step_size * (pull[i - first] - curvature[i - first] * value)
                    s[i] = min(max(value, bottom[i]), top[i])
            nudged[nodes] = s
            change[:], ahead[:], enough = nudged - states, fields, margin / 4
            _spread(weights, change, ahead, ends, near, inside)
        states[:] = nudged


@njit(cache=True, error_model="numpy")
def _join(moves, states, fields, low, high, margin, first):  # type: ignore[no-untyped-def]
    """Mark the nodes that are not at rest, and all from `first` on; tells whether any is new."""
    new = False
    for i in range(states.size):
        if moves[i]:
            continue
        if i >= first or not rests(states[i], fields[i], low[i], high[i], margin):
            moves[i] = new = True
    return new


@njit(cache=True, error_model="numpy")
def _places(moves):  # type: ignore[no-untyped-def]
    # Unsigned, because what may be negative is checked for it at every access.
    nodes, size = np.empty(moves.size, np.uint32), 0
    for i in range(moves.size):
        nodes[size] = i
        size += moves[i]
    return nodes[:size]


@njit(cache=True, error_model="numpy")
def _gather(weights, nodes, cuts, near, inside, room):  # type: ignore[no-untyped-def]
    """Weights among these nodes, written where their layers are joined."""
    if nodes.size * nodes.size == weights.size:
        return weights
    own = room[: nodes.size * nodes.size].reshape(nodes.size, nodes.size)
    for layer in range(inside.size):
        # What is added to the fields of other layers, and of its own where it has edges inside.
        for side in range(2):
            start, stop = cuts[near[layer, 0]], cuts[near[layer, 1]]
            if not inside[layer]:
                if side == 0:
                    stop = min(stop, cuts[layer])
                else:
                    start = max(start, cuts[layer + 1])
            elif side == 1:
                break
            if start >= stop:
                continue
            columns = nodes[start:stop]
            for a in range(cuts[layer], cuts[layer + 1]):
                source, row = weights[nodes[a]], own[a, start:stop]
                for b in range(columns.size):
                    row[b] = source[columns[b]]
    return own


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _collect(own, s, h, cuts, near, inside, layer):  # type: ignore[no-untyped-def]
    """Add to the fields of one layer what its own nodes and those of other layers give."""
    start, stop = cuts[layer], cuts[layer + 1]
    below, above = cuts[near[layer, 0]], cuts[near[layer, 1]]
    part = h[start:stop]
    if inside[layer]:
        add_rows(own, below, s[below:above], start, part)
    else:
        # Without edges inside that square of the array is not written.
        add_rows(own, below, s[below:start], start, part)
        add_rows(own, stop, s[stop:above], start, part)


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _field(own, s, cuts, near, inside):  # type: ignore[no-untyped-def]
    """Fields of the active nodes, from the active nodes alone."""
    h = np.zeros_like(s)
    for layer in range(inside.size):
        _collect(own, s, h, cuts, near, inside, layer)
    return h


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _spread(weights, change, fields, ends, near, inside):  # type: ignore[no-untyped-def]
    """Let the fields of all nodes follow the changes of some."""
    for layer in range(inside.size):
        start, stop = ends[layer], ends[layer + 1]
        below, above = ends[near[layer, 0]], ends[near[layer, 1]]
        moved = change[start:stop]
        if inside[layer]:
            add_rows(weights, start, moved, below, fields[below:above])
        else:
            add_rows(weights, start, moved, below, fields[below:start])
            add_rows(weights, start, moved, stop, fields[stop:above])


@njit(cache=True, error_model="numpy", fastmath={"contract"})
def _follow(row, field, change):  # type: ignore[no-untyped-def]
    """Let the fields of a layer follow one of its nodes."""
    for j in range(row.size):
        field[j] += change * row[j]
