"""Networks on disk: graph, model and parameters in one .npz file, without pickles."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import numpy as np

from smallworld_eqprop.dynamics.models import MODEL, Model
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.graphs.convert.io import graph_arrays, load_graph
from smallworld_eqprop.memory import open_npz
from smallworld_eqprop.specs import read_spec, write_spec

__all__ = ["load_network", "save_network"]


def save_network(network: Network, path: str | os.PathLike[str]) -> None:
    """Write a network, so that `load_network` gives it back and `load_graph` its graph.

    The file appears whole or not at all.

    Parameters
    ----------
    network : Network
        Its model must be a dataclass of numbers and strings that can be imported by name.
    path : path-like
        Ends in ``.npz``.

    Raises
    ------
    InputError
        If the ending is another one, or the model cannot be written.
    OSError
        If the file cannot be written.
    """
    path = _checked_path(path)
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer,
        allow_pickle=False,
        model=np.array(_written(network.model)),
        weights=network.weights,
        biases=network.biases,
        **graph_arrays(network.graph),
    )
    with atomic_writer(path) as file:
        file.write(buffer.getvalue())


def load_network(path: str | os.PathLike[str]) -> Network:
    """Read a network that `save_network` wrote.

    Raises
    ------
    InputError
        If the file cannot be read, is damaged or no network, or its model cannot be imported.
    """
    path = _checked_path(path)
    graph = load_graph(path)
    try:
        with path.open("rb") as raw, open_npz(raw) as file:
            found = {name: file[name] for name in ("model", "weights", "biases")}
    except KeyError as error:
        raise InputError(f"{path}: a graph without a network ({error.args[0]})") from None
    # A flipped byte can surface as nearly any exception of zipfile or numpy.
    except Exception as error:
        raise InputError(f"{path}: damaged ({' '.join(str(error).split())})") from None
    try:
        model = _read(str(found["model"]))
        weights = found["weights"]
        return Network(graph, weights, found["biases"], model, dtype=weights.dtype)
    except ValueError as error:  # of JSON, or an InputError
        raise InputError(f"{path}: {error}") from None


def _written(model: Model) -> str:
    try:
        return json.dumps(write_spec(MODEL, model))
    except InputError:
        raise InputError(
            f"model: {model!r} must be a dataclass that can be imported by its name"
        ) from None


def _read(text: str) -> Model:
    table = json.loads(text)
    try:
        model: Model = read_spec(MODEL, table)
    except InputError as error:
        raise InputError(f"model {table.get('kind')!r} cannot be made ({error})") from None
    return model


def _checked_path(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if path.suffix != ".npz":
        raise InputError(f"{path}: must end in .npz")
    return path
