"""What the files of a run folder hold: one schema each, checked when they are read."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_history_table", "check_record", "read_batches", "sealed"]

_NAMES = {dict: "a table", list: "a list", str: "a text", int: "a whole number"}

#: Fields of run.json and their types: a tuple of one type is a list of it, ``{...: type}`` a table
#: whose keys may be any. A field that is not there is one that came later.
RECORD: dict[Any, Any] = {
    "config": dict,
    "key": str,
    "version": str,
    "python": str,
    "machine": str,
    "threads": int,
    "libraries": {...: str},
    "graph": {"layer_sizes": (int,), "n_edges": int, "provenance": (dict,), "sha256": str},
    "dataset": {"name": str, "sha256": {...: str}, "n_train": int, "n_test": int, "classes": list},
    "notes": (str,),
    "pairs": (str,),
    "kinds": (str,),
    "errors_from": {...: str},
    "columns": str,
    "epochs": {...: {"history": str, "corrections": str, "errors": str}},
    "sha256": str,
}
#: What a history has had from the first version on; all of its columns are numbers.
COLUMNS = ("epoch", "training_error", "test_error", "log_spread", "seconds")


def sealed(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the SHA-256 of all its fields but that; the layout of the text has no part."""
    told = {name: value for name, value in record.items() if name != "sha256"}
    # As it will be read back: tuples are lists then, and all names are text.
    text = json.dumps(json.loads(json.dumps(told)), sort_keys=True)
    return {**told, "sha256": hashlib.sha256(text.encode()).hexdigest()}


def check_record(path: Path, record: Mapping[str, Any]) -> None:
    """Refuse a ``run.json`` that was changed, or in which a field has an unknown form.

    Raises
    ------
    InputError
        Naming file and field.
    """
    _check(path, "", record, RECORD)
    for epoch, hashes in record.get("epochs", {}).items():
        if not (epoch.isascii() and epoch.isdigit() and len(hashes) == len(RECORD["epochs"][...])):
            raise InputError(f"{path}: epochs.{epoch}: {hashes!r:.60}, must be hashes of an epoch")
    # Records of earlier versions have no hash of themselves.
    if "sha256" in record and record["sha256"] != sealed(record)["sha256"]:
        raise InputError(f"{path}: was changed after it was written; bring back a copy of it")


def _check(path: Path, where: str, value: Any, schema: Any) -> None:
    written: dict[Any, type] = {dict: dict, tuple: list}
    kind = written.get(type(schema), schema)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise InputError(f"{path}: {where}: {value!r:.60}, must be {_NAMES[kind]}")
    if isinstance(schema, tuple):
        for number, item in enumerate(value):
            _check(path, f"{where}[{number}]", item, schema[0])
    elif isinstance(schema, dict):
        for name in value if ... in schema else schema.keys() & value.keys():
            field = f"{where}.{name}" if where else name
            _check(path, field, value[name], schema.get(..., schema.get(name)))


def check_history_table(path: Path, table: pd.DataFrame) -> None:
    """Refuse a history without a column that all have, or with anything but numbers.

    Raises
    ------
    InputError
        Naming file and column.
    """
    for name in COLUMNS:
        if name not in table:
            raise InputError(f"{path}: column {name} is missing; bring back a copy of the file")
    for column in table:
        if table[column].dtype.kind not in "iuf":
            raise InputError(f"{path}: column {column} is not of numbers only; bring back a copy")
    if table["epoch"].tolist() != list(range(1, len(table) + 1)):
        raise InputError(f"{path}: column epoch: must be 1, 2, ...; bring back a copy of the file")


def read_batches(path: Path, content: bytes, width: int | None) -> npt.NDArray[np.float32]:
    """Numbers of every batch of an epoch, out of the content of an npy file.

    Parameters
    ----------
    width : int, optional
        Numbers of a batch; None for a single one.

    Raises
    ------
    InputError
        If it is no such file.
    """
    stream = io.BytesIO(content)
    try:
        version = np.lib.format.read_magic(stream)
        header = {(1, 0): np.lib.format.read_array_header_1_0}[version]
        shape, by_columns, dtype = header(stream)
        found = np.frombuffer(content, dtype, offset=stream.tell()) if dtype.kind == "f" else None
    # A flipped byte can surface as nearly any exception of numpy and of Python's parser.
    except Exception as error:
        raise InputError(f"{path}: cannot be read ({' '.join(str(error).split())})") from None
    fits = len(shape) == (1 if width is None else 2) and shape[1:] == (width,) * (len(shape) - 1)
    if found is None or not fits:
        expected = "(batches)" if width is None else f"(batches, {width})"
        raise InputError(f"{path}: {dtype} of shape {shape}, must be float32 of shape {expected}")
    if found.size != math.prod(shape):
        raise InputError(f"{path}: holds {found.size} numbers, but its header says {shape}")
    return found.reshape(shape, order="F" if by_columns else "C")
