"""Sweeps over the layers, a fixed number of them or to a tolerance: few where feedback is weak.

Free sweeps run from the inputs outward, each layer taking its clipped field from the newest states
of the others. From rest the first of them is a forward pass; with weak feedback the second is
nearly the fixed point. Nudged sweeps run from the outputs inward, and in deviations from the free
phase instead of states: u = clip(h + dh) - clip(h), with the change dh of the field. Where scales
are small two relaxed states differ by less than float32 resolves, and their difference holds what
an unfinished free phase still drifts; a deviation has neither fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.circuit import Circuit, Nudge, check_acting
from smallworld_eqprop.dynamics.kernels import deviations, settle
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.motion import check_still
from smallworld_eqprop.dynamics.products import products
from smallworld_eqprop.dynamics.relaxation import Relaxation, Solver
from smallworld_eqprop.dynamics.sharing import share
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.parts import Repeats

__all__ = ["Sweeps"]

Terms = list[tuple[Any, slice]]


@dataclass(frozen=True)
class Sweeps(Solver):
    """Gauss-Seidel sweeps: `count` of them, or until the residual is small enough.

    Parameters
    ----------
    count : int
        Number of sweeps of a phase; with a tolerance the largest number.
    tolerance : float
        A free phase ends when every example has this residual. A nudged phase ends when a sweep
        changes the deviations of every layer by less than this share of the largest deviation in
        the layer. With infinity, the default, the number of sweeps is fixed; the residual is still
        reported.

    Raises
    ------
    InputError
        If the number is none, or the tolerance is not above 0.
    """

    count: Repeats = 2
    tolerance: float = np.inf

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise InputError(f"tolerance: {self.tolerance}, must be above 0")

    @property
    def fixed(self) -> bool:  # type: ignore[override]
        """Whether the number of sweeps is fixed."""
        return bool(self.tolerance == np.inf)

    @property
    def max_sweeps(self) -> int:  # type: ignore[override]
        """The number of sweeps, or the largest one."""
        return self.count

    def relax(self, circuit: Any, drive: Any, start: Any, nudge: Nudge | None = None) -> Relaxation:
        """Take the sweeps; field and residual are those of the state they end at."""
        if nudge is not None:
            circuit, drive = circuit.nudged(drive, nudge)
        if not isinstance(circuit, Circuit):
            from smallworld_eqprop.dynamics import torch_sweeps  # torch is an extra

            return torch_sweeps.relax(circuit, self.count, self.tolerance, drive, start)
        check_still(circuit)
        state, field = start.copy(), np.empty_like(start)
        residual, sweeps = np.empty(len(state), state.dtype), np.zeros(len(state), int)
        together, sides = self.count if self.fixed else 1, _sides(circuit)

        def relax(part: slice) -> None:
            active: Any = part
            back = _comes_back(circuit, sides, state[part])
            while True:
                # Examples that have converged stay where they are, whoever else is in the batch.
                states = state[active]
                fields, back = _sweep(circuit, sides, drive[active], states, back, together)
                state[active], field[active] = states, fields
                residual[active] = circuit.residual(states, fields)
                sweeps[active] += together
                goes_on = (residual[active] > self.tolerance) & (sweeps[active] < self.count)
                if not goes_on.any():
                    break
                if isinstance(active, slice):
                    active = np.arange(*active.indices(len(state)))
                active, back = active[goes_on], back[goes_on]

        entries = sum(_entries(side) for side in sides)
        share(relax, len(state), len(state) * self.count * entries)
        return Relaxation(state, field, residual, sweeps, self.tolerance)

    def deviations(
        self,
        circuit: Any,
        drive: Any,  # noqa: ARG002
        free: Relaxation,
        nudges: Sequence[Nudge],
    ) -> tuple[list[Any], Any]:
        """Deviations of nudged phases from the free one, in sweeps from the outputs inward.

        Where the outputs are outside the energy, their deviation is the pull of the loss.
        """
        if any(nudge.holds for nudge in nudges):
            check_acting(circuit)
        if not isinstance(circuit, Circuit):
            from smallworld_eqprop.dynamics import torch_sweeps

            return torch_sweeps.deviations(circuit, self.count, self.tolerance, free, nudges)
        check_still(circuit)
        n, width = free.state.shape
        found = np.empty((len(nudges), n, width), free.state.dtype)
        moving, terms = np.zeros((len(nudges), n), bool), _terms(circuit)

        def relax(part: slice) -> None:
            # The phases one below the other: twice the rows take less than twice the time.
            own = [each.of(part) for each in nudges]
            field = free.field[part]
            change = np.zeros((len(nudges) * len(field), width), field.dtype)
            active = np.full(len(change), not self.fixed)
            for sweep in range(self.count):
                before = None if self.fixed else change.copy()
                _sweep_back(circuit, terms, field, own, change, first=sweep == 0)
                if before is not None:
                    # What has settled stays where it is, whoever else is in the batch.
                    change[~active] = before[~active]
                    active &= _unsettled(circuit, change, before, self.tolerance)
                    if not active.any():
                        break
            moving[:, part] = active.reshape(len(nudges), -1)
            found[:, part] = change.reshape(len(nudges), -1, width)

        share(relax, n, len(nudges) * n * self.count * _entries(terms))
        return list(found), int(moving.sum())


def _terms(circuit: Circuit) -> list[Terms]:
    """Matrices into every layer, looked up before threads share the work."""
    return [circuit.terms(layer) for layer in range(len(circuit.layout.rows))]


def _entries(terms: Sequence[Terms]) -> int:
    """Number of multiplications that the fields of an example take."""
    return sum(matrix.size for into in terms for matrix, _ in into)


def _sides(circuit: Circuit) -> list[tuple[Terms, Terms]]:
    """Of every layer, matrices from layers inward, and from layers outward and the own one."""
    found = []
    for layer, own in enumerate(circuit.layout.rows):
        terms = circuit.terms(layer)
        inward = [each for each in terms if each[1].start < own.start]
        found.append((inward, terms[len(inward) :] if circuit.comes_back else []))
    return found


def _comes_back(circuit: Circuit, sides: list[tuple[Terms, Terms]], state: Array) -> Array:
    """Part of the field that the own layer and those outward make."""
    found = np.zeros_like(state)
    if state.any():  # nothing comes back from rest
        for (_, outward), own in zip(sides, circuit.layout.rows, strict=True):
            if outward:
                products(outward, state, found[:, own])
    return found


def _sweep(
    circuit: Circuit,
    sides: list[tuple[Terms, Terms]],
    drive: Array,
    state: Array,
    back: Array,
    count: int,
) -> tuple[Array, Array]:
    """Sweep from the inputs outward, `state` in place; gives its field, and what comes back."""
    rows, low, high = circuit.layout.rows, circuit.low, circuit.high
    field, last = np.empty_like(state), back
    # Where nothing comes back, one sweep ends at the fixed point.
    for _ in range(count if circuit.comes_back else 1):
        for (inward, _), own in zip(sides[1:], rows[1:], strict=True):
            new = field[:, own]
            products(inward, state, new)
            settle(new, drive[:, own], back[:, own], state[:, own], low[own], high[own])
        last, back = back, _comes_back(circuit, sides, state)
    # The layers inward had their new states by then; those outward, and the own one, had not.
    field += back - last
    return field, back


def _sweep_back(
    circuit: Circuit,
    terms: list[Terms],
    field: Array,
    nudges: Sequence[Nudge],
    change: Array,
    *,
    first: bool,
) -> None:
    """Sweep deviations of several nudged phases from the outputs inward, in place."""
    rows, last, n = circuit.layout.rows, len(circuit.layout.rows) - 1, len(field)
    parts = [slice(k * n, (k + 1) * n) for k in range(len(nudges))]
    for layer in range(last, 0, -1):
        own = rows[layer]
        into = [*terms[layer], *circuit.pushes.get(layer, ())]
        if first:
            into = [each for each in into if change[:, each[1]].any()]
        moved = np.empty((len(change), own.stop - own.start), change.dtype)
        products(into, change, moved)
        fields = field[:, own]
        for nudge, part in zip(nudges, parts, strict=True):
            if layer == last and circuit.readout:
                change[part, own] = nudge.pull(fields + moved[part])
                continue
            if layer == last and nudge.holds:
                moved[part] = nudge.force - fields
            elif layer == last:
                # (h + dh + f) / (1 + kappa) - h, without a difference of large numbers.
                force, curvature = circuit.pull(nudge)
                moved[part] += force - curvature * fields
                moved[part] /= 1 + curvature
            deviations(fields, moved[part], circuit.low[own], circuit.high[own], change[part, own])


def _unsettled(
    circuit: Circuit, change: Array, before: Array, tolerance: float
) -> npt.NDArray[np.bool_]:
    """Which rows a sweep has changed by more than a share of the largest deviation of a layer."""
    found = np.zeros(len(change), bool)
    for own in circuit.layout.rows[1:]:
        if own.stop > own.start:
            moved = np.abs(change[:, own] - before[:, own]).max(axis=1)
            found |= moved > tolerance * np.abs(change[:, own]).max(axis=1)
    return found
