"""What an engine does to torch tensors; `NumpyBackend` for a stack of networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

__all__ = ["TorchBackend", "tensor", "torch_dtype"]


@dataclass(frozen=True)
class TorchBackend:
    """Tensors of a stack of networks; all have a leading dimension of members.

    Attributes
    ----------
    dtype : numpy.dtype
        Of states.
    device : torch.device
    members : int
    """

    dtype: np.dtype
    device: torch.device
    members: int
    library = "torch"

    def array(self, values: Any) -> torch.Tensor:
        """A tensor where the networks live, of the dtype of `values`."""
        return tensor(values, self.device)

    def host(self, values: torch.Tensor) -> npt.NDArray:
        """Numbers as a NumPy array with a leading dimension of members."""
        return values.cpu().numpy()

    def rows(self, values: torch.Tensor, examples: npt.NDArray[np.integer]) -> torch.Tensor:
        """Rows for these examples, shape (members, batch), as states."""
        if examples.strides[0] == 0 or len(examples) == 1:  # the same for all: one copy serves them
            chosen = values[self._index(examples[0])].to(torch_dtype(self.dtype))
            return chosen.expand(self.members, -1, -1)
        return values[self._index(examples)].to(torch_dtype(self.dtype))

    def particles(self, rest: torch.Tensor, n: int, dtype: npt.DTypeLike) -> torch.Tensor:
        """Particles of n examples per member, all at rest."""
        shape, kind = (self.members, n, rest.shape[-1]), torch_dtype(np.dtype(dtype))
        particles = torch.zeros(shape, dtype=kind, device=self.device)
        if bool(rest.any()):
            particles[:] = rest
        return particles

    def recall(self, particles: torch.Tensor, examples: npt.NDArray[np.integer]) -> torch.Tensor:
        """Particles of these examples, as states."""
        return particles[self._which(examples)].to(torch_dtype(self.dtype))

    def keep(
        self, particles: torch.Tensor, examples: npt.NDArray[np.integer], state: torch.Tensor
    ) -> None:
        """Leave states where `recall` finds them."""
        particles[self._which(examples)] = state.to(particles.dtype)

    def alone(self, particles: torch.Tensor) -> npt.NDArray:
        """Particles of the only member as a NumPy array, if possible without a copy."""
        return particles[0].cpu().numpy()

    def each(self, values: Sequence[float]) -> torch.Tensor:
        """One number per member, to multiply states with; shape (members, 1, 1)."""
        numbers = torch.tensor(values, dtype=torch_dtype(self.dtype), device=self.device)
        return numbers[:, None, None]

    def largest(self, values: torch.Tensor) -> torch.Tensor:
        """Largest over the examples; NaN if one is."""
        return torch.amax(values, -1)

    def apart(self, array: torch.Tensor) -> list[torch.Tensor]:
        """A tensor by member, without the leading dimension."""
        return list(array.unbind())

    def stack(self, arrays: Sequence[torch.Tensor]) -> torch.Tensor:
        """What `apart` takes apart."""
        return torch.stack(list(arrays))

    def joined(self, arrays: Sequence[torch.Tensor]) -> torch.Tensor:
        """Arrays that have a leading dimension of members, one after the other."""
        return torch.cat(list(arrays))

    def _index(self, examples: npt.NDArray[np.integer]) -> torch.Tensor:
        return self.array(examples.astype(np.int64))

    def _which(self, examples: npt.NDArray[np.integer]) -> tuple[torch.Tensor, torch.Tensor]:
        members = torch.arange(self.members, device=self.device)[:, None]
        return members, self._index(examples)


def torch_dtype(dtype: np.dtype) -> torch.dtype:
    """The dtype of torch that has the name of this one."""
    found = getattr(torch, dtype.name)
    assert isinstance(found, torch.dtype)
    return found


def tensor(values: Any, device: torch.device, dtype: np.dtype | None = None) -> torch.Tensor:
    """`values` as a tensor on a device; no copy if it is one already."""
    if not isinstance(values, torch.Tensor):
        # A tensor cannot be read-only, and torch warns where it shares the memory of what is.
        values = torch.from_numpy(np.require(values, dtype, ["C", "W"]))
    return values.to(device, None if dtype is None else torch_dtype(dtype))
