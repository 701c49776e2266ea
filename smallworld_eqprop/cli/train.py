"""``smallworld-eqprop train``: one network, recorded in a folder."""

from __future__ import annotations

import contextlib
import dataclasses
import shlex
import sys
import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from smallworld_eqprop.cli.help import choices, preset_choices
from smallworld_eqprop.cli.printing import json_line
from smallworld_eqprop.cli.progress import Display, warnings_as_lines
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.presets import preset_names

__all__ = ["train"]

# Headings of the options in --help.
NETWORK, TRAINING, OUTPUT = "Network and data", "Training", "Folder and output"


def train(
    network: Annotated[
        str,
        typer.Argument(
            metavar="PRESET|FILE.toml|RUN",
            help="A preset's name (smallworld-eqprop presets lists them), a run file (TOML), or a "
            "run folder, to train what is in it.",
            autocompletion=preset_choices,
        ),
    ],
    p: Annotated[
        float | None, typer.Option(help="Share of rewired connections.", rich_help_panel=NETWORK)
    ] = None,
    moves: Annotated[
        int | None,
        typer.Option(help="Number of moved connections, instead of --p.", rich_help_panel=NETWORK),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="mnist, fashion-mnist, digits, wine or diabetes.",
            rich_help_panel=NETWORK,
            autocompletion=choices("mnist", "fashion-mnist", "digits", "wine", "diabetes"),
        ),
    ] = None,
    train_examples: Annotated[
        int | None,
        typer.Option(help="Use the first N training examples.", rich_help_panel=NETWORK),
    ] = None,
    epochs: Annotated[
        int,
        typer.Option(
            help="Total epochs, including those of earlier starts.", rich_help_panel=TRAINING
        ),
    ] = 10,
    seed: Annotated[
        int | None,
        typer.Option(help="Seed of rewiring, weights, order and nudges.", rich_help_panel=TRAINING),
    ] = None,
    learning_rate: Annotated[
        str | None,
        typer.Option(
            help="One rate, or one per layer after the input: 0.1,0.02", rich_help_panel=TRAINING
        ),
    ] = None,
    relaxation: Annotated[
        str | None,
        typer.Option(
            help="Free phase: sor (fast) or euler (as published).",
            rich_help_panel=TRAINING,
            autocompletion=choices("sor", "euler"),
        ),
    ] = None,
    tolerance: Annotated[
        float | None,
        typer.Option(help="Residual at which sor stops.", rich_help_panel=TRAINING),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other key of a run file; may be repeated.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            help="Threads that share the examples of a batch; by default one per core. Up to 4096 "
            "free nodes the results do not depend on it.",
            rich_help_panel=TRAINING,
            show_default=False,
        ),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(
            help="numpy, or with torch (extra gpu): cpu, cuda or cuda:N.",
            rich_help_panel=TRAINING,
            autocompletion=choices("numpy", "cpu", "cuda"),
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run folder; by default runs/NAME-seedN.", rich_help_panel=OUTPUT),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the run in the folder, if there is one.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace the run in the folder.",
            rich_help_panel=OUTPUT,
        ),
    ] = False,
    tensorboard: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Write event files for TensorBoard under DIR.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", help="Print one line of JSON per finished epoch.", rich_help_panel=OUTPUT
        ),
    ] = False,
) -> int:
    """Train a network and record it in a run folder.

    Ctrl-C stops after the batch and saves everything; --resume continues, and ends with the same
    numbers as a run that was never stopped.
    """
    # Imported here so that --help and errors in the options come at once.
    from smallworld_eqprop.parts import AtOnce, check_type
    from smallworld_eqprop.studies import runs
    from smallworld_eqprop.studies.executors import cores
    from smallworld_eqprop.studies.layout import holding

    if resume and overwrite:
        raise InputError("--resume and --overwrite exclude each other; give one of them")
    if threads is None:
        threads = cores()
    check_type("threads", threads, AtOnce)
    named = {
        "dataset": dataset,
        "n_train": train_examples,
        "seed": seed,
        "p": p,
        "moves": moves,
        "learning_rate": None if learning_rate is None else parse_value(learning_rate),
        "relaxation": relaxation,
        "tolerance": tolerance,
        "device": device,
    }
    changes = {key: value for key, value in named.items() if value is not None}
    config = read_config(network).changed(**changes, **parse_settings(settings or [], changes))
    given = run_folder(network)
    folder = out or given or Path("runs") / f"{config.name}-seed{config.training.seed}"
    if not (resume or overwrite) and holding(folder) != "nothing":
        raise InputError(
            f"{folder}: holds a run already; continue it with --resume, replace it with "
            "--overwrite, or name another folder with --out"
        )

    def print_json(progress: runs.Progress) -> None:
        if as_json and progress.finished is not None:
            typer.echo(json_line(dataclasses.asdict(progress.finished)))

    # A bar would be torn by lines on the same terminal.
    plain = as_json and sys.stdout.isatty()
    measured = [name for name in config.training.errors_from if name != "training"]
    display = Display(
        plain=plain, regression=config.regression, measured=measured[0] if measured else ""
    )
    try:
        with display, warnings_as_lines(display):

            def show(progress: runs.Progress) -> None:
                display.show(progress)
                print_json(progress)

            run = runs.train(
                config,
                folder,
                epochs=epochs,
                existing="resume" if resume else "overwrite" if overwrite else "error",
                on_batch=show,
                tensorboard=tensorboard,
                threads=threads,
            )
    except KeyboardInterrupt:
        display.say(f"stopped; everything is kept. Go on with: {resuming(sys.argv[1:])}")
        return 130
    if display.last is None:
        done = len(run.history)
        display.say(f"{folder} has all epochs already ({done}); ask for more with --epochs")
    if not as_json:
        typer.echo(folder)
    return 0


def resuming(arguments: list[str]) -> str:
    """The command that goes on with the run that `arguments` started."""
    kept = [argument for argument in arguments if argument not in ("--overwrite", "--resume")]
    return shlex.join(["smallworld-eqprop", *kept, "--resume"])


def read_config(network: str) -> Any:
    """Read a preset by name, a file by its ending, or the configuration of a run folder."""
    from smallworld_eqprop.studies.config import RunConfig

    if (folder := run_folder(network)) is not None:
        from smallworld_eqprop.studies.record import Run

        return Run(folder).config
    if network.endswith(".toml"):
        return RunConfig.from_toml(network)
    if network not in preset_names() and Path(network).exists():
        raise InputError(f"{network}: give a preset, a file that ends in .toml, or a run folder")
    return RunConfig.preset(network)


def run_folder(network: str) -> Path | None:
    """The folder that is named, if it is one and no preset or file."""
    named = network in preset_names() or network.endswith(".toml")
    return None if named or not Path(network).is_dir() else Path(network)


def parse_settings(settings: list[str], taken: dict[str, Any]) -> dict[str, Any]:
    """Changes from texts like ``batch_size=10``."""
    changes: dict[str, Any] = {}
    for text in settings:
        key, equals, value = text.partition("=")
        key = key.strip()
        if not equals or not key:
            raise InputError(f"--set: {text!r}; write KEY=VALUE, for example batch_size=10")
        if key in taken or key in changes:
            raise InputError(f"--set: {key} is given twice; give it once")
        changes[key] = parse_value(value)
    return changes


def parse_value(text: str) -> Any:
    """A value as in TOML; commas make a list, and anything else is a string.

    Examples
    --------
    >>> parse_value("0.1, 0.02"), parse_value("euler"), parse_value("nan")
    ([0.1, 0.02], 'euler', nan)
    """
    for attempt in (text, f"[{text}]" if "," in text else text):
        # Numbers of thousands of digits and brackets in thousands of brackets are other errors.
        with contextlib.suppress(ValueError, RecursionError):
            return tomllib.loads(f"value = {attempt}")["value"]
    return text.strip()
