"""The folder of a run: its layout, the process that owns it, and whether it may be used. Knows nothing of what the files mean."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from filelock import BaseFileLock, FileLock, Timeout

from tabbench.core.errors import BadOption
from tabbench.store.aside import discard, is_settled, put_aside, remove, settle

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
APPLICATION_ID = 0x7ABBE7C4
"""Marks a SQLite file as ours."""
OF_A_RUN = frozenset({DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal", TABLE, SPLITS, GIVEN, MANIFEST,
                      SPOOL, PREDICTIONS, LOGS, WINNER, WHAT_IF, "result.json", "report.html", "report.md"})
"""All that a run writes into its folder. Whatever else is there belongs to somebody else and stays."""
TRIES = 100
"""To make a folder and lock it, while others who have made it leave it again."""
PATIENCE_SECONDS = 0.2
"""For a process that is about to leave the folder."""


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

    def __init__(self, path: Path, lock: BaseFileLock, *, is_new: bool) -> None:
        self.path = path
        self._lock = lock
        self._is_new = is_new
        self._is_kept = (path / DATABASE).exists()

    @classmethod
    def open(cls, path: Path, *, is_fresh: bool = False) -> RunFolder:
        """Own the folder at `path`, making it where there is none; `is_fresh` puts aside a run that is there."""
        with writing(path):
            _refuse_foreign(path)
            lock, is_new = _own(path)
            try:
                settle(path, OF_A_RUN)
                _remove_unfinished_files(path)
                if is_fresh and (path / DATABASE).exists():
                    put_aside(path, OF_A_RUN)
                folder = cls(path, lock, is_new=is_new)
                for name in (SPOOL, LOGS, PREDICTIONS):
                    (path / name).mkdir(exist_ok=True)
            except BaseException:
                with contextlib.suppress(OSError):  # what went wrong first is what is told; the next call does the rest
                    settle(path, OF_A_RUN)
                lock.release()
                raise
        return folder

    def keep(self) -> None:
        """The new run is worth keeping; one that was put aside is not needed any more."""
        self._is_kept = True
        with writing(self.path):
            discard(self.path)

    def close(self) -> None:
        """Give the ownership back; a folder in which nothing came about is left as it was found."""
        try:
            if not self._is_kept:
                with writing(self.path):
                    self._undo()
        finally:
            self._lock.release()

    def _undo(self) -> None:
        if is_settled(self.path):
            remove(self.path, OF_A_RUN)
            # Whoever waits for the lock sees that its file is gone and makes a new one.
            (self.path / LOCK).unlink(missing_ok=True)
        else:
            settle(self.path, OF_A_RUN)
        if self._is_new:
            with contextlib.suppress(OSError):  # somebody has put something there meanwhile
                self.path.rmdir()

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None) -> None:
        self.close()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what the operating system says about `path` into a sentence."""
    try:
        yield
    except OSError as error:
        raise BadOption(f"cannot use {shorten(str(path))}: {error.strerror or error}; nothing finished is lost: look at the "
                        "place, its permissions and its free space, or choose another one with --out") from error


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


def holds_run(path: Path) -> bool:
    """Whether there is a run in a folder, be its store readable or not."""
    return is_store(path / DATABASE) or not is_settled(path) or all((path / name).exists() for name in (LOCK, DATABASE, SPOOL))


def require_run(path: Path) -> Path:
    """The folder of an existing run; a `BadOption` says what is there instead.

    A run that a killed process has put aside comes back.
    """
    with writing(path):
        exists, is_run = path.exists(), path.is_dir() and holds_run(path)
    if not exists:
        raise BadOption(f"no such run folder: {path}; a run is made by `tabbench compare DATA --out {path}`")
    if not is_run:
        raise BadOption(f"{path} is not a run folder (no {DATABASE} of tabbench in it); "
                        "a run is made by `tabbench compare DATA --out DIR`")
    if not is_settled(path):
        RunFolder.open(path).close()
    return path


def _refuse_foreign(path: Path) -> None:
    """Refuse a folder without a run in which somebody has put something; what only file managers and git put there is nothing."""
    if (foreign := _foreign(path)) and foreign <= OF_A_RUN:
        time.sleep(PATIENCE_SECONDS)  # another process may be about to leave the folder, its lock first
        foreign = _foreign(path)
    if foreign:
        raise BadOption(f"the folder {path} holds something else ({min(foreign)}); choose another one with --out")


def _foreign(path: Path) -> set[str]:
    """What is in a folder without a run and does not belong to the beginning of one."""
    try:
        names = {child.name for child in path.iterdir() if not child.name.startswith(".")}
    except (FileNotFoundError, NotADirectoryError) as error:  # asked once: others may make the folder and leave it meanwhile
        if isinstance(error, NotADirectoryError) or path.is_symlink():
            raise BadOption(f"{path} is a file, not a folder; choose another place for the run with --out") from error
        return set()
    begun = OF_A_RUN | {LOCK} if LOCK in names else frozenset()
    foreign = {name for name in names - begun if not (begun and name.endswith(".tmp"))}
    return set() if foreign and holds_run(path) else foreign


def _own(path: Path) -> tuple[BaseFileLock, bool]:
    """The lock of the folder at `path`, and whether the folder was made for it."""
    is_new = False
    for _ in range(TRIES):
        is_new = not path.exists() or is_new
        path.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path / LOCK, thread_local=False)
        try:
            lock.acquire(timeout=PATIENCE_SECONDS, poll_interval=PATIENCE_SECONDS / 10)
        except FileNotFoundError:  # whoever had made the folder has left it again
            continue
        except Timeout:
            break
        return lock, is_new
    raise BadOption(f"another tabbench is working in {path}; wait for it, or choose another folder with --out")


def _remove_unfinished_files(path: Path) -> None:
    """Remove what a process was writing when it was killed."""
    for child in path.glob("*.tmp"):
        if any(child.name.startswith(f"{name}.") for name in OF_A_RUN):
            remove(path, [child.name])  # a folder, of a repair
