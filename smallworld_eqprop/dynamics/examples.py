"""Relaxation of one example after the other, in compiled loops.

Most nodes rest at 0 or 1, held there by their fields, and which ones differs from example to
example. So every example is relaxed as a small network of its own:

- the weights among its nodes that are not at rest are gathered into an array small enough for the
  cache, where a sweep costs about a seventh of what it costs among all nodes;
- after some sweeps the changes are spread to the fields of all nodes, which tells whether the
  example has the residual asked for and, if not, which nodes move next.

No example waits for another. Arrays are (batch, n_free) here, so that the states of an example lie
side by side. `ends`, `near` and `inside` describe the layers, see `Whole`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from smallworld_eqprop.dynamics.kernels import adapted, add_rows, rests

__all__ = ["nudge_each", "relax_each"]


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"contract"})
def relax_each(  # type: ignore[no-untyped-def]
    weights, ends, near, inside, state, field, residual, factor, sweeps, tolerance, most, limit,
    margin, budget,
) -> None:  # fmt: skip
    """Relax every example by projected over-relaxation, layer by layer; see `SOR`.

    Nodes with edges inside their layer are updated one after the other, so that no sweep raises
    the energy.

    Parameters
    ----------
    weights : ndarray, shape (n_free, n_free)
    ends, near, inside : ndarray
    state, field : ndarray, shape (batch, n_free)
        States and their fields ``W s + b``; both are updated in place.
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
    zero, one = state.dtype.type(0), state.dtype.type(1)
    room = np.empty(weights.size, weights.dtype)
    change, moves = np.empty(state.shape[1], state.dtype), np.empty(state.shape[1], np.bool_)
    for example in range(state.shape[0]):
        states, fields = state[example], field[example]
        before, allowed = zero, budget
        while True:
            residual[example] = _residual(states, fields)
            if residual[example] <= tolerance or sweeps[example] >= most:
                break
            moves[:] = False
            _join(moves, states, fields, margin, states.size)
            nodes = _places(moves)
            cuts = np.searchsorted(nodes, ends)
            own = _gather(weights, nodes, cuts, near, inside, room)
            s, h = states[nodes], fields[nodes]
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
                        distance = min(max(h[i], zero), one) - s[i]
                        largest = max(largest, abs(distance))
                        square += distance * distance
                        value = min(max(s[i] + step * distance, zero), one)
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
    weights, ends, near, inside, state, field, target, steps, step_size, pull, margin
) -> None:  # fmt: skip
    """Take synchronous Euler steps with every example; see `Euler`.

    A node that the nudge would set free takes part from the first step: where the end shows that
    one was left out, the example takes its steps again.

    Parameters
    ----------
    weights : ndarray, shape (n_free, n_free)
    ends, near, inside : ndarray
    state : ndarray, shape (batch, n_free)
        Updated in place.
    field : ndarray, shape (batch, n_free)
        Fields of the states before the first step.
    target : ndarray, shape (batch, n_outputs)
        The outputs are the last nodes.
    steps : int
    step_size, pull : float
        Of the arrays' dtype; `pull` is ``2 * step_size * beta``.
    margin : float
        How far beyond its bound a field must lie for its node to rest; in the end a quarter of
        that will do.
    """
    zero, one = state.dtype.type(0), state.dtype.type(1)
    room = np.empty(weights.size, weights.dtype)
    change, ahead = np.empty(state.shape[1], state.dtype), np.empty(state.shape[1], state.dtype)
    moves = np.empty(state.shape[1], np.bool_)
    outputs = state.shape[1] - target.shape[1]
    for example in range(state.shape[0]):
        states, fields, goal = state[example], field[example], target[example]
        nudged, ahead[:], enough = states.copy(), fields, margin
        moves[:] = False
        while _join(moves, states, ahead, enough, outputs):
            nodes = _places(moves)
            cuts = np.searchsorted(nodes, ends)
            own = _gather(weights, nodes, cuts, near, inside, room)
            s, held = states[nodes], fields[nodes]
            start, first = s.copy(), s.size - goal.size
            for _ in range(steps):
                # The field of the changes rounds less, and is none where nothing has changed.
                h = held + _field(own, s - start, cuts, near, inside)
                for i in range(s.size):
                    value = s[i] + step_size * (h[i] - s[i])
                    if i >= first:
                        value += pull * (goal[i - first] - value)
                    s[i] = min(max(value, zero), one)
            nudged[nodes] = s
            change[:], ahead[:], enough = nudged - states, fields, margin / 4
            _spread(weights, change, ahead, ends, near, inside)
        states[:] = nudged


@njit(cache=True, error_model="numpy")
def _join(moves, states, fields, margin, first):  # type: ignore[no-untyped-def]
    """Mark the nodes that are not at rest, and all from `first` on; tells whether any is new."""
    new = False
    for i in range(states.size):
        if not moves[i] and (i >= first or not rests(states[i], fields[i], margin)):
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
def _residual(states, fields):  # type: ignore[no-untyped-def]
    zero, one = states.dtype.type(0), states.dtype.type(1)
    largest = zero
    for i in range(states.size):
        largest = max(largest, abs(min(max(fields[i], zero), one) - states[i]))
    return largest


@njit(cache=True, error_model="numpy")
def _gather(weights, nodes, cuts, near, inside, room):  # type: ignore[no-untyped-def]
    """Weights among these nodes, written where their layers are joined."""
    if nodes.size * nodes.size == weights.size:
        return weights
    own = room[: nodes.size * nodes.size].reshape(nodes.size, nodes.size)
    for layer in range(inside.size):
        for other in range(layer, inside.size):
            # What either layer reads, so that nothing is read that has not been written.
            read = other < near[layer, 1] or layer >= near[other, 0]
            if not (inside[layer] if other == layer else read):
                continue
            start, columns = cuts[other], nodes[cuts[other] : cuts[other + 1]]
            for a in range(cuts[layer], cuts[layer + 1]):
                source, row = weights[nodes[a]], own[a, start : start + columns.size]
                for b in range(columns.size):
                    weight = source[columns[b]]
                    row[b] = weight
                    own[start + b, a] = weight
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
    """Fields of all its nodes without what holds from outside."""
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
