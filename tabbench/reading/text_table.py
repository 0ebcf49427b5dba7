"""A delimited UTF-8 file becomes Arrow columns: pyarrow parses and infers, here is what it must be told.

Rows of wrong length are set aside up to an allowance. What the columns mean is not known here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from tabbench.core.errors import BadData
from tabbench.core.notation import DecimalHint, DecimalMark
from tabbench.core.phrases import counted, shown
from tabbench.reading.decimal_marks import points_may_group, proven_mark
from tabbench.reading.missing_words import GUESSED, MISSING_EVERYWHERE, NOT_AVAILABLE
from tabbench.reading.text_format import TextFormat
from tabbench.reading.typed_column import LARGEST_EXACT

MOST_RAGGED_SHARE = 0.001
"""A stray line is an accident; more of them mean that the file is read wrongly."""
COMMENT_SIGNS = ("#", "%")
"""What a line begins with that is of wrong length because it is a comment."""
MOST_LINES_NAMED = 5
LIKELY_MARKS: dict[str, DecimalMark] = {",": ".", ";": ","}
"""Decimal mark that goes with a delimiter."""
SAMPLE_BYTES, MOST_SAMPLE_BYTES = 256 << 10, 8 << 20
FEWEST_SAMPLE_ROWS = 2
LEADING_ZERO = r"^\s*0[0-9xX]"
"""Codes such as 007, and numbers to base 16, which pyarrow reads as whole numbers."""
HEXADECIMAL = r"^\s*0[xX]"
GROUPED_BY_POINTS = r"^\s*(?:[-+]?[1-9][0-9]{0,2}(?:\.[0-9]{3})?|0?|NA|NaN|\?)\s*$"
WHOLE_NUMBER, REAL_NUMBER = r"^-?(?:0|[1-9][0-9]{0,15})$", r"^-?[0-9]+\.[0-9]+(?:[eE][-+]?[0-9]+)?$"
FEWEST_COLUMNS_TO_GUESS = 300
NEVER = ["\0"]
"""No text file holds it; with no word at all for true and false pyarrow is slower."""
BLOCK_BYTES, BLOCK_BYTES_A_COLUMN = 1 << 20, 4 << 10
"""pyarrow's own default: small blocks keep both cores busy. Of a wide table they are larger, else its thousands of columns would
be in pieces of a few rows."""
LONG_ROW_BLOCK_BYTES = 64 << 20
"""Second try, for a table whose rows do not fit into a block; a longer row is a quote that was never closed."""


@dataclass(frozen=True, eq=False)
class TextRows:
    """Columns "0", "1", ... of the rows that fit, their positions in the file, and the lines that do not fit or are comments.

    `decimal_hint` is what the file says of marks that a column leaves open.
    """

    columns: pa.Table
    rows: np.ndarray
    ragged_lines: tuple[int, ...]
    comment_lines: tuple[int, ...]
    decimal_hint: DecimalHint


def read_rows(path: Path, name: str, text: TextFormat, *, all_text: bool, missing: Sequence[str] | None = None,
              most_ragged_share: float = MOST_RAGGED_SHARE) -> TextRows:
    """Parse the file; with `all_text` every column stays text. `missing` are the user's codes for a missing value.

    Raises
    ------
    BadData
        Too many rows of wrong length, a quote that is never closed, a file that cannot be parsed.
    """
    sample = _sample(path, text)
    words = [] if all_text else _missing_words(sample, missing)
    columns, ragged = _parse(path, name, text, words, all_text=all_text, likely={} if all_text else _likely_types(sample))
    if ragged and text.has_quotes is False:
        columns, ragged = _parse(path, name, text, words, all_text=all_text, newlines_in_values=True)
    if ragged:
        columns, ragged = _parse(path, name, text, words, all_text=all_text, newlines_in_values=True, use_threads=False)
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
    hint = DecimalHint(proven_mark(sample.table.columns), LIKELY_MARKS.get(text.delimiter))
    if not all_text:
        columns = _respelled(path, name, text, columns, _not_as_typed(columns, text, sample, hint))
    return TextRows(columns, rows, lines, comments, hint)


@dataclass(frozen=True, eq=False)
class _Sample:
    """The first rows as text, also with the cells of all columns as one: one look instead of thousands at a wide table."""

    table: pa.Table
    cells: pa.StringArray

    @classmethod
    def of(cls, table: pa.Table) -> _Sample:
        """Of a table of text without gaps."""
        return cls(table, _all_cells(table).combine_chunks())

    def matching(self, pattern: str) -> np.ndarray:
        """Boolean (p, n), the cells of each column that match."""
        found: np.ndarray = pc.match_substring_regex(self.cells, pattern).to_numpy(zero_copy_only=False)
        return found.reshape(self.table.num_columns, self.table.num_rows)


def _sample(path: Path, text: TextFormat) -> _Sample:
    """The first rows; none where they cannot be told apart so early."""
    names = [str(position) for position in range(len(text.names))]
    piece = _first_lines(path, text.header_lines + FEWEST_SAMPLE_ROWS)
    if text.has_rows and piece.count(b"\n") > text.header_lines:
        with contextlib.suppress(pa.ArrowInvalid):
            return _Sample.of(pa_csv.read_csv(
                pa.BufferReader(piece), read_options=pa_csv.ReadOptions(column_names=names, skip_rows=text.header_lines),
                parse_options=pa_csv.ParseOptions(delimiter=text.delimiter, newlines_in_values=text.has_quotes,
                                                  invalid_row_handler=lambda _: "skip"),
                convert_options=pa_csv.ConvertOptions(strings_can_be_null=False,
                                                      column_types=dict.fromkeys(names, pa.string()))))
    return _Sample.of(pa.table({name: pa.array([], pa.string()) for name in names}))


def _first_lines(path: Path, fewest: int) -> bytes:
    """The whole lines in the first bytes of a file, of more of them where lines are long."""
    with path.open("rb") as stream:
        piece = stream.read(SAMPLE_BYTES)
        while piece.count(b"\n") < fewest and len(piece) < MOST_SAMPLE_BYTES and (more := stream.read(len(piece))):
            piece += more
        is_whole = not stream.read(1)
    return piece if is_whole else piece[: piece.rfind(b"\n") + 1]


def _not_as_typed(columns: pa.Table, text: TextFormat, sample: _Sample, hint: DecimalHint) -> list[str]:
    """Columns that pyarrow took for plain numbers and that are something else, or may be, as they are written."""
    kinds = columns.schema.types
    is_whole, is_real = (np.array([is_kind(kind) for kind in kinds], dtype=bool)
                         for is_kind in (pa.types.is_integer, pa.types.is_floating))
    names = np.array(columns.column_names, dtype=object)
    zeros: Iterable[str] = names[is_whole] if text.has_leading_zeros else ()
    hexadecimal: Iterable[str] = names[is_whole & sample.matching(HEXADECIMAL).any(axis=1)] if is_whole.any() else ()
    real = columns.select(np.flatnonzero(is_real).tolist())
    parts = [real.select(part.tolist()) for part in np.array_split(np.arange(real.num_columns), pa.cpu_count())]
    with ThreadPoolExecutor(len(parts)) as pool:
        may_be_long = any(pool.map(lambda part: _is_beyond_exact(_all_cells(part)), parts))
    long = [name for name in real.column_names if _is_long(real[name])] if may_be_long else []
    may_group = sample.table.num_rows > 0 and is_real.any()
    grouped = [name for name in names[is_real & sample.matching(GROUPED_BY_POINTS).all(axis=1)]
               if ("," in (hint.proven, hint.likely) and hint.proven != ".")
               or points_may_group(sample.table[name])] if may_group else []
    return [*zeros, *hexadecimal, *long, *grouped]


def _likely_types(sample: _Sample) -> dict[str, pa.DataType]:
    """Of a wide table the columns that hold plain numbers as far as the sample goes: for pyarrow to find out takes longer than to
    parse them."""
    if sample.table.num_columns < FEWEST_COLUMNS_TO_GUESS or not sample.table.num_rows:
        return {}
    is_whole, is_real = sample.matching(WHOLE_NUMBER), sample.matching(REAL_NUMBER)
    return {name: pa.int64() if whole else pa.float64()
            for name, whole, number in zip(sample.table.column_names, np.all(is_whole, axis=1).tolist(),
                                           np.all(is_whole | is_real, axis=1).tolist(), strict=True) if number}


def _all_cells(columns: pa.Table) -> pa.ChunkedArray:
    """The cells of all columns, which are of one type, as one column."""
    kind = columns.schema.types[0] if columns.num_columns else pa.null()
    return pa.chunked_array([chunk for column in columns.columns for chunk in column.chunks], kind)


def _is_beyond_exact(numbers: pa.ChunkedArray) -> bool:
    extent = pc.min_max(numbers)
    return bool(max(abs(extent["min"].as_py() or 0), abs(extent["max"].as_py() or 0)) > LARGEST_EXACT)


def _is_long(column: pa.ChunkedArray) -> bool:
    """Whole numbers with more digits than a float64 holds."""
    is_finite = not pc.any(pc.is_inf(column)).as_py()
    return is_finite and _is_beyond_exact(column) and bool(pc.all(pc.equal(column, pc.floor(column))).as_py())


def _missing_words(sample: _Sample, missing: Sequence[str] | None) -> list[str]:
    """What pyarrow is to read as missing: not NA where it may be a label, as no number of the file is written so."""
    if missing is not None:
        return [*(word for word in MISSING_EVERYWHERE if word not in GUESSED), *missing]
    has_na = pc.any(pc.equal(sample.cells, NOT_AVAILABLE)).as_py()
    if has_na and any(_holds_na_among_numbers(column) for column in sample.table.columns):
        return list(MISSING_EVERYWHERE)
    return [word for word in MISSING_EVERYWHERE if word != NOT_AVAILABLE]


def _holds_na_among_numbers(column: pa.ChunkedArray) -> bool:
    words = column.unique()
    if not pc.any(pc.equal(words, NOT_AVAILABLE)).as_py():
        return False
    others = words.filter(pc.invert(pc.is_in(words, pa.array(MISSING_EVERYWHERE))))
    return bool(len(others)) and bool(pc.sum(pc.match_substring_regex(others, r"^[-+]?[0-9]")).as_py() > len(others) / 2)


def _parse(path: Path, name: str, text: TextFormat, words: list[str], *, all_text: bool, newlines_in_values: bool | None = None,
           use_threads: bool = True, only: list[str] | None = None, likely: Mapping[str, pa.DataType] = MappingProxyType({})
           ) -> tuple[pa.Table, list[Any]]:
    ragged: list[Any] = []

    def set_aside(row: Any) -> str:
        ragged.append(row)
        return "skip"

    names = [str(position) for position in range(len(text.names))]
    if not text.has_rows:  # pyarrow cannot skip a header that nothing follows, not even a line end
        return pa.table({name: pa.array([], pa.string()) for name in names}), ragged
    convert = pa_csv.ConvertOptions(
        null_values=words, strings_can_be_null=not all_text, true_values=NEVER, false_values=NEVER,
        include_columns=only, column_types=dict.fromkeys(names, pa.string()) if all_text else dict(likely))
    parse = pa_csv.ParseOptions(delimiter=text.delimiter, invalid_row_handler=set_aside,
                                newlines_in_values=text.has_quotes if newlines_in_values is None else newlines_in_values)
    usual_bytes = min(max(BLOCK_BYTES, BLOCK_BYTES_A_COLUMN * len(names)), LONG_ROW_BLOCK_BYTES)
    for block_bytes in (usual_bytes, LONG_ROW_BLOCK_BYTES):
        ragged.clear()
        read = pa_csv.ReadOptions(column_names=names, skip_rows=text.header_lines, block_size=block_bytes,
                                  use_threads=use_threads)
        try:
            table = pa_csv.read_csv(path, read_options=read, parse_options=parse, convert_options=convert)
            return table, ragged
        except pa.ArrowInvalid as error:
            problem = str(error).splitlines()[0]
            if likely and "conversion error" in problem:  # a later row is written otherwise
                return _parse(path, name, text, words, all_text=all_text, newlines_in_values=newlines_in_values,
                              use_threads=use_threads, only=only)
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


def _respelled(path: Path, name: str, text: TextFormat, columns: pa.Table, suspects: list[str]) -> pa.Table:
    """The table with those suspected columns as text that are no plain numbers as they are written."""
    if not suspects:
        return columns
    spelled, _ = _parse(path, name, text, [], all_text=True, only=list(dict.fromkeys(suspects)))
    for column in spelled.column_names:
        is_whole = pa.types.is_integer(columns.schema.field(column).type)
        if not is_whole or pc.any(pc.match_substring_regex(spelled[column], LEADING_ZERO)).as_py():
            columns = columns.set_column(int(column), column, spelled[column])
    return columns
