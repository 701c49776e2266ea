"""The IDX format of the MNIST files: a typed, big-endian header and one array."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from smallworld_eqprop.errors import InputError

__all__ = ["parse_idx"]

_UINT8 = 0x08


def parse_idx(content: bytes, *, name: str = "IDX data") -> NDArray[np.uint8]:
    """Read an array of unsigned bytes from the content of an IDX file.

    The header is ``00 00 type ndim`` followed by ndim big-endian 32-bit sizes; the elements
    follow in C order.

    Parameters
    ----------
    content
        The whole uncompressed file.
    name
        What to call the file in an error.

    Returns
    -------
    ndarray of uint8
        A read-only view of ``content``.

    Raises
    ------
    InputError
        If the header is not IDX, the elements are not unsigned bytes, or their number is not the
        one that the header announces.

    Examples
    --------
    >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
    array([7, 8, 9], dtype=uint8)
    """
    if len(content) < 4 or content[:2] != b"\0\0":
        raise InputError(
            f"{name} is not an IDX file: it starts with {content[:4].hex() or 'nothing'}"
        )
    if content[2] != _UINT8:
        raise InputError(f"{name} holds IDX type 0x{content[2]:02x}; only unsigned bytes (0x08)")
    offset = 4 + 4 * content[3]
    if len(content) < offset:
        raise InputError(f"{name} ends inside its IDX header ({len(content)} bytes of {offset})")
    shape = tuple(int(size) for size in np.frombuffer(content[4:offset], dtype=">u4"))
    expected = offset + math.prod(shape)
    if len(content) != expected:
        raise InputError(f"{name} has {len(content)} bytes; its IDX header says {expected}")
    return np.frombuffer(content, dtype=np.uint8, offset=offset).reshape(shape)
