"""Keys of a run without their tables: to change one, to list all, and to read old files.

A field of a part goes by its own name. Where two parts have a field of that name, the later one in
the order of `ORDER` has its table in front, as has every field of a part within a part.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from smallworld_eqprop.data.spec import DATA
from smallworld_eqprop.dynamics.initial import Initial
from smallworld_eqprop.errors import InputError, closest, nearest
from smallworld_eqprop.graphs.topology.families import Layered, Rewire
from smallworld_eqprop.graphs.topology.spec import TOPOLOGY
from smallworld_eqprop.learning.config import PARTS, SLOTS, TrainingConfig
from smallworld_eqprop.specs import kind_of, name_of, write_spec

__all__ = [
    "ORDER",
    "TABLES",
    "dotted",
    "fields_of",
    "flat_of",
    "kinds_of",
    "old_tables",
    "part_of",
    "path_of",
    "with_kind",
]

#: Tables that name their kind.
TABLES = {slot.name: slot for slot in (DATA, TOPOLOGY, *SLOTS) if slot.name != "schedule"}
#: All tables, in the order in which their fields take the short names.
ORDER = (*TABLES, "initial", "training")
#: What tables of results call the kinds of topology and data.
COLUMNS = {"topology": "family", "data": "dataset"}
#: Keys that another kind of the same table understands, if it does.
KEPT = ("topology", "model")
#: Keys of versions before there were kinds, and what they are now.
OLD = {
    "nudged_steps": "rule.solver.steps",
    "free_steps": "relaxation.steps",
    "n_epochs": "epochs",
}


def part_of(config: Any, table: str) -> Any:
    """The object that a table of a run describes."""
    if table in ("topology", "data"):
        return getattr(config, table)
    return config.training if table == "training" else getattr(config.training, table)


def fields_of(thing: Any) -> list[str]:
    """Names of what can be set of an object or a class; of training what has no table."""
    names = [field.name for field in dataclasses.fields(thing) if field.init]
    owner = thing if isinstance(thing, type) else type(thing)
    return [name for name in names if owner is not TrainingConfig or name not in PARTS]


def dotted(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes with tables that name no kind taken apart, which so change single fields."""
    found: dict[str, Any] = {}
    for key, value in changes.items():
        inner: Mapping[str, Any] | None = None
        if isinstance(value, Initial | TrainingConfig):
            inner = {name: getattr(value, name) for name in fields_of(value)}
            if isinstance(value, TrainingConfig):
                found |= dotted({part: getattr(value, part) for part in PARTS})
        elif isinstance(value, Mapping) and "kind" not in value:
            inner = value
        if inner is None:
            found[key] = value
        else:
            found |= dotted({f"{key}.{name}": each for name, each in inner.items()})
    return found


def kinds_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Classes of the tables whose kind is among the changes.

    Raises
    ------
    InputError
        If there is no such kind.
    """
    found = {}
    for key, value in changes.items():
        table = table_of(key)
        if table not in TABLES:
            continue
        kind = value.get("kind") if isinstance(value, Mapping) else value
        if isinstance(kind, str):
            found[table] = kind_of(TABLES[table], kind, key)
        elif isinstance(value, TABLES[table].base):
            found[table] = type(value)
    return found


def table_of(name: str) -> str:
    """The table that a name stands for."""
    return next((table for table, column in COLUMNS.items() if column == name), name)


def path_of(config: Any, key: str, kinds: Mapping[str, Any] | None = None) -> tuple[str, ...]:
    """Table and fields of a key.

    Parameters
    ----------
    config : RunConfig
    key : str
    kinds : mapping, optional
        Classes of the tables whose kind is to be another one.

    Raises
    ------
    InputError
        If there is no such key.
    """
    if key in ("name", "summary"):
        return (key,)
    kinds = kinds or {}
    table, *inner = key.split(".")
    table = table_of(table)
    if table in ORDER and (inner or table in TABLES):
        return (table, *inner)
    for name in ORDER:
        if key not in TABLES and key in fields_of(kinds.get(name, part_of(config, name))):
            return (name, key)
    # A layered network is one in which no edge was moved.
    if kinds.get("topology", type(config.topology)) is Layered and key in fields_of(Rewire):
        return ("topology", key)
    if key in OLD:
        raise InputError(f"unknown key {key!r}; it is {OLD[key]} now")
    if owners := _owners(key):
        raise InputError(f"unknown key {key!r}; {owners}")
    fields = {name for kind in kinds.values() for name in fields_of(kind)}
    known = sorted({*TABLES, *COLUMNS.values(), *flat_of(config), *fields})
    guess = closest(key, [*known, *known_keys()])
    if guess is None or guess in known:
        raise InputError(f"unknown key {key!r}; {nearest(key, known)}")
    raise InputError(f"unknown key {key!r}; did you mean {guess}? ({_owners(guess)})")


def _owners(key: str) -> str:
    """The kinds that have a field of this name, as the end of a message."""
    for name, slot in TABLES.items():
        if owners := [kind for kind, thing in slot.kinds.items() if key in fields_of(thing)]:
            return f"of the kinds of {name} only {', '.join(owners)} knows it"
    return ""


def with_kind(table: str, old: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The table of another kind: its keys of the old one that it understands, where that helps."""
    found = {"kind": kind}
    if table in KEPT:
        known = fields_of(kind_of(TABLES[table], kind, table))
        found |= {key: value for key, value in old.items() if key in known}
    return found


def known_keys() -> list[str]:
    """Names that fields of the package's kinds and the kinds themselves have in tables."""
    keys = [COLUMNS.get(table, table) for table in TABLES]
    kinds: list[Any] = [kind for slot in TABLES.values() for kind in slot.kinds.values()]
    for kind in (*kinds, Initial, TrainingConfig):
        keys += fields_of(kind)
    return list(dict.fromkeys(keys))


def flat_of(config: Any) -> dict[str, Any]:
    """Every key of a run and its value."""
    flat: dict[str, Any] = {"name": config.name, "summary": config.summary}
    for table in ORDER:
        thing = part_of(config, table)
        if table in TABLES:
            flat[COLUMNS.get(table, table)] = name_of(TABLES[table], thing)
        for name in fields_of(thing):
            key = f"{table}.{name}" if name in flat or name in TABLES else name
            _add(flat, key, f"{table}.{name}", getattr(thing, name))
    return flat


def _in_list(value: Any) -> Any:
    """A value in a list; an object as its table."""
    slot = next((slot for slot in SLOTS if isinstance(value, slot.base)), None)
    return value if slot is None else write_spec(slot, value, SLOTS)


def _add(flat: dict[str, Any], key: str, path: str, value: Any) -> None:
    """A value under its key; of an object its kind, and its fields by their paths."""
    slot = next((slot for slot in (*TABLES.values(), *SLOTS) if isinstance(value, slot.base)), None)
    if slot is None or not dataclasses.is_dataclass(value):
        flat[key] = [_in_list(each) for each in value] if isinstance(value, tuple) else value
        return
    flat[path] = name_of(slot, value)
    for name in fields_of(value):
        _add(flat, f"{path}.{name}", f"{path}.{name}", getattr(value, name))


def old_tables(values: Mapping[str, Any]) -> dict[str, Any]:
    """Tables as they are written now, of a run as versions before there were kinds wrote it.

    Raises
    ------
    InputError
        If an old key or value is not usable.
    """
    tables = dict(values)
    topology, training = tables.get("topology", {}), tables.get("training", {})
    if not isinstance(topology, Mapping) or not isinstance(training, Mapping):
        return tables
    named = {"dataset", "n_train"} & tables.keys()
    old = {*training} - {*fields_of(TrainingConfig)}
    if not (named or old & OLD_TRAINING.keys() or (topology and "kind" not in topology)):
        return tables
    if named:
        if "data" in tables:
            raise InputError(f"{' and '.join(sorted(named))}: beside [data]; write them in there")
        tables["data"] = {"kind": tables.pop("dataset", "mnist")}
        if (n_train := tables.pop("n_train", None)) is not None:
            tables["data"]["n_train"] = n_train
    if topology and "kind" not in topology:
        kind = topology.get("family", "rewire")
        told = {k: v for k, v in topology.items() if k != "family" and v is not None}
        known = fields_of(kind_of(TOPOLOGY, kind, "topology"))
        foreign = {"law": "edges", "p": 0.0, "places": "skip", "across_layers": False}
        tables["topology"] = {"kind": kind} | {
            k: v for k, v in told.items() if k in known or foreign.get(k, 0) != v
        }
    if old & OLD_TRAINING.keys():
        for key in sorted(old & OLD_TRAINING.keys()):
            (table, *inner), *_ = OLD_TRAINING[key]
            if table in tables:
                raise InputError(f"unknown key 'training.{key}'; it is {'.'.join([table, *inner])}")
        method = training.get("relaxation") or "sor"
        tables["rule"] = {"kind": "random-sign", "solver": {"kind": "euler", "steps": 8}}
        tables["optimiser"] = {"kind": "sgd"}
        tables["relaxation"] = {"kind": method}
        tables["initial"] = {}
        for key in old & OLD_TRAINING.keys() - {"relaxation"}:
            for table, *inner, name in OLD_TRAINING[key]:
                place = tables[table]
                for each in inner:
                    place = place[each]
                other = table == "relaxation" and (key in SWEEPS) != (method == "sor")
                if training[key] is not None and not other:
                    place[name] = training[key]
        tables["training"] = {k: v for k, v in training.items() if k not in OLD_TRAINING}
    return tables


SWEEPS = ("tolerance", "max_sweeps")
#: Keys of training before there were kinds, and where they are now.
OLD_TRAINING: dict[str, tuple[tuple[str, ...], ...]] = {
    "learning_rate": (("optimiser", "learning_rate"),),
    "bias_rate": (("optimiser", "bias_rate"),),
    "beta": (("rule", "beta"),),
    "relaxation": (("relaxation", "kind"),),
    "tolerance": (("relaxation", "tolerance"),),
    "max_sweeps": (("relaxation", "max_sweeps"),),
    "free_steps": (("relaxation", "steps"),),
    "nudged_steps": (("rule", "solver", "steps"),),
    "step_size": (("rule", "solver", "step_size"), ("relaxation", "step_size")),
    "other_amplitude": (("initial", "other_amplitude"),),
}
