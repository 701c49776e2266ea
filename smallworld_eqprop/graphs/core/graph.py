"""The graph object: nodes in layers, one canonical edge array, everything else derived from it."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.arguments import Symmetrise, checked_labels, checked_sizes
from smallworld_eqprop.graphs.core.attributes import carried, checked_data, edge_numbers
from smallworld_eqprop.graphs.core.edges import (
    canonical_edges,
    edge_keys,
    edge_order,
    keys_to_edges,
    places_of,
    read_only,
    replace_keys,
)

if TYPE_CHECKING:
    import igraph
    import networkx as nx
    from matplotlib.axes import Axes

__all__ = ["LayeredGraph"]


@dataclass(frozen=True, eq=False, repr=False)
class LayeredGraph:
    """An undirected simple graph whose nodes lie in consecutive layers.

    Nodes are numbered layer by layer: the inputs are ``0 .. layer_sizes[0] - 1`` and the outputs
    are the last layer. Edges may join any two nodes, of whatever layers. The object is immutable:
    transformations return a new graph and append how it was made to `provenance`.

    Two graphs are equal when their layer sizes and their edges are; provenance, labels and data
    do not count.

    Edges and nodes may carry data, which every function that changes edges takes along: an edge
    that stays keeps its values, an edge that moves keeps them at its new place, and a new edge has
    none: NaN for numbers, "" for text, ``trainable`` True and ``sign`` 0.

    Parameters
    ----------
    layer_sizes : sequence of int
        Number of nodes of every layer, inputs first; at least two layers of at least one node.
    edges : array_like of int, shape (n_edges, 2)
        Node pairs in any order and orientation, each once. Stored as int32 with u < v, sorted
        lexicographically, in an array that cannot be written to.
    provenance : sequence of mapping, optional
        The steps that made the graph, each writable as JSON.
    labels : sequence of hashable, optional
        Outside names of the nodes, one per node; None where the node numbers are the names.
    edge_data : mapping of str to array_like, optional
        One value per edge, in the order in which `edges` are given: numbers, text, or True and
        False. Stored in the order of the sorted edges, read-only. ``weight`` and ``length`` are
        numbers; training keeps to ``trainable`` (False: the weight stays) and ``sign`` (1: not
        negative, -1: not positive, 0: any).
    node_data : mapping of str to array_like, optional
        One value per node; ``position`` has two or three coordinates for each. ``sign`` is that of
        a node's edges toward the outputs, see `smallworld_eqprop.dynamics.constraints`.

    Raises
    ------
    InputError
        If a layer is empty, an edge names a node that is not there, is a self-loop or occurs
        twice, the labels are not one distinct label per node, or data are not one value each.

    Examples
    --------
    >>> LayeredGraph((2, 1, 1), [(0, 2), (1, 2), (2, 3)])
    LayeredGraph(2-1-1, 3 edges)
    """

    layer_sizes: tuple[int, ...]
    edges: npt.NDArray[np.int32]
    provenance: tuple[dict[str, Any], ...] = ()
    labels: tuple[Hashable, ...] | None = None
    edge_data: Mapping[str, npt.NDArray] = field(default_factory=dict)
    node_data: Mapping[str, npt.NDArray] = field(default_factory=dict)
    # networkx functions take the graph as it is: see convert/backend.py.
    __networkx_backend__ = "smallworld_eqprop"

    def __post_init__(self) -> None:
        sizes = checked_sizes(self.layer_sizes)
        edges = canonical_edges(self.edges, sum(sizes))
        labels = None if self.labels is None else checked_labels(self.labels, sum(sizes))
        order = edge_order(self.edges, sum(sizes)) if self.edge_data else None
        edge_data = checked_data("edge_data", self.edge_data, len(edges), order)
        node_data = checked_data("node_data", self.node_data, sum(sizes))
        object.__setattr__(self, "edge_data", edge_data)
        object.__setattr__(self, "node_data", node_data)
        object.__setattr__(self, "layer_sizes", sizes)
        object.__setattr__(self, "edges", edges)
        object.__setattr__(self, "provenance", tuple(dict(step) for step in self.provenance))
        object.__setattr__(self, "labels", labels)

    @property
    def n_layers(self) -> int:
        """Number of layers, inputs and outputs included."""
        return len(self.layer_sizes)

    @cached_property
    def n_nodes(self) -> int:
        """Number of nodes."""
        return sum(self.layer_sizes)

    @property
    def n_edges(self) -> int:
        """Number of undirected edges."""
        return len(self.edges)

    @cached_property
    def layer_offsets(self) -> npt.NDArray[np.int64]:
        """First node of every layer, then `n_nodes`; shape (n_layers + 1,)."""
        return read_only(np.concatenate(([0], np.cumsum(self.layer_sizes, dtype=np.int64))))

    @cached_property
    def layers(self) -> npt.NDArray[np.int32]:
        """Layer of every node; shape (n_nodes,)."""
        return read_only(np.repeat(np.arange(self.n_layers, dtype=np.int32), self.layer_sizes))

    @cached_property
    def layer_span(self) -> npt.NDArray[np.int32]:
        """How many layers apart the two ends of every edge are; shape (n_edges,)."""
        # Numbering runs layer by layer, so u < v makes this non-negative.
        return read_only(self.layers[self.edges[:, 1]] - self.layers[self.edges[:, 0]])

    @cached_property
    def intralayer(self) -> npt.NDArray[np.bool_]:
        """Mask of the edges inside one layer; shape (n_edges,)."""
        return read_only(self.layer_span == 0)

    @cached_property
    def interlayer(self) -> npt.NDArray[np.bool_]:
        """Mask of the edges between adjacent layers; shape (n_edges,)."""
        return read_only(self.layer_span == 1)

    @cached_property
    def skip(self) -> npt.NDArray[np.bool_]:
        """Mask of the layer-skipping edges, at least two layers apart; shape (n_edges,)."""
        return read_only(self.layer_span >= 2)

    def layer_slice(self, layer: int) -> slice:
        """Nodes of one layer, as a slice; negative numbers count from the outputs.

        Raises
        ------
        InputError
            If there is no such layer.
        """
        if not -self.n_layers <= layer < self.n_layers:
            raise InputError(f"layer: {layer}; the graph has layers 0 to {self.n_layers - 1}")
        start = layer % self.n_layers
        return slice(int(self.layer_offsets[start]), int(self.layer_offsets[start + 1]))

    def adjacency(self, values: str | None = None) -> sparse.csr_array:
        """Symmetric adjacency matrix, zero diagonal; shape (n_nodes, n_nodes).

        Of float32 ones, or of the edge data of that name, as ``adjacency("weight")``.

        Raises
        ------
        InputError
            If there are no such data, or they are no numbers or lack values.
        """
        u, v = self.edges.T
        numbers = np.ones(2 * self.n_edges, dtype=np.float32)
        if values is not None:
            numbers = np.tile(edge_numbers(self.edge_data, values), 2)
        ends = (np.concatenate((u, v)), np.concatenate((v, u)))
        matrix = sparse.coo_array((numbers, ends), shape=(self.n_nodes, self.n_nodes)).tocsr()
        matrix.sort_indices()
        return matrix

    def is_directed(self) -> bool:
        """Give False: what networkx asks before it takes a graph."""
        return False

    def is_multigraph(self) -> bool:
        """Give False: what networkx asks before it takes a graph."""
        return False

    def number_of_nodes(self) -> int:
        """Give `n_nodes`, under networkx's name."""
        return self.n_nodes

    def number_of_edges(self) -> int:
        """Give `n_edges`, under networkx's name."""
        return self.n_edges

    def __len__(self) -> int:
        return self.n_nodes

    def replace_edges(
        self, edges: npt.ArrayLike, step: Mapping[str, Any] | None = None
    ) -> LayeredGraph:
        """Give the graph with the same nodes and other edges, `step` appended to its provenance.

        Edges that were there keep their data; new ones have no values.
        """
        changed = replace(self, edges=np.asarray(edges), provenance=self._steps(step), edge_data={})
        if not self.edge_data:
            return changed
        keys = [edge_keys(each, self.n_nodes) for each in (changed.edges, self.edges)]
        return replace(changed, edge_data=carried(self.edge_data, places_of(*keys)))

    def move_edges(
        self,
        moved: npt.NDArray[np.int64],
        keys: npt.NDArray[np.int64],
        step: Mapping[str, Any] | None = None,
    ) -> LayeredGraph:
        """Give the graph with some edges at new places, to which they take their data along.

        Parameters
        ----------
        moved : ndarray of int
            Edges, by their numbers.
        keys : ndarray of int
            Their new places, as ``u * n_nodes + v``.
        step : mapping, optional
            Appended to the provenance.
        """
        if not self.edge_data:
            merged = replace_keys(edge_keys(self.edges, self.n_nodes), moved, keys)
            edges = keys_to_edges(merged, self.n_nodes)
        else:
            edges = self.edges.copy()
            edges[moved] = keys_to_edges(keys, self.n_nodes)
        return replace(self, edges=edges, provenance=self._steps(step))

    def _steps(self, step: Mapping[str, Any] | None) -> tuple[dict[str, Any], ...]:
        return self.provenance if step is None else (*self.provenance, dict(step))

    @classmethod
    def from_networkx(
        cls,
        graph: nx.Graph,
        inputs: Iterable[Hashable] | None = None,
        outputs: Iterable[Hashable] | None = None,
        *,
        symmetrise: Symmetrise = "max",
    ) -> LayeredGraph:
        """Take in any networkx graph.

        See `smallworld_eqprop.graphs.convert.interop.from_networkx`.
        """
        from smallworld_eqprop.graphs.convert.interop import from_networkx

        return from_networkx(graph, inputs, outputs, symmetrise=symmetrise)

    @classmethod
    def from_igraph(
        cls,
        graph: igraph.Graph,
        inputs: Iterable[Hashable] | None = None,
        outputs: Iterable[Hashable] | None = None,
        *,
        symmetrise: Symmetrise = "max",
    ) -> LayeredGraph:
        """Take in any igraph graph; see `smallworld_eqprop.graphs.convert.interop.from_igraph`."""
        from smallworld_eqprop.graphs.convert.interop import from_igraph

        return from_igraph(graph, inputs, outputs, symmetrise=symmetrise)

    @classmethod
    def from_sparse(
        cls,
        matrix: Any,
        inputs: Iterable[int] | None = None,
        outputs: Iterable[int] | None = None,
        *,
        layer_sizes: Iterable[int] | None = None,
        symmetrise: Symmetrise = "max",
    ) -> LayeredGraph:
        """Take in an adjacency matrix.

        See `smallworld_eqprop.graphs.convert.interop.from_sparse`.
        """
        from smallworld_eqprop.graphs.convert.interop import from_sparse

        return from_sparse(matrix, inputs, outputs, layer_sizes=layer_sizes, symmetrise=symmetrise)

    def to_networkx(self) -> nx.Graph:
        """Give it as networkx graph; see `smallworld_eqprop.graphs.convert.interop.to_networkx`."""
        from smallworld_eqprop.graphs.convert.interop import to_networkx

        return to_networkx(self)

    def to_igraph(self) -> igraph.Graph:
        """Give it as igraph graph; see `smallworld_eqprop.graphs.convert.interop.to_igraph`."""
        from smallworld_eqprop.graphs.convert.interop import to_igraph

        return to_igraph(self)

    def draw(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the layers and edges; see `smallworld_eqprop.graphs.draw.draw`."""
        from smallworld_eqprop.graphs.draw.drawing import draw

        return draw(self, ax, **options)

    def spy(self, ax: Axes | None = None, **options: Any) -> Axes:
        """Draw the adjacency matrix; see `smallworld_eqprop.graphs.draw.spy`."""
        from smallworld_eqprop.graphs.draw.drawing import spy

        return spy(self, ax, **options)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LayeredGraph):
            return NotImplemented
        return self.layer_sizes == other.layer_sizes and np.array_equal(self.edges, other.edges)

    @cached_property
    def _hash(self) -> int:
        return hash((self.layer_sizes, self.edges.tobytes()))

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[Any, ...]:
        # Through the constructor, so that a copy from another process is read-only too.
        data = dict(self.edge_data), dict(self.node_data)
        return LayeredGraph, (self.layer_sizes, self.edges, self.provenance, self.labels, *data)

    def __repr__(self) -> str:
        sizes = "-".join(str(size) for size in self.layer_sizes)
        made = " > ".join(_describe(step) for step in self.provenance)
        return f"LayeredGraph({sizes}, {self.n_edges:,} edges{'; ' if made else ''}{made})"


def _describe(step: Mapping[str, Any]) -> str:
    details = ", ".join(
        f"{key}={value:.4g}" if isinstance(value, float) else f"{key}={value}"
        for key, value in step.items()
        if key not in ("step", "sizes")
        and value is not None
        # What was not found when a graph came in is not worth telling.
        and not (value == 0 and key.endswith(("_left_out", "_merged")))
    )
    return f"{step.get('step', 'unknown')}{f'({details})' if details else ''}"
