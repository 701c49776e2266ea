"""Synchronous forward Euler steps, the published dynamics: free, and nudged toward a target."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.interactions import Array, Interactions, Part
from smallworld_eqprop.dynamics.kernels import drift
from smallworld_eqprop.dynamics.nodes import euler_steps
from smallworld_eqprop.dynamics.relaxation import Relaxation, moving, residual, resting
from smallworld_eqprop.errors import InputError

__all__ = ["Euler"]

# How far beyond its bound a field must lie for its node to be left out of a nudged phase. In the
# end it must still lie beyond by a quarter of that, or the example takes the steps again.
MARGIN = 0.2

# So few examples are nudged node by node, because products this narrow are no use.
FEW = 4

# Steps after which a field that is kept up to date is computed anew, because rounding adds up.
FRESH = 20


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
        return self._steps(couplings, start, couplings.field(start, drive), target, beta)

    def _steps(
        self,
        couplings: Interactions,
        start: Array,
        field: Array,
        target: Array | None,
        beta: float,
    ) -> Array:
        """The steps from a state whose field is known; its changes need no drive."""
        kind = couplings.dtype.type
        size, pull = kind(self.step_size), kind(2 * beta * self.step_size)
        goal = np.empty((0, start.shape[1]), kind)
        if target is not None:
            goal = np.ascontiguousarray(target, kind)
        state = start.copy()
        for step in range(self.steps):
            drift(state, couplings.field(state - start, field) if step else field, size, goal, pull)
        return state

    def nudge(
        self, couplings: Couplings, drive: Array, free: Relaxation, target: Array, beta: float
    ) -> Array:
        """State after the steps from the end of a free phase, nudged toward `target`.

        What `steps_from` gives, but examples whose outputs are at their targets stay as they are,
        which is what a fixed point does, and nodes that the field holds firmly at 0 or 1 in all
        other examples are left out. Examples in which it no longer does in the end take the steps
        again with all nodes.
        """
        examples = np.flatnonzero(free.nudgeable(free.state[couplings.output], target))
        nudged = free.state.copy()
        if examples.size:
            drive, start, field, target = (
                each[:, examples] for each in (drive, free.state, free.field, target)
            )
            nudged[:, examples] = self._nudge(couplings, drive, start, field, target, beta)
        return nudged

    def _nudge(
        self,
        couplings: Couplings,
        drive: Array,
        start: Array,
        field: Array,
        target: Array,
        beta: float,
    ) -> Array:
        if couplings.compact:
            return self._node_by_node(couplings.part(), start, field, target, beta)
        kept = moving(start, field, MARGIN)
        kept[couplings.output] = True
        if couplings.worth(kept):
            part, nudged = couplings.part(kept), start.copy()
            steps = self._node_by_node if start.shape[1] <= FEW else self._steps
            nudged[kept] = steps(part, start[kept], field[kept], target, beta)
            rests = resting(nudged, couplings.field(nudged, drive), MARGIN / 4)
            freed = np.flatnonzero(~np.all(rests[~kept], axis=0))
            if freed.size:
                start, field, target = start[:, freed], field[:, freed], target[:, freed]
                nudged[:, freed] = self._steps(couplings, start, field, target, beta)
            return nudged
        return self._steps(couplings, start, field, target, beta)

    def _node_by_node(
        self, part: Part, start: Array, field: Array, target: Array, beta: float
    ) -> Array:
        """What `_steps` gives."""
        kind = part.dtype.type
        size, pull = kind(self.step_size), kind(2 * beta * self.step_size)
        goal, state, now = (
            np.array(columns.T, part.dtype, order="C") for columns in (target, start, field)
        )
        for done in range(0, self.steps, FRESH):
            if done:
                moved = np.ascontiguousarray(state.T) - start
                now = np.ascontiguousarray(part.field(moved, field).T)
            steps = min(FRESH, self.steps - done)
            euler_steps(part.weights, part.reach, now, state, goal, steps, size, pull)
        return np.ascontiguousarray(state.T)
