"""Lengths of the schedules that an optimiser holds, whatever the optimiser."""

from __future__ import annotations

import dataclasses
from typing import Any

from smallworld_eqprop.learning.optimisers import Optimiser
from smallworld_eqprop.learning.schedules import Schedule

__all__ = ["in_steps", "schedule_lengths"]


def in_steps(part: Any, n_batches: int) -> Any:
    """An optimiser whose schedules have their lengths in steps, an epoch being so many batches."""
    changes = {
        name: value.in_steps(n_batches)
        if isinstance(value, Schedule)
        else in_steps(value, n_batches)
        for name, value in _inner(part)
    }
    return dataclasses.replace(part, **changes) if changes else part


def schedule_lengths(part: Any, n_batches: int) -> list[int]:
    """Steps after which the schedules of an optimiser end, of those that do."""
    lengths = []
    for _, value in _inner(part):
        if isinstance(value, Schedule):
            lengths.append(value.in_steps(n_batches).length)
        else:
            lengths += schedule_lengths(value, n_batches)
    return [length for length in lengths if length is not None]


def _inner(part: Any) -> list[tuple[str, Any]]:
    """The schedules and optimisers that an optimiser holds, by name."""
    names = (
        [field.name for field in dataclasses.fields(part)] if dataclasses.is_dataclass(part) else []
    )
    found = [(name, getattr(part, name)) for name in names]
    return [(name, value) for name, value in found if isinstance(value, Schedule | Optimiser)]
