"""What a network answers: states of its nodes for inputs, relaxed from rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.layout import Array
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError

__all__ = ["clamped", "states"]

# Examples relaxed together: wide products are the efficient ones.
TOGETHER = 200


def states(network: Any, inputs: npt.ArrayLike, solver: Solver | None = None) -> Array:
    """States of all free nodes; see `Network.states`."""
    held = clamped(network, inputs)
    solver, circuit = solver or SOR(), network.circuit
    found = np.empty((len(held), network.n_free), network.dtype)
    for start in range(0, len(held), TOGETHER):
        part = slice(start, start + TOGETHER)
        drive = circuit.drive(held[part])
        found[part] = solver.relax(circuit, drive, circuit.clip(np.zeros_like(drive))).state
    return found


def clamped(network: Any, inputs: npt.ArrayLike) -> Array:
    """States of the input nodes for features of examples; shape (batch, n_inputs).

    Raises
    ------
    InputError
        If the inputs have another width.
    """
    values = np.asarray(inputs, network.dtype)
    held = network.model.clamped(values) if values.ndim == 2 else values
    if held.ndim != 2 or held.shape[1] != network.n_inputs:
        needed = f"(batch, {network.n_inputs})"
        if held.shape != values.shape:
            needed = f"that of features for {network.n_inputs} input nodes, {held.shape[1]} here"
        raise InputError(f"inputs: shape {values.shape}, must be {needed}")
    return held
