"""Couplings: weights and biases of a graph, as the matrices that are relaxed and trained.

This is the only place where a graph becomes matrices for training: one block per pair of layers
that has edges, see `interactions`.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.dynamics.interactions import Array, Block, Whole, products
from smallworld_eqprop.dynamics.kernels import add_rows
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph

__all__ = ["Couplings"]

# Below this share of filled places a block is kept sparse. Per place a dense product costs about a
# tenth of a sparse one and a dense update about a thirtieth (benchmarks/ measures both).
DENSE_FROM = 1 / 32

# Among so few free nodes all blocks are dense, and a field is one product: those of single layers
# would cost their calls alone.
COMPACT = 1024

# Up to so many free nodes their weights are copied into one array, of 64 MiB then.
WHOLE = 4096

# Below this share of inputs that are not 0 it pays to pass over the others.
SPARSE_INPUTS = 0.3


class Couplings:
    """Weights W and biases b of a network, arranged for relaxation and for local updates.

    The local field of the free (non-input) nodes is ``h = W s + b`` with the input nodes clamped.
    States are arrays of shape (n_free, batch), inputs (n_inputs, batch), both C order and of the
    couplings' dtype; row i of a state is node ``n_inputs + i`` of the graph.

    Parameters
    ----------
    graph : LayeredGraph
        The topology.
    weights : array_like, shape (n_edges,)
        Weight of every edge, in the order of ``graph.edges``.
    biases : array_like, shape (n_free,), optional
        Bias of every non-input node; zeros when left out.
    dtype : dtype
        float32 by default.

    Attributes
    ----------
    blocks : list of Block
        By lower, then upper layer.
    biases : ndarray, shape (n_free, 1)
    rows : list of slice
        Rows of every layer in a state; the input layer has none.
    output : slice
        Rows of the last layer.
    terms : list of list of (matrix, slice)
        For every layer, the matrices and the rows of the state whose products are its field:
        ``field[rows[l]] = drive[rows[l]] + sum(matrix @ state[source] for matrix, source in
        terms[l])``, without dense intralayer edges, which `inside` gives. The matrices are views:
        they follow every correction.
    inside : dict of int to ndarray or csr_array
        Weights of the intralayer edges, by layer.

    Raises
    ------
    InputError
        If weights or biases have the wrong length or are not finite.
    """

    def __init__(
        self,
        graph: LayeredGraph,
        weights: npt.ArrayLike,
        biases: npt.ArrayLike | None = None,
        dtype: npt.DTypeLike = np.float32,
    ) -> None:
        self.dtype: np.dtype = np.dtype(dtype)
        weights = finite_vector("weights", weights, graph.n_edges, self.dtype)
        ends = np.cumsum((0, 0, *graph.layer_sizes[1:])).tolist()
        self.rows = [slice(a, b) for a, b in itertools.pairwise(ends)]
        self.output, self.n_free = self.rows[-1], ends[-1]
        self.terms: list[list[tuple[Any, slice]]] = [[] for _ in self.rows]
        self.inside: dict[int, Any] = {}
        #: whether all weights among free nodes fit the cache of a core
        self.compact = self.n_free <= COMPACT
        self.blocks = _blocks(graph, weights, self.compact)
        self.layer_sizes, self.n_edges = graph.layer_sizes, graph.n_edges
        self.n_inputs = graph.layer_sizes[0]
        if biases is None:
            biases = np.zeros(self.n_free)
        self.biases = finite_vector("biases", biases, self.n_free, self.dtype)[:, None]
        for block in self.blocks:
            self._connect(block)
        dense = [block.matrix.size for block in self.blocks if block.dense]
        self._scratch = np.empty(max(dense, default=0), self.dtype)
        self._whole: Whole | None = None
        self._stale = True

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.layer_sizes))
        blocks = ", ".join(f"{b.name} {'dense' if b.dense else 'sparse'}" for b in self.blocks)
        return f"Couplings({sizes}, {self.n_edges:,} edges, {self.dtype}; {blocks})"

    def _connect(self, block: Block) -> None:
        lower, upper = block.lower, block.upper
        if lower == upper > 0:
            self.inside[lower] = block.matrix
        if lower > 0 and not (block.dense and lower == upper):
            self.terms[upper].append((block.matrix.T, self.rows[lower]))
            self.terms[lower].append((block.matrix, self.rows[upper]))

    def field(self, state: Array, drive: Array | None = None) -> Array:
        """Local field ``h = W s + drive`` of every free node; shape (n_free, batch)."""
        if self.compact and (whole := self.whole()):
            field = whole.weights @ state
        else:
            field = np.empty_like(state)
            for layer, (rows, terms) in enumerate(zip(self.rows, self.terms, strict=True)):
                if isinstance(inside := self.inside.get(layer), np.ndarray):
                    terms = [*terms, (inside, rows)]
                products(terms, state, field[rows])
        if drive is not None:
            field += drive
        return field

    def whole(self) -> Whole | None:
        """The weights among all free nodes in one array; None where there are too many."""
        if self.n_free > WHOLE:
            return None
        if self._whole is None:
            self._whole = Whole(self.blocks, self.rows, self.dtype)
        if self._stale:
            self._whole.copy(self.blocks)
            self._stale = False
        return self._whole

    def edge_weights(self) -> Array:
        """Weight of every edge in the order of ``graph.edges``; a copy of shape (n_edges,)."""
        weights = np.empty(self.n_edges, self.dtype)
        for block in self.blocks:
            weights[block.edges] = block.edge_weights()
        return weights

    def drive(self, inputs: Array) -> Array:
        """Part of the field that no free node contributes, ``W_in x + b``; shape (n_free, batch).

        It is constant while a batch relaxes, so it is computed once per batch.
        """
        drive = np.zeros((self.n_free, inputs.shape[1]), self.dtype)
        few = np.count_nonzero(inputs) < SPARSE_INPUTS * inputs.size
        for block in self.blocks:
            if block.lower == 0 < block.upper:
                part = drive[self.rows[block.upper]]
                if few and block.dense:
                    part[:] = _from_few(block.matrix, inputs)
                else:
                    products([(block.matrix.T, slice(None))], inputs, part)
        drive += self.biases
        return drive

    def correct(
        self,
        free: Array,
        nudged: Array,
        inputs: Array,
        scale: float,
        rates: npt.ArrayLike,
        bias_rates: npt.ArrayLike | None = None,
    ) -> list[float]:
        r"""Add the contrast of two states, averaged over the batch, to weights and biases.

        .. math:: \Delta W_{ij} = c \, r_l \, \langle \rho_i \rho_j (nudged)
                                  - \rho_i \rho_j (free) \rangle

        on existing edges only, with c = `scale` and r_l the rate of the layer l of the edge's
        output-side end; likewise for the biases.

        Parameters
        ----------
        free, nudged : ndarray, shape (n_free, batch)
            States of the two phases, in [0, 1].
        inputs : ndarray, shape (n_inputs, batch)
        scale : float
            1 / beta.
        rates : array_like, shape (n_layers - 1,)
            Learning rate of every layer after the input.
        bias_rates : array_like, shape (n_layers - 1,), optional
            Learning rate of the biases of these layers; `rates` when left out.

        Returns
        -------
        list of float
            RMS correction of every block, in the order of `blocks`.

        Notes
        -----
        With the difference d = nudged - free and the midpoint m = (nudged + free) / 2 the contrast
        of a pair is d_i m_j + m_i d_j. Nothing nearly equal is subtracted, so float32 suffices.
        """
        rates = np.asarray(rates, float)
        bias_rates = rates if bias_rates is None else np.asarray(bias_rates, float)
        scale /= free.shape[1]
        # Most examples of a trained network are right and were not moved.
        moved = np.flatnonzero((nudged != free).any(axis=0))
        if not moved.size:
            return [0.0] * len(self.blocks)
        self._stale = True
        nudged, free, inputs = nudged[:, moved], free[:, moved], inputs[:, moved]
        difference = nudged - free
        midpoint = nudged + free
        midpoint *= 0.5
        left = np.hstack((difference, midpoint))
        right = np.hstack((midpoint, difference))
        right *= scale
        for rows, rate, bias_rate in zip(self.rows[1:], rates, bias_rates, strict=True):
            right[rows] *= rate
            bias_change = difference[rows].sum(axis=1, keepdims=True)
            self.biases[rows] += bias_change * (scale * bias_rate)
        # Pixels at the margin, and nodes at 0 in both phases of all examples: nothing to add.
        sources = [inputs, *(left[rows] for rows in self.rows[1:])]
        present = [np.flatnonzero(source.any(axis=1)) for source in sources]
        sources = [source[nodes] for source, nodes in zip(sources, present, strict=True)]
        corrections = []
        clamped = right[:, moved.size :]  # an input has no difference: only m_i d_j is left
        for block in self.blocks:
            if block.upper == 0:
                corrections.append(0.0)
                continue
            ends = (right if block.lower else clamped)[self.rows[block.upper]]
            nodes, starts = present[block.lower], sources[block.lower]
            corrections.append(block.correct(nodes, starts, ends, self._scratch))
        return corrections


def _from_few(matrix: Array, inputs: Array) -> Array:
    """``matrix.T @ inputs``, passing over inputs that are 0, which most pixels are."""
    found = np.zeros((inputs.shape[1], matrix.shape[1]), matrix.dtype)
    for values, out in zip(np.ascontiguousarray(inputs.T), found, strict=True):
        add_rows(matrix, 0, values, 0, out)
    return found.T


def finite_vector(name: str, values: npt.ArrayLike, length: int, dtype: npt.DTypeLike) -> Array:
    """A finite vector of the given length, copied."""
    vector = np.array(values, dtype=dtype)
    if vector.shape != (length,):
        raise InputError(f"{name}: shape {vector.shape}, must be ({length},)")
    if not np.isfinite(vector).all():
        raise InputError(f"{name}: entry {np.flatnonzero(~np.isfinite(vector))[0]} is not finite")
    return vector


def _blocks(graph: LayeredGraph, weights: Array, compact: bool) -> list[Block]:
    """One block per pair of layers that has edges, ordered by lower, then upper layer.

    All of a compact network's are dense among the free nodes.
    """
    lower, upper = graph.layers[graph.edges].T
    pairs = lower.astype(np.int64) * graph.n_layers + upper
    # Stable, so that the edges of a block stay in row-major order.
    order = np.argsort(pairs, kind="stable").astype(np.int32)
    names, starts = np.unique(pairs[order], return_index=True)
    blocks = []
    for pair, edges in zip(names.tolist(), np.split(order, starts)[1:], strict=True):
        a, b = divmod(pair, graph.n_layers)
        shape = (graph.layer_sizes[a], graph.layer_sizes[b])
        i = graph.edges[edges, 0] - graph.layer_offsets[a]
        j = graph.edges[edges, 1] - graph.layer_offsets[b]
        places = shape[0] * shape[1]
        if len(edges) < DENSE_FROM * places and not (compact and a > 0):
            indptr = np.searchsorted(i, np.arange(shape[0] + 1)).astype(np.int32)
            csr = sparse.csr_array((weights[edges], j.astype(np.int32), indptr), shape=shape)
            blocks.append(Block(a, b, csr, None, edges))
            continue
        mask = np.zeros(shape, bool)
        mask[i, j] = True
        matrix = np.zeros(shape, weights.dtype)
        matrix[i, j] = weights[edges]
        if a == b:
            mask |= mask.T
            matrix = matrix + matrix.T
        blocks.append(Block(a, b, matrix, mask, edges))
    return blocks
