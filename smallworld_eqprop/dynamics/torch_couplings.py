"""Couplings on torch tensors: what a graphics card multiplies in few large pieces.

A card is fast once it is told what to do, and slow to be told: on networks of a few hundred nodes
starting a product takes longer than computing it. So W is one dense symmetric matrix over the free
nodes, whatever the layers, and a mask says where it has edges; `Couplings`, which does the least
arithmetic, keeps one block per pair of layers. Memory grows with the square of the nodes, and
networks too large for that are refused: they belong to `Couplings`.

Several networks with the same layer sizes can be stacked. All arrays then have a leading dimension
of networks, and every product serves all of them at once.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from smallworld_eqprop.dynamics.couplings import finite_vector
from smallworld_eqprop.dynamics.devices import require_device
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.layered import LayeredGraph

__all__ = ["LayerPair", "TorchCouplings", "add_product"]

# Largest dense matrix, in entries: a gibibyte in float32. Weights, mask and change make three.
LARGEST = 2**28


@dataclass(frozen=True, eq=False)
class LayerPair:
    """The edges between layers ``lower <= upper``; as `Block`, without matrices of its own."""

    lower: int
    upper: int
    edges: npt.NDArray[np.integer]

    @property
    def name(self) -> str:
        """The pair of layers as ``lower-upper``."""
        return f"{self.lower}-{self.upper}"

    @property
    def kind(self) -> str:
        """``intralayer``, ``interlayer`` or ``skip``."""
        return ("intralayer", "interlayer", "skip")[min(self.upper - self.lower, 2)]


class TorchCouplings:
    r"""`Couplings` on torch tensors, for one network or a stack of them.

    The interface is that of `Couplings`. Arrays may be given as NumPy arrays or as tensors; states
    and fields come back as tensors on `device`, edge weights as NumPy arrays. States have shape
    (n_free, batch), in a stack (networks, n_free, batch).

    Parameters
    ----------
    graph : LayeredGraph
    weights : array_like, shape (n_edges,)
    biases : array_like, shape (n_free,), optional
    dtype : dtype
        float32 by default. Products are in full float32, not in TF32, unless torch was told so.
    device : str
        ``cpu``, ``cuda`` or ``cuda:N``.

    Attributes
    ----------
    inner : Tensor, shape (..., n_free, n_free)
        W among the free nodes, symmetric to the bit.
    outer : Tensor, shape (..., n_free, n_inputs)
        W from the inputs.
    biases : Tensor, shape (..., n_free, 1)
    blocks : list of LayerPair
        Pairs of layers that have edges, ordered by lower, then upper layer.
    members : list of TorchCouplings
        The networks of a stack, or this one alone.

    Raises
    ------
    InputError
        If weights or biases have the wrong length or are not finite, the device cannot be used,
        or the network is too large to be dense.

    Examples
    --------
    >>> from smallworld_eqprop import layered
    >>> couplings = TorchCouplings(layered([1, 2]), [0.25, 0.5])
    >>> couplings.drive([[2.0]]).tolist()
    [[0.5], [1.0]]
    """

    _TENSORS = ("inner", "outer", "biases", "_inner_mask", "_outer_mask")

    def __init__(
        self,
        graph: LayeredGraph,
        weights: npt.ArrayLike,
        biases: npt.ArrayLike | None = None,
        dtype: npt.DTypeLike = np.float32,
        device: str = "cpu",
    ) -> None:
        require_device(device)
        self.dtype = np.dtype(dtype)
        self.device = torch.device(device)
        self.layer_sizes = graph.layer_sizes
        self.n_inputs = graph.layer_sizes[0]
        self.n_free = graph.n_nodes - self.n_inputs
        self.n_edges = graph.n_edges
        if self.n_free * graph.n_nodes > LARGEST:
            raise InputError(
                f"device: {device!r} holds weights as a dense matrix, and {graph.n_nodes} nodes "
                "are too many for that; use device 'numpy', which keeps them sparse"
            )
        weights = finite_vector("weights", weights, graph.n_edges, self.dtype)
        if biases is None:
            biases = np.zeros(self.n_free)
        offsets = graph.layer_offsets - self.n_inputs
        #: rows of every free layer in a state, by layer number; layer 0 is clamped and has none
        self.rows = [slice(max(int(a), 0), int(b)) for a, b in itertools.pairwise(offsets)]
        self.output = self.rows[-1]
        self.blocks = _pairs(graph)
        self.members = [self]
        # Edges among inputs do nothing, but they are edges: their weights are kept.
        self._graph, self._given = graph, weights
        lower, upper = graph.layers[graph.edges].T
        half = np.where(lower == upper, 0.5, 1.0).astype(self.dtype)
        self.inner, self.outer = (self.array(m) for m in _matrices(graph, weights, mirrored=True))
        self._inner_mask, self._outer_mask = (
            self.array(m) for m in _matrices(graph, half, mirrored=False)
        )
        self.biases = self.array(finite_vector("biases", biases, self.n_free, self.dtype)[:, None])
        layer = graph.layers[self.n_inputs :] - 1
        self._layer = layer
        self._membership = self.array(np.eye(graph.n_layers - 1)[layer])

    @classmethod
    def stacked(cls, networks: Sequence[TorchCouplings]) -> TorchCouplings:
        """Several networks as one, with a leading dimension of networks.

        From then on the networks given share the memory of the stack: what is added to either is
        added to both.

        Raises
        ------
        InputError
            If their layer sizes differ.
        """
        stack = cls.__new__(cls)
        vars(stack).update(vars(networks[0]))
        for network in networks:
            if network.layer_sizes != stack.layer_sizes:
                raise InputError(
                    f"layer_sizes: {network.layer_sizes} beside {stack.layer_sizes}; networks are "
                    "computed together only where their layers have the same sizes"
                )
        stack.members = list(networks)
        for name in cls._TENSORS:
            joint = torch.stack([getattr(network, name) for network in networks])
            setattr(stack, name, joint)
            for network, part in zip(networks, joint, strict=True):
                setattr(network, name, part)
        return stack

    def only(self, k: int) -> TorchCouplings:
        """The stack with no network but number k; it shares the memory of this one."""
        part = type(self).__new__(type(self))
        vars(part).update(vars(self))
        part.members = [self.members[k]]
        for name in self._TENSORS:
            setattr(part, name, getattr(self, name)[k : k + 1])
        return part

    def restore(self, weights: npt.ArrayLike, biases: npt.ArrayLike) -> None:
        """Overwrite weights and biases of a single network, where they are."""
        other = TorchCouplings(self._graph, weights, biases, self.dtype, str(self.device))
        self._given = other._given
        for name in ("inner", "outer", "biases"):
            getattr(self, name).copy_(getattr(other, name))

    def array(self, values: Any) -> torch.Tensor:
        """`values` as a tensor of the couplings' dtype on their device; no copy if it is one."""
        if not isinstance(values, torch.Tensor):
            values = torch.from_numpy(np.require(values, self.dtype, ["C", "W"]))
        return values.to(self.device)

    def edge_weights(self) -> npt.NDArray[np.floating]:
        """Weight of every edge of a single network, as a NumPy array of shape (n_edges,)."""
        weights = self._given.copy()
        u, v = self._graph.edges.T - self.n_inputs
        for chosen, matrix, column in (
            (u >= 0, self.inner, u),
            ((u < 0) & (v >= 0), self.outer, u + self.n_inputs),
        ):
            weights[chosen] = matrix.cpu().numpy()[v[chosen], column[chosen]]
        return weights

    def drive(self, inputs: Any) -> torch.Tensor:
        """Part of the field that no free node contributes, ``W_in x + b``."""
        return add_product(self.biases, self.outer, self.array(inputs))

    def field(self, state: Any, drive: Any) -> torch.Tensor:
        """Local field ``h = W s + b`` of every free node."""
        return add_product(self.array(drive), self.inner, self.array(state))

    def correct(
        self,
        free: Any,
        nudged: Any,
        inputs: Any,
        scale: npt.ArrayLike,
        rates: npt.ArrayLike,
        bias_rates: npt.ArrayLike | None = None,
    ) -> list[Any]:
        """Add the contrast of two states to weights and biases, as `Couplings.correct` does.

        In a stack `scale` may have shape (networks,) and the rates (networks, n_layers - 1).

        Returns
        -------
        list of float
            RMS correction of every pair of layers, in the order of `blocks`; in a stack a list of
            such lists.
        """
        free, nudged, inputs = map(self.array, (free, nudged, inputs))
        gains = [
            np.asarray(scale, float)[..., None] * np.asarray(given, float) / free.shape[-1]
            for given in (rates, rates if bias_rates is None else bias_rates)
        ]
        gain, bias_gain = self.array(np.stack(np.broadcast_arrays(*gains))[..., self._layer, None])
        # As in Couplings: nothing nearly equal is subtracted, so float32 suffices.
        difference = nudged - free
        midpoint = (nudged + free).mul_(0.5)
        left = torch.cat((difference, midpoint), -1)
        right = torch.cat((midpoint, difference), -1).mul_(gain)
        # The mask keeps the edges, each with its output-side end as column; an edge inside a
        # layer is there twice, as two halves. A sum with its own transpose is symmetric to the bit.
        change = (left @ right.mT).mul_(self._inner_mask)
        change = change + change.mT
        outer = ((difference * gain) @ inputs.mT).mul_(self._outer_mask)
        self.inner += change
        self.outer += outer
        self.biases += difference.sum(-1, keepdim=True) * bias_gain
        squares = self._squares(change, outer).cpu().numpy()
        if self.inner.dim() == 2:
            return _rms(squares, self.blocks)
        return [_rms(s, m.blocks) for s, m in zip(squares, self.members, strict=True)]

    def _squares(self, change: torch.Tensor, outer: torch.Tensor) -> torch.Tensor:
        """Sums of squares by pair of layers, (..., n_layers, n_layers - 1): all in two products."""
        inside = self._membership.mT @ change.square() @ self._membership
        clamped = outer.square().sum(-1)[..., None, :] @ self._membership
        return torch.cat((clamped, inside), -2)


def add_product(addend: torch.Tensor, matrix: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """``addend + matrix @ columns``, for one network or a stack, in one launch."""
    product = torch.addmm if matrix.dim() == 2 else torch.baddbmm
    return product(addend, matrix, columns)


def _pairs(graph: LayeredGraph) -> list[LayerPair]:
    """Pairs of layers that have edges, ordered by lower, then upper layer."""
    lower, upper = graph.layers[graph.edges].T
    keys = lower.astype(np.int64) * graph.n_layers + upper
    order = np.argsort(keys, kind="stable").astype(np.int32)
    names, starts = np.unique(keys[order], return_index=True)
    parts = np.split(order, starts)[1:]
    return [
        LayerPair(name // graph.n_layers, name % graph.n_layers, edges)
        for name, edges in zip(names.tolist(), parts, strict=True)
    ]


def _matrices(
    graph: LayeredGraph, values: npt.NDArray[np.floating], *, mirrored: bool
) -> list[npt.NDArray[np.floating]]:
    """Values of the edges as (n_free, n_free), and (n_free, n_inputs) for those from inputs.

    An edge u < v stands at row u and column v of the first, and at the mirrored place if it is
    `mirrored` or inside a layer.
    """
    n = graph.layer_sizes[0]
    inner = np.zeros((graph.n_nodes - n, graph.n_nodes - n), values.dtype)
    outer = np.zeros((graph.n_nodes - n, n), values.dtype)
    u, v = graph.edges.T
    free, clamped = u >= n, (u < n) & (v >= n)
    inner[u[free] - n, v[free] - n] = values[free]
    both = free & (mirrored | (graph.layers[u] == graph.layers[v]))
    inner[v[both] - n, u[both] - n] = values[both]
    outer[v[clamped] - n, u[clamped]] = values[clamped]
    return [inner, outer]


def _rms(squares: npt.NDArray[np.floating], pairs: Sequence[LayerPair]) -> list[float]:
    """Root mean square per pair; an edge inside a layer was counted twice."""
    return [
        float(np.sqrt(squares[p.lower, p.upper - 1] / (len(p.edges) * (1 + (p.lower == p.upper)))))
        if p.upper
        else 0.0
        for p in pairs
    ]
