"""The folder of a run: its layout, the process that owns it, and whether it may be used. Knows nothing of what the files mean."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO

from tabbench.core.errors import BadOption

DATABASE = "run.db"
TABLE = "table.arrow"
SPLITS = "splits.npz"
GIVEN = "given.arrow"
MANIFEST = "manifest.json"
SPOOL = "spool"
PREDICTIONS = "predictions"
LOGS = "logs"
LOCK = "lock"
WINNER = "winner"
WHAT_IF = "what-if"
PREVIOUS = "previous"
"""Where `--fresh` puts the old run until the new one is known to be valid."""
APPLICATION_ID = 0x7ABBE7C4
"""Marks a SQLite file as ours."""
OURS = frozenset({PREVIOUS, DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", TABLE, SPLITS, GIVEN, MANIFEST, SPOOL, PREDICTIONS,
                  LOGS, LOCK, WINNER, WHAT_IF, "result.json", "report.html", "report.md"})


class RunFolder:
    """An exclusively owned run folder.

    The lock is the operating system's: it ends with this process, however that ends, and workers don't inherit it.
    Until `keep` is called nothing of what was there is lost: a new run's files go away on closing, and a run that was to
    start over is put back.

    Raises
    ------
    BadOption
        When the folder holds something else, cannot be written, or another process owns it.
    """

    def __init__(self, path: Path, lock: IO[str], *, found: frozenset[str] | None) -> None:
        self.path = path
        self._lock = lock
        self._found = found
        self._is_kept = is_store(path / DATABASE)

    @classmethod
    def open(cls, path: Path, *, is_fresh: bool = False) -> RunFolder:
        """Own the folder at `path`, making it where there is none; `is_fresh` puts aside a run that is there."""
        with writing(path):
            _refuse_foreign(path)
            found = frozenset(child.name for child in path.iterdir()) if path.exists() else None
            path.mkdir(parents=True, exist_ok=True)
            lock = _own(path)
            try:
                _settle_previous(path)
                if is_fresh and is_store(path / DATABASE):
                    _move(path, path / PREVIOUS)
                folder = cls(path, lock, found=found)
                for name in (SPOOL, LOGS, PREDICTIONS):
                    (path / name).mkdir(exist_ok=True)
            except BaseException:
                lock.close()
                raise
        return folder

    def keep(self) -> None:
        """The new run is worth keeping; one that was put aside is not needed any more."""
        self._is_kept = True
        shutil.rmtree(self.path / PREVIOUS, ignore_errors=True)

    def close(self) -> None:
        """Give the ownership back; a folder in which nothing came about is left as it was found."""
        if not self._is_kept:
            _remove(self.path, OURS - {LOCK, PREVIOUS} - (self._found or frozenset()))
            _settle_previous(self.path)
            if not is_store(self.path / DATABASE):
                (self.path / LOCK).unlink(missing_ok=True)
        self._lock.close()
        if not self._is_kept and self._found is None:
            with contextlib.suppress(OSError):  # somebody has put something there meanwhile
                self.path.rmdir()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the operating system says about writing at `path` into a sentence."""
    try:
        yield
    except OSError as error:
        raise BadOption(f"cannot write {shorten(str(path))}: {error.strerror or error}; nothing finished is lost: look at the "
                        "place and its free space, or choose another one with --out") from error


def shorten(text: str, most: int = 120) -> str:
    """A path that fits into a sentence."""
    return text if len(text) <= most else f"{text[:most]}…"


def is_store(path: Path) -> bool:
    """Whether a file is a store of ours, by the application id in SQLite's header."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        header = stream.read(72)
    return header.startswith(b"SQLite format 3") and int.from_bytes(header[68:72], "big") == APPLICATION_ID


def require_run(path: Path) -> Path:
    """The folder of an existing run; a `BadOption` says what is there instead."""
    with writing(path):
        exists, is_run = path.exists(), is_store(path / DATABASE)
    if not exists:
        raise BadOption(f"no such run folder: {path}; a run is made by `tabbench compare DATA --out {path}`")
    if not is_run:
        raise BadOption(f"{path} is not a run folder (no {DATABASE} of tabbench in it); "
                        "a run is made by `tabbench compare DATA --out DIR`")
    return path


def _refuse_foreign(path: Path) -> None:
    if not path.exists() and not path.is_symlink():
        return
    if not path.is_dir():
        raise BadOption(f"{path} is a file, not a folder; choose another place for the run with --out")
    names = {child.name for child in path.iterdir()}
    is_run = is_store(path / DATABASE) or PREVIOUS in names or LOCK in names  # a lock alone: one that is just beginning
    if names and not is_run:
        raise BadOption(f"the folder {path} holds something else ({min(names)}); choose another one with --out")
    foreign = sorted(name for name in names - OURS if not name.endswith(".tmp"))
    if foreign:
        raise BadOption(f"the folder {path} holds a run and something else ({foreign[0]}); move that away, or choose another "
                        "folder with --out")


def _own(path: Path) -> IO[str]:
    lock = (path / LOCK).open("a")
    try:
        if os.name == "nt":
            import msvcrt

            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise BadOption(f"another tabbench is working in {path}; wait for it, or choose another folder with --out") from error
    return lock


def _move(path: Path, goal: Path) -> None:
    goal.mkdir()
    for child in list(path.iterdir()):
        if child.name not in (LOCK, PREVIOUS):
            child.rename(goal / child.name)


def _settle_previous(path: Path) -> None:
    """Put back a run that was put aside; where its successor was frozen before the process was killed, drop it."""
    previous = path / PREVIOUS
    if not previous.is_dir():
        return
    if not (path / TABLE).exists():
        _remove(path, OURS - {LOCK, PREVIOUS})
        for child in list(previous.iterdir()):
            child.rename(path / child.name)
    shutil.rmtree(previous)


def _remove(path: Path, names: frozenset[str]) -> None:
    for name in names:
        child = path / name
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink(missing_ok=True)
