"""Files of runs and stores that somebody has changed: one line that names file and field."""

from __future__ import annotations

import copy
import io
import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress

import numpy as np
import pytest

from smallworld_eqprop import InputError, Run, RunConfig, train
from smallworld_eqprop.cli import main
from smallworld_eqprop.data import named
from smallworld_eqprop.studies.schema import COLUMNS, RECORD
from smallworld_eqprop.studies.store import Store
from smallworld_eqprop.studies.study import Study
from smallworld_eqprop.studies.sweeping import sweep

BASE = RunConfig(data=named("digits", 60)).changed(layer_sizes=[64, 9, 10])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(BASE, tmp_path_factory.mktemp("trained") / "run", epochs=1).folder


@pytest.fixture
def folder(trained, tmp_path):
    """Of a run without hashes, so that what is changed is read."""
    folder = shutil.copytree(trained, tmp_path / "run")
    record = json.loads((folder / "run.json").read_text())
    del record["epochs"], record["sha256"]
    (folder / "run.json").write_text(json.dumps(record))
    return folder


def everything(folder):
    run = Run(folder)
    run.config, run.graph, run.network(), run.history, run.corrections(), run.errors(), repr(run)
    return run


def leaves(value, path=()):
    yield path
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from leaves(item, (*path, key))


def test_any_field_of_another_type_is_named_with_its_file(folder):
    path = folder / "run.json"
    record = json.loads(path.read_text())
    refused = 0
    for place in list(leaves(record))[1:]:
        for wrong in (None, [1], {"a": None}, "x", 7):
            changed = copy.deepcopy(record)
            inner = changed
            for key in place[:-1]:
                inner = inner[key]
            inner[place[-1]] = wrong
            path.write_text(json.dumps(changed))
            try:
                repr(Run(folder))
            except InputError as error:
                assert "\n" not in str(error)
                assert str(folder) in str(error), (place, wrong)
                refused += 1
    assert refused > 5 * len(RECORD)


@pytest.mark.parametrize("field", ["config", "pairs", "graph", "dataset", "libraries", "threads"])
def test_the_field_is_named(folder, field, capsys):
    path = folder / "run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: 1.5}))
    assert main(["report", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {path}: {field}: 1.5, must be ")
    assert error.count("\n") == 1


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("wrong", ["gone", "text"])
def test_a_history_without_a_column_or_with_text_is_named(folder, column, wrong, capsys):
    path = folder / "history.csv"
    head, row = path.read_text().splitlines()
    cells = row.split(",")
    if wrong == "text":
        cells[head.split(",").index(column)] = "much"
    else:
        head = head.replace(column, "other", 1)
    path.write_text(f"{head}\n{','.join(cells)}\n")
    assert main(["report", str(folder)]) == 2
    assert capsys.readouterr().err.startswith(f"error: {path}: column {column} ")


def written(array):
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


@pytest.mark.parametrize("quantity", ["corrections", "errors"])
@pytest.mark.parametrize(
    "content",
    [
        b"", b"x" * 50, b"\x93NUMPY\x01\x00\xff\xff", written(np.zeros((3, 9))),
        written(np.zeros((2, 2, 2))), written(np.array(["a"])), written(np.array(1.0)),
        b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999,"
        b" 2), }".ljust(126) + b"\n" + bytes(8),
    ],
)  # fmt: skip
def test_a_file_of_an_epoch_with_another_header_is_named(folder, quantity, content, capsys):
    path = folder / quantity / "epoch-0001.npy"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        everything(folder)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_epochs_are_read_as_they_were_written(trained):
    run = Run(trained)
    for quantity in ("corrections", "errors"):
        expected = np.load(trained / quantity / "epoch-0001.npy")
        found = getattr(run, quantity)()
        assert found.dtype == expected.dtype
        assert found.tobytes() == expected.tobytes()


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    path = tmp_path_factory.mktemp("swept") / "s.sqlite"
    with ThreadPoolExecutor(1) as pool:
        sweep(Study("s", (BASE,)), path, pool, workers=1)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE digests")  # so that what is changed is read
    return path


@pytest.mark.parametrize("table", ["runs", "claims", "epochs", "corrections", "metrics", "work"])
def test_a_table_or_column_that_is_missing_or_odd_is_named(swept, tmp_path, table, capsys):
    with closing(sqlite3.connect(swept)) as db:
        columns = [(name, kind) for _, name, kind, *_ in db.execute(f"PRAGMA table_info({table})")]
    statements = {f"DROP TABLE {table}": f"table {table} is missing"}
    for name, kind in columns:
        new = f"ALTER TABLE {table} RENAME COLUMN {name} TO other"
        if table != "epochs" or name in ("key", "epoch"):
            statements[new] = f"table {table} has no column {name}"
        wrong = "'much'" if kind in ("REAL", "INTEGER") else "x'00ff'"
        if table != "claims" and name != "status":
            statements[f"UPDATE {table} SET {name}={wrong}"] = f"table {table}, run "
    for statement, words in statements.items():
        path = shutil.copy(swept, tmp_path / "s.sqlite")
        # Two rows may not have one key.
        with closing(sqlite3.connect(path)) as db, suppress(sqlite3.IntegrityError):
            db.execute(statement)
            db.commit()
        for command in ("status", "report"):
            status = main([command, str(path)])
            error = capsys.readouterr().err.splitlines()[-1:]
            if not db_changed(path, swept):
                continue
            assert status == 2, statement
            assert error[0].startswith(f"error: {path}: "), statement
            assert words in error[0] or "damaged" in error[0], statement


def db_changed(path, original):
    return path.read_bytes() != original.read_bytes()


@pytest.mark.parametrize("text", ["{", "[]", "3", '{"name": 3}', '{"topology": 3}', "null"])
def test_a_configuration_that_is_none_is_named(swept, tmp_path, text, capsys):
    path = shutil.copy(swept, tmp_path / "s.sqlite")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE runs SET config=?", (text,))
    for command in ("status", "report"):
        assert main([command, str(path)]) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith(f"error: {path}: damaged, or not a store (table runs, config: ")


def test_an_owner_that_is_no_name_is_dead(swept, tmp_path):
    path = shutil.copy(swept, tmp_path / "s.sqlite")
    with Store(path) as store:
        key = next(iter(store.standing()))
        store._db.execute("UPDATE runs SET status='pending'")
        for owner in ("", "me", "a~b~c~d"):
            store._db.execute("INSERT OR REPLACE INTO claims VALUES (?, ?, 0, 0)", (key, owner))
            assert store.standing() == {key: "pending"}


def test_text_that_is_no_utf8_is_named(swept, tmp_path, capsys):
    path = shutil.copy(swept, tmp_path / "s.sqlite")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE runs SET config=CAST(x'7bff' AS TEXT)")
    for command in ("status", "report"):
        assert main([command, str(path)]) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith(f"error: {path}: damaged, or not a store (Could not decode")


def test_rows_that_belong_to_no_run_end_a_sweep_in_one_line(swept, tmp_path):
    path = shutil.copy(swept, tmp_path / "s.sqlite")
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE runs SET key='other'")
    with ThreadPoolExecutor(1) as pool, pytest.raises(InputError, match="damaged, or not a store"):
        sweep(Study("s", (BASE,)), path, pool, workers=1)
