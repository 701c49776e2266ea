"""``smallworld-eqprop report``: a run or a study on one page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["report"]


def report(
    source: Annotated[
        Path,
        typer.Argument(metavar="RUN|STORE", help="A run folder, or the store of a study."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.html",
            help="By default report.html in the run folder, or beside the store under its name.",
        ),
    ] = None,
) -> int:
    """Describe a run or a study on one HTML page to look at in a browser.

    The page is one file and needs no internet connection.
    """
    # Imported here so that --help and errors in the options come at once.
    from smallworld_eqprop.studies.report import write_report

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    with console.status("measuring and drawing"):
        path = write_report(source, out)
    typer.echo(path)
    return 0
