from __future__ import annotations

import os
import shlex
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from smallworld_eqprop.cli import app, main

GROUP = typer.main.get_command(app)
EXAMPLE = "- smallworld-eqprop "


def shown_examples():
    for command in (GROUP, *GROUP.commands.values()):
        lines = (command.epilog or "").splitlines()
        yield from (line.removeprefix(EXAMPLE) for line in lines if line.startswith(EXAMPLE))


def test_every_command_has_examples():
    for name, command in GROUP.commands.items():
        assert f"{EXAMPLE}{name} " in f"{command.epilog} ", name


@pytest.mark.parametrize("line", list(shown_examples()))
def test_the_examples_are_commands(line):
    name, *arguments = shlex.split(line)
    # Raises on options and arguments that are not there.
    context = GROUP.commands[name].make_context(name, arguments)
    assert not context.args


@pytest.mark.parametrize("name", [None, *GROUP.commands])
def test_help_is_for_people_and_without_colours_where_there_is_no_terminal(name):
    result = CliRunner().invoke(app, [*([name] if name else []), "-h"])
    assert result.exit_code == 0
    assert "Examples" in result.output
    assert "\x1b" not in result.output
    assert "**" not in result.output


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("train rewired-5", ["rewired-5x100", "rewired-5x100-no-intralayer"]),
        ("train x --dataset di", ["digits", "diabetes"]),
        ("metrics x --null e", ["erdos_renyi"]),
        ("train mine.t", []),
    ],
)
def test_tab_offers_names(words, offered):
    environment = {
        **os.environ,
        "_SMALLWORLD_EQPROP_COMPLETE": "complete_bash",
        "COMP_WORDS": f"smallworld-eqprop {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    code = "from smallworld_eqprop.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == offered


def test_ctrl_c_is_130_in_every_command(monkeypatch, tmp_path, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("smallworld_eqprop.studies.report.write_report", interrupted)
    assert main(["report", str(tmp_path)]) == 130
    assert "Traceback" not in capsys.readouterr().err
