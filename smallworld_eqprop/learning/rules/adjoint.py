"""The gradient at the free equilibrium itself, by implicit differentiation.

Equilibrium propagation estimates this gradient from relaxations of the network. Here it is the
solution of a linear equation of all nodes, which the estimates are compared with.
"""

from __future__ import annotations

from dataclasses import dataclass

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.response import response
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.rules.base import Phases, Rule
from smallworld_eqprop.parts import Repeats

__all__ = ["Adjoint"]


@dataclass(frozen=True)
class Adjoint(Rule):
    r"""Gradient of the cost at the free equilibrium, exact for the equilibrium that is reached.

    At a fixed point :math:`s = clip(h, low, high)` only the interior nodes
    :math:`A = \{i : low_i < h_i < high_i\}` answer to a small change; the others stay at their
    bound. With the second derivatives H of the energy among them,

    .. math:: H_{AA}\, \lambda_A = -\frac{\partial C}{\partial s_A}, \qquad
              \lambda_i = 0 \text{ elsewhere},

    minus the gradient is :math:`-\partial C / \partial b_i = c_i \langle \lambda_i \rangle` and
    :math:`-\partial C / \partial W_{ij} = k_{ij} \langle \lambda_i s_j + \lambda_j s_i \rangle`,
    averaged over the batch: the contrast with deviation :math:`\lambda` and midpoint s. Relax the
    free phase to a small residual, because the interior nodes are read off its end.

    An example whose equation is not solved is counted as not converged, and its last iterate is
    used: the sweeps did not suffice, or the free phase did not end at a minimum of the energy,
    where no gradient exists.

    Parameters
    ----------
    tolerance : float
        The equation of an example is solved when the length of its residual is at most this share
        of the length of its right-hand side. In a float32 network about 1e-6 can be reached.
    max_sweeps : int
        Largest number of sweeps of an example.

    Raises
    ------
    InputError
        If the tolerance is not above 0, or the number of sweeps is none.

    References
    ----------
    L. B. Almeida, "A learning rule for asynchronous perceptrons with feedback in a combinatorial
    environment", Proc. IEEE First Int. Conf. Neural Networks, vol. 2, p. 609, 1987. F. J. Pineda,
    "Generalization of back-propagation to recurrent neural networks", Phys. Rev. Lett. 59:2229,
    1987, doi:10.1103/PhysRevLett.59.2229. B. Scellier and Y. Bengio, Front. Comput. Neurosci.
    11:24, 2017, theorem 1, doi:10.3389/fncom.2017.00024.
    """

    tolerance: float = 1e-6
    max_sweeps: Repeats = 500

    def __post_init__(self) -> None:
        if not self.tolerance > 0:
            raise InputError(f"tolerance: {self.tolerance}, must be above 0")

    def contrast(self, phases: Phases) -> Contrast:
        """The deviation that a small nudge has per unit of beta, about the free state."""
        circuit, free = phases.circuit, phases.free
        interior = (free.field > circuit.low) & (free.field < circuit.high)
        pull, force = phases.loss.force(phases.output, phases.targets), 0 * free.state
        if circuit.readout:
            # Outputs outside the energy do not move; what pulls at them pulls at what they read.
            force = circuit.self_term * circuit.pushed(pull)
            interior[..., circuit.output] = False
        else:
            force[..., circuit.output] = pull
        shift, converged = response(circuit, interior, force, self.tolerance, self.max_sweeps)
        phases.failed = phases.failed + (~converged).sum(-1)
        if circuit.readout:
            shift[..., circuit.output] = pull
        return phases.between(0.5 * shift, -0.5 * shift, 1.0)
