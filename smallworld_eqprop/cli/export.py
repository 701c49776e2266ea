"""``smallworld-eqprop export``: tidy tables of a study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from smallworld_eqprop.cli.targets import StoreOption, Target, resolve

__all__ = ["export"]


def export(
    target: Target,
    out: Annotated[Path, typer.Option(help="Folder for the tables; it is made if missing.")],
    store: StoreOption = None,
    form: Annotated[
        Literal["csv", "parquet"], typer.Option("--format", help="csv or parquet.")
    ] = "csv",
    add: Annotated[
        bool, typer.Option("--add", help="Keep the runs of an earlier export that the store lacks.")
    ] = False,
) -> None:
    """Write tidy tables of the finished runs: runs, history, corrections and work.

    Only tables of an earlier export are overwritten. With --add they are continued, for example
    with the runs of another machine.
    """
    from smallworld_eqprop.studies.exported import write_tables
    from smallworld_eqprop.studies.store import Store

    study, path = resolve(target, store)
    with Store(path, create=False) as opened:
        tables = {
            name: getattr(opened, name)() for name in ("runs", "history", "corrections", "work")
        }
    if study is not None:
        tables = {name: table[table["key"].isin(study.keys)] for name, table in tables.items()}
    for written in write_tables(tables, out, form, add=add):
        typer.echo(written)
