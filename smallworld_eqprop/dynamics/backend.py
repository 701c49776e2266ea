"""Backend: the few things that an engine does to arrays and that libraries do differently."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["NumpyBackend"]


@dataclass(frozen=True)
class NumpyBackend:
    """NumPy arrays of one network. On torch a network may be a stack: see `TorchBackend`.

    Attributes
    ----------
    dtype : dtype
        Of states.
    """

    dtype: np.dtype
    library = "numpy"
    members = 1

    def array(self, values: npt.NDArray) -> npt.NDArray:
        """An array where the network lives."""
        return values

    def host(self, values: Any) -> npt.NDArray:
        """Numbers as a NumPy array with a leading dimension of members."""
        return np.asarray(values)[None]

    def rows(self, values: npt.NDArray, examples: npt.NDArray[np.integer]) -> npt.NDArray:
        """Rows for these examples, shape (members, batch), as states."""
        return values[examples[0]].astype(self.dtype, copy=False)

    def particles(self, rest: npt.NDArray, n: int, dtype: npt.DTypeLike) -> npt.NDArray:
        """Particles of n examples, all at rest."""
        if not rest.any():
            return np.zeros((n, len(rest)), dtype)  # no memory before it is written to
        return np.tile(rest.astype(dtype), (n, 1))

    def recall(self, particles: npt.NDArray, examples: npt.NDArray[np.integer]) -> npt.NDArray:
        """Particles of these examples, as states."""
        return particles[examples[0]].astype(self.dtype)

    def keep(self, particles: npt.NDArray, examples: npt.NDArray[np.integer], state: Any) -> None:
        """Leave states where `recall` finds them."""
        particles[examples[0]] = state

    def alone(self, particles: npt.NDArray) -> npt.NDArray:
        """Particles of the only member as a NumPy array, if possible without a copy."""
        return particles

    def each(self, values: Sequence[float]) -> Any:
        """One number per member, to multiply states with."""
        return float(values[0])

    def apart(self, array: npt.NDArray) -> list[npt.NDArray]:
        """An array of parameters by member."""
        return [array]

    def stack(self, arrays: Sequence[npt.NDArray]) -> npt.NDArray:
        """What `apart` takes apart."""
        return arrays[0]

    def largest(self, values: npt.NDArray) -> Any:
        """Largest over the examples; NaN if one is."""
        return values.max(-1)
