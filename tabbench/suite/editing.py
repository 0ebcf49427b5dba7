"""Suites of a user's own are written and extended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tabbench.core.errors import BadOption
from tabbench.store.folder import writing
from tabbench.suite.definition import FILES, Suite, name_of, new_suite, read_suite, with_tables, write_suite


def write_new(path: Path, sources: Sequence[str], target: str | None = None) -> str:
    """Write a suite of these tables; gives what to do with it.

    Raises
    ------
    BadOption
        The file is there already, a table is not, or it cannot be written.
    """
    if path.exists():
        raise BadOption(f"{path} is there already; add tables to it with tabbench suite add, or choose another name with --out")
    suite = new_suite(name_of(path.name), sources, target)
    with writing(path):
        write_suite(_beside(path, suite), path)
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
    suite = with_tables(read_suite(path), sources, target)
    with writing(path):
        write_suite(_beside(path, suite), path)
    return f"{len(suite.tables)} tables; run them with: tabbench suite run {path}"


def _beside(path: Path, suite: Suite) -> Suite:
    """The suite with its files named as seen from its own file: where they lie together, they can be passed on together."""
    folder = path.absolute().parent
    tables = (replace(table, source=_named(table.source, folder), options={
        name: _named(str(value), folder) if name in FILES else value for name, value in table.options.items()})
        for table in suite.tables)
    return replace(suite, tables=tuple(tables))


def _named(source: str, folder: Path) -> str:
    place = Path(source).absolute()
    if not place.is_file():
        return source  # a data set's name
    return str(place.relative_to(folder)) if place.is_relative_to(folder) else str(place)
