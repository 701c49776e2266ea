"""Network on torch tensors, alone or stacked: what a graphics card multiplies in few large pieces.

The weights of a network are one dense matrix from all nodes to the free ones, whatever the layers,
and a mask says where it has edges; `Network`, which does the least arithmetic, keeps one block per
pair of layers. Memory grows with the square of the nodes, and networks too large for that are
refused: they belong to `Network`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Self

import numpy as np
import numpy.typing as npt
import torch

from smallworld_eqprop.dynamics.contrast import Contrast, Gradient, Group
from smallworld_eqprop.dynamics.devices import NUMPY, on_device, require_device
from smallworld_eqprop.dynamics.layout import Array, Block, LaidOut, Layout
from smallworld_eqprop.dynamics.models import Hopfield, Model
from smallworld_eqprop.dynamics.pairs import pair_gradient
from smallworld_eqprop.dynamics.physics import Physics, finite_vector
from smallworld_eqprop.dynamics.torch_backend import TorchBackend, tensor
from smallworld_eqprop.dynamics.torch_circuit import TorchCircuit
from smallworld_eqprop.dynamics.torch_gradients import edges_see, nodes_see, squares
from smallworld_eqprop.dynamics.torch_layout import at_edges, leaves, mirrored, upper_matrix
from smallworld_eqprop.dynamics.torch_physics import TorchPhysics
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["TorchNetwork"]

# Largest dense matrix, in entries: a gibibyte in float32. Weights, mask and change make three.
LARGEST = 2**28


class TorchNetwork(LaidOut):
    """`Network` on torch tensors, for one network or a stack of them.

    All tensors have a leading dimension of members, 1 for a single network. The parameter arrays
    are one per layer: the weights from all nodes of this and the layers below, shape (members,
    nodes up to the layer, nodes of the layer), and the biases, (members, nodes of the layer).
    Weights and biases by edge and node are NumPy arrays of a single network. Edges between inputs,
    which do nothing, keep the weights that they were given.

    Parameters
    ----------
    graph : LayeredGraph
    weights : array_like, shape (n_edges,)
    biases : array_like, shape (n_free,), optional
        Zeros when left out.
    model : Model, optional
        `Hopfield` on [0, 1] when left out.
    dtype : dtype
        float32 by default; float64 is the other one. Products are in full float32, not in TF32,
        unless torch was told so.
    device : str
        ``cpu``, ``cuda`` or ``cuda:N``.

    Attributes
    ----------
    graph, model, dtype, blocks
        Of a stack those of its first member.
    members : list of TorchNetwork
        The networks of a stack, or this one alone.
    groups : list of Group
        What each parameter array holds.

    Raises
    ------
    InputError
        If weights or biases have the wrong length, are not finite or not allowed by the model, the
        device cannot be used, or the network is too large to be dense.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> network = TorchNetwork(layered([1, 2]), [0.25, 0.5])
    >>> network.circuit.drive([[2.0]]).tolist()
    [[[0.5, 1.0]]]
    """

    by_example = False
    #: a compiled optimiser has no place here: `update` is of `Network`
    writes_freely = False

    def __init__(
        self,
        graph: LayeredGraph,
        weights: npt.ArrayLike,
        biases: npt.ArrayLike | None = None,
        model: Model | None = None,
        *,
        dtype: npt.DTypeLike = np.float32,
        device: str = "cpu",
    ) -> None:
        require_device(device)
        self.graph, self.model = graph, Hopfield() if model is None else model
        self.dtype: np.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise InputError(f"dtype: {self.dtype}, allowed: float32, float64")
        if (graph.n_nodes - graph.layer_sizes[0]) * graph.n_nodes > LARGEST:
            raise InputError(
                f"device: {device!r} holds weights as a dense matrix, and {graph.n_nodes} nodes "
                "are too many for that; use device 'numpy', which keeps them sparse"
            )
        self.layout = Layout(graph)
        self.blocks: list[Block] = self.layout.blocks
        self.backend = TorchBackend(self.dtype, torch.device(device), 1)
        self.members = [self]
        self.groups = [
            Group(kind, layer)
            for kind in ("weights", "biases")
            for layer in range(1, graph.n_layers)
        ]
        self._host_physics = Physics(graph, self.model, self.layout, self.dtype)
        self._physics = TorchPhysics.of(graph, self._host_physics, self.backend.device)
        layers = np.eye(graph.n_layers, dtype=self.dtype)[graph.layers]
        self._layers = self.backend.array(layers)
        shape = (1, graph.n_nodes, self.n_free)
        self._matrix = torch.zeros(shape, dtype=self._layers.dtype, device=self.backend.device)
        self._biases = torch.zeros_like(self._matrix[:, 0])
        # Of writes; the stack and its members share it.
        self._clock, self._time = [0], -1
        self._circuit: TorchCircuit | None = None
        self.weights = weights
        self.biases = np.zeros(self.n_free) if biases is None else biases

    @classmethod
    def stacked(cls, networks: Sequence[TorchNetwork]) -> Self:
        """Several networks as one.

        From then on the networks given share the memory of the stack: what is written to either is
        written to both.

        Raises
        ------
        InputError
            If their layer sizes, dtypes or devices differ, their edges see different things, or one
            is given twice.
        """
        stack = cls.__new__(cls)
        vars(stack).update(vars(networks[0]))
        stack.members = [member for network in networks for member in network.members]
        for network in stack.members:
            _check_alike(stack, network)
        if len({id(network) for network in stack.members}) < len(stack.members):
            raise InputError("networks: one is given twice; a stack takes each once")
        stack.backend = TorchBackend(stack.dtype, stack.backend.device, len(stack.members))
        stack._clock = [0]
        stack._physics = TorchPhysics.stacked([network._physics for network in stack.members])
        for name in ("_matrix", "_biases"):
            setattr(stack, name, torch.cat([getattr(each, name) for each in stack.members]))
        for k, network in enumerate(stack.members):
            network._matrix, network._biases = stack._matrix[k : k + 1], stack._biases[k : k + 1]
            network._physics = stack._physics.only(k)
            network._clock = stack._clock
            network._circuit = None
        stack._circuit = None
        return stack

    def only(self, k: int) -> TorchNetwork:
        """Member number k; it shares the memory of the stack."""
        return self.members[k]

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.graph.layer_sizes))
        count = len(self.members)
        what = f"{count} networks of {sizes}" if count > 1 else sizes
        edges = f"{sum(each.graph.n_edges for each in self.members):,} edges"
        return f"TorchNetwork({what}, {edges}, {self.model}, {self.dtype}, {self.backend.device})"

    @property
    def device(self) -> torch.device:
        """Where the tensors live."""
        return self.backend.device

    @property
    def weights(self) -> Array:
        """Weight of every edge of a single network; a copy. Assigning writes."""
        return at_edges(self._alone.graph, self._matrix[0].cpu().numpy(), self._idle)

    @weights.setter
    def weights(self, values: npt.ArrayLike) -> None:
        graph = self._alone.graph
        weights = finite_vector("weights", values, graph.n_edges, self.dtype)
        self._host_physics.check(weights)
        self._idle = weights[graph.edges[:, 1] < self.n_inputs]
        self._write(self._upper(weights))

    @property
    def biases(self) -> Array:
        """Bias of every free node of a single network; a copy. Assigning writes."""
        return self._alone._biases[0].cpu().numpy().copy()

    @biases.setter
    def biases(self, values: npt.ArrayLike) -> None:
        biases = finite_vector("biases", values, self._alone.n_free, self.dtype)
        self._biases[0] = self.backend.array(biases)
        self._clock[0] += 1

    @property
    def parameters(self) -> list[torch.Tensor]:
        """All parameters as tensors in the order of `groups`; views, not to be written to."""
        return self._leaves(self._matrix, self._biases)

    @property
    def circuit(self) -> TorchCircuit:
        """What relaxes; it follows every write to the stack or to a member."""
        if self._circuit is None:
            inside = {b.lower for each in self.members for b in each.blocks if b.inside}
            self._circuit = self._physics.circuit(
                self._matrix, self._biases, self.rows, frozenset(inside)
            )
        elif self._time != self._clock[0]:
            self._physics.refresh(self._circuit, self._matrix, self._biases)
        self._time = self._clock[0]
        return self._circuit

    def pack(self, weights: Array, biases: Array) -> list[torch.Tensor]:
        """Numbers by edge and by node, as tensors in the order of `groups`, of a single network."""
        upper = self._upper(np.asarray(weights))
        return self._leaves(mirrored(upper), self.backend.array(biases)[None])

    def unpack(self, arrays: Sequence[torch.Tensor]) -> tuple[Array, Array]:
        """Tensors in the order of `groups`, by edge and by node, of a single network."""
        matrix = np.zeros((self._alone.graph.n_nodes, self.n_free), self.dtype)
        n = len(self.rows) - 1
        for rows, array in zip(self.rows[1:], arrays[:n], strict=True):
            matrix[: self.n_inputs + rows.stop, rows] = array[0].cpu().numpy()
        biases = torch.cat([array[0] for array in arrays[n:]]).cpu().numpy()
        return at_edges(self.graph, matrix, np.zeros_like(self._idle)), biases

    def gradient(self, contrast: Contrast) -> list[torch.Tensor]:
        """Gradient of the cost from a contrast, in the order of `groups`; see `Network`."""
        scale = -self._scale(contrast)
        found = mirrored(edges_see(self._physics, contrast, scale))
        return self._leaves(found, nodes_see(self._physics, contrast, scale))

    def norms(self, gradient: Sequence[torch.Tensor]) -> npt.NDArray[np.float64]:
        """Euclidean norm of a gradient by member, every edge counted once; see `Network.norms`."""

        def squares(array: torch.Tensor) -> torch.Tensor:
            flat = array.flatten(1)
            return torch.linalg.vector_norm(flat, dim=1, dtype=torch.float64).square()

        n = len(self.rows) - 1
        found = sum(squares(each) for each in gradient)
        # Edges inside a layer are in both places of its array.
        found = found - 0.5 * sum(squares(each[:, -each.shape[-1] :]) for each in gradient[:n])
        return torch.as_tensor(found).sqrt().cpu().numpy()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a single network, as `Network.save` does."""
        on_device(self, NUMPY).save(path)

    def edge_gradient(self, contrast: Contrast) -> Gradient:
        """`gradient` of a single network by edge and by free node, as NumPy arrays."""
        return Gradient(*self.unpack(self.gradient(contrast)))

    def pair_gradient(
        self, contrast: Contrast, pairs: npt.ArrayLike, *, raw: bool = False
    ) -> Array:
        """Gradient of a single network for any pairs of nodes; see `Network.pair_gradient`."""
        contrast.check((len(self.members),), self.n_free, self.n_inputs)
        deviation, midpoint, inputs = (
            each[0].cpu().numpy()
            for each in (contrast.deviation, contrast.midpoint, contrast.inputs)
        )
        gain = float(torch.as_tensor(contrast.gain).ravel()[0])
        host = Contrast(deviation, midpoint, inputs, gain)
        return pair_gradient(self._alone.graph, self.model, host, pairs, raw=raw)

    def add(self, steps: Sequence[torch.Tensor]) -> list[npt.NDArray[np.float64]]:
        """Add to all parameters.

        Parameters
        ----------
        steps : sequence of Tensor
            In the order of `groups`. What stands where there is no edge is passed over.

        Returns
        -------
        list of ndarray, shape (n_blocks,)
            RMS change of every block of weights, of every member.

        Raises
        ------
        InputError
            If a step has the wrong shape.
        """
        if len(steps) != len(self.groups):
            raise InputError(f"steps: {len(steps)} arrays, must be {len(self.groups)}")
        for group, step, array in zip(self.groups, steps, self.parameters, strict=True):
            if step.shape != array.shape:
                raise InputError(
                    f"step of {group}: shape {tuple(step.shape)}, must be {tuple(array.shape)}"
                )
        n, change = len(self.rows) - 1, torch.zeros_like(self._matrix)
        for part, step in zip(self._leaves(change, self._biases)[:n], steps[:n], strict=True):
            part.copy_(step)
        for rows, step in zip(self.rows[1:], steps[n:], strict=True):
            self._biases[:, rows] += step
        return self._changed(change.mul_(self._physics.mask))

    def descend(
        self, contrast: Contrast, rates: npt.NDArray, bias_rates: npt.NDArray
    ) -> list[npt.NDArray[np.float64]]:
        """Step down the gradient in one pass: ``add([-rate * g for g in gradient(contrast)])``.

        Parameters
        ----------
        contrast : Contrast
        rates, bias_rates : array_like, shape (members, n_layers - 1)
            Learning rates of the layers after the input.

        Returns
        -------
        list of ndarray, shape (n_blocks,)
            RMS change of every block of weights, of every member.
        """
        layer = self.graph.layers[self.n_inputs :] - 1
        by_node, biases_by_node = (
            tensor(
                np.reshape(each, (len(self.members), -1))[:, None, layer], self.device, self.dtype
            )
            for each in (rates, bias_rates)
        )
        scale = self._scale(contrast)
        self._biases += nodes_see(self._physics, contrast, scale * biases_by_node)
        return self._changed(edges_see(self._physics, contrast, scale * by_node))

    @property
    def _alone(self) -> TorchNetwork:
        """Itself, if it is a single network."""
        if len(self.members) > 1:
            raise InputError(
                f"a stack of {len(self.members)} networks has no single weights and biases; "
                "take those of a member: network.only(k)"
            )
        return self

    def _leaves(self, matrix: torch.Tensor, biases: torch.Tensor) -> list[torch.Tensor]:
        return leaves(self.rows, matrix, biases)

    def _upper(self, values: Array) -> torch.Tensor:
        return self.backend.array(upper_matrix(self._alone.graph, values))[None]

    def _write(self, upper: torch.Tensor) -> None:
        self._matrix.copy_(mirrored(upper))
        self._clock[0] += 1

    def _scale(self, contrast: Contrast) -> torch.Tensor:
        """Gain of a contrast over the size of the batch, shape (members, 1, 1)."""
        contrast.check((len(self.members),), self.n_free, self.n_inputs)
        gain = torch.as_tensor(contrast.gain, dtype=self._matrix.dtype, device=self.device)
        return (gain / contrast.deviation.shape[1]).expand(len(self.members), 1, 1)

    def _changed(self, change: torch.Tensor) -> list[npt.NDArray[np.float64]]:
        """Add to the weights of edges, each once, within their limits; gives RMS by block."""
        physics = self._physics
        before = self._matrix * physics.mask
        after = before + change
        if physics.bottom is not None:
            torch.clamp(after, physics.bottom, physics.top, out=after)
        if physics.frozen is not None:
            after = torch.where(physics.frozen > 0, before, after)
        if physics.bottom is not None or physics.frozen is not None:
            change = after - before
        self._write(after)
        return self._corrections(change)

    def _corrections(self, change: torch.Tensor) -> list[npt.NDArray[np.float64]]:
        """RMS by block of changes of edges, each once."""
        sums = squares(change, self._layers)
        return [
            np.sqrt([each[b.lower, b.upper] / len(b.edges) for b in network.blocks])
            for each, network in zip(sums, self.members, strict=True)
        ]


def _check_alike(first: TorchNetwork, other: TorchNetwork) -> None:
    """Refuse to stack networks that differ in more than they may."""
    for name, ours, theirs in (
        ("layer_sizes", first.graph.layer_sizes, other.graph.layer_sizes),
        ("dtype", first.dtype, other.dtype),
        ("device", first.device, other.device),
        ("sees", first.model.sees, other.model.sees),
        ("readout", first.model.readout, other.model.readout),
    ):
        if ours != theirs:
            raise InputError(
                f"{name}: {theirs} beside {ours}; networks are computed together only where these "
                "are the same"
            )
