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
from smallworld_eqprop.learning.optimisers import SGD
from smallworld_eqprop.learning.recipe import Recipe
from smallworld_eqprop.learning.rules import Phases

__all__ = ["EVALUATION_BATCH", "Engine", "Outcome"]

PARTICLES = ("train_particles", "test_particles")
KINDS = ("weights", "biases")

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
    recipes : sequence of Recipe
        One per member of the stack. Only the optimisers, and beta of equal rules, may differ.
    """

    def __init__(self, network: Any, data: Dataset, recipes: Sequence[Recipe]) -> None:
        self.network, self.data = network, data
        backend, circuit = network.backend, network.circuit
        self._train = [backend.array(x) for x in (data.x_train, data.y_train)]
        self._test = [backend.array(x) for x in (data.x_test, data.y_test)]
        low, high, self._rest = circuit.low, circuit.high, circuit.rest()
        self.train_particles = self.test_particles = None
        if recipes[0].start == "particles":
            # They are only starting points. Between 0 and 1 half precision, a tenth of the
            # tolerance, is enough, and halves the largest array of a run.
            half = bool((low == 0).all() and (high == 1).all())
            dtype = np.dtype(np.float16) if half else backend.dtype
            self.train_particles, self.test_particles = (
                backend.particles(self._rest, len(x), dtype) for x in (data.x_train, data.x_test)
            )
        self.memory: list[dict[str, Any]] = [{} for _ in network.groups]
        self.use(recipes)

    def use(self, recipes: Sequence[Recipe]) -> None:
        """Learn by these recipes from now on; memory that they share with the last ones is kept."""
        self.recipes, network, backend = list(recipes), self.network, self.network.backend
        self._rule = _joint_rule(self.recipes, backend)
        # One optimiser per member and array of parameters.
        self._optimisers = [[r.optimiser.of(group) for group in network.groups] for r in recipes]
        for n, array in enumerate(network.parameters):
            own = zip(self._optimisers, backend.apart(array), strict=True)
            new = _stacked(backend, [each[n].init(part) for each, part in own])
            self.memory[n] = {name: self.memory[n].get(name, new[name]) for name in new}

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
        _share(backend, vars(joint), [vars(each) for each in engines], kept)
        joint.memory = [dict(each) for each in joint.memory]
        for n, memory in enumerate(joint.memory):
            own = [each.memory[n] for each in engines]
            _share(backend, memory, own, _common(own))
        joint.use([recipe for each in engines for recipe in each.recipes])
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
        network, recipe, backend = self.network, self.recipes[0], self.network.backend
        inputs, targets = (backend.rows(values, examples) for values in self._train)
        circuit = network.circuit
        drive = circuit.drive(inputs)
        free = self._free_phase(drive, self.train_particles, examples, keep=True)
        sign = backend.each(signs)
        phases = Phases(circuit, inputs, targets, drive, free, recipe.loss, sign, key)
        contrast: Any = self._rule.contrast(phases)
        if not isinstance(contrast, Contrast):
            name = type(recipe.rule).__name__
            raise InputError(f"rule: {name} gave {contrast!r:.60}, must give a Contrast")
        corrections = self._step(contrast, t)
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
        for name in self._remembered():
            arrays = network.unpack([each[name] for each in self.memory])
            found |= {f"optimiser/{name}/{k}": a for k, a in zip(KINDS, arrays, strict=True)}
        return found

    def restore(self, arrays: dict[str, npt.NDArray]) -> None:
        """Take up what `arrays` gave, in this engine or another."""
        network, backend = self.network, self.network.backend
        network.weights, network.biases = arrays["weights"], arrays["biases"]
        for name in PARTICLES:
            if (particles := getattr(self, name)) is not None:
                particles[:] = backend.array(arrays[name])
        for name in self._remembered():
            both = [arrays[f"optimiser/{name}/{kind}"] for kind in KINDS]
            for memory, array in zip(self.memory, network.pack(*both), strict=True):
                memory[name][:] = array

    def _remembered(self) -> list[str]:
        return sorted({name for each in self.memory for name in each})

    def _free_phase(
        self, drive: Any, particles: Any, examples: npt.NDArray, *, keep: bool
    ) -> Relaxation:
        """Relax from the particles of the examples, and leave the new ones there."""
        circuit, backend = self.network.circuit, self.network.backend
        if particles is None:
            start = circuit.clip(0 * drive)
        else:
            start = backend.recall(particles, examples)
        free = self.recipes[0].solver.relax(circuit, drive, start)
        if keep and particles is not None:
            backend.keep(particles, examples, free.state)
        return free

    def _step(self, contrast: Contrast, t: int) -> list[npt.NDArray[np.float64]]:
        """Move the parameters; gives RMS changes by block, of every member."""
        network, optimisers = self.network, [r.optimiser for r in self.recipes]
        if all(type(each) is SGD for each in optimisers):
            # The fast path of plain descent; a test compares it with the one below.
            rates = [each.rates(network.graph.n_layers, t) for each in optimisers]  # type: ignore[attr-defined]
            changes = network.descend(contrast, *map(np.array, zip(*rates, strict=True)))
        else:
            gradient = network.gradient(contrast)
            changes = network.add([self._proposed(n, g, t) for n, g in enumerate(gradient)])
        # Of a stack they are a list, because every member has its own blocks.
        return changes if isinstance(changes, list) else [changes]

    def _proposed(self, n: int, gradient: Any, t: int) -> Any:
        """Step of the optimiser for parameter array n; the memory moves on."""
        own, parameters = [each[n] for each in self._optimisers], self.network.parameters[n]
        backend = self.network.backend
        if own[0].elementwise and all(each == own[0] for each in own):
            step, memory = own[0].step(gradient, parameters, self.memory[n], t)
        else:
            remembered = {name: backend.apart(v) for name, v in self.memory[n].items()}
            parts = zip(own, backend.apart(gradient), backend.apart(parameters), strict=True)
            found = [
                each.step(g, p, {name: v[k] for name, v in remembered.items()}, t)
                for k, (each, g, p) in enumerate(parts)
            ]
            step = backend.stack([each for each, _ in found])
            memory = _stacked(backend, [each for _, each in found])
        if memory.keys() != self.memory[n].keys():
            raise InputError(
                f"optimiser: {own[0]} remembers {sorted(memory)} after a step, and "
                f"{sorted(self.memory[n])} before it; init and step must agree"
            )
        for name, values in memory.items():
            self.memory[n][name][:] = values
        return step

    def _scores(self, free: Relaxation, targets: Any) -> tuple[Any, Any]:
        """Summed errors and summed costs of a batch, of every member."""
        output = free.state[..., self.network.output]
        costs = self.recipes[0].loss.cost(output, targets).sum(-1)
        if self.data.task == "regression":
            return costs, costs
        return (output.argmax(-1) != targets.argmax(-1)).sum(-1), costs


def _joint_rule(recipes: Sequence[Recipe], backend: Any) -> Any:
    """The rule of the members, which may differ in beta alone."""
    rule = recipes[0].rule
    if backend.library == "numpy" or not hasattr(rule, "beta"):
        return rule
    # An array also of a single member, so that a stack rounds as it does. Each number is checked.
    joint = copy.copy(rule)
    betas = backend.each([each.rule.beta for each in recipes])  # type: ignore[attr-defined]
    object.__setattr__(joint, "beta", betas)
    return joint


def _stacked(backend: Any, memories: list[dict[str, Any]]) -> dict[str, Any]:
    """What optimisers of the members remember of an array, as that of the stack."""
    names = _common(memories)
    return {name: backend.stack([each[name] for each in memories]) for name in names}


def _common(memories: list[dict[str, Any]]) -> list[str]:
    """Names of what all of them remember, which must be the same."""
    names = sorted(memories[0])
    for each in memories:
        if sorted(each) != names:
            raise InputError(
                f"optimiser: one remembers {names}, another {sorted(each)}; networks trained "
                "together need optimisers that remember the same"
            )
    return names


def _share(
    backend: Any, joint: dict[str, Any], members: list[dict[str, Any]], names: list[str]
) -> None:
    """Put arrays of the members one after the other, and let theirs be views of that."""
    for name in names:
        arrays = [each[name] for each in members]
        if len(kinds := {str(array.dtype) for array in arrays}) > 1:
            raise InputError(
                f"{name}: {' beside '.join(sorted(kinds))}; networks trained together need models "
                "with the same bounds"
            )
        joint[name] = backend.joined(arrays)
        for k, each in enumerate(members):
            each[name] = joint[name][k : k + 1]
