"""Interactions: the weights among the free nodes, as blocks that relaxation multiplies with.

Every undirected edge is held once. The edges between layers a < b form one block of shape (n_a,
n_b); layer b sees the block's transpose, which is a view, so W is symmetric to the bit by
construction. A block is a dense array where the edges fill a fair share of it, because BLAS is then
faster per edge, and a scipy.sparse array otherwise, so that memory grows with the number of edges.
Only a dense block of intralayer edges holds both triangles: the relaxation takes rows of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.kernels import (
    add_at_edges,
    add_at_inside_edges,
    add_at_sparse_edges,
    copy_symmetric,
)

__all__ = ["Array", "Block", "Interactions", "Part", "products", "reaches"]

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


class Interactions:
    """What a relaxation needs of a network: free nodes in layers, and the weights among them.

    Parameters
    ----------
    layer_sizes : sequence of int
        Free nodes of every layer; those of the input layer are clamped, so it has none.
    dtype : dtype

    Attributes
    ----------
    rows : list of slice
        Rows of every layer in a state of shape (n_free, batch).
    output : slice
        Rows of the last layer.
    terms : list of list of (matrix, slice)
        For every layer, the matrices and the rows of the state whose products are its field:
        ``field[rows[l]] = drive[rows[l]] + sum(matrix @ state[source] for matrix, source in
        terms[l])``, without dense intralayer edges, which `inside` gives. The matrices are views:
        they follow every correction.
    inside : dict of int to ndarray or csr_array
        Weights of the intralayer edges, by layer.
    """

    def __init__(self, layer_sizes: Sequence[int], dtype: np.dtype) -> None:
        self.dtype = dtype
        ends = np.cumsum((0, *layer_sizes)).tolist()
        self.rows = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.output = self.rows[-1]
        self.n_free = ends[-1]
        self.terms: list[list[tuple[Any, slice]]] = [[] for _ in self.rows]
        self.inside: dict[int, Any] = {}

    def field(self, state: Array, drive: Array | None = None) -> Array:
        """Local field ``h = W s + drive`` of every free node; shape (n_free, batch)."""
        field = np.empty_like(state)
        for layer, (rows, terms) in enumerate(zip(self.rows, self.terms, strict=True)):
            if isinstance(inside := self.inside.get(layer), np.ndarray):
                terms = [*terms, (inside, rows)]
            products(terms, state, field[rows])
        if drive is not None:
            field += drive
        return field


class Part(Interactions):
    """Some free nodes of a network, and the weights among them in one array.

    Parameters
    ----------
    blocks : list of Block
        Of the network; those of the input layer take no part.
    nodes : list of ndarray of int
        The nodes taken of every layer, as rows or columns of its blocks.
    dtype : dtype

    Attributes
    ----------
    weights : ndarray, shape (n_free, n_free)
        Symmetric; a copy.
    reach : ndarray of int, shape (n_free, 2)
        All edges of a node lie between these columns of `weights`, the second one excluded.
    """

    def __init__(
        self, blocks: list[Block], nodes: list[npt.NDArray[np.intp]], dtype: np.dtype
    ) -> None:
        super().__init__([len(each) for each in nodes], dtype)
        # Only what lies within reach is read, so only that is written.
        self.weights = np.empty((self.n_free, self.n_free), dtype)
        self.reach = np.zeros((self.n_free, 2), np.intp)
        for layer, (first, last) in reaches(blocks, len(nodes)).items():
            own, start, stop = self.rows[layer], self.rows[first].start, self.rows[last].stop
            self.weights[own, start:stop] = 0
            self.reach[own] = start, stop
            for source in (slice(start, min(own.start, stop)), slice(max(own.stop, start), stop)):
                if source.stop > source.start:
                    self.terms[layer].append((self.weights[own, source], source))
        for block in blocks:
            if block.lower > 0:
                self._copy(block, nodes[block.lower], nodes[block.upper])

    def _copy(self, block: Block, lower: npt.NDArray, upper: npt.NDArray) -> None:
        """Write the block's weights among these of its nodes into both triangles of `weights`."""
        matrix, rows, columns = block.matrix, self.rows[block.lower], self.rows[block.upper]
        if not block.dense:
            matrix = matrix[lower][:, upper].toarray()
            lower, upper = np.arange(len(lower)), np.arange(len(upper))
            if rows == columns:
                matrix = matrix + matrix.T
        copy_symmetric(matrix, lower, upper, self.weights, rows.start, columns.start)
        if rows == columns:
            self.inside[block.lower] = self.weights[rows, rows]


def reaches(blocks: Sequence[Block], n_layers: int) -> dict[int, tuple[int, int]]:
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
