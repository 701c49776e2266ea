"""Weights to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.constraints import edge_signs, weight_limits
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.attributes import edge_numbers
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.parts import Part

__all__ = ["Initial", "initial_weights"]


@dataclass(frozen=True)
class Initial(Part):
    """Weights to begin with: those that the model draws, others, or those of the graph.

    Where the graph asks for a sign, a drawn weight takes it: its absolute value times the sign.

    Parameters
    ----------
    gain : float
        Factor of all weights.
    other_amplitude : float, optional
        Amplitude of the weights of skips and intralayer edges, see `initial_weights`; chosen by the
        model when left out.
    weights : {"drawn", "graph"}
        Draw them, or take the edge data ``weight`` of the graph, times `gain`.

    Raises
    ------
    InputError
        If a number is negative or not finite, or an amplitude is given for what is not drawn.
    """

    gain: float = 1.0
    other_amplitude: float | None = None
    weights: Literal["drawn", "graph"] = "drawn"

    def __post_init__(self) -> None:
        for name in ("gain", "other_amplitude"):
            if (value := getattr(self, name)) is not None and not 0 <= value < np.inf:
                raise InputError(f"{name}: {value}, must be finite and at least 0")
        if self.weights not in ("drawn", "graph"):
            raise InputError(f"weights: {self.weights!r}, allowed: drawn, graph")
        if self.weights == "graph" and self.other_amplitude is not None:
            raise InputError(
                f"other_amplitude: {self.other_amplitude}, but weights are those of the graph; "
                "leave it out or draw them"
            )

    def draw(self, graph: LayeredGraph, model: Any, seed: int | np.random.Generator) -> npt.NDArray:
        """Weights of a graph, one per edge, within the limits of model and graph.

        Raises
        ------
        InputError
            If the graph is to give the weights and does not have one for every edge. Weights of
            the graph that model or signs do not allow are left to the network to refuse.
        """
        if self.weights == "graph":
            try:
                return self.gain * edge_numbers(graph.edge_data, "weight")
            except InputError as error:
                raise InputError(f"initial.weights: 'graph', but {error}") from None
        if self.other_amplitude is None:
            weights = model.initial(graph, np.random.default_rng(seed))
        else:
            weights = initial_weights(graph, seed=seed, other_amplitude=self.other_amplitude)
        if self.gain != 1:
            weights = self.gain * weights
        if (signs := edge_signs(graph)) is not None:
            weights = np.where(signs == 0, weights, np.abs(weights) * signs)
        return np.clip(weights, *weight_limits(graph, model))


def initial_weights(
    graph: LayeredGraph,
    *,
    seed: int | np.random.Generator,
    other_amplitude: float | None = None,
) -> npt.NDArray[np.float32]:
    r"""Random weights, one per edge.

    Between adjacent layers of sizes n and m uniform on (-a, a) with
    :math:`a = \sqrt{6 / (n + m)}`; on every other edge (layer-skipping, intralayer) uniform on
    (-`other_amplitude`, `other_amplitude`).

    Parameters
    ----------
    graph : LayeredGraph
    seed : int or numpy.random.Generator
    other_amplitude : float, optional
        The mean of the a over all adjacent layers when left out.

    Returns
    -------
    ndarray of float32, shape (n_edges,)
        In the order of ``graph.edges``.

    Raises
    ------
    InputError
        If `other_amplitude` is negative or not finite.

    References
    ----------
    .. [1] X. Glorot and Y. Bengio, "Understanding the difficulty of training deep feedforward
       neural networks", AISTATS 2010 (the amplitude a).
    """
    rng = np.random.default_rng(seed)
    sizes = np.array(graph.layer_sizes)
    amplitudes = np.sqrt(6 / (sizes[:-1] + sizes[1:]))
    if other_amplitude is None:
        other_amplitude = float(amplitudes.mean())
    if not 0 <= other_amplitude < np.inf:
        raise InputError(f"other_amplitude: {other_amplitude}, must be finite and at least 0")
    lower = graph.layers[graph.edges[:, 0]]
    # The output layer has no layer above; its intralayer edges fall under "other" anyway.
    adjacent = amplitudes[np.minimum(lower, len(amplitudes) - 1)]
    scale = np.where(graph.interlayer, adjacent, other_amplitude)
    return (rng.uniform(-1, 1, graph.n_edges) * scale).astype(np.float32)
