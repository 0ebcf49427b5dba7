"""The store of a run: one SQLite file that the supervisor alone writes. What is committed survives a kill.

Large predictions lie beside it as content-addressed files, written and synced before the row that names them.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.errors import BadData, BadOption
from tabbench.core.files import write_atomically
from tabbench.store.folder import APPLICATION_ID, DATABASE, PREDICTIONS, SPOOL
from tabbench.store.spool import CHECKSUM, SUFFIX, DamagedSpool, checksum, encode, result_from, unpack

FORMAT = 1
"""The number of the file's layout; raised with a migration."""
LARGEST_INLINE_BYTES = 64 * 1024
"""SQLite reads a blob of this size about as fast as a file; larger ones would bloat the write-ahead log."""

TRIED_AGAIN = "('timed_out', 'crashed', 'out_of_memory')"
"""Statuses whose cells are tried again when a run is continued; a new result replaces them."""

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
CREATE TABLE child (pid INTEGER PRIMARY KEY, created REAL NOT NULL) STRICT;
"""


class Store:
    """Open store of a run folder.

    Raises
    ------
    BadData
        When `run.db` is not a store of ours, is damaged, or was written by a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self._connection = sqlite3.connect(folder / DATABASE, isolation_level=None)
        except sqlite3.DatabaseError as error:
            raise BadData(f"the store {folder / DATABASE} cannot be opened ({error}); look at its permissions") from error
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

    def folder_of(self, batch: Batch) -> Path:
        """The folder of the run that a batch belongs to: this one."""
        return self.folder

    # meta ------------------------------------------------------------------------------------------------------------

    def remember(self, **values: Any) -> None:
        """Keep plain JSON values by name."""
        rows = [(name, json.dumps(value, allow_nan=False)) for name, value in values.items()]
        with self._transaction():
            self._connection.executemany("INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                                         rows)

    def recall(self, name: str, default: Any = None) -> Any:
        """The value kept under a name."""
        rows = self._query("SELECT value FROM meta WHERE name = ?", name)
        return json.loads(rows[0][0]) if rows else default

    # cells and results -----------------------------------------------------------------------------------------------

    def declare(self, batches: Iterable[Batch]) -> None:
        """Record the cells that are planned; known ones are left alone."""
        rows = ((cell.key, cell.approach, cell.size, cell.repeat, cell.fold, json.dumps(cell.to_json()))
                for batch in batches for cell in batch.cells)
        with self._transaction():
            self._connection.executemany("INSERT INTO cell VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING", rows)

    def put(self, results: Iterable[Result]) -> None:
        """Keep results, all or none; a cell keeps the one it has, unless that was an accident (see `settled`)."""
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

    def cells(self, keys: Iterable[str]) -> list[Cell]:
        """The declared cells with these keys."""
        found = (self._query("SELECT specification FROM cell WHERE key = ?", key) for key in keys)
        return [Cell(**json.loads(specification)) for rows in found for (specification,) in rows]

    def finished(self) -> set[str]:
        """Keys of the cells that have a result."""
        return {row[0] for row in self._query("SELECT key FROM result")}

    def settled(self) -> set[str]:
        """Keys of the cells that need not run again: a kill or a limit may have ended the others by accident."""
        return {row[0] for row in self._query(f"SELECT key FROM result WHERE status NOT IN {TRIED_AGAIN}")}

    def result(self, key: str) -> Result | None:
        """A cell's result with its predictions, or None.

        Raises
        ------
        BadData
            The row is damaged, or the predictions that lie beside the database are damaged or gone.
        """
        for header, body, name in self._query("SELECT header, body, body_file FROM result WHERE key = ?", key):
            content = (body or b"") if name is None else self._beside(name)
            try:
                return result_from(self._opened(header), content)
            except (ValueError, TypeError, KeyError, zlib.error) as error:
                raise self._damaged(error) from error
        return None

    def header(self, key: str) -> dict[str, Any]:
        """A finished cell's result without its predictions, as plain values."""
        [(header,)] = self._query("SELECT header FROM result WHERE key = ?", key)
        return self._opened(header)

    def is_intact(self, key: str) -> bool | None:
        """Whether a finished cell's row is as it was put; None for one that an older version put without a checksum."""
        [row] = self._query("SELECT key, status, header, body, body_file FROM result WHERE key = ?", key)
        key, status, text, body, name = row
        with contextlib.suppress(BadData):
            header, content = self._opened(text), (body or b"") if name is None else self._beside(name)
            if (header.get("key"), header.get("status")) != (key, status):
                return False
            return checksum(header, content) == header[CHECKSUM] if CHECKSUM in header else None
        return False

    def note_attempt(self, cells: Iterable[Cell], ended: str, reason: str) -> None:
        """Record an attempt that gave no result."""
        with self._transaction():
            self._connection.executemany("INSERT INTO attempt VALUES (?, ?, ?)", [(cell.key, ended, reason) for cell in cells])

    def attempts(self) -> list[tuple[str, str, str]]:
        """(key, how it ended, reason) of attempts that gave no result."""
        return self._query("SELECT key, ended, reason FROM attempt ORDER BY rowid")

    # children --------------------------------------------------------------------------------------------------------

    def note_child(self, pid: int, created: float) -> None:
        """Record a child, so that a later supervisor can end it if it outlives this one."""
        with self._transaction():
            self._connection.execute("INSERT OR REPLACE INTO child VALUES (?, ?)", (pid, created))

    def children(self) -> list[tuple[int, float]]:
        """(pid, creation time) of the children that were recorded."""
        return self._query("SELECT pid, created FROM child")

    def forget_children(self) -> None:
        """All recorded children have ended."""
        with self._transaction():
            self._connection.execute("DELETE FROM child")

    # -----------------------------------------------------------------------------------------------------------------

    def _declared(self) -> set[str]:
        return {row[0] for row in self._query("SELECT key FROM cell")}

    def _query(self, statement: str, *values: Any) -> list[Any]:
        try:
            return self._connection.execute(statement, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> BadData:
        return BadData(f"the store in {self.folder} is damaged ({error}); start over with --fresh")

    def _opened(self, header: str) -> dict[str, Any]:
        try:
            return dict(json.loads(header))
        except (ValueError, TypeError, RecursionError) as error:
            raise self._damaged(error) from error

    def _beside(self, name: str) -> bytes:
        path = self.folder / PREDICTIONS / name
        body = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(body).hexdigest() != name:
            raise BadData(f"the predictions {path} are damaged or gone; start over with --fresh")
        return body

    def _put(self, unpacked: list[tuple[dict[str, Any], bytes]]) -> None:
        with self._transaction():
            self._connection.executemany(
                "INSERT INTO result VALUES (?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET status = excluded.status, "
                "header = excluded.header, body = excluded.body, body_file = excluded.body_file "
                f"WHERE status IN {TRIED_AGAIN}", [self._row(header, body) for header, body in unpacked])

    def _row(self, header: dict[str, Any], body: bytes) -> tuple[str, str, str, bytes | None, str | None]:
        text = json.dumps(header | {CHECKSUM: checksum(header, body)}, allow_nan=False)
        if len(body) <= LARGEST_INLINE_BYTES:
            return header["key"], header["status"], text, body, None
        name = hashlib.sha256(body).hexdigest()
        path = self.folder / PREDICTIONS / name
        if not path.exists():
            write_atomically(path, body)  # before the row that names it is committed
        return header["key"], header["status"], text, None, name

    def _settle_layout(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise BadData(f"the store in {self.folder} was written by a newer tabbench; upgrade tabbench, "
                          "or start over with --fresh")
        if version == 0:
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {LAYOUT} PRAGMA application_id = {APPLICATION_ID}; "
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
