"""Graphs from elsewhere, whatever their source, made undirected, simple and layered by one rule.

- **What is an edge.** Two nodes that are joined by a weight other than 0, or that are listed as
  joined where there are no weights. An edge of weight 0 is left out, and so is a self-loop.
- **What is a weight.** The edge attribute ``weight``, or an entry of a matrix that is not all zeros
  and ones: a finite number of either sign. A weight that is NaN, infinite or not a number is
  refused. An edge that has no weight where others have one gets NaN, which stands for no value.
- **Symmetrising.** Edges that join the same two nodes, in one direction or in both, become one: the
  one with the largest absolute weight, with all its data; among equals the first. Of a directed
  graph this is the rule ``max``, one of three. ``mean``: the weight is the mean of the two
  directions, 0 where there is none, 1 where there are no weights at all; two that cancel are no
  edge. ``or``: an edge where there is one in either direction, without weight. All other data are
  those of the largest. The rule is recorded as ``symmetrised``.
- **Layers.** With chosen inputs and outputs, the inputs become the first layer and the outputs the
  last, each in the order given. Every other node goes to a hidden layer by its hop distance from
  the nearest input, in the order of the graph; distances at which there is no hidden node are left
  out. Every output must be reachable from an input. Nodes that no input reaches can have no effect
  and are left out; so are edges between two inputs, whose states are clamped. Without them, a node
  attribute ``layer`` (0, 1, ...) on every node is taken as it stands.

What was left out is counted in the last provenance step.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.choice import Choice, chosen, roles_of
from smallworld_eqprop.graphs.convert.provenance import read_steps
from smallworld_eqprop.graphs.core.arguments import BYTES_PER_NODE, Symmetrise, check_symmetrise
from smallworld_eqprop.graphs.core.edges import edge_keys
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.memory import require_memory

__all__ = ["Outside", "layered_from", "of_matrix"]


@dataclass(frozen=True)
class Outside:
    """A graph as it came.

    Attributes
    ----------
    step : str
        How it came, as provenance says it.
    names : sequence of hashable
    pairs : ndarray of int64, shape (n, 2)
        Source and target of every edge, by number.
    directed : bool
    edge_data, node_data : dict of str to ndarray
    layers : sequence or None
        Of every node, if it is known.
    provenance : object
        Earlier steps, as our own export writes them.
    """

    step: str
    names: Sequence[Hashable]
    pairs: npt.NDArray[np.int64]
    directed: bool = False
    edge_data: dict[str, npt.NDArray] = field(default_factory=dict)
    node_data: dict[str, npt.NDArray] = field(default_factory=dict)
    layers: Sequence[Any] | None = None
    provenance: object = ()

    def simple(
        self, symmetrise: Symmetrise = "max"
    ) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray], dict[str, Any]]:
        """Edges u < v, each once and sorted, their data, and what was left out."""
        check_symmetrise(symmetrise)
        kept = self.pairs[:, 0] != self.pairs[:, 1]
        step: dict[str, Any] = {
            "step": self.step,
            "self_loops_left_out": int((~kept).sum()),
            "parallel_edges_merged": 0,
        }
        weights = self.edge_data.get("weight")
        if weights is not None:
            zero = kept & (weights == 0)
            step["zero_weights_left_out"] = int(zero.sum())
            kept &= ~zero
        numbers = np.flatnonzero(kept)
        arcs, n = self.pairs[numbers], max(len(self.names), 1)
        keys = edge_keys(np.sort(arcs, axis=1), n)
        # Sorted by place, the heaviest first; NaN, no weight, comes last.
        heavy = np.zeros(len(numbers)) if weights is None else -np.abs(weights[numbers])
        order = np.lexsort((heavy, keys))
        first = np.ones(len(order), dtype=np.bool_)
        first[1:] = np.diff(keys[order]) != 0
        merged = len(order) - int(first.sum())
        if self.directed:
            ways = len(np.unique(edge_keys(arcs, n)))
            step["directed_edges"] = ways
            step["reciprocal_pairs_merged"] = ways - int(first.sum())
            step["symmetrised"] = symmetrise
            merged = len(order) - ways
        step["parallel_edges_merged"] = merged
        taken = numbers[order[first]]
        data = {name: array[taken] for name, array in self.edge_data.items()}
        pairs = np.sort(self.pairs[taken], axis=1)
        if self.directed and symmetrise == "or":
            data.pop("weight", None)
        elif self.directed and symmetrise == "mean":
            data["weight"] = self._means(numbers[order], np.cumsum(first) - 1)
            kept = data["weight"] != 0
            step["cancelled_left_out"] = int((~kept).sum())
            pairs, data = pairs[kept], {name: array[kept] for name, array in data.items()}
        return pairs, data, step

    def _means(
        self, numbers: npt.NDArray[np.intp], places: npt.NDArray[np.intp]
    ) -> npt.NDArray[np.float64]:
        """Mean weight of the two directions of every pair, from edges at these places.

        The heaviest edge of a direction stands first.
        """
        weights = self.edge_data.get("weight", np.ones(len(self.pairs)))[numbers]
        upward = self.pairs[numbers, 0] < self.pairs[numbers, 1]
        ways = np.zeros((2, int(places.max(initial=-1)) + 1))
        # Written backwards, so that the first of a direction stays.
        ways[upward[::-1].astype(np.intp), places[::-1]] = weights[::-1]
        return ways.mean(axis=0)


def layered_from(
    source: Outside, inputs: Choice, outputs: Choice, symmetrise: Symmetrise = "max"
) -> LayeredGraph:
    """Clean the edges, place every node in a layer and number the nodes layer by layer."""
    names, n_nodes = source.names, len(source.names)
    simple, edge_data, step = source.simple(symmetrise)
    if inputs is None and outputs is None:
        layers = _checked_layers(source)
        order = np.argsort(layers, kind="stable")
        sizes = np.bincount(layers)
    elif inputs is None or outputs is None:
        raise InputError(f"{'inputs' if inputs is None else 'outputs'}: none; give both or neither")
    else:
        first = chosen("inputs", inputs, names, source.node_data)
        last = chosen("outputs", outputs, names, source.node_data)
        both = np.intersect1d(first, last)
        if both.size:
            raise InputError(f"outputs: {names[both[0]]!r} is an input too; choose other outputs")
        clamped = np.isin(simple, first).all(axis=1)
        simple = simple[~clamped]
        edge_data = {name: array[~clamped] for name, array in edge_data.items()}
        order, sizes = _hop_layers(simple, names, first, last)
        step["input_edges_left_out"] = int(clamped.sum())
        step["unreachable_nodes_left_out"] = n_nodes - len(order)
    number = np.full(n_nodes, -1, dtype=np.int64)
    number[order] = np.arange(len(order))
    ends = number[simple]
    there = (ends >= 0).all(axis=1)
    labels: tuple[Hashable, ...] | None = tuple(names[i] for i in order)
    if labels == tuple(range(len(order))):
        labels = None
    return LayeredGraph(
        tuple(sizes.tolist()),
        cast("npt.NDArray[np.int32]", ends[there].astype(np.int32)),
        (*read_steps(source.provenance), step),
        labels,
        {name: array[there] for name, array in edge_data.items()},
        {name: array[order] for name, array in source.node_data.items()},
    )


def of_matrix(
    matrix: Any, step: str, names: Sequence[Hashable] | None = None, where: str = "matrix"
) -> Outside:
    """A square matrix, sparse or not, as a graph.

    A symmetric or triangular matrix is an undirected graph, any other a directed one, from row to
    column.

    Raises
    ------
    InputError
        If it is not square, memory does not hold it, or an entry is not finite or no number.
    """
    if not sparse.issparse(matrix) and np.ndim(matrix) != 2:
        raise InputError(f"{where}: shape {np.shape(matrix)}; give a square adjacency matrix")
    try:
        entries = sparse.coo_array(matrix)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: not a matrix of numbers ({error})") from None
    if entries.shape[0] != entries.shape[1]:
        raise InputError(f"{where}: shape {entries.shape}; give a square adjacency matrix")
    if entries.dtype.kind not in "biuf":
        raise InputError(f"{where}: entries of type {entries.dtype}; give numbers")
    # Few entries may have any number of rows.
    rows = f"{where}: {entries.shape[0]} rows"
    require_memory(entries.shape[0] * BYTES_PER_NODE, rows, "give a smaller matrix")
    bad = ~np.isfinite(entries.data)
    if bad.any():
        raise InputError(
            f"{where}: {entries.data[bad][0]} among its entries; give 0 where there is no edge"
        )
    entries.sum_duplicates()
    entries.eliminate_zeros()
    upper, lower = sparse.triu(entries, k=1), sparse.tril(entries, k=-1)
    directed = False
    if upper.nnz and lower.nnz:
        apart = abs(upper - lower.T)
        # The two sides of a computed matrix may differ in the last digits.
        same = upper.nnz == lower.nnz and (
            not apart.nnz or apart.max() <= 1e-9 * np.abs(entries.data).max()
        )
        directed = not same
        if same:
            entries = sparse.triu(entries).tocoo()
    pairs = np.column_stack((entries.row, entries.col)).astype(np.int64)
    weights = {} if (entries.data == 1).all() else {"weight": entries.data.astype(np.float64)}
    return Outside(step, range(entries.shape[0]) if names is None else names, pairs, directed,
                   weights)  # fmt: skip


def _hop_layers(
    edges: npt.NDArray[np.integer],
    names: Sequence[Hashable],
    inputs: npt.NDArray[np.int64],
    outputs: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Nodes in layer order, hidden ones by hops from the inputs, and the layer sizes."""
    hops = _hops(edges, len(names), inputs)
    lost = outputs[hops[outputs] < 0]
    if lost.size:
        listed = ", ".join(repr(names[i]) for i in lost[:5])
        more = f" and {lost.size - 5} more" if lost.size > 5 else ""
        raise InputError(
            f"outputs: {listed}{more} cannot be reached from the inputs; connect them or choose "
            "other outputs"
        )
    hidden = np.setdiff1d(np.flatnonzero(hops > 0), outputs)
    hidden = hidden[np.argsort(hops[hidden], kind="stable")]
    _, counts = np.unique(hops[hidden], return_counts=True)
    sizes = np.concatenate(([len(inputs)], counts, [len(outputs)]))
    return np.concatenate((inputs, hidden, outputs)), sizes


def _hops(
    edges: npt.NDArray[np.integer], n_nodes: int, sources: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Hop distance of every node from the nearest source, -1 where there is no path."""
    ends = np.concatenate((edges, edges[:, ::-1]))
    neighbours = sparse.csr_array(
        (np.ones(len(ends), dtype=np.int8), ends.T), shape=(n_nodes, n_nodes)
    )
    hops = np.full(n_nodes, -1, dtype=np.int64)
    front, distance = sources, 0
    while front.size:
        hops[front] = distance
        reached = np.unique(neighbours[front].indices).astype(np.int64)
        front, distance = reached[hops[reached] < 0], distance + 1
    return hops


def _checked_layers(source: Outside) -> npt.NDArray[np.int64]:
    try:
        layers = np.array([float(each) for each in source.layers or ()])
    except (TypeError, ValueError):
        layers = np.empty(0)
    if not len(layers) or not np.array_equal(np.unique(layers), np.arange(len(set(layers)))):
        roles = roles_of(source.node_data)
        by = f", by name or as 'name=value': {roles}" if roles else ""
        raise InputError(
            "inputs: none, and the nodes have no layers 0, 1, ... either; give inputs and "
            f"outputs{by}"
        )
    return layers.astype(np.int64)
