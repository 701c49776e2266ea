from __future__ import annotations

import copy
import re

import pytest

from smallworld_eqprop.errors import InputError, closest, nearest, shortened


@pytest.mark.parametrize("length", [1, 298])
def test_words_of_usual_length_stay(length):
    message = f"unknown key '{'k' * length}'"
    assert shortened(message) == message


@pytest.mark.parametrize("length", [299, 1000, 100_000])
def test_a_long_word_keeps_its_ends_and_says_how_much_is_left_out(length):
    message = f"unknown key 'a{'k' * (length - 2)}z'; allowed: p, seed"
    short = shortened(message)
    assert short.startswith("unknown key 'ak") and short.endswith("kz'; allowed: p, seed")
    left_out = int(re.search(r"\[\.\.\. (\d+) characters \.\.\.\]", short)[1])
    assert len(short) - len(f"[... {left_out} characters ...]") + left_out == len(message)
    assert len(short) <= 300 + len("unknown key ; allowed: p, seed")


@pytest.mark.parametrize("message", ["a b " * 50_000, "x" * 500 + " y" * 50_000])
def test_a_message_of_many_words_is_short_too(message):
    assert len(shortened(message)) <= 1000


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("feedbck", "feedback"),
        ("learning-rate", "learning_rate"),
        ("lr", "learning_rate"),
        ("l", None),
        ("", None),
        (None, None),
        ("x" * 100_000, None),
    ],
)
def test_a_name_is_found_that_is_similar_or_has_these_initials(name, found):
    names = ["beta", "feedback", "learning_rate", "low"]
    assert closest(name, names) == found
    assert nearest(name, names).startswith(f"did you mean {found}?" if found else "allowed: beta")


def test_an_error_that_is_made_again_says_the_same():
    error = InputError("k" * 100_000 + " a" * 100_000)
    assert str(copy.copy(error)) == str(error)
