"""Objects that do not fit into memory are refused by their size, before anything is allocated."""

from __future__ import annotations

import math
import zipfile
from typing import IO, cast

import numpy as np

from smallworld_eqprop.errors import InputError

__all__ = ["open_npz", "require_memory"]

#: Bytes that are granted without asking the system how much memory is free.
GRANTED = 2**26


def require_memory(n_bytes: int, what: str, remedy: str) -> None:
    """Refuse an object that needs more memory than is free.

    Parameters
    ----------
    n_bytes : int
        A lower bound of what is needed.
    what, remedy : str
        What needs it, in the plural, and what to do instead, for the message.

    Raises
    ------
    InputError
        If less is free.
    """
    if n_bytes <= GRANTED:
        return
    import psutil  # seldom needed, and not imported with the package

    free = psutil.virtual_memory().available
    if n_bytes > free:
        raise InputError(
            f"{what} need {n_bytes / 1e9:.4g} GB of memory, but {free / 1e9:.4g} GB are free; "
            f"{remedy}"
        )


def open_npz(file: IO[bytes]) -> np.lib.npyio.NpzFile:
    """Open an npz file; pickled objects in it are not read.

    Parameters
    ----------
    file : file
        In binary mode.

    Returns
    -------
    NpzFile

    Raises
    ------
    InputError
        If it is no npz file, the arrays need more memory than is free, or the header of one says
        another size than its archive.
    Exception
        Any that zipfile or numpy raise for a damaged file.
    """
    # Of an archive this reads the list of the members only.
    arrays = np.load(file, allow_pickle=False)
    if not isinstance(arrays, np.lib.npyio.NpzFile):
        raise InputError("a single array; save several with numpy.savez")
    archive = cast(zipfile.ZipFile, arrays.zip)  # None once it is closed
    members = archive.infolist()
    # Members are read as far as the archive says, so this is what they take at most.
    require_memory(sum(each.file_size for each in members), "its arrays", "give a smaller file")
    for each in members:
        _check_header(archive, each)
    return arrays


def _check_header(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Refuse an array for which numpy would allocate more than is in the archive."""
    if not member.filename.endswith(".npy"):
        return
    with archive.open(member) as stream:
        first = np.lib.format.read_magic(stream) == (1, 0)
        # Version 3 differs from 2 in the names of fields only.
        header = "read_array_header_1_0" if first else "read_array_header_2_0"
        shape, _, dtype = getattr(np.lib.format, header)(stream)
        there = member.file_size - stream.tell()
    said = math.prod(shape) * dtype.itemsize
    if said != there and not dtype.hasobject:
        raise InputError(
            f"{member.filename}: damaged: its header says {said} bytes, but there are {there}"
        )
