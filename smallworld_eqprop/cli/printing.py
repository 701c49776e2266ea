"""Values for people and for programs: JSON has no NaN and no infinity, and counts have no point."""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["json_line", "setting"]

#: What is counted, and held as a float beside measures that may be undefined.
COUNTS = {
    *("n_nodes", "n_edges", "n_components", "edge_disjoint_paths"),
    *("degree_smallest", "degree_largest", "fan_in_largest", "fan_out_largest"),
    *("crossbar_tiles", "dacs", "adcs", "weight_memories", "moved_edges"),
}


def json_line(value: Any) -> str:
    """One line of JSON: counts are integers, and a number that is not finite is null.

    Examples
    --------
    >>> json_line({"n_nodes": 94.0, "density": 1.0, "z_score": float("nan")})
    '{"n_nodes": 94, "density": 1.0, "z_score": null}'
    """
    return json.dumps(_known(value), allow_nan=False)


def _known(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _known(item, key) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_known(item) for item in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return int(value) if name in COUNTS and value.is_integer() else value


def setting(value: Any) -> str:
    """Write the value of a setting for people.

    Examples
    --------
    >>> setting(True), setting(None), setting(0.1), setting([784, 10])
    ('yes', 'none', '0.1', '[784, 10]')
    """
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
