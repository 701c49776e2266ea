"""Hyperparameters of training, checked at the door."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.devices import NUMPY, check_device_name
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import RelaxationMethod
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError

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
        rates = np.atleast_1d(np.asarray(self.learning_rate, float))
        if not rates.size or not (rates >= 0).all() or not np.isfinite(rates).all():
            raise InputError(f"learning_rate: {self.learning_rate}, must be finite and at least 0")
        if not isinstance(self.learning_rate, float | int):
            object.__setattr__(self, "learning_rate", tuple(map(float, rates)))
        if not 0 < self.beta < np.inf:
            raise InputError(f"beta: {self.beta}, must be above 0")
        for name in ("bias_rate", "other_amplitude"):
            if (value := getattr(self, name)) is not None and not 0 <= value < np.inf:
                raise InputError(f"{name}: {value}, must be finite and at least 0")
        for name in ("batch_size", "max_sweeps", "free_steps", "nudged_steps"):
            value = getattr(self, name)
            if not isinstance(value, int | np.integer) or value < 1:
                raise InputError(f"{name}: {value}, must be a whole number of at least 1")
        if self.relaxation not in ("sor", "euler"):
            raise InputError(f"relaxation: {self.relaxation!r}, allowed: sor, euler")
        if not isinstance(self.seed, int) or self.seed < 0:
            raise InputError(f"seed: {self.seed!r}, must be an integer of at least 0")
        check_device_name(self.device)
        # The methods check their own parameters.
        _ = self.free_phase, self.nudged_phase

    @property
    def free_phase(self) -> RelaxationMethod:
        """The relaxation of the free phase."""
        if self.relaxation == "euler":
            return Euler(self.free_steps, self.step_size)
        return SOR(self.tolerance, self.max_sweeps)

    @property
    def nudged_phase(self) -> Euler:
        """The relaxation of the nudged phase."""
        return Euler(self.nudged_steps, self.step_size)

    def layer_rates(self, n_layers: int) -> npt.NDArray[np.float64]:
        """Learning rate of every layer after the input; shape (n_layers - 1,)."""
        rates = np.asarray(self.learning_rate, float)
        if rates.ndim and len(rates) != n_layers - 1:
            raise InputError(
                f"learning_rate: {len(rates)} rates for the {n_layers - 1} layers after the input"
            )
        return np.broadcast_to(rates, n_layers - 1)
