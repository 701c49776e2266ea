"""Event files for TensorBoard: the scalars of every epoch of a run."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.record import Run
from smallworld_eqprop.studies.results import Done
from smallworld_eqprop.studies.study import Study

__all__ = ["AddEpoch", "check_tensorboard", "event_file", "follow", "write_done"]

#: Under which heading TensorBoard shows each quantity of an epoch.
TAGS = {
    "training_error": "error/training",
    "validation_error": "error/validation",
    "test_error": "error/test",
    "training_cost": "cost/training",
    "validation_cost": "cost/validation",
    "test_cost": "cost/test",
    "log_spread": "log-spread/all",
    "log_spread_interlayer": "log-spread/interlayer",
    "mean_sweeps": "relaxation/sweeps",
    "unconverged": "relaxation/unconverged",
    "worst_residual": "relaxation/worst_residual",
    "seconds": "time/seconds",
}

#: Ends the names of our event files: those of other programs are not ours to remove.
SUFFIX = ".smallworld-eqprop"

AddEpoch = Callable[[Mapping[str, Any], Iterable[tuple[str, float]]], None]


def check_tensorboard() -> None:
    """Refuse to go on where tensorboardX, which writes the files, is not installed."""
    if importlib.util.find_spec("tensorboardX") is None:
        raise InputError(
            "tensorboard: needs tensorboardX; pip install 'smallworld-eqprop[tensorboard]', or "
            "leave the option out"
        )


@contextmanager
def event_file(folder: str | Path, config: RunConfig, source: str) -> Iterator[AddEpoch]:
    """Write the event file of one run; those of an earlier start are removed, others kept.

    Parameters
    ----------
    folder : path-like
        Its name is the one TensorBoard shows.
    config : RunConfig
    source : str
        What tells the run from others of the same name, whose event files are kept.

    Yields
    ------
    callable
        Adds an epoch: a row of the history, and the mean RMS correction of every layer pair.

    Raises
    ------
    InputError
        If tensorboardX is not installed.
    OSError
        If the folder cannot be written to.
    """
    check_tensorboard()
    from tensorboardX import SummaryWriter

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    suffix = f".{hashlib.sha256(source.encode()).hexdigest()[:8]}{SUFFIX}"
    for old in folder.glob(f"events.out.tfevents.*{suffix}"):
        old.unlink()
    writer = SummaryWriter(logdir=str(folder), filename_suffix=suffix)
    # Four spaces make a block of code in TensorBoard's Markdown.
    told = json.dumps(config.to_dict(), indent=2).replace("\n", "\n    ")
    writer.add_text("configuration", f"    {told}", 0)

    def add(row: Mapping[str, Any], corrections: Iterable[tuple[str, float]]) -> None:
        values = {tag: row[name] for name, tag in TAGS.items() if name in row}
        values |= {f"RMS_correction/{pair}": rms for pair, rms in corrections}
        for tag, value in values.items():
            if not math.isnan(value):
                writer.add_scalar(tag, float(value), int(row["epoch"]))
        writer.flush()

    try:
        yield add
    finally:
        writer.close()


@contextmanager
def follow(folder: str | Path | None, run: Run) -> Iterator[Callable[[], None]]:
    """Keep the event file of a run that is being trained, in a folder of the run's name.

    Parameters
    ----------
    folder : path-like, optional
        Folder of many runs, for TensorBoard's ``--logdir``; nothing is written without it.
    run : Run

    Yields
    ------
    callable
        Adds the epochs of the run folder that have not been added yet.
    """
    if folder is None:
        yield lambda: None
        return
    place = run.folder.resolve()
    with event_file(Path(folder) / place.name, run.config, str(place)) as add:
        added = 0

        def catch_up() -> None:
            nonlocal added
            if not (run.folder / "history.csv").exists():
                return
            for row in run.history.to_dict("records")[added:]:
                added += 1
                means = run.corrections(added).mean(axis=0, dtype=float)
                values = {str(name): value for name, value in row.items()}
                add(values, zip(run.pairs, means, strict=True))

        catch_up()
        yield catch_up


def write_done(folder: str | Path, study: Study, config: RunConfig, done: Done) -> None:
    """Write the event file of a finished run, in a folder named by what tells it from the others.

    Parameters
    ----------
    folder : path-like
        Folder of many studies, for TensorBoard's ``--logdir``.
    study : Study
        To which the run belongs.
    config : RunConfig
        Of the run.
    done : Done
        Its outcome.
    """
    values = config.flat()
    names = [name for name in study.varying if name in values]
    label = "_".join(f"{name}={values[name]}" for name in names) or config.name
    # Lists of rates have brackets and blanks.
    label = re.sub(r"[^\w.=+-]+", "-", label)
    with event_file(Path(folder) / study.name / label, config, config.key) as add:
        for row in done.history:
            add(row, [(c.pair, c.rms) for c in done.corrections if c.epoch == row["epoch"]])
