"""Tables of SQLite files, by name or by query, with the standard library. The file is opened for reading only."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData, BadOption, OptionMention
from tabbench.core.phrases import first_few, shown
from tabbench.reading.frames import as_arrow, joined

SCHEME = "sqlite:"
START = b"SQLite format 3\0"
ROWS_AT_ONCE = 10_000


def file_and_table(source: str) -> tuple[Path, str | None]:
    """What `sqlite:///file.db?table=t` names; four slashes begin an absolute path.

    >>> file_and_table("sqlite:///data/sales.db?table=orders")
    (PosixPath('data/sales.db'), 'orders')

    Raises
    ------
    BadOption
        There is no file in it.
    """
    parts = urlsplit(source)
    path = unquote(parts.path.removeprefix("/"))
    if parts.netloc or not path:
        raise BadOption(f"{source} names no file; write sqlite:///FILE?table=NAME, with four slashes before an absolute path")
    return Path(path), parse_qs(parts.query).get("table", [None])[0]


def read_sqlite(path: Path, shown_name: str, table: str | None, query: str | None) -> tuple[pa.Table, str]:
    """The table, and what it is.

    Raises
    ------
    BadData
        No database, no such table, several tables where none is named, a query that does not work.
    """
    try:
        with contextlib.closing(sqlite3.connect(f"file:{quote(str(path.absolute()))}?mode=ro", uri=True)) as database:
            name = None if query else _only_table(database, path, shown_name, table)
            cursor = database.execute(query or f'SELECT * FROM "{str(name).replace(chr(34), chr(34) * 2)}"')
            return _fetched(cursor, shown_name), "SQLite query" if query else f"SQLite table {shown(str(name))}"
    except (sqlite3.Error, sqlite3.Warning) as error:
        if query:
            raise BadData.about(f"the query cannot be run on {shown_name} ({error}); correct ", OptionMention("query")) from error
        raise BadData(f"{shown_name} cannot be read as SQLite ({error}); get it again, or export the table as CSV") from error


def _only_table(database: sqlite3.Connection, path: Path, shown_name: str, wanted: str | None) -> str:
    found = [name for (name,) in database.execute(
        "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name")]
    if wanted is not None and wanted in found:
        return wanted
    if wanted is None and len(found) == 1:
        return str(found[0])
    problem = f"has no table {shown(wanted)!r}" if wanted is not None else f"has {len(found)} tables"
    raise BadData.about(f"{shown_name} {problem}; there are: {first_few(found, 20) or 'none'}; name one as "
                        f"sqlite:///{path}?table=NAME, or give a ", OptionMention("query"))


def _fetched(cursor: sqlite3.Cursor, shown_name: str) -> pa.Table:
    if cursor.description is None:
        raise BadData.about(f"the query on {shown_name} gives no table; give a SELECT statement with ", OptionMention("query"))
    names = [str(column[0]) for column in cursor.description]
    parts: list[list[pa.ChunkedArray]] = [[] for _ in names]
    while rows := cursor.fetchmany(ROWS_AT_ONCE):
        for part, values in zip(parts, zip(*rows, strict=True), strict=True):
            part.append(as_arrow(pd.Series(values, dtype=object)))
    return pa.table([joined(part) if part else pa.chunked_array([], pa.string()) for part in parts], names=names)
