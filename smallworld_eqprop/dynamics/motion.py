"""Motion: what holds while nodes move and not where they come to rest, slew and thermal noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from smallworld_eqprop.errors import InputError

__all__ = ["Motion", "check_still"]


@dataclass(frozen=True)
class Motion:
    r"""How the nodes of a circuit move, where that is more than a step toward their fields.

    With the step :math:`\epsilon` in time constants of a node, and its self-term a,

    .. math:: s \leftarrow \mathrm{clip}\big(s + \mathrm{clip}(\Delta, -r \epsilon, r \epsilon)
              + \sqrt{2 T \epsilon / a}\; \xi,\ low,\ high\big)

    where :math:`\Delta` is the step of `Euler` without noise and :math:`\xi` is drawn anew for
    every node and step from the standard normal distribution. Without slew, and for small steps,
    states then are distributed as :math:`\exp(-E / T)`: the Langevin equation.

    Attributes
    ----------
    slew : float
        The largest change r of a state in a time constant.
    temperature : float
        The T, in units of the energy.
    rng : numpy.random.Generator, optional
        Draws the noise; without temperature none is needed.
    held : slice, optional
        Columns of nodes that are held, which have no noise.
    """

    slew: float = np.inf
    temperature: float = 0.0
    rng: Any = None
    held: slice | None = None

    def step(
        self, circuit: Any, state: Any, field: Any, step_size: float, force: Any, curvature: Any
    ) -> Any:
        """The states after one step; arguments are those of `Circuit.drift`."""
        step = circuit.dtype.type(step_size)
        change = step * (field - state)
        if force is not None:
            pulled, output = change[:, circuit.output], state[:, circuit.output]
            pulled += step * (force - curvature * (output + pulled))
        change = np.clip(change, -self.slew * step, self.slew * step)
        if self.temperature:
            size = np.sqrt(2 * self.temperature * step / circuit.self_term).astype(state.dtype)
            if self.held is not None:
                size[self.held] = 0
            change += size * self.rng.standard_normal(state.shape, state.dtype)
        return circuit.clip(state + change)


def check_still(circuit: Any) -> None:
    """Refuse a circuit whose nodes are held back or shaken while they move.

    Raises
    ------
    InputError
        For solvers that go to the fixed point by other steps than those of time.
    """
    if getattr(circuit, "motion", None) is not None:
        raise InputError(
            "relaxation: slew and thermal noise need steps of time, which only Euler has; "
            "take Euler as relaxation, as evaluation and as solver of the rule"
        )
