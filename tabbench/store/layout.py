"""The tables of a store's SQLite file, and whether a file has them. Knows no row."""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from pathlib import Path

from tabbench.core.errors import BadData
from tabbench.store.connection import damaged
from tabbench.store.folder import APPLICATION_ID, TABLE
from tabbench.store.ledger import Seal

FORMAT = 2
"""The number of the file's layout. The first one had no checksums."""
LAYOUT = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL, checksum TEXT NOT NULL) STRICT;
CREATE TABLE meta_copy (name TEXT PRIMARY KEY, value TEXT NOT NULL, checksum TEXT NOT NULL) STRICT;
CREATE TABLE cell (
    key TEXT PRIMARY KEY, approach TEXT NOT NULL, size INTEGER NOT NULL, repeat INTEGER NOT NULL, fold INTEGER NOT NULL,
    specification TEXT NOT NULL
) STRICT;
CREATE TABLE result (
    key TEXT PRIMARY KEY, status TEXT NOT NULL, checksum TEXT NOT NULL, header TEXT NOT NULL, body BLOB, body_file TEXT
) STRICT;
CREATE TABLE seal (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE attempt (key TEXT NOT NULL, ended TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
"""
"""A cell needs no checksum: its key is the hash of its specification. The copy of `meta` is what a repair can fall back on."""


def settle_layout(connection: sqlite3.Connection, folder: Path, *, is_read_only: bool) -> None:
    """Make the tables in a new file, or require that a file has them, and settle how it is written.

    Raises
    ------
    BadData
        It has others, or those of another version.
    """
    [version], found = connection.execute("PRAGMA user_version").fetchone(), schema_of(connection)
    is_new = version == 0 and not found and not (folder / TABLE).exists()  # which is written later than the store
    if is_new and not is_read_only:
        connection.executescript(
            f"BEGIN IMMEDIATE; {LAYOUT} PRAGMA application_id = {APPLICATION_ID}; "
            f"INSERT INTO seal VALUES ('meta', '{Seal().text}'), ('result', '{Seal().text}'); "
            f"PRAGMA user_version = {FORMAT}; COMMIT;")
    elif version > FORMAT:
        raise BadData(f"the store in {folder} was written by a newer tabbench; read it with that one")
    elif version == 1 and found != expected_schema():
        raise BadData(f"the store in {folder} was written by an earlier tabbench, without checksums (format 1, now {FORMAT}); "
                      "read it with that version, or compare again into another folder")
    elif version != FORMAT or found != expected_schema():
        raise damaged(folder, "its tables are not those of a store")
    if not is_read_only:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")


def schema_of(connection: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """What tables and indices a file says it has."""
    return connection.execute("SELECT type, name, sql FROM sqlite_schema ORDER BY name").fetchall()


@functools.cache
def expected_schema() -> list[tuple[str, str, str]]:
    """What a store of this format has."""
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(LAYOUT)
        return schema_of(connection)
