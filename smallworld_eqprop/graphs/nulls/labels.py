"""Which edges may be switched or exchange weights: those of one sign, between two blocks."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import Graph, weighted_adjacency
from smallworld_eqprop.graphs.core.attributes import edge_numbers
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["Labelled", "check_layered", "checked_blocks", "labelled", "weighted_edges"]


class Labelled(NamedTuple):
    """Edges and their labels, as `exchange` takes them.

    Attributes
    ----------
    edges : ndarray of int, shape (n_edges, 2)
        An edge without a direction runs from the lower block to the higher one.
    swapped : ndarray of bool, shape (n_edges,)
        Which edges were turned for that.
    labels : ndarray of int64, shape (n_edges,)
    turns, one_way : ndarray of bool, shape (n_labels,)
        See `exchange`.
    """

    edges: npt.NDArray[np.int64]
    swapped: npt.NDArray[np.bool_]
    labels: npt.NDArray[np.int64]
    turns: npt.NDArray[np.bool_]
    one_way: npt.NDArray[np.bool_]


def labelled(
    edges: npt.NDArray[np.integer],
    codes: npt.NDArray[np.integer | np.bool_],
    blocks: npt.NDArray[np.int64],
    directed: npt.NDArray[np.bool_] | None = None,
) -> Labelled:
    """Give edges of one code, between the same two blocks, one label.

    Parameters
    ----------
    edges : ndarray of int, shape (n_edges, 2)
    codes : ndarray of int, shape (n_edges,)
        From 0 up, such as whether the weight is negative.
    blocks : ndarray of int64, shape (n_nodes,)
    directed : ndarray of bool, shape (n_edges,), optional
        Which edges have a direction; none by default. Edges of one code agree.
    """
    if directed is None:
        directed = np.zeros(len(edges), dtype=np.bool_)
    swapped = ~directed & (blocks[edges[:, 0]] > blocks[edges[:, 1]])
    ends = np.where(swapped[:, None], edges[:, ::-1], edges).astype(np.int64)
    n_blocks = int(blocks.max(initial=0)) + 1
    first, second = blocks[ends].T
    keys, where, labels = np.unique(
        (codes * n_blocks + first) * n_blocks + second, return_index=True, return_inverse=True
    )
    one_way = directed[where]
    same = (keys // n_blocks) % n_blocks == keys % n_blocks
    return Labelled(ends, swapped, labels.reshape(-1), same & ~one_way, one_way)


def checked_blocks(blocks: npt.ArrayLike | None, n_nodes: int) -> npt.NDArray[np.int64]:
    """Give the block of every node, numbered from 0; all in one where none are given.

    Raises
    ------
    InputError
        If there is not one label per node.
    """
    if blocks is None:
        return np.zeros(n_nodes, dtype=np.int64)
    given = np.asarray(blocks)
    if given.shape != (n_nodes,) or given.dtype.kind not in "biuU":
        raise InputError(
            f"blocks: an array of shape {given.shape} and type {given.dtype}; give a whole number "
            f"or a name for each of {n_nodes} nodes, such as graph.layers"
        )
    return np.unique(given, return_inverse=True)[1].reshape(-1)


def weighted_edges(graph: Graph) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], int]:
    """Give the edges of a graph, their weights, which may be negative, and the number of nodes.

    A LayeredGraph has all its edges, also those of weight 0.

    Raises
    ------
    InputError
        As `weighted_adjacency`.
    """
    if isinstance(graph, LayeredGraph):
        weights = np.ones(graph.n_edges)
        if "weight" in graph.edge_data:
            weights = edge_numbers(graph.edge_data, "weight").astype(np.float64)
        return graph.edges, weights, graph.n_nodes
    upper = sparse.triu(weighted_adjacency(graph, signed=True), format="csr")
    upper.sort_indices()
    upper = upper.tocoo()
    return np.column_stack((upper.row, upper.col)).astype(np.int32), upper.data, upper.shape[0]


def check_layered(g: object) -> None:
    """Refuse a graph without layers.

    Raises
    ------
    InputError
        If it is no LayeredGraph.
    """
    if not isinstance(g, LayeredGraph):
        raise InputError(
            f"graph: a {type(g).__name__} has no layers; give a LayeredGraph, for example by "
            "LayeredGraph.from_networkx(graph, inputs, outputs)"
        )
