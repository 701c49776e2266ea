"""Linear response: how far a small force at some nodes moves an equilibrium.

The same code works on NumPy arrays and on torch tensors.
"""

from __future__ import annotations

from typing import Any

__all__ = ["response"]


def response(
    circuit: Any, interior: Any, force: Any, tolerance: float, max_sweeps: int
) -> tuple[Any, Any]:
    r"""Shift of an equilibrium per unit of a small force, for every example.

    Nodes A strictly between their bounds move, the others stay. With the self-terms a and the
    matrix M of the circuit the energy has the second derivatives
    :math:`H = \mathrm{diag}(a)(I - M^T)` among the free nodes, which are symmetric, and the shift
    u under a force f solves

    .. math:: H_{AA}\, u_A = f_A, \qquad u_i = 0 \text{ elsewhere.}

    At a minimum of the energy :math:`H_{AA}` is positive definite, so the equation is solved by
    conjugate gradients, preconditioned with the self-terms. A sweep takes one field of all nodes,
    as a sweep of a relaxation does. Conjugate gradients need no order of the nodes, they converge
    where Gauss-Seidel sweeps take hundreds or diverge, and they notice a saddle: a direction in
    which the energy falls.

    Parameters
    ----------
    circuit : Circuit or TorchCircuit
    interior : array of bool, shape (batch, n_free)
        The nodes A of every example.
    force : array, shape (batch, n_free)
        Minus the derivative, by every state, of an energy that is added.
    tolerance : float
        Length of the residual force that ends an example, as a share of the length of its force.
    max_sweeps : int
        Largest number of sweeps of an example.

    Returns
    -------
    shift : array, shape (batch, n_free)
        Of an example that was given up, or is at no minimum, what was found until then.
    converged : array of bool, shape (batch,)

    References
    ----------
    M. R. Hestenes and E. Stiefel, "Methods of conjugate gradients for solving linear systems",
    J. Res. Natl. Bur. Stand. 49:409, 1952, doi:10.6028/jres.049.044.
    """
    own = circuit.self_term
    left = force * interior
    goal = tolerance**2 * _square(left)
    shift, direction = 0 * left, left / own
    slope = (left * direction).sum(-1)
    active = _square(left) > goal
    for _ in range(max_sweeps):
        if not active.any():
            break
        pull = own * (direction - circuit.field(direction)) * interior
        curvature = (direction * pull).sum(-1)
        # Where the energy falls in a direction, the state is at no minimum.
        active = active & (curvature > 0)
        step = _ratio(slope, curvature, active)
        shift += step * direction
        left -= step * pull
        ahead = left / own
        before, slope = slope, (left * ahead).sum(-1)
        direction = ahead + _ratio(slope, before, active) * direction
        active = active & (_square(left) > goal)
    return shift, _square(left) <= goal


def _square(vectors: Any) -> Any:
    """Squared length of the vector of every example, shape (batch,)."""
    return (vectors * vectors).sum(-1)


def _ratio(above: Any, below: Any, where: Any) -> Any:
    """One number per example over another where that is asked for, elsewhere 0; (batch, 1)."""
    return (where * above / (where * below + ~where))[..., None]
