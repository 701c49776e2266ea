"""Devices that hold weights, each against its closed form."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.hardware import Drift, Levels, ProgrammingError, Stuck

N = 20_000


def draw(n=0):
    return np.random.default_rng([1, n])


def weights(n=N, size=1.3):
    return draw(9).uniform(-size, size, n)


# --- levels ------------------------------------------------------------------------------------


@given(
    levels=st.integers(2, 300),
    low=st.floats(-2, 0.5),
    width=st.floats(0.1, 3),
    rounding=st.sampled_from(["nearest", "stochastic"]),
)
def test_a_weight_is_on_a_level_and_within_the_range(levels, low, width, rounding):
    device, held = Levels(levels, low, low + width, rounding=rounding), weights(500)
    grid = np.linspace(low, low + width, levels)
    for step in (None, draw(2).normal(0, 0.3, 500)):
        if step is None:
            held = device.program(held, {}, draw())
        else:
            held = held + device.write(held, step, {}, draw(1))
        assert np.abs(held[:, None] - grid).min(axis=1).max() < 1e-12


def test_the_nearest_level_is_taken():
    device = Levels(5)
    found = device.program(np.array([-3, -0.74, -0.76, 0.1, 0.26, 9]), {}, draw())
    assert found.tolist() == [-1, -0.5, -1, 0, 0.5, 1]


def test_measured_levels_are_taken_as_they_are(tmp_path):
    file = tmp_path / "levels.txt"
    file.write_text("0.3, -0.5\n0.31\t1e0 0.3\n")
    device = Levels(file=str(file))
    assert device == Levels(values=(-0.5, 0.3, 0.31, 1.0))
    assert (device.levels, device.low, device.high, device.file) == (4, -0.5, 1.0, None)
    found = device.program(np.array([-9, -0.11, -0.09, 0.304, 0.306, 0.6, 0.7]), {}, draw())
    assert found.tolist() == [-0.5, -0.5, 0.3, 0.3, 0.31, 0.31, 1]


def test_small_steps_are_lost_without_a_shadow_and_kept_with_one():
    held = np.zeros(3)
    for shadow in (False, True):
        device = Levels(3, shadow=shadow)
        memory, at = device.weight_memory(held, draw()), held.copy()
        assert device.memories == len(memory) == shadow
        for _ in range(30):
            at = at + device.write(at, np.full(3, 0.1), memory, draw())
        assert (at == shadow).all()
    # It stopped at the bound, so that it comes back at once.
    assert np.array_equal(memory["shadow"], np.ones(3))
    assert (at + device.write(at, np.full(3, -0.51), memory, draw()) == 0).all()


@pytest.mark.parametrize("device", [Levels(9, rounding="stochastic"), Levels(
    values=(-1, -0.3, 0.2, 0.5, 1), rounding="stochastic")])  # fmt: skip
def test_stochastic_levels_are_right_on_average(device):
    held = device.program(weights(size=0.2), {}, draw())
    step = np.full(N, 0.07)
    moved = device.write(held, step, {}, draw(3))
    gap = 0.5  # at most
    assert abs(moved.mean() - 0.07) < 4 * np.sqrt(0.07 * gap / N)
    assert (moved == 0).mean() > 0.5
    assert not device.write(held + 0.01, 0 * step, {}, draw(4)).any()


# --- errors of programming -----------------------------------------------------------------------


def test_the_error_of_programming_grows_as_its_polynomial_says():
    device = ProgrammingError(0.01, slope=0.2, curve=-0.1)
    for w in (0.0, -0.5, 1.0):
        sigma = 0.01 + 0.2 * abs(w) - 0.1 * w * w
        wanted = np.full(N, w)
        for error in (
            device.program(wanted, {}, draw()) - wanted,
            device.write(wanted - 0.3, np.full(N, 0.3), {}, draw()) - 0.3,
        ):
            assert abs(error.std() / sigma - 1) < 4 / np.sqrt(2 * N)
            assert abs(error.mean()) < 4 * sigma / np.sqrt(N)
    assert not ProgrammingError(0.01, slope=-1).program(np.ones(9), {}, draw()).std()


# --- drift -------------------------------------------------------------------------------------


def test_weights_fade_by_a_power_of_the_time_since_they_were_written():
    device, start = Drift(0.06, time=3), weights(8)
    memory, held = device.weight_memory(start, draw()), start
    written = np.zeros(8, bool)
    for batches in (1, 1, 10, 0.5):
        held = device.age(held, written, memory, batches)
    np.testing.assert_allclose(held, start * (1 + 12.5 / 3) ** -0.06, rtol=1e-12)
    # Four of them are written anew, and begin again.
    written[:4] = True
    held[:4] = start[:4]
    held = device.age(held, written, memory, 2)
    expected = start * (1 + np.r_[np.full(4, 2), np.full(4, 14.5)] / 3) ** -0.06
    np.testing.assert_allclose(held, expected, rtol=1e-12)


def test_exponents_are_spread():
    device, ones = Drift(0.05, spread=0.01, time=1), np.ones(N)
    memory = device.weight_memory(ones, draw())
    held = device.age(ones, ones < 0, memory, 99)
    exponents = -np.log(held) / np.log(100)
    assert abs(exponents.mean() - 0.05) < 4 * 0.01 / np.sqrt(N)
    assert abs(exponents.std() / 0.01 - 1) < 4 / np.sqrt(2 * N)


# --- stuck ones ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [0.0, -0.4, "programmed"])
def test_stuck_weights_never_move(at):
    device, start = Stuck(0.3, at), weights()
    memory = device.weight_memory(start, draw())
    stuck = memory["stuck"]
    assert abs(stuck.mean() - 0.3) < 4 * np.sqrt(0.3 * 0.7 / N)
    held = device.program(2 * start, memory, draw())  # twice: another device was there first
    assert np.array_equal(held[~stuck], 2 * start[~stuck])
    where = held[stuck].copy()
    assert np.array_equal(
        where, 2 * start[stuck] if at == "programmed" else np.full(stuck.sum(), at)
    )
    step = device.write(held, np.ones(N), memory, draw())
    assert np.array_equal(step, ~stuck)
    held = device.age((held + step) * 0.9, step != 0, memory, 1)
    assert np.array_equal(held[stuck], where)


@pytest.mark.parametrize(("share", "n"), [(0, 0), (1, N)])
def test_no_weight_is_stuck_or_all_are(share, n):
    assert Stuck(share).weight_memory(np.zeros(N), draw())["stuck"].sum() == n


# --- refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: Levels(1), "levels: 1, must be a whole number from 2 to 16777216"),
        (lambda: Levels(2.5), "levels: 2.5, must be a whole number"),
        (lambda: Levels(4, 1, -1), "low: 1, must be below high, which is -1"),
        (lambda: Levels(4, high=np.inf), "high: inf, must be at least -inf"),
        (lambda: Levels(values=(0.5, 0.5)), "levels: 1, must be at least 2 different numbers"),
        (lambda: Levels(values=(0.5, np.nan)), "values: nan"),
        (lambda: Levels(file="/no/such"), "/no/such: cannot be read"),
        (lambda: Levels(rounding="zero"), "rounding: 'zero', allowed: nearest, stochastic"),
        (lambda: Levels(rounding="stochastic", shadow=True), "must be 'nearest' with a shadow"),
        (lambda: ProgrammingError(-0.1), "noise: -0.1, must be at least 0"),
        (lambda: ProgrammingError("much"), "noise: 'much', must be at least 0"),
        (lambda: ProgrammingError(0.1, np.nan), "slope: nan"),
        (lambda: Drift(-0.1), "exponent: -0.1, must be at least 0"),
        (lambda: Drift(0.1, time=0), "time: 0, must be above 0"),
        (lambda: Drift(0.1, spread=-1), "spread: -1"),
        (lambda: Stuck(1.2), "share: 1.2, must be at least 0 and at most 1"),
        (lambda: Stuck(-0.1), "share: -0.1"),
        (lambda: Stuck(0.1, "here"), "at: 'here', allowed: programmed"),
        (lambda: Stuck(0.1, np.inf), "at: inf"),
    ],
)
def test_bad_values_are_one_line(make, problem):
    with pytest.raises(InputError) as caught:
        make()
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_holds_words_is_refused(tmp_path):
    (tmp_path / "words").write_text("0.1 high")
    with pytest.raises(InputError, match=r"words: not a file of numbers .*'high'"):
        Levels(file=str(tmp_path / "words"))
