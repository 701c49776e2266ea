"""What is kept of a fit beside the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy.typing as npt

from smallworld_eqprop.learning.config import TrainingConfig

__all__ = ["Kept"]


@dataclass(frozen=True)
class Kept:
    """What a fit leaves beside the network: enough to go on, and for the folder of a run.

    Attributes
    ----------
    config : TrainingConfig
        Of the last call.
    state : tuple
        As `Trainer.state` gives it.
    facts : dict
        Of the data, see `Dataset.facts`.
    pairs, kinds : list of str
        Of the layer pairs.
    """

    config: TrainingConfig
    state: tuple[dict[str, npt.NDArray], dict[str, Any]]
    facts: dict[str, Any]
    pairs: list[str]
    kinds: list[str]
