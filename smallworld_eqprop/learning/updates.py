"""Updates: from the contrast of a batch to a step, and what optimisers remember."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.contrast import Contrast, Group
from smallworld_eqprop.dynamics.sharing import share
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.clipping import Clipped
from smallworld_eqprop.learning.optimisers import SGD, Adam, Optimiser
from smallworld_eqprop.learning.rules import Rule

__all__ = ["Updates", "share_arrays"]

# A step of Adam takes as long for a parameter as so many multiplications in a matrix product.
ADAM = 64

KINDS: tuple[Literal["weights"], Literal["biases"]] = ("weights", "biases")


class Updates:
    """The optimisers of a network, or of the members of a stack, and their memory.

    Parameters
    ----------
    network : Network or TorchNetwork

    Attributes
    ----------
    memory : list of dict of str to array
        What is remembered of each array of parameters, in the order of ``network.groups``.
    """

    def __init__(self, network: Any) -> None:
        self.network = network
        self.memory: list[dict[str, Any]] = [{} for _ in network.groups]

    def use(self, optimisers: Sequence[Optimiser], rule: Rule) -> None:
        """Step by these from now on; memory that they share with the last ones is kept.

        Parameters
        ----------
        optimisers : sequence of Optimiser
            One per member.
        rule : Rule
            Says which arrays of parameters are trained.
        """
        self.optimisers = list(optimisers)
        network, backend = self.network, self.network.backend
        n_layers = network.graph.n_layers
        self._trained = [rule.trains(group, n_layers) for group in network.groups]
        self._trained_layers = [
            [rule.trains(Group(kind, layer), n_layers) for layer in range(1, n_layers)]
            for kind in KINDS
        ]
        # One optimiser per member and array of parameters.
        self._optimisers = [[each.of(group) for group in network.groups] for each in optimisers]
        for n, array in enumerate(network.parameters):
            own = zip(self._optimisers, backend.apart(array), strict=True)
            new = _stacked(backend, [each[n].init(part) for each, part in own])
            self.memory[n] = {name: self.memory[n].get(name, new[name]) for name in new}

    @classmethod
    def joined(cls, network: Any, members: Sequence[Updates]) -> Updates:
        """Updates of single networks as those of a stack; from then on they share memory.

        Raises
        ------
        InputError
            If they remember different things.
        """
        joint = cls(network)
        for n, memory in enumerate(joint.memory):
            own = [each.memory[n] for each in members]
            share_arrays(network.backend, memory, own, _common(own))
        return joint

    def step(
        self, contrast: Contrast, t: int, write: Callable[[list[Any]], Any] | None = None
    ) -> list[npt.NDArray[np.float64]]:
        """Move the parameters; gives RMS changes by block, of every member.

        Parameters
        ----------
        contrast : Contrast
        t : int
            Number of the step.
        write : callable, optional
            Takes the step in place of the network, as `Network.add` does.
        """
        network, optimisers = self.network, self.optimisers
        if write is not None:
            changes = write(self._steps(contrast, t))
        elif all(type(each) is SGD for each in optimisers):
            # The fast path of plain descent; a test compares it with the one below.
            rates = [each.rates(network.graph.n_layers, t) for each in optimisers]  # type: ignore[attr-defined]
            kept = (np.multiply(each, self._trained_layers) for each in rates)
            changes = network.descend(contrast, *map(np.array, zip(*kept, strict=True)))
        elif all(type(each) is Adam for each in self._optimisers[0]) and network.writes_freely:
            changes = network.update(self._overwriting(self._gradient(contrast), t))
        else:
            changes = network.add(self._steps(contrast, t))
        # Of a stack they are a list, because every member has its own blocks.
        return changes if isinstance(changes, list) else [changes]

    def _overwriting(self, gradient: list[Any], t: int) -> Callable[[list[Any]], list[float]]:
        """The step of Adam in one pass over all parameters, which threads share."""
        (own,), memory = self._optimisers, self.memory
        # Two for all arrays, because biases alone have no decay.
        pieces_of: dict[Any, Any] = {each: each.in_place(t) for each in dict.fromkeys(own)}  # type: ignore[attr-defined]

        def write(arrays: list[Any]) -> list[float]:
            pieces = [
                (n, piece)
                for n, array in enumerate(arrays)
                if self._trained[n]
                for piece in pieces_of[own[n]](gradient[n], array, memory[n])
            ]
            squares = [0.0] * len(pieces)

            def work(part: slice) -> None:
                for k in range(*part.indices(len(pieces))):
                    squares[k] = pieces[k][1]()

            share(work, len(pieces), ADAM * sum(each.size for each in arrays))
            sums = [0.0] * len(arrays)
            for (n, _), square in zip(pieces, squares, strict=True):
                sums[n] += square
            return sums

        return write

    def _steps(self, contrast: Contrast, t: int) -> list[Any]:
        """Steps of the optimisers for all arrays of parameters."""
        return [self._proposed(n, each, t) for n, each in enumerate(self._gradient(contrast))]

    def _gradient(self, contrast: Contrast) -> list[Any]:
        """Gradient of what the rule trains, clipped where asked for; 0 of all else."""
        both = zip(self.network.gradient(contrast), self._trained, strict=True)
        return self._clipped([each if trained else 0 * each for each, trained in both])

    def _clipped(self, gradient: list[Any]) -> list[Any]:
        """The gradient, scaled for those members whose optimiser is `Clipped`."""
        if not any(isinstance(each, Clipped) for each in self.optimisers):
            return gradient
        norms = self.network.norms(gradient).tolist()
        both = zip(self.optimisers, norms, strict=True)
        scales = [own.scale(norm) if isinstance(own, Clipped) else 1.0 for own, norm in both]
        factor = self.network.backend.each(scales)
        # On torch it has three dimensions, and biases have two.
        return [
            each * (factor[..., 0] if each.ndim < np.ndim(factor) else factor) for each in gradient
        ]

    def _proposed(self, n: int, gradient: Any, t: int) -> Any:
        """Step of the optimiser for parameter array n; the memory moves on."""
        if not self._trained[n]:
            return 0 * self.network.parameters[n]
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

    def moved_to(self, network: Any, origin: npt.NDArray[np.intp], rule: Rule) -> Updates:
        """The same for a network with some edges moved: a new edge begins as an optimiser does.

        Parameters
        ----------
        network : Network
        origin : ndarray of int, shape (n_edges,)
            Where every edge was before, -1 for a new one; see `Network.moved_to`.
        rule : Rule
        """
        moved = Updates(network)
        moved.use(self.optimisers, rule)
        old, new = self.arrays(), moved.arrays()
        for name, array in old.items():
            edges = name.endswith("/weights")
            old[name] = np.where(origin < 0, new[name], array[origin]) if edges else array
        moved.restore(old)
        return moved

    def arrays(self) -> dict[str, npt.NDArray]:
        """What is remembered of a single network, in the order of edges and nodes."""
        found: dict[str, npt.NDArray] = {}
        for name in self._names():
            arrays = self.network.unpack([each[name] for each in self.memory])
            found |= {f"optimiser/{name}/{k}": a for k, a in zip(KINDS, arrays, strict=True)}
        return found

    def restore(self, arrays: Mapping[str, npt.NDArray]) -> None:
        """Take up what `arrays` gave, among other arrays."""
        for name in self._names():
            both = [arrays[f"optimiser/{name}/{kind}"] for kind in KINDS]
            for memory, array in zip(self.memory, self.network.pack(*both), strict=True):
                memory[name][:] = array

    def _names(self) -> list[str]:
        return sorted({name for each in self.memory for name in each})


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


def share_arrays(
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
