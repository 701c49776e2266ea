"""The errors that the package raises on purpose."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["InputError", "nearest"]

#: Characters of a message.
LONGEST = 2000


class InputError(ValueError):
    """A value given by the user is not usable.

    The message is one line that names the bad value and the allowed ones or the remedy; the
    command line prints it without a traceback. A message that is longer than a screen, because
    it names a value of any length, loses its middle.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message if len(message) <= LONGEST else _without_middle(message))


def _without_middle(message: str) -> str:
    half = LONGEST // 2
    return f"{message[:half]} [... {len(message) - 2 * half} characters ...] {message[-half:]}"


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
    # Whatever is longer is no misspelt name, and takes minutes to compare.
    match = difflib.get_close_matches(str(name)[:100], names, n=1)
    listed = ", ".join(names)
    return f"did you mean {match[0]}? (allowed: {listed})" if match else f"allowed: {listed}"
