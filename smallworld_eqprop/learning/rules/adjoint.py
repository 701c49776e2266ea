"""The exact gradient at the free equilibrium, by implicit differentiation.

Equilibrium propagation estimates this gradient from two relaxations; here it is computed, from the
weights of the whole network at once, which no node could do. It is what the estimate is compared
with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from smallworld_eqprop.dynamics.circuit import Circuit
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.rules.base import Phases, Rule

__all__ = ["Adjoint"]


@dataclass(frozen=True)
class Adjoint(Rule):
    r"""Gradient of the cost at the free equilibrium, exact for the equilibrium that is reached.

    At a fixed point :math:`s = clip(h, low, high)` only the interior nodes
    :math:`A = \{i : low_i < h_i < high_i\}` answer to a small change; the others stay at their
    bound. With the second derivatives H of the energy among them,

    .. math:: H_{AA}\, \lambda_A = \frac{\partial C}{\partial s_A}, \qquad
              \lambda_i = 0 \text{ elsewhere},

    the gradient is :math:`\partial C / \partial b_i = c_i \langle \lambda_i \rangle` and
    :math:`\partial C / \partial W_{ij} = k_{ij} \langle \lambda_i s_j + \lambda_j s_i \rangle`,
    averaged over the batch: the contrast with deviation :math:`-\lambda` and midpoint s. Relax the
    free phase to a small residual, because the interior nodes are read off its end, and take a
    network of float64.

    References
    ----------
    F. J. Pineda, "Generalization of back-propagation to recurrent neural networks", Phys. Rev.
    Lett. 59:2229, 1987, doi:10.1103/PhysRevLett.59.2229. B. Scellier and Y. Bengio, Front. Comput.
    Neurosci. 11:24, 2017, theorem 1, doi:10.3389/fncom.2017.00024.
    """

    def contrast(self, phases: Phases) -> Contrast:
        """The adjoint state, solved for every example.

        Raises
        ------
        InputError
            If an example did not relax to a minimum of the energy, so that no small change of the
            weights has a small effect.
        """
        circuit, free = phases.circuit, phases.free
        if not isinstance(circuit, Circuit):
            raise InputError("rule: Adjoint needs device 'numpy'")
        slope = np.zeros_like(free.state)
        slope[:, circuit.output] = -phases.loss.force(phases.output, phases.targets)
        answer = np.zeros_like(free.state)
        interior = (free.field > circuit.low) & (free.field < circuit.high)
        for example, nodes in enumerate(map(np.flatnonzero, interior)):
            own = circuit.self_term[nodes]
            # M[i, j] = K[i, j] / a[j], so a row of a (I - M^T) is one of the second derivatives.
            stiffness = own[:, None] * (np.eye(len(nodes)) - circuit.among(nodes).T)
            try:
                answer[example, nodes] = linalg.solve(
                    stiffness, slope[example, nodes], assume_a="pos"
                )
            except linalg.LinAlgError:
                raise InputError(
                    f"free phase: example {example} did not relax to a minimum of the energy; "
                    "ask for a smaller residual and more sweeps"
                ) from None
        return Contrast(-answer, free.state, phases.inputs, 1.0)
