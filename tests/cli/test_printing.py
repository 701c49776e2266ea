from __future__ import annotations

import json
import math

import pytest

from smallworld_eqprop.cli.printing import json_line, setting


def test_numbers_that_json_does_not_know_are_null():
    line = json_line({"a": math.nan, "b": [math.inf, -math.inf, 1.5], "c": {"d": (math.nan, "x")}})
    assert json.loads(line, parse_constant=float) == {
        "a": None,
        "b": [None, None, 1.5],
        "c": {"d": [None, "x"]},
    }
    assert "\n" not in line


def test_counts_are_integers_and_other_whole_numbers_stay_as_they_are():
    record = {"moved_edges": 82.0, "metrics": [{"dacs": 64.0, "fan_in_largest": 2.5, "p": 1.0}]}
    assert json_line(record) == (
        '{"moved_edges": 82, "metrics": [{"dacs": 64, "fan_in_largest": 2.5, "p": 1.0}]}'
    )


@pytest.mark.parametrize(
    ("value", "text"), [(True, "yes"), (False, "no"), (1, "1"), (0.0, "0.0"), (None, "none")]
)
def test_settings_are_words_for_people(value, text):
    assert setting(value) == text
