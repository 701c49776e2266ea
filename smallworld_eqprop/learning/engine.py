"""Engine: what a batch does to a network, or to a stack of networks on torch.

A `Trainer` does the counting: order of the examples, sums, history. Its engine holds all that is
large (data, network, particles, memory of the optimiser). It relaxes the free phase, hands it to
the rule, and writes the step of the optimiser. Everything here is the same for every backend; the
array work is done by the network: `Network` with NumPy, `TorchNetwork` on any device of torch.
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.data.validation import set_apart
from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.relaxation import Relaxation, Solver
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.hardware.chip import TEST, TRAINING, VALIDATION, Chip, Moment, Reading
from smallworld_eqprop.learning.config import TrainingConfig
from smallworld_eqprop.learning.growth import Growth
from smallworld_eqprop.learning.lengths import in_steps
from smallworld_eqprop.learning.rewiring import Fixed
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

    Attributes
    ----------
    rows, validation_rows : ndarray of int
        Training examples that are trained, and those that are set apart.
    chip : Chip or None
        The devices that hold and read the network; None where it is ideal.
    growth : Growth or None
        What moves edges; None where the graph stays.
    """

    def __init__(self, network: Any, data: Dataset, configs: Sequence[TrainingConfig]) -> None:
        self.network, self.data = network, data
        backend, circuit = network.backend, network.circuit
        self.rows, self.validation_rows = set_apart(data, configs[0].validation)
        self._train = [backend.array(x) for x in (data.x_train, data.y_train)]
        self._test = [backend.array(x) for x in (data.x_test, data.y_test)]
        self._weights = None if data.weights is None else backend.array(data.weights)
        low, high, self._rest = circuit.low, circuit.high, circuit.rest()
        self.train_particles = self.test_particles = None
        if configs[0].start == "particles":
            # They are only starting points. Between 0 and 1 half precision, a tenth of the
            # tolerance, is enough, and halves the largest array of a run.
            half = bool((low == 0).all() and (high == 1).all())
            dtype = np.dtype(np.float16) if half else backend.dtype
            self.train_particles = backend.particles(self._rest, len(data.x_train), dtype)
            # A test set that is measured once is measured from rest.
            if configs[0].tests_epochs:
                self.test_particles = backend.particles(self._rest, len(data.x_test), dtype)
        device = configs[0].hardware
        self.chip = Chip(network, device, configs[0].seed) if device.parts else None
        self.updates = Updates(network)
        self.use(configs)
        rewire, seed = configs[0].rewire, configs[0].seed
        fixed = isinstance(rewire, Fixed)
        self.growth = None if fixed else Growth(rewire, network, self.n_batches, seed)

    def use(self, configs: Sequence[TrainingConfig]) -> None:
        """Learn as these say from now on; memory that they share with the last ones is kept."""
        self.configs = list(configs)
        self._rule = _joint_rule(self.configs, self.network.backend)
        optimisers = [in_steps(config.optimiser, self.n_batches) for config in configs]
        self.updates.use(optimisers, configs[0].rule)

    @property
    def n_batches(self) -> int:
        """Batches of one epoch; a last, smaller one counts."""
        return -(-len(self.rows) // self.configs[0].batch_size)

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
        inputs: npt.NDArray[np.floating] | None = None,
    ) -> list[Outcome]:
        """One batch: the free phase, the contrast of the rule, the step of the optimiser.

        Parameters
        ----------
        examples : ndarray of int, shape (members, batch)
        signs : sequence of float, shape (members,)
            Drawn for this batch.
        key : tuple of int
            Seed, stream, epoch and batch, for random numbers of the rule and of devices.
        t : int
            Number of the step.
        inputs : ndarray, shape (members, batch, n_inputs), optional
            To take in place of those of the examples: what a transform made of them.

        Returns
        -------
        list of Outcome
            One per member.
        """
        network, config, backend = self.network, self.configs[0], self.network.backend
        seen, targets = (backend.rows(values, examples) for values in self._train)
        if inputs is not None:
            rows = np.arange(examples.size).reshape(examples.shape)
            seen = backend.rows(backend.array(inputs.reshape(examples.size, -1)), rows)
        moment = (TRAINING, *key[-2:])
        (circuit, read), seen = self._circuit(moment), network.model.clamped(seen)
        drive = circuit.drive(seen)
        free = self._free_phase(circuit, drive, self.train_particles, examples, keep=True)
        sign = backend.each(signs)
        phases = Phases(circuit, seen, targets, drive, free, config.loss, sign, key, read=read)
        contrast: Any = self._rule.contrast(phases)
        if not isinstance(contrast, Contrast):
            name = type(config.rule).__name__
            raise InputError(f"rule: {name} gave {contrast!r:.60}, must give a Contrast")
        if self._weights is not None:
            # The gradient is linear in the deviation: each example counts by its weight.
            counts = backend.rows(self._weights, examples)[..., None]
            contrast = dataclasses.replace(contrast, deviation=contrast.deviation * counts)
        if self.growth is not None:
            self.growth.watch(contrast, t)
        write = None
        if self.chip is not None and self.chip.writes:
            write = functools.partial(self.chip.write, moment=moment)
        corrections = self.updates.step(contrast, t, write)
        errors, costs = self._scores(phases.free.state, targets)
        failed, worst = free.failed + phases.failed, backend.largest(free.residual)
        numbers = (errors, costs, free.sweeps.sum(-1), failed, worst)
        columns = [backend.host(each).tolist() for each in numbers]
        by_block = [each.tolist() for each in corrections]
        return [Outcome(*row) for row in zip(*columns, by_block, strict=True)]

    def rewire(self, t: int) -> None:
        """Move edges, where some move before step t."""
        if self.growth is not None and (graph := self.growth.moved(self.network, t)) is not None:
            self._move_to(graph)

    def measure(self, *, last: bool, epoch: int = 0) -> list[dict[str, float]]:
        """What is measured after an epoch, by the names in `EpochRecord`, of every member.

        Parameters
        ----------
        last : bool
            Whether it was the last epoch.
        epoch : int
            Its number, for random numbers of devices.
        """
        config = self.configs[0]
        scores = {
            "validation": self.evaluate(self.validation_rows, keep=True, epoch=epoch),
            "test": [(math.nan, math.nan)] * len(self.configs),
        }
        if config.tests_epochs or (last and config.test == "end"):
            scores["test"] = self.evaluate(keep=config.tests_epochs, epoch=epoch)
        return [
            {
                f"{name}_{what}": value
                for name, members in scores.items()
                for what, value in zip(("error", "cost"), members[k], strict=True)
            }
            for k in range(len(self.configs))
        ]

    def evaluate(
        self, rows: npt.NDArray[np.integer] | None = None, *, keep: bool = False, epoch: int = 0
    ) -> list[tuple[float, float]]:
        """Share of wrong examples and mean cost, of every member.

        Parameters
        ----------
        rows : ndarray of int, optional
            Training examples to evaluate; the test set when left out.
        keep : bool
            Whether the next evaluation starts where this one ended.
        epoch : int
            For random numbers of devices.
        """
        backend, arrays, particles = self.network.backend, self._train, self.train_particles
        where = VALIDATION
        if rows is None:
            where, rows = TEST, np.arange(len(self.data.x_test))
            arrays, particles = self._test, self.test_particles
        n = len(rows)
        if not n:
            return [(math.nan, math.nan)] * backend.members
        sums = np.zeros((2, backend.members))
        for start in range(0, n, EVALUATION_BATCH):
            part = rows[start : start + EVALUATION_BATCH]
            examples = np.broadcast_to(part, (backend.members, len(part)))
            inputs, targets = (backend.rows(values, examples) for values in arrays)
            circuit, read = self._circuit((where, epoch, start))
            drive = circuit.drive(self.network.model.clamped(inputs))
            solver = self.configs[0].evaluation
            free = self._free_phase(circuit, drive, particles, examples, solver, keep=keep)
            state = free.state if read is None else read(free.state)
            sums += [backend.host(each) for each in self._scores(state, targets)]
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
        if self.chip is not None:
            found |= self.chip.arrays()
        if self.growth is not None:
            found |= self.growth.arrays(network.graph)
        return found

    def restore(self, arrays: dict[str, npt.NDArray]) -> None:
        """Take up what `arrays` gave, in this engine or another."""
        if self.growth is not None:
            self._move_to(self.growth.restore(arrays))
        network, backend = self.network, self.network.backend
        network.weights, network.biases = arrays["weights"], arrays["biases"]
        for name in PARTICLES:
            if (particles := getattr(self, name)) is not None:
                particles[:] = backend.array(arrays[name])
        self.updates.restore(arrays)
        if self.chip is not None:
            self.chip.restore(arrays)

    def _move_to(self, graph: LayeredGraph) -> None:
        """Go on with the network on another graph; states are of nodes, which stay."""
        self.network, origin = self.network.moved_to(graph)
        self.updates = self.updates.moved_to(self.network, origin, self.configs[0].rule)

    def _circuit(self, moment: Moment) -> tuple[Any, Reading | None]:
        """What relaxes, and what reads its states, if anything does."""
        if self.chip is None:
            return self.network.circuit, None
        return self.chip.circuit(moment), self.chip.reading(moment)

    def _free_phase(
        self,
        circuit: Any,
        drive: Any,
        particles: Any,
        examples: npt.NDArray,
        solver: Solver | None = None,
        *,
        keep: bool,
    ) -> Relaxation:
        """Relax from the particles of the examples, and leave the new ones there."""
        backend = self.network.backend
        if particles is None:
            start = circuit.clip(0 * drive)
        else:
            start = backend.recall(particles, examples)
        free = (solver or self.configs[0].relaxation).relax(circuit, drive, start)
        if keep and particles is not None:
            backend.keep(particles, examples, free.state)
        return free

    def _scores(self, state: Any, targets: Any) -> tuple[Any, Any]:
        """Summed errors and summed costs of a batch, of every member."""
        output = state[..., self.network.output]
        costs = self.configs[0].loss.cost(output, targets).sum(-1)
        if self.data.task == "regression":
            return costs, costs
        classes = output[..., : self.data.n_classes]
        return (classes.argmax(-1) != targets.argmax(-1)).sum(-1), costs


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
