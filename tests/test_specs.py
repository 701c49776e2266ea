"""Objects as tagged tables: what is written is read, and what cannot be is told in one line."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smallworld_eqprop.data.spec import DATA
from smallworld_eqprop.dynamics.euler import Euler
from smallworld_eqprop.dynamics.relaxation import Solver
from smallworld_eqprop.dynamics.sor import SOR
from smallworld_eqprop.errors import InputError
from smallworld_eqprop.learning.optimisers import SGD
from smallworld_eqprop.learning.rules import Centred, RandomSign
from smallworld_eqprop.learning.schedules import Constant
from smallworld_eqprop.specs import (
    Slot,
    importable,
    name_of,
    read_fields,
    read_spec,
    write_fields,
    write_spec,
)
from smallworld_eqprop.studies.config import SLOTS


class Shape:
    pass


@dataclass(frozen=True)
class Dot(Shape):
    pass


@dataclass(frozen=True)
class Box(Shape):
    width: float = 1.0
    sides: tuple[int, ...] = (4,)
    colour: Literal["red", "blue"] = "red"
    label: str | None = None
    filled: bool = False
    count: int = 1
    inner: Shape = Dot()
    weight: float | tuple[float, ...] | Shape = 0.5
    dash: float | None = 2.0
    names: tuple[str, ...] = field(default_factory=lambda: ("a", "b"))


@dataclass(frozen=True)
class Needy(Shape):
    size: int
    gap: int = 0


SHAPE = Slot("shape", Shape, {"dot": Dot, "box": Box, "needy": Needy})


def write(thing, slot=SHAPE, slots=(SHAPE,)):
    """Written, and through JSON."""
    return json.loads(json.dumps(write_spec(slot, thing, slots)))


def read(table, slot=SHAPE, slots=(SHAPE,), where=""):
    return read_spec(slot, table, slots, where)


def refused(call, *words):
    with pytest.raises(InputError) as caught:
        call()
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


# --- the kinds of the package ------------------------------------------------------------------

KINDS = [(slot, name) for slot in SLOTS for name in slot.kinds]
#: What must be given for kinds that need it.
NEEDED: dict[str, dict[str, Any]] = {
    "constant": {"rate": 0.5},
    "cosine": {"rate": 0.5, "steps": 10},
    "exponential": {"rate": 0.5, "half_life": 3.0},
    "steps": {"rate": 0.5, "at": [3]},
    "null": {"of": {"kind": "thin", "p": 0.5}},
    "file": {"path": "x.npz"},
    "hidden_graph": {"inputs": 4, "hidden": 9, "outputs": 2, "edges": 12, "law": "lattice"},
    "square": {"inputs": 4, "outputs": 2, "rows": 5},
    "king": {"inputs": 4, "outputs": 2, "rows": 5},
    "chimera": {"inputs": 4, "outputs": 2, "rows": 2},
    "pegasus": {"inputs": 4, "outputs": 2, "size": 3},
    "zephyr": {"inputs": 4, "outputs": 2, "size": 2},
    "warm-up": {"schedule": {"kind": "constant", "rate": 0.5}, "steps": 3},
    "dropout": {"rate": 0.5},
    "shift": {"pixels": 1},
    "csv": {"path": "x.csv", "target": "y"},
    "parquet": {"path": "x.parquet", "target": "y"},
    "npz": {"path": "x.npz"},
    "handed": {"sha256": "0" * 64},
    "programming-error": {"noise": 0.1},
    "drift": {"exponent": 0.05},
    "stuck": {"share": 0.1, "at": "programmed"},
    "resolution": {"bits": 8.0},
    "pulses": {"size": 0.01},
    "slew": {"rate": 0.5},
    "thermal": {"temperature": 0.1},
    "readout": {"bits": 4},
    "published": {"preset": "ecram-tang-2018"},
}


# What float32 holds; parts refuse larger numbers.
NUMBERS = st.floats(-1e38, 1e38) | st.sampled_from([float("inf"), -float("inf")])
# As large as a whole number may be that has no limits of its own.
WHOLE = st.integers(-(10**9), 10**9)


@pytest.mark.parametrize(("slot", "name"), KINDS, ids=lambda value: getattr(value, "name", value))
def test_every_kind_of_the_package_is_written_and_read(slot, name):
    table = {"kind": name, **NEEDED.get(name, {})}
    thing = read_spec(slot, table, SLOTS)
    assert type(thing) is slot.kinds[name]
    assert isinstance(thing, slot.base)
    assert write_spec(slot, thing, SLOTS) == table
    assert read_spec(slot, write(thing, slot, SLOTS), SLOTS) == thing
    assert name_of(slot, thing) == name
    if not NEEDED.get(name):
        assert read_spec(slot, name, SLOTS) == thing == slot.kinds[name]()
    assert read_spec(slot, thing, SLOTS) is thing
    refused(
        lambda: read_spec(slot, {**table, "nothing_like_it": 1}, SLOTS),
        f"unknown key '{slot.name}.nothing_like_it'; allowed: ",
    )


def test_objects_within_objects():
    rule, optimiser = (next(s for s in SLOTS if s.name == n) for n in ("rule", "optimiser"))
    thing = Centred(0.2, SOR(1e-6))
    table = {"kind": "centred", "solver": {"kind": "sor", "tolerance": 1e-6}}
    assert write_spec(rule, thing, SLOTS) == table
    assert read_spec(rule, table, SLOTS) == thing
    table["solver"] = "euler"
    assert read_spec(rule, table, SLOTS) == Centred(solver=Euler())
    table["solver"] = SOR(1e-3)
    assert read_spec(rule, table, SLOTS) == Centred(solver=SOR(1e-3))
    for rate in (0.1, (0.1, 0.2), Constant(0.1)):
        again = read_spec(optimiser, write(SGD(rate), optimiser, SLOTS), SLOTS)
        assert again == SGD(rate)
    table = {"kind": "centred", "solver": {"kind": "sor", "tolerence": 1}}
    refused(
        lambda: read_spec(rule, table, SLOTS),
        "unknown key 'rule.solver.tolerence'; did you mean tolerance?",
    )
    refused(
        lambda: read_spec(rule, {"kind": "centred", "solver": {"kind": "gauss"}}, SLOTS),
        "rule.solver: unknown kind 'gauss'; allowed: sor, euler",
    )
    refused(lambda: read_spec(rule, {"kind": "centred", "solver": 3}, SLOTS), "rule.solver: 3")
    refused(
        lambda: read_spec(
            rule, {"kind": "centred", "solver": {"kind": "sor", "tolerance": -1}}, SLOTS
        ),
        "rule.solver.tolerance: -1.0, must be above 0",
    )
    refused(
        lambda: read_spec(optimiser, {"kind": "sgd", "learning_rate": "abc"}, SLOTS),
        "optimiser.learning_rate: unknown kind 'abc'; allowed: constant, ",
        "for one of your own, or float, or list of float)",
    )


# --- writing -----------------------------------------------------------------------------------


def test_defaults_are_left_out():
    assert write(Box()) == {"kind": "box"}
    assert write(Box(width=2.0)) == {"kind": "box", "width": 2.0}
    assert write(Box(names=("a", "b"))) == {"kind": "box"}
    assert write(Box(inner=Box(count=3))) == {"kind": "box", "inner": {"kind": "box", "count": 3}}
    assert write_fields(Box(width=2.0, count=3), but=("count",)) == {"width": 2.0}


def test_nothing_is_written_where_it_is_no_default():
    assert write(Box(dash=None)) == {"kind": "box", "dash": None}
    assert read(write(Box(dash=None))).dash is None
    assert write(Box(label=None)) == {"kind": "box"}


def test_numbers_are_written_as_they_are_read():
    assert write(Box(width=1)) == write(Box(width=np.float64(1))) == {"kind": "box"}
    assert write(Box(count=np.int64(3))) == {"kind": "box", "count": 3}
    assert type(write(Box(width=np.float32(0.5)))["width"]) is float
    assert write(Box(sides=[4])) == {"kind": "box"}
    assert write(Box(weight=(1, np.float64(2)))) == {"kind": "box", "weight": [1.0, 2.0]}
    assert write(Box(filled=np.True_)) == {"kind": "box", "filled": True}


boxes = st.deferred(
    lambda: st.builds(
        Box,
        width=NUMBERS,
        sides=st.lists(WHOLE).map(tuple),
        colour=st.sampled_from(["red", "blue"]),
        label=st.none() | st.text(),
        filled=st.booleans(),
        count=WHOLE,
        inner=st.just(Dot()) | st.builds(Needy, WHOLE, WHOLE) | boxes,
        weight=NUMBERS | st.lists(NUMBERS).map(tuple) | st.just(Dot()),
        dash=st.none() | NUMBERS,
        names=st.lists(st.text()).map(tuple),
    )
)


@given(boxes)
def test_what_is_written_is_read(box):
    table = write(box)
    again = read(table)
    assert again == box
    assert write(again) == table


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"kind": "bxo"}, ["shape: unknown kind 'bxo'", "did you mean box?", "module:Class"]),
        ({"kind": "circle"}, ["shape: unknown kind 'circle'", "dot, box, needy"]),
        ("bxo", ["did you mean box?"]),
        ({}, ["shape.kind: None; give one of: dot, box, needy"]),
        ({"kind": 3}, ["shape.kind: 3"]),
        ({"kind": ["box"]}, ["shape.kind: ['box']"]),
        (3, ["shape: 3, must be a table with a kind"]),
        (None, ["shape: None, must be a table with a kind"]),
        ({"kind": "box", "witdh": 3}, ["unknown key 'shape.witdh'", "did you mean width?"]),
        ({"kind": "dot", "width": 3}, ["unknown key 'shape.width'"]),
        ({"kind": "needy"}, ["shape.size: must be given"]),
        ({"kind": "needy", "gap": 3}, ["shape.size: must be given"]),
        ({"kind": "box", "width": "x"}, ["shape.width: 'x', must be float"]),
        ({"kind": "box", "width": True}, ["shape.width: True, must be float"]),
        ({"kind": "box", "width": None}, ["shape.width: None, must be float"]),
        ({"kind": "box", "count": 1.5}, ["shape.count: 1.5, must be int"]),
        ({"kind": "box", "count": True}, ["shape.count: True, must be int"]),
        ({"kind": "box", "filled": 1}, ["shape.filled: 1, must be bool"]),
        ({"kind": "box", "sides": 3}, ["shape.sides: 3, must be list of int"]),
        ({"kind": "box", "sides": [3, "x"]}, ["shape.sides[1]: 'x', must be int"]),
        ({"kind": "box", "colour": "green"}, ["shape.colour: 'green', must be 'red', 'blue'"]),
        ({"kind": "box", "colour": ["red"]}, ["shape.colour: ['red']"]),
        ({"kind": "box", "label": 3}, ["shape.label: 3, must be str or nothing"]),
        (
            {"kind": "box", "weight": True},
            ["shape.weight: True, must be float or list of float or Shape"],
        ),
        ({"kind": "box", "inner": {"kind": "bxo"}}, ["shape.inner: unknown kind 'bxo'"]),
        (
            {"kind": "box", "inner": {"kind": "box", "count": "x"}},
            ["shape.inner.count: 'x', must be int"],
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_table(table, words):
    refused(lambda: read(table), *words)


def test_messages_name_the_table_as_it_is_called():
    refused(
        lambda: read({"kind": "box", "count": "x"}, where="grids 3.shape"), "grids 3.shape.count"
    )


def test_numbers_of_numpy_are_numbers():
    table = {"kind": "box", "width": np.float32(0.5), "count": np.int16(3), "filled": np.True_}
    box = read({**table, "sides": [np.int64(1), 2], "weight": (np.float64(1), 2)})
    assert box == Box(0.5, (1, 2), count=3, filled=True, weight=(1.0, 2.0))
    assert [type(v) for v in (box.width, box.count, box.filled)] == [float, int, bool]
    assert [type(each) for each in (*box.sides, *box.weight)] == [int, int, float, float]


def test_fields_alone_are_read_without_a_kind():
    assert read_fields(Needy, {"size": 3}, (), "needy.") == Needy(3)
    refused(lambda: read_fields(Needy, {"sise": 3}, (), "needy."), "'needy.sise'", "size")


# --- kinds of somebody else --------------------------------------------------------------------


@pytest.fixture
def module(monkeypatch):
    """A module that can be imported, with shapes of its own."""
    found = types.ModuleType("my_shapes")
    code = """
from dataclasses import dataclass
from smallworld_eqprop.dynamics.relaxation import Solver

@dataclass(frozen=True)
class Star(Shape):
    points: int = 5

class Bare(Shape):
    pass

class Outer:
    @dataclass(frozen=True)
    class Hidden(Shape):
        pass

def make():
    @dataclass(frozen=True)
    class Local(Shape):
        pass
    return Local()
"""
    monkeypatch.setitem(sys.modules, "my_shapes", found)
    found.Shape = Shape
    exec(code, found.__dict__)  # noqa: S102
    return found


def test_kinds_of_a_module_are_written_and_read(module):
    table = {"kind": "my_shapes:Star", "points": 7}
    star = read(table)
    assert star == module.Star(7)
    assert write(star) == table
    assert write(module.Star()) == {"kind": "my_shapes:Star"}
    assert read("my_shapes:Star") == module.Star()
    box = Box(inner=star)
    assert write(box) == {"kind": "box", "inner": table}
    assert read(write(box)) == box
    refused(lambda: read({**table, "poinst": 1}), "unknown key 'shape.poinst'", "points")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("my_shapes:Sun", ["shape.kind: 'my_shapes:Sun' cannot be imported"]),
        ("no_such_module:Sun", ["'no_such_module:Sun' cannot be imported", "no_such_module"]),
        (":Star", ["':Star' cannot be imported"]),
        ("my_shapes:", ["'my_shapes:' cannot be imported"]),
        ("my_shapes:Bare", ["'my_shapes:Bare' is not a dataclass"]),
        ("my_shapes:make", ["'my_shapes:make' is not a dataclass"]),
    ],
)
def test_what_cannot_be_imported_is_told(module, kind, words):
    refused(lambda: read({"kind": kind}), *words)
    refused(lambda: read(kind), *words)


def test_a_kind_of_another_slot_is_refused(module):
    solver = next(slot for slot in SLOTS if slot.base is Solver)
    refused(
        lambda: read_spec(solver, {"kind": "my_shapes:Star"}, SLOTS), "my_shapes:Star", "Solver"
    )


def test_a_module_is_found_as_python_finds_it(tmp_path, monkeypatch):
    (tmp_path / "fresh_shapes.py").write_text("Thing = 3\n")
    refused(lambda: importable("fresh_shapes:Thing", "x"), "x: 'fresh_shapes:Thing' cannot be")
    monkeypatch.syspath_prepend(tmp_path)
    assert importable("fresh_shapes:Thing", "x") == 3


def test_what_has_no_name_to_import_cannot_be_written(module):
    @dataclass(frozen=True)
    class Here(Shape):
        pass

    told = "make it a dataclass at the top of a module that can be imported"
    for thing in (Here(), module.make(), module.Outer.Hidden(), module.Bare()):
        refused(lambda thing=thing: write(thing), "shape: ", "cannot be written", told)
        refused(lambda thing=thing: write(Box(inner=thing)), "cannot be written", told)


def test_what_is_defined_in_a_script_cannot_be_written(module, monkeypatch):
    monkeypatch.setattr(module.Star, "__module__", "__main__")
    refused(lambda: write(module.Star()), "shape: Star(points=5) cannot be written")


def test_a_value_that_is_no_table_cannot_be_written():
    refused(lambda: write(Box(label=object())), "cannot be written in a configuration")


# --- keys --------------------------------------------------------------------------------------


def test_a_new_field_with_a_default_changes_nothing_written():
    @dataclass(frozen=True)
    class Older(Shape):
        width: float = 1.0

    @dataclass(frozen=True)
    class Newer(Shape):
        width: float = 1.0
        depth: float = 0.0

    old, new = (Slot("shape", Shape, {"shape": kind}) for kind in (Older, Newer))
    for width in (1.0, 2.0):
        assert write_spec(old, Older(width)) == write_spec(new, Newer(width))
    assert write_spec(new, Newer(depth=1)) != write_spec(new, Newer())


def test_a_class_without_fields_of_its_own_is_a_kind():
    assert {type(read_spec(DATA, name)).__name__ for name in DATA.kinds if name == "wine"} == {
        "Wine"
    }
    assert write_spec(DATA, read_spec(DATA, {"kind": "wine", "n_train": 3})) == {
        "kind": "wine",
        "n_train": 3,
    }


def test_the_nudge_of_the_paper_is_what_its_table_says():
    rule = next(slot for slot in SLOTS if slot.name == "rule")
    assert write_spec(rule, RandomSign(1.0, Euler(12)), SLOTS) == {
        "kind": "random-sign",
        "solver": {"kind": "euler", "steps": 12},
    }
