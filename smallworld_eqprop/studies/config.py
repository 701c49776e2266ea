"""What one run is: topology, data and training, resolved and checked before anything starts."""

from __future__ import annotations

import copy
import dataclasses
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smallworld_eqprop.data.spec import DATA, Data, named
from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.files import read_toml
from smallworld_eqprop.graphs.topology.base import Topology
from smallworld_eqprop.graphs.topology.families import Layered, Rewire
from smallworld_eqprop.graphs.topology.spec import TOPOLOGY
from smallworld_eqprop.learning.config import PARTS, TrainingConfig
from smallworld_eqprop.learning.config import SLOTS as LEARNING
from smallworld_eqprop.presets import read_preset
from smallworld_eqprop.specs import inner_table, read_fields, read_spec, write_fields, write_spec
from smallworld_eqprop.studies.flat import (
    TABLES,
    dotted,
    fields_of,
    flat_of,
    kinds_of,
    old_tables,
    part_of,
    path_of,
    with_kind,
)

__all__ = ["RunConfig", "identity_of"]

SLOTS = (TOPOLOGY, DATA, *LEARNING)
NAMES = ("name", "summary")
# The name of one folder, and no formula where a spreadsheet reads a table of runs.
FILE_NAME = re.compile(r"[^=+@./\\\s\x00-\x1f\x7f][^/\\\x00-\x1f\x7f]{0,199}")
FREE = ("initial", "training")  # tables without kinds
#: Tables that came later: a default is left out, so that keys of earlier runs stay.
LATER = ("transform", "hardware", "rewire")
MOVES = {"p", "moves", "law", "places"}
DEFAULT_TOPOLOGY, DEFAULT_DATA = Rewire(), named("mnist")


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the outcome of a run.

    Its written form, in TOML, JSON and Python dictionaries alike, is a table for every part:
    ``topology``, ``data``, ``initial``, ``model``, ``rule``, ``loss``, ``optimiser``,
    ``relaxation``, ``transform``, ``hardware``, ``rewire`` and ``training``. Each but ``initial``
    and ``training`` names its ``kind``; what is left out has its default.

    Attributes
    ----------
    name : str
        Of the preset it came from, or any other that can name a folder; does not influence the run.
    summary : str
        One line for people.
    topology : Topology
    data : Data
    training : TrainingConfig
        Its seed also seeds the topology, in a stream of its own.
    """

    name: str = "run"
    summary: str = ""
    topology: Topology = DEFAULT_TOPOLOGY
    data: Data = DEFAULT_DATA
    training: TrainingConfig = TrainingConfig()  # noqa: RUF009 frozen

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not FILE_NAME.fullmatch(self.name):
            raise InputError(
                f"name: {self.name!r:.60}; it is part of folder names and tables: give a str of up "
                "to 200 characters without / and \\, the first one none of = + @ . and no space"
            )
        for name, slot in (("topology", TOPOLOGY), ("data", DATA)):
            part = getattr(self, name)
            if not isinstance(part, slot.base):
                raise InputError(f"{name}: {part!r:.60}, must be a {slot.base.__name__}")
        if isinstance(self.topology, Layered):
            self.training.check_layers(len(self.topology.layer_sizes))

    @classmethod
    def preset(cls, name: str, **changes: Any) -> RunConfig:
        """The preset of that name, with changes by key, e.g. ``preset("layered-5x100", seed=1)``.

        Raises
        ------
        InputError
            If the preset or a key is unknown, or a value is not usable.
        """
        return cls.from_dict(read_preset(name)).changed(**changes)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """From nested tables as in a preset file; unknown keys are errors.

        Tables of versions before 0.2, without kinds, are read too.
        """
        tables = old_tables(values)
        allowed = (*NAMES, *TABLES, "initial", "training")
        for key in tables:
            if key not in allowed:
                raise InputError(f"unknown key {key!r}; {nearest(key, allowed)}")
        parts = {key: tables[key] for key in NAMES if key in tables}
        if not isinstance(parts.get("summary", ""), str):
            raise InputError(f"summary: {parts['summary']!r}, must be str")
        for key, slot in TABLES.items():
            if key in tables:
                parts[key] = read_spec(slot, tables[key], SLOTS)
        training = dict(_table(tables, "training"))
        for key in training:
            if key in PARTS:
                raise InputError(f"unknown key 'training.{key}'; write [{key}], a table of its own")
            if key not in (known := fields_of(TrainingConfig)):
                raise InputError(f"unknown key 'training.{key}'; {nearest(key, known)}")
        for key in PARTS:
            if key in parts:
                training[key] = parts.pop(key)
        if "initial" in tables:
            initial = type(TrainingConfig.initial)
            training["initial"] = read_fields(initial, _table(tables, "initial"), (), "initial.")
        parts["training"] = read_fields(TrainingConfig, training, LEARNING, "training.")
        return cls(**parts)

    @classmethod
    def from_toml(cls, path: str | Path) -> RunConfig:
        """From a TOML file with the tables of a preset; its name is the file's.

        Raises
        ------
        InputError
            If the file cannot be read, or a key or value is not usable.
        """
        path = Path(path)
        try:
            return cls.from_dict({"name": path.stem, **read_toml(path)})
        except InputError as error:
            raise InputError(_located(error, path)) from None

    def to_dict(self) -> dict[str, Any]:
        """As nested tables that `from_dict` and JSON understand; defaults are left out.

        Raises
        ------
        InputError
            If a part cannot be written, because it cannot be imported by its name.
        """
        tables = self.tables()
        for key, slot in TABLES.items():
            default = key in LATER and tables[key] == part_of(RunConfig, key)
            tables[key] = None if default else write_spec(slot, tables[key], SLOTS)
        return {key: value for key, value in tables.items() if value or key in NAMES}

    def flat(self) -> dict[str, Any]:
        """Every key and its value, out of their tables, as `changed` names them."""
        return flat_of(self)

    def changed(self, **changes: Any) -> RunConfig:
        """A copy with some keys changed, wherever in the tables they live.

        A key is the name of a table, whose value is a kind, a table or an object; or the name of a
        field, with its table in front where it is not the only one: ``p=0.1``,
        ``rule="centred"``, ``changed(**{"rule.solver.steps": 12})``. A table without a kind
        changes the fields that it names: ``rule={"beta": 0.1}``. Of a field that is given alone and
        in a table as well, the later one counts.

        Raises
        ------
        InputError
            If a key is unknown or a value is not usable.
        """
        changes = dotted(changes)
        kinds = kinds_of(changes)
        values: dict[tuple[str, ...], Any] = {}
        for key, value in changes.items():
            path = path_of(self, key, kinds)
            if path in values:
                raise InputError(f"{'.'.join(path)}: given twice, once as {key}; give one of them")
            if isinstance(value, Mapping):
                inside = {(*path, name) for name in value}
                values = {known: each for known, each in values.items() if known not in inside}
            # A copy, because fields may be written into tables, and a study gives one to many runs.
            values[path] = copy.deepcopy(value)
        # p and moves say the same thing in two ways: the one asked for takes the other's place.
        p, moves = values.get(("topology", "p")), values.get(("topology", "moves"))
        if p is not None and moves is not None:
            raise InputError(f"p: {p} and moves: {moves}; give one of them")
        if p is not None and "moves" in fields_of(kinds.get("topology", self.topology)):
            values["topology", "moves"] = None
        if moves is not None:
            values = {("topology", "p"): 0.0, ("topology", "law"): "moves", **values}
        tables = self.tables()
        # Kinds first, so that fields are those of the new ones.
        for path, value in sorted(values.items(), key=lambda item: len(item[0])):
            self._put(tables, path, value)
        found = self.from_dict(tables)
        # The summary told what was there before.
        same = dataclasses.replace(found.training, seed=self.training.seed, device="numpy")
        before = dataclasses.replace(self.training, device="numpy")
        kept = (found.topology, found.data, same) == (self.topology, self.data, before)
        if "summary" not in changes and not kept:
            found = dataclasses.replace(found, summary="")
        return found

    def tables(self) -> dict[str, Any]:
        """The parts by the names of their tables, which `from_dict` takes as they are."""
        parts = {key: part_of(self, key) for key in TABLES}
        initial, training = (write_fields(part_of(self, key), LEARNING, PARTS) for key in FREE)
        names = {"name": self.name, "summary": self.summary}
        return {**names, **parts, "initial": initial, "training": training}

    @staticmethod
    def _put(tables: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
        """Set a key in the tables; parts in its way become tables."""
        table, *inner = path
        if table in NAMES:
            tables[table] = value
            return
        slot = TABLES.get(table)
        if slot is not None and not isinstance(tables[table], Mapping):
            tables[table] = write_spec(slot, tables[table], SLOTS)
        if not inner:
            if isinstance(value, str):
                value = with_kind(table, tables[table], value)
            tables[table] = value
            return
        if table == "topology" and tables[table]["kind"] == "layered" and inner[0] in MOVES:
            tables[table]["kind"] = "rewire"
        place, where = tables[table], table
        for name in inner[:-1]:
            if slot is None:
                raise InputError(f"{'.'.join(path)}: {name} has no fields")
            slot, place[name] = inner_table(slot, place, name, SLOTS, where)
            place, where = place[name], f"{where}.{name}"
        place[inner[-1]] = value

    @property
    def regression(self) -> bool:
        """Whether outcomes are mean costs, not shares of wrong examples."""
        return self.data.task == "regression"

    @property
    def key(self) -> str:
        """Hash of all that decides the outcome: equal keys mean equal runs.

        The device is left out: a run may be continued on another. For files the key contains the
        hash of the content, not the path.
        """
        # Where no edge is moved, the network is the layered one.
        if type(self.topology) is Rewire and not self.topology.p and self.topology.moves is None:
            known = {name: getattr(self.topology, name) for name in fields_of(Layered)}
            return dataclasses.replace(self, topology=Layered(**known)).key
        values = self.to_dict()
        del values["name"], values["summary"]
        values["training"] = {k: v for k, v in values.get("training", {}).items() if k != "device"}
        for key in ("topology", "data"):
            if (identity := identity_of(getattr(self, key))) is not None:
                values[key] = {"kind": values[key]["kind"], **identity}
        text = json.dumps(values, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def identity_of(part: Any) -> dict[str, Any] | None:
    """What decides the outcome of a topology or data set that holds more than that, as files do."""
    identity = getattr(part, "identity", None)
    return None if identity is None else identity()


def _table(tables: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = tables.get(key, {})
    if not isinstance(table, Mapping):
        raise InputError(f"{key}: {table!r}, must be a table")
    return table


def _located(error: InputError, path: Path) -> str:
    text = str(error)
    return text if text.startswith(str(path)) else f"{path}: {text}"
