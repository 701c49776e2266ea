"""Where nodes sit on a chip, how long the wires between them are, and how many meet at a node.

Lengths are in units of the pitch, the distance of two neighbouring nodes, where positions are those
of `node_positions`; otherwise in the unit of the positions that the graph has.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.hardware.checks import check_choice

__all__ = ["Distance", "fan_in", "fan_out", "node_positions", "wire_lengths"]

Distance = Literal["manhattan", "euclidean"]


def node_positions(graph: LayeredGraph) -> npt.NDArray[np.float64]:
    r"""Give the position of every node: as the graph has it, or by layers on a grid.

    Without node data ``position``, every layer is a block of nodes on a square grid of pitch 1,
    :math:`\lceil \sqrt{n} \rceil` wide and filled row by row, so that a layer of 784 inputs is the
    image of 28 x 28 pixels. The blocks lie side by side, inputs on the left and outputs on the
    right, one empty column between two blocks, their middles at the same height.

    Parameters
    ----------
    graph : LayeredGraph

    Returns
    -------
    ndarray of float64, shape (n_nodes, 2) or (n_nodes, 3)

    Raises
    ------
    InputError
        If some nodes have a position and others have none.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> node_positions(layered((4, 1))).tolist()
    [[0.0, 0.5], [1.0, 0.5], [0.0, -0.5], [1.0, -0.5], [3.0, 0.0]]
    """
    if "position" in graph.node_data:
        positions = graph.node_data["position"].astype(np.float64)
        if missing := int(np.isnan(positions).any(axis=1).sum()):
            raise InputError(
                f"node_data 'position': {missing} of {graph.n_nodes} nodes have none; give every "
                "node one, or leave them out for a place by layers"
            )
        return positions
    blocks, left = [], 0
    for size in graph.layer_sizes:
        width = int(np.ceil(np.sqrt(size)))
        row, column = np.divmod(np.arange(size), width)
        height = (size - 1) // width
        blocks.append(np.column_stack((left + column, height / 2 - row)))
        left += width + 1
    return np.concatenate(blocks).astype(np.float64)


def wire_lengths(graph: LayeredGraph, distance: Distance = "manhattan") -> npt.NDArray[np.float64]:
    """Give the length of the wire of every edge, the distance of its two ends.

    Parameters
    ----------
    graph : LayeredGraph
    distance : {"manhattan", "euclidean"}
        Along the axes, as wires of a chip run, or straight.

    Returns
    -------
    ndarray of float64, shape (n_edges,)

    Raises
    ------
    InputError
        If there is no such distance, or some nodes have no position.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> wire_lengths(layered((4, 1))).tolist()
    [3.5, 2.5, 3.5, 2.5]
    """
    check_choice("distance", distance, get_args(Distance))
    positions = node_positions(graph)
    apart = positions[graph.edges[:, 1]] - positions[graph.edges[:, 0]]
    if distance == "euclidean":
        return np.sqrt(np.square(apart).sum(axis=1))
    return np.abs(apart).sum(axis=1)


def fan_in(graph: LayeredGraph) -> npt.NDArray[np.int64]:
    """Give how many wires bring values to every node that is no input.

    A node that relaxes takes values from all its neighbours.

    Parameters
    ----------
    graph : LayeredGraph

    Returns
    -------
    ndarray of int64, shape (n_nodes - n_inputs,)

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> fan_in(layered((4, 2, 1))).tolist()
    [5, 5, 2]
    """
    return np.bincount(graph.edges.ravel(), minlength=graph.n_nodes)[graph.layer_sizes[0] :]


def fan_out(graph: LayeredGraph) -> npt.NDArray[np.int64]:
    """Give how many nodes take the value of every node: its neighbours, but not the clamped inputs.

    Parameters
    ----------
    graph : LayeredGraph

    Returns
    -------
    ndarray of int64, shape (n_nodes,)

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> fan_out(layered((4, 2, 1))).tolist()
    [2, 2, 2, 2, 1, 1, 2]
    """
    n_inputs = graph.layer_sizes[0]
    lower, upper = graph.edges.T
    listening = np.concatenate((lower[upper >= n_inputs], upper[lower >= n_inputs]))
    return np.bincount(listening, minlength=graph.n_nodes)
