"""What a page consists of, and how it becomes one HTML file without any link to outside."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, ClassVar

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from smallworld_eqprop._version import __version__

__all__ = [
    "Explorer",
    "Page",
    "Picture",
    "Section",
    "Table",
    "Tile",
    "percent",
    "render",
    "value_text",
]


@dataclass(frozen=True)
class Tile:
    """One figure to see first."""

    label: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Picture:
    """An inline SVG; `alt` says in words what it shows, `caption` how to read it."""

    kind: ClassVar[str] = "picture"
    svg: str
    alt: str
    caption: str = ""

    @property
    def markup(self) -> Markup:
        """The SVG as it stands: it comes from matplotlib, which escapes all texts."""
        return Markup(self.svg)


@dataclass(frozen=True)
class Table:
    """Rows of texts; the first column is the heading of its row, the others are numbers.

    A folded table shows its caption only, until it is opened. An explored one can be sorted and
    filtered, see table.js.
    """

    kind: ClassVar[str] = "table"
    caption: str
    rows: Sequence[Sequence[str]]
    header: Sequence[str] = ()
    folded: bool = False
    texts: bool = False
    explored: bool = False


@dataclass(frozen=True)
class Explorer:
    """The interactive scatter; see explorer.js for what `data` holds."""

    kind: ClassVar[str] = "explorer"
    data: dict[str, Any]

    @property
    def markup(self) -> Markup:
        """JSON that cannot end the script element it stands in."""
        text = json.dumps(self.data, allow_nan=False, separators=(",", ":"))
        return Markup(text.replace("<", "\\u003c"))


@dataclass(frozen=True)
class Section:
    """A part of the page under a heading."""

    title: str
    blocks: Sequence[Picture | Table | Explorer]
    text: str = ""


@dataclass(frozen=True)
class Page:
    """A whole page; `answer` is what a reader wants to know first, one sentence each."""

    title: str
    kind: str
    summary: str = ""
    answer: Sequence[str] = ()
    tiles: Sequence[Tile] = ()
    sections: Sequence[Section] = field(default_factory=tuple)


def render(page: Page) -> str:
    """Write a page as HTML."""
    blocks = [block for part in page.sections for block in part.blocks]
    scripts = {
        "explorer.js": any(isinstance(block, Explorer) for block in blocks),
        "table.js": any(isinstance(block, Table) and block.explored for block in blocks),
    }
    return (
        _environment()
        .from_string(_read("page.html.jinja"))
        .render(
            page=page,
            version=__version__,
            style=Markup(_read("page.css")),
            scripts=[Markup(_read(name)) for name, needed in scripts.items() if needed],
        )
    )


def value_text(value: Any) -> str:
    """Write a value for people.

    Examples
    --------
    >>> value_text(1271250.0), value_text(0.123456), value_text(None), value_text([784, 10])
    ('1,271,250', '0.1235', 'none', '784, 10')
    >>> value_text(True), value_text(np.False_)
    ('yes', 'no')
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return "none"
    if isinstance(value, float) and math.isnan(value):
        return "undefined"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(value_text, value))
    if isinstance(value, int | float):
        if float(value).is_integer() and abs(value) < 1e15:
            return f"{value:,.0f}"
        return f"{value:.4g}"
    return str(value)


def percent(share: float) -> str:
    """Write a share in percent.

    Examples
    --------
    >>> percent(0.0657), percent(float("nan"))
    ('6.57 %', 'undefined')
    """
    return "undefined" if math.isnan(share) else f"{100 * share:.2f} %"


@cache
def _environment() -> Environment:
    return Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
