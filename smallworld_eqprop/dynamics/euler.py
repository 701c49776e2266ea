"""Synchronous forward Euler steps, the published dynamics: free, and nudged toward a target."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from smallworld_eqprop.dynamics.active_set import nudge_each
from smallworld_eqprop.dynamics.circuit import Circuit, Nudge, check_acting
from smallworld_eqprop.dynamics.relaxation import Relaxation, Solver, zero_counts
from smallworld_eqprop.dynamics.sharing import share
from smallworld_eqprop.dynamics.thin import nudge_thin
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.parts import Repeats

__all__ = ["Euler"]

# How far beyond its bound a field must lie for its node to be left out of a nudged phase.
MARGIN = 0.2


@dataclass(frozen=True)
class Euler(Solver):
    r"""Synchronous forward Euler steps, as published.

    .. math:: s' = s + \epsilon (h - s), \qquad s \leftarrow \mathrm{clip}(s', low, high)

    In the nudged phase the cost acts on the output nodes within the same step, on the state that
    the drift has just reached, before the clip; for the squared error

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

    steps: Repeats = 500
    step_size: float = 0.5
    fixed: ClassVar[bool] = True
    in_time: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 < self.step_size <= 1:
            raise InputError(f"step_size: {self.step_size}, must be above 0 and at most 1")

    @property
    def max_sweeps(self) -> int:  # type: ignore[override]
        """The number of steps."""
        return self.steps

    def sweeps(
        self, circuit: Any, drive: Any, state: Any, nudge: Nudge | None = None
    ) -> Iterator[Any]:
        """Give the state after each step; the nudge acts within the steps, see above."""
        start, first = state, circuit.field(state, drive)
        pull = () if nudge is None else circuit.pull(nudge)
        field = first
        while True:
            state = circuit.drift(state, field, self.step_size, *pull)
            yield state
            # The field of the changes needs no drive, and rounds less.
            field = circuit.field(state - start, first)

    def relax(self, circuit: Any, drive: Any, start: Any, nudge: Nudge | None = None) -> Relaxation:
        """Take all the steps. No residual is asked for; that of a free phase is reported."""
        if nudge is None or nudge.holds:
            return super().relax(circuit, drive, start, nudge)
        check_acting(circuit)
        steps = itertools.islice(self.sweeps(circuit, drive, start, nudge), self.steps)
        *_, state = steps
        return self._ended(state)

    def nudge(self, circuit: Any, drive: Any, free: Relaxation, nudge: Nudge) -> Relaxation:
        """Take the steps from the end of a free phase, under a nudge.

        What `relax` gives, but examples at which nothing pulls stay as they are, which is what a
        fixed point does, and nodes that the field holds firmly at a bound from the first to the
        last step are left out of each of the others.
        """
        if nudge.holds:
            return super().nudge(circuit, drive, free, nudge)
        check_acting(circuit)
        pulled = free.pulled(nudge, circuit.output)
        if not isinstance(circuit, Circuit):
            state = self.relax(circuit, drive, free.state, nudge).state
            return self._ended(circuit.where(pulled, state, free.state))
        if circuit.motion is not None:  # all nodes of all examples move
            return self.relax(circuit, drive, free.state, nudge)
        examples = np.flatnonzero(pulled)
        state = free.state.copy()
        if not examples.size:
            return self._ended(state)
        take, arrays = self._compiled(circuit)
        if take is None:
            part = Nudge(nudge.force[examples], nudge.curvature)
            state[examples] = self.relax(circuit, drive[examples], state[examples], part).state
            return self._ended(state)
        own, field = state[examples], free.field[examples]
        force, curvature = circuit.pull(Nudge(nudge.force[examples], nudge.curvature))
        steps = self.steps, circuit.dtype.type(self.step_size)
        share(
            lambda part: take(*arrays, own[part], field[part], force[part], curvature, *steps),
            len(examples),
        )
        state[examples] = own
        return self._ended(state)

    def _compiled(self, circuit: Circuit) -> tuple[Callable[..., None] | None, tuple[Any, ...]]:
        """The loops that take the steps, and what they take of the network; none of a large one."""
        if circuit.layout.thin:
            return nudge_thin, circuit.edges()
        if whole := circuit.whole():
            # Among few nodes it costs more to find out which rest.
            margin = circuit.dtype.type(np.inf if circuit.layout.compact else MARGIN)
            return nudge_each, (margin, *whole.arrays)
        return None, ()

    def _ended(self, state: Any) -> Relaxation:
        sweeps = zero_counts(state[..., 0]) + self.steps
        return Relaxation(state, None, None, sweeps, np.inf)
