"""The errors that the package raises on purpose."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["InputError", "nearest"]


class InputError(ValueError):
    """A value given by the user is not usable.

    The message is one line that names the bad value and the allowed ones or the remedy; the
    command line prints it without a traceback.
    """


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
    match = difflib.get_close_matches(str(name), names, n=1)
    listed = ", ".join(names)
    return f"did you mean {match[0]}? (allowed: {listed})" if match else f"allowed: {listed}"
