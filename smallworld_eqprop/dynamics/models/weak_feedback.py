"""Weak feedback within a true energy: scales that fall toward the outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.models.hopfield import Hopfield
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["WeakFeedback"]


@dataclass(frozen=True)
class WeakFeedback(Hopfield):
    r"""A Hopfield network whose feedback is weakened by scales of the energy.

    .. math:: E(s) = \sum_i c_i \left(\tfrac12 s_i^2 - b_i s_i\right)
                     - \sum_{(i,j)} \min(c_i, c_j)\, W_{ij} s_i s_j, \qquad c_i = a^{-d_i}

    with the feedback a and the depth d of a node, counted from the outputs; an edge from an input
    takes the scale of its free end. At a fixed point signals toward the outputs pass in full, and
    feedback is weakened by a for every layer (or hop) that it crosses:

    .. math:: s_i = clip\Big(b_i + \sum_j W_{ij}\, a^{\max(0,\, d_i - d_j)} s_j\Big)

    The energy is symmetric, so every learning rule of the package holds. ``feedback=1`` is
    `Hopfield` to the bit.

    Parameters
    ----------
    low, high, linear_outputs, readout
        As in `Hopfield`.
    feedback : float
        The factor a, above 0 and at most 1.
    depth : {"layers", "hops"}
        Count layers to the output layer, or hops among free nodes to the nearest output.

    Raises
    ------
    InputError
        If the feedback is outside (0, 1], the depth is unknown, or by hops a free node cannot
        reach an output.
    """

    feedback: float = 0.1
    depth: Literal["layers", "hops"] = "layers"

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.feedback <= 1:
            raise InputError(f"feedback: {self.feedback}, must be above 0 and at most 1")
        if self.depth not in ("layers", "hops"):
            raise InputError(f"depth: {self.depth!r}, allowed: layers, hops")

    def self_term(self, graph: LayeredGraph) -> Any:
        """The scale c of every free node."""
        return self._scales(graph)

    def edge_scale(self, graph: LayeredGraph, edges: npt.NDArray[np.integer]) -> Any:
        """The smaller scale of the two ends."""
        # Inputs have no scale; the free end, or 1 between two inputs, is the smaller one.
        scales = np.concatenate((np.full(graph.layer_sizes[0], np.inf), self._scales(graph)))
        smaller = scales[edges].min(axis=1)
        return np.where(np.isinf(smaller), 1.0, smaller)

    def _scales(self, graph: LayeredGraph) -> npt.NDArray[np.float64]:
        n_inputs = graph.layer_sizes[0]
        if self.depth == "layers":
            depth = graph.n_layers - 1 - graph.layers[n_inputs:].astype(float)
        else:
            from scipy.sparse.csgraph import dijkstra  # a tenth of the time of importing a model

            # Error signals do not pass through the clamped inputs.
            free = graph.adjacency()[n_inputs:, n_inputs:]
            outputs = np.arange(graph.layer_sizes[-1]) + free.shape[0] - graph.layer_sizes[-1]
            depth = dijkstra(free, indices=outputs, unweighted=True, min_only=True, directed=False)
        if not np.isfinite(depth).all():
            lost = np.flatnonzero(~np.isfinite(depth))
            raise InputError(
                f"depth: 'hops', but {lost.size} of {depth.size} free nodes have no path to an "
                f"output, the first is node {lost[0] + n_inputs}; add edges, or count depth by "
                "layers"
            )
        return float(self.feedback) ** -depth
