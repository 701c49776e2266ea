"""Provenance as other programs can hold it: JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.core.graph import LayeredGraph

__all__ = ["read_steps", "written_steps"]


def written_steps(g: LayeredGraph) -> str:
    """Provenance of a graph as JSON.

    Raises
    ------
    InputError
        If a step holds what JSON cannot.
    """
    return json.dumps(g.provenance, default=_as_plain_number)


def read_steps(provenance: object) -> list[dict[str, Any]]:
    """Provenance as our own export wrote it; an attribute that only has the name is ignored."""
    if isinstance(provenance, str):
        try:
            provenance = json.loads(provenance)
        except ValueError:
            return []
    if not isinstance(provenance, list):
        return []
    return [dict(step) for step in provenance if isinstance(step, Mapping)]


def _as_plain_number(value: Any) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    raise InputError(f"provenance: {value!r} cannot be written as JSON; use numbers and strings")
