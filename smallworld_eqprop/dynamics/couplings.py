"""Couplings: weights and biases of a graph, as the matrices that are relaxed and trained.

This is the only place where a graph becomes matrices for training: one block per pair of layers
that has edges, see `interactions`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.dynamics.interactions import (
    Array,
    Block,
    Interactions,
    Part,
    products,
    reaches,
)
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph

__all__ = ["Couplings"]

# Below this share of filled places a block is kept sparse. Per place a dense product costs about a
# tenth of a sparse one and a dense update about a thirtieth (benchmarks/ measures both).
DENSE_FROM = 1 / 32
SPARSE_COST = 10

# Up to so many free nodes all weights among them fit, as one array, into the cache of one core.
COMPACT = 1024

# Taking a part is worth it up to this share of the cost of the whole.
WORTH = 0.7


class Couplings(Interactions):
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
        dtype = np.dtype(dtype)
        weights = finite_vector("weights", weights, graph.n_edges, dtype)
        super().__init__((0, *graph.layer_sizes[1:]), dtype)
        #: whether the network is best relaxed node by node; see nodes.py
        self.compact = self.n_free <= COMPACT
        self.blocks = _blocks(graph, weights, self.compact)
        self.layer_sizes, self.n_edges = graph.layer_sizes, graph.n_edges
        self.n_inputs = graph.layer_sizes[0]
        if biases is None:
            biases = np.zeros(self.n_free)
        self.biases = finite_vector("biases", biases, self.n_free, self.dtype)[:, None]
        for block in self.blocks:
            self._connect(block)
        self._reaches = reaches(self.blocks, len(self.rows))
        self._cost = sum(
            (2 - (b.dense and b.lower == b.upper))
            * (b.matrix.size if b.dense else SPARSE_COST * b.matrix.nnz)
            for b in self.blocks
            if b.lower > 0
        )
        dense = [block.matrix.size for block in self.blocks if block.dense]
        self._scratch = np.empty(max(dense, default=0), self.dtype)

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

    def part(self, kept: npt.NDArray[np.bool_] | None = None) -> Part:
        """The free nodes in `kept`, of shape (n_free,), as a network of their own; all by default.

        A copy, which does not follow corrections.
        """
        if kept is None:
            kept = np.ones(self.n_free, bool)
        nodes = [np.flatnonzero(kept[rows]) for rows in self.rows]
        return Part(self.blocks, nodes, self.dtype)

    def worth(self, kept: npt.NDArray[np.bool_]) -> bool:
        """Whether sweeps of the part of these nodes are cheap, beside those of all nodes."""
        counts = [int(np.count_nonzero(kept[rows])) for rows in self.rows]
        cost = 0
        for layer, (first, last) in self._reaches.items():
            own = layer not in self.inside and first < layer < last
            cost += counts[layer] * (sum(counts[first : last + 1]) - own * counts[layer])
        return cost < WORTH * self._cost

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
        for block in self.blocks:
            if block.lower == 0 < block.upper:
                products([(block.matrix.T, slice(None))], inputs, drive[self.rows[block.upper]])
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

    All of a compact network's are dense among the free nodes: it is relaxed as one array anyway.
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
