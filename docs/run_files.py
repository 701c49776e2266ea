"""Writes the tables of run-files.md, from the classes that run files are read into.

python docs/run_files.py            says whether the page is up to date
python docs/run_files.py --write    brings it up to date
"""

from __future__ import annotations

import argparse
import dataclasses
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.learning.config import SLOTS, TrainingConfig
from smallworld_eqprop.parts import type_name
from smallworld_eqprop.specs import Slot, write_spec
from smallworld_eqprop.studies.config import RunConfig
from smallworld_eqprop.studies.flat import ORDER, TABLES, fields_of, part_of

PAGE = Path(__file__).with_name("run-files.md")
BEGIN, END = "<!-- made by docs/run_files.py -->\n", "<!-- end -->\n"
FREE = {"initial": Initial, "training": TrainingConfig}
ABOUT = {
    "data": "The data set.",
    "topology": "The graph that is trained. Random draws come from the seed of the run.",
    "model": "The physics of the network.",
    "rule": "The learning rule: the gradient of a batch.",
    "loss": "The cost of the outputs.",
    "optimiser": "The step of the parameters for a gradient.",
    "relaxation": "The solver of the free phase; `rule.solver` is the solver of the later phases.",
    "transform": "Changes to the inputs of every training batch; none when left out. "
    "For several, write a table `[[transform]]` for each, or a list: they act in this order.",
    "hardware": "The devices of a chip; an ideal network when left out. For several, write a table "
    "`[[hardware]]` for each, or a list: they act in this order. See [hardware](hardware.md).",
    "rewire": "Edges that move while the network is trained; none when left out. See "
    "[growing](growing.md).",
    "schedule": "A learning rate that changes during training. It replaces a number: `learning_"
    'rate = { kind = "cosine", rate = 0.1, epochs = 10 }`. Steps are counted in batches.',
    "initial": "The initial weights; a table without a kind.",
    "training": "All other settings; a table without a kind.",
}
SECTION = re.compile(r"^(?:Parameters|Attributes)\n-+\n(.*?)(?=^\w+\n-+\n|\Z)", re.M | re.S)
ENTRY = re.compile(r"^(\w+(?:, \w+)*)(?: : [^\n]*)?\n((?:(?: +[^\n]*)?\n)*)", re.M)


def meanings(kind: Any) -> dict[str, str]:
    """What the docstrings of a class and its bases say about its fields."""
    found: dict[str, str] = {}
    for owner in reversed(kind.__mro__):
        text = inspect.cleandoc(owner.__dict__.get("__doc__") or "") + "\n"
        for section in SECTION.findall(text):
            for names, told in ENTRY.findall(section):
                for name in names.split(", "):
                    if not (name in found and told.strip().startswith("As in ")):
                        found[name] = markdown(told)
    return found


def markdown(text: str) -> str:
    """One line of a docstring for a table."""
    text = re.sub(r":math:`([^`]*)`", r"\1", " ".join(text.split()))
    return text.replace("``", "`").replace("|", "\\|")


def summary(kind: Any) -> str:
    """The first line of the docstring, without formulas."""
    line = inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
    return re.sub(r",? *:math:`[^`]*`", "", " ".join(line.split())).replace("``", "`")


def toml(value: Any) -> str:
    """A value as it is written in a run file."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    return repr(value) if isinstance(value, float) else json.dumps(value)


def default_of(field: dataclasses.Field, slots: tuple[Slot, ...]) -> str:
    """The default of a field; an em dash where there is none, and nothing where it is nothing."""
    value = field.default
    if field.default_factory is not dataclasses.MISSING:
        value = field.default_factory()
    if value is dataclasses.MISSING:
        return "must be given"
    if value is None:
        return "nothing"
    slot = next((slot for slot in slots if isinstance(value, slot.base)), None)
    return f"`{toml(value if slot is None else write_spec(slot, value, slots))}`"


def type_of(hint: Any) -> str:
    """The type of a field; of objects a link to what may stand there."""
    bases = {slot.base: slot.name for slot in ALL}
    words = []
    for option in get_args(hint) if get_origin(hint) is not None and not _plain(hint) else (hint,):
        if option in bases:
            words.append(f"[{bases[option]}](#{bases[option]})")
        elif get_origin(option) is tuple:
            words.append(f"list of {type_of(get_args(option)[0])}")
        elif option is not type(None):
            words.append(type_name(option).replace("|", "\\|"))
    return " or ".join(words)


def _plain(hint: Any) -> bool:
    return get_origin(hint) is tuple or "Literal" in str(get_origin(hint))


def rows(kind: Any) -> list[str]:
    """One row of a table for every field."""
    hints, told = get_type_hints(kind), meanings(kind)
    known = {field.name: field for field in dataclasses.fields(kind)}
    cells = (
        (f"`{name}`", type_of(hints[name]), default_of(known[name], ALL), told.get(name, ""))
        for name in fields_of(kind)
    )
    return [f"| {' | '.join(each)} |" for each in cells]


def table(kind: Any) -> Iterator[str]:
    """The fields of a kind."""
    if found := rows(kind):
        yield from ("| key | type | default | meaning |", "| --- | --- | --- | --- |", *found, "")


def sections() -> Iterator[str]:
    """The whole reference, line by line."""
    for name in (*ORDER[: len(TABLES)], "schedule", *FREE):
        yield from (f"## {name}", "", ABOUT[name], "")
        if name in FREE:
            yield from table(FREE[name])
            continue
        slot = next(slot for slot in ALL if slot.name == name)
        alike: dict[tuple[str, ...], list[str]] = {}
        for kind, owner in slot.kinds.items():
            alike.setdefault(tuple(rows(owner)), []).append(kind)
        for kinds in alike.values():
            for kind in kinds:
                yield from (f"`kind = {toml(kind)}`", f":   {summary(slot.kinds[kind])}", "")
            yield from table(slot.kinds[kinds[0]])
        if name != "schedule":
            default = part_of(RunConfig(), name)
            yield from (f"Default: `{toml(write_spec(slot, default, ALL))}`.", "")


ALL = (*TABLES.values(), *(slot for slot in SLOTS if slot.name not in TABLES))


def page(text: str) -> str:
    """The page with its reference as it should be."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n" + "\n".join(sections()) + f"\n{END}{after}"


def main() -> int:
    """Compare or write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--write", action="store_true")
    old = PAGE.read_text(encoding="utf-8")
    new = page(old)
    if parser.parse_args().write:
        PAGE.write_text(new, encoding="utf-8")
    elif new != old:
        sys.stderr.write(f"{PAGE} is not up to date: python docs/run_files.py --write\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
