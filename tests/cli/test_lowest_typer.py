"""The commands with the oldest typer that the package says it works with."""

from __future__ import annotations

import re
import subprocess
import sysconfig
import tomllib
import venv
from pathlib import Path

import pytest

import smallworld_eqprop

ROOT = Path(smallworld_eqprop.__file__).parents[1]
RUN = "import sys; from smallworld_eqprop.cli import main; raise SystemExit(main())"


@pytest.mark.network
def test_the_commands_work_with_the_lowest_typer(tmp_path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    requirements = project["dependencies"]
    (bound,) = (found[1] for r in requirements if (found := re.match(r"typer>=([\d.]+)$", r)))
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", f"typer=={bound}.0"], check=True)
    # All else from here; packages of the environment's own come first.
    (folder,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    here = [sysconfig.get_path("purelib"), str(ROOT)]
    (folder / "here.pth").write_text("\n".join(here))
    told = subprocess.run(
        [python, "-c", "import typer; print(typer.__version__)"], capture_output=True, text=True
    )
    assert told.stdout.strip() == f"{bound}.0"
    for command in (["--help"], ["presets"], ["metrics", "layered-5x100"], ["train", "--help"]):
        done = subprocess.run([python, "-c", RUN, *command], capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stderr)
