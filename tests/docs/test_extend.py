"""What the pages on extending the package say: parts of one's own, and changes to a copy of it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import walk

from smallworld_eqprop import Dataset, Trainer, TrainingConfig, layered

ROOT = Path(__file__).resolve().parents[2]


NUMBERS = {7: "seven", 10: "ten", 11: "eleven", 12: "twelve"}
PARTS = {"model": 12, "rule": 15, "optimiser": 12, "solver": 15}  # and how many lines are allowed


def blocks(page: str) -> list:
    return walk.blocks((ROOT / "docs" / "extend" / f"{page}.md").read_text(encoding="utf-8"))


def lines(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip())


@pytest.mark.parametrize("page", PARTS)
def test_a_part_of_ones_own_is_as_short_as_its_page_says(page):
    code = [block.content for block in blocks(page) if block.language == "python"]
    own = lines("@dataclass" + code[0].partition("@dataclass")[2])
    text = (ROOT / "docs" / "extend" / f"{page}.md").read_text(encoding="utf-8")
    assert f"The class has {NUMBERS[own]} lines" in text
    assert own <= PARTS[page]
    assert sum(map(lines, code)) < 60


@pytest.mark.parametrize("device", ["numpy", pytest.param("cpu", marks=pytest.mark.torch)])
@pytest.mark.parametrize("page", PARTS)
def test_a_part_of_ones_own_trains(page, device, tmp_path, monkeypatch):
    if device != "numpy":
        pytest.importorskip("torch")
    module = next(block for block in blocks(page) if block.title)
    (tmp_path / module.title).write_text(module.content, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    name = re.search(r"^class (\w+)", module.content, re.M)[1]
    own = getattr(import_module(module.title.removesuffix(".py")), name)()
    x = np.random.default_rng(0).random((20, 3)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[(x[:, 0] > 0.5).astype(int)]
    data = Dataset("toy", "classification", x, y, x, y, sha256={})
    part = {"solver": "relaxation"}.get(page, page)
    config = TrainingConfig(batch_size=5, device=device).changed(learning_rate=0.1)
    trainer = Trainer(layered((3, 4, 2)), data, config.changed(**{part: own}))
    for _ in range(30):
        for _batch in trainer.run_epoch():
            pass
    costs = [record.training_cost for record in trainer.history]
    assert costs[-1] < costs[0]


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
    ("page", "package", "use"),
    [
        (
            "metric",
            "graphs/measure",
            "found = sw.structure_metrics(sw.layered((5, 4, 4, 5)), seed=0)\n"
            "assert found['degree_gini'] == 0",
        ),
    ],
    ids=["metric"],
)
def test_what_is_to_be_changed_in_the_package(page, package, use, tmp_path):
    shutil.copytree(
        ROOT / "smallworld_eqprop",
        tmp_path / "smallworld_eqprop",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    found = blocks(page)
    module = next(block for block in found if block.language == "python" and block.title)
    (tmp_path / "smallworld_eqprop" / package / module.title).write_text(module.content)
    apply(next(block.content for block in found if block.language == "diff"), tmp_path)
    subprocess.run(
        [sys.executable, "-c", f"import smallworld_eqprop as sw\n{use}"],
        check=True,
        cwd=tmp_path,
        # Compiling anew what has moved takes longer than all that is done here.
        env={**os.environ, "PYTHONPATH": str(tmp_path), "NUMBA_DISABLE_JIT": "1"},
    )


def test_data_of_ones_own_are_a_page_of_under_sixty_lines(tmp_path, monkeypatch):
    text = (ROOT / "docs" / "extend" / "data.md").read_text(encoding="utf-8")
    assert lines(text) < 60
    module = next(block for block in blocks("data") if block.title)
    (tmp_path / module.title).write_text(module.content, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    own = import_module("spirals").Spirals(n=100, turns=0.25)
    data = own.load()
    assert len(data.x_train) == 4 * len(data.x_test) == 80
    np.testing.assert_array_equal(own.load().x_train, data.x_train)
    # The two arms are each other's image, turned by half a circle about the middle.
    first, second = (data.x_train[data.labels_train == k].mean(axis=0) - 0.5 for k in (0, 1))
    np.testing.assert_allclose(first, -second, atol=0.15)
