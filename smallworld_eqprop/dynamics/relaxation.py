"""Relaxation: from a start to a fixed point ``s = clip(h, low, high)`` of a circuit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.motion import check_still
from smallworld_eqprop.parts import Part, Repeats

__all__ = ["Relaxation", "Solver", "Status"]


class Status(Enum):
    """How the relaxation of an example ended, and what helps."""

    CONVERGED = "converged"
    OUT_OF_SWEEPS = (
        "too few sweeps: allow more sweeps, a larger tolerance, or smaller weights (a lower "
        "learning rate)"
    )
    NOT_FINITE = "not finite: lower the learning rate, or check inputs and weights"


@dataclass(frozen=True)
class Relaxation:
    """Where a relaxation ended.

    Attributes
    ----------
    state : array, shape (batch, n_free)
    field : array, shape (batch, n_free), or None
        Local field at `state`; a nudged phase starts from it. None where a fixed number of steps
        was taken and nobody asked.
    residual : array, shape (batch,), or None
        Largest ``|clip(h, low, high) - s|`` over the nodes of every example: how far the equation
        is from holding, never the size of the last step. NaN where a state or field is. None as
        `field` is.
    sweeps : array of int, shape (batch,)
        Sweeps each example took: updates of every free node, or of every node that was not at rest
        at a bound.
    tolerance : float
        The residual asked for; infinite where none was.
    """

    state: Any
    field: Any
    residual: Any
    sweeps: Any
    tolerance: float

    @property
    def converged(self) -> Any:
        """Which examples reached the residual asked for; shape (batch,)."""
        if self.residual is None:
            return self.sweeps >= 0
        return self.residual <= self.tolerance

    @property
    def failed(self) -> Any:
        """How many examples did not."""
        return (~self.converged).sum(-1)

    def pulled(self, nudge: Nudge, output: slice) -> Any:
        """Examples that a nudge moves from here; shape (batch,).

        A fixed point at whose outputs nothing pulls stays where it is. For such are taken the ends
        of relaxations that had a residual to reach.
        """
        outputs = self.state[..., output]
        moves = (nudge.force != nudge.curvature * outputs).any(-1)
        return moves | ~self.converged if self.tolerance < np.inf else self.sweeps >= 0

    @property
    def status(self) -> npt.NDArray[np.object_]:
        """`Status` of every example; shape (batch,)."""
        found = np.full(np.shape(_host(self.converged)), Status.OUT_OF_SWEEPS, object)
        found[_host(self.converged)] = Status.CONVERGED
        if self.residual is not None:
            found[~np.isfinite(_host(self.residual))] = Status.NOT_FINITE
        return found

    @property
    def message(self) -> str:
        """One line: how it ended and, where it failed, what to do."""
        status = self.status
        bad = [each for each in Status if each is not Status.CONVERGED and (status == each).any()]
        if not bad:
            return f"all {status.size} examples converged"
        told = "; ".join(f"{(status == each).sum()} {each.value}" for each in bad)
        worst = np.max(_host(self.residual))
        return (
            f"{(status != Status.CONVERGED).sum()} of {status.size} examples have a residual above "
            f"{self.tolerance:g} (worst {worst:.2g}) after {np.max(_host(self.sweeps))} sweeps: "
            f"{told}"
        )


class Solver(Part):
    """A way to relax a circuit; subclass it, and write `sweeps`.

    A solver is a frozen dataclass of hyperparameters, `tolerance` and `max_sweeps` among them. What
    evolves lives in the generator that `sweeps` is. The step limit, the residual and the watch for
    numbers that are not finite belong to `relax`.
    """

    tolerance: float = 1e-3
    max_sweeps: Repeats = 500
    #: whether the number of sweeps is fixed, and no residual is asked for
    fixed: ClassVar[bool] = False
    #: whether a sweep is a step in time, as slew and thermal noise need it
    in_time: ClassVar[bool] = False

    def sweeps(self, circuit: Any, drive: Any, state: Any) -> Iterator[Any]:
        """Give the state after one sweep, after two, and so on, without end.

        Parameters
        ----------
        circuit : Circuit
            Gives ``field(state, drive)`` and ``clip(state)``, bounds and matrices.
        drive, state : array, shape (batch, n_free)
            To be left as they are.
        """
        raise NotImplementedError

    def relax(self, circuit: Any, drive: Any, start: Any, nudge: Nudge | None = None) -> Relaxation:
        """Relax from `start` until every example has the residual asked for.

        Parameters
        ----------
        circuit : Circuit
        drive : array, shape (batch, n_free)
            From ``circuit.drive(inputs)``.
        start : array, shape (batch, n_free)
            Left as it is.
        nudge : Nudge, optional
            An energy added at the outputs.
        """
        if not self.in_time:
            check_still(circuit)
        if nudge is not None:
            circuit, drive = circuit.nudged(drive, nudge)
        tolerance = np.inf if self.fixed else self.tolerance
        state, count = start, 0
        field = circuit.field(state, drive)
        residual = circuit.residual(state, field)
        sweeps = zero_counts(residual)
        for swept in self.sweeps(circuit, drive, start):
            # Those that have converged stay where they are, whoever else is in the batch.
            active = (residual > self.tolerance) | self.fixed
            state = swept if self.fixed else circuit.where(active, swept, state)
            sweeps = sweeps + active
            count += 1
            if self.fixed and count < self.max_sweeps:
                continue
            field = circuit.field(state, drive)
            residual = circuit.residual(state, field)
            # Not above the tolerance, or NaN: neither needs another sweep.
            if count >= self.max_sweeps or not (residual > tolerance).any():
                break
        return Relaxation(state, field, residual, sweeps, tolerance)

    def nudge(self, circuit: Any, drive: Any, free: Relaxation, nudge: Nudge) -> Relaxation:
        """Relax under a nudge from the end of a free phase."""
        # Held outputs are where they are held from the first sweep on.
        start = circuit.with_outputs(free.state, nudge.force) if nudge.holds else free.state
        return self.relax(circuit, drive, start, nudge)

    def deviations(
        self, circuit: Any, drive: Any, free: Relaxation, nudges: Sequence[Nudge]
    ) -> tuple[list[Any], Any]:
        """How far nudged phases come from the free one, and how many examples failed in all."""
        nudged = [self.nudge(circuit, drive, free, each) for each in nudges]
        return [each.state - free.state for each in nudged], sum(each.failed for each in nudged)


def zero_counts(values: Any) -> Any:
    """A count of 0 for each of these values, in the library that they are of."""
    return (values != values) * 0


def _host(values: Any) -> npt.NDArray:
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values)
