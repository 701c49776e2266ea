"""The paper's network: a continuous Hopfield energy within bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from smallworld_eqprop.dynamics.models.base import Model
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["Hopfield"]


@dataclass(frozen=True)
class Hopfield(Model):
    r"""The continuous Hopfield network.

    .. math:: E(s) = \tfrac12 \sum_i s_i^2 - \sum_{(i,j)} W_{ij} s_i s_j - \sum_i b_i s_i,
              \qquad low \le s_i \le high

    Parameters
    ----------
    low, high : float
        Bounds of the free nodes: 0 and 1 in the paper; -1 and 1 is the other usual choice.
    linear_outputs : bool
        Whether the outputs have no bounds.
    readout : bool
        Whether the outputs are outside the energy: they read the field of the other nodes,
        :math:`s_o = h_o`, and do not act on them. The loss then acts on the nodes that the outputs
        read, through the same weights. `CrossEntropy` needs it.

    Raises
    ------
    InputError
        If the bounds are not finite, or cross, or a graph has edges between outputs where they are
        outside the energy.

    References
    ----------
    B. Scellier and Y. Bengio, "Equilibrium propagation: bridging the gap between energy-based
    models and backpropagation", Front. Comput. Neurosci. 11:24, 2017,
    doi:10.3389/fncom.2017.00024.
    """

    low: float = 0.0
    high: float = 1.0
    linear_outputs: bool = False
    readout: bool = False

    def __post_init__(self) -> None:
        if not -np.inf < self.low < self.high < np.inf:
            raise InputError(
                f"low, high: {self.low}, {self.high}; must be finite, low below high; "
                "linear_outputs frees the outputs"
            )

    def bounds(self, graph: LayeredGraph) -> tuple[Any, Any]:
        """Lowest and highest state of every free node."""
        if not (self.linear_outputs or self.readout):
            return self.low, self.high
        inner = graph.n_nodes - graph.layer_sizes[0] - graph.layer_sizes[-1]
        output = np.full(graph.layer_sizes[-1], np.inf)
        low, high = np.full(inner, self.low), np.full(inner, self.high)
        return np.concatenate((low, -output)), np.concatenate((high, output))
