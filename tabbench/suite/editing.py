"""Suites of a user's own are written and extended."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tabbench.core.errors import BadOption, OptionMention
from tabbench.core.files import write_atomically
from tabbench.core.phrases import counted
from tabbench.reading.cards import find_card
from tabbench.store.folder import writing
from tabbench.suite.appending import with_more_tables
from tabbench.suite.definition import FILES, SCHEME, SuiteTable, name_of, new_suite, read_suite, with_tables, write_suite


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
    suite = new_suite(name_of(path.name), _found(sources), target)
    with writing(path):
        write_suite(replace(suite, tables=tuple(_beside(table, path) for table in suite.tables)), path)
    return _how_to_run(len(suite.tables), path)


def add_tables(path: Path, sources: Sequence[str], target: str | None = None) -> str:
    """Add tables to the suite in a file; gives what to do with it.

    Raises
    ------
    BadOption
        It cannot be written.
    BadData
        It is no suite.
    """
    earlier = read_suite(path)
    longer = with_tables(earlier, _found(sources), target)
    more = [_beside(table, path) for table in longer.tables[len(earlier.tables):]]
    with writing(path):
        write_atomically(path, with_more_tables(path.read_text(encoding="utf-8"), more).encode())
    return _how_to_run(len(longer.tables), path)


def _found(sources: Sequence[str]) -> list[str]:
    """Files by their whole paths, and other sources, which may need the network, as they are."""
    for source in sources:
        if not (Path(source).is_file() or SCHEME.match(source) or "://" in source or find_card(source)):
            raise BadOption(f"{source} is neither a file nor a data set's name; check the path, or see tabbench datasets list")
    return [str(Path(source).absolute()) if Path(source).is_file() else source for source in sources]


def _how_to_run(count: int, path: Path) -> str:
    return f"{counted(count, 'table')}; run {'it' if count == 1 else 'them'} with: tabbench suite run {shlex.quote(str(path))}"


def _beside(table: SuiteTable, path: Path) -> SuiteTable:
    """The table with its files as the suite's file names them."""
    options = {name: _relative(str(value), path) if name in FILES else value for name, value in table.options.items()}
    return replace(table, source=_relative(table.source, path), options=options)


def _relative(source: str, suite: Path) -> str:
    """A file as the suite's file, lying where it does, names it: so that both can be moved together."""
    place, beside = Path(source), suite.absolute().parent
    return str(place.relative_to(beside)) if place.is_absolute() and place.is_relative_to(beside) else source
