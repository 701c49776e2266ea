"""``smallworld-eqprop sweep``: train the networks of a study."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from smallworld_eqprop.cli.printing import json_line
from smallworld_eqprop.cli.study_progress import StudyDisplay
from smallworld_eqprop.cli.targets import StoreOption, default_store

if TYPE_CHECKING:
    from smallworld_eqprop.studies.sweeping import SweepProgress

__all__ = ["sweep"]


def sweep(
    study_file: Annotated[
        Path, typer.Argument(metavar="STUDY.toml", help="A study file, see analysis/studies.")
    ],
    store: StoreOption = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of runs at the same time; by default one per core.")
    ] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="tcp://HOST:PORT", help="Address of a dask cluster.")
    ] = None,
    skip: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Leave out the runs in DIR, a folder of export."),
    ] = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run failed runs again.")
    ] = False,
    tensorboard: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write event files for TensorBoard under DIR."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one line of JSON per finished run.")
    ] = False,
) -> int:
    """Train the networks of a study that are not in its store yet.

    Ctrl-C stops after the current batches and saves everything; the same command continues.
    Several sweeps of one study at the same time divide its runs between them.
    """
    # Imported here so that --help and errors in the options come at once.
    from smallworld_eqprop.studies import sweeping as sweeps
    from smallworld_eqprop.studies.exported import exported_keys
    from smallworld_eqprop.studies.results import Done
    from smallworld_eqprop.studies.study import Study

    study = Study.from_toml(study_file)
    path = store or default_store(study)
    if skip is not None:
        done = exported_keys(skip)
        if done.issuperset(study.keys):
            typer.echo(f"{skip}: has all {len(study.keys)} runs of {study.name}", err=True)
            return 0
        study = study.without(done)
    # A bar would be torn by lines on the same terminal.
    display = StudyDisplay(study, plain=as_json and sys.stdout.isatty())

    def show(progress: SweepProgress) -> None:
        display.show(progress)
        if as_json and progress.finished is not None:
            claim, result = progress.finished
            record: dict[str, Any] = {"key": claim.key, **claim.config.flat()}
            if isinstance(result, Done):
                record |= {"status": "done", **result.history[-1]}
            else:
                record |= {"status": "failed", "error": result.error}
            typer.echo(json_line(record))

    try:
        with display:
            end = sweeps.sweep(
                study,
                path,
                workers=workers,
                scheduler=scheduler,
                retry_failed=retry_failed,
                on_progress=show,
                tensorboard=tensorboard,
            )
    except KeyboardInterrupt:
        display.say("stopped; everything is kept. Go on with the same command")
        return 130
    if end.elsewhere:
        display.say(f"{end.elsewhere} of {end.total} runs are being done by other sweeps")
    if end.failed:
        display.say(
            f"{end.failed} of {end.total} runs failed; smallworld-eqprop status {path} says why, "
            "--retry-failed does them again"
        )
    if not as_json:
        typer.echo(path)
    return 1 if end.failed else 0
