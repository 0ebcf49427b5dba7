"""Suites of a user's own are written and extended."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tabbench.core.errors import BadOption, OptionMention
from tabbench.core.phrases import counted
from tabbench.reading.cards import find_card
from tabbench.store.folder import writing
from tabbench.suite.definition import FILES, SCHEME, Suite, name_of, new_suite, read_suite, with_tables, write_suite


def write_new(path: Path, sources: Sequence[str], target: str | None = None) -> str:
    """Write a suite of these tables; gives what to do with it.

    Raises
    ------
    BadOption
        The file is there already, a table is not, or it cannot be written.
    """
    if path.exists():
        raise BadOption.about(f"{path} is there already; add tables to it with tabbench suite add, or choose another name with ",
                              OptionMention("out"))
    return _written(new_suite(name_of(path.name), _found(sources), target), path)


def add_tables(path: Path, sources: Sequence[str], target: str | None = None) -> str:
    """Add tables to the suite in a file; gives what to do with it.

    Raises
    ------
    BadOption
        It cannot be written.
    BadData
        It is no suite.
    """
    return _written(with_tables(read_suite(path), _found(sources), target), path)


def _found(sources: Sequence[str]) -> list[str]:
    """Files by their whole paths, and other sources, which may need the network, as they are."""
    for source in sources:
        if not (Path(source).is_file() or SCHEME.match(source) or "://" in source or find_card(source)):
            raise BadOption(f"{source} is neither a file nor a data set's name; check the path, or see tabbench datasets list")
    return [str(Path(source).absolute()) if Path(source).is_file() else source for source in sources]


def _written(suite: Suite, path: Path) -> str:
    tables = tuple(replace(table, source=_relative(table.source, path), options={
        name: _relative(str(value), path) if name in FILES else value for name, value in table.options.items()})
        for table in suite.tables)
    with writing(path):
        write_suite(replace(suite, tables=tables), path)
    count = len(tables)
    return f"{counted(count, 'table')}; run {'it' if count == 1 else 'them'} with: tabbench suite run {shlex.quote(str(path))}"


def _relative(source: str, suite: Path) -> str:
    """A file as the suite's file, lying where it does, names it: so that both can be moved together."""
    place, beside = Path(source), suite.absolute().parent
    return str(place.relative_to(beside)) if place.is_absolute() and place.is_relative_to(beside) else source
