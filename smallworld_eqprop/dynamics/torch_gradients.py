"""From a contrast on torch tensors to what edges and nodes see of it, for a stack at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from smallworld_eqprop.dynamics.contrast import Contrast
from smallworld_eqprop.dynamics.torch_physics import TorchPhysics

__all__ = ["edges_see", "nodes_see", "squares"]


def edges_see(physics: TorchPhysics, contrast: Contrast, columns: torch.Tensor) -> torch.Tensor:
    """What the ends of every edge see of a contrast, times k and a factor of the upper end.

    Parameters
    ----------
    physics : TorchPhysics
    contrast : Contrast
        Its gain is left out.
    columns : Tensor, shape (members, 1, n_free) or (members, 1, 1)

    Returns
    -------
    Tensor, shape (members, n_nodes, n_free)
        Every edge once, as in the mask.
    """
    d, m, n_inputs = contrast.deviation, contrast.midpoint, contrast.inputs.shape[-1]
    left, right = torch.cat((d, m), 1), torch.cat((m, d), 1) * columns
    found = torch.empty_like(physics.mask)
    # An input has no deviation: only m_i d_j is left.
    torch.bmm(contrast.inputs.mT, right[:, d.shape[1] :], out=found[:, :n_inputs])
    torch.bmm(left.mT, right, out=found[:, n_inputs:])
    if physics.difference:
        own = (d * m).sum(-2, keepdim=True)
        found -= own * columns
        found[:, n_inputs:] -= own.mT * columns
    found.mul_(physics.mask)
    return found if physics.scale is None else found.mul_(physics.scale)


def nodes_see(physics: TorchPhysics, contrast: Contrast, columns: torch.Tensor) -> torch.Tensor:
    """What every free node sees of a contrast, times c and a factor; shape (members, n_free)."""
    factors = (columns * physics.bias_scale).to(columns.dtype)
    return contrast.deviation.sum(-2) * factors[:, 0]


def squares(change: torch.Tensor, layers: torch.Tensor) -> npt.NDArray[np.float64]:
    """Sums of squares by pair of layers: all in two products.

    Parameters
    ----------
    change : Tensor, shape (members, n_nodes, n_free)
    layers : Tensor, shape (n_nodes, n_layers)
        1 in the column of the layer of every node.

    Returns
    -------
    ndarray, shape (members, n_layers, n_layers)
    """
    count, n_free = len(change), change.shape[-1]
    sums = torch.bmm(layers.mT.expand(count, -1, -1), change.square())
    sums = torch.bmm(sums, layers[-n_free:].expand(count, -1, -1))
    return sums.cpu().numpy().astype(float)
