"""Where the parameters of a network on torch live: one matrix, seen as one array per layer.

The matrix goes from all nodes to the free ones, shape (members, n_nodes, n_free): row u, column v
less the number of inputs. As the upper one it has every edge once, at u < v, and the layers make
blocks above its diagonal; mirrored it has edges between free nodes in both places.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["at_edges", "leaves", "mirrored", "upper_matrix"]


def upper_matrix(graph: LayeredGraph, values: npt.NDArray, elsewhere: float = 0.0) -> Array:
    """Numbers by edge, or one for all, as an upper matrix; edges between inputs are left out."""
    n = graph.layer_sizes[0]
    matrix = np.full((graph.n_nodes, graph.n_nodes - n), elsewhere, values.dtype)
    u, v = graph.edges.T
    free = v >= n
    matrix[u[free], v[free] - n] = np.broadcast_to(values, (graph.n_edges,))[free]
    return matrix


def at_edges(graph: LayeredGraph, matrix: Array, idle: Array) -> Array:
    """Entries of the matrix of a network at its edges; `idle` at those between inputs."""
    n = graph.layer_sizes[0]
    u, v = graph.edges.T
    free = v >= n
    values = np.empty(graph.n_edges, matrix.dtype)
    values[free] = matrix[u[free], v[free] - n]
    values[~free] = idle
    return values


def mirrored(upper: torch.Tensor) -> torch.Tensor:
    """The upper matrix with edges between free nodes in both places: symmetric to the bit."""
    n_free = upper.shape[-1]
    inner = upper[:, -n_free:]
    return torch.cat((upper[:, :-n_free], inner + inner.mT), 1)


def leaves(rows: list[slice], matrix: torch.Tensor, biases: torch.Tensor) -> list[torch.Tensor]:
    """Views by layer: weights from all nodes of it and the layers below, then biases.

    Parameters
    ----------
    rows : list of slice
        Columns of every layer; the input layer has none.
    matrix : Tensor, shape (members, n_nodes, n_free)
        Mirrored, so that edges inside a layer are in both places of its view.
    biases : Tensor, shape (members, n_free)
    """
    n_inputs = matrix.shape[1] - matrix.shape[2]
    weights = [matrix[:, : n_inputs + each.stop, each] for each in rows[1:]]
    return [*weights, *(biases[:, each] for each in rows[1:])]
