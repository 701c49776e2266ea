"""Projected successive over-relaxation: the fast way to a fixed point ``s = clip(W s + b, 0, 1)``.

A sweep updates one group of nodes after the other:

    d = clip(h, 0, 1) - s          h: local field of the group, from the newest states
    s <- clip(s + w d, 0, 1)       w: relaxation factor, between 1 and 2

A group is a layer, because a layer without intralayer edges is an independent set and the step is
then an exact coordinate descent for 0 < w < 2: the energy cannot rise. Groups with dense edges
inside are cut small, and w is held below 2 / L with L a bound on the largest eigenvalue of (I - W)
inside the group, which gives the same guarantee.

What makes it fast, in the order of what it buys:

- Most nodes soon rest at 0 or 1. The field of the whole network says which; they are left out, and
  every example is relaxed as a small network of its own (examples.py) until the field of the whole
  says that it has the residual asked for.
- Examples in which too many nodes move for that are swept whole first, together: dense products by
  BLAS on (nodes x batch) arrays.
- Over-relaxation adapted per example. One sweep of Gauss-Seidel shrinks an error mode by mu^2;
  at the right w > 1 all modes shrink by w - 1. While the observed contraction is slower than
  w - 1, a real mode is left behind and Young's relation gives its mu, hence a better w; while it
  is not, w is larger than needed and comes down.
- The drive of the clamped inputs is computed once, and only from the inputs that are not 0.

Networks too large for an array of all weights among free nodes are swept whole to the end, and
examples that have converged leave the batch as soon as eight of them narrow the products.

References
----------
D. M. Young, "Iterative Solution of Large Linear Systems", Academic Press, 1971, chapter 6.
T. Joachims, "Making large-scale support vector machine learning practical", in Advances in Kernel
Methods, MIT Press, 1999 (leaving out the variables at their bounds: "shrinking").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.examples import relax_each
from smallworld_eqprop.dynamics.interactions import Array, Whole, products
from smallworld_eqprop.dynamics.kernels import adapt, count_moving, step
from smallworld_eqprop.dynamics.relaxation import Relaxation, residual
from smallworld_eqprop.dynamics.threads import share
from smallworld_eqprop.errors import InputError

__all__ = ["SOR"]

# Nodes with edges among themselves that are updated together. Small groups allow larger steps,
# large groups make efficient products.
GROUP = 50

# Twice the inverse of the largest eigenvalue is where the energy could rise; stay just below.
STEP_LIMIT = 1.98

# Widths of the batch worth narrowing to: BLAS kernels work on columns in eights.
COLUMNS = 8

# How far beyond its bound a field must lie for its node to be left out for now.
MARGIN = 0.1

# Examples in which more nodes than that move are swept whole so many times first.
MANY, WHOLE_SWEEPS = 450, 4

# Of how many last places of 1 the fields that relaxation keeps up to date may be wrong, and to how
# many it still gets with them.
ROUNDING, REACHED = 100, 16

# Sweeps of an example before the first look whether others of its nodes move.
OWN_SWEEPS = 4


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
    start_factor: float = 1.45

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise InputError(f"tolerance: {self.tolerance}, must be above 0")
        if not isinstance(self.max_sweeps, int | np.integer) or self.max_sweeps < 1:
            raise InputError(f"max_sweeps: {self.max_sweeps}, must be a whole number of at least 1")
        if not 0 < self.start_factor < 2:
            raise InputError(f"start_factor: {self.start_factor}, must be between 0 and 2")

    def relax(self, couplings: Couplings, drive: Array, start: Array) -> Relaxation:
        """Sweep until every example has the residual asked for or has had `max_sweeps`."""
        batch = _Batch(self, couplings, drive, start)
        active = batch.look(np.arange(start.shape[1]))
        if active.size and (whole := couplings.whole()):
            many = active[batch.moving(active) > MANY]
            if many.size:
                batch.sweep(many, WHOLE_SWEEPS)
                batch.look(many)
            batch.relax_each(whole, active)
            # Rounding adds up in fields that are kept up to date. Close to it the true ones decide.
            if self.tolerance > ROUNDING * np.finfo(start.dtype).eps:
                return batch.end()
            active = batch.look(active)
        # Looking costs as much as a sweep; where it was in vain the next look comes later.
        budget = 1
        while active.size:
            batch.sweep(active, budget)
            budget = min(2 * budget, self.max_sweeps)
            active = batch.look(active)
        return batch.end()


class _Batch:
    """The examples of one relaxation, on their way."""

    def __init__(self, method: SOR, couplings: Couplings, drive: Array, start: Array) -> None:
        self.method, self.couplings, self.drive = method, couplings, drive
        self.sweeper: _Sweeper | None = None
        self.state = np.array(start, order="C")
        self.field = np.empty_like(self.state)
        self.residual = np.empty(start.shape[1], start.dtype)
        self.sweeps = np.zeros(start.shape[1], np.intp)
        self.factor = np.full(start.shape[1], method.start_factor, start.dtype)

    def end(self) -> Relaxation:
        """Where the examples stand."""
        return Relaxation(self.state, self.field, self.residual, self.sweeps, self.method.tolerance)

    def look(self, examples: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Take the field of the whole network; gives those of the examples that are not done.

        The residuals seen during a sweep are of states that later groups have moved on from.
        """
        state = self.state[:, examples]
        field = self.couplings.field(state, self.drive[:, examples])
        self.field[:, examples], self.residual[examples] = field, residual(state, field)
        return examples[self._pending(self.residual[examples], examples)]

    def _pending(self, residual: Array, examples: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        method = self.method
        return (residual > method.tolerance) & (self.sweeps[examples] < method.max_sweeps)

    def moving(self, examples: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """How many nodes of each of these examples are not at rest."""
        margin = self.state.dtype.type(MARGIN)
        return count_moving(self.state[:, examples], self.field[:, examples], margin)

    def relax_each(self, whole: Whole, examples: npt.NDArray[np.intp]) -> None:
        """Relax these examples one after the other, each by its nodes that are not at rest."""
        method, kind = self.method, self.state.dtype.type
        finest = max(method.tolerance, REACHED * float(np.finfo(kind).eps))
        state, field = (np.array(a[:, examples].T, order="C") for a in (self.state, self.field))
        residual, factor, sweeps = (a[examples] for a in (self.residual, self.factor, self.sweeps))

        def relax(part: slice) -> None:
            relax_each(
                *whole.arrays,
                *(state[part], field[part], residual[part], factor[part], sweeps[part]),
                *(kind(finest), method.max_sweeps, kind(STEP_LIMIT)),
                *(kind(MARGIN), OWN_SWEEPS),
            )

        share(relax, len(examples))
        self.state[:, examples], self.field[:, examples] = state.T, field.T
        self.residual[examples], self.sweeps[examples] = residual, sweeps

    def sweep(self, examples: npt.NDArray[np.intp], budget: int) -> None:
        """Sweep all nodes of these examples until they seem converged, at most `budget` times."""
        self.sweeper = self.sweeper or _Sweeper(self.couplings)
        pending = np.ones(examples.size, bool)  # those of `taken` that have not converged
        taken, before = examples, np.zeros(examples.size, self.state.dtype)
        state, drive, factor = self.state[:, taken], self.drive[:, taken], self.factor[taken]
        for _ in range(budget):
            largest, square = self.sweeper.sweep(state, drive, factor)
            self.sweeps[taken[pending]] += 1
            pending &= self._pending(largest, taken)
            adapt(factor, square, before)
            left = np.count_nonzero(pending)
            if not left:
                break
            width = -(-left // COLUMNS) * COLUMNS
            if width <= 0.8 * taken.size:
                self.state[:, taken], self.factor[taken] = state, factor
                # Keeping some that are done costs nothing: the products are eight columns wide.
                kept = np.sort(np.argsort(~pending, kind="stable")[:width])
                taken, pending, before = taken[kept], pending[kept], before[kept]
                state, drive, factor = state[:, kept], drive[:, kept], factor[kept]
        self.state[:, taken], self.factor[taken] = state, factor


class _Sweeper:
    """One sweep over all groups; what depends on the weights alone is prepared once."""

    def __init__(self, couplings: Couplings) -> None:
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
    inside: Any, rows: slice, dtype: np.dtype
) -> list[tuple[slice, Array | None, np.floating]]:
    """Groups of one layer: rows, their dense couplings to the layer, and the limit of w.

    Without edges inside L is 1. With edges the eigenvalues of I - W_gg inside group g are at most
    1 + |W_gg|, and the spectral norm |M| of a symmetric matrix is at most the Frobenius norm of
    M^8 to the power 1/8: tight for random matrices, and three products. For a sparse block the
    largest absolute row sum does.
    """
    size = rows.stop - rows.start
    if inside is None:
        return [(slice(0, size), None, dtype.type(STEP_LIMIT))]
    if not isinstance(inside, np.ndarray):
        weights = abs(inside)
        norm = (weights.sum(axis=0) + weights.sum(axis=1)).max()
        return [(slice(0, size), None, dtype.type(STEP_LIMIT / (1 + norm)))]
    groups = [slice(start, min(start + GROUP, size)) for start in range(0, size, GROUP)]
    tiles = np.zeros((len(groups), GROUP, GROUP), inside.dtype)
    for tile, group in zip(tiles, groups, strict=True):
        inner = inside[group, group]
        tile[: len(inner), : len(inner)] = inner
    for _ in range(3):
        tiles = tiles @ tiles
    norms = np.sqrt(np.einsum("gij,gij->g", tiles, tiles)) ** (1 / 8)
    return [
        (group, inside[group], dtype.type(STEP_LIMIT / (1 + norm)))
        for group, norm in zip(groups, norms, strict=True)
    ]
