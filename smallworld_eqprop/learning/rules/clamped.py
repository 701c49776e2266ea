"""Rules that hold the outputs in their second phase: at the target, or a part of the way to it.

A nudge pulls at the outputs with a force; here they are moved, whatever force that takes. What
falls is therefore not the cost but the energy that holding them costs. With the states s of the
outputs, targets t at which they are held, and the second derivatives S of the energy by the outputs
while the inner nodes follow,

    J = min E(outputs held at t) - min E = (t - s)^T S (t - s) / 2

where no node changes between moving and resting at a bound.

References
----------
J. R. Movellan, "Contrastive Hebbian learning in the continuous Hopfield model", in Connectionist
Models: Proceedings of the 1990 Summer School, Morgan Kaufmann, 1991,
doi:10.1016/B978-1-4832-1448-1.50007-X.
M. Stern, D. Hexner, J. W. Rocks and A. J. Liu, "Supervised learning in physical networks: from
machine learning to learning machines", Phys. Rev. X 11:021045, 2021,
doi:10.1103/PhysRevX.11.021045.
"""

from __future__ import annotations

from dataclasses import dataclass

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.rules.base import Phases, Rule

__all__ = ["Contrastive", "Coupled"]

SETTLED = SOR()


@dataclass(frozen=True)
class Coupled(Rule):
    r"""Coupled learning: the outputs are fixed between their free values and the target.

    .. math:: -\frac{\partial J}{\partial W_{ij}} =
              \frac1\eta \langle s_i s_j(\text{held}) - s_i s_j(0) \rangle, \qquad
              J = \frac1\eta \big(\min E(s_{out} + \eta (d - s_{out})) - \min E\big)

    where the place at which the outputs are held counts as a constant. For small eta this is the
    gradient of :math:`\tfrac12 (d - s_{out})^T S (d - s_{out})` with a constant S, see
    `smallworld_eqprop.learning.rules.clamped`, but for an error of first order in eta. Where
    feedback is weak, S is close to 1, and the rule descends half the squared error. The loss of the
    training has no part in it, and targets beyond the bounds of the outputs count as the bounds.

    Parameters
    ----------
    eta : float
        Share of the way, above 0 and at most 1.
    solver : Solver
        Relaxes the phase with held outputs.

    Raises
    ------
    InputError
        If eta is outside (0, 1].

    References
    ----------
    M. Stern, D. Hexner, J. W. Rocks and A. J. Liu, Phys. Rev. X 11:021045, 2021,
    doi:10.1103/PhysRevX.11.021045.
    """

    eta: float = 0.1
    solver: Solver = SETTLED

    def __post_init__(self) -> None:
        if not 0 < self.eta <= 1:
            raise InputError(f"eta: {self.eta}, must be above 0 and at most 1")

    def contrast(self, phases: Phases) -> Contrast:
        """The state with the outputs held on the way to the target minus the free one."""
        held = phases.output + self.eta * (phases.targets - phases.output)
        return phases.between(phases.held_deviation(held, self.solver), 0, 1 / self.eta)


@dataclass(frozen=True)
class Contrastive(Rule):
    r"""Contrastive Hebbian learning: the outputs are fixed at the target.

    .. math:: -\frac{\partial J}{\partial W_{ij}} =
              \langle s_i s_j(\text{held}) - s_i s_j(0) \rangle, \qquad
              J = \min E(s_{out} = d) - \min E

    The gradient of J, not of the cost, see `smallworld_eqprop.learning.rules.clamped`: `Coupled`
    with an eta of 1. Without hidden layers J is half the squared error.

    Parameters
    ----------
    solver : Solver
        Relaxes the phase with held outputs.

    References
    ----------
    J. R. Movellan, in Connectionist Models: Proceedings of the 1990 Summer School, Morgan Kaufmann,
    1991, doi:10.1016/B978-1-4832-1448-1.50007-X.
    """

    solver: Solver = SETTLED

    def contrast(self, phases: Phases) -> Contrast:
        """The state with the outputs held at the target minus the free one."""
        return phases.between(phases.held_deviation(phases.targets, self.solver), 0, 1.0)
