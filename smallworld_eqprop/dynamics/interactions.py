"""Interactions: the weights among the free nodes, as blocks that relaxation multiplies with.

Every undirected edge is held once. The edges between layers a < b form one block of shape (n_a,
n_b); layer b sees the block's transpose, which is a view, so W is symmetric to the bit by
construction. A block is a dense array where the edges fill a fair share of it, because BLAS is then
faster per edge, and a scipy.sparse array otherwise, so that memory grows with the number of edges.
Only a dense block of intralayer edges holds both triangles: the relaxation takes rows of it.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.kernels import add_at_edges, add_at_sparse_edges

__all__ = ["Array", "Block", "Interactions", "products"]

Array = npt.NDArray[np.floating]

# With fewer weights a product costs no more than what surrounds it (benchmarks/ measures both).
LARGE = 200_000

# Up to so many free nodes a dense array of all weights among them fits into the cache of one core.
COMPACT = 1024


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

    def correct(self, left: Array, right: Array, scratch: Array) -> float:
        """Add ``left @ right.T`` at the existing edges and return the RMS of what was added.

        Parameters
        ----------
        left : ndarray, shape (n_lower, k)
        right : ndarray, shape (n_upper, k)
        scratch : ndarray
            Overwritten; at least twice as many entries as the largest dense block has.
        """
        if self.dense:
            size, inside = self.matrix.size, self.lower == self.upper
            change = scratch[:size].reshape(self.matrix.shape)
            np.matmul(left, right.T, out=change)
            if inside:
                # left @ right.T is symmetric on paper but not in floating point. Half of it plus
                # half of its transpose is, to the bit.
                change *= 0.5
                change = np.add(
                    change, change.T, out=scratch[size : 2 * size].reshape(change.shape)
                )
            square = add_at_edges(self.matrix, change, self.mask) / (1 + inside)
            return float(np.sqrt(square / len(self.edges)))
        matrix = self.matrix
        square = add_at_sparse_edges(matrix.data, matrix.indices, matrix.indptr, left, right)
        return float(np.sqrt(square / len(self.edges)))


class Interactions:
    """What a relaxation needs of a network: free nodes in layers, and the blocks between them.

    Parameters
    ----------
    layer_sizes : sequence of int
        Free nodes of every layer; those of the input layer are clamped, so it has none.
    blocks : list of Block
        Those of the input layer take no part here.
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
        terms[l])``, without the intralayer edges of a dense block, which `inside` gives. The
        matrices are views: they follow every correction.
    inside : dict of int to Block
        The blocks of intralayer edges, by layer.
    """

    def __init__(self, layer_sizes: Sequence[int], blocks: list[Block], dtype: np.dtype) -> None:
        self.blocks, self.dtype = blocks, dtype
        ends = np.cumsum((0, *layer_sizes)).tolist()
        self.rows = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.output = self.rows[-1]
        self.n_free = ends[-1]
        #: whether leaving out nodes at rest can save more than it costs
        self.large = sum(b.matrix.size for b in blocks if b.lower > 0) > LARGE
        #: whether the network is best relaxed node by node, on `dense`; see nodes.py
        self.compact = self.n_free <= COMPACT
        self.inside = {b.lower: b for b in blocks if b.lower == b.upper > 0}
        self.terms: list[list[tuple[Any, slice]]] = [[] for _ in self.rows]
        for block in blocks:
            if block.lower > 0 and not (block.dense and block.lower == block.upper):
                self.terms[block.upper].append((block.matrix.T, self.rows[block.lower]))
                self.terms[block.lower].append((block.matrix, self.rows[block.upper]))

    def part(self, kept: npt.NDArray[np.bool_]) -> Interactions:
        """The interactions of the free nodes in `kept` (n_free,) among themselves; a copy."""
        nodes = [np.flatnonzero(kept[rows]) for rows in self.rows]
        blocks = [
            dataclasses.replace(
                block,
                matrix=block.matrix[nodes[block.lower]][:, nodes[block.upper]],
                mask=None,
            )
            for block in self.blocks
            if block.lower > 0
        ]
        return Interactions([len(each) for each in nodes], blocks, self.dtype)

    def dense(self) -> Array:
        """Weights among the free nodes as one symmetric array, (n_free, n_free); a copy."""
        whole = np.zeros((self.n_free, self.n_free), self.dtype)
        for block in self.blocks:
            if block.lower == 0:
                continue
            lower, upper = self.rows[block.lower], self.rows[block.upper]
            part = block.matrix if block.dense else block.matrix.toarray()
            if block.lower < block.upper:
                whole[lower, upper], whole[upper, lower] = part, part.T
            else:
                whole[lower, lower] = part if block.dense else part + part.T
        return whole

    def field(self, state: Array, drive: Array | None = None) -> Array:
        """Local field ``h = W s + drive`` of every free node; shape (n_free, batch)."""
        field = np.empty_like(state)
        for layer, (rows, terms) in enumerate(zip(self.rows, self.terms, strict=True)):
            block = self.inside.get(layer)
            if block is not None and block.dense:
                terms = [*terms, (block.matrix, rows)]
            products(terms, state, field[rows])
        if drive is not None:
            field += drive
        return field


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
