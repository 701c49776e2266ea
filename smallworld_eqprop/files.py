"""Files: written so that a reader never sees half of one, and read with one-line errors."""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.memory import require_memory

__all__ = ["atomic_writer", "first_bytes", "read_file", "read_toml", "refuse_device", "require_own"]


@contextmanager
def atomic_writer(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a binary file that takes the place of `path` only when it is complete and on disk.

    Whatever interrupts the writing (an error, a full disk, a kill), `path` keeps its old content.
    A file that is replaced hands on its permissions; a link stays a link.

    Raises
    ------
    OSError
        If the folder cannot be written to, the disk is full, or `path` is write-protected or no
        file; nothing is left behind.

    Examples
    --------
    >>> with atomic_writer(tmp / "numbers.bin") as file:  # doctest: +SKIP
    ...     file.write(b"123")
    """
    # Of a link the file that it names: to replace the link would leave that file as it was.
    target = Path(path)
    if target.is_symlink():
        target = Path(os.path.realpath(path))
    mode = _replaceable(target)
    # Beside the target, so that the replacement is within one file system.
    handle, name = tempfile.mkstemp(prefix=f".{target.name}-", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            yield cast(BinaryIO, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(target)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            # A full disk is reported without a path, by numpy even without an error number.
            reason = error.strerror or f"not written completely ({error})"
            raise OSError(error.errno or errno.ENOSPC, reason, str(target)) from error
        raise


def _replaceable(path: Path) -> int:
    """Permissions for the file that is to be at a path, if it may take the place of what is there.

    To replace a file takes the permission to write to its folder only, and would succeed with a
    file that its owner protected, or with a device.
    """
    if not path.exists():
        # mkstemp makes private files; results are for everyone the umask allows.
        umask = os.umask(0)
        os.umask(umask)
        return 0o666 & ~umask
    if not path.is_file():
        number = errno.EISDIR if path.is_dir() else errno.EINVAL
        raise OSError(number, "not a file, so it is not replaced", str(path))
    mode = stat.S_IMODE(path.stat().st_mode)
    if not mode & 0o222:
        raise PermissionError(errno.EACCES, "write-protected", str(path))
    return mode


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
        f"{path}: exists already and is not {what}; name another place, or remove it yourself"
    )


def first_bytes(path: Path, n: int = 4096) -> bytes:
    """Give the beginning of a file."""
    with path.open("rb") as file:
        return file.read(n)


def read_file(path: Path) -> bytes:
    """Give the content of a file.

    Raises
    ------
    InputError
        If it is a device or a pipe, which may never end, or larger than the memory that is free.
    OSError
        If it cannot be read.
    """
    refuse_device(path)
    require_memory(path.stat().st_size, f"{path}: its bytes", "give a smaller file")
    return path.read_bytes()


def refuse_device(path: Path) -> None:
    """Refuse a device or a pipe where a file is expected: reading it may never end.

    Raises
    ------
    InputError
        If `path` is there and neither a file nor a folder, or if it has a NUL character, which no
        name of a file may have.
    """
    if "\0" in str(path):
        raise InputError(f"{str(path)!r}: a name of a file without NUL characters is needed")
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise InputError(f"{path}: not a file, but a device or a pipe; give a file")


def read_toml(path: Path) -> dict[str, Any]:
    """Tables of a TOML file.

    Raises
    ------
    InputError
        If it cannot be read or is no TOML file.
    """
    try:
        content = read_file(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    try:
        return tomllib.loads(content.decode("utf-8"))
    except ValueError as error:
        raise InputError(f"{path}: not a TOML file ({error})") from None
    except RecursionError:
        raise InputError(f"{path}: not a TOML file (brackets are nested too deeply)") from None
