"""Configurations with one value replaced, or with damaged text: refused, or trained as asked."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cases import REFUSED, RIGHT, WRONG, Tally, command, in_fork
from damage import damaged
from test_tampered import leaves

from smallworld_eqprop import InputError, Run, RunConfig, TrainingConfig, train
from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.specs import name_of
from smallworld_eqprop.studies.config import SLOTS
from smallworld_eqprop.studies.flat import TABLES, fields_of, part_of

#: What every case starts from: one epoch of it takes a twentieth of a second.
BASE = {
    "topology": {"kind": "rewire", "layer_sizes": [64, 6, 5, 10], "p": 0.1},
    "data": {"kind": "digits", "n_train": 20},
    "training": {"batch_size": 10},
}
#: Values of fields without a default.
GIVEN = {
    "inputs": 64, "hidden": 8, "outputs": 10, "edges": 12, "law": "random", "rows": 12, "size": 3,
    "path": "table.csv", "target": "y", "sha256": "0" * 64, "null": "erdos_renyi", "sample": 1,
    "of": {"kind": "layered", "layer_sizes": [64, 6, 10]}, "devices": [], "transforms": [],
    "rate": 0.3,
}  # fmt: skip
#: Inputs and outputs of data.
SHAPES = {"digits": (64, 10), "wine": (13, 3), "diabetes": (10, 1), "csv": (1, 3)}
#: What is put in the place of a value. Between them and the usual values are legal ones that train
#: for hours, such as a million sweeps.
BAD: list[Any] = [
    None, "", "word", "nan", "\0", "a\0b", "../../x", "=1+1", "k" * 100_000, "os:system", "1",
    "1, 2", True, False, 0, 1, 2, -1, 3, 2**31, -(2**31), 2**63, 10**30, 10**400, -(10**30),
    math.nan, math.inf, -math.inf, 1e300, -1e300, 1e39, 1e-320, -0.0, 0.5, -0.5, 1.5, [], [[]],
    [1, 2], [0.1, "a"], [math.nan], [-1, 0.5], [64, 10], [1] * 5000, [[[[[[1]]]]]], {}, {"a": {}},
    {"kind": None}, {"kind": "sgd"}, {"kind": "sor", "tolerance": -1}, {"kind": "os:path"},
]  # fmt: skip
KEYS = ("k" * 100_000, "unknown", "", "\0", "kind", "p", "a.b", "seed ", "__class__")


def attack_configs(tally: Tally, numbers: range, folder: Path) -> None:
    """Write a configuration of any kinds, damage it, and train it for an epoch."""
    (folder / "table.csv").write_text(
        "x,y\n" + "".join(f"{i % 7},{'abc'[i % 3]}\n" for i in range(30))
    )
    for kind in (
        "sor",
        "euler",
        "sweeps",
    ):  # what is compiled or imported then is not in every case
        Path(f"{kind}.toml").write_text(toml_text(BASE | {"relaxation": {"kind": kind}}))
        trained(folder / kind)
    for number in tally.until_late(numbers):
        rng = random.Random(f"{tally.seed} configs {number}")
        tables = random_tables(rng)
        places = [path for path in leaves(tables) if path]
        path = rng.choice(places)
        old = copy.deepcopy(looked_in(tables, path))
        value = rng.choice([rng.choice(BAD), rng.choice(near(old))])
        if rng.random() < 0.1:
            case = damaged_text(toml_text(tables), rng, folder / f"{number}")
            what = "damaged text"
        else:
            if rng.random() < 0.1:
                path = (*path[:1], rng.choice(KEYS))
            put(tables, path, value)
            case = replaced(tables, path, value, folder / f"{number}")
            what = f"{path!r:.200} = {value!r:.200} in {tables!r:.2000}"
        tally.add(number, in_fork(case), what)


def random_tables(rng: random.Random) -> dict[str, Any]:
    """The base, with a random kind in one or two places and all fields of it written."""
    tables = copy.deepcopy(BASE)
    for _ in range(rng.randint(1, 2)):
        slot = rng.choice(list(TABLES.values()))
        kind = rng.choice(list(slot.kinds))
        known = written(slot.kinds[kind])
        kept = {key: each for key, each in BASE.get(slot.name, {}).items() if key in known}
        tables[slot.name] = {**known, **kept, "kind": kind}
    if "layer_sizes" in tables["topology"]:
        first, last = SHAPES.get(tables["data"]["kind"], SHAPES["digits"])
        first *= 1 + (tables.get("model", {}).get("kind") == "resistive")  # both signs of inputs
        tables["topology"]["layer_sizes"] = [first, 6, 5, last]
    tables["initial"] = written(Initial)
    tables["training"] = {**written(TrainingConfig), **tables["training"]}
    return tables


def written(kind: type) -> dict[str, Any]:
    """All fields of a kind, as they stand in a file: defaults, and values for what has none."""
    found = {}
    for field in dataclasses.fields(kind):
        if field.name not in fields_of(kind):
            continue
        value: Any = field.default
        if value is dataclasses.MISSING and callable(field.default_factory):
            value = field.default_factory()
        if value is dataclasses.MISSING:
            value = GIVEN.get(field.name, 1)
        slot = next((each for each in SLOTS if type(value) in each.kinds.values()), None)
        if slot is not None:
            value = {"kind": name_of(slot, value), **written(type(value))}
        if value is not None:
            found[field.name] = list(value) if isinstance(value, tuple) else value
    return found


def looked_in(tables: Any, path: tuple[Any, ...]) -> Any:
    """The value at a path within tables and lists."""
    for key in path:
        tables = tables[key]
    return tables


def put(tables: dict[str, Any], path: tuple[Any, ...], value: Any) -> None:
    """Replace a value within tables and lists."""
    inner = looked_in(tables, path[:-1])
    if isinstance(inner, dict | list):
        inner[path[-1]] = value


def near(old: Any) -> list[Any]:
    """Values that are like one, and may be allowed in its place."""
    if isinstance(old, bool):
        return [not old, int(old)]
    if isinstance(old, int | float):
        return [old + 1, 2 * old, 10 * old, old / 2, old / 10, 0, -old, str(old), [old], [old] * 3]
    return [[old], old * 2 if isinstance(old, str | list) else {}, str(old)]


def replaced(
    tables: dict[str, Any], path: tuple[Any, ...], value: Any, out: Path
) -> Callable[[], str]:
    """A case: training of tables in which the value at a path was replaced."""

    def case() -> str:
        if value is None or value == {"kind": None}:  # Python has it, TOML has not
            try:
                train(RunConfig.from_dict(tables), out, epochs=1)
            except InputError as error:
                return REFUSED if "\n" not in str(error) else f"traceback {error}"
        else:
            out.with_suffix(".toml").write_text(toml_text(tables))
            told, _ = trained(out)
            if told != RIGHT:
                return told
        run = Run(out)
        if not run.history["training_error"].between(0, 1e30).all():
            return f"{WRONG} {run.history.to_dict()}"
        found = looked_up(run.config, path)
        if found is not path and not same(value, found):
            return f"{WRONG} asked for {value!r:.200}, but the run has {found!r:.200}"
        return RIGHT

    return case


def damaged_text(text: str, rng: random.Random, out: Path) -> Callable[[], str]:
    """A case: training of a run file of which the text was damaged."""
    content = damaged(text.encode(), rng)

    def case() -> str:
        out.with_suffix(".toml").write_bytes(content)
        return trained(out)[0]

    return case


def trained(out: Path) -> tuple[str, str]:
    """Train the run file beside a folder for one epoch."""
    file = str(out.with_suffix(".toml"))
    return command("train", file, "--epochs", "1", "--out", str(out), "--threads", "1")


def looked_up(config: RunConfig, path: tuple[Any, ...]) -> Any:
    """The value at a path in a configuration as it was read; the path where there is none."""
    table, *names = [key for key in path if not isinstance(key, int)]
    if not names or len(names) != len(path) - 1 or "kind" in names:
        return path  # a whole table, or one number of a list
    found: Any = part_of(config, table)
    for name in names:
        if not hasattr(found, name):
            return path
        found = getattr(found, name)
    return found


def same(asked: Any, found: Any) -> bool:
    """Whether a value is what was asked for; True is no number, a list is a tuple."""
    if isinstance(asked, dict):
        return True
    if isinstance(asked, list):
        return len(asked) == len(found) and all(map(same, asked, found))
    if isinstance(found, float) and isinstance(asked, int):
        asked = asked if isinstance(asked, bool) else float(asked)  # as exact as a float can be
    return isinstance(asked, bool) == isinstance(found, bool) and asked == found


def toml_text(tables: dict[str, Any]) -> str:
    """A run file of these tables."""
    return "".join(f"{json.dumps(key)} = {inline(value)}\n" for key, value in tables.items())


def inline(value: Any) -> str:
    """A value in TOML."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {inline(each)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(inline, value))}]"
    return json.dumps(value) if isinstance(value, str | bool) else str(value)
