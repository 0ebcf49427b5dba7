"""What kind of text a delimited file is: encoding, delimiter, header. Looks at bytes; reads no values.

Whatever is not UTF-8 is rewritten as UTF-8, so that all that follows knows one encoding only.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tabbench.core.errors import BadData
from tabbench.core.phrases import shown

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
SAMPLE_BYTES = 4 << 20
"""Holds a header of 100,000 columns."""
SAMPLE_ROWS = 300
PIECE_BYTES = 4 << 20
NUL = b"\0"
UNDEFINED_IN_CP1252 = b"\x81\x8d\x8f\x90\x9d"
CONTROL_BYTES = bytes(set(range(32)) - set(b"\t\n\r\f\x1a"))
UTF16_NUL_SHARE = 0.3
"""Latin text in UTF-16 has a NUL in every second byte."""
SPREAD_PIECES, SPREAD_PIECE_BYTES = 16, 64 << 10
"""Quotes and codes such as 00123 are looked for in pieces spread over the file: a column of them shows in any of these."""
LEADING_ZERO = re.compile(rb"[,;\t|\n\r\"]0[0-9]+(?:[,;\t|\n\r\"]|\Z)")


@dataclass(frozen=True)
class TextFormat:
    """How a UTF-8 file is to be read. `header_lines` counts the lines before the first row.

    `has_quotes` and `has_leading_zeros` come from a sample: where quotes are overlooked, a quoted line end shows as a ragged row.
    """

    delimiter: str
    names: tuple[str, ...]
    header_lines: int
    has_rows: bool
    has_quotes: bool
    has_leading_zeros: bool

    @property
    def delimiter_name(self) -> str:
        """For people."""
        return DELIMITERS[self.delimiter]


def as_utf8(path: Path, name: str, rewritten: Path) -> tuple[Path, str]:
    """The file as UTF-8 (the file itself if it is that already) and the encoding it was found in.

    Raises
    ------
    BadData
        The bytes are no text, or text in none of UTF-8, UTF-16 and Windows-1252.
    """
    encoding = _encoding(path, name)
    if encoding in ("UTF-8", "UTF-8 with BOM"):
        return path, encoding
    try:
        with path.open(encoding=encoding, newline="") as text, rewritten.open("w", encoding="utf-8", newline="") as target:
            while piece := text.read(PIECE_BYTES):
                target.write(piece)
    except UnicodeError as error:
        raise BadData(f"{name} cannot be decoded as {encoding}; save it as UTF-8") from error
    return rewritten, "Windows-1252" if encoding == "cp1252" else "UTF-16"


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while piece := stream.read(PIECE_BYTES):
            yield piece


def _encoding(path: Path, name: str) -> str:
    with path.open("rb") as stream:
        start = stream.read(64 << 10)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if start[1::2].count(0) > UTF16_NUL_SHARE * len(start) / 2 and not start[::2].count(0):
        return "utf-16-le"
    if start[::2].count(0) > UTF16_NUL_SHARE * len(start) / 2 and not start[1::2].count(0):
        return "utf-16-be"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for piece in _pieces(path):
            if NUL in piece:
                raise BadData(f"{name} is no text table: line {_line_of(path, NUL)} holds a NUL byte; "
                              "save it as CSV (UTF-8), Parquet or JSON lines")
            if not piece.isascii() or decoder.getstate()[0]:
                decoder.decode(piece)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        _refuse_unless_cp1252(path, name)
        return "cp1252"
    return "UTF-8 with BOM" if start.startswith(codecs.BOM_UTF8) else "UTF-8"


def _refuse_unless_cp1252(path: Path, name: str) -> None:
    forbidden = UNDEFINED_IN_CP1252 + CONTROL_BYTES
    for piece in _pieces(path):
        rest = piece.translate(None, forbidden)
        if len(rest) < len(piece):
            bad = next(byte for byte in piece if byte in forbidden)
            raise BadData(f"{name} cannot be decoded: line {_line_of(path, bytes([bad]))} holds the byte 0x{bad:02x}, which is "
                          "neither UTF-8 nor Windows-1252; save it as UTF-8")


def _line_of(path: Path, byte: bytes) -> int:
    line = 1
    for piece in _pieces(path):
        position = piece.find(byte)
        if position >= 0:
            return line + piece.count(b"\n", 0, position)
        line += piece.count(b"\n")
    return line


def sniff(path: Path, name: str, *, new_rows: bool = False) -> TextFormat:
    """Find delimiter and header of a UTF-8 file. Of `new_rows` there may be one column only, and none at all.

    The delimiter is the one whose rows have most consistently as many fields as the header; then the one with more fields.

    Raises
    ------
    BadData
        No header; unless of `new_rows`, a header only or one column only.
    """
    with path.open("rb") as stream:
        start = stream.read(SAMPLE_BYTES)
    text = start.decode("utf-8-sig", errors="ignore")
    if not text.strip():
        raise BadData(f"{name} holds no text; give a table with a header line")
    found = [(_consistency(rows), len(rows[0]), -order, delimiter, rows, header_lines)
             for order, delimiter in enumerate(DELIMITERS)
             for rows, header_lines in [_first_rows(text, delimiter)] if rows]
    if not found:
        raise BadData(f"{name} cannot be read as delimited text: its first line has fields of more than "
                      f"{csv.field_size_limit():,} characters; check its quotes")
    wide = [each for each in found if each[1] > 1]
    if not wide and not new_rows:
        line = shown(text.strip().splitlines()[0])
        raise BadData(f"{name} has one column only ({line}); a table needs a target and at least one feature, "
                      "delimited by comma, semicolon, tab or bar")
    _, _, _, delimiter, rows, header_lines = max(wide or found)
    if len(rows) == 1 and not new_rows:
        raise BadData(f"{name} has a header but no rows; give at least 30 rows")
    pieces = [start, *_spread_pieces(path)]
    return TextFormat(delimiter, tuple(rows[0]), header_lines, len(rows) > 1, any(b'"' in piece for piece in pieces),
                      any(LEADING_ZERO.search(piece) for piece in pieces[1:]))


def _first_rows(text: str, delimiter: str) -> tuple[list[list[str]], int]:
    """The first rows, blank lines left out, and how many lines precede the second of them."""
    rows: list[list[str]] = []
    header_lines = 0
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    with contextlib.suppress(csv.Error):  # with a delimiter that is not the file's, a line may be one endless field
        for row in reader:
            if row:
                rows.append(row)
            if len(rows) == 1 and not header_lines:
                header_lines = reader.line_num
            if len(rows) > SAMPLE_ROWS:
                break
    return rows, header_lines


def _consistency(rows: list[list[str]]) -> float:
    """Share of rows that have as many fields as the header; the last one may be cut off."""
    body = rows[1:-1] or rows[1:]
    return Counter(map(len, body))[len(rows[0])] / len(body) if body else 1.0


def _spread_pieces(path: Path) -> list[bytes]:
    """Pieces from all over the file, its end included; of a small file all of it."""
    size = path.stat().st_size
    step = max(size // SPREAD_PIECES, SPREAD_PIECE_BYTES)
    pieces = []
    with path.open("rb") as stream:
        for position in [*range(0, size, step), max(size - SPREAD_PIECE_BYTES, 0)]:
            stream.seek(position)
            pieces.append(stream.read(SPREAD_PIECE_BYTES))
    return pieces
