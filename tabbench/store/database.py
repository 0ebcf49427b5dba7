"""The store of a run: one SQLite file that the supervisor alone writes. What is committed survives a kill.

Large predictions lie beside it as content-addressed files, written and synced before the row that names them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.errors import BadData, BadOption
from tabbench.store.folder import DATABASE, PREDICTIONS, SPOOL, write_atomically
from tabbench.store.spool import SUFFIX, DamagedSpool, encode, result_from, unpack

APPLICATION_ID = 0x7AB_BE7C4
FORMAT = 1
"""The number of the file's layout; raised with a migration."""
LARGEST_INLINE_BYTES = 64 * 1024
"""SQLite reads a blob of this size about as fast as a file; larger ones would bloat the write-ahead log."""

LAYOUT = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE cell (
    key TEXT PRIMARY KEY, approach TEXT NOT NULL, size INTEGER NOT NULL, repeat INTEGER NOT NULL, fold INTEGER NOT NULL,
    specification TEXT NOT NULL
) STRICT;
CREATE TABLE result (
    key TEXT PRIMARY KEY REFERENCES cell (key), status TEXT NOT NULL, header TEXT NOT NULL, body BLOB, body_file TEXT
) STRICT;
CREATE TABLE attempt (key TEXT NOT NULL, ended TEXT NOT NULL, reason TEXT NOT NULL) STRICT;
CREATE TABLE batch (key TEXT PRIMARY KEY, cells TEXT NOT NULL) STRICT;
CREATE TABLE child (pid INTEGER PRIMARY KEY, created REAL NOT NULL) STRICT;
"""


class Store:
    """Open store of a run folder.

    Raises
    ------
    BadData : when `run.db` is not a store of ours, is damaged, or was written by a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._connection = sqlite3.connect(folder / DATABASE, isolation_level=None)
        try:
            self._connection.execute("PRAGMA busy_timeout = 5000")
            self._connection.execute("PRAGMA foreign_keys = ON")
            self._settle_layout()
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise BadData(f"the store {folder / DATABASE} cannot be read ({error}); start over with --fresh") from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *ignored: object) -> None:
        self.close()

    # meta ------------------------------------------------------------------------------------------------------------

    def remember(self, **values: Any) -> None:
        """Keep plain JSON values by name."""
        rows = [(name, json.dumps(value, allow_nan=False)) for name, value in values.items()]
        with self._transaction():
            self._connection.executemany("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                                         rows)

    def recall(self, name: str, default: Any = None) -> Any:
        """The value kept under a name."""
        row = self._connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    # cells and results -----------------------------------------------------------------------------------------------

    def declare(self, batches: Iterable[Batch]) -> None:
        """Record what is planned; known cells and batches are left alone."""
        with self._transaction():
            for batch in batches:
                self._connection.executemany(
                    "INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    [(cell.key, cell.approach, cell.size, cell.repeat, cell.fold, json.dumps(cell.to_json()))
                     for cell in batch.cells])
                self._connection.execute("INSERT INTO batch VALUES (?, ?) ON CONFLICT DO NOTHING",
                                         (batch.key, json.dumps([cell.key for cell in batch.cells])))

    def put(self, results: Iterable[Result]) -> None:
        """Keep results, all or none; a cell that has one already keeps it."""
        self._put([unpack(encode(result)) for result in results])

    def adopt_spooled(self, keys: Iterable[str] | None = None) -> list[Result]:
        """Take over the spooled results of these cells, or of every known cell; damaged ones are thrown away."""
        spool = self.folder / SPOOL
        wanted = self._declared() if keys is None else set(keys)
        paths = sorted(spool.glob(f"*{SUFFIX}")) if keys is None else [spool / f"{key}{SUFFIX}" for key in sorted(wanted)]
        found = []
        for path in paths:
            with contextlib.suppress(DamagedSpool, FileNotFoundError):
                header, body = unpack(path.read_bytes())
                if header["key"] in wanted:
                    found.append((header, body))
        self._put(found)
        for path in [*paths, *(spool.glob("*.tmp") if keys is None else ())]:
            path.unlink(missing_ok=True)
        return [result_from(header, body) for header, body in found]

    def cells(self) -> list[Cell]:
        """Every declared cell."""
        return [Cell(**json.loads(row[0])) for row in self._connection.execute("SELECT specification FROM cell ORDER BY key")]

    def finished(self) -> set[str]:
        """Keys of the cells that have a result."""
        return {row[0] for row in self._connection.execute("SELECT key FROM result")}

    def result(self, key: str) -> Result | None:
        """A cell's result with its predictions, or None."""
        row = self._connection.execute("SELECT header, body, body_file FROM result WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        header, body, name = row
        if name is not None:
            body = (self.folder / PREDICTIONS / name).read_bytes()
            if hashlib.sha256(body).hexdigest() != name:
                raise BadData(f"the predictions {self.folder / PREDICTIONS / name} are damaged; start over with --fresh")
        return result_from(json.loads(header), body or b"")

    def header(self, key: str) -> dict[str, Any]:
        """A result without its predictions, as plain values."""
        row = self._connection.execute("SELECT header FROM result WHERE key = ?", (key,)).fetchone()
        return dict(json.loads(row[0]))

    def forget_failures(self) -> int:
        """Drop the results of cells that a kill or a limit ended, so that they are tried again; gives how many."""
        with self._transaction():
            return self._connection.execute(
                "DELETE FROM result WHERE status IN ('timed_out', 'crashed', 'out_of_memory')").rowcount

    def note_attempt(self, cells: Iterable[Cell], ended: str, reason: str) -> None:
        """Record an attempt that gave no result."""
        with self._transaction():
            self._connection.executemany("INSERT INTO attempt VALUES (?, ?, ?)", [(cell.key, ended, reason) for cell in cells])

    def attempts(self) -> list[tuple[str, str, str]]:
        """(key, how it ended, reason) of attempts that gave no result."""
        return list(self._connection.execute("SELECT key, ended, reason FROM attempt ORDER BY rowid"))

    # children --------------------------------------------------------------------------------------------------------

    def note_child(self, pid: int, created: float) -> None:
        """Record a child, so that a later supervisor can end it if it outlives this one."""
        self._connection.execute("INSERT OR REPLACE INTO child VALUES (?, ?)", (pid, created))

    def children(self) -> list[tuple[int, float]]:
        """(pid, creation time) of the children that were recorded."""
        return list(self._connection.execute("SELECT pid, created FROM child"))

    def forget_children(self) -> None:
        """All recorded children have ended."""
        self._connection.execute("DELETE FROM child")

    # -----------------------------------------------------------------------------------------------------------------

    def _declared(self) -> set[str]:
        return {row[0] for row in self._connection.execute("SELECT key FROM cell")}

    def _put(self, unpacked: list[tuple[dict[str, Any], bytes]]) -> None:
        with self._transaction():
            self._connection.executemany("INSERT INTO result VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                                         [self._row(header, body) for header, body in unpacked])

    def _row(self, header: dict[str, Any], body: bytes) -> tuple[str, str, str, bytes | None, str | None]:
        text = json.dumps(header, allow_nan=False)
        if len(body) <= LARGEST_INLINE_BYTES:
            return header["key"], header["status"], text, body, None
        path = self.folder / PREDICTIONS / header["sha256"]
        if not path.exists():
            write_atomically(path, body)  # before the row that names it is committed
        return header["key"], header["status"], text, None, header["sha256"]

    def _settle_layout(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise BadData(f"the store in {self.folder} was written by a newer tabbench; upgrade tabbench, "
                          "or start over with --fresh")
        if version == 0:
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {LAYOUT} PRAGMA application_id = {APPLICATION_ID & 0x7FFFFFFF}; "
                f"PRAGMA user_version = {FORMAT}; COMMIT;")

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
        except BaseException as error:
            if self._connection.in_transaction:  # SQLite has rolled back by itself when the disk is full
                self._connection.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError | OSError):
                raise BadOption(f"cannot write the run's store in {self.folder} ({error}); nothing finished is lost: "
                                "free some space, then run the same command again") from error
            raise
