"""Physics on torch tensors: coefficients of models, laid out as the weights of a stack are."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from smallworld_eqprop.dynamics.constraints import frozen_edges
from smallworld_eqprop.dynamics.physics import Physics
from smallworld_eqprop.dynamics.torch_backend import tensor
from smallworld_eqprop.dynamics.torch_circuit import TorchCircuit
from smallworld_eqprop.dynamics.torch_layout import upper_matrix
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["TorchPhysics"]

# What stands for a coefficient that no edge of a member has, beside members that have it.
MISSING = {"scale": 1.0, "ratio": 1.0, "bottom": -np.inf, "top": np.inf, "frozen": 0.0}


@dataclass
class TorchPhysics:
    """Answers of the models of a stack; tensors have a leading dimension of members.

    Attributes
    ----------
    difference : bool
        Whether an edge sees the difference of its ends.
    outputs : int
        How many outputs there are outside the energy; 0 where they are inside.
    low, high : Tensor, shape (members, 1, n_free)
    own, bias_scale : Tensor of float64, shape (members, 1, n_free)
    mask : Tensor, shape (members, n_nodes, n_free)
        1 at every edge u < v, in row u and column v; of edges between free nodes the mirrored place
        has 0.
    scale : Tensor, shape of `mask`, or None
        Coefficient k of every edge, in one place as in the mask; None where all are 1.
    ratio : Tensor, shape of `mask`, or None
        By what a weight counts in the field of the node of its column, in both places; None where
        all are 1, and where it depends on the weights.
    bottom, top : Tensor, shape of `mask`, or None
        Smallest and largest weight, in one place; None where there are none.
    frozen : Tensor, shape of `mask`, or None
        1 where a weight stays as it was given, in one place; None where all may change.
    """

    difference: bool
    outputs: int
    low: torch.Tensor
    high: torch.Tensor
    own: torch.Tensor
    bias_scale: torch.Tensor
    mask: torch.Tensor
    scale: torch.Tensor | None = None
    ratio: torch.Tensor | None = None
    bottom: torch.Tensor | None = None
    top: torch.Tensor | None = None
    frozen: torch.Tensor | None = None

    @classmethod
    def of(cls, graph: LayeredGraph, physics: Physics, device: torch.device) -> TorchPhysics:
        """The answers of one model, which `Physics` has checked."""
        dtype, n = physics.dtype, physics.layout.n_free

        def by_node(values: npt.NDArray, kind: Any = float) -> torch.Tensor:
            return tensor(np.broadcast_to(values, (n,)), device, np.dtype(kind))[None, None]

        def by_edge(values: npt.NDArray, elsewhere: float) -> torch.Tensor:
            return tensor(upper_matrix(graph, values, elsewhere), device, dtype)[None]

        found = cls(
            physics.difference,
            graph.layer_sizes[-1] if physics.model.readout else 0,
            low=by_node(physics.low, dtype),
            high=by_node(physics.high, dtype),
            own=by_node(physics.own),
            bias_scale=by_node(physics.bias_scale),
            mask=by_edge(np.ones(()), 0.0),
        )
        scale, bottom, top = physics.by_edge
        if physics.scale is not None:
            found.scale = by_edge(scale, 1.0)
        if physics.limits is not None:
            found.bottom, found.top = by_edge(bottom, -np.inf), by_edge(top, np.inf)
        fixed = frozen_edges(graph)
        if fixed is not None:
            found.frozen = by_edge(fixed.astype(dtype), 0.0)
        if not physics.unit and not physics.difference:
            matrix = upper_matrix(graph, scale, 0.0)
            inner = matrix[-n:]
            inner += inner.T.copy()
            matrix /= np.broadcast_to(physics.own, (n,))
            found.ratio = tensor(matrix, device, dtype)[None]
        return found

    @classmethod
    def stacked(cls, members: Sequence[TorchPhysics]) -> TorchPhysics:
        """The answers of several networks as those of a stack."""
        joined: dict[str, Any] = {name: getattr(members[0], name) for name in _SHARED}
        for name in _TENSORS:
            arrays = [getattr(each, name) for each in members]
            if all(array is None for array in arrays):
                continue
            joined[name] = torch.cat(
                [
                    torch.full_like(each.mask, MISSING[name]) if array is None else array
                    for each, array in zip(members, arrays, strict=True)
                ]
            )
        return cls(**joined)

    def only(self, k: int) -> TorchPhysics:
        """The answers of member k; views."""
        tensors = {name: getattr(self, name) for name in _TENSORS}
        part: dict[str, Any] = {
            name: None if each is None else each[k : k + 1] for name, each in tensors.items()
        }
        return dataclasses.replace(self, **part)

    def circuit(
        self,
        matrix: torch.Tensor,
        biases: torch.Tensor,
        rows: list[slice],
        inside: frozenset[int],
    ) -> TorchCircuit:
        """A circuit of these parameters, whose matrices are views of them where they can be."""
        seen, bias = matrix, biases[:, None]
        if self.difference or self.ratio is not None or self.outputs:
            seen, bias = torch.empty_like(matrix), torch.empty_like(bias)
        n = biases.shape[-1]
        own = self.own.to(biases.dtype, copy=True)
        pushes = torch.empty_like(seen[:, -self.outputs :]) if self.outputs else None
        circuit = TorchCircuit(
            rows, inside, self.low, self.high, own, bias, seen[:, :-n], seen[:, -n:], pushes
        )
        self.refresh(circuit, matrix, biases)
        return circuit

    def refresh(self, circuit: TorchCircuit, matrix: torch.Tensor, biases: torch.Tensor) -> None:
        """Let a circuit follow the parameters."""
        n = biases.shape[-1]
        outer, inner, own = matrix[:, :-n], matrix[:, -n:], self.own
        if self.ratio is not None:
            torch.mul(outer, self.ratio[:, :-n], out=circuit.outer)
            torch.mul(inner, self.ratio[:, -n:], out=circuit.inner)
        elif self.difference:
            if self.scale is not None:
                outer = outer * self.scale[:, :-n]
                upper = inner * (self.scale * self.mask)[:, -n:]
                inner = upper + upper.mT
            own = own + outer.sum(-2, keepdim=True) + inner.sum(-2, keepdim=True)
            if not bool((own > 0).all()):
                member, _, node = torch.nonzero(~(own > 0))[0].tolist()
                raise InputError(
                    f"self-term: {float(own[member, 0, node]):g} on free node {node}, must be "
                    "above 0"
                )
            circuit.self_term.copy_(own)
            torch.div(outer, circuit.self_term, out=circuit.outer)
            torch.div(inner, circuit.self_term, out=circuit.inner)
        elif self.outputs:
            circuit.outer.copy_(outer)
            circuit.inner.copy_(inner)
        else:
            return
        if circuit.pushes is not None:
            acting = circuit.inner[:, -self.outputs :]
            circuit.pushes.copy_(acting)
            acting.zero_()
        circuit.bias.copy_(biases[:, None] * (self.bias_scale / own))


_NAMES = [field.name for field in dataclasses.fields(TorchPhysics)]
_SHARED, _TENSORS = _NAMES[:2], _NAMES[2:]
