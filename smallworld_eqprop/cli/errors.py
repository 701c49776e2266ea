"""Errors as one line on stderr and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

import typer

from smallworld_eqprop.errors import InputError, shortened

__all__ = ["exit_status"]

#: Set to anything but 0 to see the traceback of an error.
DEBUG = "SMALLWORLD_EQPROP_DEBUG"

# Wrong options and missing arguments; its module differs between versions of typer.
UsageError: Any = typer.BadParameter.__base__


def exit_status(command: Callable[[], object]) -> int:
    """Run a command and turn the errors that users can act on into one line.

    Returns
    -------
    int
        What the command returned, if it is an int; 1 when a file cannot be read or written; 2 for
        bad input; 130 after Ctrl-C, which typer turns into that.
    """
    try:
        status = command()
        return status if isinstance(status, int) else 0
    except (UsageError, InputError, OSError) as error:
        if os.environ.get(DEBUG, "0") != "0":
            raise
        if isinstance(error, BrokenPipeError):
            # Whoever read our output has gone; nothing is left to say, not even on exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 1
        if type(error).__name__ == "NoArgsIsHelpError":
            error.show()  # type: ignore[union-attr]
            return 0
        typer.echo(f"error: {shortened(' '.join(_message(error).split()))}", err=True)
        return 1 if isinstance(error, OSError) else 2


def _message(error: Any) -> str:
    if isinstance(error, UsageError):
        return f"{error.format_message().rstrip('.')} (see smallworld-eqprop --help)"
    if not isinstance(error, OSError):
        return str(error)
    if error.filename is None:
        return f"{error.strerror or error}; check the disk and the permissions"
    return (
        f"{error.filename}: {error.strerror}; free some space, check the permissions or choose "
        "another place (--out, for a sweep --store). What was written before is kept."
    )
