"""Does what README and tutorials tell a newcomer to do, in the order in which they tell it.

    python docs/walk.py                    every page, each in an empty folder of its own
    python docs/walk.py README.md ...      these pages
    python docs/walk.py --write PAGE ...   and puts what was printed and drawn into the pages

Of the fenced blocks of a page, ``python`` is executed, all in one namespace; ``sh`` is run,
command by command; a block with a title becomes the file of that name; and ``text`` is what the
block before it prints. Another processor rounds otherwise, which can change the attractor of an
example, and then the numbers of a trained network. They may differ by one standard deviation
between seeds. Commands that need the repository, such as `make`, are left out.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    "README.md",
    "docs/start.md",
    "docs/run-files.md",
    "docs/own-data.md",
    "docs/rules.md",
    "docs/does-structure-help.md",
    "docs/tutorials/paper.md",
    "docs/tutorials/your-graph.md",
    "docs/tutorials/study.md",
    "docs/tutorials/vanishing-gradient.md",
    "docs/tutorials/your-device.md",
    "docs/extend/family.md",
    "docs/extend/model.md",
    "docs/extend/rule.md",
    "docs/extend/optimiser.md",
    "docs/extend/solver.md",
    "docs/extend/device.md",
    "docs/extend/metric.md",
    "docs/extend/data.md",
]

FENCE = re.compile(r"^```(\w*)(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
TITLE = re.compile(r'title="([^"]+)"')
PICTURE = re.compile(r"!\[[^]]*\]\((?:docs/|\.\./)?figures/([\w.-]+)\)")
NUMBER = re.compile(r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?(?: ?%)?|\bnan\b")
# The standard deviations between seeds, 0.045 of a test error and 0.046 of a log-spread
# (results/structure_vs_performance/seed_noise.csv), rounded up.
POINTS, DECIMALS = 5, 0.05
# Commands that start so need the repository.
REPOSITORY = ("git ", "make ", "python ", "pip install .", "pip install '.")
PYTHON, SHELL, TEXT = "python", "sh", "text"


class Block(NamedTuple):
    """A fenced block; `start` and `end` are where its content stands in the page."""

    language: str
    title: str | None
    content: str
    start: int
    end: int


def blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in their order."""
    found = []
    for match in FENCE.finditer(page):
        title = TITLE.search(match[2])
        found.append(Block(match[1], title and title[1], match[3], match.start(3), match.end(3)))
    return found


def commands(block: Block) -> list[str]:
    """The commands of a block that need nothing but the package."""
    lines = block.content.replace("\\\n", " ").splitlines()
    lines = [line.partition("  #")[0].strip() for line in lines]
    return [line for line in lines if line and not f"{line} ".startswith(REPOSITORY)]


def follow(page: str, name: str, run: Callable[[str], str]) -> Iterator[tuple[Block, str]]:
    """Do what a page says in the current folder; give every block with what it printed."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(page):
        printed = ""
        if block.title:
            Path(block.title).write_text(block.content, encoding="utf-8")
        elif block.language == PYTHON:
            # As many empty lines before it that an error names the line of the page.
            padding = "\n" * page.count("\n", 0, block.start)
            with contextlib.redirect_stdout(io.StringIO()) as output:
                exec(compile(padding + block.content, name, "exec"), namespace)  # noqa: S102
            printed = output.getvalue()
        elif block.language == SHELL:
            printed = "".join(run(command) for command in commands(block))
        yield block, printed


def same(expected: str, printed: str) -> bool:
    """Whether two texts say the same, numbers as far as training is the same on two machines."""
    if NUMBER.sub("#", expected).split() != NUMBER.sub("#", printed).split():
        return False
    pairs = zip(NUMBER.findall(expected), NUMBER.findall(printed), strict=True)
    return all(a == b or abs(_number(a) - _number(b)) <= _slack(a) for a, b in pairs)


def _number(text: str) -> float:
    return float(text.rstrip("%").rstrip().replace(",", ""))


def _slack(text: str) -> float:
    """So many points of a percentage, 10 % of a power of ten; a whole number must be the same."""
    if text.endswith("%"):
        return POINTS
    if "e" in text:
        return abs(_number(text)) / 10
    return DECIMALS if "." in text else 0


def shorter(command: str) -> str:
    """The command with less to do, where it would train on MNIST for minutes or hours."""
    small = any(name in command for name in ("digits", ".toml"))
    if command.startswith("smallworld-eqprop train") and not small:
        return f"{command} --epochs 1 --train-examples 200"
    return command


def run(command: str) -> str:
    """Run a command in a shell, and stop if it fails."""
    command = shorter(command)
    print(f"  $ {command}", flush=True)
    return subprocess.run(command, shell=True, check=True, stdout=subprocess.PIPE, text=True).stdout


def walk(path: Path, write: bool) -> bool:
    """Follow one page in an empty folder; say what it prints that the page does not."""
    page = path.read_text(encoding="utf-8")
    begin, good, pieces, done = time.monotonic(), True, [], 0
    before, printed = None, ""
    for block, output in follow(page, str(path), run):
        if block.language == TEXT and before is not None and printed:
            if not same(block.content, printed):
                good = False
                print(f"  after {before.content.splitlines()[-1]!r} expected:\n{block.content}")
                print(f"  printed:\n{printed}")
            pieces += [page[done : block.start], printed.rstrip("\n") + "\n"]
            done = block.end
        before, printed = block, output
    for picture in PICTURE.findall(page):
        if write and Path(picture).exists():
            shutil.copy(picture, ROOT / "docs" / "figures" / picture)
    if write:
        path.write_text("".join(pieces) + page[done:], encoding="utf-8")
    print(f"  {'as it says' if good else 'NOT as it says'}, {time.monotonic() - begin:.0f} s")
    return good or write


def main() -> int:
    """Follow the pages that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("pages", nargs="*", default=PAGES)
    parser.add_argument("--write", action="store_true", help="put what is printed into the pages")
    options = parser.parse_args()
    os.environ.setdefault("MPLBACKEND", "Agg")
    sys.path.insert(0, "")  # as for a Python that is started in the folder
    # Commands are those of this Python, as in an activated environment.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    good = True
    for name in options.pages:
        print(name, flush=True)
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            good &= walk(ROOT / name, options.write)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
