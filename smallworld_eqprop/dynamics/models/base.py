"""What a model answers: a box-constrained quadratic energy, as functions of the graph."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.initial import initial_weights
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.parts import Part

__all__ = ["Model"]


class Model(Part):
    r"""The physics of a network: subclass it and answer what differs.

    A model is a frozen dataclass of numbers. It describes the energy

    .. math:: E(s) = \sum_i \left(\tfrac12 a_i s_i^2 - c_i b_i s_i\right)
                     - \sum_{(i,j)} k_{ij} W_{ij}\, s_i s_j,
              \qquad low_i \le s_i \le high_i

    over the free nodes i and all edges, with the inputs clamped, weights W and biases b. Where
    `sees` is "difference" an edge costs :math:`k_{ij} W_{ij} (s_i - s_j)^2 / 2` instead, as a
    conductance does, so that its weight adds to the self-term of both of its ends. Energies that
    are not quadratic in the states, or not linear in weights and biases, do not fit.

    The fixed points are :math:`s_i = clip(h_i, low_i, high_i)` with the field

    .. math:: h_i = \Big(c_i b_i + \sum_j k_{ij} W_{ij} s_j\Big) / a_i.

    Answers about nodes are one number for all free nodes, or an array of shape (n_free,), inputs
    left out; answers about edges are one number or an array with one entry per edge.

    Attributes
    ----------
    sees : {"product", "difference"}
        What an edge sees of its two ends.
    readout : bool
        Whether the outputs are outside the energy: they read the other nodes and do not act back.
    """

    readout: bool = False
    sees: ClassVar[Literal["product", "difference"]] = "product"

    def clamped(self, features: Any) -> Any:
        """States of the input nodes, shape (..., n_inputs), of the features of examples.

        They are the features themselves unless a model says otherwise. Arrays are of NumPy or of
        torch, so indexing and arithmetic are all that may be done to them.
        """
        return features

    def bounds(self, graph: LayeredGraph) -> tuple[Any, Any]:  # noqa: ARG002
        """Lowest and highest state of every free node; either may be infinite."""
        return 0.0, 1.0

    def self_term(self, graph: LayeredGraph) -> Any:  # noqa: ARG002
        """Coefficient a of every free node, what its edges add left out."""
        return 1.0

    def bias_scale(self, graph: LayeredGraph) -> Any:
        """Coefficient c of every free node."""
        return self.self_term(graph)

    def edge_scale(self, graph: LayeredGraph, edges: npt.NDArray[np.integer]) -> Any:  # noqa: ARG002
        """Coefficient k of these pairs of nodes, shape (n, 2) with u < v; also where no edge is."""
        return 1.0

    def limits(self, graph: LayeredGraph) -> tuple[Any, Any]:  # noqa: ARG002
        """Smallest and largest weight allowed on every edge; a weight is cut there when written.

        Equal limits fix a weight, a limit of 0 fixes its sign. What the data of a graph ask for
        is added to them: `smallworld_eqprop.dynamics.constraints`.
        """
        return -np.inf, np.inf

    def initial(self, graph: LayeredGraph, seed: int | np.random.Generator) -> npt.NDArray:
        """Weights to begin with, one per edge; biases begin at 0."""
        return initial_weights(graph, seed=seed)
