"""The folder of a run: its layout, who owns it, and whether it may be used. Knows nothing of what the files mean."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import IO

from tabbench.core.errors import BadOption

DATABASE = "run.db"
TABLE = "table.arrow"
SPLITS = "splits.npz"
MANIFEST = "manifest.json"
SPOOL = "spool"
PREDICTIONS = "predictions"
LOGS = "logs"
LOCK = "lock"
WINNER = "winner"
OURS = frozenset({DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", TABLE, SPLITS, MANIFEST, SPOOL, PREDICTIONS, LOGS, LOCK,
                  WINNER, "result.json", "report.html", "report.md"})


class RunFolder:
    """An exclusively owned run folder.

    The lock is the operating system's: it ends with this process, however that ends, and children don't inherit it.

    Raises
    ------
    BadOption : when the folder holds something else, cannot be written, or another process owns it.
    """

    def __init__(self, path: Path, lock: IO[str], *, was_there: bool) -> None:
        self.path = path
        self._lock = lock
        self._was_there = was_there
        self._is_kept = (path / TABLE).exists()

    @classmethod
    def open(cls, path: Path, *, is_fresh: bool = False) -> RunFolder:
        """Own the folder at `path`, making it where there is none; `is_fresh` empties a run that is there."""
        _refuse_foreign(path)
        was_there = path.exists()
        try:
            path.mkdir(parents=True, exist_ok=True)
            lock = _own(path)
            if is_fresh:
                _empty(path)
            for name in (SPOOL, LOGS, PREDICTIONS):
                (path / name).mkdir(exist_ok=True)
        except OSError as error:
            raise BadOption(f"cannot write the run's folder {path}: {error.strerror or error}; choose another one with --out"
                            ) from error
        return cls(path, lock, was_there=was_there)

    def keep(self) -> None:
        """There is something in the folder that is worth keeping."""
        self._is_kept = True

    def close(self) -> None:
        """Give the ownership back; a folder in which nothing came about is left as it was found."""
        if not self._is_kept:
            _empty(self.path)
            (self.path / LOCK).unlink(missing_ok=True)
        self._lock.close()
        if not self._is_kept and not self._was_there:
            self.path.rmdir()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


def require_run(path: Path) -> Path:
    """The folder of an existing run; a `BadOption` says what is there instead."""
    if not path.exists():
        raise BadOption(f"no such run folder: {path}; a run is made by `tabbench compare DATA --out {path}`")
    if not (path / DATABASE).is_file():
        raise BadOption(f"{path} is not a run folder (no {DATABASE} in it); a run is made by `tabbench compare DATA --out DIR`")
    return path


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is either the old or the new one, also after a power cut."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make renames in a folder durable, where the system can (Windows does so itself)."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _refuse_foreign(path: Path) -> None:
    if path.is_symlink() or not path.exists():
        return
    if not path.is_dir():
        raise BadOption(f"{path} is a file, not a folder; choose another place for the run with --out")
    try:
        names = {child.name for child in path.iterdir()}
    except OSError as error:
        raise BadOption(f"cannot read the folder {path}: {error.strerror}; choose another one with --out") from error
    foreign = sorted(name for name in names - OURS if not name.endswith(".tmp"))
    if names and (DATABASE not in names or foreign) and foreign:
        raise BadOption(f"the folder {path} holds something else ({foreign[0]}); choose another one with --out")


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


def _empty(path: Path) -> None:
    for child in path.iterdir():
        if child.name == LOCK:
            continue
        if child.is_dir() and not child.is_symlink():
            shutil.rmtree(child)
        else:
            child.unlink()
