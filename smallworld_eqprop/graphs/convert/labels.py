"""Labels of nodes as text, in Python's own literals: 1, 1.0, "1" and (1,) stay apart."""

from __future__ import annotations

import ast
from collections.abc import Hashable
from typing import Any

import numpy as np

from smallworld_eqprop.errors import InputError

__all__ = ["plain_label", "read_labels", "written_labels"]

# A label of a subclass of these, such as a numpy float64 or an IntEnum, is written as its value.
VALUES: tuple[Any, ...] = (bool, int, float, complex, bytes)


def written_labels(labels: tuple[Hashable, ...] | None) -> str:
    """Labels as one literal; `read_labels` gives equal ones back.

    A label comes back equal and with the same hash, so that it finds the same node, but as an
    object of Python itself: a numpy scalar as a number, a named tuple as a tuple.

    Raises
    ------
    InputError
        If a label is not, or does not hold, a number, text, bytes, None, or a tuple or frozenset of
        these.
    """
    if labels is None:
        return "None"
    return f"({''.join(f'{_checked(label)}, ' for label in labels)})"


def read_labels(text: str) -> tuple[Hashable, ...] | None:
    """Labels that `written_labels` wrote.

    Raises
    ------
    SyntaxError, ValueError
        If the text is something else.
    """
    labels = _value(ast.parse(text, mode="eval").body)
    if labels is not None and not isinstance(labels, tuple):
        raise ValueError(f"labels are no tuple: {text:.60}")
    return labels


def _checked(label: Hashable) -> str:
    try:
        text = _literal(label)
        back = _value(ast.parse(text, mode="eval").body)
        if back == label and hash(back) == hash(label):
            return text
    except (SyntaxError, ValueError, TypeError):
        pass
    raise InputError(
        f"labels: {_shown(label)} cannot be written; relabel the nodes with numbers, strings, "
        "tuples or frozensets"
    )


def plain_label(label: Any) -> Any:
    """A scalar of numpy as a value of Python's own, equal to it; anything else as it is."""
    # Text first: its item would lose zeros at the end.
    if isinstance(label, np.str_):
        return str.__str__(label)
    if isinstance(label, np.bytes_):
        return bytes.__add__(label, b"")
    return label.item() if isinstance(label, np.generic) else label


def _literal(label: Any) -> str:
    if isinstance(label, tuple):
        return f"({''.join(f'{_literal(each)}, ' for each in label)})"
    if isinstance(label, frozenset):
        # Sorted, because the order of a set is another in every process.
        return f"{{{', '.join(sorted(map(_literal, label)))}}}" if label else "set()"
    label = plain_label(label)
    if isinstance(label, str):
        return repr(str.__str__(label))
    for kind in VALUES:
        if isinstance(label, kind):
            return repr(kind(label))
    return repr(label)


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Tuple):
        return tuple(map(_value, node.elts))
    if isinstance(node, ast.Set):
        return frozenset(map(_value, node.elts))
    value = ast.literal_eval(node)
    return frozenset() if isinstance(value, set) else value


def _shown(label: Hashable) -> str:
    text = " ".join(repr(label).split())
    return text if len(text) <= 60 else f"{text[:57]}..."
