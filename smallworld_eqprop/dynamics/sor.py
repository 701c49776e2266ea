"""Projected successive over-relaxation: the fast way to a fixed point ``s = clip(h, low, high)``.

A sweep updates one group of nodes after the other:

    d = clip(h, low, high) - s          h: local field of the group, from the newest states
    s <- clip(s + w d, low, high)       w: relaxation factor, between 1 and 2

A group is a layer, because a layer without intralayer edges is an independent set and the step is
then an exact coordinate descent for 0 < w < 2: the energy cannot rise. Groups with dense edges
inside are cut small, and w is held below 2 / L with L a bound on the largest eigenvalue of (I - M)
inside the group, which gives the same guarantee.

Reasons for its speed, the most important first:

- Most nodes soon rest at a bound. The field of the whole network says which; they are left out, and
  every example is relaxed by its active set (active_set.py) until the field of the whole says that
  it has the residual asked for.
- Examples in which too many nodes move for that are swept whole first, together: dense products by
  BLAS on (batch x nodes) arrays.
- Over-relaxation adapted per example. One sweep of Gauss-Seidel shrinks an error mode by mu^2;
  at the right w > 1 all modes shrink by w - 1. While the observed contraction is slower than
  w - 1, a real mode is left behind and Young's relation gives its mu, hence a better w; while it
  is not, w is larger than needed and comes down.
- Where only few pairs of nodes are joined, as on a chip, the sweeps go along the edges, for many
  examples side by side (thin.py), and nothing of the above is needed.
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

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.active_set import relax_each
from smallworld_eqprop.dynamics.circuit import Circuit, Nudge
from smallworld_eqprop.dynamics.kernels import adapt, count_moving, step
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.motion import check_still
from smallworld_eqprop.dynamics.products import products
from smallworld_eqprop.dynamics.relaxation import Relaxation, Solver
from smallworld_eqprop.dynamics.sharing import share
from smallworld_eqprop.dynamics.thin import relax_thin
from smallworld_eqprop.dynamics.whole import Whole
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.parts import Repeats

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
class SOR(Solver):
    """Projected successive over-relaxation with a factor adapted per example.

    Parameters
    ----------
    tolerance : float
        Residual at which an example has converged.
    max_sweeps : int
        Largest number of sweeps; the residual of an example is also reported if it did not
        converge.
    start_factor : float
        Relaxation factor of the first sweep, in (0, 2).
    """

    tolerance: float = 1e-3
    max_sweeps: Repeats = 500
    start_factor: float = 1.45

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise InputError(f"tolerance: {self.tolerance}, must be above 0")
        if not 0 < self.start_factor < 2:
            raise InputError(f"start_factor: {self.start_factor}, must be between 0 and 2")

    def sweeps(self, circuit: Circuit, drive: Array, state: Array) -> Iterator[Array]:
        """Sweep the whole circuit, with the factor of the start throughout: the plain method."""
        sweeper, state = _Sweeper(circuit), np.array(state, order="C")
        factor = np.full(len(state), self.start_factor, state.dtype)
        while True:
            sweeper.sweep(state, drive, factor)
            yield state.copy()

    def relax(self, circuit: Any, drive: Any, start: Any, nudge: Nudge | None = None) -> Relaxation:
        """Sweep until every example has the residual asked for or has had `max_sweeps`."""
        if not isinstance(circuit, Circuit):
            return circuit.sor(self, drive, start, nudge)
        check_still(circuit)
        if nudge is not None:
            circuit, drive = circuit.nudged(drive, nudge)
        batch = _Batch(self, circuit, drive, start)
        if circuit.layout.thin:
            batch.relax_thin()
            return batch.end()
        active = batch.look(np.arange(len(start)))
        if active.size and (whole := circuit.whole()):
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

    def __init__(self, method: SOR, circuit: Circuit, drive: Array, start: Array) -> None:
        self.method, self.circuit, self.drive = method, circuit, drive
        self.sweeper: _Sweeper | None = None
        self.state = np.array(start, order="C")
        self.field = np.empty_like(self.state)
        self.residual = np.empty(len(start), start.dtype)
        self.sweeps = np.zeros(len(start), np.intp)
        self.factor = np.full(len(start), method.start_factor, start.dtype)

    def end(self) -> Relaxation:
        """Where the examples stand."""
        return Relaxation(self.state, self.field, self.residual, self.sweeps, self.method.tolerance)

    def look(self, examples: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """Take the field of the whole network; gives those of the examples that are not done.

        The residuals seen during a sweep are of states that later groups have moved on from.
        """
        state = self.state[examples]
        field = self.circuit.field(state, self.drive[examples])
        self.field[examples] = field
        self.residual[examples] = self.circuit.residual(state, field)
        return examples[self._pending(self.residual[examples], examples)]

    def _pending(self, residual: Array, examples: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
        method = self.method
        return (residual > method.tolerance) & (self.sweeps[examples] < method.max_sweeps)

    def moving(self, examples: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
        """How many nodes of each of these examples are not at rest."""
        margin, (low, high) = self.state.dtype.type(MARGIN), (self.circuit.low, self.circuit.high)
        return count_moving(self.state[examples], self.field[examples], low, high, margin)

    def relax_each(self, whole: Whole, examples: npt.NDArray[np.intp]) -> None:
        """Relax these examples one after the other, each by its nodes that are not at rest."""
        method, kind = self.method, self.state.dtype.type
        finest = max(method.tolerance, REACHED * float(np.finfo(kind).eps))
        state, field = self.state[examples], self.field[examples]
        residual, factor, sweeps = (a[examples] for a in (self.residual, self.factor, self.sweeps))

        def relax(part: slice) -> None:
            own = state[part], field[part], residual[part], factor[part], sweeps[part]
            limits = kind(finest), method.max_sweeps, kind(STEP_LIMIT), kind(MARGIN), OWN_SWEEPS
            relax_each(*(*whole.arrays, *own, *limits))

        share(relax, len(examples))
        self.state[examples], self.field[examples] = state, field
        self.residual[examples], self.sweeps[examples] = residual, sweeps

    def relax_thin(self) -> None:
        """Relax all examples along the edges."""
        method, kind, edges = self.method, self.state.dtype.type, self.circuit.edges()

        def relax(part: slice) -> None:
            own = (self.drive, self.state, self.field, self.residual, self.factor, self.sweeps)
            limits = kind(method.tolerance), method.max_sweeps, kind(STEP_LIMIT)
            relax_thin(*(*edges, *(each[part] for each in own), *limits))

        share(relax, len(self.state))

    def sweep(self, examples: npt.NDArray[np.intp], budget: int) -> None:
        """Sweep all nodes of these examples until they seem converged, at most `budget` times."""
        self.sweeper = self.sweeper or _Sweeper(self.circuit)
        pending = np.ones(examples.size, bool)  # those of `taken` that have not converged
        taken, before = examples, np.zeros(examples.size, self.state.dtype)
        state, drive, factor = self.state[taken], self.drive[taken], self.factor[taken]
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
                self.state[taken], self.factor[taken] = state, factor
                # Keeping some that are done costs nothing: the products are eight columns wide.
                kept = np.sort(np.argsort(~pending, kind="stable")[:width])
                taken, pending, before = taken[kept], pending[kept], before[kept]
                state, drive, factor = state[kept], drive[kept], factor[kept]
        self.state[taken], self.factor[taken] = state, factor


class _Sweeper:
    """One sweep over all groups; what depends on the weights alone is prepared once."""

    def __init__(self, circuit: Circuit) -> None:
        self.bounds = circuit.low, circuit.high
        self.layers = [
            (rows, terms, _groups(circuit, layer, rows))
            for layer, (rows, terms) in enumerate(
                zip(circuit.layout.rows, circuit.into, strict=True)
            )
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
        largest = np.zeros(len(state), state.dtype)
        square = np.zeros(len(state), state.dtype)
        for rows, terms, groups in self.layers:
            layer = state[:, rows]
            field = products(terms, state, np.empty((len(state), layer.shape[1]), state.dtype))
            for group, matrix, limit in groups:
                part = field
                if matrix is not None:
                    part = layer @ matrix
                    part += field[:, group]
                begin = rows.start + group.start
                step(state, part, drive, *self.bounds, begin, factor, limit, largest, square)
        return largest, square


def _groups(
    circuit: Circuit, layer: int, rows: slice
) -> list[tuple[slice, Array | None, np.floating]]:
    """Groups of one layer: columns, what the layer adds to them, and the limit of w.

    Without edges inside L is 1. With edges the eigenvalues of I - M_gg inside group g are at most
    1 + |M_gg|, and the spectral radius of M is at most the Frobenius norm of M^8 to the power 1/8:
    tight for random matrices, and three products. For a sparse block the largest absolute row sum
    does.
    """
    kind, size = circuit.dtype.type, rows.stop - rows.start
    inside = circuit.inside.get(layer)
    if inside is None:
        sparse_inside = [m for m, source in circuit.into[layer] if source == rows]
        norm = max(abs(sum(sparse_inside)).sum(axis=1).max(), 0) if sparse_inside else 0.0
        return [(slice(0, size), None, kind(STEP_LIMIT / (1 + norm)))]
    groups = [slice(start, min(start + GROUP, size)) for start in range(0, size, GROUP)]
    tiles = np.zeros((len(groups), GROUP, GROUP), inside.dtype)
    for tile, group in zip(tiles, groups, strict=True):
        inner = inside[group, group]
        tile[: len(inner), : len(inner)] = inner
    for _ in range(3):
        tiles = tiles @ tiles
    norms = np.sqrt(np.einsum("gij,gij->g", tiles, tiles)) ** (1 / 8)
    # Contiguous, because each is multiplied with in every sweep.
    return [
        (group, np.ascontiguousarray(inside[:, group]), kind(STEP_LIMIT / (1 + norm)))
        for group, norm in zip(groups, norms, strict=True)
    ]
