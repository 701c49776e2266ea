"""Circuit: what relaxes. A network as the matrices that its nodes see each other through.

Whatever the energy of the model, its fixed points are ``s = clip(h, low, high)`` with a field
``h = drive + s M``, where ``M[i, j] = k_ij W_ij / a_j`` is what node i adds to the field of node j.
A circuit holds M, and a solver knows nothing else: no self-term, no model. Where every k / a is 1,
as in the paper's network, the matrices are the weights themselves, without a copy.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.dynamics.kernels import add_rows_each, drift, residuals_each
from smallworld_eqprop.dynamics.layout import Array, Layout
from smallworld_eqprop.dynamics.motion import Motion
from smallworld_eqprop.dynamics.products import by_column, multiplied, product, products
from smallworld_eqprop.dynamics.sharing import share
from smallworld_eqprop.dynamics.whole import Whole
from smallworld_eqprop.errors import InputError

__all__ = ["WHOLE", "Circuit", "Nudge"]

# Up to so many free nodes their weights are copied into one array, of 64 MiB then.
WHOLE = 4096

# Below this share of inputs that are not 0 it pays to pass over the others.
SPARSE_INPUTS = 0.3


@dataclass(frozen=True)
class Nudge:
    r"""An energy added at the outputs: :math:`\sum_o \tfrac12 \kappa_o s_o^2 - f_o s_o`.

    Attributes
    ----------
    force : ndarray, shape (batch, n_outputs)
        The f of every example.
    curvature : float
        The kappa, the same for all examples. Infinite where the outputs are held: `force` then is
        the state they are held at.
    at : callable, optional
        What pulls at outputs of given states, where that is no linear function of them; asked
        where the outputs are outside the energy. Takes the outputs of examples ``part``, a slice.
    """

    force: Any
    curvature: Any
    at: Callable[..., Any] | None = None

    def pull(self, outputs: Any) -> Any:
        """What pulls at outputs of these states; shape (batch, n_outputs)."""
        return self.force - self.curvature * outputs if self.at is None else self.at(outputs)

    def of(self, part: slice) -> Nudge:
        """The nudge of a part of the batch."""
        at = self.at and functools.partial(self.at, part=part)
        return Nudge(self.force[part], self.curvature, at)

    @property
    def holds(self) -> bool:
        """Whether the outputs are held, not pulled."""
        # Of a stack of networks it is an array, and finite.
        return bool(np.ndim(self.curvature) == 0 and np.isinf(self.curvature))


@dataclass
class Circuit:
    """Matrices, bounds and order of the nodes of one network.

    States and fields have shape (batch, n_free), inputs (batch, n_inputs), C order and of the
    circuit's dtype; column i of a state is node ``n_inputs + i`` of the graph.

    Attributes
    ----------
    layout : Layout
    low, high, self_term : ndarray, shape (n_free,)
    bias : ndarray, shape (n_free,)
        What the bias adds to the field.
    first : list of (matrix, slice)
        Matrices from the inputs, and the columns of the field that they add to.
    into : list of list of (matrix, slice)
        For every layer the matrices (arrays, sparse arrays or `Scaled`) and the columns of the
        state whose products are its field, without dense intralayer edges:
        ``field[:, rows[l]] = sum(state[:, source] @ matrix)``.
    inside : dict of int to ndarray
        Dense matrices of intralayer edges, by layer.
    readout : bool
        Whether the outputs are outside the energy: they read the other nodes and do not act back.
    pushes : dict of int to list of (matrix, slice)
        By layer, what the outputs would add to its field if they acted: the way of an error
        signal where they do not.
    motion : Motion, optional
        What holds while nodes move in time: slew and thermal noise.
    """

    layout: Layout
    low: Array
    high: Array
    self_term: Array
    bias: Array
    first: list[tuple[Any, slice]] = field(default_factory=list)
    into: list[list[tuple[Any, slice]]] = field(default_factory=list)
    inside: dict[int, Array] = field(default_factory=dict)
    readout: bool = False
    pushes: dict[int, list[tuple[Any, slice]]] = field(default_factory=dict)
    motion: Motion | None = None
    _whole: Whole | None = None
    _matrix: Any = None
    _edges: tuple[npt.NDArray, ...] | None = None
    _stale: bool = True

    @property
    def dtype(self) -> np.dtype:
        """The dtype of states."""
        return self.low.dtype

    @property
    def n_free(self) -> int:
        """Number of free nodes."""
        return self.layout.n_free

    @property
    def output(self) -> slice:
        """Columns of the outputs."""
        return self.layout.output

    def changed(self) -> None:
        """Hear that the matrices, which are views, have other entries now."""
        self._stale, self._matrix, self._edges = True, None, None

    def rest(self) -> Array:
        """Nodes at rest: at 0, or at the bound nearest to it; shape (n_free,)."""
        return np.clip(np.zeros_like(self.low), self.low, self.high)

    def with_outputs(self, state: Array, outputs: Any) -> Array:
        """A copy of a state with other outputs."""
        state = state.copy()
        state[:, self.output] = outputs
        return state

    def where(self, mask: npt.NDArray[np.bool_], a: Array, b: Array) -> Array:
        """States of `a` for the examples in the mask, shape (batch,), of `b` for the others."""
        return np.where(mask[:, None], a, b)

    @property
    def comes_back(self) -> bool:
        """Whether a layer takes part in the field of itself or of a layer inward."""
        both = zip(self.layout.rows, self.into, strict=True)
        return bool(self.inside) or any(
            source.start >= own.start for own, terms in both for _, source in terms
        )

    def terms(self, layer: int) -> list[tuple[Any, slice]]:
        """Matrices whose products are the field of a layer, and the columns they take.

        Of layers inward first. Where the network is small there are two, cut from the array of
        all: with skips between all layers the products would cost their calls alone.
        """
        if self.layout.compact and (whole := self.whole()):
            own = self.layout.rows[layer]
            first, last = whole.ends[whole.near[layer]].tolist()
            parts = slice(first, own.start), slice(own.start, last)
            return [(whole.weights[each, own], each) for each in parts if each.start < each.stop]
        if layer not in self.inside:
            return self.into[layer]
        return [*self.into[layer], (self.inside[layer], self.layout.rows[layer])]

    def pushed(self, outputs: Array) -> Array:
        """What outputs outside the energy would add to the fields if they acted."""
        found = np.zeros((len(outputs), self.n_free), self.dtype)
        for layer, terms in self.pushes.items():
            for matrix, _ in terms:
                found[:, self.layout.rows[layer]] += product(outputs, matrix)
        return found

    def among(self, nodes: npt.NDArray[np.intp]) -> Array:
        """What these free nodes add to each other's fields, ``M[nodes][:, nodes]``."""
        if whole := self.whole():
            return whole.weights[np.ix_(nodes, nodes)]
        if self._matrix is None:
            self._matrix = self.matrix()
        return self._matrix[nodes][:, nodes].toarray()

    def matrix(self) -> sparse.csr_array:
        """The whole of M, shape (n_free, n_free): what node i adds to the field of node j."""
        parts = []
        for layer, rows in enumerate(self.layout.rows):
            for matrix, source in self.terms(layer):
                part = sparse.coo_array(multiplied(matrix))
                parts.append((part.data, part.row + source.start, part.col + rows.start))
        shape = self.n_free, self.n_free
        if not parts:
            return sparse.csr_array(shape, dtype=self.dtype)
        data, i, j = (np.concatenate(each) for each in zip(*parts, strict=True))
        return sparse.coo_array((data, (i, j)), shape=shape).tocsr()

    def edges(self) -> tuple[npt.NDArray, ...]:
        """M by columns, and the bounds, for going along the edges: see `thin`."""
        if self._edges is None:
            if whole := self.whole():
                first, source, target = self.layout.neighbours
                self._edges = first, source, whole.weights[source, target]
            else:
                found = self.matrix().tocsc()
                self._edges = found.indptr, found.indices, found.data
        return *self._edges, self.low, self.high

    def clip(self, state: Any) -> Array:
        """States cut at the bounds."""
        return np.clip(state, self.low, self.high)

    def drive(self, inputs: Any) -> Array:
        """Part of the field that no free node contributes; shape (batch, n_free).

        It is constant while a batch relaxes, so it is computed once per batch. Inputs may be a
        sparse array.
        """
        drive = np.zeros((inputs.shape[0], self.n_free), self.dtype)
        thin = sparse.issparse(inputs)
        filled = inputs.nnz if thin else np.count_nonzero(inputs)
        few = not thin and filled < SPARSE_INPUTS * inputs.size

        def add(part: slice) -> None:
            for matrix, rows in self.first:
                if thin:
                    drive[part, rows] += _dense(inputs[part] @ matrix)
                elif few and isinstance(matrix, np.ndarray):
                    add_rows_each(matrix, inputs[part], drive[part], rows.start)
                else:
                    drive[part, rows] += product(inputs[part], matrix)
            drive[part] += self.bias

        share(add, len(drive), filled * sum(matrix.shape[1] for matrix, _ in self.first))
        return drive

    def field(self, state: Array, drive: Array | None = None) -> Array:
        """Local field of every free node; shape (batch, n_free)."""
        if self.layout.compact and (whole := self.whole()):
            found = state @ whole.weights
        else:
            found = np.empty_like(state)
            for layer, rows in enumerate(self.layout.rows):
                products(self.terms(layer), state, found[:, rows])
        if drive is not None:
            found += drive
        return found

    def drift(
        self,
        state: Array,
        field: Array,
        step_size: float,
        force: Array | None = None,
        curvature: Array | None = None,
    ) -> Array:
        """One synchronous Euler step, see `Euler`; force and curvature from `pull`."""
        if self.motion is not None:
            return self.motion.step(self, state, field, step_size, force, curvature)
        kind = self.dtype.type
        if force is None or curvature is None:
            force, curvature = np.empty((len(state), 0), kind), np.empty(0, kind)
        state = state.copy()
        drift(state, field, self.low, self.high, kind(step_size), force, curvature)
        return state

    def residual(self, state: Array, field: Array) -> Array:
        """Largest ``|clip(h, low, high) - s|`` of every example, NaN where one is; (batch,)."""
        out = np.empty(len(state), state.dtype)
        residuals_each(state, field, self.low, self.high, out)
        return out

    def whole(self) -> Whole | None:
        """The matrices among all free nodes in one array; None where there are too many nodes."""
        if self.n_free > WHOLE:
            return None
        if self._whole is None:
            self._whole = Whole(self)
        if self._stale:
            self._whole.copy(self)
            self._stale = False
        return self._whole

    def pull(self, nudge: Nudge) -> tuple[Array, Array]:
        """Force and curvature of a nudge in units of the field: both over the self-term."""
        own = self.self_term[self.output]
        force = np.ascontiguousarray(nudge.force / own, self.dtype)
        return force, np.broadcast_to(np.asarray(nudge.curvature / own, self.dtype), own.shape)

    def nudged(self, drive: Array, nudge: Nudge) -> tuple[Circuit, Array]:
        """The circuit with the energy of a nudge added, and its drive.

        An output then settles at ``clip((h + f / a) / (1 + kappa / a))``: the fixed points of
        another circuit, so that a solver has nothing to learn.
        """
        check_acting(self)
        force, curvature = self.pull(nudge)
        if not (curvature > -1).all():
            raise InputError(
                f"nudge: a curvature of {nudge.curvature:g} leaves the outputs without a minimum; "
                "a negative beta must be smaller (for the squared error above -1/2)"
            )
        held = np.isinf(curvature)
        share = np.where(held, 0, 1 / (1 + curvature)).astype(self.dtype)
        drive = drive.copy()
        output = drive[:, self.output]
        output += np.where(held, 0, force)
        output *= share
        output += np.where(held, nudge.force, 0).astype(self.dtype)
        into, inside, last = list(self.into), dict(self.inside), len(self.into) - 1
        into[last] = [(by_column(matrix, share), source) for matrix, source in into[last]]
        if last in inside:
            inside[last] = by_column(inside[last], share)
        own = self.self_term.copy()
        own[self.output] += np.where(held, 0, nudge.curvature)
        motion = self.motion
        if motion is not None and held.any():
            motion = dataclasses.replace(motion, held=self.output)
        changed = {"self_term": own, "into": into, "inside": inside, "motion": motion}
        return self.with_parts(**changed), drive

    def with_parts(self, **parts: Any) -> Circuit:
        """A circuit with other parts, which shares with this one nothing that is derived."""
        return dataclasses.replace(
            self, **parts, _whole=None, _matrix=None, _edges=None, _stale=True
        )


def check_acting(circuit: Any) -> None:
    """Refuse to nudge outputs that are outside the energy.

    Raises
    ------
    InputError
    """
    if circuit.readout:
        raise InputError(
            "rule: the outputs of this model are outside the energy (readout), where only "
            "Sweeps can nudge them; take a rule with nudges, and Sweeps as its solver"
        )


def _dense(found: Any) -> Array:
    array: Array = found if isinstance(found, np.ndarray) else found.toarray()
    return array
