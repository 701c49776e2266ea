"""Layout: where every parameter of a network lives, as blocks that relaxation multiplies with.

Weights, gradients and the memory of an optimiser share one layout: a list of arrays, one per block.
The edges between layers a < b form one block of shape (n_a, n_b). A block is a dense array where
the edges fill a fair share of it, because BLAS is then faster per edge. Otherwise it is a vector of
the stored entries of a scipy.sparse array, so that memory grows with the number of edges. Every
undirected edge is held once, but a dense block of intralayer edges holds both triangles, because
the relaxation takes rows of it.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.dynamics.kernels import (
    add_at_edges,
    add_at_inside_edges,
    add_at_sparse_edges,
)
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["Array", "Block", "LaidOut", "Layout", "blocks_of", "pair_kind", "pair_name"]

Array = npt.NDArray[np.floating]

# Below this share of filled places a block is kept sparse. Per place a dense product costs about a
# tenth of a sparse one and a dense update about a thirtieth (benchmarks/ measures both).
DENSE_FROM = 1 / 32

# Among so few free nodes all blocks are dense, and a field is one product: those of single layers
# would cost their calls alone.
COMPACT = 1024

# With less than this share of all pairs of free nodes joined, relaxation goes along the edges: at
# 5 % it is about five times as fast as by dense arrays (benchmarks/bench_thin.py).
THIN = 1 / 16


def pair_name(lower: int, upper: int) -> str:
    """What a pair of layers is called in tables and plots."""
    return f"{lower}-{upper}"


def pair_kind(lower: int, upper: int) -> str:
    """Kind of the edges of a pair of layers: ``intralayer``, ``interlayer`` or ``skip``."""
    return ("intralayer", "interlayer", "skip")[min(upper - lower, 2)]


@dataclass(frozen=True, eq=False)
class Block:
    """Places of the edges between layers ``lower <= upper``.

    Attributes
    ----------
    lower, upper : int
        The two layers; equal for a block of intralayer edges.
    shape : tuple of int
        Number of nodes of the two layers.
    edges : ndarray of int
        Positions of the block's edges in ``graph.edges``, in row-major order of the block.
    mask : ndarray of bool or None
        Where a dense block has edges, on both triangles of an intralayer block; None for a sparse
        one.
    columns, indptr : ndarray of int or None
        Places of the entries of a sparse block, as in a CSR matrix; None for a dense one.
    """

    lower: int
    upper: int
    shape: tuple[int, int]
    edges: npt.NDArray[np.integer]
    mask: npt.NDArray[np.bool_] | None
    columns: Any = None
    indptr: Any = None

    @property
    def name(self) -> str:
        """The pair of layers as ``lower-upper``, the label used in tables and plots."""
        return pair_name(self.lower, self.upper)

    @property
    def kind(self) -> str:
        """``intralayer``, ``interlayer`` or ``skip``."""
        return pair_kind(self.lower, self.upper)

    @property
    def dense(self) -> bool:
        """Whether the block is held as a dense array."""
        return self.mask is not None

    @property
    def inside(self) -> bool:
        """Whether the block holds intralayer edges."""
        return self.lower == self.upper

    @cached_property
    def _edge_mask(self) -> npt.NDArray[np.bool_]:
        """Where a dense block has its edges, each once."""
        mask = np.asarray(self.mask)
        return np.triu(mask) if self.inside else mask

    @cached_property
    def full(self) -> bool:
        """Whether every pair of nodes of the two layers has an edge."""
        return self.mask is not None and bool(self.mask.all())

    @property
    def entry_rows(self) -> npt.NDArray[np.int32]:
        """Node of the lower layer of every entry of a sparse block."""
        return np.repeat(np.arange(self.shape[0], dtype=np.int32), np.diff(self.indptr))

    def pack(self, values: Array) -> Array:
        """Values of all edges of the graph, as the array of this block; a copy."""
        own = values[self.edges]
        if self.mask is None:
            return own
        matrix = np.zeros(self.shape, values.dtype)
        matrix[self._edge_mask] = own
        return matrix + matrix.T if self.inside else matrix

    def at_edges(self, array: Array) -> Array:
        """The array without what stands where there is no edge.

        Inside a layer the upper triangle counts, for both.
        """
        if self.mask is None or self.full:
            return array
        kept = array * self._edge_mask
        return kept + kept.T if self.inside else kept

    def unpack(self, array: Array) -> Array:
        """Values of the block's edges, in the order of `edges`; a copy."""
        return array.copy() if self.mask is None else array[self._edge_mask]

    def matrix(self, array: Array) -> Any:
        """The array as a matrix to multiply with; a view. A sparse one has the upper triangle."""
        if self.dense:
            return array
        return sparse.csr_array((array, self.columns, self.indptr), shape=self.shape)

    def sums(self, array: Array) -> tuple[Array, Array]:
        """Sum over the edges of every node of the lower, and of every node of the upper layer."""
        if self.dense:
            upper = array.sum(axis=0)
            return (np.zeros_like(upper) if self.inside else array.sum(axis=1)), upper
        n, m = self.shape
        return (
            np.bincount(self.entry_rows, array, n).astype(array.dtype),
            np.bincount(self.columns, array, m).astype(array.dtype),
        )

    def rms(self, array: Array) -> float:
        """Root mean square over the edges of the block."""
        square = float(np.vdot(array, array)) / (1 + (self.inside and self.dense))
        return float(np.sqrt(square / len(self.edges)))

    def product(self, left: Array, right: Array) -> Array:
        """``left.T @ right`` at the edges, as an array of this block.

        Parameters
        ----------
        left : ndarray, shape (k, n_lower)
        right : ndarray, shape (k, n_upper)
            For a block of intralayer edges ``left.T @ right`` is symmetric but for rounding.
        """
        if self.mask is None:
            out = np.zeros(len(self.edges), left.dtype)
            self._add_sparse(out, np.arange(self.shape[0]), left, right)
            return out
        out = np.empty(self.shape, left.dtype)
        self.fill(out, left, right, slice(None))
        return 0.5 * (out + out.T) if self.inside else out

    def fill(self, out: Array, left: Array, right: Array, columns: slice) -> None:
        """Write some columns of `product`, of a dense block, into an array."""
        out = out[:, columns]
        np.matmul(left.T, right[:, columns], out=out)
        if self.mask is not None and not self.full:
            out *= self.mask[:, columns]

    def add_product(
        self,
        array: Array,
        rows: npt.NDArray[np.intp],
        left: Array,
        right: Array,
        scratch: Array,
    ) -> float:
        """Add ``left.T @ right`` at the edges of these rows, in place; gives the RMS added.

        Parameters
        ----------
        array : ndarray
            Of this block.
        rows : ndarray of int
            Nodes of the lower layer; the edges of all others gain nothing.
        left : ndarray, shape (k, len(rows))
        right : ndarray, shape (k, n_upper)
        scratch : ndarray
            Overwritten; at least as many entries as the largest dense block has.
        """
        if self.mask is None:
            square = self._add_sparse(array, rows, left, right)
        else:
            right = right[:, rows] if self.inside else right
            change = scratch[: len(rows) * right.shape[1]].reshape(len(rows), right.shape[1])
            np.matmul(left.T, right, out=change)
            add = add_at_inside_edges if self.inside else add_at_edges
            square = add(array, rows, change, self.mask)
        return float(np.sqrt(square / len(self.edges)))

    def _add_sparse(self, data: Array, rows: npt.NDArray, left: Array, right: Array) -> float:
        # An edge takes the product of two nodes, so those of a node have to lie side by side.
        ends = np.ascontiguousarray(left.T), np.ascontiguousarray(right.T)
        return add_at_sparse_edges(data, self.columns, self.indptr, rows, *ends)


class Layout:
    """Where the parameters of a graph live.

    Attributes
    ----------
    blocks : list of Block
        By lower, then upper layer. Those between inputs hold weights that do nothing.
    rows : list of slice
        Places of every layer in a state; the input layer has none.
    output : slice
        Places of the last layer.
    n_inputs, n_free : int
    compact : bool
        Whether all weights among free nodes fit the cache of a core.
    thin : bool
        Whether so few free nodes are joined that relaxation goes along the edges.
    """

    def __init__(self, graph: LayeredGraph) -> None:
        ends = np.cumsum((0, 0, *graph.layer_sizes[1:])).tolist()
        self.rows = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.output, self.n_free = self.rows[-1], ends[-1]
        self.n_inputs, self.n_edges = graph.layer_sizes[0], graph.n_edges
        self.compact = self.n_free <= COMPACT
        self.blocks = [_block(graph, *each, self.compact) for each in blocks_of(graph)]
        self._inner = graph.edges[graph.edges.min(axis=1) >= self.n_inputs] - self.n_inputs
        self.thin = 2 * len(self._inner) < THIN * self.n_free**2

    @cached_property
    def neighbours(self) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
        """Both directions of all edges among free nodes, by target, then source.

        Returns
        -------
        first : ndarray, shape (n_free + 1,)
            Node i is the target of the entries from ``first[i]`` up to ``first[i + 1]``, excluded.
        source, target : ndarray, shape (entries,)
        """
        source, target = np.concatenate([self._inner, self._inner[:, ::-1]]).T
        order = np.lexsort((source, target))
        first = np.searchsorted(target[order], np.arange(self.n_free + 1))
        return first, source[order], target[order]

    def pack(self, values: Array) -> list[Array]:
        """Values of the edges, in the order of ``graph.edges``, as one array per block."""
        return [block.pack(values) for block in self.blocks]

    def unpack(self, arrays: list[Array]) -> Array:
        """One value per edge, in the order of ``graph.edges``; a copy."""
        values = np.empty(self.n_edges, arrays[0].dtype if arrays else np.float32)
        for block, array in zip(self.blocks, arrays, strict=True):
            values[block.edges] = block.unpack(array)
        return values


class LaidOut:
    """What a network, of NumPy arrays or on torch, tells of its layout."""

    layout: Layout

    @property
    def n_inputs(self) -> int:
        """Number of input nodes."""
        return self.layout.n_inputs

    @property
    def n_free(self) -> int:
        """Number of free nodes."""
        return self.layout.n_free

    @property
    def rows(self) -> list[slice]:
        """Columns of every layer in a state; the input layer has none."""
        return self.layout.rows

    @property
    def output(self) -> slice:
        """Columns of the last layer in a state."""
        return self.layout.output


def blocks_of(graph: LayeredGraph) -> list[tuple[int, int, npt.NDArray[np.int32]]]:
    """Pairs of layers that have edges, ordered by lower, then upper layer, with these edges."""
    lower, upper = graph.layers[graph.edges].T
    pairs = lower.astype(np.int64) * graph.n_layers + upper
    # Stable, so that the edges of a block stay in row-major order.
    order = np.argsort(pairs, kind="stable").astype(np.int32)
    names, starts = np.unique(pairs[order], return_index=True)
    parts = np.split(order, starts)[1:]
    pairs_named = (divmod(name, graph.n_layers) for name in names.tolist())
    return [(a, b, edges) for (a, b), edges in zip(pairs_named, parts, strict=True)]


def _block(
    graph: LayeredGraph, a: int, b: int, edges: npt.NDArray[np.int32], compact: bool
) -> Block:
    shape = (graph.layer_sizes[a], graph.layer_sizes[b])
    rows = graph.edges[edges, 0] - graph.layer_offsets[a]
    columns = graph.edges[edges, 1] - graph.layer_offsets[b]
    if len(edges) < DENSE_FROM * shape[0] * shape[1] and not (compact and a > 0):
        indptr = np.searchsorted(rows, np.arange(shape[0] + 1)).astype(np.int32)
        return Block(a, b, shape, edges, None, columns.astype(np.int32), indptr)
    mask = np.zeros(shape, bool)
    mask[rows, columns] = True
    if a == b:
        mask |= mask.T
    return Block(a, b, shape, edges, mask)
