"""The store of a run: one SQLite file that the supervisor alone writes. What is committed survives a kill.

Large predictions lie beside it as content-addressed files, written and synced before the row that names them. Every row that a
verdict depends on has a checksum, and every kind of row a seal, so that what is read is as it was put or refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import tempfile
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tabbench.core.cell import Batch, Cell, Result
from tabbench.core.errors import BadData, BadOption
from tabbench.core.files import write_atomically
from tabbench.store.connection import ILLEGIBLE, connect_to_read, connect_to_write, damaged, mistake, reading
from tabbench.store.folder import PREDICTIONS, SPOOL
from tabbench.store.layout import settle_layout
from tabbench.store.ledger import Seal, checksum
from tabbench.store.spool import SUFFIX, DamagedSpool, encode, result_from, unpack

LARGEST_INLINE_BYTES = 64 * 1024
"""SQLite reads a blob of this size about as fast as a file; larger ones would bloat the write-ahead log."""

SYNC_SECONDS = 0.5
"""Of results that workers hand over faster one in so long waits for the disk, the others until `Store.sync`: a kill costs
nothing, a power cut what has not been synced."""

TRIED_AGAIN = frozenset({"timed_out", "crashed", "out_of_memory"})
"""Statuses whose cells are tried again when a run is continued; a new result replaces them."""

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, RecursionError, zlib.error)
"""What comes of values that are no longer what was put."""


class Known(NamedTuple):
    """What is known of a result without reading it."""

    status: str
    checksum: str

    def mark(self, key: str) -> str:
        """Its part of the seal."""
        return checksum(key, self.status, self.checksum)


class Store:
    """Open store of a run folder.

    Parameters
    ----------
    is_read_only : bool, default False
        Whether nothing is written into the folder, which need not be writable then.

    Raises
    ------
    BadData
        When `run.db` is not a store of ours, is damaged, or was written by another version's layout.
    BadOption
        When the place does not let it be opened.
    """

    def __init__(self, folder: Path, *, is_read_only: bool = False) -> None:
        self.folder = folder
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        if is_read_only:
            self._connection, self._copy = connect_to_read(folder)
        else:
            self._connection = connect_to_write(folder)
        self._is_read_only = is_read_only
        self._version: int | None = None
        self._synced, self._is_unsynced = -math.inf, False
        self._meta: dict[str, str] = {}
        self._results: dict[str, Known] = {}
        self._seal = Seal()
        try:
            with reading(folder):
                settle_layout(self._connection, folder, is_read_only=is_read_only)
        except BaseException:
            self.close()
            raise

    @classmethod
    def reading(cls, folder: Path) -> Store:
        """The store of a folder into which nothing is to be written."""
        return cls(folder, is_read_only=True)

    def close(self) -> None:
        """Close the file; without a write-ahead log, so that it can be read where nothing can be written."""
        if not self._is_read_only:
            with contextlib.suppress(*ILLEGIBLE):  # somebody else reads it, or it is damaged: the log stays
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA journal_mode = DELETE")
        self._connection.close()
        if self._copy is not None:
            self._copy.cleanup()

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
        kept = self._known_meta() | {name: json.dumps(value, allow_nan=False) for name, value in values.items()}
        rows = [(name, kept[name], checksum(name, kept[name])) for name in values]
        with self._transaction():
            for table in ("meta", "meta_copy"):
                self._connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?, ?)", rows)
            self._put_seal("meta", Seal.of(checksum(name, value) for name, value in kept.items()))
        self._meta = kept

    def recall(self, name: str, default: Any = None) -> Any:
        """The value kept under a name."""
        value = self._known_meta().get(name)
        return default if value is None else json.loads(value)

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

    def sync(self) -> None:
        """Have results that were adopted without waiting for the disk survive a power cut, too."""
        if self._is_unsynced:
            self._query("PRAGMA wal_checkpoint(PASSIVE)")  # which syncs the write-ahead log first
            self._note_synced()

    def forget(self, keys: Iterable[str]) -> None:
        """Drop these cells' results, so that they run again."""
        gone = set(keys)
        kept = {key: known for key, known in self._known_results().items() if key not in gone}
        seal = _seal_of(kept)
        with self._transaction():
            self._connection.executemany("DELETE FROM result WHERE key = ?", [(key,) for key in gone])
            self._put_seal("result", seal)
        self._results, self._seal = kept, seal

    def restore(self, meta: Mapping[str, Any], cells: Sequence[Cell], results: Sequence[tuple[Any, ...]]) -> None:
        """Fill a new store with the rows of another one."""
        self.declare([Batch(tuple(cells))])
        known = {row[0]: Known(row[1], row[2]) for row in results}
        seal = _seal_of(known)
        with self._transaction():
            self._connection.executemany("INSERT INTO result VALUES (?, ?, ?, ?, ?, ?)", results)
            self._put_seal("result", seal)
        self._version = None
        self.remember(**meta)

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
        self._put(found, is_durable=time.monotonic() - self._synced > SYNC_SECONDS)
        for path in [*paths, *(spool.glob("*.tmp") if keys is None else ())]:
            path.unlink(missing_ok=True)
        return [result_from(header, body) for header, body in found]

    def cells(self, keys: Iterable[str]) -> list[Cell]:
        """The declared cells with these keys."""
        return [self._cell(key) for key in keys]

    def finished(self) -> set[str]:
        """Keys of the cells that have a result."""
        return set(self._known_results())

    def settled(self) -> set[str]:
        """Keys of the cells that need not run again: a kill or a limit may have ended the others by accident."""
        return {key for key, known in self._known_results().items() if known.status not in TRIED_AGAIN}

    def result(self, key: str) -> Result | None:
        """A cell's result with its predictions, or None.

        Raises
        ------
        BadData
            The row is damaged, or the predictions that lie beside the database are damaged or gone.
        """
        if key not in self._known_results():
            return None
        header, body = self._whole(key)
        try:
            return result_from(header, body)
        except UNREADABLE as error:
            raise damaged(self.folder, f"the result of the cell {key}") from error

    def header(self, key: str) -> dict[str, Any]:
        """A finished cell's result without its predictions, as plain values."""
        return self._stored(key)[0]

    def is_intact(self, key: str) -> bool:
        """Whether a finished cell's row is as it was put."""
        try:
            self._whole(key)
        except BadData:
            return False
        return True

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
        self.remember(children=[*self.recall("children", []), (pid, created)])

    def children(self) -> list[tuple[int, float]]:
        """(pid, creation time) of the children that were recorded."""
        return [(pid, created) for pid, created in self.recall("children", [])]

    def forget_children(self) -> None:
        """All recorded children have ended."""
        self.remember(children=[])

    # -----------------------------------------------------------------------------------------------------------------

    def _known_meta(self) -> dict[str, str]:
        self._read_ledgers()
        return self._meta

    def _known_results(self) -> dict[str, Known]:
        self._read_ledgers()
        return self._results

    def _read_ledgers(self) -> None:
        """Read and verify what is known of all rows, where another connection has changed it since."""
        [(version,)] = self._query("PRAGMA data_version")
        if version == self._version:
            return
        with reading(self.folder), self._snapshot():
            seals = dict(self._query("SELECT name, value FROM seal NOT INDEXED"))
            self._meta = self._verified_meta(seals.get("meta"))
            self._results = self._verified_results(seals.get("result"))
        self._seal, self._version = _seal_of(self._results), version

    def _verified_meta(self, seal: object) -> dict[str, str]:
        rows = self._query("SELECT name, value, checksum FROM meta NOT INDEXED")
        for name, value, stored in rows:
            if checksum(name, value) != stored:
                raise damaged(self.folder, f"what it keeps under {str(name)[:40]!r}")
        if Seal.of(stored for _, _, stored in rows).text != seal:
            raise damaged(self.folder, "some of the run's properties are gone")
        return {name: value for name, value, _ in rows}

    def _verified_results(self, seal: object) -> dict[str, Known]:
        rows = self._query("SELECT key, status, checksum FROM result NOT INDEXED")
        known = {key: Known(status, stored) for key, status, stored in rows}
        if len(known) != len(rows) or _seal_of(known).text != seal:
            raise damaged(self.folder, "its list of results")
        return known

    def _cell(self, key: str) -> Cell:
        for (specification,) in self._query("SELECT specification FROM cell WHERE key = ?", key):
            with contextlib.suppress(*UNREADABLE):
                cell = Cell(**json.loads(specification))
                if cell.key == key:
                    return cell
        raise damaged(self.folder, f"the cell {key}")

    def _stored(self, key: str) -> tuple[dict[str, Any], bytes, str | None]:
        """Header, body and, where the body lies beside, its file's name, as they were put."""
        known = self._known_results().get(key)
        for header, body, name in self._query("SELECT header, body, body_file FROM result WHERE key = ?", key):
            if known is not None and row_checksum(key, known.status, header, body, name) == known.checksum:
                return dict(json.loads(header)), body or b"", name
        raise damaged(self.folder, f"the result of the cell {key}")

    def _whole(self, key: str) -> tuple[dict[str, Any], bytes]:
        header, body, name = self._stored(key)
        return header, body if name is None else self._beside(name)

    def _declared(self) -> set[str]:
        return {row[0] for row in self._query("SELECT key FROM cell NOT INDEXED")}

    def _query(self, statement: str, *values: Any) -> list[Any]:
        with reading(self.folder):
            return self._connection.execute(statement, values).fetchall()

    def _beside(self, name: str) -> bytes:
        path = self.folder / PREDICTIONS / name
        body = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(body).hexdigest() != name:
            raise damaged(self.folder, f"the predictions {path.name} are changed or gone")
        return body

    def _put(self, unpacked: list[tuple[dict[str, Any], bytes]], *, is_durable: bool = True) -> None:
        results, seal = dict(self._known_results()), self._seal
        with self._transaction(is_durable=is_durable):
            for header, body in unpacked:
                key, old = header["key"], results.get(header["key"])
                if old is not None and old.status not in TRIED_AGAIN:
                    continue
                row = self._row(header, body)
                results[key] = Known(*row[1:3])
                seal = (seal if old is None else seal.without(old.mark(key))).plus(results[key].mark(key))
                self._connection.execute("INSERT OR REPLACE INTO result VALUES (?, ?, ?, ?, ?, ?)", row)
            self._put_seal("result", seal)
        self._results, self._seal = results, seal

    def _row(self, header: dict[str, Any], body: bytes) -> tuple[str, str, str, str, bytes | None, str | None]:
        key, status, text = header["key"], header["status"], json.dumps(header, allow_nan=False)
        if len(body) <= LARGEST_INLINE_BYTES:
            return key, status, row_checksum(key, status, text, body, None), text, body, None
        name = hashlib.sha256(body).hexdigest()
        path = self.folder / PREDICTIONS / name
        if not path.exists():
            write_atomically(path, body)  # before the row that names it is committed
        return key, status, row_checksum(key, status, text, None, name), text, None, name

    def _put_seal(self, name: str, seal: Seal) -> None:
        self._connection.execute("INSERT OR REPLACE INTO seal VALUES (?, ?)", (name, seal.text))

    @contextlib.contextmanager
    def _snapshot(self) -> Iterator[None]:
        """One state of the file for several queries, whatever another process commits meanwhile."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _transaction(self, *, is_durable: bool = True) -> Iterator[None]:
        try:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            yield
            self._connection.execute("COMMIT")
            if is_durable:
                self._note_synced()
            else:
                self._is_unsynced = True
        except BaseException as error:
            self._roll_back()
            if isinstance(error, OSError):
                raise BadOption(f"cannot write predictions in {self.folder} ({error.strerror or error}); nothing finished "
                                "is lost: look at the disk and its free space, then run the same command again") from error
            if isinstance(error, ILLEGIBLE):
                raise mistake(self.folder, error) from error
            raise

    def _note_synced(self) -> None:
        self._synced, self._is_unsynced = time.monotonic(), False

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # SQLite has rolled back by itself when the disk is full
            with contextlib.suppress(*ILLEGIBLE):
                self._connection.execute("ROLLBACK")


def row_checksum(key: str, status: str, header: str, body: bytes | None, body_file: str | None) -> str:
    """The checksum of a result's row."""
    return checksum(key, status, header, body_file, body=body or b"")


def _seal_of(results: dict[str, Known]) -> Seal:
    return Seal.of(known.mark(key) for key, known in results.items())
