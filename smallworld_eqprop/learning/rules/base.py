"""What a learning rule is given, and what it has to give."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from smallworld_eqprop.dynamics.circuit import Nudge
from smallworld_eqprop.dynamics.contrast import Contrast, Group
from smallworld_eqprop.dynamics.relaxation import Relaxation, Solver
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.losses import Loss, SquaredError
from smallworld_eqprop.parts import Part

__all__ = ["Phases", "Rule", "check_subtracts"]


class Rule(Part):
    """How a batch becomes a gradient: subclass it, and write `contrast`.

    A rule is a frozen dataclass of numbers and solvers. It composes relaxations and touches no
    matrix; the network makes the gradient from the contrast of two states.
    """

    def contrast(self, phases: Phases) -> Contrast:
        """The contrast of a batch, whose free phase has been relaxed already."""
        raise NotImplementedError

    def trains(self, group: Group, n_layers: int) -> bool:  # noqa: ARG002
        """Whether the rule trains an array of parameters; all of them unless overridden.

        Parameters that a rule does not train keep exactly their values with every optimiser:
        neither memory nor weight decay of the optimiser moves it.

        Parameters
        ----------
        group : Group
            With ``kind`` ("weights" or "biases") and ``layer``, for weights that of the
            output-side ends. The last layer is ``n_layers - 1``.
        n_layers : int
        """
        return True


@dataclass
class Phases:
    """The phases of one batch: the free one, and those that a rule asks for.

    Attributes
    ----------
    circuit : Circuit
    inputs, targets : array, shape (batch, n_inputs), (batch, n_outputs)
    drive : array, shape (batch, n_free)
    free : Relaxation
        Where the free phase ended; its state as it is read.
    loss : Loss
    sign : float
        Drawn for every batch, +1 or -1 alike; of a stack of networks an array (networks, 1, 1).
    key : tuple of int
        Seed, epoch and batch, from which `generator` makes further random numbers.
    failed : int
        Examples of the phases asked for that missed their tolerance.
    read : callable, optional
        What the devices of a chip report of a state; the state itself when left out. Contrasts are
        made of what is read.
    settled : Relaxation
        The end of the free phase itself, from which further phases go on.
    """

    circuit: Any
    inputs: Any
    targets: Any
    drive: Any
    free: Relaxation
    loss: Loss
    sign: Any = 1.0
    key: tuple[int, ...] = (0,)
    failed: Any = field(default=0)
    read: Callable[[Any], Any] | None = None

    def __post_init__(self) -> None:
        self.settled = self.free
        if self.read is not None:
            self.free = replace(self.free, state=self.read(self.free.state))

    @classmethod
    def of(
        cls, network: Any, inputs: Any, targets: Any, solver: Solver, loss: Loss | None = None
    ) -> Phases:
        """The phases of a batch whose free phase is relaxed from rest, outside of training.

        ``network.edge_gradient(rule.contrast(Phases.of(network, inputs, targets, solver)))`` is
        the gradient that a rule finds.

        Parameters
        ----------
        network : Network
        inputs, targets : array_like, shape (batch, n_inputs), (batch, n_outputs)
            Inputs are states of the input nodes, ``network.model.clamped(features)``.
        solver : Solver
            Of the free phase.
        loss : Loss, optional
            The squared error when left out.
        """
        circuit = network.circuit
        inputs, targets = (np.ascontiguousarray(a, network.dtype) for a in (inputs, targets))
        drive = circuit.drive(inputs)
        free = solver.relax(circuit, drive, circuit.clip(np.zeros_like(drive)))
        return cls(circuit, inputs, targets, drive, free, loss or SquaredError())

    @property
    def output(self) -> Any:
        """Outputs at the end of the free phase, as they are read; shape (batch, n_outputs)."""
        return self.free.state[..., self.circuit.output]

    def nudged(self, beta: Any, solver: Solver) -> Any:
        """The state under the energy E + beta C, relaxed from the end of the free phase."""
        return self._nudged(self._nudge(beta), solver)

    def deviation(self, beta: Any, solver: Solver) -> Any:
        """The state under the energy E + beta C minus that of the free phase.

        Some solvers find it without subtracting two states, see `Sweeps`.
        """
        return self.deviations([beta], solver)[0]

    def deviations(self, betas: Sequence[Any], solver: Solver) -> list[Any]:
        """`deviation` for several strengths, which some solvers find together."""
        return self._deviations([self._nudge(beta) for beta in betas], solver)

    def held_deviation(self, outputs: Any, solver: Solver) -> Any:
        """The state with the outputs held at given states minus that of the free phase."""
        return self._deviations([Nudge(outputs, np.inf)], solver)[0]

    def _deviations(self, nudges: Sequence[Nudge], solver: Solver) -> list[Any]:
        if self.read is not None:
            check_subtracts(solver)
            return [self._nudged(each, solver) - self.free.state for each in nudges]
        found, failed = solver.deviations(self.circuit, self.drive, self.settled, nudges)
        self.failed = self.failed + failed
        return found

    def between(self, toward: Any, away: Any, gain: Any) -> Contrast:
        """The contrast of two states, given as deviations from the free one; `away` may be 0."""
        midpoint = self.free.state + 0.5 * (toward + away)
        if self.circuit.readout:
            # Outputs outside the energy have a pull as their deviation, and no part in the states.
            midpoint[..., self.circuit.output] = 0
        return Contrast(toward - away, midpoint, self.inputs, gain)

    def _nudge(self, beta: Any) -> Nudge:
        loss, targets = self.loss, self.targets
        force = loss.force(self.output, targets) + loss.curvature * self.output

        def pull(output: Any, part: slice = slice(None)) -> Any:
            return beta * loss.force(output, targets[part])

        return Nudge(force * beta, loss.curvature * beta, pull)

    def held(self, outputs: Any, solver: Solver) -> Any:
        """The state with the outputs held, relaxed from the end of the free phase."""
        return self._nudged(Nudge(outputs, np.inf), solver)

    def generator(self, stream: int) -> np.random.Generator:
        """Random numbers of this batch: the same whenever the batch is trained again.

        Raises
        ------
        InputError
            In a stack of networks, where each would need its own.
        """
        if not self.key:
            raise InputError(
                "rule: draws random numbers of the batch, which networks trained together cannot; "
                "train each alone"
            )
        return np.random.default_rng([*self.key, stream])

    def _nudged(self, nudge: Nudge, solver: Solver) -> Any:
        """The state under a nudge, as it is read."""
        ended = solver.nudge(self.circuit, self.drive, self.settled, nudge)
        self.failed = self.failed + ended.failed
        return ended.state if self.read is None else self.read(ended.state)


def check_subtracts(solver: Solver) -> None:
    """Refuse a solver that finds deviations without two states, if devices read the states.

    Raises
    ------
    InputError
    """
    if type(solver).deviations is not Solver.deviations:
        raise InputError(
            f"rule: {type(solver).__name__} finds deviations without subtracting two states, which "
            "is impossible where states are read with noise, bits or converters; take SOR or Euler "
            "as solver of the rule"
        )


def check_beta(name: str, value: float) -> None:
    """Refuse the strength of a nudge that is none.

    Raises
    ------
    InputError
    """
    if not 0 < value < np.inf:
        raise InputError(f"{name}: {value}, must be above 0")
