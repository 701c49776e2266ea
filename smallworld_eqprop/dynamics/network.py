"""Network: a graph, a model and the parameters, which nothing else owns."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from smallworld_eqprop.dynamics.backend import NumpyBackend
from smallworld_eqprop.dynamics.circuit import WHOLE, Circuit
from smallworld_eqprop.dynamics.constraints import weight_limits
from smallworld_eqprop.dynamics.contrast import Contrast, Gradient, Group
from smallworld_eqprop.dynamics.gradients import descend, gradient_of
from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.dynamics.layout import Array, Block, LaidOut, Layout
from smallworld_eqprop.dynamics.models import Hopfield, Model
from smallworld_eqprop.dynamics.pairs import pair_gradient
from smallworld_eqprop.dynamics.physics import Physics, finite_vector
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

if TYPE_CHECKING:
    import networkx as nx

    from smallworld_eqprop.dynamics.relaxation import Solver

__all__ = ["Network"]


class Network(LaidOut):
    """A graph whose edges have weights and whose nodes obey a model.

    Edge order (weights) and node order (biases) are its interface. Inside, parameters, gradients
    and the memory of an optimiser are lists of arrays in one `Layout`, one array per block of
    weights and one per layer of biases. Every write passes through the network, so nothing that
    is derived from the parameters can be stale. What the graph says of its edges, ``trainable`` and
    ``sign``, holds for every step: see `smallworld_eqprop.dynamics.constraints`.

    Parameters
    ----------
    graph : LayeredGraph
    weights : array_like, shape (n_edges,), optional
        Weight of every edge, in the order of ``graph.edges``; initial weights of the model, drawn
        with `seed`, when left out.
    biases : array_like, shape (n_free,), optional
        Bias of every non-input node; zeros when left out.
    model : Model, optional
        The physics; `Hopfield` on [0, 1] when left out.
    dtype : dtype
        float32 by default; float64 is the other one.
    seed : int or numpy.random.Generator, optional
        Of initial weights.

    Attributes
    ----------
    graph, model, dtype
    layout : Layout
    groups : list of Group
        What each parameter array holds, in the order of `parameters` and of every gradient.

    Raises
    ------
    InputError
        If weights or biases have the wrong length, are not finite or not allowed by the model, or
        the model answers what no energy has.

    Examples
    --------
    >>> from smallworld_eqprop.graphs.generate.layers import layered
    >>> network = Network(layered([1, 2]), [0.25, 0.5])
    >>> network.circuit.drive(np.array([[2.0]], np.float32)).tolist()
    [[0.5, 1.0]]
    >>> network.weights = [1, 2]
    >>> network.weights.tolist()
    [1.0, 2.0]
    """

    #: `update` lets a compiled optimiser write
    writes_freely = True

    def __init__(
        self,
        graph: LayeredGraph,
        weights: npt.ArrayLike | None = None,
        biases: npt.ArrayLike | None = None,
        model: Model | None = None,
        *,
        dtype: npt.DTypeLike = np.float32,
        seed: int | np.random.Generator | None = None,
    ) -> None:
        self.graph, self.model = graph, Hopfield() if model is None else model
        self.dtype: np.dtype = np.dtype(dtype)
        if self.dtype not in (np.float32, np.float64):
            raise InputError(f"dtype: {self.dtype}, allowed: float32, float64")
        self.backend = NumpyBackend(self.dtype)
        self.layout = Layout(graph)
        self._physics = Physics(graph, self.model, self.layout, self.dtype)
        if weights is None:
            weights = Initial().draw(graph, self.model, np.random.default_rng(seed))
        if biases is None:
            biases = np.zeros(self.n_free)
        weights = finite_vector("weights", weights, graph.n_edges, self.dtype)
        self._weights = self.layout.pack(weights)
        self._biases = finite_vector("biases", biases, self.n_free, self.dtype)
        self._physics.check(weights)
        self.groups = [Group("weights", block.upper, block) for block in self.layout.blocks]
        free = [layer for layer, rows in enumerate(self.rows) if rows.stop > rows.start]
        self.groups += [Group("biases", layer, None) for layer in free]
        dense = [block.mask.size for block in self.blocks if block.mask is not None]
        self._scratch = np.empty(max(dense, default=0), self.dtype)
        self._circuit = self._physics.circuit(self._weights, self._biases)
        self._stale = False

    def __reduce__(self) -> tuple[Any, ...]:
        # Copied and pickled without what is derived, whose arrays are views of the parameters.
        arguments = self.graph, self.weights, self.biases, self.model
        return _again, (*arguments, self.dtype)

    def __repr__(self) -> str:
        sizes = "-".join(map(str, self.graph.layer_sizes))
        blocks = ", ".join(f"{b.name} {'dense' if b.dense else 'sparse'}" for b in self.blocks)
        edges = f"{self.graph.n_edges:,} edges"
        return f"Network({sizes}, {edges}, {self.model}, {self.dtype}; {blocks})"

    @property
    def by_example(self) -> bool:
        """Whether threads share the examples of a batch: of a small network, or a thin one."""
        return self.layout.thin or self.n_free <= WHOLE

    @property
    def blocks(self) -> list[Block]:
        """The pairs of layers that have edges."""
        return self.layout.blocks

    @property
    def weights(self) -> Array:
        """Weight of every edge in the order of ``graph.edges``; a copy. Assigning writes."""
        return self.layout.unpack(self._weights) if self.blocks else np.empty(0, self.dtype)

    @weights.setter
    def weights(self, values: npt.ArrayLike) -> None:
        weights = finite_vector("weights", values, self.graph.n_edges, self.dtype)
        self._physics.check(weights)
        for array, new in zip(self._weights, self.layout.pack(weights), strict=True):
            array[:] = new
        self._stale = True

    @property
    def biases(self) -> Array:
        """Bias of every free node; a copy of shape (n_free,). Assigning writes."""
        return self._biases.copy()

    @biases.setter
    def biases(self, values: npt.ArrayLike) -> None:
        self._biases[:] = finite_vector("biases", values, self.n_free, self.dtype)
        self._stale = True

    @property
    def parameters(self) -> list[Array]:
        """All parameters as arrays in the order of `groups`; views that cannot be written to."""
        views = [*(a.view() for a in self._weights), *self._by_layer(self._biases)]
        for view in views:
            view.flags.writeable = False
        return views

    @property
    def circuit(self) -> Circuit:
        """What relaxes; it follows every write."""
        if self._stale:
            self._physics.refresh(self._circuit, self._weights, self._biases)
            self._stale = False
        return self._circuit

    def pack(self, weights: Array, biases: Array) -> list[Array]:
        """Numbers by edge and by node, as arrays in the order of `groups`."""
        return [*self.layout.pack(weights), *self._by_layer(biases.copy())]

    def unpack(self, arrays: Sequence[Array]) -> tuple[Array, Array]:
        """Arrays in the order of `groups`, by edge and by node."""
        n = len(self.blocks)
        biases = np.concatenate(arrays[n:]) if arrays[n:] else np.empty(0, self.dtype)
        weights = self.layout.unpack(list(arrays[:n])) if n else np.empty(0, self.dtype)
        return weights, biases

    def gradient(self, contrast: Contrast) -> list[Array]:
        r"""Gradient of the cost from a contrast, as arrays in the order of `groups`.

        .. math:: \frac{\partial C}{\partial W_{ij}} = -g\, k_{ij}
                  \langle d_i m_j + m_i d_j \rangle, \qquad
                  \frac{\partial C}{\partial b_i} = -g\, c_i \langle d_i \rangle

        with the gain g, deviation d and midpoint m of the contrast, averaged over the batch; what
        an edge of a model that sees differences adds to self-terms is taken off.
        """
        contrast.check((), self.n_free, self.n_inputs)
        weights, biases = gradient_of(self.layout, self._physics, contrast)
        return [*weights, *self._by_layer(biases)]

    def norms(self, gradient: Sequence[Array]) -> npt.NDArray[np.float64]:
        """Euclidean norm of a gradient, every edge counted once; shape (1,), for the one member."""
        squares = sum(float(np.square(each, dtype=float).sum()) for each in gradient)
        for block, array in zip(self.blocks, gradient, strict=False):
            if block.inside and block.dense:  # it holds both triangles
                squares -= 0.5 * float(np.square(array, dtype=float).sum())
        return np.sqrt([squares])

    def edge_gradient(self, contrast: Contrast) -> Gradient:
        """`gradient` in the order of ``graph.edges`` and of the free nodes."""
        return Gradient(*self.unpack(self.gradient(contrast)))

    def pair_gradient(
        self, contrast: Contrast, pairs: npt.ArrayLike, *, raw: bool = False
    ) -> Array:
        """Gradient for any pairs of nodes, also where there is no edge.

        Parameters
        ----------
        contrast : Contrast
        pairs : array_like of int, shape (n, 2)
            Nodes of the graph, inputs counted, in any order.
        raw : bool
            Leave out the coefficient k of the model: what the two ends see by themselves.

        Returns
        -------
        ndarray, shape (n,)

        Raises
        ------
        InputError
            If a pair names a node that is not there, or one node twice.
        """
        contrast.check((), self.n_free, self.n_inputs)
        return pair_gradient(self.graph, self.model, contrast, pairs, raw=raw)

    def add(self, steps: Sequence[Array]) -> npt.NDArray[np.float64]:
        """Add to all parameters.

        Parameters
        ----------
        steps : sequence of ndarray
            In the order of `groups`. What stands where there is no edge is passed over.

        Returns
        -------
        ndarray, shape (n_blocks,)
            RMS change of every block of weights.

        Raises
        ------
        InputError
            If a step has the wrong shape.
        """
        if len(steps) != len(self.groups):
            raise InputError(f"steps: {len(steps)} arrays, must be {len(self.groups)}")
        for group, step, array in zip(self.groups, steps, self.parameters, strict=True):
            if np.shape(step) != array.shape:
                raise InputError(f"step of {group}: shape {np.shape(step)}, must be {array.shape}")
        self._stale = True
        corrections = []
        for n, block in enumerate(self.blocks):
            step = block.at_edges(steps[n])
            if self._physics.bound:
                before = self._weights[n].copy()
                self._weights[n] += step
                self._physics.restrain(n, self._weights[n], before)
                step = self._weights[n] - before
            else:
                self._weights[n] += step
            corrections.append(block.rms(step))
        for part, step in zip(self._by_layer(self._biases), steps[len(self.blocks) :], strict=True):
            part += step
        return np.array(corrections)

    def update(self, write: Callable[[list[Array]], Sequence[float]]) -> npt.NDArray[np.float64]:
        """Let an optimiser write all parameters in place; its fast path.

        Parameters
        ----------
        write : callable
            Takes the arrays of all groups and overwrites them, symmetric where they were and 0
            where there is no edge; gives the sum of the squares of the changes of each. Weights
            are brought back to what is allowed.

        Returns
        -------
        ndarray, shape (n_blocks,)
            RMS change of every block of weights.
        """
        self._stale = True
        before = [each.copy() for each in self._weights] if self._physics.bound else []
        squares = np.array(write([*self._weights, *self._by_layer(self._biases)]))
        for n, old in enumerate(before):
            self._physics.restrain(n, self._weights[n], old)
            old -= self._weights[n]
            squares[n] = np.vdot(old, old)
        counts = [len(b.edges) * (1 + (b.inside and b.dense)) for b in self.blocks]
        return np.sqrt(squares[: len(self.blocks)] / np.array(counts))

    def descend(
        self, contrast: Contrast, rates: npt.ArrayLike, bias_rates: npt.ArrayLike
    ) -> npt.NDArray[np.float64]:
        """Step down the gradient in one pass: ``add([-rate * g for g in gradient(contrast)])``.

        The fast path of plain gradient descent. It holds no gradient, and passes over examples,
        inputs and nodes that have nothing to add.

        Parameters
        ----------
        contrast : Contrast
        rates, bias_rates : array_like, shape (n_layers - 1,)
            Learning rates of the layers after the input; an edge takes that of the layer of its
            output-side end.

        Returns
        -------
        ndarray, shape (n_blocks,)
            RMS change of every block of weights.
        """
        contrast.check((), self.n_free, self.n_inputs)
        rates, bias_rates = np.ravel(rates).tolist(), np.ravel(bias_rates).tolist()
        if self._physics.plain:
            self._stale = True
            parameters = self._weights, self._biases
            return descend(self.layout, parameters, contrast, rates, bias_rates, self._scratch)
        by_kind = {"weights": [0.0, *rates], "biases": [0.0, *bias_rates]}
        gradient = zip(self.groups, self.gradient(contrast), strict=True)
        return self.add([-by_kind[group.kind][group.layer] * g for group, g in gradient])

    def states(self, inputs: npt.ArrayLike, solver: Solver | None = None) -> Array:
        """States of all free nodes for these inputs, relaxed from rest; shape (batch, n_free).

        Parameters
        ----------
        inputs : array_like, shape (batch, n_features)
            Features of examples. Most models clamp the input nodes to the features themselves, see
            `Model.clamped`.
        solver : Solver, optional
            `SOR` when left out.

        Raises
        ------
        InputError
            If the inputs have another width.
        """
        from smallworld_eqprop.dynamics.inference import states

        return states(self, inputs, solver)

    def outputs(self, inputs: npt.ArrayLike, solver: Solver | None = None) -> Array:
        """States of the outputs, shape (batch, n_outputs); see `states`."""
        return self.states(inputs, solver)[:, self.output]

    def predict(self, inputs: npt.ArrayLike, solver: Solver | None = None) -> npt.NDArray[np.intp]:
        """Number of the largest output, which is the class; shape (batch,). See `states`."""
        return self.outputs(inputs, solver).argmax(axis=1)

    def weighted_graph(self) -> LayeredGraph:
        """The graph with the weights as edge data ``weight``, for measures and null models."""
        data = {**self.graph.edge_data, "weight": self.weights}
        return replace(self.graph, edge_data=data)

    def to_networkx(self) -> nx.Graph:
        """The graph as networkx graph whose edges have a ``weight``, and free nodes a ``bias``."""
        graph = self.graph.to_networkx()
        names = list(graph.nodes)
        for (u, v), weight in zip(self.graph.edges.tolist(), self.weights.tolist(), strict=True):
            graph.edges[names[u], names[v]]["weight"] = weight
        for name, bias in zip(names[self.n_inputs :], self.biases.tolist(), strict=True):
            graph.nodes[name]["bias"] = bias
        return graph

    def to_sparse(self) -> sparse.csr_array:
        """W of all nodes, inputs first, symmetric; shape (n_nodes, n_nodes)."""
        u, v = self.graph.edges.T
        both = np.concatenate((u, v)), np.concatenate((v, u))
        shape = self.graph.n_nodes, self.graph.n_nodes
        return sparse.coo_array((np.tile(self.weights, 2), both), shape=shape).tocsr()

    def moved_to(self, graph: LayeredGraph) -> tuple[Network, npt.NDArray[np.intp]]:
        """The network on a graph with some edges moved, and where each edge was before.

        Parameters
        ----------
        graph : LayeredGraph
            With the same layers. Edges that both graphs have keep their weights, new ones get 0,
            or the weight closest to it that the model allows.

        Returns
        -------
        network : Network
        origin : ndarray of int, shape (graph.n_edges,)
            Place of every edge in the edges of this network, -1 for a new one. By it the memory
            of an optimiser follows: ``np.where(origin < 0, 0, memory[origin])``.

        Raises
        ------
        InputError
            If the layers differ.
        """
        if graph.layer_sizes != self.graph.layer_sizes:
            raise InputError(f"graph: layers {graph.layer_sizes}, must be {self.graph.layer_sizes}")
        keys, old = (g.edges[:, 0].astype(np.int64) * g.n_nodes + g.edges[:, 1]
                     for g in (graph, self.graph))  # fmt: skip
        place = np.minimum(np.searchsorted(old, keys), max(len(old) - 1, 0))
        origin = np.where(old[place] == keys, place, -1) if len(old) else np.full(len(keys), -1)
        new = np.clip(np.zeros(graph.n_edges), *weight_limits(graph, self.model))
        weights = np.where(origin < 0, new, self.weights[origin]) if len(old) else new
        moved = Network(graph, weights, self.biases, self.model, dtype=self.dtype)
        return moved, origin

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write graph, model and parameters; see `smallworld_eqprop.dynamics.saving`."""
        from smallworld_eqprop.dynamics.saving import save_network

        save_network(self, path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Network:
        """Read what `save` wrote; see `smallworld_eqprop.dynamics.saving`."""
        from smallworld_eqprop.dynamics.saving import load_network

        return load_network(path)

    def _by_layer(self, biases: Array) -> list[Array]:
        return [biases[rows] for rows in self.rows if rows.stop > rows.start]


def _again(
    graph: LayeredGraph, weights: Array, biases: Array, model: Model, dtype: np.dtype
) -> Network:
    return Network(graph, weights, biases, model, dtype=dtype)
