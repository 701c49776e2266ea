"""Transforms do what they say to every row, and no more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from smallworld_eqprop.data.transforms import TRANSFORM, Chain, Dropout, Shift, Transform
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.specs import read_spec, write_spec
from smallworld_eqprop.testing import check_transform


def images(batch, height, width, seed=0):
    """Rows in which no pixel is 0."""
    drawn = np.random.default_rng(seed).uniform(0.1, 1, (batch, height * width))
    return drawn.astype(np.float32)


def apply(transform, inputs, seed=0):
    return transform.apply(inputs, np.random.default_rng(seed))


@pytest.mark.parametrize(
    "transform",
    [Dropout(0.3), Shift(2), Shift(1, (2, 8)), Chain((Shift(1), Dropout(0.2)))],
    ids=repr,
)
def test_transforms_keep_their_contract(transform):
    check_transform(transform)


@pytest.mark.parametrize("rate", [0.0, 0.15, 0.9])
def test_dropout_sets_a_share_to_0_and_leaves_the_others(rate):
    inputs = images(400, 5, 5)
    found = apply(Dropout(rate), inputs)
    gone = found == 0
    n = inputs.size
    assert abs(gone.mean() - rate) <= 4 * math.sqrt(rate * (1 - rate) / n)
    assert np.array_equal(found[~gone], inputs[~gone])
    # Independent by place: neither whole rows nor whole columns.
    if rate:
        assert gone.mean(axis=0).min() > 0
        assert gone.mean(axis=0).max() < 1


@given(
    height=st.integers(2, 6),
    width=st.integers(2, 6),
    pixels=st.integers(0, 5),
    seed=st.integers(0, 100),
)
def test_every_image_is_moved_by_whole_pixels(height, width, pixels, seed):
    pixels = min(pixels, height - 1, width - 1)
    inputs = images(7, height, width)
    found = apply(Shift(pixels, (height, width)), inputs, seed).reshape(7, height, width)
    far = range(-pixels, pixels + 1)
    for image, moved in zip(inputs.reshape(7, height, width), found, strict=True):
        shifted = [ndimage.shift(image, (y, x), order=0, cval=0.0) for y in far for x in far]
        assert sum(np.array_equal(moved, each) for each in shifted) == 1


def test_every_shift_is_drawn_and_images_are_moved_independently():
    """A single pixel in the middle shows where its image went."""
    inputs = np.zeros((2000, 25), np.float32)
    inputs[:, 12] = 1
    places = apply(Shift(2), inputs).argmax(axis=1)
    counts = np.bincount(places, minlength=25)
    assert abs(counts - 80).max() < 5 * math.sqrt(80)
    # Down and right are drawn apart.
    down, right = np.divmod(places, 5)
    assert abs(np.corrcoef(down, right)[0, 1]) < 0.1


def test_a_chain_goes_from_left_to_right():
    @dataclass(frozen=True)
    class Times(Transform):
        factor: float

        def apply(self, inputs, generator):
            return self.factor * inputs

    @dataclass(frozen=True)
    class Plus(Transform):
        term: float

        def apply(self, inputs, generator):
            return inputs + self.term

    assert apply(Chain((Times(2.0), Plus(1.0))), np.ones((1, 1))) == 3
    assert apply(Chain((Plus(1.0), Times(2.0))), np.ones((1, 1))) == 4
    assert np.array_equal(apply(Chain(), images(2, 2, 2)), images(2, 2, 2))


def test_a_list_is_a_chain_and_a_list_of_one_is_that_one():
    tables = [{"kind": "shift", "pixels": 2}, {"kind": "dropout", "rate": 0.15}]
    both = read_spec(TRANSFORM, tables, [TRANSFORM])
    assert both == Chain((Shift(2), Dropout(0.15)))
    written = write_spec(TRANSFORM, both, [TRANSFORM])
    assert written == {"kind": "chain", "transforms": tables}
    assert read_spec(TRANSFORM, written, [TRANSFORM]) == both
    assert read_spec(TRANSFORM, tables[:1], [TRANSFORM]) == Shift(2)
    assert read_spec(TRANSFORM, [], [TRANSFORM]) == Chain()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Dropout(1.0), "rate: 1.0, must be at least 0 and below 1"),
        (lambda: Dropout(-0.1), "rate: -0.1"),
        (lambda: Dropout(math.nan), "rate: nan"),
        (lambda: Shift(-1), "pixels: -1, must be a whole number"),
        (lambda: Shift(1.5), "pixels: 1.5, must be a whole number"),
        (lambda: Shift(1, (4,)), r"shape: \[4\], must be height and width"),
        (lambda: Shift(1, (4, 0)), r"shape: \[4, 0\], must be height and width"),
        (lambda: Shift(3, (5, 3)), "pixels: 3, must be below height and width .*, 5 x 3"),
        (lambda: apply(Shift(1, (3, 4)), images(1, 3, 3)), "3 x 4 is 12 pixels, .* 9 features"),
        (lambda: apply(Shift(1), images(1, 2, 4)), "8 features are not a square image"),
        (lambda: apply(Shift(3), images(1, 3, 3)), "pixels: 3, must be below .*, 3 x 3"),
        (lambda: Chain((0.1,)), "transform: 0.1, must be a Transform"),
        (
            lambda: read_spec(TRANSFORM, [{"kind": "shfit"}], []),
            r"transform\[0\]: unknown kind .*shift",
        ),
    ],
)
def test_bad_values_are_one_line(call, message):
    with pytest.raises(InputError, match=message) as caught:
        call()
    assert "\n" not in str(caught.value)
