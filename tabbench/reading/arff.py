"""ARFF files, the text format of Weka and OpenML, become Arrow tables: a header that declares each column, then rows of values.

Nominal columns keep their declared levels, in order. Dates stay text, which is recognised like dates of any other file.
Format: https://waikato.github.io/weka-wiki/formats_and_processing/arff_stable/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from tabbench.core.errors import BadData
from tabbench.core.phrases import shown

MISSING = "?"
MOST_COMMENT_BYTES = 1 << 20
"""The header of a file may have pages of comments before it."""
BLOCK_BYTES = 4 << 20
"""So much is read at a time; where it is not plain, its values become Python strings."""
NO_ROW = re.compile(rb"^\s*[%{]", re.MULTILINE)
"""A comment or a sparse row."""
QUOTE_WITHIN = re.compile(rb"""[^,\n]['"][^,\r\n]""")
"""A quote that neither begins nor ends a value."""
NUMERIC, TEXT, NOMINAL = "numeric", "string", "nominal"
KINDS = {"numeric": NUMERIC, "real": NUMERIC, "integer": NUMERIC, "string": TEXT, "date": TEXT}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

VALUE = re.compile(r"""\s*+(?:'((?:[^'\\]|\\.)*+)'|"((?:[^"\\]|\\.)*+)"|((?:[^\s,'"](?:[^,]*[^\s,])?)?))\s*+(?:,|$)""")
"""A quoted value, which may hold commas, or a plain one, without the space around it; with the comma after it."""
ATTRIBUTE = re.compile(r"""@attribute\s+(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\S+?))(?:\s+|(?=\{))(.+)""", re.IGNORECASE)


@dataclass(frozen=True)
class Attribute:
    """A column as declared; `levels` of a nominal one."""

    name: str
    kind: str
    levels: tuple[str, ...] = ()


def is_arff(path: Path) -> bool:
    """Whether the first line is the one of an ARFF file, comments aside."""
    with path.open("rb") as file:
        lines = (line.strip() for line in file.read(MOST_COMMENT_BYTES).splitlines())
    first = next((line for line in lines if line and not line.startswith(b"%")), b"")
    return first.lower().startswith(b"@relation")


def read_arff(path: Path, shown_name: str) -> pa.Table:
    """Read a file in UTF-8; a missing value is null.

    Raises
    ------
    BadData
        A line that cannot be understood, a value that is not among the declared ones, a sparse file; names the line.
    """
    try:
        with path.open("rb") as stream:
            reader = _Reader(stream, shown_name)
            attributes = reader.header()
            blocks = list(reader.blocks(attributes))
    except UnicodeDecodeError as error:
        raise BadData(f"{shown_name} is not UTF-8; save it so") from error
    return pa.concat_tables(blocks).unify_dictionaries()


def _quickly(block: bytes, attributes: Sequence[Attribute]) -> pa.Table | None:
    """Rows as Arrow's CSV reader reads them; None where that might not be what ARFF means, or something is wrong."""
    quotes = [quote for quote in ("'", '"') if quote.encode() in block]
    if len(quotes) > 1 or not block or b"\\" in block or NO_ROW.search(block) or (quotes and QUOTE_WITHIN.search(block)):
        return None
    kinds = {each.name: pa.float64() if each.kind == NUMERIC else pa.string() for each in attributes}
    reading = pa.csv.ReadOptions(column_names=list(kinds), use_threads=False, block_size=2 * len(block))
    parsing = pa.csv.ParseOptions(quote_char=quotes[0] if quotes else False, double_quote=False)
    converting = pa.csv.ConvertOptions(column_types=kinds, null_values=[MISSING], strings_can_be_null=True,
                                       quoted_strings_can_be_null=False)
    try:
        table = pa.csv.read_csv(pa.BufferReader(block), reading, parsing, converting)
        return pa.table({each.name: _checked(each, table[each.name]) for each in attributes})
    except pa.ArrowInvalid:
        return None


def _checked(attribute: Attribute, values: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column in its kind; raises `ArrowInvalid` for what only the other reader understands."""
    if attribute.kind == NUMERIC:
        return values
    if pc.any(pc.not_equal(pc.utf8_trim_whitespace(values), values)).as_py():
        raise pa.ArrowInvalid("space around a value")
    if attribute.kind == TEXT:
        return values
    levels = pa.array(attribute.levels, pa.string())
    codes = pc.index_in(values, value_set=levels)
    if codes.null_count != values.null_count:
        raise pa.ArrowInvalid("an unknown level")
    return pa.chunked_array([pa.DictionaryArray.from_arrays(part, levels) for part in codes.chunks])


class _Reader:
    """Reads lines and knows where it is."""

    def __init__(self, stream: BinaryIO, shown_name: str) -> None:
        self._stream = stream
        self._shown = shown_name
        self._lines_before = 0

    def header(self) -> list[Attribute]:
        """The columns, up to the line @data."""
        attributes: list[Attribute] = []
        for raw in self._stream:
            self._lines_before += 1
            for number, line in self._filled(raw, self._lines_before):
                keyword = line.split(None, 1)[0].lower()
                if keyword == "@data":
                    return self._distinct(attributes, number)
                if keyword == "@attribute":
                    attributes.append(self._attribute(line, number))
                elif keyword != "@relation":
                    raise self._wrong(number, f"{shown(line)!r} is neither @relation, @attribute nor @data")
        raise BadData(f"{self._shown} has no line @data; it is no ARFF file, or cut off")

    def blocks(self, attributes: list[Attribute]) -> Iterator[pa.Table]:
        """The rows as tables of limited size, one without rows if there are none."""
        while True:
            block = self._stream.read(BLOCK_BYTES) + self._stream.readline()
            table = _quickly(block, attributes)
            yield self._typed(attributes, list(self._rows(block, len(attributes)))) if table is None else table
            self._lines_before += block.count(b"\n")
            if len(block) < BLOCK_BYTES:
                return

    def _filled(self, block: bytes, first: int) -> Iterator[tuple[int, str]]:
        for number, line in enumerate(block.decode("utf-8").split("\n"), first):
            stripped = line.strip()
            if stripped and not stripped.startswith("%"):
                yield number, stripped

    def _rows(self, block: bytes, width: int) -> Iterator[tuple[int, list[str | None]]]:
        for number, line in self._filled(block, self._lines_before + 1):
            if line.startswith("{"):
                raise self._wrong(number, "sparse rows are not read; save the table as a dense ARFF file, CSV or Parquet")
            values = self._values(line, number)
            if len(values) != width:
                raise self._wrong(number, f"there are {len(values)} values for {width} columns")
            yield number, values

    def _values(self, line: str, number: int) -> list[str | None]:
        values: list[str | None] = []
        position = 0
        while position <= len(line):
            match = VALUE.match(line, position)
            if match is None:
                raise self._wrong(number, f"a quoted value does not end at {shown(line[position:])!r}")
            values.append(None if match[3] == MISSING else _text(match))
            if not match[0].endswith(","):
                return values
            position = match.end()
        return values

    def _attribute(self, line: str, number: int) -> Attribute:
        match = ATTRIBUTE.fullmatch(line)
        if match is None:
            raise self._wrong(number, f"{shown(line)!r} declares no column; write @attribute name type")
        name, kind = _text(match), match[4].strip()
        if kind.startswith("{") and kind.endswith("}"):
            levels = (value or MISSING for value in self._values(kind[1:-1], number))
            return Attribute(name, NOMINAL, tuple(dict.fromkeys(levels)))
        word = kind.split()[0].lower()
        if word not in KINDS:
            known = ", ".join(KINDS)
            raise self._wrong(number, f"columns of type {shown(kind)!r} are not read; known are {known} and {{levels}}")
        return Attribute(name, KINDS[word])

    def _distinct(self, attributes: list[Attribute], number: int) -> list[Attribute]:
        names = [each.name for each in attributes]
        if not names:
            raise self._wrong(number, "no column is declared before @data")
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise self._wrong(number, f"the column {shown(twice)!r} is declared twice")
        return attributes

    def _typed(self, attributes: list[Attribute], rows: Sequence[tuple[int, list[str | None]]]) -> pa.Table:
        columns = list(zip(*(values for _, values in rows), strict=True)) or [()] * len(attributes)
        lines = [number for number, _ in rows]
        return pa.table({each.name: self._column(each, column, lines) for each, column in zip(attributes, columns, strict=True)})

    def _column(self, attribute: Attribute, values: Sequence[str | None], lines: list[int]) -> pa.Array:
        if attribute.kind == TEXT:
            return pa.array(values, pa.string())
        if attribute.kind == NOMINAL:
            return self._nominal(attribute, values, lines)
        try:
            return pa.array([None if value is None else float(value) for value in values], pa.float64())
        except ValueError:
            line, value = next(cell for cell in zip(lines, values, strict=True) if not _is_number(cell[1]))
            raise self._wrong(line, f"{shown(str(value))!r} in the column {shown(attribute.name)!r} is no number") from None

    def _nominal(self, attribute: Attribute, values: Sequence[str | None], lines: list[int]) -> pa.Array:
        levels = attribute.levels
        codes = pd.Index(levels, dtype=object).get_indexer(values)
        is_missing = np.array([value is None for value in values], dtype=bool)
        unknown = np.flatnonzero((codes < 0) & ~is_missing)
        if len(unknown):
            raise self._wrong(lines[unknown[0]], f"{shown(str(values[unknown[0]]))!r} is not among the declared levels of the "
                                                 f"column {shown(attribute.name)!r}")
        return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32), mask=is_missing), pa.array(levels, pa.string()))

    def _wrong(self, number: int, what: str) -> BadData:
        return BadData(f"{self._shown}, line {number:,}: {what}")


def _text(match: re.Match[str]) -> str:
    """The value of a match whose first three groups are: in single quotes, in double quotes, plain."""
    quoted = match[1] if match[1] is not None else match[2]
    return match[3] if quoted is None else re.sub(r"\\(.)", lambda escape: ESCAPES.get(escape[1], escape[1]), quoted)


def _is_number(value: str | None) -> bool:
    try:
        float("nan" if value is None else value)
    except ValueError:
        return False
    return True
