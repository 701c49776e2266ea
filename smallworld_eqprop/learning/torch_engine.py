"""The engine on torch tensors: one network or a stack of them, on a processor or a CUDA card.

Data, weights and particles stay on the device. What a batch showed comes back in two small
transfers, and nothing else does until a checkpoint is written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import torch

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import Relaxation, RelaxationMethod
from smallworld_eqprop.dynamics.torch_couplings import TorchCouplings
from smallworld_eqprop.dynamics.torch_relaxation import on_torch
from smallworld_eqprop.graphs.layered import LayeredGraph
from smallworld_eqprop.learning.engine import EVALUATION_BATCH, Outcome

__all__ = ["TorchEngine"]


class TorchEngine:
    """Trains a stack of networks on the same data; a single one is a stack of one.

    Parameters
    ----------
    data : Dataset
    phases : relaxation methods
        Of the free and of the nudged phase.
    networks : sequence of TorchCouplings
        Single networks on one device, with equal layer sizes.
    """

    def __init__(
        self,
        data: Dataset,
        phases: tuple[RelaxationMethod, Euler],
        networks: Sequence[TorchCouplings],
    ) -> None:
        self.data = data
        self.free, self.nudged = map(on_torch, phases)
        self.stack = TorchCouplings.stacked(networks)
        self._x_train, self._y_train, self._x_test, self._y_test = map(
            self.stack.array, (data.x_train, data.y_train, data.x_test, data.y_test)
        )
        self.train_particles = self._at_rest(len(data.x_train))
        self.test_particles = self._at_rest(len(data.x_test))

    @classmethod
    def on_device(
        cls,
        graph: LayeredGraph,
        data: Dataset,
        device: str,
        phases: tuple[RelaxationMethod, Euler],
        couplings: Any,
    ) -> Self:
        """An engine for one network, whose couplings are copied to the device if need be."""
        if not isinstance(couplings, TorchCouplings):
            couplings = TorchCouplings(
                graph, couplings.edge_weights(), couplings.biases[:, 0], device=device
            )
        return cls(data, phases, [couplings])

    @classmethod
    def joined(cls, engines: Sequence[TorchEngine]) -> Self:
        """Engines of single networks as one; from then on they share its memory."""
        joint = cls.__new__(cls)
        vars(joint).update(vars(engines[0]))
        joint.stack = TorchCouplings.stacked([engine.couplings for engine in engines])
        for name in ("train_particles", "test_particles"):
            whole = torch.cat([getattr(engine, name) for engine in engines])
            setattr(joint, name, whole)
            for k, engine in enumerate(engines):
                setattr(engine, name, whole[k : k + 1])
        for k, engine in enumerate(engines):
            engine.stack = joint.stack.only(k)
        return joint

    @property
    def couplings(self) -> TorchCouplings:
        """Weights and biases of the network, or of the first of the stack."""
        return self.stack.members[0]

    def train(
        self,
        examples: npt.NDArray[np.integer],
        beta: float,
        rates: npt.NDArray[np.floating],
        bias_rates: npt.NDArray[np.floating] | None,
    ) -> Outcome:
        """Two phases on these training examples, and the correction."""
        (outcome,) = self.train_together(
            examples[None], np.array([beta]), rates, rates if bias_rates is None else bias_rates
        )
        return outcome

    def train_together(
        self,
        examples: npt.NDArray[np.integer],
        betas: npt.NDArray[np.floating],
        rates: npt.NDArray[np.floating],
        bias_rates: npt.NDArray[np.floating],
    ) -> list[Outcome]:
        """One batch of every network: its own examples, sign of beta and rates.

        Parameters
        ----------
        examples : ndarray of int, shape (networks, batch)
        betas : ndarray, shape (networks,)
        rates, bias_rates : ndarray, shape (networks, n_layers - 1) or (n_layers - 1,)
        """
        stack = self.stack
        chosen = torch.from_numpy(examples.astype(np.int64)).to(stack.device)
        inputs, target = self._x_train[chosen].mT, self._y_train[chosen].mT
        drive = stack.drive(inputs)
        which = torch.arange(len(chosen), device=stack.device)[:, None], chosen
        free = self._free_phase(drive, self.train_particles, which)
        nudged = self.nudged.nudge(stack, drive, free, target, betas)
        corrections = stack.correct(free.state, nudged, inputs, 1 / betas, rates, bias_rates)
        errors, costs = self._scores(free, target)
        numbers = torch.stack(
            (
                errors,
                costs,
                free.sweeps.sum(-1),
                (~free.converged).sum(-1),
                torch.amax(free.residual, -1),
            ),
            -1,
        )
        return [
            Outcome(wrong, total, sweeps, int(unconverged), worst, rms)
            for (wrong, total, sweeps, unconverged, worst), rms in zip(
                numbers.tolist(), corrections, strict=True
            )
        ]

    def evaluate(self) -> tuple[float, float]:
        """Share of wrong examples and mean cost on the test set."""
        (scores,) = self.evaluate_together()
        return scores

    def evaluate_together(self) -> list[tuple[float, float]]:
        """Share of wrong test examples and mean test cost of every network."""
        n, networks = len(self.data.x_test), len(self.stack.members)
        if not n:
            return [(math.nan, math.nan)] * networks
        sums = []
        for start in range(0, n, EVALUATION_BATCH):
            part = slice(start, start + EVALUATION_BATCH)
            inputs, target = self._x_test[part].mT, self._y_test[part].mT
            drive = self.stack.drive(inputs.expand(networks, -1, -1))
            free = self._free_phase(drive, self.test_particles, (slice(None), part))
            sums.append(torch.stack(self._scores(free, target), -1))
        return [(wrong / n, total / n) for wrong, total in torch.stack(sums).sum(0).tolist()]

    def forget_particles(self) -> None:
        """Put all particles to rest."""
        self.train_particles.zero_()
        self.test_particles.zero_()

    def arrays(self) -> dict[str, npt.NDArray]:
        """Weights, biases and particles as NumPy arrays."""
        return {
            "weights": self.couplings.edge_weights(),
            "biases": self.couplings.biases[:, 0].cpu().numpy().copy(),
            "train_particles": self.train_particles[0].cpu().numpy(),
            "test_particles": self.test_particles[0].cpu().numpy(),
        }

    def restore(self, arrays: dict[str, npt.NDArray]) -> None:
        """Take up what the `arrays` of any engine gave."""
        self.couplings.restore(arrays["weights"], arrays["biases"])
        self.train_particles[0] = torch.from_numpy(arrays["train_particles"])
        self.test_particles[0] = torch.from_numpy(arrays["test_particles"])

    def _at_rest(self, examples: int) -> torch.Tensor:
        """Particles, float16 because they are only starting points."""
        shape = (len(self.stack.members), examples, self.stack.n_free)
        return torch.zeros(shape, dtype=torch.float16, device=self.stack.device)

    def _free_phase(self, drive: torch.Tensor, particles: torch.Tensor, which: Any) -> Relaxation:
        """Relax from the particles of the examples and leave the new ones there."""
        start = particles[which].mT.to(drive.dtype)
        free = self.free.relax(self.stack, drive, start)
        particles[which] = free.state.mT.to(particles.dtype)
        return free

    def _scores(self, free: Relaxation, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Summed errors and summed costs of a batch, per network."""
        output = free.state[..., self.stack.output, :]
        costs = (output - target).square().sum((-2, -1))
        if self.data.task == "regression":
            return costs, costs
        wrong = output.argmax(-2) != target.argmax(-2)
        return wrong.sum(-1).to(costs.dtype), costs
