"""Projected successive over-relaxation: the fast way to a fixed point ``s = clip(W s + b, 0, 1)``.

A sweep updates one group of nodes after the other:

    d = clip(h, 0, 1) - s          h: local field of the group, from the newest states
    s <- clip(s + w d, 0, 1)       w: relaxation factor, between 1 and 2

A group is a layer, because a layer without intralayer edges is an independent set and the step is
then an exact coordinate descent for 0 < w < 2: the energy cannot rise. Groups with dense edges
inside are cut small, and w is held below 2 / L with L a bound on the largest eigenvalue of (I - W)
inside the group, which gives the same guarantee.

What makes it fast, in the order of what it buys:

- Most nodes soon rest at 0 or 1, half of them at the same bound in all examples of a batch. The
  field of the whole network says which. They are left out: the others are relaxed as a smaller
  network under their constant drive, then the field of the whole network is taken again, which
  says whether all have the residual asked for and, if not, which nodes move next.
- The last examples of a batch are relaxed node by node (nodes.py), where no example waits for
  another and only what moves costs. So are parts with edges inside layers, which need no damping
  then, and small networks, from the start.
- Over-relaxation adapted per example. One sweep of Gauss-Seidel shrinks an error mode by mu^2;
  at the right w > 1 all modes shrink by w - 1. While the observed contraction is slower than
  w - 1, a real mode is left behind and Young's relation gives its mu, hence a better w; while it
  is not, w is larger than needed and comes down.
- Dense products by BLAS on (nodes x batch) arrays; the drive of the clamped inputs computed once.
- Examples that have converged leave the batch as soon as eight of them narrow the products.

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
from smallworld_eqprop.dynamics.interactions import Array, Interactions, Part, products
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

# Sweeps of a part before the first look whether it was the right one.
PART_SWEEPS = 16

# How far beyond its bound a field must lie for its node to be left out for now.
MARGIN = 0.1

# Examples that are relaxed node by node in the end, because products this narrow are no use.
FEW = 12


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
        active = np.arange(start.shape[1])
        if couplings.compact:
            everything, part = np.ones(couplings.n_free, bool), couplings.part()
            while (active := batch.look(active)).size:
                batch.relax_part(part, everything, active, self.max_sweeps)
            return batch.end()
        # Looking costs a product; where it was in vain the next look comes later.
        for_whole, for_part = 1, PART_SWEEPS
        while (active := batch.look(active)).size:
            kept = moving(batch.state[:, active], batch.field[:, active], MARGIN)
            if couplings.worth(kept):
                batch.relax_part(couplings.part(kept), kept, active, for_part)
                for_part = min(2 * for_part, self.max_sweeps)
            else:
                batch.sweep_whole(active, for_whole)
                for_whole = min(2 * for_whole, self.max_sweeps)
        return batch.end()


class _Batch:
    """The examples of one relaxation, on their way."""

    def __init__(self, method: SOR, couplings: Couplings, drive: Array, start: Array) -> None:
        self.method, self.couplings, self.drive = method, couplings, drive
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

        The residuals seen during a sweep are of states that later groups have moved on from, and
        rounding adds up in a field that is kept up to date. The true ones decide.
        """
        state = self.state[:, examples]
        field = self.couplings.field(state, self.drive[:, examples])
        self.field[:, examples], self.residual[examples] = field, residual(state, field)
        return examples[self._pending(self.residual[examples], examples)]

    def _pending(self, residual: Array, examples: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        method = self.method
        return (residual > method.tolerance) & (self.sweeps[examples] < method.max_sweeps)

    def sweep_whole(self, examples: npt.NDArray[np.intp], budget: int) -> None:
        """Sweep all nodes of these examples, at most `budget` times."""
        state = self.state[:, examples]
        self.sweep(_Sweeper(self.couplings), state, self.drive[:, examples], examples, budget)
        self.state[:, examples] = state

    def relax_part(
        self,
        part: Part,
        kept: npt.NDArray[np.bool_],
        examples: npt.NDArray[np.intp],
        budget: int,
    ) -> None:
        """Relax the nodes in `kept` of these examples under the field of all others.

        At most `budget` times by layers, and as often node by node.
        """
        place = np.ix_(kept, examples)
        state, field, late = self.state[place], self.field[place], np.arange(examples.size)
        # Sweeps of layers with edges inside would have to be damped.
        if not (self.couplings.compact or part.inside or examples.size <= FEW):
            held = field - part.field(state)
            late = self.sweep(_Sweeper(part), state, held, examples, budget, FEW)
            field = part.field(state[:, late], held[:, late])
        if late.size:
            self._sweep_nodes(part, state, field, late, examples[late], budget)
        self.state[place] = state

    def _sweep_nodes(
        self,
        part: Part,
        state: Array,
        field: Array,
        columns: npt.NDArray[np.intp],
        examples: npt.NDArray[np.intp],
        budget: int,
    ) -> None:
        """Relax these columns of `state`, which have this field, node by node; in place."""
        method, kind = self.method, state.dtype.type
        field, moved = np.array(field.T, order="C"), np.array(state[:, columns].T, order="C")
        sweeps, factor = self.sweeps[examples], self.factor[examples]
        most = np.minimum(sweeps + budget, method.max_sweeps)
        limits = kind(method.tolerance), most, kind(STEP_LIMIT)
        sor_sweeps(part.weights, part.reach, field, moved, factor, sweeps, *limits)
        state[:, columns], self.sweeps[examples], self.factor[examples] = moved.T, sweeps, factor

    def sweep(
        self,
        sweeper: _Sweeper,
        state: Array,
        drive: Array,
        examples: npt.NDArray[np.intp],
        budget: int,
        few: int = 0,
    ) -> npt.NDArray[np.intp]:
        """Sweep until all but a `few` of the examples have seemed converged, in place.

        At most `budget` times. `state` and `drive` have the columns `examples` of the batch.
        Gives the columns that have not converged.
        """
        columns = np.arange(examples.size)  # of `state`: those still in `part`
        pending = np.ones(examples.size, bool)  # those of `part` that have not converged
        part, part_drive, factor = state, drive, self.factor[examples]
        before = np.zeros(examples.size, state.dtype)
        for _ in range(budget):
            largest, square = sweeper.sweep(part, part_drive, factor)
            taken = examples[columns]
            self.sweeps[taken[pending]] += 1
            pending &= self._pending(largest, taken)
            adapt(factor, square, before)
            left = np.count_nonzero(pending)
            if left <= few:
                break
            width = -(-left // COLUMNS) * COLUMNS
            if width <= 0.8 * columns.size:
                state[:, columns], self.factor[taken] = part, factor
                # Keeping some that are done costs nothing: the products are eight columns wide.
                kept = np.sort(np.argsort(~pending, kind="stable")[:width])
                columns, pending, before = columns[kept], pending[kept], before[kept]
                part, part_drive, factor = state[:, columns], drive[:, columns], factor[kept]
        if part is not state:
            state[:, columns] = part
        self.factor[examples[columns]] = factor
        return columns[pending]


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
