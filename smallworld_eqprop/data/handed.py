"""Data that were handed over as arrays, as a spec: known again, but not to be loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from smallworld_eqprop.data.base import Data
from smallworld_eqprop.data.dataset import Dataset
from smallworld_eqprop.errors import InputError

__all__ = ["Handed"]


@dataclass(frozen=True)
class Handed(Data):
    """Arrays that were given to an estimator; a run of it names them by their SHA-256.

    Attributes
    ----------
    sha256 : str
        SHA-256 of the arrays, from `Dataset.fingerprint`.
    learns : {"classification", "regression"}
        The task that was learned from them.
    """

    sha256: str
    learns: Literal["classification", "regression"] = "classification"

    @property
    def task(self) -> Literal["classification", "regression"]:
        """Classification or regression."""
        return self.learns

    def load(self) -> Dataset:
        """Refuse: the arrays are not kept.

        Raises
        ------
        InputError
            Always.
        """
        raise InputError(
            f"data: arrays with the SHA-256 {self.sha256[:16]}..., which are not stored; give them "
            "as data=, or continue with the estimator itself (warm_start, partial_fit)"
        )
