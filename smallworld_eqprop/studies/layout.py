"""What a folder holds before a run starts there: nothing, a run of ours, or somebody else's files.

Only what is recognised here is ever written over. A run is known by its run.json, which is there
from the first moment on: while the folder is laid out it says so, and a start that was killed then
can be made again.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Literal

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.locking import LOCK
from smallworld_eqprop.studies.schema import check_record

__all__ = [
    "clear_run",
    "clear_temporaries",
    "holding",
    "read_record",
    "require_checkpoint",
    "starting",
]

RECORD = "run.json"
BATCH_FOLDERS: tuple[Literal["corrections"], Literal["errors"]] = ("corrections", "errors")

# What run.json says while the folder is laid out.
_STARTING = "starting"
# What tells a record of ours from another program's file of that name.
_KEYS = ("config", "version", "pairs", "kinds")
# Names that `atomic_writer` gives to files until they are complete: tempfile adds 8 characters.
_HALF_RECORD = re.compile(r"\.run\.json-[a-z0-9_]{8}")
_HALF_FILE = re.compile(r"\.(run\.json|history\.csv|(graph|checkpoint|columns)\.npz)-[a-z0-9_]{8}")
_HALF_EPOCH = re.compile(r"\.epoch-\d{4,}\.npy-[a-z0-9_]{8}")
_EPOCH = re.compile(r"epoch-(\d{4,})\.npy")


def holding(folder: Path) -> Literal["nothing", "start", "run"]:
    """Say whether a folder is free, holds a start that was cut off, or a run.

    Raises
    ------
    InputError
        If it holds anything else.
    """
    if not folder.exists():
        return "nothing"
    names = [path.name for path in folder.iterdir()]
    if all(name == LOCK or _HALF_RECORD.fullmatch(name) for name in names):
        return "nothing"
    if RECORD not in names:
        raise InputError(
            f"{folder}: holds files, but no run (run.json is missing); name another folder, or "
            "empty this one yourself"
        )
    try:
        record = _read(folder)
    except InputError as error:
        raise InputError(f"{error}; name another folder, or empty this one yourself") from None
    return "start" if _STARTING in record else "run"


def read_record(folder: Path) -> dict[str, Any]:
    """Give the content of the ``run.json`` of a run.

    Raises
    ------
    InputError
        If the folder holds no run, or one whose start was cut off.
    """
    record = _read(folder)
    if _STARTING in record:
        raise InputError(f"{folder}: the start of this run was cut off; resume or overwrite it")
    return record


def starting(key: str, version: str) -> dict[str, Any]:
    """Give what ``run.json`` holds while the folder of a run is laid out."""
    return {_STARTING: True, "key": key, "version": version}


def require_checkpoint(folder: Path) -> bool:
    """Say whether a run has a checkpoint; without one it must not have come to the first.

    Raises
    ------
    InputError
        If it is missing where epochs are recorded.
    """
    if (folder / "checkpoint.npz").exists():
        return True
    # The first epoch's records precede its checkpoint, and the history follows it.
    recorded = max((_epoch(path) for path in _epochs(folder)), default=0)
    if recorded > 1 or (folder / "history.csv").exists():
        raise InputError(
            f"{folder}: epochs are recorded, but checkpoint.npz is missing; put it back, or "
            "overwrite the run to start anew"
        )
    return False


def clear_run(folder: Path) -> None:
    """Remove what a run has written, but for its ``run.json`` and its graph."""
    clear_temporaries(folder)
    files = (folder / name for name in ("checkpoint.npz", "history.csv", "columns.npz"))
    for path in (*files, *_epochs(folder)):
        path.unlink(missing_ok=True)


def clear_temporaries(folder: Path) -> None:
    """Remove what a killed process was in the middle of writing."""
    for place, name in ((folder, _HALF_FILE), *((folder / b, _HALF_EPOCH) for b in BATCH_FOLDERS)):
        for path in place.glob(".*"):
            if name.fullmatch(path.name):
                path.unlink(missing_ok=True)


def _read(folder: Path) -> dict[str, Any]:
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{folder}: no run here (run.json is missing)") from None
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{path}: cannot be read ({error})") from None
    if not isinstance(record, dict):
        raise InputError(f"{path}: not the record of a run ({type(record).__name__}, not a table)")
    needed = starting("", "") if record.get(_STARTING) is True else _KEYS
    missing = [key for key in needed if key not in record]
    if missing:
        raise InputError(f"{path}: not the record of a run ({', '.join(missing)} missing)")
    check_record(path, record)
    return record


def _epochs(folder: Path) -> list[Path]:
    found = [path for name in BATCH_FOLDERS for path in (folder / name).glob("epoch-*.npy")]
    return [path for path in found if _EPOCH.fullmatch(path.name)]


def _epoch(path: Path) -> int:
    match = _EPOCH.fullmatch(path.name)
    return int(match[1]) if match else 0
