from __future__ import annotations

import io

import pytest
from rich.console import Console

from smallworld_eqprop.cli.progress import Display, duration
from smallworld_eqprop.learning.history import BatchRecord, EpochRecord
from smallworld_eqprop.studies.runs import Progress


def at(epoch, batch, finished=None):
    return Progress(BatchRecord(epoch, batch, 5.0, 20.0, 0), 100, 3, 0.25, finished)


def record(**changes):
    values = {
        "epoch": 1,
        "training_error": 0.25,
        "test_error": 0.2,
        "training_cost": 0.3,
        "test_cost": 0.3,
        "mean_sweeps": 21.5,
        "unconverged": 0,
        "worst_residual": 1e-3,
        "log_spread": 0.7,
        "log_spread_interlayer": 0.7,
        "seconds": 12.0,
    }
    return EpochRecord(**(values | changes))


def shown(steps, clock, *, terminal=False, **options):
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal, width=200, color_system=None)
    with Display(console=console, **options) as display:
        for seconds, progress in steps:
            clock.now = seconds
            display.show(progress)
    return out.getvalue()


def test_without_a_terminal_there_is_a_line_now_and_then(clock):
    steps = [(0.5 * batch, at(1, batch)) for batch in range(99)]
    lines = shown(steps, clock).splitlines()
    assert len(lines) == 1
    # Two batches a second; 299 - 60 of three epochs of 100 are left.
    assert lines[0] == (
        "epoch 1/3  batch 61/100  2.0 batches/s  error 25.00 %  20 sweeps  2:00 left"
    )


def test_the_time_left_counts_all_epochs_and_a_resumed_start(clock):
    # From batch 90 of the second of three epochs, ten seconds each.
    steps = [(10.0 * (batch - 90), at(2, batch)) for batch in range(90, 94)]
    line = shown(steps, clock)
    assert line.startswith("epoch 2/3  batch 94/100  0.1 batches/s")
    assert line.endswith("17:40 left\n")


def test_a_terminal_shows_the_state_live(clock):
    out = shown([(0.0, at(2, 0)), (1.0, at(2, 10))], clock, terminal=True)
    assert "epoch 2/3" in out
    assert "10.0 batches/s  error 25.00 %  20 sweeps" in out


def test_the_end_of_an_epoch_says_what_it_is_busy_with(clock):
    assert "measuring the test error" in shown(
        [(0.0, at(1, 98)), (1.0, at(1, 99))], clock, terminal=True
    )


@pytest.mark.parametrize(
    ("measured", "shows"), [("validation", "measuring the validation error"), ("", "batches/s")]
)
def test_what_is_measured_goes_by_its_name(clock, measured, shows):
    steps = [(0.0, at(1, 98)), (1.0, at(1, 99))]
    out = shown(steps, clock, terminal=True, measured=measured)
    assert shows in out
    assert "test error" not in out


def test_only_what_was_measured_is_told(clock):
    nan = float("nan")
    line = shown([(0.0, at(1, 99, record(test_error=nan, validation_error=0.1)))], clock)
    assert "training error 25.00 %  validation error 10.00 %  21.5 sweeps" in line


def test_an_epoch_is_one_line(clock):
    line = shown([(0.0, at(1, 99, record()))], clock)
    assert line == (
        "epoch 1/3  training error 25.00 %  test error 20.00 %  21.5 sweeps  log-spread 0.70  "
        "12.0 s\n"
    )


def test_an_undefined_log_spread_is_left_out(clock):
    line = shown([(0.0, at(1, 99, record(log_spread=float("nan"))))], clock)
    assert line == "epoch 1/3  training error 25.00 %  test error 20.00 %  21.5 sweeps  12.0 s\n"


def test_trouble_is_reported_with_the_epoch(clock):
    out = shown([(0.0, at(1, 99, record(unconverged=4)))], clock)
    assert "4 free phases above the tolerance" in out


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (3599, "59:59"), (90061, "25:01:01")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text
