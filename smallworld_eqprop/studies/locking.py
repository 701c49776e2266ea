"""One writer at a time in a run folder."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from smallworld_eqprop.errors import InputError

__all__ = ["LOCK", "one_writer"]

LOCK = "run.lock"

# Empty between being made and being signed.
_SIGNED = re.compile(r"(\d+\n\S+\n|\Z)")

#: Seconds for another process that is just giving the lock back.
PATIENCE = 0.2


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Keep every other process, on this machine or on another, from writing to a run folder.

    The lock is one of the operating system (`flock`), which gives it back when the process ends,
    however it ends. On a disk without such locks, filelock warns and takes a file as the lock.

    Parameters
    ----------
    folder : Path
        Made if it is not there, with those above it; removed again if nothing is written to it.

    Raises
    ------
    InputError
        If somebody else writes to the folder (the message names process, machine and time of the
        start), or it holds a file of another program under the name of the lock.
    OSError
        If the folder cannot be made or written to.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK
    if path.exists() and _SIGNED.match(_text(path)) is None:
        raise InputError(f"{path}: not the lock of a run; move it away, or name another folder")
    lock = FileLock(path, timeout=PATIENCE)
    try:
        lock.acquire()
    except Timeout:
        raise InputError(
            f"{folder}: is written to by {_holder(path)}; wait until it has ended, or name another "
            "folder"
        ) from None
    try:
        _sign(path)
        yield
    finally:
        # Before the release: a process that waits for the removed file tries again with a new one.
        with suppress(OSError):  # a sweep may have given the folder to another worker
            path.unlink()
        lock.release()
        with suppress(OSError):  # not empty
            for each in made:
                each.rmdir()


def _sign(path: Path) -> None:
    """Note who holds a lock, in the lines that filelock writes where a file is the lock."""
    signature = f"{os.getpid()}\n{platform.node()}\n"
    if not _text(path).startswith(signature):
        path.write_text(signature, encoding="utf-8")
    os.utime(path)  # after a kill the same process number may come again


def _holder(path: Path) -> str:
    try:
        process, host = _text(path).splitlines()[:2]
        since = datetime.fromtimestamp(path.stat().st_mtime)
    except (OSError, ValueError):  # just made, or removed meanwhile
        return "another process"
    return f"process {process} on {host} since {since:%Y-%m-%d %H:%M:%S}"


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
