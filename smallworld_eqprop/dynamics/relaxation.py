"""Relaxation: from a start to a fixed point ``s = clip(W s + b, 0, 1)`` of the network.

Methods share one interface, ``method.relax(couplings, drive, start) -> Relaxation``: `Euler` takes
the published steps, `SOR` is the fast one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.couplings import Couplings
from smallworld_eqprop.dynamics.interactions import Array

__all__ = ["Relaxation", "RelaxationMethod", "residual"]


@dataclass(frozen=True)
class Relaxation:
    """Where a relaxation ended.

    Attributes
    ----------
    state : ndarray, shape (n_free, batch)
    field : ndarray, shape (n_free, batch)
        Local field ``W s + b`` at `state`; a nudged phase starts from it.
    residual : ndarray, shape (batch,)
        Largest ``|clip(field, 0, 1) - s|`` over the nodes, of every example.
    sweeps : ndarray of int, shape (batch,)
        Sweeps each example took: updates of every free node, or of every node that was not at rest
        at 0 or 1.
    tolerance : float
        The residual asked for; infinite where none was.
    """

    state: Array
    field: Array
    residual: Array
    sweeps: npt.NDArray[np.intp]
    tolerance: float

    @property
    def converged(self) -> npt.NDArray[np.bool_]:
        """Which examples reached the residual asked for; shape (batch,)."""
        return self.residual <= self.tolerance

    def nudgeable(self, output: Any, target: Any) -> Any:
        """Examples that a nudge from this `output` to the `target` moves; shape (batch,).

        A fixed point whose outputs sit at their targets stays where it is: nothing pulls. For such
        are taken the ends of relaxations that had a residual to reach.
        """
        settled = self.converged & (self.tolerance < np.inf)
        return (output != target).any(-2) | ~settled

    @property
    def message(self) -> str:
        """One line: how it ended and, where it failed, what to do."""
        failed = int((~self.converged).sum())
        if not failed:
            return f"all {len(self.sweeps)} examples converged"
        return (
            f"{failed} of {len(self.sweeps)} examples have a residual above {self.tolerance:g} "
            f"(worst {self.residual.max():.2g}) after {self.sweeps.max()} sweeps; allow more "
            "sweeps, a larger tolerance, or smaller weights (a lower learning rate)"
        )


class RelaxationMethod(Protocol):
    """Anything that relaxes a network; holds hyperparameters only."""

    def relax(self, couplings: Couplings, drive: Array, start: Array) -> Relaxation:
        """Relax from `start` under the constant `drive`; `start` is left as it is."""
        ...


def residual(state: Array, field: Array) -> Array:
    r"""Largest :math:`|\mathrm{clip}(h, 0, 1) - s|` of every example; shape (batch,).

    Parameters
    ----------
    state, field : ndarray, shape (n_free, batch)
        State s and local field h = W s + b.
    """
    distance = np.clip(field, 0, 1)
    distance -= state
    np.abs(distance, out=distance)
    # A maximum over columns by folding halves: contiguous, unlike a reduction.
    while len(distance) > 1:
        half = (len(distance) + 1) // 2
        # An odd row out is compared twice, which a maximum does not mind.
        distance = np.maximum(distance[:half], distance[-half:])
    return distance[0]
