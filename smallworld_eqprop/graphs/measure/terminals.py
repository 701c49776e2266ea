"""Inputs and outputs of a graph: the layers of a layered one, arguments for every other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import Graph
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.measure.distances import checked_nodes

__all__ = ["input_nodes", "joined_pairs", "output_nodes", "terminals"]

Nodes = npt.NDArray[np.int64]


def terminals(
    graph: Graph,
    adjacency: sparse.csr_array,
    inputs: npt.ArrayLike | None,
    outputs: npt.ArrayLike | None,
) -> tuple[Nodes, Nodes]:
    """Give the node numbers of inputs and outputs.

    Raises
    ------
    InputError
        If a graph without layers comes without them, a node is absent, named twice or in both, or
        there is no node.
    """
    sources = input_nodes(graph, adjacency, inputs)
    targets = output_nodes(graph, adjacency, outputs)
    both = np.intersect1d(sources, targets)
    if both.size:
        raise InputError(f"inputs: node {both[0]} is among the outputs, too; give it one role")
    return sources, targets


def input_nodes(graph: Graph, adjacency: sparse.csr_array, inputs: npt.ArrayLike | None) -> Nodes:
    """Give the node numbers of the inputs; see `terminals`."""
    return _nodes("inputs", graph, adjacency, inputs, 0)


def output_nodes(graph: Graph, adjacency: sparse.csr_array, outputs: npt.ArrayLike | None) -> Nodes:
    """Give the node numbers of the outputs; see `terminals`."""
    return _nodes("outputs", graph, adjacency, outputs, -1)


def _nodes(
    name: str,
    graph: Graph,
    adjacency: sparse.csr_array,
    given: npt.ArrayLike | None,
    layer: int,
) -> Nodes:
    if given is None:
        if not isinstance(graph, LayeredGraph):
            raise InputError(f"{name}: none given, and the graph has no layers; give node numbers")
        return np.arange(graph.n_nodes)[graph.layer_slice(layer)]
    nodes = checked_nodes(given, adjacency, name)
    if not nodes.size:
        raise InputError(f"{name}: no node; give at least one")
    return nodes


def joined_pairs(adjacency: sparse.csr_array, inputs: Nodes, outputs: Nodes) -> int:
    """Count the (input, output) pairs that a path joins."""
    n_parts, labels = connected_components(adjacency, directed=False)
    ends = [np.bincount(labels[nodes], minlength=n_parts) for nodes in (inputs, outputs)]
    return int(ends[0] @ ends[1])
