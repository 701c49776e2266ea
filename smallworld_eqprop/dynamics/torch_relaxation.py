"""Relaxation on torch tensors: `SOR` and `Euler` for `TorchCouplings`, alone or stacked.

The methods are those of `relaxation`, arranged for a graphics card, where starting a piece of work
costs more than the work:

- One product and three element-wise passes update a whole group of nodes, for all examples of all
  networks at once. A group is a layer, or a large part of one that has edges inside.
- The factor is adapted, and convergence looked at, once in a few sweeps. Only there does the
  processor wait for the card. What is looked at is the true residual, so it certifies the end.
- An example that has converged is not taken out of the batch; its factor becomes 0 and it stays
  where it is. So nothing depends on who else is in the batch or in the stack.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import Relaxation
from smallworld_eqprop.dynamics.sor import SOR, STEP_LIMIT
from smallworld_eqprop.dynamics.torch_couplings import TorchCouplings, add_product

__all__ = ["TorchEuler", "TorchSOR", "on_torch", "torch_residual"]

# Nodes with edges among themselves that are updated together. Larger groups mean fewer launches
# and smaller steps.
GROUP = 250

# Sweeps between two looks at the residual.
ROUND = 4

# How far the factor goes toward a better one in a round, and how far it comes down.
RAISE, LOWER = 0.6, 0.2


@dataclass(frozen=True)
class TorchEuler(Euler):
    """`Euler` on torch tensors."""

    def relax(self, couplings: Any, drive: Any, start: Any) -> Relaxation:
        """Take all the steps; no residual is asked for, the one reached is reported."""
        drive = couplings.array(drive)
        state = self.steps_from(couplings, drive, start)
        field = add_product(drive, couplings.inner, state)
        reached = torch_residual(state, field)
        sweeps = torch.full_like(reached, self.steps, dtype=torch.int64)
        return Relaxation(state, field, reached, sweeps, torch.inf)

    def nudge(
        self, couplings: Any, drive: Any, free: Relaxation, target: Any, beta: Any
    ) -> torch.Tensor:
        """As `Euler.nudge`, but all nodes of all examples take part, which a card prefers."""
        nudged = self.steps_from(couplings, drive, free.state, target, beta)
        output = free.state[..., couplings.output, :]
        moved = free.nudgeable(output, couplings.array(target))[..., None, :]
        return torch.where(moved, nudged, free.state)

    def steps_from(
        self,
        couplings: Any,
        drive: Any,
        start: Any,
        target: Any = None,
        beta: Any = 0.0,
    ) -> Any:
        """State after the steps, nudged toward `target`; a stack takes one `beta` per network."""
        drive, state = couplings.array(drive), couplings.array(start).clone()
        output = state[..., couplings.output, :]
        if target is not None:
            target = couplings.array(target)
            weight = 2 * self.step_size * couplings.array(beta)[..., None, None]
        for _ in range(self.steps):
            state.lerp_(add_product(drive, couplings.inner, state), self.step_size)
            if target is not None:
                output.lerp_(target, weight)
            state.clamp_(0, 1)
        return state


@dataclass(frozen=True)
class TorchSOR(SOR):
    """`SOR` on torch tensors; the number of sweeps is a multiple of a few, or `max_sweeps`."""

    def relax(self, couplings: Any, drive: Any, start: Any) -> Relaxation:
        """Sweep until every example has the residual asked for or has had `max_sweeps`."""
        drive, state = couplings.array(drive), couplings.array(start).clone()
        groups, limits = _groups(couplings)
        # Views, made once: on a card the processor is the slower of the two.
        parts = [
            (state[..., rows, :], drive[..., rows, :], couplings.inner[..., rows, :])
            for rows in groups
        ]
        sweeps = torch.zeros_like(state[..., 0, :], dtype=torch.int64)
        factor = torch.full_like(state[..., 0, :], self.start_factor)
        before, count, done = None, ROUND, 0
        while True:
            field = add_product(drive, couplings.inner, state)
            distance = field.clamp(0, 1).sub_(state)
            reached = torch.linalg.vector_norm(distance, torch.inf, dim=-2)
            active = reached > self.tolerance
            if done == self.max_sweeps or not bool(active.any()):
                return Relaxation(state, field, reached, sweeps, self.tolerance)
            size = torch.linalg.vector_norm(distance, dim=-2)
            if before is not None:
                factor = _adapted(factor, (size / before) ** (1 / count))
            before = size
            count = min(ROUND, self.max_sweeps - done)
            limited = torch.minimum(factor[..., None, :], limits)
            steps = torch.where(active[..., None, :], limited, torch.zeros_like(limited))
            for _ in range(count):
                for (part, pull, rows), step in zip(parts, steps, strict=True):
                    part.lerp_(add_product(pull, rows, state).clamp_(0, 1), step).clamp_(0, 1)
            sweeps += active * count
            done += count


def on_torch(method: Any) -> Any:
    """The same method, with the same hyperparameters, for torch tensors."""
    return {SOR: TorchSOR, Euler: TorchEuler}[type(method)](**vars(method))


def torch_residual(state: torch.Tensor, field: torch.Tensor) -> torch.Tensor:
    r"""Largest :math:`|\mathrm{clip}(h, 0, 1) - s|` of every example; (..., batch)."""
    return torch.linalg.vector_norm(field.clamp(0, 1) - state, torch.inf, dim=-2)


def _adapted(factor: torch.Tensor, shrink: torch.Tensor) -> torch.Tensor:
    """Factors of the next round from the mean contraction per sweep in the last one (Young)."""
    shrink = shrink.clamp(1e-3, 0.995)
    mu = ((shrink + factor - 1) / (factor * shrink.sqrt())).clamp_(max=0.995)
    best = 2 / (1 + (1 - mu * mu).sqrt())
    raised = factor + RAISE * (best - factor)
    return torch.where(shrink > factor - 1, raised, factor - LOWER).clamp_(1.0, 1.85)


def _groups(couplings: TorchCouplings) -> tuple[list[slice], torch.Tensor]:
    """Rows of every group, and the limits of w: shape (groups, ..., 1, 1).

    The bound of the spectral norm inside a group is that of `relaxation`.
    """
    inside = {
        pair.lower
        for member in couplings.members
        for pair in member.blocks
        if pair.lower == pair.upper
    }
    groups: list[slice] = []
    limits: list[torch.Tensor] = []
    free = torch.zeros_like(couplings.biases[..., :1, :])
    for layer, rows in enumerate(couplings.rows[1:], 1):
        if layer not in inside:
            groups.append(rows)
            limits.append(free + STEP_LIMIT)
            continue
        size = rows.stop - rows.start
        ends = np.linspace(rows.start, rows.stop, -(-size // GROUP) + 1).astype(int).tolist()
        for begin, end in itertools.pairwise(ends):
            groups.append(slice(begin, end))
            power = couplings.inner[..., begin:end, begin:end]
            for _ in range(3):
                power = power @ power
            norm = torch.linalg.matrix_norm(power) ** (1 / 8)
            limits.append(STEP_LIMIT / (1 + norm[..., None, None]))
    return groups, torch.stack(limits)
