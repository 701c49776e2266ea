"""``smallworld-eqprop status``: how far a study is, and whether its store is as it was written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from smallworld_eqprop.cli.printing import json_line
from smallworld_eqprop.cli.progress import duration
from smallworld_eqprop.cli.study_progress import label
from smallworld_eqprop.cli.targets import StoreOption, Target, resolve

if TYPE_CHECKING:
    from smallworld_eqprop.studies.store_claims import RunStatus
    from smallworld_eqprop.studies.study import Study

__all__ = ["status"]


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


def as_record(run: RunStatus, names: tuple[str, ...], shares: dict[str, float]) -> dict[str, Any]:
    """Give a run's status as JSON takes it."""
    values = run.config.flat()
    record = {"key": run.key, "status": run.status} | {name: values[name] for name in names}
    if run.status == "running":
        record |= {"share": shares.get(run.key, 0.0), "owner": run.owner}
    if run.status == "failed":
        record |= {"error": run.error, "traceback": run.traceback}
    return record
