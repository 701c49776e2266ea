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
import functools
import importlib
import types
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from smallworld_eqprop.errors import InputError, nearest

__all__ = [
    "Part",
    "Slot",
    "check_type",
    "importable",
    "inner_table",
    "kind_of",
    "name_of",
    "read_fields",
    "read_spec",
    "type_name",
    "write_fields",
    "write_spec",
]

T = TypeVar("T")

#: Networks are arrays of float32, in which a larger number is infinite.
LARGEST = float(np.finfo(np.float32).max)


class Part:
    """What may stand in a configuration, as a frozen dataclass: subclass it.

    After a part is made, every field is checked to be of its annotated type, as fields are that
    come from a file. The ``__post_init__`` of a subclass needs to check limits only: where it
    stumbles over a word or None in the place of a number, that is the error.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__post_init__" in cls.__dict__:
            cls.__post_init__ = _then_fields(cls.__post_init__)  # type: ignore[method-assign, assignment]

    def __post_init__(self) -> None:
        _check_fields(self)


def _then_fields(own: Callable[[Any], None]) -> Callable[[Any], None]:
    """The checks of a class, and then those of all fields."""

    @functools.wraps(own)
    def checked(self: Any) -> None:
        try:
            own(self)
        except InputError:
            raise
        except (TypeError, ValueError, AttributeError, OverflowError):
            _check_fields(self)
            raise
        # Not where a subclass calls it, whose own checks are still to come.
        if type(self).__post_init__ is checked:
            _check_fields(self)

    return checked


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
        If it cannot be written: it is no dataclass, or cannot be imported by its name.
    """
    return {"kind": name_of(slot, thing), **write_fields(thing, slots)}


def read_fields(kind: type[T], values: Mapping[str, Any], slots: Iterable[Slot], where: str) -> T:
    """A dataclass from a table, every key and type checked."""
    hints = _hints(kind)  # type: ignore[arg-type]
    arguments: dict[str, Any] = {}
    for key, value in values.items():
        if key not in hints:
            raise InputError(f"unknown key {where + key!r}; {nearest(key, hints)}")
        arguments[key] = _checked(hints[key], value, tuple(slots), where + key)
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
    return kind(**arguments)


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
    slots, table, hints = tuple(slots), {}, _hints(type(thing))  # type: ignore[arg-type]
    for field in dataclasses.fields(thing):
        if field.name in but or field.name not in hints:
            continue
        value = getattr(thing, field.name)
        # As it will be read: 1 where it should be 1.0, or a list, are no other value.
        with suppress(InputError):
            value = _checked(hints[field.name], value, slots, field.name)
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
    hint = _hints(kind).get(name)
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


def kind_of(slot: Slot, kind: str, where: str) -> Any:
    """The class of a kind.

    Raises
    ------
    InputError
        If there is none.
    """
    if kind in slot.kinds:
        return slot.kinds[kind]
    if ":" not in kind:
        raise InputError(
            f"{where}.kind: unknown {kind!r}; {nearest(kind, slot.kinds)} "
            "(or 'module:Class' for one of your own)"
        )
    found: Any = importable(kind, f"{where}.kind")
    if not isinstance(found, type) or not dataclasses.is_dataclass(found):
        raise InputError(f"{where}.kind: {kind!r} is no dataclass")
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
            f"{slot.name}: {thing!r} cannot be written, so it can be in no run or study; make it a "
            "dataclass at the top of a module that can be imported"
        )
    return name


def type_name(hint: Any) -> str:
    """An annotated type in words: ``float or list of float or nothing``."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(map(type_name, inner))
    if origin is Literal:
        return ", ".join(map(repr, inner))
    if origin is tuple:
        return f"list of {type_name(inner[0])}"
    return "nothing" if hint is type(None) else getattr(hint, "__name__", str(hint))


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


@functools.cache
def _hints(kind: Any) -> dict[str, Any]:
    fields = {field.name for field in dataclasses.fields(kind) if field.init}
    return {name: hint for name, hint in get_type_hints(kind).items() if name in fields}


def check_type(name: str, value: Any, hint: Any) -> None:
    """Refuse a value that is not of an annotated type.

    Parameters
    ----------
    name : str
        Of the value, for the message.
    value
    hint : type
        As it stands in annotations: ``float | None``, ``tuple[int, ...]``, ``Literal["a", "b"]``.

    Raises
    ------
    InputError
        Also if a number is nan, or too large for float32.
    """
    _checked(hint, value, (), name)


def _check_fields(thing: Any) -> None:
    """Refuse a value that is not of its annotated type, here or in a part within."""
    try:
        hints = _hints(type(thing))  # type: ignore[arg-type]
    except NameError:  # a class within a function, whose annotations cannot be looked up
        return
    for name, hint in hints.items():
        value = getattr(thing, name)
        if _known(hint):
            check_type(name, value, hint)
        if dataclasses.is_dataclass(value):
            _check_fields(value)


def _known(hint: Any) -> bool:
    """Whether `_checked` understands an annotation."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return all(map(_known, inner))
    if origin is tuple:
        return len(inner) == 2 and inner[1] is ... and _known(inner[0])
    return hint is Any or origin is Literal or isinstance(hint, type)


def _checked(hint: Any, value: Any, slots: tuple[Slot, ...], name: str) -> Any:
    """`value` as the annotated type says, or an error that names both."""
    if isinstance(value, np.generic):
        value = value.item()
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for option in options:
        origin, inner = get_origin(option), get_args(option)
        slot = next((each for each in slots if each.base is option), None)
        if slot is not None and isinstance(value, Mapping | str | slot.base):
            return read_spec(slot, value, slots, name)
        if origin is tuple and isinstance(value, list | tuple):
            return tuple(
                _checked(inner[0], item, slots, f"{name}[{i}]") for i, item in enumerate(value)
            )
        if origin is Literal and isinstance(value, str) and value in inner:
            return value
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            if value != value or LARGEST < abs(value) < float("inf"):
                raise InputError(f"{name}: {value!r}, must be of at most {LARGEST:.1e} in size")
            return float(value)
        if option is Any or (isinstance(option, type) and _is_one(option, value)):
            return value
    raise InputError(f"{name}: {value!r}, must be {type_name(hint)}")


def _is_one(kind: type, value: Any) -> bool:
    """Whether a value is of a type; True is no number."""
    return type(value) is kind if kind in (bool, int, str) else isinstance(value, kind)
