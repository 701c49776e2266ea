"""What the data of a run are, whatever their kind."""

from __future__ import annotations

from smallworld_eqprop.data.dataset import Dataset, Task
from smallworld_eqprop.parts import Part

__all__ = ["Data"]


class Data(Part):
    """What a run learns: subclass it as a frozen dataclass, and write `load`.

    A kind that reads files also has a method ``identity()``. It gives a table of what decides the
    outcome, with the SHA-256 of the files in place of their names; keys of runs are made from it.
    """

    @property
    def task(self) -> Task | None:
        """Classification or regression, asked before anything is loaded.

        None where the data tell, and are not of a regression.
        """
        return "classification"

    def load(self) -> Dataset:
        """The data set."""
        raise NotImplementedError
