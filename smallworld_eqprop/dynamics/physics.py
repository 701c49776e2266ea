"""What a model answers for one graph, checked once and laid out as the parameters are."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.circuit import Circuit
from smallworld_eqprop.dynamics.constraints import frozen_edges, weight_limits
from smallworld_eqprop.dynamics.layout import Array, Block, Layout
from smallworld_eqprop.dynamics.models import Model
from smallworld_eqprop.dynamics.products import Scaled
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["Physics", "finite_vector"]


class Physics:
    """Bounds, coefficients and limits of a model on a graph; makes circuits of weights.

    Attributes
    ----------
    low, high : ndarray, shape (n_free,)
        Bounds of every free node.
    own, bias_scale : ndarray, shape (n_free,) or ()
        Self-term and bias coefficient of every free node.
    scale : list of ndarray, or None
        Coefficient k of every edge, as packed weights; None where all are 1.
    limits : list of (ndarray, ndarray), or None
        Smallest and largest weight, by model and graph; None where there are none.
    frozen : list of ndarray of bool, or None
        Where a weight stays as it was given; None where all may change.
    plain : bool
        Whether the gradient of a weight is the contrast of its ends, and any weight is allowed.
    """

    def __init__(self, graph: LayeredGraph, model: Model, layout: Layout, dtype: np.dtype) -> None:
        self.layout, self.dtype, self.model = layout, dtype, model
        self.difference = model.sees == "difference"
        low, high = model.bounds(graph)
        self.low, self.high = self._by_node("low", low), self._by_node("high", high)
        if (crossed := np.flatnonzero(~(self.low <= self.high))).size:
            node = crossed[0]
            raise InputError(
                f"bounds of {model}: {self.low[node]!s} to {self.high[node]!s} on free node "
                f"{node}, must not cross"
            )
        last = graph.n_layers - 1
        if model.readout and any(b.inside and b.upper == last for b in layout.blocks):
            raise InputError(
                f"graph: has edges between outputs, which {model} leaves outside the energy; "
                "remove them, or leave out readout"
            )
        # In double precision, so that equal coefficients cancel to 1.
        self.own = self._answer("self_term", model.self_term(graph), layout.n_free, "free node")
        self.bias_scale = self._answer(
            "bias_scale", model.bias_scale(graph), layout.n_free, "free node"
        )
        self._scale = self._by_edge("edge_scale", model.edge_scale(graph, graph.edges))
        # In the precision of the weights, so that a weight that was cut is allowed.
        bottom, top = (self._by_edge("limits", each) for each in weight_limits(graph, model))
        self._limits = bottom.astype(dtype), top.astype(dtype)
        unit = (self._scale == 1).all()
        # One number where it is the same throughout a block.
        self.scale: list[Any] | None = None
        if not unit:
            packed = layout.pack(self._spread(self._scale))
            self.scale = [
                self._one_if_equal(block, each)
                for block, each in zip(layout.blocks, packed, strict=True)
            ]
        self.limits: list[tuple[Array, Array]] | None = None
        if any(np.isfinite(each).any() for each in self._limits):
            ends = (layout.pack(self._spread(each)) for each in self._limits)
            self.limits = list(zip(*ends, strict=True))
        unit = unit and (self.own == 1).all() and (self.bias_scale == 1).all()
        #: whether a field is ``W s + b``
        self.unit = bool(unit and not self.difference)
        fixed: Any = frozen_edges(graph)
        self.frozen: list[Any] | None = None
        if fixed is not None:
            self.frozen = [block.pack(fixed) for block in layout.blocks]
        self.plain = self.unit and self.limits is None and self.frozen is None

    @property
    def by_edge(self) -> tuple[npt.NDArray, npt.NDArray, npt.NDArray]:
        """Coefficient k, smallest and largest weight: one number, or one per edge of the graph."""
        bottom, top = self._limits
        return self._scale, bottom, top

    def check(self, weights: Array) -> None:
        """Refuse weights, one per edge, that the model does not allow."""
        bottom, top = (np.broadcast_to(each, weights.shape) for each in self._limits)
        bad = np.flatnonzero((weights < bottom) | (weights > top))
        if bad.size:
            e = bad[0]
            raise InputError(
                f"weights: {weights[e]!s} on edge {e}, must be from {bottom[e]!s} to {top[e]!s}"
            )
        self._self_terms(self.layout.pack(weights) if self.difference else [])

    @property
    def bound(self) -> bool:
        """Whether some weights cannot take every step."""
        return self.limits is not None or self.frozen is not None

    def restrain(self, n: int, weights: Array, before: Array) -> None:
        """Bring weights of block n, which made a step, back to what is allowed, in place."""
        if self.limits is not None:
            np.clip(weights, *self.limits[n], out=weights)
        if self.frozen is not None:
            np.copyto(weights, before, where=self.frozen[n])

    def circuit(self, weights: list[Array], biases: Array) -> Circuit:
        """A circuit of these parameters, whose matrices are views of them where they can be."""
        layout = self.layout
        own = self._self_terms(weights)
        circuit = Circuit(
            layout, self.low, self.high, own.astype(self.dtype), np.empty_like(biases)
        )
        circuit.into = [[] for _ in layout.rows]
        circuit.readout = self.model.readout
        # What the upper and the lower layer of each block see that is not the weights themselves:
        # number of the block, end, array, and by what the weights are multiplied.
        self._derived: list[tuple[int, int, Array, Any]] = []
        for n, block in enumerate(layout.blocks):
            seen = []
            for end, ratio in enumerate(self._ratio(block, own)):
                array = weights[n]
                if end and not block.lower:  # nothing acts on an input
                    continue
                if ratio is None:
                    seen.append(block.matrix(array))
                elif np.ndim(ratio) == 0 and block.dense and 0 < block.lower < block.upper:
                    seen.append(Scaled(array, ratio))
                else:
                    array = np.empty_like(array)
                    self._derived.append((n, end, array, ratio))
                    seen.append(block.matrix(array))
            self._connect(circuit, block, seen[0], seen[-1])
        self.refresh(circuit, weights, biases)
        return circuit

    def refresh(self, circuit: Circuit, weights: list[Array], biases: Array) -> None:
        """Let the circuit follow the parameters."""
        own = self._self_terms(weights)
        circuit.self_term[:] = own
        circuit.bias[:] = biases * (self.bias_scale / own)
        for n, end, array, ratio in self._derived:
            if self.difference:  # self-terms have changed with the weights
                ratio = self._ratio(self.layout.blocks[n], own)[end]
            np.multiply(weights[n], ratio, out=array)
        circuit.changed()

    def scaled(self, n: int, product: Array, own: Array | None) -> Array:
        """A product at the edges of block n as a gradient: times k, what self-terms add off."""
        block = self.layout.blocks[n]
        if own is not None:
            rows = own[self.layout.rows[block.lower]] if block.lower else np.zeros(block.shape[0])
            columns = own[self.layout.rows[block.upper]]
            if block.mask is None:
                product -= (rows[block.entry_rows] + columns[block.columns]).astype(self.dtype)
            elif block.full:
                product -= rows.astype(self.dtype)[:, None]
                product -= columns.astype(self.dtype)
            else:
                product -= ((rows[:, None] + columns) * block.mask).astype(self.dtype)
        if self.scale is not None:
            product *= self.scale[n]
        return product

    def own_contrast(self, deviation: Array, middle: Array, gain: float) -> Array | None:
        """What an edge that sees differences sees of each end alone; None for products."""
        if not self.difference:
            return None
        return gain * np.einsum("bi,bi->i", deviation, middle)

    def _connect(self, circuit: Circuit, block: Block, up: Any, down: Any) -> None:
        rows = self.layout.rows
        lower, upper = block.lower, block.upper
        if upper == 0:
            return
        if lower == 0:
            circuit.first.append((up, rows[upper]))
        elif block.inside and block.dense:
            circuit.inside[lower] = up
        else:
            circuit.into[upper].append((up, rows[lower]))
            back = down.T, rows[upper]
            if self.model.readout and upper == len(rows) - 1:
                circuit.pushes.setdefault(lower, []).append(back)
            else:
                circuit.into[lower].append(back)

    def _self_terms(self, weights: list[Array]) -> npt.NDArray[np.float64]:
        own = np.broadcast_to(self.own, (self.layout.n_free,))
        if self.difference:
            own = own.copy()
            for n, block in enumerate(self.layout.blocks):
                if block.upper:
                    array = weights[n] if self.scale is None else weights[n] * self.scale[n]
                    lower, upper = block.sums(array)
                    own[self.layout.rows[block.upper]] += upper
                    if block.lower:
                        own[self.layout.rows[block.lower]] += lower
        if not (own > 0).all():
            node = np.flatnonzero(~(own > 0))[0]
            raise InputError(
                f"self-term of {self.model}: {own[node]:g} on free node {node}, must be above 0"
            )
        return own

    def _ratio(self, block: Block, own: Array) -> tuple[Any, Any]:
        """By what a weight counts in the field of the upper, and of the lower end; None for 1."""
        if block.upper == 0 or self.unit:
            return None, None
        rows = self.layout.rows
        upper = np.broadcast_to(own, (self.layout.n_free,))[rows[block.upper]]
        lower = np.broadcast_to(own, (self.layout.n_free,))[rows[block.lower]]
        if not block.lower:  # inputs see nothing
            lower = np.ones(1)
        if block.mask is None:
            ends = upper[block.columns], lower[block.entry_rows if block.lower else 0]
        else:
            ends = upper, lower[:, None]
        scale = block.pack(self._scale) if self._scale.ndim else self._scale
        if self.difference:  # self-terms differ and change, and nothing is gained by a comparison
            up, down = ((scale / end).astype(self.dtype) for end in ends)
            return up, down
        return tuple(
            self._compressed(np.broadcast_to(scale / end, self._shape(block)), block)
            for end in ends
        )

    @staticmethod
    def _one_if_equal(block: Block, array: Array) -> Any:
        at_edges = array if block.mask is None else array[block.mask]
        return at_edges[0] if (at_edges == at_edges[0]).all() else array

    def _shape(self, block: Block) -> tuple[int, ...]:
        return block.shape if block.dense else (len(block.edges),)

    def _compressed(self, ratio: npt.NDArray, block: Block) -> Any:
        """A ratio as None where all are 1, as one number where all are equal, else an array."""
        at_edges = ratio if block.mask is None else ratio[block.mask]
        if (at_edges == at_edges[0]).all():
            return None if at_edges[0] == 1 else self.dtype.type(at_edges[0])
        return ratio.astype(self.dtype)

    def _by_node(self, name: str, answer: Any) -> Array:
        n = self.layout.n_free
        found = self._answer(name, answer, n, "free node").astype(self.dtype)
        return np.broadcast_to(found, (n,)).copy()

    def _by_edge(self, name: str, answer: Any) -> npt.NDArray[np.float64]:
        return self._answer(name, answer, self.layout.n_edges, "edge")

    def _spread(self, values: npt.NDArray) -> Array:
        return np.broadcast_to(values, (self.layout.n_edges,)).astype(self.dtype)

    def _answer(self, name: str, answer: Any, n: int, of: str) -> npt.NDArray[np.float64]:
        """An answer of the model, checked: one number, or one per node or edge."""
        values = np.asarray(answer, float)
        if values.shape not in ((), (n,)):
            raise InputError(
                f"{name} of {self.model}: shape {values.shape}, must be one number per {of}, "
                f"({n},), or one for all"
            )
        if np.isnan(values).any():
            raise InputError(f"{name} of {self.model}: holds nan")
        return values


def finite_vector(name: str, values: npt.ArrayLike, length: int, dtype: npt.DTypeLike) -> Array:
    """A finite vector of the given length, copied."""
    vector = np.array(values, dtype=dtype)
    if vector.shape != (length,):
        raise InputError(f"{name}: shape {vector.shape}, must be ({length},)")
    if not np.isfinite(vector).all():
        raise InputError(f"{name}: entry {np.flatnonzero(~np.isfinite(vector))[0]} is not finite")
    return vector
