"""The true gradient of the cost at the free equilibrium, by implicit differentiation.

Equilibrium propagation estimates this gradient from two relaxations; here it is computed, from the
weights of the whole network at once, which no node could do. It is what the estimate is held
against.
"""

from __future__ import annotations

import numpy as np
from scipy import linalg, sparse

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.interactions import Array
from smallworld_eqprop.dynamics.relaxation import RelaxationMethod
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph
from smallworld_eqprop.learning.eqprop import Gradient

__all__ = ["implicit_gradient"]


def implicit_gradient(
    graph: LayeredGraph,
    couplings: Couplings,
    inputs: Array,
    target: Array,
    *,
    free: RelaxationMethod,
) -> Gradient:
    r"""Gradient of the cost at the free equilibrium, exact for the equilibrium that is reached.

    At a fixed point :math:`s = \mathrm{clip}(h, 0, 1)`, :math:`h = W s + b`, only the interior
    nodes :math:`A = \{i : 0 < h_i < 1\}` answer to a small change; the others stay at 0 or 1.
    Differentiating gives :math:`(I - W_{AA})\, ds_A = dh_A` at fixed s, so with

    .. math:: (I - W_{AA})\, \lambda_A = \frac{\partial C}{\partial s_A}, \qquad
              \lambda_i = 0 \text{ elsewhere}

    the gradient is :math:`\partial C / \partial b_i = \langle \lambda_i \rangle` and
    :math:`\partial C / \partial W_{ij} = \langle \lambda_i s_j + \lambda_j s_i \rangle`, averaged
    over the batch.

    Parameters
    ----------
    graph : LayeredGraph
    couplings : Couplings
        Made from `graph`; left unchanged. Take float64: the solution is as exact as the
        equilibrium.
    inputs : ndarray, shape (n_inputs, batch)
    target : ndarray, shape (n_outputs, batch)
    free : relaxation method
        How the free phase relaxes, from zeros as in `centred_gradient`; to a small residual,
        because the interior nodes are read off its end.

    Returns
    -------
    Gradient

    Raises
    ------
    InputError
        If an example did not relax to a minimum of the energy, so that no small change of the
        weights has a small effect.

    References
    ----------
    .. [1] F. J. Pineda, "Generalization of back-propagation to recurrent neural networks",
       Phys. Rev. Lett. 59:2229, 1987. https://doi.org/10.1103/PhysRevLett.59.2229
    .. [2] B. Scellier and Y. Bengio, Front. Comput. Neurosci. 11:24, 2017, theorem 1.
       https://doi.org/10.3389/fncom.2017.00024
    """
    drive = couplings.drive(inputs)
    rest = free.relax(couplings, drive, np.zeros_like(drive)).state
    field = couplings.field(rest, drive)
    pull = np.zeros_like(rest)
    pull[couplings.output] = 2 * (rest[couplings.output] - target)
    answer = np.zeros((graph.n_nodes, inputs.shape[1]), couplings.dtype)
    free_answer = answer[couplings.n_inputs :]
    matrix = _among_free_nodes(graph, couplings)
    for example, interior in enumerate(((field > 0) & (field < 1)).T):
        nodes = np.flatnonzero(interior)
        stiffness = np.eye(len(nodes)) - matrix[nodes][:, nodes].toarray()
        try:
            free_answer[nodes, example] = linalg.solve(
                stiffness, pull[nodes, example], assume_a="pos"
            )
        except linalg.LinAlgError:
            raise InputError(
                f"free: example {example} did not relax to a minimum of the energy; "
                "ask for a smaller residual and more sweeps"
            ) from None
    whole = np.vstack((inputs, rest))
    u, v = graph.edges.T
    weights = np.einsum("eb,eb->e", answer[u], whole[v])
    weights += np.einsum("eb,eb->e", answer[v], whole[u])
    return Gradient(weights=weights / inputs.shape[1], biases=free_answer.mean(axis=1))


def _among_free_nodes(graph: LayeredGraph, couplings: Couplings) -> sparse.csr_array:
    """W among the free nodes, both triangles."""
    ends = graph.edges - couplings.n_inputs
    kept = (ends >= 0).all(axis=1)
    u, v = ends[kept].T
    weights = couplings.edge_weights()[kept]
    upper = sparse.coo_array((weights, (u, v)), shape=(couplings.n_free, couplings.n_free))
    return (upper + upper.T).tocsr()
