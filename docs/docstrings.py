"""Turns the docstrings' numpydoc into what the site renders: formulas, references and links."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import griffe
from latex2mathml.converter import convert

FORMULA = re.compile(r"^( *)\.\. math:: *(.*(?:\n\1 +\S.*)*)", re.MULTILINE)
INLINE = re.compile(r":math:`([^`]+)`")
DOI = re.compile(r"(?:https://doi\.org/|\bdoi:)(10\.[^\s,)]*[^\s,).])")
ARXIV = re.compile(r"\barXiv:(\d+\.\d+)")
REFERENCES = re.compile(r"^References\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"^\.\. \[\d+\] ", re.MULTILINE)
# Names with a place on the pages of the API.
LISTED = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)
# Several parameters at once, of which only is said where they are described.
SAME = re.compile(r"^Parameters\n-+\n\w+(?:, \w+)+\n +(.*)\n(?=\n)", re.MULTILINE)
NAME = re.compile(r"(?<![`\[\w])`(?:smallworld_eqprop\.)?([\w.]+)`(?!`)")


class Docstrings(griffe.Extension):
    """What griffe leaves to the markup of a numpydoc docstring."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Rewrite all docstrings, now that all names are known."""
        pages = (Path(__file__).parent / "api").glob("*.md")
        listed = LISTED.findall("".join(page.read_text(encoding="utf-8") for page in pages))
        self.public = {path.rpartition(".")[2]: path for path in listed}
        self._rewrite(pkg)

    def _rewrite(self, thing: griffe.Object) -> None:
        if thing.docstring:
            thing.docstring.value = self.markdown(thing.docstring.value)
        for member in thing.members.values():
            if not member.is_alias:
                self._rewrite(member)

    def markdown(self, text: str) -> str:
        """The docstring with its reStructuredText turned into Markdown."""
        text = REFERENCES.sub(lambda m: f"References\n----------\n{entries(m[1])}", text)
        text = SAME.sub(r"**Parameters:** \1\n", text)
        text = FORMULA.sub(lambda m: f"\n{m[1]}{mathml(m[2], 'block')}\n", text)
        text = INLINE.sub(lambda m: mathml(m[1], "inline"), text)
        text = DOI.sub(r"[doi:\1](https://doi.org/\1)", text)
        text = ARXIV.sub(r"[arXiv:\1](https://arxiv.org/abs/\1)", text)
        return NAME.sub(self.link, text)

    def link(self, match: re.Match[str]) -> str:
        """A link to the public name that the text mentions, where it is one."""
        name = match[1]
        parts = name.split(".")
        if parts[0] not in self.public and parts[-1] in self.public:
            parts = parts[-1:]  # the full path of a public function
        if parts[0] not in self.public:
            return match[0]
        target = ".".join((self.public[parts[0]], *parts[1:]))
        if len(parts) > 1:  # attributes have no place of their own
            return (
                f'<autoref identifier="{target}" optional><code>{".".join(parts)}</code></autoref>'
            )
        return f"[`{parts[0]}`][{target}]"


def mathml(latex: str, display: str) -> str:
    """Give a formula as MathML, which browsers show without a script."""
    latex = re.sub(r"_\{([a-z]{3,})\}", r"_{\\text{\1}}", latex)
    made = convert(" ".join(latex.split()), display=display)
    # A formula that is wider than the page scrolls, by the keyboard too.
    return made.replace("<math ", '<math tabindex="0" ', 1) if display == "block" else made


def entries(text: str) -> str:
    """The entries of a list of references, one item each."""
    found = ENTRY.split(text) if ENTRY.search(text) else re.split(r"\n\n", text)
    return "\n".join(f"- {' '.join(entry.split())}" for entry in found if entry.strip())
