"""Equilibrium propagation: a free phase, and one or two slightly nudged toward the target.

What the two states say about an edge, nudged minus free, over beta, estimates minus the gradient of
the cost with respect to its weight, from the two ends of the edge alone.

References
----------
B. Scellier and Y. Bengio, Front. Comput. Neurosci. 11:24, 2017, doi:10.3389/fncom.2017.00024.
A. Laborieux et al., "Scaling equilibrium propagation to deep ConvNets by drastically reducing its
gradient estimator bias", Front. Neurosci. 15:633674, 2021, doi:10.3389/fnins.2021.633674.
"""

from __future__ import annotations

from dataclasses import dataclass

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.learning.rules.base import Phases, Rule, check_beta

__all__ = ["Centred", "OneSided", "RandomSign"]

PUBLISHED = Euler(steps=8)
SETTLED = SOR()


@dataclass(frozen=True)
class OneSided(Rule):
    r"""One nudge of strength beta; an error of first order in beta.

    .. math:: -\frac{\partial C}{\partial W_{ij}} \approx
              \frac1\beta \langle s_i s_j(\beta) - s_i s_j(0) \rangle

    Parameters
    ----------
    beta : float
        Strength of the nudge, above 0.
    solver : Solver
        Relaxes the nudged phase. The published code uses 8 Euler steps, too few to converge. They
        are part of the method, and a cause of its vanishing gradient.
    """

    beta: float = 1.0
    solver: Solver = PUBLISHED

    def __post_init__(self) -> None:
        check_beta("beta", self.beta)

    def contrast(self, phases: Phases) -> Contrast:
        """The nudged state minus the free one."""
        return self._toward(phases, self.beta)

    def _toward(self, phases: Phases, beta: float) -> Contrast:
        return phases.between(phases.deviation(beta, self.solver), 0, 1 / beta)


@dataclass(frozen=True)
class RandomSign(OneSided):
    """One nudge, whose sign is drawn for every batch: the paper's rule.

    The error of first order in beta cancels on average. Parameters are those of `OneSided`.
    """

    def contrast(self, phases: Phases) -> Contrast:
        """The nudged state minus the free one, with the sign of this batch."""
        return self._toward(phases, phases.sign * self.beta)


@dataclass(frozen=True)
class Centred(Rule):
    r"""Two opposite nudges from the same free state; an error of second order in beta.

    .. math:: -\frac{\partial C}{\partial W_{ij}} \approx
              \frac1{2\beta} \langle s_i s_j(\beta) - s_i s_j(-\beta) \rangle

    Parameters
    ----------
    beta : float
        Strength of the nudge, above 0. A solver that runs until convergence needs beta below 1/2
        with the squared error; otherwise the negative nudge has no minimum.
    solver : Solver
        Relaxes both nudged phases.
    """

    beta: float = 0.2
    solver: Solver = SETTLED

    def __post_init__(self) -> None:
        check_beta("beta", self.beta)

    def contrast(self, phases: Phases) -> Contrast:
        """The state nudged toward the target minus the one nudged away from it."""
        toward, away = phases.deviations([self.beta, -self.beta], self.solver)
        return phases.between(toward, away, 1 / (2 * self.beta))
