"""The file of a run folder that says how features and targets were scaled."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from smallworld_eqprop.data.columns import Columns, Scaling
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer, read_file
from smallworld_eqprop.memory import open_npz

__all__ = ["COLUMNS", "read_columns", "write_columns"]

COLUMNS = "columns.npz"
PARTS = ("center", "width", "low", "high")


def write_columns(folder: Path, columns: Columns | None) -> str | None:
    """Write the columns of the data of a run; nothing where the data have none.

    Parameters
    ----------
    folder : Path
    columns : Columns, optional

    Returns
    -------
    str or None
        SHA-256 of the file.
    """
    if columns is None:
        return None
    arrays = {name: np.array(getattr(columns, name), str) for name in ("features", "constant")}
    for kind in ("inputs", "targets"):
        if (scaling := getattr(columns, kind)) is not None:
            arrays |= {f"{kind}.{part}": np.asarray(getattr(scaling, part)) for part in PARTS}
    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    with atomic_writer(folder / COLUMNS) as file:
        file.write(content.getvalue())
    return hashlib.sha256(content.getvalue()).hexdigest()


def read_columns(folder: Path, sha256: str | None = None) -> Columns | None:
    """Read what `write_columns` wrote; None where there is no such file.

    Parameters
    ----------
    folder : Path
    sha256 : str, optional
        Of the file, as ``run.json`` has it; runs of earlier versions have none.

    Raises
    ------
    InputError
        If the file is damaged, or another one than was written.
    """
    path = folder / COLUMNS
    if sha256 is None and not path.exists():
        return None
    try:
        content = read_file(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if sha256 not in (None, hashlib.sha256(content).hexdigest()):
        raise InputError(
            f"{path}: was changed after it was written; bring back a copy of it, or overwrite the "
            "run to start anew"
        )
    try:
        with open_npz(io.BytesIO(content)) as file:
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
