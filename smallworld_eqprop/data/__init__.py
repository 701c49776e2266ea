"""Named datasets, verified by SHA-256 and cached, and data in files of the user."""

from __future__ import annotations

from smallworld_eqprop.data.base import Data
from smallworld_eqprop.data.datasets import DATASETS, TASKS, Dataset, load
from smallworld_eqprop.data.npz import Npz
from smallworld_eqprop.data.spec import DATA, Named, named
from smallworld_eqprop.data.table_files import Csv, Parquet

__all__ = [
    "DATA",
    "DATASETS",
    "TASKS",
    "Csv",
    "Data",
    "Dataset",
    "Named",
    "Npz",
    "Parquet",
    "load",
    "named",
]
