"""Circuit on torch tensors: what relaxes, for a stack of networks at once.

All arrays have a leading dimension of members, 1 for a single network; states are (members, batch,
n_free). A card is fast once it is told what to do, and slow to be told: on networks of a few
hundred nodes starting a product takes longer than computing it. So the free nodes see each other
through one dense matrix per member, whatever the layers.

No number of a member depends on the others: products are batched, sums run along single rows, and
what torch rounds differently from place to place (a power, a fused multiplication of flat arrays)
is not used.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from smallworld_eqprop.dynamics.circuit import Nudge, check_acting
from smallworld_eqprop.dynamics.relaxation import Relaxation
from smallworld_eqprop.dynamics.sor import SOR, STEP_LIMIT
from smallworld_eqprop.dynamics.torch_backend import tensor
from smallworld_eqprop.errors import InputError

__all__ = ["TorchCircuit"]

# Nodes with edges among themselves that are updated together. Larger groups mean fewer launches
# and smaller steps.
GROUP = 250

# Sweeps between two looks at the residual: the contraction of one is the fourth root of theirs.
ROUND = 4

# How far the factor goes toward a better one in a round, and how far it comes down.
RAISE, LOWER = 0.6, 0.2


@dataclass
class TorchCircuit:
    """Matrices, bounds and order of the nodes of a stack of networks; see `Circuit`.

    Attributes
    ----------
    rows : list of slice
        Columns of every layer in a state; the input layer has none.
    inside : frozenset of int
        Layers in which a member has intralayer edges.
    low, high, self_term, bias : Tensor, shape (members, 1, n_free)
    outer : Tensor, shape (members, n_inputs, n_free)
        What the inputs add to the fields.
    inner : Tensor, shape (members, n_free, n_free)
        M: what node i adds to the field of node j.
    pushes : Tensor, shape (members, n_outputs, n_free), or None
        What the outputs would add to the fields if they acted, where they are outside the energy.
    """

    rows: list[slice]
    inside: frozenset[int]
    low: torch.Tensor
    high: torch.Tensor
    self_term: torch.Tensor
    bias: torch.Tensor
    outer: torch.Tensor
    inner: torch.Tensor
    pushes: torch.Tensor | None = None

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of states."""
        return self.inner.dtype

    @property
    def n_free(self) -> int:
        """Number of free nodes."""
        return self.inner.shape[-1]

    @property
    def readout(self) -> bool:
        """Whether the outputs are outside the energy; see `Circuit`."""
        return self.pushes is not None

    @property
    def output(self) -> slice:
        """Columns of the outputs."""
        return self.rows[-1]

    def rest(self) -> torch.Tensor:
        """Nodes at rest: at 0, or at the bound nearest to it; shape (members, 1, n_free)."""
        return self.clip(torch.zeros_like(self.low))

    def clip(self, state: torch.Tensor) -> torch.Tensor:
        """States cut at the bounds."""
        return torch.clamp(state, self.low, self.high)

    def with_outputs(self, state: torch.Tensor, outputs: torch.Tensor) -> torch.Tensor:
        """A copy of a state with other outputs."""
        state = state.clone()
        state[..., self.output] = outputs
        return state

    def where(self, mask: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        """States of `a` for the examples in the mask, shape (members, batch), of `b` for others."""
        return torch.where(mask[..., None], a, b)

    def drive(self, inputs: Any) -> torch.Tensor:
        """Part of the field that no free node contributes; shape (members, batch, n_free).

        Parameters
        ----------
        inputs : Tensor or ndarray, shape (members, batch, n_inputs), or (batch, n_inputs)
            In two dimensions the same for all members.
        """
        inputs = tensor(inputs, self.inner.device).to(self.dtype)
        return torch.baddbmm(self.bias, inputs.expand(len(self.inner), -1, -1), self.outer)

    def field(self, state: torch.Tensor, drive: torch.Tensor | None = None) -> torch.Tensor:
        """Local field of every free node."""
        if drive is None:
            return torch.bmm(state, self.inner)
        return torch.baddbmm(drive, state, self.inner)

    def pushed(self, outputs: torch.Tensor) -> torch.Tensor:
        """What outputs outside the energy would add to the fields if they acted."""
        return torch.bmm(outputs, self.pushes)

    def residual(self, state: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
        """Largest ``|clip(h, low, high) - s|`` of every example, NaN where one is."""
        distance = self.clip(field).sub_(state)
        return torch.linalg.vector_norm(distance, torch.inf, dim=-1)

    def drift(
        self,
        state: torch.Tensor,
        field: torch.Tensor,
        step_size: float,
        force: torch.Tensor | None = None,
        curvature: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """One synchronous Euler step, see `Euler`; force and curvature from `pull`."""
        moved = (field - state).mul_(step_size).add_(state)
        if force is not None:
            output = moved[..., self.output]
            output += (force - curvature * output).mul_(step_size)
        return torch.clamp(moved, self.low, self.high, out=moved)

    def pull(self, nudge: Nudge) -> tuple[torch.Tensor, torch.Tensor]:
        """Force and curvature of a nudge in units of the field: both over the self-term."""
        own = self.self_term[..., self.output]
        return nudge.force / own, nudge.curvature / own

    def nudged(self, drive: torch.Tensor, nudge: Nudge) -> tuple[TorchCircuit, torch.Tensor]:
        """The circuit with the energy of a nudge added, and its drive; see `Circuit.nudged`."""
        check_acting(self)
        own, output = self.self_term.clone(), self.output
        drive, inner = drive.clone(), self.inner.clone()
        if nudge.holds:
            drive[..., output] = nudge.force
            inner[..., output] = 0
        else:
            force, curvature = self.pull(nudge)
            if not bool((curvature > -1).all()):
                raise InputError(
                    f"nudge: a curvature of {float(torch.as_tensor(nudge.curvature).min()):g} "
                    "leaves the outputs without a minimum; a negative beta must be smaller (for "
                    "the squared error above -1/2)"
                )
            share = 1 / (1 + curvature)
            drive[..., output] = (drive[..., output] + force) * share
            inner[..., output] *= share
            own[..., output] += nudge.curvature
        return dataclasses.replace(self, self_term=own, inner=inner), drive

    def sor(
        self, solver: SOR, drive: torch.Tensor, start: torch.Tensor, nudge: Nudge | None = None
    ) -> Relaxation:
        """Relax by `SOR`, arranged for a graphics card.

        One product and three element-wise passes update a whole group of nodes, for all examples of
        all members at once. The factor is adapted, and convergence looked at, once in a few sweeps:
        only there does the processor wait for the card. What is looked at is the true residual, so
        it certifies the end. An example that has converged is not taken out of the batch: its
        factor becomes 0 and it stays where it is, so that nothing depends on who else is there.
        """
        if nudge is not None:
            circuit, drive = self.nudged(drive, nudge)
            return circuit.sor(solver, drive, start)
        state = start.clone()
        groups, limits = self._groups()
        # Views, made once: on a card the processor is the slower of the two.
        parts = [
            [each[..., nodes] for each in (state, drive, self.inner, self.low, self.high)]
            for nodes in groups
        ]
        sweeps = torch.zeros_like(state[..., 0], dtype=torch.int64)
        factor = torch.full_like(state[..., 0], solver.start_factor)
        before, done = None, 0
        while True:
            field = self.field(state, drive)
            distance = self.clip(field).sub_(state)
            reached = torch.linalg.vector_norm(distance, torch.inf, dim=-1)
            active = reached > solver.tolerance
            if done == solver.max_sweeps or not bool(active.any()):
                return Relaxation(state, field, reached, sweeps, solver.tolerance)
            size = torch.linalg.vector_norm(distance, dim=-1)
            if before is not None:
                factor = _adapted(factor, (size / before).sqrt_().sqrt_())
            before = size
            count = min(ROUND, solver.max_sweeps - done)
            limited = torch.minimum(factor[..., None], limits)
            steps = torch.where(active[..., None], limited, torch.zeros_like(limited))
            for _ in range(count):
                for (part, pull, matrix, low, high), step in zip(parts, steps, strict=True):
                    goal = torch.baddbmm(pull, state, matrix)
                    torch.clamp(goal, low, high, out=goal)
                    torch.clamp(part.lerp_(goal, step), low, high, out=part)
            sweeps += active * count
            done += count

    def _groups(self) -> tuple[list[slice], torch.Tensor]:
        """Columns of every group, and the limits of w: shape (groups, members, 1, 1).

        A group is a layer, or a large part of one that has edges inside. The bound of the spectral
        radius inside a group is that of `sor`.
        """
        groups: list[slice] = []
        limits: list[torch.Tensor] = []
        free = torch.full_like(self.low[..., :1], STEP_LIMIT)
        for layer, rows in enumerate(self.rows[1:], 1):
            if layer not in self.inside:
                groups.append(rows)
                limits.append(free)
                continue
            size = rows.stop - rows.start
            ends = np.linspace(rows.start, rows.stop, -(-size // GROUP) + 1).astype(int).tolist()
            for begin, end in itertools.pairwise(ends):
                groups.append(slice(begin, end))
                power = self.inner[..., begin:end, begin:end]
                for _ in range(3):
                    power = torch.bmm(power, power)
                norm = torch.linalg.vector_norm(power.flatten(-2), dim=-1)
                norm = norm.sqrt_().sqrt_().sqrt_()
                limits.append(STEP_LIMIT / (1 + norm[..., None, None]))
        return groups, torch.stack(limits)


def _adapted(factor: torch.Tensor, shrink: torch.Tensor) -> torch.Tensor:
    """Factors of the next round from the mean contraction per sweep in the last one (Young)."""
    shrink = shrink.clamp(1e-3, 0.995)
    mu = ((shrink + factor - 1) / (factor * shrink.sqrt())).clamp_(max=0.995)
    best = 2 / (1 + (1 - mu * mu).sqrt())
    raised = factor + RAISE * (best - factor)
    return torch.where(shrink > factor - 1, raised, factor - LOWER).clamp_(1.0, 1.85)
