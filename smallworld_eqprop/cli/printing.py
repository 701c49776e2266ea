"""Results as JSON, which knows no NaN and no infinity."""

from __future__ import annotations

import json
import math
from typing import Any

__all__ = ["json_line"]


def json_line(value: Any) -> str:
    """One line of JSON, with null in place of every number that is not finite."""
    return json.dumps(_finite(value), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
