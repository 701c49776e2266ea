"""Projected successive over-relaxation: the fast way to a fixed point ``s = clip(W s + b, 0, 1)``.

A sweep updates one group of nodes after the other:

    d = clip(h, 0, 1) - s          h: local field of the group, from the newest states
    s <- clip(s + w d, 0, 1)       w: relaxation factor, between 1 and 2

A group is a layer, because a layer without intralayer edges is an independent set and the step is
then an exact coordinate descent for 0 < w < 2: the energy cannot rise. Groups with dense edges
inside are cut small, and w is held below 2 / L with L a bound on the largest eigenvalue of (I - W)
inside the group, which gives the same guarantee.

What makes it fast, in the order of what it buys:

- Most nodes soon rest at 0 or 1, half of them at the same bound in all examples of a batch. After
  a few sweeps of the whole network they are left out: the others are relaxed as a smaller network
  under their constant drive, then the field of the whole network is taken, which says whether
  all have the residual asked for and, if not, which nodes move next.
- Over-relaxation adapted per example. One sweep of Gauss-Seidel shrinks an error mode by mu^2;
  at the right w > 1 all modes shrink by w - 1. While the observed contraction is slower than
  w - 1, a real mode is left behind and Young's relation gives its mu, hence a better w; while it
  is not, w is larger than needed and comes down.
- Dense products by BLAS on (nodes x batch) arrays; the drive of the clamped inputs computed once.
- Examples that have converged leave the batch as soon as eight of them narrow the products.
- Small networks are relaxed node by node instead, with every node a group of its own, and each
  example until it has converged (nodes.py).

References
----------
D. M. Young, "Iterative Solution of Large Linear Systems", Academic Press, 1971, chapter 6.
T. Joachims, "Making large-scale support vector machine learning practical", in Advances in Kernel
Methods, MIT Press, 1999 (leaving out the variables at their bounds: "shrinking").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.interactions import Array, Block, Interactions, products
from smallworld_eqprop.dynamics.kernels import adapt, step
from smallworld_eqprop.dynamics.nodes import sor_sweeps
from smallworld_eqprop.dynamics.relaxation import Relaxation, moving, residual
from smallworld_eqprop.errors import InputError

__all__ = ["SOR"]

# Nodes with edges among themselves that are updated together. Small groups allow larger steps,
# large groups make efficient products.
GROUP = 50

# Twice the inverse of the largest eigenvalue is where the energy could rise; stay just below.
STEP_LIMIT = 1.98

# Widths of the batch worth narrowing to: BLAS kernels work on columns in eights.
COLUMNS = 8

# Sweeps of the whole network before it is looked which nodes rest.
FIRST_SWEEPS = 2

# How far beyond its bound a field must lie for its node to be left out for now.
MARGIN = 0.1

# Taking a part is worth it up to this share of the nodes.
SHARE = 0.8


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
    start_factor: float = 1.6

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise InputError(f"tolerance: {self.tolerance}, must be above 0")
        if not isinstance(self.max_sweeps, int | np.integer) or self.max_sweeps < 1:
            raise InputError(f"max_sweeps: {self.max_sweeps}, must be a whole number of at least 1")
        if not 0 < self.start_factor < 2:
            raise InputError(f"start_factor: {self.start_factor}, must be between 0 and 2")

    def relax(self, couplings: Interactions, drive: Array, start: Array) -> Relaxation:
        """Sweep until every example has the residual asked for or has had `max_sweeps`."""
        if couplings.compact:
            return self._node_by_node(couplings, drive, start)
        state = np.array(start, order="C")
        sweeps = np.zeros(state.shape[1], np.intp)
        factor = np.full(state.shape[1], self.start_factor, state.dtype)
        whole = _Sweeper(couplings)
        active = np.arange(state.shape[1])
        budget = FIRST_SWEEPS if couplings.large else self.max_sweeps
        while True:
            # The whole network, but for the examples that are done.
            part, part_drive = state[:, active], drive[:, active]
            self._sweep(whole, part, part_drive, active, sweeps, factor, budget)
            state[:, active] = part
            while True:
                # The residuals seen during a sweep are of states that later groups have moved on
                # from. The true ones decide.
                field = couplings.field(state, drive)
                reached = residual(state, field)
                active = np.flatnonzero((reached > self.tolerance) & (sweeps < self.max_sweeps))
                if not active.size:
                    return Relaxation(state, field, reached, sweeps, self.tolerance)
                part, part_field = state[:, active], field[:, active]
                kept = moving(part, part_field, MARGIN)
                if not couplings.large or kept.mean() > SHARE:
                    break
                part, part_field = part[kept], part_field[kept]
                network = couplings.part(kept)
                held = part_field - network.field(part)
                self._sweep(_Sweeper(network), part, held, active, sweeps, factor, self.max_sweeps)
                state[np.ix_(kept, active)] = part
            # Looking costs a product; where it was in vain the next look comes later.
            budget *= 2

    def _node_by_node(self, couplings: Interactions, drive: Array, start: Array) -> Relaxation:
        whole, kind = couplings.dense(), couplings.dtype.type
        settings = kind(self.tolerance), self.max_sweeps, kind(self.start_factor), kind(STEP_LIMIT)
        state = np.array(start, order="C")
        sweeps = np.zeros(state.shape[1], np.intp)
        field: Array = whole @ state
        field += drive
        active = np.arange(state.shape[1])
        while True:
            part, part_sweeps = np.array(state[:, active].T, order="C"), sweeps[active]
            part_field = np.array(field[:, active].T, order="C")
            sor_sweeps(whole, part_field, part, part_sweeps, *settings)
            state[:, active], sweeps[active] = part.T, part_sweeps
            # Rounding adds up in a field that is kept up to date, so the true residual decides.
            field = couplings.field(state, drive)
            reached = residual(state, field)
            active = np.flatnonzero((reached > self.tolerance) & (sweeps < self.max_sweeps))
            if not active.size:
                return Relaxation(state, field, reached, sweeps, self.tolerance)

    def _sweep(
        self,
        sweeper: _Sweeper,
        state: Array,
        drive: Array,
        examples: npt.NDArray[np.intp],
        sweeps: npt.NDArray[np.intp],
        factors: Array,
        budget: int,
    ) -> None:
        """Sweep until each example has seemed converged once, at most `budget` times, in place.

        `state` and `drive` have the columns `examples` of the batch that `sweeps` and `factors`
        are of.
        """
        columns = np.arange(examples.size)  # of `state`: those still in `part`
        pending = np.ones(examples.size, bool)  # those of `part` that have not converged
        part, part_drive, factor = state, drive, factors[examples]
        before = np.zeros(examples.size, state.dtype)
        for _ in range(budget):
            largest, square = sweeper.sweep(part, part_drive, factor)
            taken = examples[columns]
            sweeps[taken[pending]] += 1
            pending &= (largest > self.tolerance) & (sweeps[taken] < self.max_sweeps)
            adapt(factor, square, before)
            width = -(-int(pending.sum()) // COLUMNS) * COLUMNS
            if width == 0:
                break
            if width <= 0.8 * columns.size:
                state[:, columns], factors[taken] = part, factor
                # Keeping some that are done costs nothing: the products are eight columns wide.
                kept = np.sort(np.argsort(~pending, kind="stable")[:width])
                columns, pending, before = columns[kept], pending[kept], before[kept]
                part, part_drive, factor = state[:, columns], drive[:, columns], factor[kept]
        if part is not state:
            state[:, columns] = part
        factors[examples[columns]] = factor


class _Sweeper:
    """One sweep over all groups; what depends on the weights alone is prepared once."""

    def __init__(self, couplings: Interactions) -> None:
        self.layers = [
            (rows, terms, _groups(couplings.inside.get(layer), rows, couplings.dtype))
            for layer, (rows, terms) in enumerate(zip(couplings.rows, couplings.terms, strict=True))
            if rows.stop > rows.start
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
            field = products(terms, state, np.empty_like(layer))
            for group, matrix, limit in groups:
                part = field[group]
                if matrix is not None:
                    part += matrix @ layer
                step(layer[group], part, layer_drive[group], factor, limit, largest, square)
        return largest, square


def _groups(
    block: Block | None, rows: slice, dtype: np.dtype
) -> list[tuple[slice, Array | None, np.floating]]:
    """Groups of one layer: rows, their dense couplings to the layer, and the limit of w.

    Without edges inside L is 1. With edges the eigenvalues of I - W_gg inside group g are at most
    1 + |W_gg|, and the spectral norm |M| of a symmetric matrix is at most the Frobenius norm of
    M^8 to the power 1/8: tight for random matrices, and three products. For a sparse block the
    largest absolute row sum does.
    """
    size = rows.stop - rows.start
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
