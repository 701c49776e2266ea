"""The energy that a circuit descends."""

from __future__ import annotations

import numpy as np

from smallworld_eqprop.dynamics.circuit import Circuit
from smallworld_eqprop.dynamics.layout import Array

__all__ = ["energy"]


def energy(circuit: Circuit, state: Array, drive: Array) -> Array:
    r"""Energy of every example, as its model writes it; see `Model`.

    For the paper's network, over the free nodes i, j and the clamped inputs k,

    .. math:: E(s) = \tfrac12 \sum_i s_i^2 - \tfrac12 \sum_{i \ne j} W_{ij} s_i s_j
                     - \sum_i (b_i + \textstyle\sum_k W_{ik} x_k) s_i.

    Terms of the inputs alone are constant and left out.

    Parameters
    ----------
    circuit : Circuit
        ``network.circuit``.
    state : ndarray, shape (batch, n_free)
    drive : ndarray, shape (batch, n_free)
        From ``circuit.drive(inputs)``.

    Returns
    -------
    ndarray, shape (batch,)

    References
    ----------
    .. [1] B. Scellier and Y. Bengio, "Equilibrium propagation: bridging the gap between
       energy-based models and backpropagation", Front. Comput. Neurosci. 11:24, 2017.
       https://doi.org/10.3389/fncom.2017.00024
    """
    # With h = drive + s M, s.(s - h - drive) / 2 counts M once per pair and the drive whole.
    field = circuit.field(state, drive)
    return 0.5 * np.einsum("i,bi,bi->b", circuit.self_term, state, state - field - drive)
