"""Engine: what a batch does to a network, or to a stack of networks on torch.

A `Trainer` keeps the books: order of the examples, sums, history. Its engine holds all that is
large (data, network, particles, memory of the optimiser). It relaxes the free phase, hands it to
the rule, and writes the step of the optimiser. Everything here is the same for every backend; the
array work is done by the network: `Network` with NumPy, `TorchNetwork` on any device of torch.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.relaxation import Relaxation
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.rules import Phases
from smallworld_eqprop.learning.updates import Updates, share_arrays

__all__ = ["EVALUATION_BATCH", "Engine", "Outcome"]

PARTICLES = ("train_particles", "test_particles")

# Examples evaluated together: wide products are the efficient ones.
EVALUATION_BATCH = 200


@dataclass(frozen=True)
class Outcome:
    """What one batch of training showed of one network; errors, cost and sweeps are sums.

    Attributes
    ----------
    errors : float
        Wrong examples in the free phase; for regression their costs.
    cost : float
    sweeps : float
        Sweeps of the free phase.
    unconverged : int
        Examples that missed the tolerance, in the free phase or in one that the rule asked for.
    worst_residual : float
        Of the free phase.
    corrections : list of float
        RMS change of every block of weights.
    """

    errors: float
    cost: float
    sweeps: float
    unconverged: int
    worst_residual: float
    corrections: list[float]

    @property
    def finite(self) -> bool:
        """Whether states and weights are finite."""
        numbers = (self.cost, self.worst_residual, *self.corrections)
        return all(map(math.isfinite, numbers))


class Engine:
    """Trains one network, or a stack of networks, batch by batch.

    Parameters
    ----------
    network : Network or TorchNetwork
    data : Dataset
    configs : sequence of TrainingConfig
        One per member of the stack. Only the optimisers, and beta of equal rules, may differ.
    """

    def __init__(self, network: Any, data: Dataset, configs: Sequence[TrainingConfig]) -> None:
        self.network, self.data = network, data
        backend, circuit = network.backend, network.circuit
        self._train = [backend.array(x) for x in (data.x_train, data.y_train)]
        self._test = [backend.array(x) for x in (data.x_test, data.y_test)]
        low, high, self._rest = circuit.low, circuit.high, circuit.rest()
        self.train_particles = self.test_particles = None
        if configs[0].start == "particles":
            # They are only starting points. Between 0 and 1 half precision, a tenth of the
            # tolerance, is enough, and halves the largest array of a run.
            half = bool((low == 0).all() and (high == 1).all())
            dtype = np.dtype(np.float16) if half else backend.dtype
            self.train_particles, self.test_particles = (
                backend.particles(self._rest, len(x), dtype) for x in (data.x_train, data.x_test)
            )
        self.updates = Updates(network)
        self.use(configs)

    def use(self, configs: Sequence[TrainingConfig]) -> None:
        """Learn as these say from now on; memory that they share with the last ones is kept."""
        self.configs = list(configs)
        self._rule = _joint_rule(self.configs, self.network.backend)
        self.updates.use([config.optimiser for config in configs])

    @classmethod
    def joined(cls, engines: Sequence[Engine]) -> Engine:
        """Engines of single networks on torch as one; from then on they share its memory.

        Raises
        ------
        InputError
            If their networks cannot be stacked, or they remember different things.
        """
        joint = copy.copy(engines[0])
        joint.network = type(joint.network).stacked([each.network for each in engines])
        backend, joint._rest = joint.network.backend, joint.network.circuit.rest()
        kept = [name for name in PARTICLES if getattr(joint, name) is not None]
        share_arrays(backend, vars(joint), [vars(each) for each in engines], kept)
        joint.updates = Updates.joined(joint.network, [each.updates for each in engines])
        joint.use([config for each in engines for config in each.configs])
        for each in engines:
            each._train, each._test = joint._train, joint._test  # one copy on the device
        return joint

    def train(
        self,
        examples: npt.NDArray[np.integer],
        signs: Sequence[float],
        key: tuple[int, ...],
        t: int,
    ) -> list[Outcome]:
        """One batch: the free phase, the contrast of the rule, the step of the optimiser.

        Parameters
        ----------
        examples : ndarray of int, shape (members, batch)
        signs : sequence of float, shape (members,)
            Drawn for this batch.
        key : tuple of int
            Seed, epoch and batch, for random numbers of the rule.
        t : int
            Number of the step.

        Returns
        -------
        list of Outcome
            One per member.
        """
        network, config, backend = self.network, self.configs[0], self.network.backend
        inputs, targets = (backend.rows(values, examples) for values in self._train)
        circuit = network.circuit
        drive = circuit.drive(inputs)
        free = self._free_phase(drive, self.train_particles, examples, keep=True)
        sign = backend.each(signs)
        phases = Phases(circuit, inputs, targets, drive, free, config.loss, sign, key)
        contrast: Any = self._rule.contrast(phases)
        if not isinstance(contrast, Contrast):
            name = type(config.rule).__name__
            raise InputError(f"rule: {name} gave {contrast!r:.60}, must give a Contrast")
        corrections = self.updates.step(contrast, t)
        errors, costs = self._scores(free, targets)
        failed, worst = free.failed + phases.failed, backend.largest(free.residual)
        numbers = (errors, costs, free.sweeps.sum(-1), failed, worst)
        columns = [backend.host(each).tolist() for each in numbers]
        by_block = [each.tolist() for each in corrections]
        return [Outcome(*row) for row in zip(*columns, by_block, strict=True)]

    def evaluate(self, *, keep: bool = False) -> list[tuple[float, float]]:
        """Share of wrong examples and mean cost on the test set, of every member.

        Parameters
        ----------
        keep : bool
            Whether the next evaluation starts where this one ended.
        """
        backend, n = self.network.backend, len(self.data.x_test)
        if not n:
            return [(math.nan, math.nan)] * backend.members
        sums = np.zeros((2, backend.members))
        for start in range(0, n, EVALUATION_BATCH):
            part = np.arange(start, min(start + EVALUATION_BATCH, n))
            examples = np.broadcast_to(part, (backend.members, len(part)))
            inputs, targets = (backend.rows(values, examples) for values in self._test)
            drive = self.network.circuit.drive(inputs)
            free = self._free_phase(drive, self.test_particles, examples, keep=keep)
            sums += [backend.host(each) for each in self._scores(free, targets)]
        return [(wrong / n, total / n) for wrong, total in sums.T.tolist()]

    def forget_particles(self) -> None:
        """Put all particles to rest."""
        for particles in (self.train_particles, self.test_particles):
            if particles is not None:
                particles[:] = self.network.backend.array(self._rest)

    def arrays(self) -> dict[str, npt.NDArray]:
        """All that evolves in a single network, as NumPy arrays that every engine can take up.

        Memory of the optimiser is in the order of edges and nodes. The particles are not copied:
        write them before training goes on.
        """
        network, backend = self.network, self.network.backend
        found = {"weights": network.weights, "biases": network.biases}
        for name in PARTICLES:
            if (particles := getattr(self, name)) is not None:
                found[name] = backend.alone(particles)
        found |= self.updates.arrays()
        return found

    def restore(self, arrays: dict[str, npt.NDArray]) -> None:
        """Take up what `arrays` gave, in this engine or another."""
        network, backend = self.network, self.network.backend
        network.weights, network.biases = arrays["weights"], arrays["biases"]
        for name in PARTICLES:
            if (particles := getattr(self, name)) is not None:
                particles[:] = backend.array(arrays[name])
        self.updates.restore(arrays)

    def _free_phase(
        self, drive: Any, particles: Any, examples: npt.NDArray, *, keep: bool
    ) -> Relaxation:
        """Relax from the particles of the examples, and leave the new ones there."""
        circuit, backend = self.network.circuit, self.network.backend
        if particles is None:
            start = circuit.clip(0 * drive)
        else:
            start = backend.recall(particles, examples)
        free = self.configs[0].relaxation.relax(circuit, drive, start)
        if keep and particles is not None:
            backend.keep(particles, examples, free.state)
        return free

    def _scores(self, free: Relaxation, targets: Any) -> tuple[Any, Any]:
        """Summed errors and summed costs of a batch, of every member."""
        output = free.state[..., self.network.output]
        costs = self.configs[0].loss.cost(output, targets).sum(-1)
        if self.data.task == "regression":
            return costs, costs
        return (output.argmax(-1) != targets.argmax(-1)).sum(-1), costs


def _joint_rule(configs: Sequence[TrainingConfig], backend: Any) -> Any:
    """The rule of the members, which may differ in beta alone."""
    rule = configs[0].rule
    if backend.library == "numpy" or not hasattr(rule, "beta"):
        return rule
    # An array also of a single member, so that a stack rounds as it does. Each number is checked.
    joint = copy.copy(rule)
    betas = backend.each([each.rule.beta for each in configs])  # type: ignore[attr-defined]
    object.__setattr__(joint, "beta", betas)
    return joint
