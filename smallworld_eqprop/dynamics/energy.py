"""Energy, cost and activation of the continuous Hopfield network."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.couplings import Couplings

__all__ = ["activation", "cost", "energy"]

Array = npt.NDArray[np.floating]


def activation(state: Array) -> Array:
    r"""Hard sigmoid :math:`\rho(s) = \min(\max(s, 0), 1)`, element by element."""
    return np.clip(state, 0, 1)


def energy(couplings: Couplings, state: Array, drive: Array) -> Array:
    r"""Hopfield energy of every example.

    .. math:: E(s) = \tfrac12 \sum_i s_i^2 - \tfrac12 \sum_{i \ne j} W_{ij} s_i s_j
                     - \sum_i (b_i + \textstyle\sum_k W_{ik} x_k) s_i

    over the free nodes i, j and the clamped inputs k, for states in [0, 1] (where the activation
    is the identity). Terms of the inputs alone are constant and left out.

    Parameters
    ----------
    couplings : Couplings
    state : ndarray, shape (n_free, batch)
    drive : ndarray, shape (n_free, batch)
        From ``couplings.drive(inputs)``.

    Returns
    -------
    ndarray, shape (batch,)

    References
    ----------
    .. [1] B. Scellier and Y. Bengio, "Equilibrium propagation: bridging the gap between
       energy-based models and backpropagation", Front. Comput. Neurosci. 11:24, 2017.
       https://doi.org/10.3389/fncom.2017.00024
    """
    # h = W s + drive, so s.(s - h - drive) / 2 counts W once per pair and the drive whole.
    field = couplings.field(state, drive)
    return 0.5 * np.einsum("ib,ib->b", state, state - field - drive)


def cost(output: Array, target: Array) -> Array:
    r"""Squared error of every example, :math:`C = \lVert s_{out} - d \rVert^2`, without a half.

    Parameters
    ----------
    output, target : ndarray, shape (n_outputs, batch)

    Returns
    -------
    ndarray, shape (batch,)
    """
    return np.square(output - target).sum(axis=0)
