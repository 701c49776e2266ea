"""The store that a command reads: named itself, or by the study file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from smallworld_eqprop.errors import InputError

if TYPE_CHECKING:
    from smallworld_eqprop.studies.study import Study

__all__ = ["StoreOption", "Target", "default_store", "resolve"]

Target = Annotated[
    Path,
    typer.Argument(metavar="STORE|STUDY.toml", help="A store, or the study file of a store."),
]
StoreOption = Annotated[
    Path | None,
    typer.Option("--store", metavar="FILE", help="Store; by default runs/NAME.sqlite."),
]


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
