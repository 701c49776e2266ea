"""The reference of run files says what the classes say."""

from __future__ import annotations

import dataclasses
import re
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from smallworld_eqprop import RunConfig
from smallworld_eqprop.learning.config import SLOTS
from smallworld_eqprop.specs import read_spec
from smallworld_eqprop.studies.flat import TABLES

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "docs"))
run_files = import_module("run_files")

TEXT = run_files.PAGE.read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)` \| (.*) \| (.*) \| (.*) \|$", re.M)


def test_the_reference_is_up_to_date():
    assert run_files.page(TEXT) == TEXT, "python docs/run_files.py --write"


def test_every_table_kind_and_key_is_there():
    sections = {
        part.partition("\n")[0]: part for part in TEXT.partition(run_files.BEGIN)[2].split("\n## ")
    }
    for slot in run_files.ALL:
        for kind, owner in slot.kinds.items():
            assert f'`kind = "{kind}"`' in sections[slot.name]
            for field in dataclasses.fields(owner):
                if field.init:
                    assert f"| `{field.name}` |" in sections[slot.name], (slot.name, kind)
    assert set(sections) - {"", "\n"} >= {*TABLES, "schedule", "initial", "training"}


def test_every_key_has_a_meaning_and_a_type():
    rows = ROW.findall(TEXT)
    assert len(rows) > 60
    for key, kind, default, meaning in rows:
        assert kind.strip(), key
        assert default.strip(), key
        assert meaning.strip(), key


def test_every_default_that_is_printed_is_one():
    for key, _, default, _ in ROW.findall(TEXT.partition(run_files.BEGIN)[2]):
        if default.startswith("`"):
            tomllib.loads(f"{key} = {default.strip('`')}")
    for line in re.findall(r"^Default: `(.*)`\.$", TEXT, re.M):
        table = tomllib.loads(f"x = {line}")["x"]
        slots = [slot for slot in TABLES.values() if table["kind"] in slot.kinds]
        assert any(read_spec(slot, table, SLOTS) in parts() for slot in slots)


def parts():
    config = RunConfig()
    return [config.topology, config.data, *vars(config.training).values()]


@pytest.mark.parametrize(
    ("hint", "words"),
    [
        (float | None, "float"),
        (tuple[int, ...], "list of int"),
        (SLOTS[1].base, "[rule](#rule)"),
        (float | tuple[float, ...] | None, "float or list of float"),
    ],
)
def test_types_in_words(hint, words):
    assert run_files.type_of(hint) == words


def test_what_is_inherited_is_told_by_the_base():
    @dataclasses.dataclass
    class Base:
        """One.

        Attributes
        ----------
        a, b : int
            Both of
            them.
        c : int
        """

    class Inner(Base):
        """Two.

        Attributes
        ----------
        a
            As in `Base`.
        b : int
            Only ``b``.

        Raises
        ------
        Nothing
        """

    assert run_files.meanings(Inner) == {"a": "Both of them.", "b": "Only `b`.", "c": ""}
