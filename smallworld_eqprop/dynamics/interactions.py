"""Interactions: the weights between layers, as blocks that relaxation multiplies with.

Every undirected edge is held once. The edges between layers a < b form one block of shape (n_a,
n_b); layer b sees the block's transpose, which is a view, so W is symmetric to the bit by
construction. A block is a dense array where the edges fill a fair share of it, because BLAS is then
faster per edge, and a scipy.sparse array otherwise, so that memory grows with the number of edges.
Only a dense block of intralayer edges holds both triangles: the relaxation takes rows of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.kernels import (
    add_at_edges,
    add_at_inside_edges,
    add_at_sparse_edges,
    copy_sparse,
)

__all__ = ["Array", "Block", "Whole", "products"]

Array = npt.NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Block:
    """Weights of the edges between layers ``lower <= upper``.

    Attributes
    ----------
    lower, upper : int
        The two layers; equal for a block of intralayer edges.
    matrix : ndarray or csr_array, shape (n_lower, n_upper)
        Weights, zero where there is no edge. A dense intralayer matrix is symmetric, a sparse one
        holds the upper triangle.
    mask : ndarray of bool or None
        Where a dense `matrix` has edges; None for a sparse one.
    edges : ndarray of int
        Positions of the block's edges in ``graph.edges``, in row-major order of the block.
    """

    lower: int
    upper: int
    matrix: Any
    mask: Any
    edges: npt.NDArray[np.integer]

    @property
    def name(self) -> str:
        """The pair of layers as ``lower-upper``, the label used in tables and plots."""
        return f"{self.lower}-{self.upper}"

    @property
    def kind(self) -> str:
        """``intralayer``, ``interlayer`` or ``skip``."""
        return ("intralayer", "interlayer", "skip")[min(self.upper - self.lower, 2)]

    @property
    def dense(self) -> bool:
        """Whether the block is held as a dense array."""
        return isinstance(self.matrix, np.ndarray)

    def edge_weights(self) -> Array:
        """Weight of every edge of the block, in the order of `edges`; a copy."""
        if not self.dense:
            return self.matrix.data.copy()
        return self.matrix[np.triu(self.mask) if self.lower == self.upper else self.mask]

    def correct(
        self, rows: npt.NDArray[np.intp], left: Array, right: Array, scratch: Array
    ) -> float:
        """Add ``left @ right.T`` at the edges of these rows; gives the RMS of what was added.

        Parameters
        ----------
        rows : ndarray of int
            Nodes of the lower layer; the edges of all others gain nothing.
        left : ndarray, shape (len(rows), k)
        right : ndarray, shape (n_upper, k)
            For a block of intralayer edges ``left @ right[rows].T`` is symmetric but for rounding,
            and all other rows are zero.
        scratch : ndarray
            Overwritten; at least as many entries as the largest dense block has.
        """
        if self.dense:
            inside = self.lower == self.upper
            right = right[rows] if inside else right
            change = scratch[: len(rows) * len(right)].reshape(len(rows), len(right))
            np.matmul(left, right.T, out=change)
            add = add_at_inside_edges if inside else add_at_edges
            square = add(self.matrix, rows, change, self.mask)
        else:
            matrix = self.matrix
            square = add_at_sparse_edges(
                matrix.data, matrix.indices, matrix.indptr, rows, left, right
            )
        return float(np.sqrt(square / len(self.edges)))


class Whole:
    """All weights among the free nodes of a network, in one symmetric array.

    Both triangles, so that all weights of a node lie side by side. A copy, for relaxing one
    example after the other.

    Parameters
    ----------
    blocks : list of Block
        Of the network; those of the input layer take no part.
    rows : list of slice
        Rows of every layer in a state.
    dtype : dtype

    Attributes
    ----------
    weights : ndarray, shape (n_free, n_free)
    ends : ndarray of int, shape (n_layers + 1,)
        Layer l has the nodes from ``ends[l]`` up to ``ends[l + 1]``, excluded.
    near : ndarray of int, shape (n_layers, 2)
        All edges of layer l go to the layers from ``near[l, 0]`` up to ``near[l, 1]``, excluded.
    inside : ndarray of bool, shape (n_layers,)
        Which layers have edges inside.
    """

    def __init__(self, blocks: list[Block], rows: list[slice], dtype: np.dtype) -> None:
        self.rows = rows
        self.ends = np.array([0, *(each.stop for each in rows)])
        self.weights = np.zeros((self.ends[-1], self.ends[-1]), dtype)
        self.near = np.zeros((len(rows), 2), np.intp)
        self.inside = np.zeros(len(rows), bool)
        for layer, (first, last) in _reaches(blocks, len(rows)).items():
            self.near[layer] = first, last + 1
        for block in blocks:
            if block.lower == block.upper > 0:
                self.inside[block.lower] = True

    @property
    def arrays(self) -> tuple[Array, npt.NDArray, npt.NDArray, npt.NDArray]:
        """What the compiled loops take."""
        return self.weights, self.ends, self.near, self.inside

    def copy(self, blocks: list[Block]) -> None:
        """Take the weights of the blocks."""
        for block in blocks:
            if block.lower > 0:
                matrix, lower, upper = block.matrix, self.rows[block.lower], self.rows[block.upper]
                if not block.dense:
                    entries = matrix.data, matrix.indices, matrix.indptr
                    copy_sparse(*entries, self.weights, lower.start, upper.start)
                    continue
                self.weights[lower, upper] = matrix
                if lower != upper:  # a dense block of intralayer edges is symmetric itself
                    self.weights[upper, lower] = matrix.T


def _reaches(blocks: Sequence[Block], n_layers: int) -> dict[int, tuple[int, int]]:
    """First and last free layer that each free layer has edges to, where it has any."""
    found: dict[int, tuple[int, int]] = {}
    for block in blocks:
        for layer, other in ((block.lower, block.upper), (block.upper, block.lower)):
            if block.lower > 0:
                first, last = found.get(layer, (n_layers, 0))
                found[layer] = min(first, other), max(last, other)
    return found


def products(terms: list[tuple[Any, slice]], state: Array, out: Array) -> Array:
    """Sum of ``matrix @ state[source]`` over the terms of a layer, in `out`; zeros without any."""
    if not terms:
        out[:] = 0
    for i, (matrix, source) in enumerate(terms):
        if i:
            out += matrix @ state[source]
        elif isinstance(matrix, np.ndarray):
            np.matmul(matrix, state[source], out=out)
        else:
            out[:] = matrix @ state[source]
    return out
