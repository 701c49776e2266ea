"""From a contrast to a gradient, or straight to a step down it, block by block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.layout import Array, Layout
from smallworld_eqprop.dynamics.physics import Physics
from smallworld_eqprop.dynamics.sharing import share

__all__ = ["descend", "gradient_of"]

# Into so many parts the columns of a block can be cut.
PARTS = 1 << 10


def gradient_of(layout: Layout, physics: Physics, contrast: Contrast) -> tuple[list[Array], Array]:
    """Gradient of the cost: one array per block of weights, and that of the biases.

    See `Network.gradient` for the formula.
    """
    gain = -float(contrast.gain) / len(contrast.deviation)
    deviation, middle, inputs = _moved(contrast)
    left, right = _sides(deviation, middle)
    right *= physics.dtype.type(gain)
    clamped = right[len(deviation) :]
    own = physics.own_contrast(deviation, middle, gain)
    factors: dict[int, tuple[Array, Array]] = {}
    weights: list[Array] = []
    for n, block in enumerate(layout.blocks):
        if block.upper == 0:
            weights.append(block.pack(np.zeros(layout.n_edges, physics.dtype)))
            continue
        ends = (right if block.lower else clamped)[:, layout.rows[block.upper]]
        start = left[:, layout.rows[block.lower]] if block.lower else inputs
        if block.dense and not block.inside:
            weights.append(np.empty(block.shape, physics.dtype))
            factors[n] = start, ends
        else:
            weights.append(block.product(start, ends))

    def fill(part: slice) -> None:
        # Every thread has some columns of all blocks, so that it waits for the others once.
        for n, (start, ends) in factors.items():
            block = layout.blocks[n]
            first, last = (block.shape[1] * end // PARTS for end in (part.start, part.stop))
            block.fill(weights[n], start, ends, slice(first, last))

    share(fill, PARTS, len(left) * sum(weights[n].size for n in factors))
    for n, block in enumerate(layout.blocks):
        if block.upper:
            weights[n] = physics.scaled(n, weights[n], own)
    biases = deviation.sum(axis=0) * (gain * physics.bias_scale)
    return weights, biases.astype(physics.dtype)


def descend(
    layout: Layout,
    parameters: tuple[list[Array], Array],
    contrast: Contrast,
    rates: Sequence[float],
    bias_rates: Sequence[float],
    scratch: Array,
) -> npt.NDArray[np.float64]:
    """Step down the gradient of a plain model in one pass; see `Network.descend`.

    Parameters
    ----------
    parameters : list of ndarray, and ndarray
        Weights by block and biases; overwritten.
    scratch : ndarray
        Overwritten; at least as many entries as the largest dense block has.
    """
    weights, biases = parameters
    kind, scale = biases.dtype.type, float(contrast.gain) / len(contrast.deviation)
    deviation, middle, inputs = _moved(contrast)
    if not len(deviation):
        return np.zeros(len(layout.blocks))
    left, right = _sides(deviation, middle)
    right *= kind(scale)
    bias_change = deviation.sum(axis=0)
    for rows, rate, bias_rate in zip(layout.rows[1:], rates, bias_rates, strict=True):
        right[:, rows] *= kind(rate)
        biases[rows] += bias_change[rows] * kind(scale * bias_rate)
    # Pixels at the margin, and nodes at 0 in both phases of all examples: nothing to add.
    sources = [inputs, *(left[:, rows] for rows in layout.rows[1:])]
    present = [np.flatnonzero(source.any(axis=0)) for source in sources]
    sources = [source[:, nodes] for source, nodes in zip(sources, present, strict=True)]
    changes = np.zeros(len(layout.blocks))
    clamped = right[len(deviation) :]
    for n, (block, array) in enumerate(zip(layout.blocks, weights, strict=True)):
        if block.upper:
            ends = (right if block.lower else clamped)[:, layout.rows[block.upper]]
            nodes, starts = present[block.lower], sources[block.lower]
            changes[n] = block.add_product(array, nodes, starts, ends, scratch)
    return changes


def _moved(contrast: Contrast) -> list[Array]:
    """Deviations, midpoints and inputs of the examples that were moved.

    Most examples of a trained network are right, and were not.
    """
    arrays = [contrast.deviation, contrast.midpoint, contrast.inputs]
    moved = contrast.deviation.any(axis=1)
    return arrays if moved.all() else [each[moved] for each in arrays]


def _sides(deviation: Array, middle: Array) -> tuple[Array, Array]:
    """Both factors of the contrast of all pairs, ``left.T @ right``.

    An input has no deviation: of the second factor only the lower half, its m_i d_j, is left.
    """
    return np.concatenate((deviation, middle)), np.concatenate((middle, deviation))
