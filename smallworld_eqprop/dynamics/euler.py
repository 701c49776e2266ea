"""Synchronous forward Euler steps, the published dynamics: free, and nudged toward a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.examples import nudge_each
from smallworld_eqprop.dynamics.interactions import Array
from smallworld_eqprop.dynamics.kernels import drift
from smallworld_eqprop.dynamics.relaxation import Relaxation, residual
from smallworld_eqprop.dynamics.threads import share
from smallworld_eqprop.errors import InputError

__all__ = ["Euler"]

# How far beyond its bound a field must lie for its node to be left out of a nudged phase.
MARGIN = 0.2


@dataclass(frozen=True)
class Euler:
    r"""Synchronous forward Euler steps, as published.

    .. math:: s' = s + \epsilon (W s + b - s), \qquad s \leftarrow \mathrm{clip}(s', 0, 1)

    In the nudged phase the cost acts on the output nodes within the same step, on the state that
    the drift has just reached, before the clip:

    .. math:: s'_{out} \leftarrow s'_{out} + 2 \epsilon \beta (d - s'_{out})

    so that no field, however negative, holds an output beyond the reach of its target. (With the
    force taken at the old state an output with a field below -2 is never moved by beta = 1, and
    most of the paper's networks lose outputs for good in their first hundred batches.)

    Parameters
    ----------
    steps : int
        Number of steps. In the nudged phase it is part of the method, never "until convergence".
    step_size : float
        The step :math:`\epsilon`, in (0, 1].
    """

    steps: int = 500
    step_size: float = 0.5

    def __post_init__(self) -> None:
        if not isinstance(self.steps, int | np.integer) or self.steps < 1:
            raise InputError(f"steps: {self.steps}, must be a whole number of at least 1")
        if not 0 < self.step_size <= 1:
            raise InputError(f"step_size: {self.step_size}, must be above 0 and at most 1")

    def relax(self, couplings: Couplings, drive: Array, start: Array) -> Relaxation:
        """Take all the steps; no residual is asked for, the one reached is reported."""
        state = self.steps_from(couplings, drive, start)
        field = couplings.field(state, drive)
        sweeps = np.full(state.shape[1], self.steps)
        return Relaxation(state, field, residual(state, field), sweeps, np.inf)

    def steps_from(
        self,
        couplings: Couplings,
        drive: Array,
        start: Array,
        target: Array | None = None,
        beta: float = 0.0,
    ) -> Array:
        """State after the steps from `start`, nudged toward `target` with strength `beta`."""
        kind = couplings.dtype.type
        size, pull = kind(self.step_size), kind(2 * beta * self.step_size)
        goal = np.empty((0, start.shape[1]), kind)
        if target is not None:
            goal = np.ascontiguousarray(target, kind)
        state, field = start.copy(), couplings.field(start, drive)
        for step in range(self.steps):
            # The field of the changes needs no drive, and rounds less.
            drift(state, couplings.field(state - start, field) if step else field, size, goal, pull)
        return state

    def nudge(
        self, couplings: Couplings, drive: Array, free: Relaxation, target: Array, beta: float
    ) -> Array:
        """State after the steps from the end of a free phase, nudged toward `target`.

        What `steps_from` gives, but examples whose outputs are at their targets stay as they are,
        which is what a fixed point does, and nodes that the field holds firmly at 0 or 1 from the
        first to the last step are left out of each of the others.
        """
        pulled = np.flatnonzero(free.nudgeable(free.state[couplings.output], target))
        nudged = free.state.copy()
        if not pulled.size:
            return nudged
        if whole := couplings.whole():
            kind = couplings.dtype.type
            size, pull = kind(self.step_size), kind(2 * beta * self.step_size)
            state, field, goal = (
                np.array(each[:, pulled].T, kind, order="C")
                for each in (free.state, free.field, target)
            )
            # Among few nodes it costs more to find out which rest.
            margin = kind(np.inf if couplings.compact else MARGIN)

            def nudge(part: slice) -> None:
                own = state[part], field[part], goal[part]
                nudge_each(*whole.arrays, *own, self.steps, size, pull, margin)

            share(nudge, len(pulled))
            nudged[:, pulled] = state.T
        else:
            drive, start, target = (each[:, pulled] for each in (drive, free.state, target))
            nudged[:, pulled] = self.steps_from(couplings, drive, start, target, beta)
        return nudged
