"""Whatever holds a table (files of any known format, standard input, a pandas or polars frame) becomes Arrow columns.

What the columns mean, and which of them is the target, is not known here.
"""

from __future__ import annotations

import codecs
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.errors import BadData, BadOption
from tabbench.core.finding import Finding
from tabbench.core.notation import DecimalHint
from tabbench.core.phrases import counted, first_few, shown
from tabbench.reading import sqlite
from tabbench.reading.arff import is_arff, read_arff
from tabbench.reading.decimal_marks import proven_mark
from tabbench.reading.excel import read_excel
from tabbench.reading.frames import as_arrow, as_pandas_declared, is_text, joined, plain, require_sound
from tabbench.reading.header import name_columns
from tabbench.reading.json_text import read_json
from tabbench.reading.layout import PLAIN, Layout
from tabbench.reading.parts import folder_of, part_files, partition_values
from tabbench.reading.text_format import BLANKS, as_utf8, sniff, tabs_for_blanks
from tabbench.reading.text_table import MOST_RAGGED_SHARE, TextRows, read_rows
from tabbench.reading.unpacking import STANDARD_INPUT, ZIP_START, LocalFile, local_file

PARQUET_START, ARROW_START, FEATHER_START, STREAM_START = b"PAR1", b"ARROW1", b"FEA1", b"\xff\xff\xff\xff"
OLD_EXCEL_START = b"\xd0\xcf\x11\xe0"
INDEX_NAME = re.compile(r"Unnamed: 0(?:\.\d+)?|__index_level_\d+__")
"""What pandas calls an index that became a column."""
JSON_START = re.compile(rb'\{\s*"|\{\s*\}|\[\s*[\[{]')
"""A record, or an array of records or rows."""
OF_STRANGE_METADATA = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What is raised over names that are no text and notes of pandas' that it has not written."""


@dataclass(frozen=True, eq=False)
class RawTable:
    """Arrow columns by unique name, as spelled in the source.

    `columns` is emptied by whoever types it, column by column, so that a large table is never held twice.
    `rows` (n,) are positions in the source; `description` says what the source was found to be; `has_types` whether it tells
    strings from numbers, so that what is a string was meant as one. `row_names` are columns that look like the rows' names, as
    pandas and R write them.
    """

    name: str
    columns: dict[str, pa.ChunkedArray]
    rows: np.ndarray
    description: str
    ambiguous: frozenset[str]
    decimal_hint: DecimalHint
    findings: tuple[Finding, ...]
    has_types: bool = False
    row_names: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class NamedTable:
    """An Arrow table that is no file, under a name; `description` says where it comes from.

    `splits` are the (training positions, test positions) that come with it: those of `repeats` repeats, one after the other.
    """

    name: str
    table: pa.Table
    description: str
    splits: tuple[tuple[np.ndarray, np.ndarray], ...] | None = None
    repeats: int = 1

    def __len__(self) -> int:
        return int(self.table.num_rows)


@dataclass(frozen=True)
class _Asked:
    """What is asked of a file."""

    new_rows: bool
    layout: Layout
    missing: Sequence[str] | None


def read_source(source: Any, *, new_rows: bool = False, layout: Layout = PLAIN, missing: Sequence[str] | None = None) -> RawTable:
    """Read a path, "-" for standard input, sqlite:///FILE, a `NamedTable`, a pandas frame or a polars frame.

    `new_rows` are rows to predict: a text file's values stay text, as the training columns say what they are; no row may be set
    aside; and there may be any number of rows, none included. `missing` are the user's codes for a missing value.

    Raises
    ------
    BadData
        The file cannot be opened, unpacked, decoded or parsed; a table without rows, unless of `new_rows`.
    MissingExtra
        The format needs a package that is not installed.
    BadOption
        `source` is none of these.
    """
    if isinstance(source, str | Path):
        raw = _from_path(source, _Asked(new_rows, layout, missing))
    elif isinstance(source, NamedTable):
        raw = _named(source.name, source.table.column_names, source.table.columns, source.description)
    elif isinstance(source, pd.DataFrame):
        raw = _named("frame", [str(name) for name in source.columns], _pandas_columns(source), "pandas frame")
    elif hasattr(source, "to_arrow"):
        table = source.to_arrow()
        raw = _named("frame", table.column_names, table.columns, f"{type(source).__module__.split('.')[0]} frame")
    else:
        raise BadOption(f"a table is a path, a pandas frame or a polars frame, not {type(source).__name__}")
    if not len(raw.rows) and not new_rows:
        raise BadData(f"{raw.name} has a header but no rows; give at least 30 rows")
    return raw


def _stem(source: str | Path) -> str:
    if str(source) == STANDARD_INPUT:
        return "stdin"
    return Path(source).name.split(".")[0] or Path(source).name


def _named(name: str, names: list[str], columns: list[pa.ChunkedArray], description: str, *, rows: np.ndarray | None = None,
           decimal_hint: DecimalHint | None = None, findings: tuple[Finding, ...] = (), has_types: bool = True) -> RawTable:
    if not columns:
        raise BadData(f"{name} has no columns; check that it is the right table")
    named = name_columns(names, [plain(column) for column in columns])
    return RawTable(name, named.columns, np.arange(len(columns[0]), dtype=np.int64) if rows is None else rows, description,
                    named.ambiguous, decimal_hint or _hint(columns), (*findings, *named.findings), has_types,
                    _row_names(names, named.columns))


def _hint(columns: list[pa.ChunkedArray]) -> DecimalHint:
    return DecimalHint(proven_mark([column for column in columns if is_text(column.type)]))


def _row_names(names: list[str], columns: Iterable[str]) -> frozenset[str]:
    nameless = {"column 1"} if not names[0].strip() else set()
    return frozenset(name for name in columns if name in nameless or INDEX_NAME.fullmatch(name))


def _from_path(source: str | Path, asked: _Asked) -> RawTable:
    if str(source).startswith(sqlite.SCHEME):
        path, table = sqlite.file_and_table(str(source))
        with local_file(path) as file:
            return _database(file, table or _stem(path), table, asked.layout)
    files = None if str(source) == STANDARD_INPUT else part_files(source)
    if files is None:
        with local_file(source) as file:
            return _from_file(file, _stem(source), asked)
    parts = []
    for path in files:
        with local_file(path) as file:
            parts.append(_with_partition(_from_file(file, path.name, asked), partition_values(path)))
    return _put_together(folder_of(Path(source)).absolute().name, parts)


def _from_file(file: LocalFile, stem: str, asked: _Asked) -> RawTable:
    layout = asked.layout
    with file.path.open("rb") as stream:
        start = stream.read(64).lstrip()
    if start.startswith((PARQUET_START, ARROW_START, FEATHER_START, STREAM_START)):
        table, kind = _arrow_table(file, start)
    elif start.startswith(ZIP_START):
        return _workbook(file, stem, layout)
    elif start.startswith(sqlite.START):
        return _database(file, stem, None, layout)
    elif start.startswith(OLD_EXCEL_START):
        raise BadData(f"{file.shown} is an old Excel file; save it as .xlsx or CSV")
    elif _is_json(file, start):
        table, kind = read_json(file.path, file.shown)
    elif start.startswith((b"%", b"@")) and is_arff(file.path):
        table, kind = read_arff(file.path, file.shown), "ARFF"
    elif start[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise BadData(f"{file.shown} is a web page or XML, not a table; save the table as CSV")
    else:
        layout.require(file.shown, "delimited text", "no_header")
        return _text_table(file, stem, asked)
    layout.require(file.shown, kind)
    return _named(stem, table.column_names, table.columns, ", ".join(filter(None, [kind, file.packing])))


def _is_json(file: LocalFile, start: bytes) -> bool:
    """By its first characters; a header of a text file may begin with a bracket, too."""
    start = start.removeprefix(codecs.BOM_UTF8).lstrip()
    is_named_so = file.path.suffix.lower() in (".json", ".jsonl", ".ndjson") or file.shown.lower().endswith((".json", ".jsonl"))
    return bool(JSON_START.match(start)) or (is_named_so and start.startswith((b"{", b"[")))


def _workbook(file: LocalFile, stem: str, layout: Layout) -> RawTable:
    layout.require(file.shown, "a workbook", "sheet", "no_header")
    names, columns, findings = read_excel(file.path, file.shown, layout)
    return _named(stem, names, columns, ", ".join(filter(None, ["Excel", file.packing])), findings=tuple(findings),
                  has_types=False)


def _database(file: LocalFile, stem: str, table: str | None, layout: Layout) -> RawTable:
    layout.require(file.shown, "a database", "query")
    read, kind = sqlite.read_sqlite(file.path, file.shown, table, layout.query)
    return _named(stem, read.column_names, read.columns, ", ".join(filter(None, [kind, file.packing])))


def _with_partition(part: RawTable, values: Mapping[str, str]) -> RawTable:
    rows = len(part.rows)
    added = {name: pa.chunked_array([pa.array([value] * rows, pa.string())]) for name, value in values.items()
             if name not in part.columns}
    return replace(part, columns=part.columns | added)


def _put_together(name: str, parts: list[RawTable]) -> RawTable:
    """One table of all parts, which have the same columns."""
    first = parts[0]
    for part in parts[1:]:
        other = sorted(first.columns.keys() ^ part.columns.keys())
        if other:
            lacking, having = (part, first) if other[0] in first.columns else (first, part)
            raise BadData(f"{having.name} has the column {shown(other[0])!r}, but {lacking.name} has not; parts of one table "
                          "have the same columns: correct them, or name the files that belong together")
    columns = {each: joined([part.columns[each] for part in parts]) for each in first.columns}
    starts = np.cumsum([0, *(int(part.rows[-1]) + 1 if len(part.rows) else 0 for part in parts[:-1])])
    rows = np.concatenate([part.rows + start for part, start in zip(parts, starts, strict=True)])
    findings = dict.fromkeys(finding for part in parts for finding in part.findings)
    named = first_few([each.name for each in parts], 3)
    said = Finding("parts", "info", name, f"{counted(len(parts), 'file')} put together ({named})")
    return replace(first, name=name, columns=columns, rows=rows, findings=(said, *findings),
                   decimal_hint=next((part.decimal_hint for part in parts if part.decimal_hint.proven), first.decimal_hint))


def _text_table(file: LocalFile, stem: str, asked: _Asked) -> RawTable:
    new_rows, has_header = asked.new_rows, asked.layout.has_header
    with tempfile.TemporaryDirectory(prefix="tabbench-") as scratch:
        path, encoding = as_utf8(file.path, file.shown, Path(scratch) / "utf8")
        text = sniff(path, file.shown, new_rows=new_rows, has_header=has_header)
        delimited_by = text.delimiter_name
        if text.delimiter == BLANKS:
            path = tabs_for_blanks(path, Path(scratch) / "tabs")
            text = sniff(path, file.shown, new_rows=new_rows, has_header=has_header, delimiter="\t")
        read = read_rows(path, file.shown, text, all_text=new_rows, missing=asked.missing,
                         most_ragged_share=0.0 if new_rows else MOST_RAGGED_SHARE)
    findings = [*text.findings, *_findings_on_lines(read, encoding, file)]
    columns, names = list(read.columns.columns), list(text.names)
    if text.has_trailing:
        _require_empty(columns.pop(), names.pop(), file.shown)
    description = ", ".join(filter(None, ["delimited by " + delimited_by, encoding, file.packing]))
    return _named(stem, names, columns, description, rows=read.rows, decimal_hint=read.decimal_hint,
                  findings=tuple(findings), has_types=False)


def _findings_on_lines(read: TextRows, encoding: str, file: LocalFile) -> Iterator[Finding]:
    if read.ragged_lines:
        lines = ", ".join(f"{line:,}" for line in read.ragged_lines[:5])
        yield Finding("ragged-rows", "warn", f"line {lines}",
                      f"{counted(len(read.ragged_lines), 'row')} of wrong length set aside (line {lines})", "mend these lines")
    if read.comment_lines:
        comments = counted(len(read.comment_lines), "comment line")
        yield Finding("comment-lines", "info", "rows", f"{comments} among the rows skipped (line {read.comment_lines[0]:,})")
    if encoding == "Windows-1252":
        yield Finding("encoding", "info", file.shown, "the file is not UTF-8 and was decoded as Windows-1252 (Latin-1)",
                      "save it as UTF-8 if letters look wrong")


def _require_empty(column: pa.ChunkedArray, name: str, shown_name: str) -> None:
    filled = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(column.cast(pa.string())), ""), False)
    if pc.any(filled).as_py():
        row = int(np.flatnonzero(filled.to_numpy())[0]) + 1
        raise BadData(f"{shown_name} has one field more in its rows than in its header, which is empty at first and holds a "
                      f"value in row {row:,}; add a name to the header")


def _arrow_table(file: LocalFile, start: bytes) -> tuple[pa.Table, str]:
    try:
        table, kind = _parsed_arrow(file, start)
        require_sound(table)
        return as_pandas_declared(table), kind
    except (OSError, pa.ArrowException, *OF_STRANGE_METADATA) as error:
        raise BadData(f"{file.shown} is damaged or cut off ({str(error).splitlines()[0]}); get it again") from error


def _parsed_arrow(file: LocalFile, start: bytes) -> tuple[pa.Table, str]:
    if start.startswith(PARQUET_START):
        import pyarrow.parquet

        return pyarrow.parquet.read_table(file.path), "Parquet"
    if start.startswith(ARROW_START):
        return pa.ipc.open_file(file.path).read_all(), "Arrow"
    if start.startswith(STREAM_START):
        return pa.ipc.open_stream(file.path).read_all(), "Arrow stream"
    import pyarrow.feather

    return pyarrow.feather.read_table(file.path), "Feather"


def _pandas_columns(frame: pd.DataFrame) -> list[pa.ChunkedArray]:
    return [as_arrow(frame.iloc[:, position]) for position in range(frame.shape[1])]
