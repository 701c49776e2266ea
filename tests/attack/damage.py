"""Ways to damage a file."""

from __future__ import annotations

import copy
import io
import json
import random
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
from test_tampered import leaves

#: Ways that suit files of an ending, beside those that suit all; a way named twice is likelier.
WAYS = {".json": "value", ".csv": "cell", ".npy": "array", ".sqlite": "row"}


def damage(path: Path, rng: random.Random, others: list[Path]) -> str:
    """Damage a file in one of the ways that suit it, and say how."""
    own = WAYS.get(path.suffix, "bytes")
    way = rng.choice(["bytes"] * 5 + [own] * 4 + ["swapped"] * bool(others))
    if way == "bytes":
        path.write_bytes(damaged(path.read_bytes(), rng))
        return way
    if way == "swapped":
        other = rng.choice(others)
        path.write_bytes(other.read_bytes())
        return f"swapped with {other}"
    return {"value": value, "cell": cell, "array": array, "row": row}[way](path, rng)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Flip a bit, cut the end off, leave out or double a line, or leave nothing."""
    way = rng.choices(("bit", "cut", "gone", "twice", "nothing"), (12, 2, 2, 2, 1))[0]
    place = rng.randrange(len(content) + 1)
    if way in ("cut", "nothing"):
        return content[: place if way == "cut" else 0]
    if way == "bit" and place < len(content):
        flipped = content[place] ^ 1 << rng.randrange(8)
        return content[:place] + bytes([flipped]) + content[place + 1 :]
    lines = content.split(b"\n")
    place = rng.randrange(len(lines))
    lines[place : place + 1] = [lines[place]] * (2 if way == "twice" else 0)
    return b"\n".join(lines)


def value(path: Path, rng: random.Random) -> str:
    """Replace a value of a JSON file."""
    record = json.loads(path.read_text())
    *way, last = rng.choice([each for each in leaves(record) if each])
    inner = record
    for key in way:
        inner = inner[key]
    old = inner[last]
    wrong = [None, [1], {"a": None}, "x", 7, 1e300, True, copy.deepcopy(record)]
    inner[last] = rng.choice([*wrong, old + 1] if type(old) in (int, float) else wrong)
    path.write_text(json.dumps(record, indent=2))
    return f"{(*way, last)} = {inner[last]!r:.50}"


def cell(path: Path, rng: random.Random) -> str:
    """Replace a cell of a table, or the name of a column."""
    rows = [line.split(",") for line in path.read_text().splitlines()]
    r, c, other = rng.randrange(len(rows)), rng.randrange(len(rows[0])), rng.randrange(len(rows[0]))
    rows[r][c] = rng.choice(["", "much", "7", "1e999", "nan", rows[r][other]])
    path.write_text("".join(f"{','.join(each)}\n" for each in rows))
    return f"column {c} of row {r} = {rows[r][c]}"


def array(path: Path, rng: random.Random) -> str:
    """Write other numbers, or numbers of another shape or type, into an npy file."""
    old = np.load(path)
    changed = {"fewer": old[:1], "double": old * 2, "float64": old.astype("f8"), "turned": old.T}
    changed |= {"backwards": old[::-1], "text": old.astype(str), "complex": old.astype(complex)}
    way = rng.choice(list(changed))
    stream = io.BytesIO()
    np.save(stream, changed[way])
    path.write_bytes(stream.getvalue())
    return way


def row(path: Path, rng: random.Random) -> str:
    """Change a column of a store in one row or all, or drop rows."""
    with closing(sqlite3.connect(path)) as db, db:
        tables = "SELECT name FROM sqlite_schema WHERE type='table'"
        table = rng.choice([name for (name,) in db.execute(tables)])
        column = rng.choice([name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")])
        new = rng.choice(["7", "'x'", "NULL", "1e300", f"{column}+1", f"{column}||'x'", "x'00ff'"])
        some = rng.choice(["", " WHERE rowid=1", " WHERE rowid=2"])
        update = f"UPDATE OR IGNORE {table} SET {column}={new}{some}"
        statement = rng.choice([update, update, update, f"DELETE FROM {table}{some}"])
        with suppress(sqlite3.IntegrityError):  # the table itself refuses it
            db.execute(statement)
    return statement
