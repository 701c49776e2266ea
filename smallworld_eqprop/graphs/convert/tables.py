"""Graphs in tables of text: edge lists and adjacency matrices, and tables of nodes."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.graphs.convert.columns import column, parsed, with_position
from smallworld_eqprop.graphs.convert.outside import Outside, of_matrix

__all__ = ["natural_names", "node_table", "read_edge_lines", "read_table"]

SEPARATORS = ",;\t"
# What other programs call the ends of an edge.
ENDS = {"from": "source", "to": "target"}


def read_table(content: bytes, roles: tuple[Path, bytes] | None = None) -> Outside:
    """An edge list or an adjacency matrix.

    An edge list has a first line with ``source`` and ``target``, or ``from`` and ``to``; further
    columns with a name are data of the edges. Its nodes come in the order of the table of nodes,
    then by name, numbers in names by size. Anything else is an adjacency matrix: with a line of
    labels, with labels in front of every row as well, or without.

    Parameters
    ----------
    content : bytes
        Cells apart by commas, semicolons or tabs.
    roles : (path, bytes), optional
        A table of nodes, see `node_table`, which may name nodes without edges.

    Raises
    ------
    InputError
        If it is neither.
    """
    rows = _rows(content)
    head = [cell.strip().lower() for cell in rows[0]]
    if set(head) >= set(ENDS):
        head = [ENDS.get(name, name) for name in head]
    if "source" in head or "target" in head:
        return _edge_list(rows, head, [] if roles is None else node_table(*roles)[0])
    return _matrix(rows)


def read_edge_lines(content: bytes) -> Outside:
    """An edge list without a first line: source, target and, where there is one, a weight.

    Lines that begin with # or % say something else. In place of the weight there may be a dict, as
    networkx writes it.

    Raises
    ------
    InputError
        If a line is no edge.
    """
    rows = []
    for number, line in enumerate(content.decode("utf-8-sig").splitlines(), 1):
        cells = line.split(maxsplit=2)
        if not cells or cells[0][0] in "#%":
            continue
        rest = cells[2].strip() if len(cells) == 3 else ""
        if rest.startswith("{"):
            given = ast.literal_eval(rest).get("weight")
            rest = "" if given is None else str(given)
        if len(cells) < 2 or not _is_number(rest or "0"):
            raise InputError(
                f"line {number}: {line.strip()!r:.60} is not an edge; give source, target and, if "
                "you like, a weight"
            )
        rows.append([*cells[:2], rest])
    return _edge_list([[], *rows], ["source", "target", "weight"], [])


def node_table(path: Path, content: bytes) -> tuple[list[Any], dict[str, npt.NDArray]]:
    """Nodes and their attributes: the first column names the node, every other is an attribute.

    Raises
    ------
    InputError
        If there is no attribute, or a node is named twice.
    """
    head, *rows = _rows(content)
    names = natural_names([row[0] for row in rows])
    if len(head) < 2:
        raise InputError(
            f"{path}: one column, {head[0]!r}; give two, the name of a node and its role"
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{path}: node {twice!r} is there twice; give every node once")
    data = {}
    for place, name in enumerate(head[1:], 1):
        if not name.strip():
            continue
        array = column(name.strip(), parsed(row[place] for row in rows))
        if array is not None:
            data[name.strip()] = array
    return names, with_position(data)


def natural_names(names: Sequence[Any]) -> list[Any]:
    """Names as whole numbers, where all are written as such."""
    texts = [str(name).strip() for name in names]
    if all(re.fullmatch(r"0|[1-9][0-9]{0,17}", text) for text in texts):
        return [int(text) for text in texts]
    return texts


def _edge_list(rows: list[list[str]], head: list[str], first: list[Any]) -> Outside:
    for needed in ("source", "target"):
        if needed not in head:
            raise InputError(
                f"column {needed!r} is missing; the first line has: {', '.join(head)}; give "
                "source, target and, if you like, weight"
            )
    body = rows[1:]
    ends = [[row[head.index(name)].strip() for row in body] for name in ("source", "target")]
    for place, (source, target) in enumerate(zip(*ends, strict=True), 2):
        if not source or not target:
            raise InputError(f"line {place}: an edge without a source or target; give both")
    named = natural_names([*map(str, first), *ends[0], *ends[1]])
    known = list(dict.fromkeys(named[: len(first)]))
    names = [*known, *sorted(set(named) - set(known), key=_natural)]
    index = {name: i for i, name in enumerate(names)}
    numbers = np.array([index[name] for name in named[len(first) :]], dtype=np.int64)
    pairs = numbers.reshape(2, -1).T
    data = {}
    for place, name in enumerate(head):
        if name in ("source", "target", "type", "id", ""):
            continue
        array = column(name, parsed(row[place] for row in body))
        if array is not None:
            data[name] = array
    # As Gephi writes it; lists without it are taken as undirected.
    directed = "type" in head and any(
        row[head.index("type")].strip().lower() == "directed" for row in body
    )
    return Outside("read_graph", names, pairs, directed, data)


def _matrix(rows: list[list[str]]) -> Outside:
    head, body = rows[0], rows
    names: list[Any] | None = None
    labelled = not head[0].strip() or not (_is_number(head[0]) or _is_number(rows[-1][0]))
    if labelled and len(head) == len(rows):
        names, body = natural_names(head[1:]), rows[1:]
        own = natural_names([row[0] for row in body])
        body = [row[1:] for row in body]
        if sorted(map(str, own)) != sorted(map(str, names)):
            raise InputError(
                f"matrix: row {own[0]!r} and column {names[0]!r} have different labels; give "
                "rows and columns the same"
            )
        place = {name: i for i, name in enumerate(own)}
        body = [body[place[name]] for name in names]
    elif len(head) == len(rows) - 1 or not all(map(_is_number, head)):
        names, body = natural_names(head), rows[1:]
    if names is not None and len(set(names)) < len(names):
        raise InputError("matrix: two nodes have the same label; give distinct ones")
    if len(body) != len(body[0] if body else head):
        raise InputError(
            f"not an edge list (its first line would have the columns source and target), and not "
            f"an adjacency matrix: {len(body)} rows of {len(head)} cells; give a square one"
        )
    values = np.zeros((len(body), len(body)))
    for i, row in enumerate(body):
        try:
            values[i] = [float(cell) if cell.strip() else 0.0 for cell in row]
        except ValueError:
            bad = next(cell for cell in row if cell.strip() and not _is_number(cell))
            raise InputError(
                f"matrix: {bad!r} in row {i + 1} is not a number; leave cells without edge empty "
                "or 0, or give an edge list a first line with source and target"
            ) from None
    return of_matrix(values, "read_graph", names)


def _rows(content: bytes) -> list[list[str]]:
    import pandas as pd

    text = content.decode("utf-8-sig")
    first = text.split("\n", 1)[0]
    separator = max(SEPARATORS, key=first.count)
    table = pd.read_csv(
        io.StringIO(text), sep=separator, header=None, dtype=str, keep_default_na=False
    )
    rows: list[list[str]] = table.to_numpy(dtype=object).tolist()
    return rows


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _natural(name: Any) -> list[Any]:
    """Sorts n2 before n10."""
    if isinstance(name, int):
        return [name]
    parts = re.split(r"([0-9]+)", name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]
