"""Hashes of what a run has recorded, so that a damaged file or row is named and not plotted.

``run.json`` holds under ``epochs`` three SHA-256 of every finished epoch: of its row in history.csv
(with the names of the columns), and of its files of corrections and errors; and those of the graph,
of columns.npz, and of itself. A folder of an earlier version has none, and what has no hash is
taken as it is.
"""

from __future__ import annotations

import hashlib
import io
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.io import load_graph
from smallworld_eqprop.graphs.core.digest import graph_digest
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.studies.columns import read_columns
from smallworld_eqprop.studies.folder import (
    BatchQuantity,
    checkpoint_arrays,
    epoch_path,
    write_record,
)
from smallworld_eqprop.studies.layout import BATCH_FOLDERS, read_record
from smallworld_eqprop.studies.schema import check_history_table

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["check_run", "checked_epoch", "checked_graph", "checked_history", "seal"]

HISTORY = "history"
REMEDY = "bring back a copy of it, or overwrite the run to start anew"


def seal(folder: Path, n_epochs: int) -> None:
    """Add the hashes of finished epochs that ``run.json`` lacks.

    Comes last of all that is written for an epoch: a kill before it leaves an epoch without
    hashes, which the next one adds.
    """
    record = read_record(folder)
    known = record.setdefault("epochs", {})
    missing = [epoch for epoch in range(1, n_epochs + 1) if str(epoch) not in known]
    if not missing:
        return
    rows = _row_hashes((folder / "history.csv").read_bytes())
    for epoch in missing:
        paths: dict[str, Path] = {name: epoch_path(folder, name, epoch) for name in BATCH_FOLDERS}
        if all(path.exists() for path in paths.values()):  # of an old run some may be gone
            contents = {name: path.read_bytes() for name, path in paths.items()}
            hashes = {name: hashlib.sha256(each).hexdigest() for name, each in contents.items()}
            known[str(epoch)] = {HISTORY: rows[epoch - 1], **hashes}
    write_record(folder, record)


def checked_history(folder: Path, record: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of all finished epochs, if they are those that were written.

    Raises
    ------
    InputError
        Naming file and epoch; if there is none, if it is a table of something else.
    """
    import pandas as pd

    path = folder / "history.csv"
    try:
        content = path.read_bytes()
        _check_rows(path, content, record)
        table = pd.read_csv(io.BytesIO(content))
    except FileNotFoundError:
        if record.get("epochs"):
            raise InputError(f"{path}: is missing; {REMEDY}") from None
        raise InputError(f"{folder}: no epoch is finished yet; continue the run first") from None
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    check_history_table(path, table)
    return table


def _check_rows(path: Path, content: bytes, record: Mapping[str, Any]) -> None:
    rows = _row_hashes(content)
    for epoch, hashes in record.get("epochs", {}).items():
        if int(epoch) > len(rows):
            raise InputError(f"{path}: the row of epoch {epoch} is missing; {REMEDY}")
        if rows[int(epoch) - 1] != hashes[HISTORY]:
            raise InputError(f"{path}: the row of epoch {epoch} was changed; {REMEDY}")


def checked_epoch(
    folder: Path, quantity: BatchQuantity, epoch: int, record: Mapping[str, Any]
) -> bytes:
    """Content of a file of an epoch, if it is the one that was written.

    Raises
    ------
    InputError
        If it cannot be read or was changed.
    """
    path = epoch_path(folder, quantity, epoch)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    hashes = record.get("epochs", {}).get(str(epoch))
    if hashes is not None and hashlib.sha256(content).hexdigest() != hashes[quantity]:
        raise InputError(f"{path}: was changed after it was written; {REMEDY}")
    return content


def checked_graph(folder: Path, record: Mapping[str, Any]) -> LayeredGraph:
    """The graph that training began with, if the file holds the one that was written.

    Raises
    ------
    InputError
        If it cannot be read or is another one.
    """
    path = folder / "graph.npz"
    graph = load_graph(path)
    found = graph_digest(graph)
    if record.get("graph", {}).get("sha256", found) != found:
        raise InputError(f"{path}: is not the graph that was trained; {REMEDY}")
    return graph


def check_run(folder: Path) -> list[str]:
    """Problems of a run folder, one line for every file that is damaged or missing.

    Raises
    ------
    InputError
        If it holds no run.
    """
    record = read_record(folder)
    problems = []
    for check in (checked_graph, _columns, _history, _checkpoint):
        try:
            check(folder, record)
        except InputError as error:
            problems.append(str(error))
    for epoch in record.get("epochs", {}):
        for quantity in BATCH_FOLDERS:
            try:
                checked_epoch(folder, quantity, int(epoch), record)
            except InputError as error:
                problems.append(str(error))
    return problems


def _row_hashes(content: bytes) -> list[str]:
    """Of every row, with the names of its columns; empty cells, of later columns, are left out."""
    header, *rows = content.splitlines() or [b""]
    names = header.split(b",")
    found = []
    for row in rows:
        cells = itertools.zip_longest(names, row.split(b","), fillvalue=b"?")
        told = b"\n".join(name + b"=" + cell for name, cell in cells if cell)
        found.append(hashlib.sha256(told).hexdigest())
    return found


def _columns(folder: Path, record: Mapping[str, Any]) -> None:
    read_columns(folder, record.get("columns"))


def _history(folder: Path, record: Mapping[str, Any]) -> None:
    if (folder / "history.csv").exists() or record.get("epochs"):
        checked_history(folder, record)


def _checkpoint(folder: Path, record: Mapping[str, Any]) -> None:
    path = folder / "checkpoint.npz"
    if path.exists() or record.get("epochs"):
        checkpoint_arrays(path, record["key"])
