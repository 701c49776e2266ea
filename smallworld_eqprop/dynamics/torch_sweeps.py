"""`Sweeps` on torch tensors: layer by layer, all examples of all members at once.

A layer takes its field in one product of the whole state with the columns of the dense matrix that
belong to it. So a sweep costs as many products as there are layers, whatever edges the graph has.
Examples that have converged stay where they are, whoever else is in the batch or in the stack.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.relaxation import Relaxation
from smallworld_eqprop.dynamics.torch_circuit import TorchCircuit

__all__ = ["deviations", "relax"]


def relax(
    circuit: TorchCircuit, count: int, tolerance: float, drive: torch.Tensor, start: torch.Tensor
) -> Relaxation:
    """Take the sweeps of a free phase, from the inputs outward; see `Sweeps`.

    Parameters
    ----------
    circuit : TorchCircuit
    count : int
        Number of sweeps, or the largest one.
    tolerance : float
        Residual asked for; infinite where none is.
    drive, start : Tensor, shape (members, batch, n_free)
        Left as they are.

    Returns
    -------
    Relaxation
        Its field and its residual are those of the state that the sweeps end at.
    """
    if tolerance == torch.inf:
        state = _swept(circuit, count, drive, start)
        field = circuit.field(state, drive)
        sweeps = torch.full_like(state[..., 0], count, dtype=torch.int64)
        return Relaxation(state, field, circuit.residual(state, field), sweeps, tolerance)
    state = start
    active = torch.ones_like(state[..., 0], dtype=torch.bool)
    sweeps = torch.zeros_like(active, dtype=torch.int64)
    for _ in range(count):
        state = circuit.where(active, _swept(circuit, 1, drive, state), state)
        field = circuit.field(state, drive)
        residual = circuit.residual(state, field)
        sweeps += active
        active = residual > tolerance
        if not bool(active.any()):
            break
    return Relaxation(state, field, residual, sweeps, tolerance)


def _swept(
    circuit: TorchCircuit, count: int, drive: torch.Tensor, start: torch.Tensor
) -> torch.Tensor:
    """The state after so many sweeps of all examples."""
    state = start.clone()
    # Views, made once: on a card the processor is the slower of the two.
    layers = [
        [each[..., rows] for each in (state, drive, circuit.inner, circuit.low, circuit.high)]
        for rows in circuit.rows[1:]
    ]
    for _ in range(count):
        for own, pull, matrix, low, high in layers:
            torch.clamp(torch.baddbmm(pull, state, matrix), low, high, out=own)
    return state


def deviations(
    circuit: TorchCircuit,
    count: int,
    tolerance: float,
    free: Relaxation,
    nudges: Sequence[Nudge],
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Deviations of nudged phases from the free one, from the outputs inward; see `Sweeps`.

    Every layer takes ``u = clip(h + dh, low, high) - clip(h, low, high)``, with the field h of the
    free phase and its change dh, without a difference of nearly equal numbers. Where the outputs
    are outside the energy, their deviation is the pull of the loss.

    Returns
    -------
    deviations : list of Tensor, shape (members, batch, n_free)
        One per nudge.
    failed : Tensor of int, shape (members,)
        Examples, of all nudges, that still changed in the last sweep by more than the tolerance.
    """
    field = free.field.repeat(1, len(nudges), 1)
    at = circuit.clip(field)
    change = torch.zeros_like(at)
    outputs, seen = (each[..., circuit.output] for each in (change, field))
    beyond, down, up = field - at, circuit.low - at, circuit.high - at
    pull, share = _pulls(circuit, free.field[..., circuit.output], nudges)
    layers = [
        [each[..., rows] for each in (change, circuit.inner, beyond, down, up)]
        for rows in circuit.rows[:0:-1]
    ]
    fixed = tolerance == torch.inf
    moving = torch.full_like(change[..., 0], not fixed, dtype=torch.bool)
    for _ in range(count):
        before = None if fixed else change.clone()
        for rows, (own, matrix, over, least, most) in zip(circuit.rows[:0:-1], layers, strict=True):
            moved = torch.bmm(change, matrix)
            if rows == circuit.output and circuit.readout:
                own.copy_(_answers(nudges, moved.add_(seen)))
                continue
            if rows == circuit.output:
                moved = moved.mul_(share).add_(pull)
            elif circuit.pushes is not None:
                moved = moved.baddbmm_(outputs, circuit.pushes[..., rows])
            torch.clamp(moved.add_(over), least, most, out=own)
        if before is not None:
            change.copy_(circuit.where(moving, change, before))
            moving &= _unsettled(circuit, change, before, tolerance)
            if not bool(moving.any()):
                break
    return list(change.split(free.field.shape[1], 1)), moving.sum(-1)


def _pulls(
    circuit: TorchCircuit, field: torch.Tensor, nudges: Sequence[Nudge]
) -> tuple[torch.Tensor, torch.Tensor]:
    """What nudges add to the change of the field of the outputs, after they have scaled it.

    With force f and curvature kappa the field of the outputs moves from h to
    ``(h + dh + f) / (1 + kappa)``, by ``(dh + f - kappa h) / (1 + kappa)``: here no large numbers
    are subtracted. Held outputs move to where they are held, whatever dh is.
    """
    pulls, shares = [], []
    for nudge in nudges:
        if nudge.holds:
            pulls.append(nudge.force - field)
            shares.append(torch.zeros_like(field))
        else:
            force, curvature = circuit.pull(nudge)
            shares.append((1 / (1 + curvature)).expand_as(field))
            pulls.append((force - curvature * field) * shares[-1])
    return torch.cat(pulls, 1), torch.cat(shares, 1)


def _answers(nudges: Sequence[Nudge], outputs: torch.Tensor) -> torch.Tensor:
    """What the loss pulls with at these outputs, the examples of all nudges one below the other."""
    parts = zip(nudges, outputs.chunk(len(nudges), 1), strict=True)
    return torch.cat([nudge.pull(part) for nudge, part in parts], 1)


def _unsettled(
    circuit: TorchCircuit, change: torch.Tensor, before: torch.Tensor, tolerance: float
) -> torch.Tensor:
    """Which examples changed by more than a share of the largest deviation of a layer."""
    found = torch.zeros_like(change[..., 0], dtype=torch.bool)
    for rows in circuit.rows[1:]:
        if rows.stop > rows.start:
            now = change[..., rows]
            moved = (now - before[..., rows]).abs().amax(-1)
            found |= moved > tolerance * now.abs().amax(-1)
    return found
