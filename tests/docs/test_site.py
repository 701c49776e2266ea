from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import smallworld_eqprop

ROOT = Path(__file__).resolve().parents[2]
NAME = re.compile(r"^from \.\w+ import \w+ as (\w+)$", re.M)


def public_paths() -> Iterator[str]:
    """Where every public name is imported from: the top where it is there, or its subpackage."""
    package = ROOT / "smallworld_eqprop"
    for stub in package.rglob("__init__.pyi"):
        parts = stub.relative_to(package.parent).parent.parts
        for name in NAME.findall(stub.read_text(encoding="utf-8")):
            if name not in smallworld_eqprop.__all__:
                yield ".".join((*parts, name))
    for name in smallworld_eqprop.__all__:
        if not inspect.ismodule(getattr(smallworld_eqprop, name)) and name != "__version__":
            yield f"smallworld_eqprop.{name}"


def test_every_public_name_has_its_place_in_the_reference():
    pages = (ROOT / "docs" / "api").glob("*.md")
    listed = re.findall(r"^::: ([\w.]+)$", "".join(map(Path.read_text, pages)), re.M)
    # These list their names without a stub.
    others = (
        "smallworld_eqprop.presets",
        "smallworld_eqprop.testing",
        "smallworld_eqprop.studies.report",
    )
    assert sorted(path for path in listed if not path.startswith(others)) == sorted(public_paths())


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
