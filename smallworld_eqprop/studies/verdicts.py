"""What became of a run that a worker has ended: done, failed, or to be done again."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.executors import LOST
from smallworld_eqprop.studies.results import Done, Failed, Stopped

__all__ = ["Verdicts"]

#: Workers that may die of a run before it counts as failed.
DEATHS = 3
#: Times that a run may be stopped, by nobody who is known, before the sweep ends.
STOPS = 10


class Verdicts:
    """Counts how often the runs of a sweep lost their workers or were stopped, and judges by it.

    Parameters
    ----------
    marker : Path
        The file without which workers stop.
    """

    def __init__(self, marker: Path) -> None:
        self._marker = marker
        self._deaths: Counter[str] = Counter()
        self._stops: Counter[str] = Counter()

    def of(self, future: Future[Done | Failed | Stopped], key: str) -> Done | Failed | Stopped:
        """What became of a run whose call has ended.

        Raises
        ------
        InputError
            If the call was cancelled, or the run is stopped again and again by other programs.
        OSError
            If its worker could not write.
        """
        if future.cancelled():
            raise InputError(LOST)
        error = future.exception()
        if error is None:
            result = future.result()
            self._stops[key] += isinstance(result, Stopped)
            if self._stops[key] == STOPS:
                raise InputError(
                    f"{self._marker}: workers found it missing {STOPS} times, as if the "
                    "sweep were over; keep other programs away from this folder and start the "
                    "sweep again, everything is kept"
                )
            return result
        if isinstance(error, BrokenExecutor):
            # Killed by somebody else: another one goes on from the checkpoint.
            self._deaths[key] += 1
            if self._deaths[key] < DEATHS:
                return Stopped()
            return Failed(f"its worker died {DEATHS} times; is there enough memory?")
        if isinstance(error, OSError):
            raise error
        return Failed(f"{type(error).__name__}: {' '.join(str(error).split())}")
