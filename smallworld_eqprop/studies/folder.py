"""The files of a run folder: each is written whole or not at all, and checked when it is read.

run.json        resolved configuration, versions, threads, graph provenance, hashes of the data,
                of finished epochs, and of itself
graph.npz       the graph; where edges move, that of the beginning
columns.npz     of tables: names of the features, and how they were scaled
history.csv     one row per finished epoch
corrections/    RMS correction of every layer pair in every batch, one file per epoch
errors/         wrong examples in every batch (for regression the summed cost), one file per epoch
checkpoint.npz  everything that evolves; after a kill, training goes on from here
"""

from __future__ import annotations

import dataclasses
import json
import math
import platform
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from smallworld_eqprop._version import __version__
from smallworld_eqprop.data.columns import Columns
from smallworld_eqprop.dynamics.devices import NUMPY
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.graphs.convert.io import save_graph
from smallworld_eqprop.graphs.core.digest import graph_digest
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.learning.history import REWIRED, EpochRecord
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.memory import open_npz
from smallworld_eqprop.studies.columns import write_columns
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.layout import BATCH_FOLDERS, RECORD, clear_run, starting
from smallworld_eqprop.studies.notes import notes
from smallworld_eqprop.studies.schema import sealed

__all__ = [
    "BatchQuantity",
    "checkpoint_arrays",
    "epoch_path",
    "lay_out",
    "read_checkpoint",
    "start_folder",
    "write_checkpoint",
    "write_epoch",
    "write_history",
    "write_record",
]

LIBRARIES = ("numpy", "scipy", "networkx", "igraph")

BatchQuantity = Literal["corrections", "errors"]


def start_folder(folder: Path, config: RunConfig, trainer: Trainer, threads: int) -> None:
    """Lay out a new run of so many threads, in place of a run that is there."""
    facts = {
        # Rounding may depend on it: see `threads`.
        "threads": threads,
        "dataset": trainer.data.facts,
        "notes": notes(trainer),
        "pairs": trainer.pairs,
        "kinds": trainer.kinds,
    }
    lay_out(folder, config, trainer.graph, trainer.data.columns, facts)


def lay_out(
    folder: Path,
    config: RunConfig,
    graph: LayeredGraph,
    columns: Columns | None,
    facts: Mapping[str, Any],
) -> None:
    """Lay out the folder of a run with what is known before it trains.

    run.json is the first file and the last: first it says that the run is being started, so that
    a folder in which this was cut off can be told from one with somebody else's files.

    Parameters
    ----------
    facts : mapping
        ``threads``, ``dataset``, ``notes``, ``pairs`` and ``kinds``, for run.json.
    """
    folder.mkdir(parents=True, exist_ok=True)
    write_record(folder, starting(config.key, __version__))
    clear_run(folder)
    for quantity in BATCH_FOLDERS:
        (folder / quantity).mkdir(exist_ok=True)
    save_graph(graph, folder / "graph.npz")
    scaled = write_columns(folder, columns)
    record = {
        "config": config.to_dict(),
        "key": config.key,
        "version": __version__,
        "python": platform.python_version(),
        "libraries": {
            name: metadata.version(name)
            for name in (*LIBRARIES, *(["torch"] if config.training.device != NUMPY else []))
        },
        "machine": f"{platform.system()} {platform.machine()}",
        "graph": {
            "layer_sizes": graph.layer_sizes,
            "n_edges": graph.n_edges,
            "provenance": graph.provenance,
            "sha256": graph_digest(graph),
        },
        # Where the free phases begin in which errors are counted.
        "errors_from": config.training.errors_from,
        **({} if scaled is None else {"columns": scaled}),
        **facts,
    }
    write_record(folder, record)


def epoch_path(folder: Path, quantity: BatchQuantity, epoch: int) -> Path:
    """File of what was recorded in every batch of an epoch, counted from 1."""
    return folder / quantity / f"epoch-{epoch:04d}.npy"


def write_epoch(
    folder: Path, epoch: int, corrections: npt.NDArray[np.float32], errors: list[float]
) -> None:
    """Write what was recorded in every batch of an epoch, counted from 1."""
    values: dict[BatchQuantity, npt.NDArray] = {
        "corrections": corrections,
        "errors": np.array(errors, np.float32),
    }
    for quantity, array in values.items():
        with atomic_writer(epoch_path(folder, quantity, epoch)) as file:
            np.save(file, array)


def write_history(folder: Path, history: Sequence[EpochRecord], *, validated: bool) -> None:
    """Write one row per finished epoch; columns of validation and rewiring where there was one."""
    # Imported here because pandas is a quarter of the time the package takes to import.
    import pandas as pd

    rows = [dataclasses.asdict(record) for record in history]
    names = [field.name for field in dataclasses.fields(EpochRecord)]
    if not validated:
        names = [name for name in names if not name.startswith("validation_")]
    if all(math.isnan(record.moved_edges) for record in history):
        names = [name for name in names if not name.startswith(REWIRED)]
    table = pd.DataFrame(rows, columns=names)
    with atomic_writer(folder / "history.csv") as file:
        table.to_csv(file, index=False)


def write_checkpoint(
    path: Path, key: str, state: tuple[dict[str, npt.NDArray], dict[str, Any]], errors: list[float]
) -> None:
    """Write everything that evolves, with the configuration and version it belongs to.

    Parameters
    ----------
    path : Path
    key : str
        Of the configuration.
    state : tuple
        As `Trainer.state` gives it.
    errors : list of float
        Of every batch of the epoch under way.
    """
    arrays, values = state
    header = {"key": key, "version": __version__, "errors": errors, **values}
    with atomic_writer(path) as file:
        np.savez(file, allow_pickle=False, header=np.array(json.dumps(header)), **arrays)


def checkpoint_arrays(path: Path, key: str) -> tuple[dict[str, npt.NDArray], dict[str, Any]]:
    """Arrays and values of a checkpoint of a run of this key, as `Trainer.state` gave them.

    Raises
    ------
    InputError
        If the checkpoint is damaged, or belongs to another configuration or version.
    """
    try:
        # Opened here, because numpy leaves a file that it cannot read open.
        with path.open("rb") as raw, open_npz(raw) as file:
            # Reading every array checks every checksum: a damaged file is never half-read.
            arrays = {name: file[name] for name in file.files}
        header: dict[str, Any] = json.loads(str(arrays.pop("header")))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    # A flipped byte can surface as nearly any exception of zipfile, numpy or json.
    except Exception as error:
        raise _damaged(path, str(error)) from None
    for name, found, needed in (
        ("configuration", header.pop("key", None), key),
        ("version", header.pop("version", None), __version__),
    ):
        if found != needed:
            raise InputError(
                f"{path}: checkpoint of another {name} ({found}, not {needed}); "
                "overwrite the run to start anew"
            )
    return arrays, header


def read_checkpoint(path: Path, key: str, trainer: Trainer) -> list[float]:
    """Give a trainer made from the configuration of this key the state of a checkpoint.

    Returns
    -------
    list of float
        Errors of every batch of the epoch under way.

    Raises
    ------
    InputError
        As `checkpoint_arrays`.
    """
    arrays, header = checkpoint_arrays(path, key)
    for name, expected in trainer.state()[0].items():
        # As long as the epoch under way, or as the batches that were kept for the next move.
        free = name == "corrections" or name.startswith("rewire/")
        if name not in arrays or (arrays[name].shape != expected.shape and not free):
            raise _damaged(path, f"{name} is missing or of the wrong size")
    errors = header.pop("errors")
    trainer.restore(arrays, header)
    return errors


def write_record(folder: Path, record: dict[str, Any]) -> None:
    """Write ``run.json``, with a hash of what it says."""
    with atomic_writer(folder / RECORD) as file:
        file.write(json.dumps(sealed(record), indent=2).encode())


def _damaged(path: Path, reason: str) -> InputError:
    reason = " ".join(reason.split())
    return InputError(f"{path}: damaged checkpoint ({reason}); overwrite the run to start anew")
