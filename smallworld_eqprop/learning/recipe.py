"""Recipe: how a network learns."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.learning.losses import Loss
from smallworld_eqprop.learning.optimisers import Optimiser
from smallworld_eqprop.learning.rules import Rule

__all__ = ["Recipe", "replaced"]


@dataclass(frozen=True)
class Recipe:
    """How a network learns: everything that can be swapped but the model.

    Attributes
    ----------
    solver : Solver
        Relaxes the free phase.
    rule : Rule
    loss : Loss
    optimiser : Optimiser
    start : {"particles", "rest"}
        Where a free phase starts: where the example was left the last time (persistent
        particles), or at rest.
    """

    solver: Solver
    rule: Rule
    loss: Loss
    optimiser: Optimiser
    start: Literal["particles", "rest"] = "particles"

    def __post_init__(self) -> None:
        if self.start not in ("particles", "rest"):
            raise InputError(f"start: {self.start!r}, allowed: particles, rest")


KINDS: dict[str, type] = {"solver": Solver, "rule": Rule, "optimiser": Optimiser}


def replaced(recipe: Recipe, parts: Mapping[str, Any]) -> Recipe:
    """The recipe with other parts; those that are None stay.

    Raises
    ------
    InputError
        If a part has another name, or is not of its kind.
    """
    names = [field.name for field in dataclasses.fields(Recipe)]
    for name in parts:
        if name not in names:
            raise InputError(f"unknown part {name!r}; {nearest(name, names)}")
    for name, kind in KINDS.items():
        part = parts.get(name)
        if part is not None and not isinstance(part, kind):
            raise InputError(f"{name}: {part!r:.60}, must be a {kind.__name__}")
    return dataclasses.replace(recipe, **{k: v for k, v in parts.items() if v is not None})
