"""The errors that the package raises on purpose."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["InputError", "closest", "nearest", "shortened"]

#: Characters of a word that a message quotes, a path among them, and of a whole message.
LONGEST_WORD, LONGEST = 300, 1000


class InputError(ValueError):
    """A value given by the user is not usable.

    The message is one line that names the bad value and the allowed ones or the remedy; the
    command line prints it without a traceback. Values of any length are `shortened`.
    """

    def __init__(self, message: str) -> None:
        super().__init__(shortened(message))


def shortened(message: str) -> str:
    """Take the middle out of every word of more than 300 characters, and of a longer message.

    Parameters
    ----------
    message
        One line, which may quote a key, a value or a path of any length.

    Returns
    -------
    str
        The message, of at most 1,000 characters.

    Examples
    --------
    >>> text = shortened(f"unknown key '{'k' * 100_000}'; allowed: p, seed")
    >>> len(text), text[-22:]
    (325, "kkk'; allowed: p, seed")
    """
    words = (_without_middle(word, LONGEST_WORD) for word in message.split(" "))
    return _without_middle(" ".join(words), LONGEST)


def _without_middle(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    half = longest // 2 - 15  # so that the result, with the number between them, is not longer
    return f"{text[:half]}[... {len(text) - 2 * half} characters ...]{text[-half:]}"


def nearest(name: object, allowed: Iterable[str]) -> str:
    """Suggest the allowed names for a misspelt one, the closest match first.

    Parameters
    ----------
    name
        What the user wrote.
    allowed
        The names that would have been accepted.

    Returns
    -------
    str
        A clause to end an error message with.

    Examples
    --------
    >>> nearest("mnits", ["digits", "mnist"])
    'did you mean mnist? (allowed: digits, mnist)'
    """
    names = list(allowed)
    match, listed = closest(name, names), ", ".join(names)
    return f"did you mean {match}? (allowed: {listed})" if match else f"allowed: {listed}"


def closest(name: object, allowed: Iterable[str]) -> str | None:
    """The allowed name that a misspelt one resembles or abbreviates, if there is one.

    Parameters
    ----------
    name
        What the user wrote.
    allowed
        The names that would have been accepted.

    Returns
    -------
    str or None

    Examples
    --------
    >>> closest("feedbck", ["beta", "feedback"]), closest("lr", ["beta", "learning_rate"])
    ('feedback', 'learning_rate')
    """
    names = list(allowed)
    # Whatever is longer is no misspelt name, and takes minutes to compare.
    similar = difflib.get_close_matches(str(name)[:100], names, n=1)
    initials = [each for each in names if "_" in each and name == _initials(each)]
    return next(iter(similar + initials), None)


def _initials(name: str) -> str:
    return "".join(word[:1] for word in name.split("_"))
