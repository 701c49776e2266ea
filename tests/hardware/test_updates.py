"""Devices that take steps, each against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.hardware import Pulses, Resolution, SoftBounds, UpdateNoise

N = 20_000
NONE = np.zeros(N)


def draw(n=0):
    return np.random.default_rng([2, n])


# --- smallest steps ------------------------------------------------------------------------------


@given(
    bits=st.integers(1, 12),
    width=st.floats(0.2, 4),
    rounding=st.sampled_from(["nearest", "zero", "stochastic"]),
    seed=st.integers(0, 50),
)
def test_steps_are_multiples_of_the_smallest_one(bits, width, rounding, seed):
    smallest = width / 2**bits
    step = draw(seed).normal(0, 2 * smallest, 300)
    device = Resolution(bits, -width / 2, width / 2, rounding)
    found = device.write(np.zeros(300), step, {}, draw(seed)) / smallest
    assert np.abs(found - np.rint(found)).max() < 1e-9
    off = np.abs(found - step / smallest)
    assert off.max() <= (0.5 if rounding == "nearest" else 1) + 1e-9
    if rounding == "zero":
        assert (np.abs(found) <= np.abs(step) / smallest + 1e-9).all()


def test_stochastic_rounding_is_unbiased_where_the_nearest_loses_everything():
    step, smallest = np.full(N, 0.1 / 64), 2 / 64
    lost = Resolution(6).write(NONE, step, {}, draw())
    kept = Resolution(6, rounding="stochastic").write(NONE, step, {}, draw())
    assert not lost.any()
    share = step[0] / smallest
    assert abs(kept.mean() - step[0]) < 4 * smallest * np.sqrt(share * (1 - share) / N)
    assert set(np.unique(kept)) == {0, smallest}


# --- pulses ------------------------------------------------------------------------------------


def test_no_more_pulses_than_the_limit():
    device = Pulses(0.01, limit=3, rounding="nearest")
    step = np.array([0.004, 0.016, 0.029, 0.5, -0.021, -9])
    found = device.write(np.zeros(6), step, {}, draw())
    np.testing.assert_allclose(found, [0, 0.02, 0.03, 0.03, -0.02, -0.03])


@pytest.mark.parametrize("n", [1, 4, 100])
def test_the_noise_of_pulses_grows_with_the_root_of_their_number(n):
    device = Pulses(0.01, rounding="nearest", noise=0.3)
    found = device.write(NONE, np.full(N, 0.01 * n), {}, draw(n))
    assert abs(found.std() / (0.01 * 0.3 * np.sqrt(n)) - 1) < 4 / np.sqrt(2 * N)
    assert abs(found.mean() - 0.01 * n) < 4 * 0.003 * np.sqrt(n / N)
    assert not device.write(NONE, NONE, {}, draw()).any()


def test_sizes_of_pulses_are_spread_once_and_never_negative():
    device = Pulses(0.01, rounding="nearest", spread=0.4)
    memory = device.weight_memory(NONE, draw())
    first, second = (device.write(NONE, np.full(N, 0.01), memory, draw(n)) for n in (1, 2))
    assert np.array_equal(first, second)
    assert first.min() >= 0
    assert abs(first.std() / 0.004 - 1) < 0.05
    np.testing.assert_allclose(device.write(NONE, np.full(N, -0.02), memory, draw(3)), -2 * first)


# --- bounds ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "device",
    [
        SoftBounds(),
        SoftBounds(-0.7, 1.2, up=1.3, down=0.9),
        SoftBounds(-1, 0.8, up=0.8, down=1.1, up_slope=0.3, down_slope=0.9),
    ],
)
def test_steps_up_and_down_end_at_the_fixed_point_of_theory(device):
    d = device
    expected = (d.up - d.down) / (d.up * d.up_slope / d.high - d.down * d.down_slope / d.low)
    held = draw().uniform(d.low, d.high, 50)
    for _ in range(3000):
        for sign in (1, -1):
            held = held + d.write(held, np.full(50, sign * 0.003), {}, draw())
    np.testing.assert_allclose(held, expected, atol=0.004)
    assert d.low < expected < d.high


def test_steps_become_smaller_toward_a_bound_and_never_pass_it():
    device = SoftBounds(-0.5, 1.0, up=2)
    held = np.array([-0.5, 0.0, 0.5, 1.0])
    np.testing.assert_allclose(
        device.write(held, np.full(4, 0.1), {}, draw()), [0.3, 0.2, 0.1, 0], atol=1e-15
    )
    np.testing.assert_allclose(
        device.write(held, np.full(4, -0.1), {}, draw()), [0, -0.1, -0.2, -0.3], atol=1e-15
    )
    assert (held + device.write(held, np.full(4, 99.0), {}, draw()) <= 1).all()
    assert device.program(np.array([-3.0, 0.2, 3]), {}, draw()).tolist() == [-0.5, 0.2, 1]


def test_without_slopes_a_step_is_the_same_up_to_the_bound():
    device = SoftBounds(-0.5, 1.0, up_slope=0, down_slope=0)
    held = np.array([-0.5, 0.0, 0.95])
    np.testing.assert_allclose(device.write(held, np.full(3, 0.1), {}, draw()), [0.1, 0.1, 0.05])


# --- noise -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0.02, -0.5])
def test_noise_of_a_step(size):
    found = UpdateNoise(0.01, relative=0.2).write(NONE, np.full(N, size), {}, draw())
    sigma = 0.01 + 0.2 * abs(size)
    assert abs(found.mean() - size) < 4 * sigma / np.sqrt(N)
    assert abs(found.std() / sigma - 1) < 4 / np.sqrt(2 * N)
    assert not UpdateNoise(0.01).write(NONE, NONE, {}, draw()).any()


# --- refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Resolution(-1), "bits: -1, must be at least 0"),
        (lambda: Resolution(1e30), "bits: 1e+30, must be at least 0 and at most 64"),
        (lambda: Resolution(8, 0, 0), "low: 0, must be below high"),
        (
            lambda: Resolution(8, rounding="up"),
            "rounding: 'up', allowed: nearest, zero, stochastic",
        ),
        (lambda: Pulses(0), "size: 0, must be above 0"),
        (lambda: Pulses(0.1, limit=0), "limit: 0, must be a whole number from 1 to"),
        (lambda: Pulses(0.1, noise=-1), "noise: -1"),
        (lambda: Pulses(0.1, spread=-1), "spread: -1"),
        (lambda: SoftBounds(0.1, 1), "low, high: 0.1 and 1, must be below and above 0"),
        (lambda: SoftBounds(up=0), "up: 0, must be above 0"),
        (lambda: SoftBounds(down_slope=1.1), "down_slope: 1.1, must be at least 0 and at most 1"),
        (lambda: UpdateNoise(-0.1), "noise: -0.1"),
        (lambda: UpdateNoise(relative=True), "relative: True, must be at least 0"),
    ],
)
def test_bad_values_are_one_line(make, problem):
    with pytest.raises(InputError) as caught:
        make()
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)
