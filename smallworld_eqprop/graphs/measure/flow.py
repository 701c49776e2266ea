"""How much can run between inputs and outputs at once: edge-disjoint paths and resistance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse
from scipy.sparse.csgraph import connected_components, maximum_flow
from scipy.sparse.linalg import cg, spsolve

from smallworld_eqprop.graphs.core.adjacency import Graph, as_adjacency
from smallworld_eqprop.graphs.measure.matrices import matrix_of, strengths
from smallworld_eqprop.graphs.measure.spectra import DENSE_LIMIT, thin_order
from smallworld_eqprop.graphs.measure.terminals import Nodes, joined_pairs, terminals

__all__ = ["edge_disjoint_paths", "input_output_resistance", "output_potential"]

# Relative residual at which an iteration ends.
TOLERANCE = 1e-13


def edge_disjoint_paths(
    graph: Graph,
    inputs: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
) -> int:
    r"""Count the paths between inputs and outputs that can be drawn with no edge on two of them.

    .. math:: \max |\mathcal{P}| = \min_{I \subseteq S,\; O \cap S = \emptyset}
              |\{(u, v) \in E : u \in S,\, v \notin S\}|

    Each path joins any input to any output. By the theorem of Menger there are as many as edges
    have to be cut to separate all the inputs I from all the outputs O.

    Parameters
    ----------
    graph : Graph
    inputs, outputs : array_like of int, optional
        Nodes; by default the first and the last layer, which only a LayeredGraph has.

    Returns
    -------
    int
        0 if no input reaches an output.

    Raises
    ------
    InputError
        If the graph is not undirected and simple or has no inputs or outputs; or if these are
        absent, named twice or overlap.

    References
    ----------
    Menger, "Zur allgemeinen Kurventheorie", Fund. Math. 10 (1927), doi:10.4064/fm-10-1-96-115.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> edge_disjoint_paths(layered((4, 3, 2)))
    6
    """
    adjacency = as_adjacency(graph)
    sources, targets = terminals(graph, adjacency, inputs, outputs)
    n_nodes = adjacency.shape[0]
    # All inputs become node 0 and all outputs node 1. The edges that come to run beside each other
    # are one edge with their number as its capacity.
    inner = np.setdiff1d(np.arange(n_nodes), np.concatenate((sources, targets)))
    place = np.zeros(n_nodes, dtype=np.int32)
    place[targets] = 1
    place[inner] = np.arange(2, 2 + len(inner))
    rows = np.repeat(place, np.diff(adjacency.indptr))
    columns = place[adjacency.indices]
    apart = rows != columns
    ends = (rows[apart], columns[apart])
    ones = np.ones(len(ends[0]), dtype=np.int32)
    size = 2 + len(inner)
    capacity = sparse.coo_array((ones, ends), shape=(size, size)).tocsr()
    return int(maximum_flow(capacity, 0, 1).flow_value)


def output_potential(
    graph: Graph,
    inputs: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    *,
    weighted: bool = False,
) -> npt.NDArray[np.float64]:
    r"""Give the chance that a random walk from each node meets an output before an input.

    .. math:: v_i = \frac{\sum_j w_{ij} v_j}{\sum_j w_{ij}}, \qquad v = 0 \text{ on the inputs},
              \; v = 1 \text{ on the outputs}

    These are the voltages as well, if edges are conductors, the inputs are held at 0 and the
    outputs at 1.

    Parameters
    ----------
    graph : Graph
    inputs, outputs : array_like of int, optional
        Nodes; by default the first and the last layer, which only a LayeredGraph has.
    weighted : bool, optional
        Take the absolute weight of an edge as its conductance; otherwise every edge has conductance
        1.

    Returns
    -------
    ndarray of float64, shape (n_nodes,)
        From 0 on the inputs to 1 on the outputs; NaN for nodes that no path joins to either.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, has bad weights, or has no inputs or outputs; or
        if these are absent, named twice or overlap.

    References
    ----------
    Doyle and Snell, *Random Walks and Electric Networks* (1984), doi:10.5948/UPO9781614440222.

    Examples
    --------
    >>> import networkx as nx
    >>> output_potential(nx.path_graph(5), inputs=[0], outputs=[4]).round(9).tolist()
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    conductances = abs(matrix_of(graph, weighted, signed=True))
    return _potential(conductances, *terminals(graph, conductances, inputs, outputs))


def input_output_resistance(
    graph: Graph,
    inputs: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    *,
    weighted: bool = False,
) -> float:
    r"""Give the effective resistance between all the inputs and all the outputs.

    .. math:: R = \Big( \sum_{o \in O} \sum_j w_{oj} (1 - v_j) \Big)^{-1}

    Edges are conductors; the inputs are joined to one terminal and the outputs to the other, and
    v is the `output_potential`. Parallel and short paths make R small. Of fully connected layers of
    :math:`n_l` nodes it is :math:`\sum_l 1 / (n_l n_{l+1})`.

    Parameters
    ----------
    graph : Graph
    inputs, outputs : array_like of int, optional
        Nodes; by default the first and the last layer, which only a LayeredGraph has.
    weighted : bool, optional
        Take the absolute weight of an edge as its conductance; otherwise every edge has conductance
        1.

    Returns
    -------
    float
        At least ``1 / edge_disjoint_paths`` without weights; NaN if no input reaches an output.

    Raises
    ------
    InputError
        As for `output_potential`.

    References
    ----------
    Klein and Randić, "Resistance distance", J. Math. Chem. 12 (1993), doi:10.1007/BF01164627.

    Examples
    --------
    >>> import networkx as nx
    >>> round(input_output_resistance(nx.path_graph(5), inputs=[0], outputs=[4]), 9)
    4.0
    """
    conductances = abs(matrix_of(graph, weighted, signed=True))
    sources, targets = terminals(graph, conductances, inputs, outputs)
    if not joined_pairs(conductances, sources, targets):
        return float("nan")
    from_outputs = conductances[targets]
    drops = 1 - _potential(conductances, sources, targets)[from_outputs.indices]
    return 1 / float(from_outputs.data @ drops)


def _potential(conductances: sparse.csr_array, inputs: Nodes, outputs: Nodes) -> npt.NDArray:
    potential = np.full(conductances.shape[0], np.nan)
    potential[inputs] = 0.0
    potential[outputs] = 1.0
    labels = connected_components(conductances, directed=False)[1]
    held = np.isin(labels, labels[np.concatenate((inputs, outputs))])
    free = np.flatnonzero(held & np.isnan(potential))
    if not free.size:
        return potential
    rows = conductances[free]
    to_outputs = strengths(rows[:, outputs])
    laplacian = sparse.diags_array(strengths(rows)) - rows[:, free]
    # Rounding may leave the interval by the last digit.
    potential[free] = np.clip(_solved(sparse.csr_array(laplacian), to_outputs), 0, 1)
    return potential


def _solved(matrix: sparse.csr_array, right: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Solve with a positive definite matrix whose diagonal is positive."""
    if matrix.shape[0] <= DENSE_LIMIT:
        return linalg.solve(matrix.toarray(), right, assume_a="pos")
    order = thin_order(matrix)
    if order is None:
        scale = sparse.diags_array(1 / matrix.diagonal())
        found, failed = cg(matrix, right, rtol=TOLERANCE, M=scale)
        if not failed:
            return found
        order = np.arange(matrix.shape[0], dtype=np.int32)
    ordered = np.empty_like(right)
    ordered[order] = spsolve(sparse.csc_array(matrix[order][:, order]), right[order])
    return ordered
