"""How numbers of the user become states of a network and back, and what columns they are from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Columns", "Scaling"]


@dataclass(frozen=True, eq=False)
class Scaling:
    r"""Numbers x as states, :math:`s = clip((x - center) / width, low, high)`, and back.

    Attributes
    ----------
    center, width : float or ndarray, shape (n_columns,)
        An infinite width makes all values of a column 0.
    low, high : float
        Where states are cut.
    """

    center: Any = 0.0
    width: Any = 1.0
    low: float = -np.inf
    high: float = np.inf

    @classmethod
    def of_range(cls, values: NDArray[np.floating], *, cut: bool) -> Scaling:
        """From minimum and maximum of the columns to 0 and 1; a constant column becomes 0.

        Parameters
        ----------
        values : ndarray, shape (n, n_columns)
        cut : bool
            Whether later values outside are cut.
        """
        low, high = values.min(axis=0), values.max(axis=0)
        with np.errstate(over="ignore"):
            width = np.where(high > low, high - low, np.inf)
        return cls(low, width, *((0.0, 1.0) if cut else ()))

    def of(self, columns: NDArray[np.integer]) -> Scaling:
        """The scaling of these columns, which may be named more than once."""
        both = (self.center, self.width)
        center, width = (each[columns] if np.ndim(each) else each for each in both)
        return Scaling(center, width, self.low, self.high)

    def forward(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """States of these numbers, of the same shape."""
        with np.errstate(over="ignore"):
            return np.clip((values - self.center) / self.width, self.low, self.high)

    def back(self, states: NDArray[np.floating]) -> NDArray[np.floating]:
        """Numbers of these states; of a column of infinite width its center."""
        width = np.where(np.isinf(self.width), 0.0, self.width)
        found: NDArray[np.floating] = states * width + self.center
        return found


@dataclass(frozen=True, eq=False)
class Columns:
    """The columns of a table, as they became inputs and targets.

    Attributes
    ----------
    features : tuple of str
        Names of the features, in the order of the inputs; empty where they have none.
    constant : tuple of str
        Columns that were left out, because all rows have the same value there.
    inputs : Scaling, optional
        How features became inputs; None where they were taken as they are.
    targets : Scaling, optional
        The same for the targets of a regression.
    """

    features: tuple[str, ...] = ()
    constant: tuple[str, ...] = ()
    inputs: Scaling | None = None
    targets: Scaling | None = None
