"""Chip: the devices of one network, what they remember, and where they act in training."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.constraints import frozen_edges, weight_limits
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.hardware.base import Device, Memory, Values, acts

__all__ = ["TEST", "TRAINING", "VALIDATION", "Chip", "Moment", "Reading"]

# Of random numbers; `learning.trainer` has the streams before it.
STREAM = 5
TRAINING, VALIDATION, TEST = range(3)
#: When something is done: in training or in which evaluation, the epoch, and the batch.
Moment = tuple[int, ...]
PLACES = ("weights", "biases", "nodes")
BEFORE: Moment = (TRAINING, 0, 0)
# What a device does, for random numbers of its own each.
PROGRAM, WRITE, CIRCUIT, READ = range(4)

Reading = Callable[[Any], Any]


class Chip:
    """A network whose weights are what its devices hold; making one programs them.

    Parameters
    ----------
    network : Network
        Its parameters are written at once, and by `write` and `wait`.
    device : Device
        `Devices`, for several.
    seed : int
        Of the run.

    Attributes
    ----------
    devices : tuple of Device
    memory : list of dict
        Of every device what it remembers, by place ("weights", "biases", "nodes") and name.
    """

    def __init__(self, network: Network, device: Device, seed: int) -> None:
        self.network, self.seed, self.devices = network, seed, device.parts
        # In the precision of the weights, so that one at its limit is not moved by another cut.
        limits = (np.asarray(each) for each in weight_limits(network.graph, network.model))
        self._limits = [each.astype(network.dtype).astype(float) for each in limits]
        self._frozen = frozen_edges(network.graph)
        self.memory: list[dict[str, Memory]] = []
        before, values = self._held(), self._held()
        for n, each in enumerate(self.devices):
            self.memory.append({})
            for place in _places(each):
                rng, first = self._rng(BEFORE, n, PROGRAM, place), before[place]
                memory = each.weight_memory(first.astype(network.dtype), rng)
                values[place] = each.program(values[place], memory, rng)
                self.memory[n][place] = memory
            rng = self._rng(BEFORE, n, PROGRAM, "nodes")
            self.memory[n]["nodes"] = each.node_memory(network.n_free, rng)
        self._hold(self._allowed(before, values))

    @property
    def writes(self) -> bool:
        """Whether any device has a part in a step, or in what follows it."""
        return any(acts(each, "write", "age") for each in self.devices)

    def circuit(self, moment: Moment) -> Any:
        """What relaxes."""
        circuit = self.network.circuit
        for n, each in enumerate(self.devices):
            if acts(each, "circuit"):
                rng = self._rng(moment, n, CIRCUIT, "nodes")
                circuit = each.circuit(circuit, self.memory[n]["nodes"], rng)
        return circuit

    def reading(self, moment: Moment) -> Reading | None:
        """What reads the states of a batch, phase by phase; None where no device does."""
        readers = [
            (each, self.memory[n]["nodes"], self._rng(moment, n, READ, "nodes"))
            for n, each in enumerate(self.devices)
            if acts(each, "read")
        ]
        phases = itertools.count()

        def read(state: Any) -> Any:
            phase = next(phases)
            for device, memory, rng in readers:
                state = device.read(state, phase, memory, rng)
            return state

        return read if readers else None

    def write(self, steps: Sequence[npt.NDArray], moment: Moment) -> npt.NDArray[np.float64]:
        """Make the devices take a step, and age by one batch.

        Parameters
        ----------
        steps : sequence of ndarray
            From the optimiser, in the order of ``network.groups``.
        moment : Moment

        Returns
        -------
        ndarray, shape (n_blocks,)
            RMS change of every block of weights by the step, without what age does; not finite
            where weights would be, which are left as they are then.
        """
        network, before = self.network, self._held()
        both = zip(PLACES, network.unpack(steps), strict=False)
        asked = {place: before[place] + step for place, step in both}
        step = {place: each - before[place] for place, each in self._allowed(before, asked).items()}
        for n, each in enumerate(self.devices):
            for place in _places(each) if acts(each, "write") else ():
                memory, rng = self.memory[n][place], self._rng(moment, n, WRITE, place)
                step[place] = each.write(before[place], step[place], memory, rng)
        after = {place: before[place] + each for place, each in step.items()}
        # In the precision of the network, or a weight would seem to be written that is not.
        after = {
            place: each.astype(network.dtype).astype(float)
            for place, each in self._allowed(before, after).items()
        }
        if not all(np.isfinite(each).all() for each in after.values()):
            return np.full(len(network.blocks), np.nan)
        self._age(after, {place: after[place] != before[place] for place in after}, 1.0)
        change = after["weights"] - before["weights"]
        blocks = network.blocks
        return np.sqrt([np.square(change[block.edges]).mean() for block in blocks])

    def wait(self, batches: float) -> None:
        """Let time pass without a step."""
        values = self._held()
        self._age(
            values, {place: np.zeros(len(each), bool) for place, each in values.items()}, batches
        )

    def arrays(self) -> dict[str, npt.NDArray]:
        """What the devices remember, for a checkpoint."""
        return {name: values.copy() for name, values in self._memories().items()}

    def restore(self, arrays: Mapping[str, npt.NDArray]) -> None:
        """Take up what `arrays` gave, among other arrays."""
        for name, values in self._memories().items():
            values[:] = arrays[name]

    def _memories(self) -> dict[str, npt.NDArray]:
        return {
            f"hardware/{n}/{place}/{name}": values
            for n, places in enumerate(self.memory)
            for place, memory in places.items()
            for name, values in memory.items()
        }

    def _age(
        self, values: dict[str, Values], written: dict[str, npt.NDArray[np.bool_]], batches: float
    ) -> None:
        """Let time pass over values, and hold what comes of it."""
        found = dict(values)
        for n, each in enumerate(self.devices):
            for place in _places(each) if acts(each, "age") else ():
                memory = self.memory[n][place]
                found[place] = each.age(found[place], written[place], memory, batches)
        self._hold(self._allowed(values, found))

    def _held(self) -> dict[str, Values]:
        """Weights and biases as they are, in double precision."""
        network = self.network
        return {"weights": network.weights.astype(float), "biases": network.biases.astype(float)}

    def _hold(self, values: dict[str, Values]) -> None:
        self.network.weights, self.network.biases = values["weights"], values["biases"]

    def _allowed(self, before: dict[str, Values], after: dict[str, Values]) -> dict[str, Values]:
        """Values as model and graph allow them: within limits, frozen weights as they were."""
        weights = np.clip(after["weights"], *self._limits)
        if self._frozen is not None:
            weights = np.where(self._frozen, before["weights"], weights)
        return {**after, "weights": weights}

    def _rng(self, moment: Moment, n: int, what: int, place: str) -> np.random.Generator:
        """Random numbers of one device for one purpose."""
        where = PLACES.index(place)
        return np.random.default_rng([self.seed, STREAM, *moment, n, what, where])


def _places(device: Device) -> tuple[str, ...]:
    """The parameters on which a device acts."""
    return PLACES[: 1 + device.biases]
