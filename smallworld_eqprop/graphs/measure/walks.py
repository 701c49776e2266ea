"""Walks between outputs and inputs: of all lengths, the longer ones counting less."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.adjacency import Graph
from smallworld_eqprop.graphs.measure.matrices import matrix_of
from smallworld_eqprop.graphs.measure.spectra import largest_eigenvalue
from smallworld_eqprop.graphs.measure.terminals import output_nodes, terminals

__all__ = [
    "communicability_to_output",
    "input_output_communicability",
    "input_output_resolvent",
    "resolvent_to_output",
]

# Terms of a series are left out that would add no more than this share.
SMALLEST = 1e-17


def communicability_to_output(
    graph: Graph, outputs: npt.ArrayLike | None = None, *, weighted: bool = False
) -> npt.NDArray[np.float64]:
    r"""Sum the walks from the outputs to each node, those of k steps divided by k factorial.

    .. math:: g_i = \frac{1}{|O|} \sum_{o \in O} \left( e^M \right)_{io}
              = \frac{1}{|O|} \sum_{o \in O} \sum_k \frac{(M^k)_{io}}{k!},
              \qquad M = \frac{W}{\lambda_{max}(|W|)}

    W are the weights, or ones. Dividing by the largest eigenvalue makes graphs of different size
    and density comparable; without it the longest walks of a dense graph drown all others.

    Parameters
    ----------
    graph : Graph
    outputs : array_like of int, optional
        Nodes; by default the last layer, which only a LayeredGraph has.
    weighted : bool, optional
        Let a walk count as much as the product of its weights, signs included; otherwise every walk
        counts 1.

    Returns
    -------
    ndarray of float64, shape (n_nodes,)
        0 where no walk leads to an output.

    Raises
    ------
    InputError
        If the graph is not undirected and simple, has bad weights, or has no outputs; or if these
        are absent or named twice.

    References
    ----------
    Estrada and Hatano, "Communicability in complex networks", Phys. Rev. E 77 (2008),
    doi:10.1103/PhysRevE.77.036111.

    Examples
    --------
    >>> import networkx as nx
    >>> communicability_to_output(nx.path_graph(2), [1]).round(4).tolist()  # sinh 1, cosh 1
    [1.1752, 1.5431]
    """
    matrix = _matrix(graph, weighted)
    return _to_outputs(matrix, output_nodes(graph, matrix, outputs), _exponential())


def resolvent_to_output(
    graph: Graph,
    outputs: npt.ArrayLike | None = None,
    *,
    decay: float = 0.5,
    weighted: bool = False,
) -> npt.NDArray[np.float64]:
    r"""Sum the walks from the outputs to each node, with a factor for every step.

    .. math:: r_i = \frac{1}{|O|} \sum_{o \in O} \left( (1 - \alpha M)^{-1} \right)_{io}
              = \frac{1}{|O|} \sum_{o \in O} \sum_k \alpha^k (M^k)_{io},
              \qquad M = \frac{W}{\lambda_{max}(|W|)}

    with the `decay` :math:`\alpha`. A small force on the outputs of a linear network with weights
    :math:`\alpha M` moves the nodes at rest by exactly this.

    Parameters
    ----------
    graph : Graph
    outputs : array_like of int, optional
        Nodes; by default the last layer, which only a LayeredGraph has.
    decay : float, optional
        Above 0 and below 1; the nearer to 1, the more long walks count.
    weighted : bool, optional
        Let a walk count as much as the product of its weights, signs included; otherwise every walk
        counts 1.

    Returns
    -------
    ndarray of float64, shape (n_nodes,)
        0 where no walk leads to an output.

    Raises
    ------
    InputError
        As for `communicability_to_output`; also if the decay is out of range.

    References
    ----------
    Katz, "A new status index derived from sociometric analysis", Psychometrika 18 (1953),
    doi:10.1007/BF02289026.

    Examples
    --------
    >>> import networkx as nx
    >>> resolvent_to_output(nx.path_graph(2), [1]).round(4).tolist()  # 2/3, 4/3
    [0.6667, 1.3333]
    """
    matrix = _matrix(graph, weighted)
    return _to_outputs(matrix, output_nodes(graph, matrix, outputs), _geometric(decay))


def input_output_communicability(
    graph: Graph,
    inputs: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    *,
    weighted: bool = False,
) -> float:
    r"""Average `communicability_to_output` over the inputs.

    .. math:: G_{io} = \langle (e^M)_{io} \rangle_{i \in I,\, o \in O}

    Parameters
    ----------
    graph : Graph
    inputs, outputs : array_like of int, optional
        Nodes; by default the first and the last layer, which only a LayeredGraph has.
    weighted : bool, optional
        Let a walk count as much as the product of its weights, signs included; otherwise every walk
        counts 1.

    Returns
    -------
    float
        0 if no input reaches an output.

    Raises
    ------
    InputError
        As for `communicability_to_output`; also if a node is both input and output.

    References
    ----------
    Estrada and Hatano (2008), doi:10.1103/PhysRevE.77.036111.
    """
    matrix = _matrix(graph, weighted)
    sources, targets = terminals(graph, matrix, inputs, outputs)
    return float(_to_outputs(matrix, targets, _exponential())[sources].mean())


def input_output_resolvent(
    graph: Graph,
    inputs: npt.ArrayLike | None = None,
    outputs: npt.ArrayLike | None = None,
    *,
    decay: float = 0.5,
    weighted: bool = False,
) -> float:
    r"""Average `resolvent_to_output` over the inputs.

    .. math:: R_{io} = \langle ((1 - \alpha M)^{-1})_{io} \rangle_{i \in I,\, o \in O}

    Parameters
    ----------
    graph : Graph
    inputs, outputs : array_like of int, optional
        Nodes; by default the first and the last layer, which only a LayeredGraph has.
    decay : float, optional
        Above 0 and below 1; the nearer to 1, the more long walks count.
    weighted : bool, optional
        Let a walk count as much as the product of its weights, signs included; otherwise every walk
        counts 1.

    Returns
    -------
    float
        0 if no input reaches an output.

    Raises
    ------
    InputError
        As for `resolvent_to_output`; also if a node is both input and output.

    References
    ----------
    Katz (1953), doi:10.1007/BF02289026.
    """
    matrix = _matrix(graph, weighted)
    sources, targets = terminals(graph, matrix, inputs, outputs)
    return float(_to_outputs(matrix, targets, _geometric(decay))[sources].mean())


def _matrix(graph: Graph, weighted: bool) -> sparse.csr_array:
    """The weights, or ones, divided by the largest eigenvalue."""
    matrix = matrix_of(graph, weighted, signed=True)
    return sparse.csr_array(matrix / largest_eigenvalue(abs(matrix))) if matrix.nnz else matrix


def _exponential() -> Sequence[float]:
    last = next(k for k in range(100) if 1 / math.factorial(k) < SMALLEST)
    return [1 / math.factorial(k) for k in range(last)]


def _geometric(decay: float) -> Sequence[float]:
    if not 0 < decay < 1:
        raise InputError(f"decay: {decay!r}; give a number above 0 and below 1")
    n_terms = math.ceil(math.log(SMALLEST * (1 - decay)) / math.log(decay))
    return [decay**k for k in range(n_terms)]


def _to_outputs(
    matrix: sparse.csr_array, outputs: npt.NDArray[np.int64], factors: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Sum of the powers of a matrix times their factors, its columns averaged over the outputs.

    No power of the matrix is longer than 1, so that the series converge at every size.
    """
    walks = np.zeros(matrix.shape[0])
    walks[outputs] = 1 / len(outputs)
    total = factors[0] * walks
    for factor in factors[1:]:
        walks = np.asarray(matrix @ walks).ravel()
        total += factor * walks
    return total
