"""What kind of text a delimited file is: encoding, delimiter, header. Looks at bytes; reads no values.

Whatever is not UTF-8 is rewritten as UTF-8, so that all that follows knows one encoding only.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from tabbench.core.errors import BadData
from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.reading.top_rows import Top, differs, find_top, header_row, numbered, usual_fields

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
BLANKS = " "
NAMES_OF_DELIMITERS = {**DELIMITERS, BLANKS: "blanks"}
DELIMITER_LINE = re.compile(r"""\s*"?sep=(\\t|[^\r\n])"?[ ;,\t]*(?:\r\n|\r|\n)""", re.IGNORECASE)
"""What Excel understands in a first line."""
COMMENT_LINE = re.compile(r"[ \t]*(?:[#%][^\r\n]*)?(?:\r\n|\r|\n)")
"""A comment, or an empty line, where comments may be."""
COMMENT_SIGN = re.compile(r"\s*([#%]+)")
MOST_COMMENT_LINES = 1000
BLANK_DELIMITED = re.compile(r'"[^"]*"|[^\s"]+')
LEAST_BLANK_CONSISTENCY = 0.99
"""Text of as many words in every line is rare."""
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

    `findings` say what stands above the rows; `has_row_names` and `has_trailing` are those of `Top`. `has_quotes` and
    `has_leading_zeros` come from a sample: where quotes are overlooked, a quoted line end shows as a ragged row.
    """

    delimiter: str
    names: tuple[str, ...]
    header_lines: int
    has_rows: bool
    has_quotes: bool
    has_leading_zeros: bool
    findings: tuple[Finding, ...] = ()
    has_row_names: bool = False
    has_trailing: bool = False

    @property
    def delimiter_name(self) -> str:
        """For people."""
        return NAMES_OF_DELIMITERS.get(self.delimiter, repr(self.delimiter))


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
    if _is_plain_ascii(path):
        return "UTF-8"
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


def _is_plain_ascii(path: Path) -> bool:
    """Whether every byte is ASCII and none is NUL, looked at on as many threads as Arrow uses."""

    def is_plain(start: int) -> bool:
        piece = np.fromfile(path, np.int8, PIECE_BYTES, offset=start)
        return not len(piece) or bool(piece.min() > 0)

    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        return all(pool.map(is_plain, range(0, path.stat().st_size, PIECE_BYTES)))


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


def sniff(path: Path, name: str, *, new_rows: bool = False, has_header: bool = True, delimiter: str | None = None) -> TextFormat:
    """Find delimiter and header of a UTF-8 file. Of `new_rows` there may be one column only, and none at all.

    The delimiter is the one whose rows have most consistently as many fields as the header; then the one with more fields; blanks
    only where no other makes columns.

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
    preface = _preface(text)
    chosen = delimiter or preface.delimiter
    # The rows of a wide table take long to split, and a delimiter that the text lacks makes no columns.
    present = [each for each in DELIMITERS if each in preface.text]
    found = [(usual_fields(rows) if rows else 0.0, len(rows[0]) if rows else 0, -order, each, rows, lines)
             for order, each in enumerate([chosen] if chosen else present or DELIMITERS)
             for rows, lines in [_first_rows(preface, each, has_header)]]
    if not any(rows for *_, rows, _ in found):
        raise BadData(f"{name} cannot be read as delimited text: its first line has fields of more than "
                      f"{csv.field_size_limit():,} characters; check its quotes")
    wide = [each for each in found if each[1] > 1 or (each[0] and _makes_columns(each[4], new_rows))]
    if not wide and not chosen:
        return _blank_delimited(path, name, preface, start, new_rows=new_rows, has_header=has_header)
    _, _, _, best, rows, lines = max(wide or found)
    return _format(path, name, start, preface, best, rows, lines, new_rows=new_rows, has_header=has_header)


def _makes_columns(rows: list[list[str]], new_rows: bool) -> bool:
    """Whether rows have several fields; a single column of new rows may hold commas, as in 1,234.5."""
    return max(map(len, rows), default=0) > 1 and not (new_rows and len(rows[header_row(rows)]) == 1)


@dataclass(frozen=True)
class _Preface:
    """Lines before the table: `lines` of them, comments and the one that names the delimiter; `text` is what follows."""

    text: str
    lines: int
    comments: tuple[str, ...]
    delimiter: str | None


def _preface(text: str) -> _Preface:
    named = DELIMITER_LINE.match(text)
    lines, delimiter = (1, named[1].replace("\\t", "\t")) if named else (0, None)
    text = text[named.end():] if named else text
    comments: list[str] = []
    while (match := COMMENT_LINE.match(text)) and len(comments) < MOST_COMMENT_LINES:
        comments += [match[0].strip()] if match[0].strip() else []
        text, lines = text[match.end():], lines + 1
    return _Preface(text, lines, tuple(comments), delimiter)


def _format(path: Path, name: str, start: bytes, preface: _Preface, delimiter: str, rows: list[list[str]], lines: list[int], *,
            new_rows: bool, has_header: bool) -> TextFormat:
    if max(map(len, rows)) == 1 and not new_rows:
        line = shown(preface.text.strip().splitlines()[0])
        raise BadData(f"{name} has one column only ({line}); a table needs a target and at least one feature, "
                      "delimited by comma, semicolon, tab, bar or blanks")
    top = find_top(rows) if has_header else Top(numbered(len(rows[0])), 0)
    if len(rows) <= top.above and not new_rows:
        raise BadData(f"{name} has a header but no rows; give at least 30 rows")
    pieces = [start, *_spread_pieces(path)]
    findings = (*_of_preface(preface, is_header=lines[0] == preface.lines), *top.findings)
    return TextFormat(delimiter, top.names, lines[top.above - 1] if top.above else preface.lines, len(rows) > top.above,
                      any(b'"' in piece for piece in pieces), any(LEADING_ZERO.search(piece) for piece in pieces[1:]),
                      findings, top.has_row_names, top.has_trailing)


def _of_preface(preface: _Preface, *, is_header: bool) -> Iterator[Finding]:
    """`is_header`: the last of the comments is the header."""
    comments = preface.comments[:-1] if is_header else preface.comments
    if preface.delimiter:
        yield Finding("delimiter-line", "info", "line 1", "the first line names the delimiter")
    if comments:
        yield Finding("comment-lines", "info", "header", f"{counted(len(comments), 'comment line')} above the header skipped "
                                                         f"({first_few(comments, 1)})")


def _first_rows(preface: _Preface, delimiter: str, has_header: bool) -> tuple[list[list[str]], list[int]]:
    """The first rows, blank lines left out, and the number of the line in which each ends."""
    rows: list[list[str]] = []
    lines: list[int] = []
    reader = csv.reader(io.StringIO(preface.text, newline=""), delimiter=delimiter)
    with contextlib.suppress(csv.Error):  # with a delimiter that is not the file's, a line may be one endless field
        for row in reader:
            if row:
                rows.append(row)
                lines.append(preface.lines + reader.line_num)
            if len(rows) > SAMPLE_ROWS:
                break
    header = _commented_header(preface.comments, delimiter, rows) if has_header else None
    return (rows, lines) if header is None else ([header, *rows], [preface.lines, *lines])


def _commented_header(comments: Sequence[str], delimiter: str, rows: list[list[str]]) -> list[str] | None:
    """The last comment line, where it is the header: as many fields as the row below it, which is no header itself."""
    header = next(csv.reader(comments[-1:], delimiter=delimiter), [])
    if len(header) < 2 or (rows and (len(header) != len(rows[0]) or differs(rows[0], rows[1:]))):
        return None
    return [re.sub(r"^#+ +(?=\S+$)", "", header[0]), *header[1:]]  # "# x" is x, but "# of rooms" is a name


def _blank_delimited(path: Path, name: str, preface: _Preface, start: bytes, *, new_rows: bool, has_header: bool) -> TextFormat:
    """Columns between blanks, if all rows have as many; else the one column that there is."""
    rows = [BLANK_DELIMITED.findall(line) for line in preface.text.splitlines()[:SAMPLE_ROWS] if line.strip()]
    fields = [[cell.strip('"') for cell in row] for row in rows]
    is_table = bool(rows) and len(fields[0]) > 1 and len(rows) > 2 and usual_fields(fields) >= LEAST_BLANK_CONSISTENCY
    if not is_table:
        delimiter = "\t" if new_rows else ","  # the one column may hold commas
        rows, lines = _first_rows(preface, delimiter, has_header)
        return _format(path, name, start, preface, delimiter, rows, lines, new_rows=new_rows, has_header=has_header)
    return TextFormat(BLANKS, (), 0, True, has_quotes=False, has_leading_zeros=False)


def tabs_for_blanks(path: Path, rewritten: Path) -> Path:
    """The same file, delimited by tabs instead of blanks."""
    with path.open(encoding="utf-8-sig", newline=None) as text, rewritten.open("w", encoding="utf-8", newline="") as target:
        for line in text:
            comment = COMMENT_SIGN.match(line)
            fields = BLANK_DELIMITED.findall(line[comment.end():] if comment else line)
            target.write((comment[1] + " " if comment else "") + "\t".join(fields) + "\n")
    return rewritten


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
