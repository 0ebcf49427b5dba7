"""A delimited UTF-8 file becomes Arrow columns: pyarrow parses and infers, here is what it must be told.

Rows of wrong length are set aside up to an allowance. What the columns mean is not known here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from tabbench.core.errors import BadData
from tabbench.core.phrases import counted, shown
from tabbench.reading.missing_words import MISSING_EVERYWHERE
from tabbench.reading.text_format import TextFormat

MOST_RAGGED_SHARE = 0.001
"""A stray line is an accident; more of them mean that the file is read wrongly."""
COMMENT_SIGNS = ("#", "%")
"""What a line begins with that is of wrong length because it is a comment."""
MOST_LINES_NAMED = 5
BLOCK_BYTES = 1 << 20
"""pyarrow's own default: small blocks keep both cores busy."""
LONG_ROW_BLOCK_BYTES = 64 << 20
"""Second try, for a table whose rows do not fit into a block; a longer row is a quote that was never closed."""


@dataclass(frozen=True, eq=False)
class TextRows:
    """Columns "0", "1", ... of the rows that fit, their positions in the file, and the lines that do not fit or are comments."""

    columns: pa.Table
    rows: np.ndarray
    ragged_lines: tuple[int, ...]
    comment_lines: tuple[int, ...] = ()


def read_rows(path: Path, name: str, text: TextFormat, *, all_text: bool,
              most_ragged_share: float = MOST_RAGGED_SHARE) -> TextRows:
    """Parse the file; with `all_text` every column stays text.

    Raises
    ------
    BadData
        Too many rows of wrong length, a quote that is never closed, a file that cannot be parsed.
    """
    columns, ragged = _parse(path, name, text, all_text=all_text)
    if ragged and text.has_quotes is False:
        columns, ragged = _parse(path, name, text, all_text=all_text, newlines_in_values=True)
    if ragged:
        columns, ragged = _parse(path, name, text, all_text=all_text, newlines_in_values=True, use_threads=False)
    comments = tuple(sorted(row.number for row in ragged if row.text.lstrip().startswith(COMMENT_SIGNS)))
    ragged = [row for row in ragged if not row.text.lstrip().startswith(COMMENT_SIGNS)]
    lines = tuple(sorted(row.number for row in ragged))
    total = columns.num_rows + len(lines)
    if len(lines) > most_ragged_share * total:
        raise BadData(_too_many_ragged(name, text, ragged, total, most_ragged_share))
    _refuse_unclosed_quote(columns, name, text)
    rows = np.arange(total, dtype=np.int64)
    if lines:
        before = np.searchsorted(comments, lines)  # comments are no rows of the table
        rows = np.delete(rows, np.array(lines) - before - text.header_lines - 1)
    return TextRows(_with_leading_zeros(path, name, text, columns) if not all_text else columns, rows, lines, comments)


def _parse(path: Path, name: str, text: TextFormat, *, all_text: bool, newlines_in_values: bool | None = None,
           use_threads: bool = True, only: list[str] | None = None) -> tuple[pa.Table, list[Any]]:
    ragged: list[Any] = []

    def set_aside(row: Any) -> str:
        ragged.append(row)
        return "skip"

    names = [str(position) for position in range(len(text.names))]
    if not text.has_rows:  # pyarrow cannot skip a header that nothing follows, not even a line end
        return pa.table({name: pa.array([], pa.string()) for name in names}), ragged
    convert = pa_csv.ConvertOptions(
        null_values=[] if all_text else list(MISSING_EVERYWHERE), strings_can_be_null=not all_text, true_values=[],
        false_values=[],
        include_columns=only, column_types=dict.fromkeys(names, pa.string()) if all_text else None)
    parse = pa_csv.ParseOptions(delimiter=text.delimiter, invalid_row_handler=set_aside,
                                newlines_in_values=text.has_quotes if newlines_in_values is None else newlines_in_values)
    for block_bytes in (BLOCK_BYTES, LONG_ROW_BLOCK_BYTES):
        ragged.clear()
        read = pa_csv.ReadOptions(column_names=names, skip_rows=text.header_lines, block_size=block_bytes,
                                  use_threads=use_threads)
        try:
            table = pa_csv.read_csv(path, read_options=read, parse_options=parse, convert_options=convert)
            return table, ragged
        except pa.ArrowInvalid as error:
            problem = str(error).splitlines()[0]
            if "straddling" not in problem:
                break
            problem = f"a row is longer than {LONG_ROW_BLOCK_BYTES >> 20} MB; is a quote opened and never closed?"
    raise BadData(f"{name} cannot be read as {text.delimiter_name}-delimited text: {problem}")


def _too_many_ragged(name: str, text: TextFormat, ragged: list[Any], total: int, most_share: float) -> str:
    named = sorted(ragged, key=lambda row: row.number)[:MOST_LINES_NAMED]
    first = ", ".join(f"line {row.number} has {row.actual_columns}" for row in named)
    allowance = f"at most {most_share:.1%} may be set aside" if most_share else "none may be left out"
    return (f"{name} has {counted(len(ragged), 'row')} of {total:,} with another number of fields than the {len(text.names)} "
            f"of its header ({first}), and {allowance}; mend these lines, or quote fields that hold a {text.delimiter_name}")


def _refuse_unclosed_quote(columns: pa.Table, name: str, text: TextFormat) -> None:
    """A quote that is never closed swallows the rest of the file into the last row, and pyarrow does not mind."""
    if not text.has_quotes or not columns.num_rows:
        return
    for column in columns.slice(columns.num_rows - 1).itercolumns():
        value = column[0].as_py()
        if isinstance(value, str) and value.count("\n") > 1 and value.endswith("\n"):
            raise BadData(f"{name} opens a quote in its last readable row ({shown(value)}) and never closes it; close it")


def _with_leading_zeros(path: Path, name: str, text: TextFormat, columns: pa.Table) -> pa.Table:
    """Whole numbers written with leading zeros are codes: read those columns once more, as text."""
    whole = [field.name for field in columns.schema if pa.types.is_integer(field.type)]
    if not text.has_leading_zeros or not whole:
        return columns
    spelled, _ = _parse(path, name, text, all_text=True, only=whole)
    for column in whole:
        if pc.any(pc.match_substring_regex(spelled[column], r"^\s*0\d")).as_py():
            columns = columns.set_column(int(column), column, spelled[column])
    return columns
