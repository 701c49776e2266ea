"""Weights to begin with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["initial_weights"]


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
