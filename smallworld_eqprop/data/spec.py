"""Data of a run as specs that can be written in a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from smallworld_eqprop.data.base import Data
from smallworld_eqprop.data.dataset import Dataset, Task
from smallworld_eqprop.data.datasets import TASKS, load
from smallworld_eqprop.data.handed import Handed
from smallworld_eqprop.data.npz import Npz
from smallworld_eqprop.data.table_files import Csv, Parquet
from smallworld_eqprop.parts import Positive
from smallworld_eqprop.specs import Slot

__all__ = ["DATA", "Data", "Named", "named"]


@dataclass(frozen=True)
class Named(Data):
    """A data set that `smallworld_eqprop.load` knows by its name.

    Attributes
    ----------
    n_train : int, optional
        Use the first n training examples; all when left out.
    """

    name: ClassVar[str]
    n_train: Positive | None = None

    @property
    def task(self) -> Task:
        """Classification or regression."""
        return TASKS[self.name]

    def load(self) -> Dataset:
        """The data set, fetched where it is not there yet."""
        return load(self.name, n_train=self.n_train)


@dataclass(frozen=True)
class Images(Named):
    """A named data set of square images.

    Attributes
    ----------
    pool : int
        Average squares of `pool` x `pool` pixels: 2 turns MNIST's 28 x 28 pixels into 14 x 14.
    """

    pool: Positive = 1

    def load(self) -> Dataset:
        """The data set, fetched where it is not there yet."""
        return load(self.name, n_train=self.n_train, pool=self.pool)


class Mnist(Images):
    """Handwritten digits of 28 x 28 pixels, 60,000 for training and 10,000 for testing."""

    name = "mnist"


class FashionMnist(Images):
    """Pieces of clothing of 28 x 28 pixels, 60,000 for training and 10,000 for testing."""

    name = "fashion-mnist"


class Digits(Images):
    """Handwritten digits of 8 x 8 pixels, from scikit-learn."""

    name = "digits"


class Wine(Named):
    """Wines of three cultivars by thirteen measurements, from scikit-learn."""

    name = "wine"


class Diabetes(Named):
    """Progress of diabetes by ten measurements, from scikit-learn; a regression."""

    name = "diabetes"


KINDS: Mapping[str, type[Data]] = {
    **{kind.name: kind for kind in (Mnist, FashionMnist, Digits, Wine, Diabetes)},
    "csv": Csv,
    "parquet": Parquet,
    "npz": Npz,
    "handed": Handed,
}

#: What may stand under ``[data]``.
DATA = Slot("data", Data, KINDS)


def named(name: str, n_train: int | None = None) -> Named:
    """The spec of a named data set.

    Parameters
    ----------
    name : str
        One of `DATASETS`.
    n_train : int, optional
        Use the first n training examples; all when left out.

    Returns
    -------
    Named

    Raises
    ------
    InputError
        If there is no data set of that name.
    """
    from smallworld_eqprop.specs import read_spec

    table = {"kind": name} if n_train is None else {"kind": name, "n_train": n_train}
    found: Named = read_spec(DATA, table)
    return found
