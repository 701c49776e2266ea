"""A fixed number of sweeps, layer by layer: enough where feedback is weak.

Free sweeps run from the inputs outward, each layer taking its clipped field from the newest states
of the others. From rest the first of them is a forward pass; with weak feedback the second is
nearly the fixed point. Nudged sweeps run from the outputs inward, and in deviations from the free
phase instead of states: u = clip(h + dh) - clip(h), with the change dh of the field. Where scales
are small two relaxed states differ by less than float32 resolves, and their difference holds what
an unfinished free phase still drifts; a deviation has neither fault.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from smallworld_eqprop.dynamics.circuit import Circuit, Nudge, products
from smallworld_eqprop.dynamics.kernels import deviations
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.relaxation import Relaxation, Solver, check_sweeps
from smallworld_eqprop.errors import InputError

__all__ = ["Sweeps"]


@dataclass(frozen=True)
class Sweeps(Solver):
    """So many Gauss-Seidel sweeps, whatever the residual, which is reported.

    Parameters
    ----------
    count : int
        Number of sweeps of a phase.

    Raises
    ------
    InputError
        If the number is none.
    """

    count: int = 2
    fixed: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_sweeps("count", self.count)

    @property
    def max_sweeps(self) -> int:  # type: ignore[override]
        """The number of sweeps."""
        return self.count

    def relax(self, circuit: Any, drive: Any, start: Any, nudge: Nudge | None = None) -> Relaxation:
        """Take the sweeps; the residual is that of the state they end at."""
        _require_numpy(circuit)
        if nudge is not None:
            circuit, drive = circuit.nudged(drive, nudge)
        layout, state, field = circuit.layout, start.copy(), np.empty_like(start)
        for _ in range(self.count):
            before = state.copy()
            for layer, rows in enumerate(layout.rows):
                if layer:
                    own = field[:, rows]
                    own[:] = _into(circuit, layer, state)
                    own += drive[:, rows]
                    np.clip(own, circuit.low[rows], circuit.high[rows], out=state[:, rows])
        # The layers inward had their new states by then; those outward, and the own one, had not.
        before -= state
        for layer, rows in enumerate(layout.rows):
            field[:, rows] -= _into(circuit, layer, before, outward=True)
        residual = circuit.residual(state, field)
        return Relaxation(state, field, residual, np.full(len(state), self.count), np.inf)

    def deviation(
        self, circuit: Any, drive: Array, free: Relaxation, nudge: Nudge
    ) -> tuple[Array, int]:
        """Deviation of the nudged phase from the free one, in sweeps from the outputs inward."""
        if nudge.holds:
            return super().deviation(circuit, drive, free, nudge)
        _require_numpy(circuit)
        force, curvature = circuit.pull(nudge)
        change = np.zeros_like(free.state)
        share = 1 / (1 + curvature)
        for _ in range(self.count):
            for layer in range(len(circuit.layout.rows) - 1, 0, -1):
                rows = circuit.layout.rows[layer]
                field = free.field[:, rows]
                moved = _into(circuit, layer, change)
                if rows == circuit.output:
                    # (h + dh + f) / (1 + kappa) - h, without a difference of large numbers.
                    moved += force - curvature * field
                    moved *= share
                own = change[:, rows]
                deviations(field, moved, circuit.low[rows], circuit.high[rows], own)
        return change, 0


def _into(circuit: Circuit, layer: int, state: Array, *, outward: bool = False) -> Array:
    """What the states of all layers add to the field of one, passing over those at 0.

    Or of the layers outward and the own one alone.
    """
    rows = circuit.layout.rows[layer]
    terms = circuit.into[layer]
    if layer in circuit.inside:
        terms = [*terms, (circuit.inside[layer], rows)]
    if outward:
        terms = [(matrix, source) for matrix, source in terms if source.start >= rows.start]
    moving = [(matrix, source) for matrix, source in terms if state[:, source].any()]
    return products(moving, state, np.empty((len(state), rows.stop - rows.start), state.dtype))


def _require_numpy(circuit: Any) -> None:
    if not isinstance(circuit, Circuit):
        raise InputError("relaxation: Sweeps needs device 'numpy'; choose SOR or Euler on torch")
