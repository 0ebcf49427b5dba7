"""Opening a store's SQLite file, to write or only to read, and what SQLite's errors mean. Knows no row."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from tabbench.core.errors import BadData, BadOption, TabbenchError
from tabbench.store.folder import DATABASE

BUSY_SECONDS = 5.0
ILLEGIBLE = (sqlite3.Error, UnicodeDecodeError)
"""What reading a file raises that is no longer what was written: a text may not be one any more."""
OF_THE_PLACE = frozenset({
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_AUTH, sqlite3.SQLITE_NOLFS, sqlite3.SQLITE_PROTOCOL})
"""Errors of the disk, its permissions or other processes: they say nothing against the file itself."""


@contextlib.contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Turn what SQLite says about a store into a sentence."""
    try:
        yield
    except ILLEGIBLE as error:
        raise mistake(folder, error) from error


def mistake(folder: Path, error: Exception) -> TabbenchError:
    """What went wrong and its cure: that of the place, or that of a file that is proven bad."""
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(error, sqlite3.OperationalError) and code is not None and code & 0xFF in OF_THE_PLACE:
        return BadOption(f"cannot use the run's store in {folder} ({error}); nothing finished is lost: look at the place, its "
                         "permissions and its free space, then run the same command again")
    return damaged(folder, str(error))


def damaged(folder: Path, what: str) -> BadData:
    """The error for a store that is proven bad."""
    return BadData(f"the store in {folder} is damaged ({what}); tabbench resume {folder} --repair runs again what is damaged "
                   "and keeps the rest")


def connect_to_write(folder: Path) -> sqlite3.Connection:
    """The store's file, made where there is none."""
    with reading(folder):
        return sqlite3.connect(folder / DATABASE, timeout=BUSY_SECONDS, isolation_level=None)


def connect_to_read(folder: Path) -> tuple[sqlite3.Connection, tempfile.TemporaryDirectory[str] | None]:
    """The store's file, into whose folder nothing is written; and the place of a copy, where one had to be made.

    A run that was killed has left a write-ahead log or a rollback journal, which SQLite applies only where it may write.
    """
    path = quote(str(folder / DATABASE))
    if os.access(folder, os.W_OK) or _is_live(folder):
        connection = _open(folder, f"file:{path}?mode=ro")
        if not _waits_for_rollback(connection):
            return connection, None
        connection.close()
    elif not _leftovers(folder):
        return _open(folder, f"file:{path}?immutable=1"), None
    copy = tempfile.TemporaryDirectory(prefix="tabbench-read-")
    try:
        for name in (DATABASE, *_leftovers(folder)):
            shutil.copyfile(folder / name, Path(copy.name) / name)
        return _open(folder, f"file:{quote(str(Path(copy.name) / DATABASE))}"), copy
    except OSError as error:
        copy.cleanup()
        raise BadOption(f"cannot read the run's store in {folder}: {error.strerror or error}; the run was killed and lies where "
                        "nothing can be written: copy its folder to where it can") from error


def _waits_for_rollback(connection: sqlite3.Connection) -> bool:
    """Whether a killed process has left a transaction that has to be taken back before anything can be read."""
    try:
        connection.execute("PRAGMA schema_version")
    except sqlite3.Error as error:  # any other one comes again where the file is read, and is told there
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY_ROLLBACK
    return False


def _open(folder: Path, address: str) -> sqlite3.Connection:
    with reading(folder):
        return sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS, isolation_level=None)


def _leftovers(folder: Path) -> list[str]:
    """What SQLite keeps beside the file while it is written, where something is in it."""
    names = (f"{DATABASE}-wal", f"{DATABASE}-journal")
    return [name for name in names if (folder / name).is_file() and (folder / name).stat().st_size > 0]


def _is_live(folder: Path) -> bool:
    return (folder / f"{DATABASE}-shm").is_file() and f"{DATABASE}-wal" in _leftovers(folder)
