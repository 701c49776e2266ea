"""Devices that report states, each against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.hardware import Converters, Readout

SHAPE = (100, 200)


def draw(n=0):
    return np.random.default_rng([4, n])


@given(bits=st.integers(1, 12), low=st.floats(-1, 0), width=st.floats(0.5, 3))
def test_a_reading_is_the_nearest_of_the_converters_levels(bits, low, width):
    state = draw().uniform(-1.5, 2.5, (3, 40))
    found = Readout(bits, low=low, high=low + width).read(state, 0, {}, draw())
    levels = np.linspace(low, low + width, 2**bits)
    expected = levels[np.abs(state[..., None] - levels).argmin(axis=-1)]
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("repeats", [1, 4, 25])
def test_noise_averages_as_the_root_of_the_readings(repeats):
    state = np.full(SHAPE, 0.5)
    found = Readout(noise=0.1, repeats=repeats).read(state, 0, {}, draw(repeats))
    expected, n = 0.1 / np.sqrt(repeats), state.size
    assert abs(found.std() / expected - 1) < 4 / np.sqrt(2 * n)
    assert abs(found.mean() - 0.5) < 4 * expected / np.sqrt(n)


def test_noise_before_the_converter_lets_the_mean_of_readings_be_finer_than_a_bit():
    state = np.full(SHAPE, 0.3)  # of 3 levels the nearest is 0.5
    step = 1 / 3
    device = Readout(2, noise=step / 2, repeats=16, low=-5 * step, high=-5 * step + 1)
    wide = Readout(4, noise=step / 2, repeats=16, low=-5 * step, high=10 * step)
    found = wide.read(state, 0, {}, draw())
    assert abs(found.mean() - 0.3) < 0.01
    # Noise of the reading, and of what is rounded.
    expected = np.sqrt((step**2 / 4 + step**2 / 12) / 16)
    assert abs(found.std() / expected - 1) < 0.03
    assert (device.read(state, 0, {}, draw()) <= -2 * step + 1e-12).all()  # out of its range


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_readings_have_the_precision_of_the_states(dtype):
    state = draw().random((3, 5)).astype(dtype)
    for device in (Readout(3), Readout(3, noise=0.1, repeats=3), Readout(noise=0.1)):
        assert device.read(state, 0, {}, draw()).dtype == dtype


@pytest.mark.parametrize("shared", [True, False])
def test_what_one_converter_adds_falls_out_of_a_difference(shared):
    device = Converters(offsets=0.1, gains=0.05, shared=shared)
    memory = device.node_memory(4000, draw())
    state = draw(1).random((2, 4000))
    read = [device.read(state, phase, memory, draw()) for phase in range(4)]
    np.testing.assert_allclose(read[0], memory["gain"][0] * state + memory["offset"][0])
    np.testing.assert_array_equal(read[2], read[3])
    for phase in (1, 2):
        off = read[phase] - read[0]
        if shared:
            assert not off.any()
        else:
            # Two offsets and two gains, at states of which the mean square is 1/3.
            expected = np.sqrt(2 * (0.1**2 + 0.05**2 / 3))
            assert abs(off.std() / expected - 1) < 0.05
    gains = (device.read(1 + 0 * state, 0, memory, draw()) - device.read(0 * state, 0, memory,
             draw()))[0]  # fmt: skip
    assert abs(gains.std() / 0.05 - 1) < 4 / np.sqrt(2 * 4000)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Readout(), "bits: none, and noise: 0; give one of them"),
        (lambda: Readout(0), "bits: 0, must be a whole number from 1 to 64"),
        (lambda: Readout(4.0), "bits: 4.0, must be a whole number"),
        (lambda: Readout(noise=-0.1), "noise: -0.1, must be at least 0"),
        (lambda: Readout(4, repeats=0), "repeats: 0, must be a whole number from 1 to 1000000"),
        (lambda: Readout(4, low=1), "low: 1, must be below high"),
        (lambda: Converters(-1), "offsets: -1"),
        (lambda: Converters(gains=-1), "gains: -1"),
    ],
)
def test_bad_values_are_one_line(make, problem):
    with pytest.raises(InputError) as caught:
        make()
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
