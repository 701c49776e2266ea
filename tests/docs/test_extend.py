"""What the pages on extending the package say about changes inside it, done to a copy of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
walk = import_module("walk")


def apply(diff: str, root: Path) -> None:
    """Replace the old lines of every hunk, which are to be there once, by the new ones."""
    path = root / re.search(r"^\+\+\+ b/(.*)$", diff, re.M)[1]
    text = path.read_text(encoding="utf-8")
    for hunk in diff.split("@@\n")[1:]:
        lines = hunk.splitlines(keepends=True)
        old = "".join(line[1:] for line in lines if line[0] in " -")
        assert text.count(old) == 1, f"{path.name} has no longer, or not once:\n{old}"
        text = text.replace(old, "".join(line[1:] for line in lines if line[0] in " +"))
    path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("page", "room", "use"),
    [
        (
            "family",
            "graphs",
            "config = sw.TopologyConfig((8, 6, 6, 6, 3), family='direct_lines', p=0.5)\n"
            "assert config.build(0).skip.sum() == 6",
        ),
        (
            "relaxation",
            "dynamics",
            "config = sw.TrainingConfig(relaxation='jacobi', tolerance=0.01)\n"
            "assert config.free_phase.tolerance == 0.01",
        ),
        (
            "metric",
            "graphs",
            "found = sw.structure_metrics(sw.layered((5, 4, 4, 5)), seed=0)\n"
            "assert found['degree_gini'] == 0",
        ),
    ],
    ids=["family", "relaxation", "metric"],
)
def test_what_is_to_be_changed_in_the_package(page, room, use, tmp_path):
    shutil.copytree(
        ROOT / "smallworld_eqprop",
        tmp_path / "smallworld_eqprop",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    found = walk.blocks((ROOT / "docs" / "extend" / f"{page}.md").read_text(encoding="utf-8"))
    module = next(block for block in found if block.language == "python" and block.title)
    (tmp_path / "smallworld_eqprop" / room / module.title).write_text(module.content)
    apply(next(block.content for block in found if block.language == "diff"), tmp_path)
    subprocess.run(
        [sys.executable, "-c", f"import smallworld_eqprop as sw\n{use}"],
        check=True,
        cwd=tmp_path,
        # Compiling anew what has moved takes longer than all that is done here.
        env={**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "1"},
    )
