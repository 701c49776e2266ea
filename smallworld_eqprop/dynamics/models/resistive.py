"""A network of resistors, ideal diodes, voltage sources and current sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.models.base import Model
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["Resistive"]

# Lowest and highest voltage of the hidden nodes of a layer, which take turns.
DIODES: dict[str, tuple[tuple[float, float], ...]] = {
    "alternating": ((0.0, np.inf), (-np.inf, 0.0)),
    "positive": ((0.0, np.inf),),
    "negative": ((-np.inf, 0.0),),
    "none": ((-np.inf, np.inf),),
}


@dataclass(frozen=True)
class Resistive(Model):
    r"""A nonlinear resistive network, whose steady state minimises the power that it dissipates.

    .. math:: E(v) = \tfrac12 \sum_{(i,j)} g_{ij} (v_i - v_j)^2 + \tfrac12 \sum_i l\, v_i^2
                     - \sum_i b_i v_i, \qquad g_{ij} \ge g_{min}

    over the voltages v of the free nodes. Weights are the conductances g of resistors, biases are
    currents b into the nodes, and l is a leak to the ground. Inputs are voltage sources. An ideal
    diode from a hidden node to the ground keeps its voltage at or above 0, or at or below 0;
    outputs have no diodes. At a fixed point a free node has the mean voltage of its neighbours,
    weighted by conductance, within its bounds.

    Conductances have no sign and a mean amplifies nothing. So each feature x of the data is held at
    two input nodes, at the voltages A x and -A x. The graph needs twice as many input nodes as
    the data have features: first all of A x, then all of -A x.

    Parameters
    ----------
    gain : float
        The factor A, above 0.
    doubled : bool
        Whether every feature has two input nodes, at A x and -A x; otherwise it has one, at A x.
    diodes : {"alternating", "positive", "negative", "none"}
        Bounds of the hidden nodes: alternately at or above 0 and at or below 0 within each layer,
        all at or above 0, all at or below 0, or none.
    smallest : float
        Smallest conductance g_min, above 0.
    leak : float
        Conductance from every free node to the ground, at least 0.

    Raises
    ------
    InputError
        If a number is out of range, the diodes are unknown, or without a leak a free node of a
        graph is joined to no input, which leaves its voltage open.

    References
    ----------
    B. Scellier, "A fast algorithm to simulate nonlinear resistive networks", ICML 2024, PMLR 235.
    J. Kendall et al., "Training end-to-end analog neural networks with equilibrium propagation",
    arXiv:2006.01981.
    """

    sees: ClassVar[Literal["product", "difference"]] = "difference"

    gain: float = 1.0
    doubled: bool = True
    diodes: Literal["alternating", "positive", "negative", "none"] = "alternating"
    smallest: float = 1e-5
    leak: float = 0.0

    def __post_init__(self) -> None:
        for name in ("gain", "smallest"):
            if not 0 < getattr(self, name) < np.inf:
                raise InputError(f"{name}: {getattr(self, name)}, must be finite and above 0")
        if not 0 <= self.leak < np.inf:
            raise InputError(f"leak: {self.leak}, must be finite and at least 0")
        if self.diodes not in DIODES:
            raise InputError(f"diodes: {self.diodes!r}, allowed: {', '.join(DIODES)}")

    def clamped(self, features: Any) -> Any:
        """Voltages of the input nodes, shape (..., n_inputs)."""
        n = features.shape[-1]
        if not self.doubled:
            return features * self.gain
        found = features[..., np.tile(np.arange(n), 2)] * self.gain
        found[..., n:] *= -1
        return found

    def bounds(self, graph: LayeredGraph) -> tuple[Any, Any]:
        """Lowest and highest voltage of every free node."""
        turns = DIODES[self.diodes]
        found = [np.resize(turns, (size, 2)) for size in graph.layer_sizes[1:-1] if size]
        found.append(np.tile((-np.inf, np.inf), (graph.layer_sizes[-1], 1)))
        return tuple(np.concatenate(found).T)

    def self_term(self, graph: LayeredGraph) -> Any:
        """The leak of every free node; the conductances of its edges add to it."""
        if not self.leak:
            from scipy.sparse.csgraph import connected_components  # as dijkstra in WeakFeedback

            _, part = connected_components(graph.adjacency(), directed=False)
            n = graph.layer_sizes[0]
            if (lost := np.flatnonzero(~np.isin(part[n:], part[:n]))).size:
                raise InputError(
                    f"leak: 0, but {lost.size} of {part.size - n} free nodes have no path to an "
                    f"input, the first is node {lost[0] + n}, so that their voltages are "
                    "undefined; give a leak above 0"
                )
        return self.leak

    def bias_scale(self, graph: LayeredGraph) -> Any:  # noqa: ARG002
        """A bias is a current."""
        return 1.0

    def limits(self, graph: LayeredGraph) -> tuple[Any, Any]:  # noqa: ARG002
        """Smallest and largest conductance."""
        # A number of float32, so that weights of that precision are allowed in double precision.
        return float(np.float32(self.smallest)), np.inf

    def initial(self, graph: LayeredGraph, seed: int | np.random.Generator) -> npt.NDArray:
        r"""Conductances to begin with; half of them are the smallest one.

        Uniform on (-a, a) and cut at the smallest conductance, with :math:`a = 1 / \sqrt n` and n
        the size of the layer of the input-side end.
        """
        sizes = np.array(graph.layer_sizes)[graph.layers[graph.edges[:, 0]]]
        drawn = np.random.default_rng(seed).uniform(-1, 1, graph.n_edges) / np.sqrt(sizes)
        return np.maximum(drawn, self.limits(graph)[0])
