"""Make a damaged store whole again: what is as it was put is kept, the rest is forgotten, so that its cells run again."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tabbench.core.cell import Cell
from tabbench.core.errors import BadData
from tabbench.core.files import sync
from tabbench.store.connection import ILLEGIBLE
from tabbench.store.database import UNREADABLE, Store, row_checksum
from tabbench.store.folder import DATABASE, PREDICTIONS, TABLE
from tabbench.store.ledger import checksum

NEEDED = frozenset({"identity", "options", "own", "aliases", "findings", "setup_digests"})
"""What nothing but the store knows; all else comes again when the run goes on."""
BOTH_WAYS = ("ASC", "DESC")
"""A table is read from both ends, each time up to the first page that cannot be read."""


def repair(folder: Path) -> int:
    """Write a damaged store anew from its intact rows; the folder must be owned. Gives the number of results that are intact.

    Raises
    ------
    BadData
        Too little of it is left.
    """
    with contextlib.suppress(BadData), Store(folder) as store:
        finished = store.finished()
        if all(store.is_intact(key) for key in finished) and store.cells(store.recall("planned", [])) is not None:
            return len(finished)
    with contextlib.closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as damaged:
        meta, cells = dict(_intact_meta(damaged)), dict(_intact_cells(damaged))
        results = {row[0]: row for row in _rows(damaged, "result", "key, status, checksum, header, body, body_file")
                   if _is_intact(folder, *row)}
    if (folder / TABLE).exists() and not meta.keys() >= NEEDED:
        raise BadData(f"the store in {folder} cannot be repaired (what is left of it does not say what was compared); start over "
                      "with the same call of tabbench compare and --fresh")
    with tempfile.TemporaryDirectory(prefix=f"{DATABASE}.", suffix=".tmp", dir=folder) as place:
        with Store(Path(place)) as store:
            store.restore({name: json.loads(value) for name, value in meta.items()}, list(cells.values()), list(results.values()))
        sync(Path(place) / DATABASE)
        for name in (f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal"):  # what belongs to the old file
            (folder / name).unlink(missing_ok=True)
        (Path(place) / DATABASE).replace(folder / DATABASE)
    sync(folder)
    return len(results)


def _intact_meta(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for table in ("meta_copy", "meta"):
        for name, value, stored in _rows(connection, table, "name, value, checksum"):
            if checksum(name, value) == stored:
                yield name, value


def _intact_cells(connection: sqlite3.Connection) -> Iterator[tuple[str, Cell]]:
    for key, specification in _rows(connection, "cell", "key, specification"):
        with contextlib.suppress(*UNREADABLE):
            cell = Cell(**json.loads(specification))
            if cell.key == key:
                yield key, cell


def _is_intact(folder: Path, key: Any, status: Any, stored: Any, header: Any, body: Any, name: Any) -> bool:
    if row_checksum(key, status, header, body, name) != stored:
        return False
    path = folder / PREDICTIONS / str(name)
    return name is None or (path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == name)


def _rows(connection: sqlite3.Connection, table: str, columns: str) -> Iterator[tuple[Any, ...]]:
    for direction in BOTH_WAYS:
        with contextlib.suppress(*ILLEGIBLE):
            yield from connection.execute(f"SELECT {columns} FROM {table} NOT INDEXED ORDER BY rowid {direction}")
