"""``smallworld-eqprop sweep``, ``status`` and ``export``: studies of many runs."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from smallworld_eqprop.cli.printing import json_line
from smallworld_eqprop.cli.progress import duration
from smallworld_eqprop.cli.study_progress import StudyDisplay, label
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import atomic_writer, first_bytes, require_own

if TYPE_CHECKING:
    import pandas as pd

    from smallworld_eqprop.studies.store_claims import RunStatus
    from smallworld_eqprop.studies.study import Study
    from smallworld_eqprop.studies.sweeping import SweepProgress

__all__ = ["export", "status", "sweep"]

Target = Annotated[
    Path,
    typer.Argument(metavar="STORE|STUDY.toml", help="A store, or the study file of a store."),
]
StoreOption = Annotated[
    Path | None,
    typer.Option("--store", metavar="FILE", help="Store; by default runs/NAME.sqlite."),
]


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
    from smallworld_eqprop.studies.results import Done
    from smallworld_eqprop.studies.study import Study

    study = Study.from_toml(study_file)
    path = store or default_store(study)
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
        display.say(f"{end.elsewhere} runs are being done by other sweeps")
    if end.failed:
        display.say(
            f"{end.failed} of {end.total} runs failed; smallworld-eqprop status {path} says why, "
            "--retry-failed does them again"
        )
    if not as_json:
        typer.echo(path)
    return 1 if end.failed else 0


def status(
    target: Target,
    store: StoreOption = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON: every run, or with --check every problem.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Verify all that is recorded in a store or a run folder."),
    ] = False,
) -> int:
    """Show which runs of a study are done, running or failed.

    With --check, name every file or row that was changed after it was written.
    """
    if check:
        return verify(*resolve(target, store), as_json=as_json)
    from smallworld_eqprop.studies.scratch import fractions
    from smallworld_eqprop.studies.store import Store
    from smallworld_eqprop.studies.study import varying

    study, path = resolve(target, store)
    with Store(path, create=False) as opened:
        runs = opened.statuses()
        seconds = opened.work()["seconds"].mean()
        shares = fractions(opened.scratch)
    if study is not None:
        there = {run.key: run for run in runs}
        missing = [key for key in study.keys if key not in there]
        runs = [there[key] for key in study.keys if key in there]
    else:
        missing = []
    names = varying(run.config for run in runs)
    counts = {
        state: sum(run.status == state for run in runs)
        for state in ("done", "running", "failed", "pending")
    }
    counts["pending"] += len(missing)
    if as_json:
        rows = [as_record(run, names, shares) for run in runs]
        rows += [{"key": key, "status": "pending"} for key in missing]
        typer.echo(json_line({"store": str(path), "counts": counts, "runs": rows}))
        return 0
    console = Console(highlight=False, soft_wrap=True)
    listed = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    console.print(f"{path}: {listed or 'no runs'}", markup=False)
    if counts["running"] and seconds == seconds:
        busy = [run for run in runs if run.status == "running"]
        left = counts["pending"] + sum(1 - shares.get(run.key, 0.0) for run in busy)
        console.print(f"about {duration(left * seconds / len(busy))} left", markup=False)
    for run in runs:
        if run.status == "running":
            share = shares.get(run.key, 0.0)
            console.print(f"running  {label(run.config, names)}  {share:.0%}", markup=False)
    for run in runs:
        if run.status == "failed":
            console.print(f"failed   {label(run.config, names)}  {run.error}", markup=False)
    return 0


def verify(_study: Study | None, path: Path, *, as_json: bool) -> int:
    """Print what is damaged in a run folder or a store, and give 1 if anything is."""
    from smallworld_eqprop.studies.integrity import check_run
    from smallworld_eqprop.studies.store import Store

    if path.is_dir():
        problems = check_run(path)
    else:
        with Store(path, create=False) as opened:
            problems = opened.check()
    told = problems or [f"{path}: as it was written"]
    if as_json:
        told = [json_line({"path": str(path), "problems": problems})]
    for line in told:
        typer.echo(line)
    return 1 if problems else 0


def export(
    target: Target,
    out: Annotated[Path, typer.Option(help="Folder for the tables; it is made if missing.")],
    store: StoreOption = None,
    form: Annotated[
        Literal["csv", "parquet"], typer.Option("--format", help="csv or parquet.")
    ] = "csv",
) -> None:
    """Write tidy tables of the finished runs: runs, history, corrections and work.

    Only tables of an earlier export are overwritten.
    """
    from smallworld_eqprop.studies.store import Store

    if form == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise InputError("--format: parquet needs pyarrow; pip install pyarrow, or choose csv")
    study, path = resolve(target, store)
    with Store(path, create=False) as opened:
        tables = {
            name: getattr(opened, name)() for name in ("runs", "history", "corrections", "work")
        }
    paths = {name: out / f"{name}.{form}" for name in tables}
    for name, path in paths.items():
        ours = functools.partial(has_columns, first=list(tables[name])[:2])
        require_own(path, f"a table of export ({name})", ours)
    out.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        kept = table if study is None else table[table["key"].isin(study.keys)]
        write_table(kept, paths[name], form)
        typer.echo(paths[name])


def write_table(table: pd.DataFrame, path: Path, form: Literal["csv", "parquet"]) -> None:
    """Write a table, whole or not at all."""
    with atomic_writer(path) as file:
        if form == "csv":
            table.to_csv(file, index=False)
            return
        # Parquet knows one type per column; a learning rate may be a number or a list.
        mixed = [name for name in table if len({type(value) for value in table[name].dropna()}) > 1]
        table.astype(dict.fromkeys(mixed, str)).to_parquet(file, engine="pyarrow", index=False)


def has_columns(path: Path, first: list[str]) -> bool:
    """Whether a file holds a table whose first columns have these names."""
    if path.suffix == ".csv":
        line = first_bytes(path).partition(b"\n")[0]
        return line.decode(errors="replace").rstrip("\r").split(",")[: len(first)] == first
    import pandas as pd

    try:
        return list(pd.read_parquet(path, engine="pyarrow"))[: len(first)] == first
    except (OSError, ValueError):
        return False


def default_store(study: Study) -> Path:
    """Give the store of a study for which nobody named one."""
    return Path("runs") / f"{study.name}.sqlite"


def resolve(target: Path, store: Path | None) -> tuple[Study | None, Path]:
    """Give the study, if one is named, and the store."""
    from smallworld_eqprop.studies.study import Study

    if target.suffix == ".toml":
        study = Study.from_toml(target)
        return study, store or default_store(study)
    if store is not None:
        raise InputError(f"--store: {store} and {target}; name one store")
    return None, target


def as_record(run: RunStatus, names: tuple[str, ...], shares: dict[str, float]) -> dict[str, Any]:
    """Give a run's status as JSON takes it."""
    values = run.config.flat()
    record = {"key": run.key, "status": run.status} | {name: values[name] for name in names}
    if run.status == "running":
        record |= {"share": shares.get(run.key, 0.0), "owner": run.owner}
    if run.status == "failed":
        record |= {"error": run.error, "traceback": run.traceback}
    return record
