"""Whatever holds a table (a file of any known format, standard input, a pandas or polars frame) becomes Arrow columns.

What the columns mean, and which of them is the target, is not known here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData, BadOption, MissingExtra
from tabbench.core.finding import Finding
from tabbench.core.notation import DecimalHint
from tabbench.core.phrases import counted
from tabbench.reading.arff import is_arff, read_arff
from tabbench.reading.decimal_marks import proven_mark
from tabbench.reading.header import name_columns
from tabbench.reading.text_format import as_utf8, sniff
from tabbench.reading.text_table import MOST_RAGGED_SHARE, read_rows
from tabbench.reading.unpacking import STANDARD_INPUT, ZIP_START, LocalFile, local_file

PARQUET_START, ARROW_START, FEATHER_START = b"PAR1", b"ARROW1", b"FEA1"
OLD_EXCEL_START = b"\xd0\xcf\x11\xe0"
JSON_BLOCK_BYTES = 16 << 20
"""A JSON line must fit into one block."""


@dataclass(frozen=True, eq=False)
class RawTable:
    """Arrow columns by unique name, as spelled in the source.

    `columns` is emptied by whoever types it, column by column, so that a large table is never held twice.
    `rows` (n,) are positions in the source; `description` says what the source was found to be.
    """

    name: str
    columns: dict[str, pa.ChunkedArray]
    rows: np.ndarray
    description: str
    ambiguous: frozenset[str]
    decimal_hint: DecimalHint
    findings: tuple[Finding, ...]


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


def read_source(source: Any, *, new_rows: bool = False, missing: Sequence[str] | None = None) -> RawTable:
    """Read a path, "-" for standard input, a `NamedTable`, a pandas frame or a polars frame.

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
        with local_file(source) as file:
            raw = _from_file(file, _stem(source), new_rows, missing)
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
           decimal_hint: DecimalHint | None = None, findings: tuple[Finding, ...] = ()) -> RawTable:
    if not columns:
        raise BadData(f"{name} has no columns; check that it is the right table")
    named = name_columns(names, columns)
    return RawTable(name, named.columns, np.arange(len(columns[0]), dtype=np.int64) if rows is None else rows, description,
                    named.ambiguous, decimal_hint or DecimalHint(proven_mark(_texts(columns))), (*findings, *named.findings))


def _texts(columns: list[pa.ChunkedArray]) -> list[pa.ChunkedArray]:
    return [column for column in columns if pa.types.is_string(column.type)]


def _from_file(file: LocalFile, stem: str, new_rows: bool, missing: Sequence[str] | None) -> RawTable:
    with file.path.open("rb") as stream:
        start = stream.read(64).lstrip()
    if start.startswith((PARQUET_START, ARROW_START, FEATHER_START)):
        table, kind = _arrow_table(file, start)
    elif start.startswith(ZIP_START):
        table, kind = _excel_table(file), "Excel"
    elif start.startswith(OLD_EXCEL_START):
        raise BadData(f"{file.shown} is an old Excel file; save it as .xlsx or CSV")
    elif start.startswith((b"{", b"[{")) and _is_json(file, start):
        table, kind = _json_table(file), "JSON lines"
    elif start.startswith((b"%", b"@")) and is_arff(file.path):
        table, kind = read_arff(file.path, file.shown), "ARFF"
    elif start[:15].lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise BadData(f"{file.shown} is a web page or XML, not a table; save the table as CSV")
    else:
        return _text_table(file, stem, new_rows, missing)
    return _named(stem, table.column_names, table.columns, ", ".join(filter(None, [kind, file.packing])))


def _text_table(file: LocalFile, stem: str, new_rows: bool, missing: Sequence[str] | None) -> RawTable:
    with tempfile.TemporaryDirectory(prefix="tabbench-") as scratch:
        path, encoding = as_utf8(file.path, file.shown, Path(scratch) / "utf8")
        text = sniff(path, file.shown, new_rows=new_rows)
        read = read_rows(path, file.shown, text, all_text=new_rows, missing=missing,
                         most_ragged_share=0.0 if new_rows else MOST_RAGGED_SHARE)
    findings = []
    if read.ragged_lines:
        lines = ", ".join(f"{line:,}" for line in read.ragged_lines[:5])
        findings.append(Finding("ragged-rows", "warn", f"line {lines}",
                                f"{counted(len(read.ragged_lines), 'row')} of wrong length set aside (line {lines})",
                                "mend these lines"))
    if encoding == "Windows-1252":
        findings.append(Finding("encoding", "info", file.shown, "the file is not UTF-8 and was decoded as Windows-1252 (Latin-1)",
                                "save it as UTF-8 if letters look wrong"))
    description = ", ".join(filter(None, ["delimited by " + text.delimiter_name, encoding, file.packing]))
    return _named(stem, list(text.names), read.columns.columns, description, rows=read.rows,
                  decimal_hint=read.decimal_hint, findings=tuple(findings))


def _arrow_table(file: LocalFile, start: bytes) -> tuple[pa.Table, str]:
    try:
        if start.startswith(PARQUET_START):
            import pyarrow.parquet

            return pyarrow.parquet.read_table(file.path), "Parquet"
        if start.startswith(ARROW_START):
            return pa.ipc.open_file(file.path).read_all(), "Arrow"
        import pyarrow.feather

        return pyarrow.feather.read_table(file.path), "Feather"
    except (OSError, pa.ArrowException) as error:
        raise BadData(f"{file.shown} is damaged or cut off ({str(error).splitlines()[0]}); get it again") from error


def _is_json(file: LocalFile, start: bytes) -> bool:
    if start.startswith(b"["):
        raise BadData(f"{file.shown} is one JSON array; write it as JSON lines (one record a line)")
    return b'"' in start or file.path.suffix.lower() in (".json", ".jsonl", ".ndjson")


def _json_table(file: LocalFile) -> pa.Table:
    import pyarrow.json

    try:
        table = pyarrow.json.read_json(file.path, read_options=pyarrow.json.ReadOptions(block_size=JSON_BLOCK_BYTES))
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise BadData(f"{file.shown} cannot be read as JSON lines: {str(error).splitlines()[0]}; "
                      "write one record a line") from error
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    return table


def _excel_table(file: LocalFile) -> pa.Table:
    try:
        # Without a header pandas leaves doubled names alone.
        frame = pd.read_excel(file.path, engine="openpyxl", header=None, dtype=object, keep_default_na=False, na_values=[""])
    except ImportError as error:
        raise MissingExtra(f"{file.shown} is an Excel file, and reading these needs `pip install 'tabbench[excel]'`") from error
    except (ValueError, KeyError, OSError) as error:
        raise BadData(f"{file.shown} cannot be read as an Excel workbook ({error}); save it as CSV") from error
    if frame.shape[1] == 0:
        raise BadData(f"{file.shown} has an empty first sheet; move the table there")
    names = ["" if pd.isna(name) else str(name) for name in frame.iloc[0]]
    return pa.table(_pandas_columns(frame.iloc[1:]), names=names)


def _pandas_columns(frame: pd.DataFrame) -> list[pa.ChunkedArray]:
    return [as_arrow(frame.iloc[:, position]) for position in range(frame.shape[1])]


def as_arrow(values: pd.Series) -> pa.ChunkedArray:
    """A series as Arrow; objects of mixed types as their spellings."""
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
        missing = values.isna().to_numpy()
        array = pa.array([None if is_missing else str(value) for value, is_missing in zip(values, missing, strict=True)],
                         pa.string())
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])
