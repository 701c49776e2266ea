"""Specs: objects written as tagged tables, the same in TOML, in JSON and in Python.

An object is a frozen dataclass of numbers, strings and other such objects. Its table names its
kind and the fields that differ from their defaults::

    [rule]
    kind = "centred"
    beta = 0.1
    solver = { kind = "sor", tolerance = 1e-6 }

A kind of somebody else is named ``"module:Class"``. A `Slot` says which kinds may stand where.
"""

from __future__ import annotations

import dataclasses
import importlib
import types
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar, Union, get_args, get_origin

import numpy as np

from smallworld_eqprop.errors import InputError, nearest
from smallworld_eqprop.parts import as_type, field_types, type_name

__all__ = [
    "Slot",
    "importable",
    "inner_table",
    "kind_of",
    "name_of",
    "read_fields",
    "read_spec",
    "write_fields",
    "write_spec",
]

T = TypeVar("T")


@dataclass(frozen=True)
class Slot:
    """A place in a configuration, and what may stand there.

    Attributes
    ----------
    name : str
        As the table is called.
    base : type
        What every object in the place is an instance of.
    kinds : mapping of str to type
        The kinds of this package, by the names they have in tables.
    several : str
        The kind that a list of such objects stands for; its one field holds them. Empty where no
        list may stand.
    """

    name: str
    base: Any
    kinds: Mapping[str, type]
    several: str = ""

    def joined(self, things: Iterable[Any]) -> Any:
        """A list of objects as one; a list of one object is that object."""
        things = tuple(things)
        return things[0] if len(things) == 1 else self.kinds[self.several](things)


def read_spec(slot: Slot, table: Any, slots: Iterable[Slot] = (), where: str = "") -> Any:
    """The object of a table.

    Parameters
    ----------
    slot : Slot
    table : mapping, str, object or list
        A table with ``kind``, the name of a kind alone, or an object that stands as it is. A list
        of them, where the slot takes several.
    slots : iterable of Slot
        Of the objects that the object may hold.
    where : str
        What the table is called in messages; the name of the slot when left out.

    Raises
    ------
    InputError
        If the kind or a key is unknown, or a value is not usable.
    """
    where = where or slot.name
    if slot.several and isinstance(table, list | tuple):
        return slot.joined(
            read_spec(slot, each, slots, f"{where}[{i}]") for i, each in enumerate(table)
        )
    if isinstance(table, str):
        table = {"kind": table}
    if not isinstance(table, Mapping):
        if isinstance(table, slot.base):
            return table
        raise InputError(f"{where}: {table!r}, must be a table with a kind")
    values = dict(table)
    kind = values.pop("kind", None)
    if not isinstance(kind, str):
        raise InputError(f"{where}.kind: {kind!r}; give one of: {', '.join(slot.kinds)}")
    return read_fields(kind_of(slot, kind, where), values, slots, f"{where}.")


def write_spec(slot: Slot, thing: Any, slots: Iterable[Slot] = ()) -> dict[str, Any]:
    """The table of an object: its kind, and what differs from the defaults.

    Raises
    ------
    InputError
        If it cannot be written: it is not a dataclass, or cannot be imported by its name.
    """
    return {"kind": name_of(slot, thing), **write_fields(thing, slots)}


def read_fields(kind: type[T], values: Mapping[str, Any], slots: Iterable[Slot], where: str) -> T:
    """A dataclass from a table, every key and type checked."""
    hints, slots = field_types(kind), tuple(slots)  # type: ignore[arg-type]
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key not in hints:
            raise InputError(f"unknown key {where + key!r}; {nearest(key, hints)}")
        arguments[key] = as_type(where + key, value, hints[key], _reader(slots, hints[key]))
    missing = [
        field.name
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if field.init
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and field.name not in arguments
    ]
    if missing:
        raise InputError(f"{where}{missing[0]}: must be given")
    try:
        return kind(**arguments)
    except InputError as error:
        # An object names its field, and not the table in which it stands. Where the field holds an
        # object that was made before, that has a table of its own, as the parts of a training have.
        name = str(error).partition(":")[0].partition(",")[0]
        if name in hints and not dataclasses.is_dataclass(values.get(name, vars(kind).get(name))):
            raise InputError(f"{where}{error}") from None
        raise


def write_fields(thing: Any, slots: Iterable[Slot] = (), but: Iterable[str] = ()) -> dict[str, Any]:
    """Fields of a dataclass that differ from their defaults, as JSON and TOML can hold them.

    Parameters
    ----------
    thing : dataclass
    slots : iterable of Slot
        Of the objects that it may hold.
    but : iterable of str
        Fields to leave out.
    """
    slots, table = tuple(slots), {}
    hints, read = field_types(type(thing)), _reader(slots)  # type: ignore[arg-type]
    for field in dataclasses.fields(thing):
        if field.name in but or field.name not in hints:
            continue
        value = getattr(thing, field.name)
        # As it will be read: 1 where it should be 1.0, or a list, are no other value.
        with suppress(InputError):
            value = as_type(field.name, value, hints[field.name], read)
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        if type(value) is type(default) and value == default:
            continue
        table[field.name] = _written(value, slots)
    return table


def inner_table(
    slot: Slot, table: Mapping[str, Any], name: str, slots: Iterable[Slot], where: str
) -> tuple[Slot, dict[str, Any]]:
    """Slot and table of an object within an object, which need not be complete yet.

    Parameters
    ----------
    slot : Slot
        Of the outer object.
    table : mapping
        With its kind.
    name : str
        The field in which the inner object is.
    slots : iterable of Slot
        Of the objects that the outer one may hold.
    where : str
        What the outer table is called in messages.

    Raises
    ------
    InputError
        If there is no such field, or no object in it.
    """
    kind, slots = kind_of(slot, table["kind"], where), tuple(slots)
    hint = field_types(kind).get(name)
    options = get_args(hint) or (hint,)
    inner = next((each for each in slots if each.base in options), None)
    value = table.get(name, getattr(kind, name, None))
    if isinstance(value, str):
        value = {"kind": value}
    if inner is not None and isinstance(value, inner.base):
        value = write_spec(inner, value, slots)
    if inner is None or not isinstance(value, Mapping) or "kind" not in value:
        raise InputError(f"{where}.{name}: holds no object with fields")
    return inner, dict(value)


def importable(name: str, where: str) -> Any:
    """What ``"module:Class"`` names.

    Raises
    ------
    InputError
        If it cannot be imported.
    """
    module, _, inner = name.partition(":")
    try:
        return getattr(importlib.import_module(module), inner)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"{where}: {name!r} cannot be imported ({error})") from None


def kind_of(slot: Slot, kind: str, where: str, others: str = "") -> Any:
    """The class of a kind.

    Parameters
    ----------
    slot : Slot
    kind : str
    where : str
        What the table is called in messages.
    others : str
        What may stand in its place, for messages: ``", or float"``.

    Raises
    ------
    InputError
        If there is none.
    """
    if kind in slot.kinds:
        return slot.kinds[kind]
    if ":" not in kind:
        raise InputError(
            f"{where}: unknown kind {kind!r}; {nearest(kind, slot.kinds)} "
            f"(or 'module:Class' for one of your own{others})"
        )
    found: Any = importable(kind, f"{where}.kind")
    if not isinstance(found, type) or not dataclasses.is_dataclass(found):
        raise InputError(f"{where}.kind: {kind!r} is not a dataclass")
    if not issubclass(found, slot.base):
        raise InputError(f"{where}.kind: {kind!r} is no {slot.base.__name__}")
    return found


def name_of(slot: Slot, thing: Any) -> str:
    """The name of the kind of an object.

    Raises
    ------
    InputError
        If it has none by which it can be imported.
    """
    kind: Any = type(thing)
    for name, known in slot.kinds.items():
        if known is kind:
            return name
    name = f"{kind.__module__}:{kind.__qualname__}"
    if not hasattr(kind, "__dataclass_fields__") or "." in kind.__qualname__ or "__main__" in name:
        raise InputError(
            f"{slot.name}: {thing!r} cannot be written, so a run or study cannot contain it; make "
            "it a dataclass at the top of a module that can be imported"
        )
    return name


def _reader(slots: Iterable[Slot], hint: Any = None) -> Callable[[Any, Any, str], Any]:
    """What makes objects of their tables, and takes objects as they are; see `as_type`."""
    slots = tuple(slots)
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else ()
    taken = (type(None), *(slot.base for slot in slots))
    others = "".join(f", or {type_name(each)}" for each in options if each not in taken)

    def read(option: Any, value: Any, name: str) -> Any:
        slot = next((each for each in slots if each.base is option), None)
        if slot is None or not isinstance(value, Mapping | str | slot.base):
            return None
        if isinstance(value, str):
            return read_fields(kind_of(slot, value, name, others), {}, slots, f"{name}.")
        return read_spec(slot, value, slots, name)

    return read


def _written(value: Any, slots: tuple[Slot, ...]) -> Any:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, tuple | list):
        return [_written(each, slots) for each in value]
    if isinstance(value, Mapping):
        return {str(key): _written(each, slots) for key, each in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    for slot in slots:
        if isinstance(value, slot.base):
            return write_spec(slot, value, slots)
    raise InputError(f"{value!r} cannot be written in a configuration")
