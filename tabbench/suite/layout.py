"""The folder of a suite's run: its files, and the process that owns it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tabbench.core.errors import BadOption, OptionMention
from tabbench.store.folder import RunFolder, writing

SUITE, MANIFEST, RESULT = "suite.toml", "manifest.json", "result.json"
TABLES, WORKERS = "tables", "workers"
"""The tables' runs, a folder each; what the shared workers leave behind, whose lock is the suite's."""


def require_suite(path: Path) -> Path:
    """The folder of a suite's run.

    Raises
    ------
    BadOption
        It is something else, or not there.
    """
    with writing(path):
        is_suite = (path / SUITE).is_file()
    if not is_suite:
        there = "is not the folder of a suite's run" if path.exists() else "does not exist"
        raise BadOption(f"{path} {there}; such a folder is made by `tabbench suite run NAME --out {path}`")
    return path


@contextlib.contextmanager
def owned_suite(path: Path) -> Iterator[RunFolder]:
    """Own the folder at `path`, making it where there is none; gives the workers' folder.

    Raises
    ------
    BadOption
        It holds something else, cannot be written, or another process owns it.
    """
    with writing(path):
        if path.exists() and not path.is_dir():
            raise BadOption.about(f"{path} is a file, not a folder; choose another place for the run with ", OptionMention("out"))
        names = {child.name for child in path.iterdir()} if path.exists() else set()
        foreign = {name for name in names - {WORKERS} if not _is_debris(name)}
        if foreign and SUITE not in names:
            raise BadOption.about(f"the folder {path} holds something else ({min(foreign)}); choose another one with ",
                                  OptionMention("out"))
    with RunFolder.open(path / WORKERS) as workers:
        workers.keep()
        yield workers


def table_folder(path: Path, name: str) -> Path:
    """The folder of a table's run."""
    return path / TABLES / name


def _is_debris(name: str) -> bool:
    """Whether a process that was killed at its beginning may have left it, or it is hidden."""
    return name.startswith(".") or (name.startswith(SUITE) and name.endswith(".tmp"))
