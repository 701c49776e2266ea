"""The file of a run folder that says how features and targets were scaled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from smallworld_eqprop.data.columns import Columns, Scaling
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.memory import open_npz

__all__ = ["COLUMNS", "read_columns", "write_columns"]

COLUMNS = "columns.npz"
PARTS = ("center", "width", "low", "high")


def write_columns(folder: Path, columns: Columns | None) -> None:
    """Write the columns of the data of a run; nothing where the data have none.

    Parameters
    ----------
    folder : Path
    columns : Columns, optional
    """
    if columns is None:
        return
    arrays = {name: np.array(getattr(columns, name), str) for name in ("features", "constant")}
    for kind in ("inputs", "targets"):
        if (scaling := getattr(columns, kind)) is not None:
            arrays |= {f"{kind}.{part}": np.asarray(getattr(scaling, part)) for part in PARTS}
    with atomic_writer(folder / COLUMNS) as file:
        np.savez_compressed(file, allow_pickle=False, **arrays)


def read_columns(folder: Path) -> Columns | None:
    """Read what `write_columns` wrote; None where there is no such file.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    path = folder / COLUMNS
    if not path.exists():
        return None
    try:
        with path.open("rb") as raw, open_npz(raw) as file:
            arrays: dict[str, Any] = {name: file[name] for name in file.files}
        features, constant = (tuple(arrays[name].tolist()) for name in ("features", "constant"))
        inputs, targets = (
            Scaling(*(arrays[f"{kind}.{part}"] for part in PARTS))
            if f"{kind}.center" in arrays
            else None
            for kind in ("inputs", "targets")
        )
        return Columns(features, constant, inputs, targets)
    # A flipped byte can surface as nearly any exception of zipfile or numpy.
    except Exception as error:
        raise InputError(f"{path}: damaged ({' '.join(str(error).split())})") from None
