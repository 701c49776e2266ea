from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import smallworld_eqprop

ROOT = Path(__file__).resolve().parents[2]


def test_every_public_name_has_its_place_in_the_reference():
    pages = (ROOT / "docs" / "api").glob("*.md")
    listed = re.findall(
        r"^::: smallworld_eqprop\.(\w+)$", "".join(map(Path.read_text, pages)), re.M
    )
    assert sorted(listed) == sorted(set(smallworld_eqprop.__all__) - {"__version__"})


def messages() -> Iterator[str]:
    """Every text in the source, with … in place of what is put into it at run time."""
    for path in (ROOT / "smallworld_eqprop").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant) else "…"
                    for part in node.values
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_every_message_of_the_troubleshooting_page_is_one_of_ours():
    page = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    named = re.findall(r"^### `(.*)`$", page, re.M)
    assert len(named) == page.count("\n### ")
    source = list(messages())
    assert [message for message in named if not any(message in text for text in source)] == []
