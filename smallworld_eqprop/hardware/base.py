"""Device: the places at which a device acts on a network, each a method that does nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.parts import Part

__all__ = ["Device", "Memory", "OnWeights", "acts"]

Memory = dict[str, npt.NDArray]
Values = npt.NDArray[np.float64]


class Device(Part):
    """Subclass it as a frozen dataclass of numbers, and write the methods in which it acts.

    Weights are given in the order of ``graph.edges``, biases and states in that of the free nodes.
    Weights and steps are in double precision, so that a weight may be set to the bit; the network
    holds what comes of it in its own. What a method is given stays as it is, but for the memory:
    arrays by name, which are changed in place and are part of a checkpoint. Random numbers come
    from the generator alone. It is made of the seed of the run, the epoch, the batch and the place
    of the device in the list, so that an interrupted run continues with the same numbers.

    Attributes
    ----------
    biases : bool
        Whether the device acts on biases as it does on weights.
    memories : int
        Numbers that the device keeps for every weight beside the weight, and that a chip would
        have to build: a shadow weight is one.
    """

    biases: bool = False
    memories: int = 0

    @property
    def parts(self) -> tuple[Device, ...]:
        """The devices that act, one after the other: this one, or those that it stands for."""
        return (self,)

    def weight_memory(self, weights: npt.NDArray, rng: np.random.Generator) -> Memory:  # noqa: ARG002
        """What is remembered of every weight, patterns that are drawn once among it.

        Parameters
        ----------
        weights : ndarray, shape (n_edges,)
            Before any device has acted; of biases (n_free,), here and below.
        rng : numpy.random.Generator
        """
        return {}

    def node_memory(self, n_nodes: int, rng: np.random.Generator) -> Memory:  # noqa: ARG002
        """What is remembered of every free node, for `circuit` and `read`."""
        return {}

    def program(self, weights: Values, memory: Memory, rng: np.random.Generator) -> Values:  # noqa: ARG002
        """The initial weights as the device holds them."""
        return weights

    def write(
        self,
        weights: Values,  # noqa: ARG002
        step: Values,
        memory: Memory,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> Values:
        """The step that the device makes for a requested step; 0 where it is 0.

        Parameters
        ----------
        weights : ndarray, shape (n_edges,)
            As they are held.
        step : ndarray, shape (n_edges,)
            From the optimiser, or from the device before.
        memory : dict of str to ndarray
        rng : numpy.random.Generator
        """
        return step

    def age(
        self,
        weights: Values,
        written: npt.NDArray[np.bool_],  # noqa: ARG002
        memory: Memory,  # noqa: ARG002
        batches: float,  # noqa: ARG002
    ) -> Values:
        """The weights after some time, called after every batch.

        Parameters
        ----------
        weights : ndarray, shape (n_edges,)
        written : ndarray of bool, shape (n_edges,)
            Which weights have been changed since the last call.
        memory : dict of str to ndarray
        batches : float
            How long, in batches.
        """
        return weights

    def circuit(self, circuit: Any, memory: Memory, rng: np.random.Generator) -> Any:  # noqa: ARG002
        """What relaxes in place of the circuit, for one batch.

        Parameters
        ----------
        circuit : Circuit
        memory : dict of str to ndarray
            From `node_memory`.
        rng : numpy.random.Generator
            The circuit may keep it and draw while it relaxes.
        """
        return circuit

    def read(
        self,
        state: Any,
        phase: int,  # noqa: ARG002
        memory: Memory,  # noqa: ARG002
        rng: np.random.Generator,  # noqa: ARG002
    ) -> Any:
        """The reading of a state.

        Parameters
        ----------
        state : ndarray, shape (batch, n_free)
        phase : int
            0 for the free phase, then 1, 2, ... for what the rule asks for.
        memory : dict of str to ndarray
            From `node_memory`.
        rng : numpy.random.Generator

        Returns
        -------
        ndarray, shape (batch, n_free)
            Of the same dtype.
        """
        return state


@dataclass(frozen=True)
class OnWeights(Device):
    """A device of weights, and of biases where that is asked for.

    Parameters
    ----------
    biases : bool
        Whether the device acts on biases as it does on weights.
    """

    biases: bool = field(default=False, kw_only=True)


def acts(device: Device, *places: str) -> bool:
    """Whether a device has a method of its own for one of these places."""
    return any(getattr(type(device), each) is not getattr(Device, each) for each in places)
