"""Live progress of a sweep on stderr: a bar in a terminal, lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, TextColumn

from smallworld_eqprop.cli.printing import setting
from smallworld_eqprop.cli.progress import Live, duration, epoch_line

if TYPE_CHECKING:
    from smallworld_eqprop.studies.config import RunConfig
    from smallworld_eqprop.studies.results import Done, Failed
    from smallworld_eqprop.studies.store_claims import Claim
    from smallworld_eqprop.studies.study import Study
    from smallworld_eqprop.studies.sweeping import SweepProgress

__all__ = ["StudyDisplay", "label"]


class StudyDisplay(Live):
    """Shows the progress of a sweep; a context manager around it.

    Parameters
    ----------
    study : Study
    plain : bool
        Lines instead of a bar even in a terminal.
    console : Console, optional
        stderr by default.
    """

    def __init__(
        self, study: Study, *, plain: bool = False, console: Console | None = None
    ) -> None:
        columns = BarColumn(bar_width=20), TextColumn("{task.fields[state]}")
        super().__init__(*columns, plain=plain, console=console)
        self._names = study.varying
        self._begin: tuple[float, float] | None = None

    def show(self, progress: SweepProgress) -> None:
        """Take note of the progress; the callback of the sweep."""
        work = worked(progress)
        if self._begin is None:
            self._begin = time.monotonic(), work
        if progress.finished is not None:
            done = f"[{progress.done + progress.failed}/{progress.total}]"
            self.say(f"{done} {finished_line(*progress.finished, self._names)}")
        if self.has_bar:
            self.move(work, progress.total, state=self._state(progress))
        elif self.line_is_due():
            self.say(self._state(progress))

    def _state(self, progress: SweepProgress) -> str:
        assert self._begin is not None
        begin, at_begin = self._begin
        work = worked(progress)
        rate = (work - at_begin) / max(time.monotonic() - begin, 1e-9)
        parts = [f"{progress.done}/{progress.total} done"]
        for count, what in (
            (len(progress.running), "running"),
            (progress.elsewhere, "elsewhere"),
            (progress.failed, "failed"),
        ):
            if count:
                parts.append(f"{count} {what}")
        if rate > 0:
            left = progress.total - progress.elsewhere - work
            parts.append(f"{duration(left / rate)} left")
        return "  ".join(parts)


def worked(progress: SweepProgress) -> float:
    """Runs done or failed, with those under way by their shares."""
    return progress.done + progress.failed + sum(progress.running.values())


def finished_line(claim: Claim, result: Done | Failed, names: tuple[str, ...]) -> str:
    """One line on a finished run."""
    from smallworld_eqprop.learning.history import EpochRecord
    from smallworld_eqprop.studies.results import Failed

    name = label(claim.config, names)
    if isinstance(result, Failed):
        return f"{name}  failed: {result.error}"
    last = EpochRecord(**result.history[-1])
    return f"{name}  {epoch_line(last, claim.epochs, claim.config.regression)}"


def label(config: RunConfig, names: tuple[str, ...]) -> str:
    """Name a run by what tells it from the others.

    Examples
    --------
    >>> from smallworld_eqprop import RunConfig
    >>> label(RunConfig.preset("layered-5x100", p=0.1), ("family", "p", "intralayer"))
    'family=rewire p=0.1 intralayer=no'
    """
    values = config.flat()
    told = (f"{name}={setting(values[name])}" for name in names if name in values)
    return " ".join(told) or config.name
