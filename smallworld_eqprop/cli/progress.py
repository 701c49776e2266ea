"""Live progress of training on stderr: a bar in a terminal, occasional lines elsewhere."""

from __future__ import annotations

import math
import time
import warnings
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, ProgressColumn, TextColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from smallworld_eqprop.learning.history import EpochRecord
    from smallworld_eqprop.studies.runs import Progress

__all__ = ["Display", "Live", "epoch_line", "warnings_as_lines"]

#: Seconds over which the rate is averaged, and between two lines where there is no terminal.
WINDOW = 30.0
LINE_EVERY = 30.0


class Live:
    """A bar in a terminal, now and then a line elsewhere; a context manager around what is shown.

    Parameters
    ----------
    *columns : rich.progress.ProgressColumn
        Of the bar, with the fields that `move` is given.
    plain : bool
        Lines even in a terminal.
    console : Console, optional
        stderr by default.
    """

    def __init__(self, *columns: ProgressColumn, plain: bool, console: Console | None) -> None:
        self.console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        self._line_at = time.monotonic() + LINE_EVERY
        self._bar: Bar | None = None
        if self.console.is_terminal and not plain:
            self._bar = Bar(
                *columns,
                console=self.console,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar:
            self._bar.stop()

    @property
    def has_bar(self) -> bool:
        """Whether there is a bar to move, and not lines."""
        return self._bar is not None

    def say(self, text: str, style: str = "") -> None:
        """Print one line."""
        self.console.print(text, style=style, markup=False)

    def move(self, completed: float, total: float | None, **fields: Any) -> None:
        """Move the bar, if there is one."""
        if self._bar:
            if not self._bar.tasks:
                self._bar.add_task("", **fields)
            self._bar.update(self._bar.tasks[0].id, completed=completed, total=total, **fields)

    def line_is_due(self) -> bool:
        """Whether there is no bar, and the last line was some time ago."""
        due = not self._bar and time.monotonic() >= self._line_at
        if due:
            self._line_at = time.monotonic() + LINE_EVERY
        return due


@contextmanager
def warnings_as_lines(live: Live) -> Iterator[None]:
    """Show warnings as lines of their own, without the place in the code that they come from."""
    with warnings.catch_warnings():
        warnings.simplefilter("always", UserWarning)
        warnings.showwarning = lambda message, *_: live.say(f"note: {message}")
        yield


class Display(Live):
    """Shows the progress of training; a context manager around it.

    Parameters
    ----------
    plain : bool
        Lines instead of a bar even in a terminal.
    regression : bool
        Errors are costs, not shares of examples.
    measured : str
        Which error is measured after every epoch; empty where none is.
    console : Console, optional
        stderr by default.
    """

    def __init__(
        self,
        *,
        plain: bool = False,
        regression: bool = False,
        measured: str = "test",
        console: Console | None = None,
    ) -> None:
        columns = (
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(bar_width=10),
            TextColumn("{task.fields[state]}"),
        )
        super().__init__(*columns, plain=plain, console=console)
        self.regression, self.measured = regression, measured
        self.last: Progress | None = None
        self._sweeps = 0.0
        self._rates = Rate()

    def show(self, progress: Progress) -> None:
        """Take note of a batch; the callback of training."""
        batch = progress.batch
        first = self.last is None
        self.last = progress
        # A mean over about the last fifty batches.
        self._sweeps += (batch.sweeps - self._sweeps) * (1.0 if first else 0.02)
        self._rates.add(done(progress))
        if progress.finished is not None:
            self.say(epoch_line(progress.finished, progress.n_epochs, self.regression))
        epoch, done_now = f"{batch.epoch}/{progress.n_epochs}", batch.batch + 1
        if self.has_bar:
            self.move(done_now, progress.n_batches, epoch=epoch, state=self._state(progress))
        elif progress.finished is None and self.line_is_due():
            self.say(
                f"epoch {epoch}  batch {done_now}/{progress.n_batches}  {self._state(progress)}"
            )

    def _state(self, progress: Progress) -> str:
        ended = progress.batch.batch + 1 == progress.n_batches and progress.finished is None
        if ended and self.measured:
            return f"measuring the {self.measured} error"
        rate = self._rates.value
        left = progress.n_epochs * progress.n_batches - done(progress)
        parts = [
            f"{rate:.1f} batches/s",
            _error(progress.running_error, self.regression),
            f"{self._sweeps:.0f} sweeps",
            f"{duration(left / rate)} left" if rate else "",
        ]
        return "  ".join(parts)


class Rate:
    """Batches a second over the last half minute."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int]] = deque()

    def add(self, done: int) -> None:
        """Take note of the number of batches done by now."""
        now = time.monotonic()
        self._points.append((now, done))
        while len(self._points) > 2 and now - self._points[0][0] > WINDOW:
            self._points.popleft()

    @property
    def value(self) -> float:
        """Batches a second; 0 before there are two batches."""
        if len(self._points) < 2:
            return 0.0
        (begin, first), (end, last) = self._points[0], self._points[-1]
        return (last - first) / max(end - begin, 1e-9)


def done(progress: Progress) -> int:
    """Batches done over all epochs."""
    return (progress.batch.epoch - 1) * progress.n_batches + progress.batch.batch + 1


def duration(seconds: float) -> str:
    """Hours, minutes and seconds.

    Examples
    --------
    >>> duration(75), duration(3600)
    ('1:15', '1:00:00')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def epoch_line(record: EpochRecord, n_epochs: int, regression: bool = False) -> str:
    """One line on a finished epoch."""
    parts = [
        f"epoch {record.epoch}/{n_epochs}",
        *(
            f"{name} {_error(error, regression)}"
            for name, error in (
                ("training", record.training_error),
                ("validation", record.validation_error),
                ("test", record.test_error),
            )
            if not math.isnan(error)
        ),
        f"{record.mean_sweeps:.1f} sweeps",
    ]
    # It is undefined if a pair of layers was never corrected.
    if not math.isnan(record.log_spread):
        parts.append(f"log-spread {record.log_spread:.2f}")
    parts.append(f"{record.seconds:.1f} s")
    if record.unconverged:
        parts.append(
            f"{record.unconverged} free phases above the tolerance "
            f"(worst residual {record.worst_residual:.2g})"
        )
    return "  ".join(parts)


def _error(value: float, regression: bool) -> str:
    return f"cost {value:.4f}" if regression else f"error {100 * value:.2f} %"
