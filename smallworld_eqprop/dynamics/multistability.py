"""Attractors: the fixed points at which one example may end, whichever start is taken."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.inference import clamped
from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.parts import Repeats, check_type

__all__ = ["Attractors", "attractors"]

# A hundredth of the tolerance in training.
PRECISE = SOR(tolerance=1e-5, max_sweeps=5000)


@dataclass(frozen=True)
class Attractors:
    """How many attractors were found.

    Attributes
    ----------
    counts : ndarray of int, shape (batch,)
        Of every example; 0 where no relaxation converged.
    unconverged : int
        Relaxations that missed the tolerance; they count for nothing.
    """

    counts: npt.NDArray[np.intp]
    unconverged: int

    @property
    def mean(self) -> float:
        """Mean number over the examples."""
        return float(self.counts.mean())

    @property
    def share_of_several(self) -> float:
        """Share of the examples that have more than one."""
        return float((self.counts > 1).mean())


def attractors(
    network: Network,
    inputs: npt.ArrayLike,
    *,
    seed: int | np.random.Generator,
    n_starts: int = 20,
    apart: float = 0.01,
    solver: Solver | None = None,
) -> Attractors:
    r"""Count the attractors of every example: relax it from random states.

    The energy of a network with strong couplings has several minima, all of which solve
    :math:`s = \mathrm{clip}(W s + b)`. Where there are several, start, solver and rounding decide
    at which an example ends. Starts are uniform between the bounds of every node; where a node has
    none, within 1 of 0 or of the bound that it has. Attractors that no start leads to are not
    found, so the number is a lower bound.

    Parameters
    ----------
    network : Network
    inputs : array_like, shape (batch, n_features)
    seed : int or numpy.random.Generator
        Of the starts.
    n_starts : int
        Per example.
    apart : float
        Two states are two attractors if a node differs by more than this; well above the tolerance
        of the solver, because a state is further from its attractor than its residual says.
    solver : Solver, optional
        `SOR` to a residual of 1e-5 when left out.

    Returns
    -------
    Attractors

    Raises
    ------
    InputError
        If the inputs have another width, or a number is not usable.

    References
    ----------
    J. J. Hopfield, "Neurons with graded response have collective computational properties like
    those of two-state neurons", PNAS 81:3088, 1984. https://doi.org/10.1073/pnas.81.10.3088
    """
    check_type("n_starts", n_starts, Repeats)
    if not apart > 0:
        raise InputError(f"apart: {apart!r}, must be above 0")
    solver, circuit, rng = solver or PRECISE, network.circuit, np.random.default_rng(seed)
    drive = circuit.drive(clamped(network, inputs))
    low, high = _range(circuit.low, circuit.high)
    found: list[Array] = []
    unconverged = 0
    counts = np.zeros(len(drive), np.intp)
    for _ in range(n_starts):
        start = rng.uniform(low, high, drive.shape).astype(drive.dtype)
        end = solver.relax(circuit, drive, start)
        unconverged += int(end.failed)
        new = np.array(end.converged)
        for known in found:
            # NaN, where an example has fewer attractors than others, is far from everything.
            new &= ~(np.abs(end.state - known).max(axis=1) <= apart)
        counts += new
        found.append(np.where(new[:, None], end.state, np.nan))
    return Attractors(counts, unconverged)


def _range(low: Array, high: Array) -> tuple[Array, Array]:
    """Finite bounds to draw starts between."""
    below, above = np.isfinite(low), np.isfinite(high)
    bottom = np.where(below, low, np.where(above, high - 1, -1))
    return bottom, np.where(above, high, bottom + np.where(below, 1, 2))
