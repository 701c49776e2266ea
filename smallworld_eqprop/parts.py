"""Parts of a configuration: frozen dataclasses whose fields are of their annotated types."""

from __future__ import annotations

import dataclasses
import functools
import types
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

import numpy as np

from smallworld_eqprop.errors import InputError

__all__ = [
    "AtOnce",
    "Label",
    "Limits",
    "Natural",
    "Part",
    "Positive",
    "Repeats",
    "SeedNumber",
    "as_type",
    "check_type",
    "field_types",
    "type_name",
]

#: Networks are arrays of float32, in which a larger number is infinite.
LARGEST = float(np.finfo(np.float32).max)


@dataclasses.dataclass(frozen=True)
class Limits:
    """The least and the largest value of a whole number, in its annotated type.

    ``levels: Annotated[int, Limits(2, 256)]`` is a field of from 2 to 256 levels.
    """

    least: int
    most: int


#: A whole number without limits of its own: nothing is counted that is more.
ANY_WHOLE = Limits(-(10**9), 10**9)
Natural: TypeAlias = Annotated[int, Limits(0, 10**9)]
Positive: TypeAlias = Annotated[int, Limits(1, 10**9)]
#: Sweeps, steps, epochs, samples: each of them is computed, and more than these never end.
Repeats: TypeAlias = Annotated[int, Limits(1, 10**6)]
#: Threads or processes, each of which takes memory; no machine has as many cores.
AtOnce: TypeAlias = Annotated[int, Limits(1, 1024)]
#: numpy proposes seeds of 128 bits, and they cost nothing.
SeedNumber: TypeAlias = Annotated[int, Limits(0, 2**128 - 1)]
#: Numbers by which nodes are called, such as those of neurons in a connectome.
Label: TypeAlias = Annotated[int, Limits(-(2**63), 2**63 - 1)]


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


def _check_fields(thing: Any) -> None:
    """Refuse a value that is not of its annotated type, here or in a part within."""
    try:
        hints = field_types(type(thing))  # type: ignore[arg-type]
    except NameError:  # a class within a function, whose annotations cannot be looked up
        return
    for name, hint in hints.items():
        value = getattr(thing, name)
        if _known(hint):
            check_type(name, value, hint)
        if dataclasses.is_dataclass(value):
            _check_fields(value)


def check_type(name: str, value: Any, hint: Any) -> None:
    """Refuse a value that is not of an annotated type.

    Parameters
    ----------
    name : str
        Of the value, for the message.
    value
    hint : type
        As it stands in annotations: ``float | None``, ``tuple[int, ...]``, ``Literal["a", "b"]``,
        `Repeats`.

    Raises
    ------
    InputError
        Also if a number is nan, or too large for float32, or beyond its `Limits`.
    """
    as_type(name, value, hint)


def as_type(
    name: str,
    value: Any,
    hint: Any,
    read: Callable[[Any, Any, str], Any] | None = None,
) -> Any:
    """A value as its annotated type says: 1 is 1.0 where a float stands, and a list a tuple.

    Parameters
    ----------
    name : str
        Of the value, for the message.
    value
    hint : type
        See `check_type`.
    read : callable, optional
        Makes an object of what is written for it. It is given one of the types that the hint
        allows, the value and its name, and gives None where it makes nothing of that type.

    Raises
    ------
    InputError
        If the value is of no type that the hint allows; see `check_type`.
    """
    if isinstance(value, np.generic):
        value = value.item()
    options = get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)
    for option in options:
        origin, inner = get_origin(option), get_args(option)
        found = read(option, value, name) if read else None
        if found is not None:
            return found
        if origin is tuple and isinstance(value, list | tuple):
            return tuple(
                as_type(f"{name}[{i}]", item, inner[0], read) for i, item in enumerate(value)
            )
        if origin is Literal and isinstance(value, str) and value in inner:
            return value
        if option is float and isinstance(value, int | float) and not isinstance(value, bool):
            if value != value or LARGEST < abs(value) < float("inf"):
                raise InputError(f"{name}: {value!r}, must be of at most {LARGEST:.1e} in size")
            return float(value)
        if type(value) is int and (limits := _limits(option)):
            if not limits.least <= value <= limits.most:
                # Python writes no number of more than 4300 digits.
                bits = value.bit_length()
                told = f"{value}" if bits < 10_000 else f"a number of {bits} bits"
                raise InputError(f"{name}: {told}, must be {type_name(Annotated[int, limits])}")
            return value
        if option is Any or (isinstance(option, type) and _is_one(option, value)):
            return value
    raise InputError(f"{name}: {value!r}, must be {type_name(hint)}")


@functools.cache
def field_types(kind: Any) -> dict[str, Any]:
    """The annotated types of the fields that a dataclass is made with, by name."""
    fields = {field.name for field in dataclasses.fields(kind) if field.init}
    hints = get_type_hints(kind, include_extras=True)
    return {name: hint for name, hint in hints.items() if name in fields}


def type_name(hint: Any) -> str:
    """An annotated type in words: ``float or list of float or nothing``."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(map(type_name, inner))
    if origin is Literal:
        return ", ".join(map(repr, inner))
    if origin is tuple:
        return "list of " + type_name(inner[0]).replace("a whole number", "whole numbers")
    if origin is Annotated:
        least, most = (n if abs(n) < 10**12 else f"{n:.1e}" for n in dataclasses.astuple(inner[1]))
        return f"a whole number from {least} to {most}"
    return "nothing" if hint is type(None) else getattr(hint, "__name__", str(hint))


def _known(hint: Any) -> bool:
    """Whether `as_type` understands an annotation."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return all(map(_known, inner))
    if origin is tuple:
        return len(inner) == 2 and inner[1] is ... and _known(inner[0])
    return hint is Any or origin in (Annotated, Literal) or isinstance(hint, type)


def _limits(hint: Any) -> Limits | None:
    """The limits of a whole number; nothing for other types."""
    if hint is int:
        return ANY_WHOLE
    return get_args(hint)[1] if get_origin(hint) is Annotated else None


def _is_one(kind: type, value: Any) -> bool:
    """Whether a value is of a type; True is no number."""
    return type(value) is kind if kind in (bool, int, str) else isinstance(value, kind)
