"""What is said in a line before training: how data and network of a run were made to fit."""

from __future__ import annotations

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.trainer import Trainer
from smallworld_eqprop.studies.config import RunConfig

__all__ = ["notes", "require_outputs"]


def notes(trainer: Trainer) -> list[str]:
    """Lines on columns that were left out, and on outputs that stand for no class.

    Parameters
    ----------
    trainer : Trainer

    Returns
    -------
    list of str
        Empty where every column is a feature and every output a class or target.
    """
    data, found = trainer.data, []
    if data.columns is not None and data.columns.constant:
        names = ", ".join(map(repr, data.columns.constant))
        found.append(f"{data.name}: left out of the features, the same in every row: {names}")
    if data.spare:
        outputs = data.n_classes + data.spare
        found.append(
            f"graph: {outputs} outputs for {data.n_classes} classes; the targets of the last "
            f"{data.spare} are 0"
        )
    return found


def require_outputs(config: RunConfig, trainer: Trainer) -> None:
    """Refuse more outputs than classes where layers are given by their sizes.

    A graph of somebody's own has the outputs it has, but a number in a run file can be changed.

    Raises
    ------
    InputError
        Naming both numbers.
    """
    sizes = getattr(config.topology, "layer_sizes", None)
    if sizes is not None and trainer.data.spare:
        raise InputError(
            f"layer_sizes: output layer of {sizes[-1]} nodes, but {trainer.data.name} needs "
            f"{trainer.data.n_classes}; give one output node for every class or target"
        )
