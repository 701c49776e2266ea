"""Files: written so that a reader never sees half of one, and read with one-line errors."""

from __future__ import annotations

import errno
import os
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from smallworld_eqprop.errors import InputError

__all__ = ["atomic_writer", "first_bytes", "read_toml", "require_own"]


@contextmanager
def atomic_writer(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a binary file that takes the place of `path` only when it is complete and on disk.

    Whatever interrupts the writing (an error, a full disk, a kill), `path` keeps its old content.

    Raises
    ------
    OSError
        If the folder cannot be written to or the disk is full; nothing is left behind.

    Examples
    --------
    >>> with atomic_writer(tmp / "numbers.bin") as file:  # doctest: +SKIP
    ...     file.write(b"123")
    """
    target = Path(path)
    # Beside the target, so that the replacement is within one file system.
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; results are for everyone the umask allows.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
        Path(name).replace(target)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            # A full disk is reported without a path, by numpy even without an error number.
            reason = error.strerror or f"not written completely ({error})"
            raise OSError(error.errno or errno.ENOSPC, reason, str(target)) from error
        raise


def require_own(path: Path, what: str, written_by_us: Callable[[Path], bool]) -> None:
    """Refuse to write over a file that this package did not write.

    Parameters
    ----------
    path : Path
        A file to be written.
    what : str
        What it would hold, for the message.
    written_by_us : callable
        Says of a file that is there whether it holds such a thing.

    Raises
    ------
    InputError
        If `path` is there, is not empty and holds anything else.
    """
    if not os.path.lexists(path):
        return
    if path.is_file() and (path.stat().st_size == 0 or written_by_us(path)):
        return
    raise InputError(
        f"{path}: is there already and is not {what}; name another place, or remove it yourself"
    )


def first_bytes(path: Path, n: int = 4096) -> bytes:
    """Give the beginning of a file."""
    with path.open("rb") as file:
        return file.read(n)


def read_toml(path: Path) -> dict[str, Any]:
    """Tables of a TOML file.

    Raises
    ------
    InputError
        If it cannot be read or is no TOML file.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path}: not a file; give a TOML file")  # a pipe may never end
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except ValueError as error:
        raise InputError(f"{path}: not a TOML file ({error})") from None
