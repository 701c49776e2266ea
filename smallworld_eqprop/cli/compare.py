"""``smallworld-eqprop compare``: a graph and its null models."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer

from smallworld_eqprop.cli.printing import json_line
from smallworld_eqprop.cli.targets import StoreOption, Target, resolve
from smallworld_eqprop.errors import InputError

__all__ = ["compare"]


def compare(
    target: Target,
    outcome: Annotated[
        str | None,
        typer.Option(
            help="Column to compare, as `export` names it; by default the last validation error, "
            "and without one the last test error."
        ),
    ] = None,
    level: Annotated[float, typer.Option(help="Confidence level of the interval.")] = 0.95,
    store: StoreOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Test whether a graph trains differently from its null models.

    The study has a topology of kind `null` and a grid over `sample` from 0, the graph itself.
    Printed are the difference with its interval, the effect in standard deviations of the nulls,
    and the p-value of a permutation test.
    """
    from smallworld_eqprop.studies.nulltest import against_nulls
    from smallworld_eqprop.studies.store import Store

    study, path = resolve(target, store)
    with Store(path, create=False) as opened:
        runs = opened.runs()
    kept = runs if study is None else runs[runs["key"].isin(study.keys)]
    try:
        found = against_nulls(kept, outcome, level=level)
    except InputError as error:
        # The argument of the function is a table of runs; here a study or a store was named.
        said = str(error).removeprefix("runs: ")
        raise (error if said == str(error) else InputError(f"{target}: {said}")) from None
    typer.echo(json_line(dataclasses.asdict(found)) if as_json else str(found))
