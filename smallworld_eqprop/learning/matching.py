"""Whether a graph and data belong together, asked before anything is trained."""

from __future__ import annotations

import numpy as np

from smallworld_eqprop.data import Dataset
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph
from smallworld_eqprop.graphs.core.reachability import unreached_outputs
from smallworld_eqprop.learning.config import TrainingConfig

__all__ = ["matched"]

# What helps where the layers do not fit the data.
REMEDIES = {
    "input": "give one input node for every feature, or choose as many features",
    "output": "give one output node for every class or target",
}


def matched(graph: LayeredGraph, data: Dataset, config: TrainingConfig) -> Dataset:
    """The data as a network on this graph learns them.

    Outputs beyond the number of classes have targets of 0.

    Raises
    ------
    InputError
        If the layers do not fit the data or the rates, outputs cannot be reached from inputs, or
        the loss is not for such data.
    """
    if data.task == "classification" and graph.layer_sizes[-1] > data.n_classes:
        data = data.with_outputs(graph.layer_sizes[-1])
    clamped = config.model.clamped(np.zeros((1, data.x_train.shape[1]), np.float32))
    for name, size, needed in (
        ("input", graph.layer_sizes[0], clamped.shape[1]),
        ("output", graph.layer_sizes[-1], data.y_train.shape[1]),
    ):
        if size != needed:
            raise InputError(
                f"layer_sizes: {name} layer of {size} nodes, but {data.name} needs {needed}; "
                f"{REMEDIES[name]}"
            )
    if (lost := unreached_outputs(graph)).size:
        raise InputError(
            f"graph: {lost.size} of {graph.layer_sizes[-1]} outputs (the first is node "
            f"{lost[0]}) cannot be reached from the inputs; add edges or move fewer"
        )
    if config.loss.readout and data.task == "regression":
        raise InputError(
            f"loss: {type(config.loss).__name__} is for classes, but {data.name} is a "
            "regression; take SquaredError"
        )
    config.check_layers(graph.n_layers)
    return data
