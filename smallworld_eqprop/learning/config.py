"""Hyperparameters of training, checked at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from smallworld_eqprop.dynamics.devices import NUMPY, check_device_name
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import Solver, check_sweeps
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.losses import SquaredError
from smallworld_eqprop.learning.optimisers import SGD
from smallworld_eqprop.learning.recipe import Recipe
from smallworld_eqprop.learning.rules import RandomSign

__all__ = ["TrainingConfig"]


@dataclass(frozen=True)
class TrainingConfig:
    """Hyperparameters of training; the defaults are the paper's 3 x 500 protocol.

    Attributes
    ----------
    learning_rate : float or tuple of float
        One rate for all, or one for every layer after the input. An edge takes the rate of the
        layer of its output-side end, whatever it skips, and so do the biases of that layer.
    bias_rate : float, optional
        Rate of all biases instead. The authors' per-layer runs in effect used 1.
    beta : float
        Strength of the nudge; its sign is drawn for every batch.
    batch_size : int
    relaxation : {"sor", "euler"}
        Free phase: the fast method, or the published one.
    tolerance, max_sweeps
        Of the fast method: residual asked for, and when to give up.
    free_steps, nudged_steps, step_size
        Euler steps of the free phase (published method only), of the nudged phase, and their size.
    other_amplitude : float, optional
        Initial amplitude on skip and intralayer edges; see `initial_weights`.
    seed : int
        Of weights, order of examples and signs of beta.
    device : str
        Where the network is computed: "numpy" (on the processor), or by torch on "cpu", "cuda" or
        "cuda:N". It decides nothing but the last digits.
    """

    learning_rate: float | tuple[float, ...] = 0.02
    bias_rate: float | None = None
    beta: float = 1.0
    batch_size: int = 20
    relaxation: Literal["sor", "euler"] = "sor"
    tolerance: float = 1e-3
    max_sweeps: int = 500
    free_steps: int = 500
    nudged_steps: int = 8
    step_size: float = 0.5
    other_amplitude: float | None = None
    seed: int = 0
    device: str = NUMPY

    def __post_init__(self) -> None:
        rate = SGD(self.learning_rate, self.bias_rate).learning_rate
        object.__setattr__(self, "learning_rate", rate)
        if (value := self.other_amplitude) is not None and not 0 <= value < np.inf:
            raise InputError(f"other_amplitude: {value}, must be finite and at least 0")
        for name in ("batch_size", "max_sweeps", "free_steps", "nudged_steps"):
            check_sweeps(name, getattr(self, name))
        if self.relaxation not in ("sor", "euler"):
            raise InputError(f"relaxation: {self.relaxation!r}, allowed: sor, euler")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed: {self.seed!r}, must be an integer of at least 0")
        check_device_name(self.device)
        _ = self.recipe  # its parts check their own parameters

    @property
    def recipe(self) -> Recipe:
        """The paper's recipe with these numbers: solver, rule, loss and optimiser."""
        free: Solver = SOR(self.tolerance, self.max_sweeps)
        if self.relaxation == "euler":
            free = Euler(self.free_steps, self.step_size)
        return Recipe(
            solver=free,
            rule=RandomSign(self.beta, Euler(self.nudged_steps, self.step_size)),
            loss=SquaredError(),
            optimiser=SGD(self.learning_rate, self.bias_rate),
        )

    def check_layers(self, n_layers: int) -> None:
        """Refuse a number of learning rates that does not fit the layers.

        Raises
        ------
        InputError
        """
        SGD(self.learning_rate, self.bias_rate).check(n_layers)
