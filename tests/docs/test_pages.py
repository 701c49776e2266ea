from __future__ import annotations

import re
import shlex
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import walk

from smallworld_eqprop.cli import main
from smallworld_eqprop.presets import preset_names

ROOT = Path(__file__).resolve().parents[2]


def smaller(command):
    """The words of a command, with less to do than it has even in a walk."""
    words = shlex.split(command)
    if words[1:2] == ["train"] and "digits" not in command and ".toml" not in command:
        words += ["--dataset=digits", "--set=layer_sizes=64,9,9,9,9,9,10", "--p=0.1", "--epochs=1"]
    if words[1:2] == ["metrics"] and words[2] in preset_names():
        Path("small.toml").write_text("topology.layer_sizes = [64, 9, 9, 10]\n")
        words[2] = "small.toml"
    return words


# `make walk` follows the other one, which trains 63 networks.
@pytest.mark.parametrize("name", [p for p in walk.PAGES if p != "docs/does-structure-help.md"])
def test_every_block_of_a_page_runs(name, little_to_do, capsys):
    """With few data, so without looking at the numbers: those are compared by `make walk`."""

    def run(command):
        words = smaller(command)
        if words[0] == "smallworld-eqprop":
            assert main(words[1:]) == 0, capsys.readouterr().err
            return ""
        assert words[:2] == ["pip", "install"], command
        return ""

    page = (ROOT / name).read_text(encoding="utf-8")
    done = [block for block, _ in walk.follow(page, name, run)]
    plt.close("all")
    assert len(done) >= 2


def test_every_page_that_a_newcomer_follows_is_walked():
    pages = {"README.md", *(f"docs/{name}.md" for name in ("start", "run-files", "own-data"))}
    pages |= {"docs/does-structure-help.md", "docs/rules.md"}
    for folder in ("tutorials", "extend"):
        pages |= {str(page.relative_to(ROOT)) for page in (ROOT / "docs" / folder).glob("*.md")}
    assert set(walk.PAGES) == pages


@pytest.mark.parametrize(
    ("expected", "printed", "same"),
    [
        ("error 12.0 %", "error 13.1 %\n", True),
        ("error 12.0 %", "error 18.0 %\n", False),
        ("3% wrong", "8% wrong", True),
        ("3% wrong", "9% wrong", False),
        ("log-spread 0.44", "log-spread 0.48", True),
        ("log-spread 0.44", "log-spread 0.50", False),
        ("0-1 1.7e-04", "0-1 1.8e-04", True),
        ("0-1 1.7e-04", "0-1 2.0e-04", False),
        ("62168.00 pitches", "62169.00 pitches", False),
        ("15 runs", "16 runs", False),
        ("error 12.0 %", "cost 12.0\n", False),
        ("27,400 edges", "27,400 edges", True),
        ("a\n 1  2", "a\n1 2", True),
        ("p = 0", "p = 1", False),
    ],
)
def test_outputs_are_compared_number_by_number(expected, printed, same):
    assert walk.same(expected, printed) is same


def test_what_a_walk_takes_from_a_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (
        '# Page\n\n```toml title="a.toml"\nx = 1\n```\n\n```python\nx = 2\nprint(x)\n```\n\n'
        "```text\n2\n```\n\n```sh\nsmallworld-eqprop train a.toml \\\n    --seed 1  # why\n"
        "make test\n```\n"
    )
    ran = []
    followed = list(walk.follow(page, "page", lambda command: ran.append(command) or "said"))
    assert [printed for _, printed in followed] == ["", "2\n", "", "said"]
    assert Path("a.toml").read_text() == "x = 1\n"
    assert [re.sub(" +", " ", command) for command in ran] == [
        "smallworld-eqprop train a.toml --seed 1"
    ]


def test_an_error_names_the_line_of_the_page():
    page = "# Page\n\n```python\nx = 1\nx.nothing\n```\n"
    with pytest.raises(AttributeError) as caught:
        list(walk.follow(page, "page.md", str))
    last = caught.traceback[-1]
    assert (Path(str(last.path)).name, last.lineno + 1) == ("page.md", 5)
