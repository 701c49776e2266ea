"""What comes back from a worker."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Correction", "Done", "Failed", "Stopped", "Work"]


@dataclass(frozen=True)
class Work:
    """How a run was done; nothing of it belongs to the outcome.

    Attributes
    ----------
    worker : str
        Machine and process.
    started, finished : float
        Seconds since the epoch, of the last start where a run was interrupted.
    seconds : float
        Training over all starts.
    environment : dict
        Versions of the package, of Python and of the libraries; BLAS threads.
    """

    worker: str
    started: float
    finished: float
    seconds: float
    environment: dict[str, Any]


@dataclass(frozen=True)
class Correction:
    """Mean over the batches of an epoch of the RMS correction of one layer pair."""

    epoch: int
    pair: str
    kind: str
    rms: float


@dataclass(frozen=True)
class Done:
    """The outcome of a run.

    Attributes
    ----------
    graph, dataset : dict
        As in ``run.json``: layer sizes, edges and provenance; sizes and SHA-256.
    history : list of dict
        Fields of `EpochRecord` of every epoch.
    corrections : list of Correction
    metrics : dict of str to float
        What was measured of the run.
    work : Work
    measures : dict of str to str or None
        The measures that were taken, with the error of each that raised.
    weights : str, optional
        SHA-256 of the file in which the trained network was kept.
    """

    graph: dict[str, Any]
    dataset: dict[str, Any]
    history: list[dict[str, Any]]
    corrections: list[Correction]
    metrics: dict[str, float]
    work: Work
    measures: dict[str, str | None] = field(default_factory=dict)
    weights: str | None = None


@dataclass(frozen=True)
class Failed:
    """Why a run is not possible: one line, and the traceback for those who look for the reason."""

    error: str
    traceback: str = ""


@dataclass(frozen=True)
class Stopped:
    """The run was asked to stop; its checkpoint is kept."""
