"""Equilibrium propagation: two phases, and the gradient they estimate.

The free phase relaxes the network with only the inputs clamped. The nudged ("weakly clamped")
phase starts there and pulls the outputs toward the target with strength beta. What the two states
say about an edge, ``rho_i rho_j`` nudged minus free, over beta, estimates minus the gradient of
the cost with respect to its weight, from the two ends of the edge alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.interactions import Array
from smallworld_eqprop.dynamics.relaxation import RelaxationMethod
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph

__all__ = ["Gradient", "centred_gradient", "initial_weights"]


def initial_weights(
    graph: LayeredGraph,
    *,
    seed: int | np.random.Generator,
    other_amplitude: float | None = None,
) -> npt.NDArray[np.float32]:
    r"""Random weights, one per edge.

    Between adjacent layers of sizes n and m uniform on (-a, a) with
    :math:`a = \sqrt{6 / (n + m)}`; on every other edge (layer-skipping, intralayer) uniform on
    (-`other_amplitude`, `other_amplitude`).

    Parameters
    ----------
    graph : LayeredGraph
    seed : int or numpy.random.Generator
    other_amplitude : float, optional
        The mean of the a over all adjacent layers when left out.

    Returns
    -------
    ndarray of float32, shape (n_edges,)
        In the order of ``graph.edges``.

    Raises
    ------
    InputError
        If `other_amplitude` is negative or not finite.

    References
    ----------
    .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010 (the amplitude a).
    """
    rng = np.random.default_rng(seed)
    sizes = np.array(graph.layer_sizes)
    amplitudes = np.sqrt(6 / (sizes[:-1] + sizes[1:]))
    if other_amplitude is None:
        other_amplitude = float(amplitudes.mean())
    if not 0 <= other_amplitude < np.inf:
        raise InputError(f"other_amplitude: {other_amplitude}, must be finite and at least 0")
    lower = graph.layers[graph.edges[:, 0]]
    # The output layer has no layer above; its intralayer edges fall under "other" anyway.
    adjacent = amplitudes[np.minimum(lower, len(amplitudes) - 1)]
    scale = np.where(graph.interlayer, adjacent, other_amplitude)
    return (rng.uniform(-1, 1, graph.n_edges) * scale).astype(np.float32)


@dataclass(frozen=True)
class Gradient:
    """Estimated gradient of the mean cost over a batch.

    Attributes
    ----------
    weights : ndarray, shape (n_edges,)
        In the order of ``graph.edges``.
    biases : ndarray, shape (n_free,)
    """

    weights: Array
    biases: Array


def centred_gradient(
    graph: LayeredGraph,
    couplings: Couplings,
    inputs: Array,
    target: Array,
    *,
    beta: float,
    free: RelaxationMethod,
    nudged: Euler,
) -> Gradient:
    r"""Gradient of the cost at the free equilibrium, from two opposite nudges.

    .. math:: \frac{\partial C}{\partial W_{ij}} \approx -\frac{1}{2\beta}
              \langle \rho_i\rho_j(+\beta) - \rho_i\rho_j(-\beta) \rangle

    whose error is of second order in beta when the nudged phases are run to equilibrium. The
    one-sided update of training is of first order; drawing the sign of beta makes it centred on
    average.

    Parameters
    ----------
    graph : LayeredGraph
    couplings : Couplings
        Made from `graph`; left unchanged.
    inputs : ndarray, shape (n_inputs, batch)
    target : ndarray, shape (n_outputs, batch)
    beta : float
        Strength of the nudge, above 0.
    free, nudged : relaxation methods
        How the two phases relax. `nudged` is Euler because its number of steps is part of the
        published method.

    Returns
    -------
    Gradient

    Raises
    ------
    InputError
        If beta is not above 0.

    References
    ----------
    .. [1] B. Scellier and Y. Bengio, Front. Comput. Neurosci. 11:24, 2017.
       https://doi.org/10.3389/fncom.2017.00024
    .. [2] A. Laborieux et al., "Scaling equilibrium propagation to deep ConvNets by drastically
       reducing its gradient estimator bias", Front. Neurosci. 15:633674, 2021.
       https://doi.org/10.3389/fnins.2021.633674
    """
    if not beta > 0:
        raise InputError(f"beta: {beta}, must be above 0")
    drive = couplings.drive(inputs)
    start = np.zeros((couplings.n_free, inputs.shape[1]), couplings.dtype)
    rest = free.relax(couplings, drive, start)
    u, v = graph.edges.T
    products, states = [], []
    for sign in (1, -1):
        state = nudged.nudge(couplings, drive, rest, target, sign * beta)
        whole = np.vstack((inputs, state))
        products.append(np.einsum("eb,eb->e", whole[u], whole[v]) / inputs.shape[1])
        states.append(state.mean(axis=1))
    return Gradient(
        weights=(products[1] - products[0]) / (2 * beta),
        biases=(states[1] - states[0]) / (2 * beta),
    )
