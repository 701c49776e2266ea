"""The SQLite file of a store: opened, read and written at one moment, its errors in words."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from smallworld_eqprop.errors import InputError
from smallworld_eqprop.files import refuse_device
from smallworld_eqprop.studies.layout import RECORD
from smallworld_eqprop.studies.store_schema import TABLES, check_tables, later_columns

__all__ = ["Unreadable", "connect", "snapshot", "transaction", "translated"]

#: Seconds between two looks at whether to wait on, while another process reads or writes.
PATIENCE = 5.0

# Marks an SQLite file as a store ("sweq") and says which tables it has.
APPLICATION = 0x73776571
VERSION = 2
# Forms of before, and what to do with a store of each.
OLD = {
    1: "its runs have keys that are made otherwise now: export it with version 0.1, or sweep its "
    "study into a new store"
}


class Unreadable(InputError):
    """A value of a store that is not what was written; the message lacks the file."""


def connect(path: Path, *, create: bool) -> sqlite3.Connection:
    """Open a store, and check that it is one and sound.

    Raises
    ------
    InputError
        If there is no store, or the file is damaged or something else.
    OSError
        If it cannot be read or made.
    """
    if not create and not path.exists():
        raise InputError(f"{path}: no store here")
    if path.is_dir():
        if (path / RECORD).exists():
            raise InputError(
                f"{path}: a run folder, not the store of a study; report, metrics and status "
                "--check take run folders"
            )
        raise InputError(f"{path}: a folder, not the store of a study; name the file of the store")
    refuse_device(path)
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    with translated(path):
        # Never mode=ro: after a kill it may take a write to undo a half-done transaction. SQLite
        # opens for reading by itself what may not be written.
        uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        db = sqlite3.connect(uri, uri=True, timeout=PATIENCE, isolation_level=None)
        try:
            with snapshot(db):  # another process may be making the store just now
                [(application,)] = db.execute("PRAGMA application_id")
                [(version,)] = db.execute("PRAGMA user_version")
                [(n_tables,)] = db.execute("SELECT count(*) FROM sqlite_schema")
            if create and not application and not n_tables:
                _lay_out(db)
            elif application != APPLICATION:
                raise InputError(f"{path}: not a store of studies; name another file")
            elif version != VERSION:
                remedy = OLD.get(version, f"this package knows form {VERSION}; upgrade it")
                raise InputError(f"{path}: a store of form {version}; {remedy}")
            with snapshot(db):
                [(verdict,)] = db.execute("PRAGMA quick_check(1)")
                if verdict != "ok":
                    raise _damaged(path, verdict)
                check_tables(db, path)
            if create and later_columns(db):
                _lay_out(db)
        except BaseException:
            db.close()
            raise
    return db


def _lay_out(db: sqlite3.Connection) -> None:
    """Make the tables, and a column for every quantity that an epoch has by now."""
    with transaction(db):
        if not list(db.execute("SELECT 1 FROM sqlite_schema")):
            for statement in TABLES.split(";"):
                db.execute(statement)
            db.execute(f"PRAGMA application_id={APPLICATION}")
            db.execute(f"PRAGMA user_version={VERSION}")
        for name, kind in later_columns(db).items():
            db.execute(f"ALTER TABLE epochs ADD COLUMN {name} {kind}")


def _patiently(
    db: sqlite3.Connection, statement: str, give_up: Callable[[], bool] = lambda: False
) -> None:
    """Execute a statement that waits for other processes, for as long as they take.

    Parameters
    ----------
    give_up : callable
        Asked now and then whether to raise SQLite's error instead.
    """
    while True:
        try:
            db.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if _kind(error) != sqlite3.SQLITE_BUSY or give_up():
                raise


@contextmanager
def snapshot(db: sqlite3.Connection, give_up: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Let several reads see the store at one moment, whatever other processes write meanwhile."""
    db.execute("BEGIN")
    try:
        _patiently(db, "SELECT 1 FROM sqlite_schema", give_up)  # the first read takes the lock
        yield
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")  # there is nothing to keep


@contextmanager
def transaction(
    db: sqlite3.Connection, give_up: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Write all that is written within, or nothing of it where an error ends it."""
    # Immediate: what is read here is still true when it is written.
    _patiently(db, "BEGIN IMMEDIATE", give_up)
    try:
        yield
        _patiently(db, "COMMIT", give_up)
    finally:
        # A full disk may have rolled it back already.
        if db.in_transaction:
            db.execute("ROLLBACK")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ones that name the file and what can be done about it.

    Raises
    ------
    InputError
        If the file is damaged or no SQLite file.
    OSError
        If it cannot be read or written.
    """
    try:
        yield
    except Unreadable as error:
        raise _damaged(path, str(error)) from None
    except sqlite3.Error as error:
        code = _kind(error)
        # Text that is not UTF-8 has no code. Rows that do not fit to each other were changed.
        told = str(error).startswith(("no such ", "Could not decode to UTF-8"))
        damaged = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CONSTRAINT)
        if code in damaged or (told and code in (0, sqlite3.SQLITE_ERROR)):
            raise _damaged(path, str(error)) from None
        numbers = {
            sqlite3.SQLITE_FULL: errno.ENOSPC,
            sqlite3.SQLITE_READONLY: errno.EROFS,
            sqlite3.SQLITE_PERM: errno.EACCES,
            sqlite3.SQLITE_CANTOPEN: errno.EACCES,
            sqlite3.SQLITE_BUSY: errno.EBUSY,
            sqlite3.SQLITE_IOERR: errno.EIO,
        }
        if code not in numbers:
            raise
        raise OSError(numbers[code], os.strerror(numbers[code]), str(path)) from error


def _kind(error: sqlite3.Error) -> int:
    # The low byte is the kind of error, the rest says where it happened.
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(
        f"{path}: damaged, or not a store ({' '.join(reason.split())}); move it away or name "
        "another file"
    )
