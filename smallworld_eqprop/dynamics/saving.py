"""Networks on disk: graph, model and parameters in one .npz file, without pickles."""

from __future__ import annotations

import dataclasses
import importlib
import io
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from smallworld_eqprop.dynamics import models
from smallworld_eqprop.dynamics.models import Model
from smallworld_eqprop.dynamics.network import Network
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer
from smallworld_eqprop.graphs.convert.io import graph_arrays, load_graph

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
        model=np.array(json.dumps(describe(network.model))),
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
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in ("model", "weights", "biases")}
    except KeyError as error:
        raise InputError(f"{path}: a graph without a network ({error.args[0]})") from None
    # A flipped byte can surface as nearly any exception of zipfile or numpy.
    except Exception as error:
        raise InputError(f"{path}: damaged ({' '.join(str(error).split())})") from None
    try:
        model = remember(json.loads(str(found["model"])))
        weights = found["weights"]
        return Network(graph, weights, found["biases"], model, dtype=weights.dtype)
    except ValueError as error:  # of JSON, or an InputError
        raise InputError(f"{path}: {error}") from None


def describe(model: Model) -> dict[str, Any]:
    """A model as its kind and its numbers, which JSON can hold.

    A model of this package is named by its class, any other as ``module:Class``.

    Raises
    ------
    InputError
        If the model cannot be written so.
    """
    kind: Any = type(model)
    own = getattr(models, kind.__name__, None) is kind
    name = kind.__name__ if own else f"{kind.__module__}:{kind.__qualname__}"
    if not dataclasses.is_dataclass(kind) or "<locals>" in name:
        raise InputError(f"model: {model!r} must be a dataclass that can be imported by its name")
    fields = {field.name: getattr(model, field.name) for field in dataclasses.fields(kind)}
    try:
        json.dumps(fields)
    except TypeError as error:
        raise InputError(f"model: {model!r} holds what JSON cannot ({error})") from None
    return {"kind": name, **fields}


def remember(values: dict[str, Any]) -> Model:
    """The model that `describe` told of.

    Raises
    ------
    InputError
        If it cannot be imported or does not take these numbers.
    """
    values = dict(values)
    name = str(values.pop("kind", ""))
    module, colon, kind = name.partition(":")
    try:
        found = getattr(importlib.import_module(module) if colon else models, kind or module)
        model = found(**values)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise InputError(f"model {name!r} cannot be made ({error})") from None
    if not isinstance(model, Model):
        raise InputError(f"{name!r} is no model")
    return model


def _checked_path(path: str | os.PathLike[str]) -> Path:
    path = Path(path)
    if path.suffix != ".npz":
        raise InputError(f"{path}: must end in .npz")
    return path
