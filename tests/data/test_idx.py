from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from smallworld_eqprop.data.idx import parse_idx
from smallworld_eqprop.errors import InputError


def idx_bytes(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return header + array.astype(np.uint8).tobytes()


arrays = hnp.arrays(np.uint8, hnp.array_shapes(min_dims=1, max_dims=3, max_side=5))


@given(arrays)
def test_round_trip(array):
    parsed = parse_idx(idx_bytes(array))
    assert parsed.dtype == np.uint8
    assert not parsed.flags.writeable
    np.testing.assert_array_equal(parsed, array)


@given(arrays, st.data())
def test_every_truncation_is_an_error(array, data):
    content = idx_bytes(array)
    kept = data.draw(st.integers(0, len(content) - 1))
    with pytest.raises(InputError, match="some-file"):
        parse_idx(content[:kept], name="some-file")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with nothing"),
        (b"\x1f\x8b\x08\x08rest", "starts with 1f8b0808"),
        (b"\0\0\x0d\x01\0\0\0\x01\0\0\0\0", "IDX type 0x0d"),
        (idx_bytes(np.zeros(3)) + b"\0", "12 bytes; its IDX header says 11"),
    ],
)
def test_bad_content_is_named(content, message):
    with pytest.raises(InputError, match=message):
        parse_idx(content)
