"""All matrices among the free nodes in one array, for relaxing one example after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.kernels import copy_sparse
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.products import multiplied

__all__ = ["Whole"]


class Whole:
    """What each free node adds to the fields of all others, in one array.

    A copy, for relaxing one example after the other.

    Attributes
    ----------
    weights : ndarray, shape (n_free, n_free)
        Row i is what node i adds to the fields of the others.
    ends : ndarray of int, shape (n_layers + 1,)
        Layer l has the nodes from ``ends[l]`` up to ``ends[l + 1]``, excluded.
    near : ndarray of int, shape (n_layers, 2)
        All edges of layer l go to the layers from ``near[l, 0]`` up to ``near[l, 1]``, excluded.
    inside : ndarray of bool, shape (n_layers,)
        Which layers have edges inside.
    """

    def __init__(self, circuit: Any) -> None:
        layout = circuit.layout
        self.ends = np.array([0, *(each.stop for each in layout.rows)])
        self.weights = np.zeros((self.ends[-1], self.ends[-1]), circuit.dtype)
        self.bounds = circuit.low, circuit.high
        self.inside = np.zeros(len(layout.rows), bool)
        joined = np.eye(len(layout.rows), dtype=bool)
        for block in layout.blocks:
            if block.lower > 0:
                joined[block.lower, block.upper] = joined[block.upper, block.lower] = True
                self.inside[block.lower] |= block.inside
        self.near = _ranges(joined)

    @property
    def arrays(self) -> tuple[npt.NDArray, ...]:
        """What the compiled loops take."""
        return self.weights, self.ends, self.near, self.inside, *self.bounds

    def copy(self, circuit: Any) -> None:
        """Take the entries of the matrices."""
        layout = circuit.layout
        for layer, rows in enumerate(layout.rows):
            for matrix, source in circuit.into[layer]:
                _copy(matrix, self.weights, source.start, rows.start)
            if layer in circuit.inside:
                self.weights[rows, rows] = circuit.inside[layer]


def _ranges(joined: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """For every layer a range that covers all it is joined to, itself where it is joined to none.

    Layer a is in the range of b where b is in that of a: what one reads the other has written.
    """
    while True:
        near = np.array([np.flatnonzero(row)[[0, -1]] + (0, 1) for row in joined], np.intp)
        layers = np.arange(len(joined))
        covered = (layers >= near[:, :1]) & (layers < near[:, 1:])
        if (covered == covered.T).all():
            return near
        joined = covered | covered.T


def _copy(matrix: Any, out: Array, top: int, left: int) -> None:
    matrix = multiplied(matrix)
    if isinstance(matrix, np.ndarray):
        out[top : top + matrix.shape[0], left : left + matrix.shape[1]] = matrix
    elif matrix.format == "csr":
        copy_sparse(matrix.data, matrix.indices, matrix.indptr, out, top, left, False)
    else:  # the transpose of a csr_array
        copy_sparse(matrix.data, matrix.indices, matrix.indptr, out, top, left, True)
