from __future__ import annotations

import json
import math

from smallworld_eqprop.cli.printing import json_line


def test_numbers_that_json_does_not_know_are_null():
    line = json_line({"a": math.nan, "b": [math.inf, -math.inf, 1.5], "c": {"d": (math.nan, "x")}})
    assert json.loads(line, parse_constant=float) == {
        "a": None,
        "b": [None, None, 1.5],
        "c": {"d": [None, "x"]},
    }
    assert "\n" not in line
