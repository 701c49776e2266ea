"""Relaxation: from a start to a fixed point ``s = clip(W s + b, 0, 1)`` of the network.

Two methods share one interface, ``method.relax(couplings, drive, start) -> Relaxation``:

`Euler`
    What was published: synchronous forward steps of ds/dt = -dE/ds, a fixed number of them.
`SOR`
    The fast one: projected successive over-relaxation, one group of nodes after the other,

        d = clip(h, 0, 1) - s          h: local field of the group, from the newest states
        s <- clip(s + w d, 0, 1)       w: relaxation factor, between 1 and 2

    A group is a layer, because a layer without intralayer edges is an independent set and the step
    is then an exact coordinate descent for 0 < w < 2: the energy cannot rise. Groups with dense
    edges inside are cut small, and w is held below 2 / L with L a bound on the largest eigenvalue
    of (I - W) inside the group, which gives the same guarantee.

What makes SOR fast, in the order of what it buys:

- Over-relaxation adapted per example. One sweep of Gauss-Seidel shrinks an error mode by mu^2;
  at the right w > 1 all modes shrink by w - 1. While the observed contraction is slower than
  w - 1, a real mode is left behind and Young's relation gives its mu, hence a better w; while it
  is not, w is larger than needed and comes down.
- Dense products by BLAS on (nodes x batch) arrays; the drive of the clamped inputs computed once.
- Examples that have converged leave the batch as soon as four of them narrow the products.

References
----------
D. M. Young, "Iterative Solution of Large Linear Systems", Academic Press, 1971, chapter 6.
B. Scellier and Y. Bengio, Front. Comput. Neurosci. 11:24, 2017,
https://doi.org/10.3389/fncom.2017.00024 (the Euler relaxation).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.couplings import Array, Block, Couplings, products
from smallworld_eqprop.dynamics.kernels import step
from smallworld_eqprop.errors import InputError

__all__ = ["SOR", "Euler", "Relaxation", "RelaxationMethod", "residual"]

# Nodes with edges among themselves that are updated together. Small groups allow larger steps,
# large groups make efficient products.
GROUP = 50

# Twice the inverse of the largest eigenvalue is where the energy could rise; stay just below.
STEP_LIMIT = 1.98

# Widths of the batch worth narrowing to: BLAS kernels work on columns in fours.
COLUMNS = 4


@dataclass(frozen=True)
class Relaxation:
    """Where a relaxation ended.

    Attributes
    ----------
    state : ndarray, shape (n_free, batch)
    residual : ndarray, shape (batch,)
        Largest ``|clip(W s + b, 0, 1) - s|`` over the nodes, of every example, at `state`.
    sweeps : ndarray of int, shape (batch,)
        Sweeps (updates of every free node) each example took.
    tolerance : float
        The residual asked for; infinite where none was.
    """

    state: Array
    residual: Array
    sweeps: npt.NDArray[np.intp]
    tolerance: float

    def __repr__(self) -> str:
        return f"Relaxation({self.message})"

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """Which examples reached the residual asked for; shape (batch,)."""
        return self.residual <= self.tolerance

    @property
    def message(self) -> str:
        """One line: how it ended and, where it failed, what to do."""
        failed = int((~self.converged).sum())
        if not failed:
            return f"all {len(self.sweeps)} examples converged"
        return (
            f"{failed} of {len(self.sweeps)} examples have a residual above {self.tolerance:g} "
            f"(worst {self.residual.max():.2g}) after {self.sweeps.max()} sweeps; allow more "
            "sweeps, a larger tolerance, or smaller weights (a lower learning rate)"
        )


class RelaxationMethod(Protocol):
    """Anything that relaxes a network; holds hyperparameters only."""

    def relax(self, couplings: Couplings, drive: Array, start: Array) -> Relaxation:
        """Relax from `start` under the constant `drive`; `start` is left as it is."""
        ...


def residual(couplings: Couplings, state: Array, drive: Array) -> Array:
    r"""Largest :math:`|\mathrm{clip}(W s + b, 0, 1) - s|` of every example; shape (batch,)."""
    distance = np.clip(couplings.field(state, drive), 0, 1)
    distance -= state
    return _column_max(np.abs(distance))


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
        sweeps = np.full(state.shape[1], self.steps)
        return Relaxation(state, residual(couplings, state, drive), sweeps, np.inf)

    def steps_from(
        self,
        couplings: Couplings,
        drive: Array,
        start: Array,
        target: Array | None = None,
        beta: float = 0.0,
    ) -> Array:
        """State after the steps, nudged toward `target` with strength `beta`."""
        state, out = start.copy(), couplings.output
        for _ in range(self.steps):
            force = couplings.field(state, drive)
            force -= state
            force *= self.step_size
            state += force
            if target is not None:
                state[out] += (2 * beta * self.step_size) * (target - state[out])
            np.clip(state, 0, 1, out=state)
        return state


@dataclass(frozen=True)
class SOR:
    """Projected successive over-relaxation with a factor adapted per example.

    Parameters
    ----------
    tolerance : float
        Residual asked for, per example.
    max_sweeps : int
        Sweeps after which an example is given up; its residual is reported all the same.
    start_factor : float
        Relaxation factor of the first sweep, in (0, 2).
    """

    tolerance: float = 1e-3
    max_sweeps: int = 500
    start_factor: float = 1.7

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise InputError(f"tolerance: {self.tolerance}, must be above 0")
        if not isinstance(self.max_sweeps, int | np.integer) or self.max_sweeps < 1:
            raise InputError(f"max_sweeps: {self.max_sweeps}, must be a whole number of at least 1")
        if not 0 < self.start_factor < 2:
            raise InputError(f"start_factor: {self.start_factor}, must be between 0 and 2")

    def relax(self, couplings: Couplings, drive: Array, start: Array) -> Relaxation:
        """Sweep until every example has the residual asked for or has had `max_sweeps`."""
        state = np.array(start, order="C")
        sweeps = np.zeros(state.shape[1], np.intp)
        reached = np.full(state.shape[1], np.inf, state.dtype)
        sweeper = _Sweeper(couplings)
        # The residual seen during a sweep is of states that later groups have moved on from. So
        # when all seem to have converged the true one is taken, and those above go on.
        while (
            pending := np.flatnonzero((reached > self.tolerance) & (sweeps < self.max_sweeps))
        ).size:
            self._sweep_until(sweeper, state, drive, pending, sweeps)
            reached = residual(couplings, state, drive)
        return Relaxation(state, reached, sweeps, self.tolerance)

    def _sweep_until(
        self,
        sweeper: _Sweeper,
        state: Array,
        drive: Array,
        active: npt.NDArray[np.intp],
        sweeps: npt.NDArray[np.intp],
    ) -> None:
        """Sweep the `active` examples, in place, until each has seemed converged once."""
        part, part_drive = state[:, active], drive[:, active]
        factor = np.full(active.size, self.start_factor, state.dtype)
        pending = np.ones(active.size, bool)
        before: Array | None = None
        while True:
            largest, square = sweeper.sweep(part, part_drive, factor)
            sweeps[active[pending]] += 1
            pending &= (largest > self.tolerance) & (sweeps[active] < self.max_sweeps)
            width = -(-int(pending.sum()) // COLUMNS) * COLUMNS
            if width == 0:
                break
            factor = _adapted(factor, square, before)
            before = square
            if width <= 0.8 * active.size:
                state[:, active] = part
                # Keeping some that are done costs nothing: the products are four columns wide.
                keep = np.sort(np.argsort(~pending, kind="stable")[:width])
                active, pending, factor, before = (
                    active[keep],
                    pending[keep],
                    factor[keep],
                    before[keep],
                )
                part, part_drive = state[:, active], drive[:, active]
        state[:, active] = part


def _adapted(factor: Array, square: Array, before: Array | None) -> Array:
    """Relaxation factors of the next sweep from the squared residuals of this and the last one."""
    if before is None:
        return factor
    shrink = np.sqrt(square / np.maximum(before, np.finfo(square.dtype).tiny))
    shrink = np.clip(shrink, 1e-3, 0.995)
    mu = np.minimum((shrink + factor - 1) / (factor * np.sqrt(shrink)), 0.995)
    best = 2 / (1 + np.sqrt(1 - mu * mu))
    # A third of the way up: the contraction of one sweep is a noisy estimate.
    raised = factor + 0.3 * (best - factor)
    return np.clip(np.where(shrink > factor - 1, raised, factor - 0.05), 1.0, 1.85).astype(
        factor.dtype
    )


class _Sweeper:
    """One sweep over all groups; what depends on the weights alone is prepared once."""

    def __init__(self, couplings: Couplings) -> None:
        inside, sizes = couplings.inside(), couplings.layer_sizes
        self.layers = [
            (rows, terms, _groups(inside.get(layer), sizes[layer], couplings.dtype))
            for layer, (rows, terms) in enumerate(
                zip(couplings.rows, couplings.terms(), strict=True)
            )
            if layer > 0
        ]

    def sweep(self, state: Array, drive: Array, factor: Array) -> tuple[Array, Array]:
        """Update every free node of `state` in place.

        Returns
        -------
        largest, square : ndarray, shape (batch,)
            Largest absolute and summed squared distance of the nodes from their clipped field,
            each taken when the node's turn came.
        """
        largest = np.zeros(state.shape[1], state.dtype)
        square = np.zeros(state.shape[1], state.dtype)
        for rows, terms, groups in self.layers:
            layer, layer_drive = state[rows], drive[rows]
            field = products(terms, state, layer.shape)
            for group, matrix, limit in groups:
                part = field[group]
                if matrix is not None:
                    part += matrix @ layer
                step(layer[group], part, layer_drive[group], factor, limit, largest, square)
        return largest, square


def _groups(
    block: Block | None, size: int, dtype: np.dtype
) -> list[tuple[slice, Array | None, np.floating]]:
    """Groups of one layer: rows, their dense couplings to the layer, and the limit of w.

    Without edges inside L is 1. With edges the eigenvalues of I - W_gg inside group g are at most
    1 + |W_gg|, and the spectral norm |M| of a symmetric matrix is at most the Frobenius norm of
    M^8 to the power 1/8: tight for random matrices, and three products. For a sparse block the
    largest absolute row sum does.
    """
    if block is None:
        return [(slice(0, size), None, dtype.type(STEP_LIMIT))]
    if not block.dense:
        weights = abs(block.matrix)
        norm = (weights.sum(axis=0) + weights.sum(axis=1)).max()
        return [(slice(0, size), None, dtype.type(STEP_LIMIT / (1 + norm)))]
    groups = [slice(start, min(start + GROUP, size)) for start in range(0, size, GROUP)]
    tiles = np.zeros((len(groups), GROUP, GROUP), block.matrix.dtype)
    for tile, group in zip(tiles, groups, strict=True):
        inner = block.matrix[group, group]
        tile[: len(inner), : len(inner)] = inner
    for _ in range(3):
        tiles = tiles @ tiles
    norms = np.sqrt(np.einsum("gij,gij->g", tiles, tiles)) ** (1 / 8)
    return [
        (group, block.matrix[group], dtype.type(STEP_LIMIT / (1 + norm)))
        for group, norm in zip(groups, norms, strict=True)
    ]


def _column_max(values: Array) -> Array:
    """Largest value of every column, by folding halves: contiguous, unlike a reduction."""
    while len(values) > 1:
        half = (len(values) + 1) // 2
        # An odd row out is compared twice, which a maximum does not mind.
        values = np.maximum(values[:half], values[-half:])
    return values[0]
