"""Suites of a user's own are written and extended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tabbench.core.errors import BadOption
from tabbench.store.folder import writing
from tabbench.suite.definition import name_of, new_suite, read_suite, with_tables, write_suite


def write_new(path: Path, sources: Sequence[str], target: str | None = None) -> str:
    """Write a suite of these tables; gives what to do with it.

    Raises
    ------
    BadOption
        The file is there already, a table is not, or it cannot be written.
    """
    if path.exists():
        raise BadOption(f"{path} is there already; add tables to it with tabbench suite add, or choose another name with --out")
    suite = new_suite(name_of(path.name), [_relative(source, path) for source in sources], target)
    with writing(path):
        write_suite(suite, path)
    return f"{len(suite.tables)} tables; run them with: tabbench suite run {path}"


def add_tables(path: Path, sources: Sequence[str], target: str | None = None) -> str:
    """Add tables to the suite in a file; gives what to do with it.

    Raises
    ------
    BadOption
        It cannot be written.
    BadData
        It is no suite.
    """
    suite = with_tables(read_suite(path), [_whole(source) for source in sources], target)
    with writing(path):
        write_suite(suite, path)
    return f"{len(suite.tables)} tables; run them with: tabbench suite run {path}"


def _whole(source: str) -> str:
    return str(Path(source).absolute()) if Path(source).is_file() else source


def _relative(source: str, suite: Path) -> str:
    """A file as the suite's file, lying where it does, names it."""
    place, beside = Path(source).absolute(), suite.absolute().parent
    return str(place.relative_to(beside)) if place.is_file() and place.is_relative_to(beside) else source
