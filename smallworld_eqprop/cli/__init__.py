"""The command line: ``smallworld-eqprop train``, ``metrics``, ``sweep`` and their companions."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from smallworld_eqprop._version import __version__
from smallworld_eqprop.cli.compare import compare
from smallworld_eqprop.cli.errors import exit_status
from smallworld_eqprop.cli.export import export
from smallworld_eqprop.cli.help import STATUSES, examples
from smallworld_eqprop.cli.metrics import metrics
from smallworld_eqprop.cli.report import report
from smallworld_eqprop.cli.status import status
from smallworld_eqprop.cli.sweep import sweep
from smallworld_eqprop.cli.train import train
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.presets import preset_names, read_preset

__all__ = ["app", "main"]

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
app.command(
    rich_help_panel="One network",
    epilog=examples(
        "train rewired-3x500 --epochs 10",
        "train rewired-3x500 --epochs 100 --resume",
        "train layered-5x100 --p 0.2 --dataset fashion-mnist --out runs/mine",
        "train layered-3x500 --learning-rate 0.128,0.032,0.008,0.002 --set beta=0.5",
    ),
)(train)
app.command(
    rich_help_panel="One network",
    epilog=examples(
        "metrics rewired-5x100",
        "metrics runs/mine --json",
        "metrics layered-5x100 --null degree_preserving --n-null 20",
    ),
)(metrics)
app.command(
    rich_help_panel="Many networks",
    epilog=examples("sweep study.toml", "sweep study.toml --workers 2 --retry-failed"),
)(sweep)
app.command(
    rich_help_panel="Many networks",
    epilog=examples(
        "status runs/study.sqlite", "status study.toml --json", "status runs/mine --check"
    ),
)(status)
app.command(
    rich_help_panel="Many networks",
    epilog=examples("export runs/study.sqlite --out tables"),
)(export)
app.command(
    rich_help_panel="Many networks",
    epilog=examples("compare study.toml", "compare runs/study.sqlite --outcome final_test_cost"),
)(compare)
app.command(
    rich_help_panel="One network, or many",
    epilog=examples("report runs/mine", "report runs/study.sqlite --out page.html"),
)(report)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"smallworld-eqprop {__version__}")
        raise typer.Exit


@app.callback(
    epilog=examples(
        "train rewired-5x100 --dataset digits --set layer_sizes=64,50,50,10 --out runs/first",
        "report runs/first",
    )
    + f"\n\n{STATUSES}"
)
def options(
    _version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Equilibrium propagation on networks with small-world topology."""


@app.command(rich_help_panel="One network", epilog=examples("presets", "presets --json"))
def presets(
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON with all settings.")] = False,
) -> None:
    """List the presets: the paper's networks and four others."""
    contents = [read_preset(name) for name in preset_names()]
    if as_json:
        typer.echo(json.dumps(contents, indent=2))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for preset in contents:
        table.add_row(preset["name"], preset.get("summary", ""))
    Console(highlight=False).print(table)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns
    -------
    int
        0; 1 when a file cannot be read or written or a run of a study failed; 2 for bad input;
        130 after Ctrl-C. Every error is one line on stderr.
    """
    # Kinds and measures of one's own lie beside the file that names them, as `python` would see it.
    if not {"", str(Path.cwd())} & set(sys.path):
        sys.path.append("")
    words = sys.argv[1:] if arguments is None else list(arguments)

    commands: Any = typer.main.get_command(app)

    def run() -> object:
        _refuse_options_as_values(commands.commands, words)
        return commands(words, prog_name="smallworld-eqprop", standalone_mode=False)

    return exit_status(run)


def _refuse_options_as_values(commands: Mapping[str, Any], words: Sequence[str]) -> None:
    """Refuse ``--out --json``, which click takes as a file of the name ``--json``."""
    command = commands.get(words[0]) if words else None
    options = command.params if command else ()
    valued = {name for each in options if not getattr(each, "is_flag", True) for name in each.opts}
    for name, value in itertools.pairwise(words):
        if name in valued and value.startswith("--"):
            raise InputError(f"{name}: no value is given; {value!r} is an option")
