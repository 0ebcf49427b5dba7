"""What stands above the first row of a table: titles, a header of one row or two, a row of units or types.

Works on the first rows as strings, of a text file or a sheet: what a row is shows by comparison with those below it. Knows no
file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.reading.missing_words import MISSING_AMONG_VALUES, MISSING_EVERYWHERE

Row = Sequence[str]

MOST_TITLE_ROWS = 20
FEWEST_ROWS_SEEN, MOST_CELLS_SEEN = 10, 5_000
"""A wide table is judged by fewer rows."""
LEAST_FILLED = 0.8
"""Share of its cells that a header fills, at least, where titles stand above it."""
MOST_VALUE_STRAYS = 0.1
"""Share of cells that may be no value in a column of numbers or dates."""
LEAST_SHIFTED = 0.99
"""Share of the rows that must be one field longer than the header for that to be the file's way."""
VALUE = re.compile(r"""[-+(]?\s?[$€£]?\s?(?:[0-9]+(?:[.,'  _][0-9]+)*[.,]?|[.,][0-9]+)(?:[eE][-+]?[0-9]+)?\s?%?\)?"""
                   r"|[0-9]{1,4}[-/.][0-9]{1,2}[-/.][0-9]{1,4}(?:[ T].*)?")
"""A number or a date."""
YEAR = re.compile(r"(?:1[5-9]|20|21)[0-9]{2}")
MISSING = frozenset((*MISSING_EVERYWHERE, *MISSING_AMONG_VALUES))
TYPES = frozenset((
    "int", "int32", "int64", "integer", "float", "float32", "float64", "double", "numeric", "number", "num", "real",
    "continuous", "c", "discrete", "d", "nominal", "ordinal", "categorical", "category", "factor", "string", "str", "s",
    "text", "char", "character", "varchar", "object", "bool", "boolean", "logical", "date", "datetime", "time", "timestamp",
    "class", "meta", "ignore", "i", "decimal", "bigint", "smallint"))
UNIT = re.compile(r"[\[(].*[\])]|[%°$€£‰-]|"
                  r"[°µμ]?[A-Za-zµμΩ°]{1,4}[²³23]?(?:\s?[/·*^.]\s?[A-Za-zµμ0-9]{1,5}[²³23]?(?:\^?-?[0-9])?)*"
                  r"|(?:years?|months?|days?|hours?|minutes?|seconds?|metres?|meters?|degrees?|percent|count|units?|points?|dollars?|"
                  r"euros?|miles?|feet|inch(?:es)?|pounds?|tons?|tonnes?|celsius|kelvin|hectares?|lit(?:re|er)s?)", re.IGNORECASE)


@dataclass(frozen=True)
class Top:
    """The names of the columns, how many rows precede the first row of values, and what to say about these.

    `has_row_names`: each row begins with a name that the header has no name for. `has_trailing`: each row ends with an empty
    field that the header does not have. Both are among `names`, as nameless columns.
    """

    names: tuple[str, ...]
    above: int
    findings: tuple[Finding, ...] = ()
    has_row_names: bool = False
    has_trailing: bool = False


def find_top(rows: Sequence[Row]) -> Top:
    """Understand the first rows of a table, of which there is at least one.

    >>> find_top([["Sales", ""], ["region", "price"], ["Bern", "1.50"], ["Genf", "2.50"]]).names
    ('region', 'price')
    """
    width = _usual_width(rows)
    rows = rows[:MOST_TITLE_ROWS + max(FEWEST_ROWS_SEEN, MOST_CELLS_SEEN // max(width, 1))]
    titles = _title_rows(rows, width)
    findings = []
    if titles:
        skipped = f"{counted(titles, 'line')} above the header skipped ({first_few(_texts(rows[:titles]), 2)})"
        findings.append(Finding("title-lines", "info", "header", skipped))
    header, body = list(rows[titles]), rows[titles + 1:]
    trailing, row_names = _one_field_more(header, body)
    if row_names:
        header = ["", *header]
        findings.append(Finding("row-names", "info", "column 1", "the rows have one field more than the header: the first names "
                                                                 "the row"))
    if trailing:
        header = [*header, ""]
        findings.append(Finding("trailing-delimiter", "info", "rows", "every row ends in a delimiter; the empty last field is "
                                                                      "ignored"))
    names, second, finding = _second_row(header, body)
    findings += [finding] if finding else []
    if not second and looks_like_values(header, body):
        message = f"the first row ({first_few(header, 4)}) looks like values, not like names of columns"
        findings.append(Finding("first-row-is-data", "warn", "header", message, "if it is, read the table with --no-header"))
    return Top(tuple(names), titles + 1 + second, tuple(findings), row_names, trailing)


def numbered(columns: int) -> tuple[str, ...]:
    """The names of columns that have none.

    >>> numbered(2)
    ('column 1', 'column 2')
    """
    return tuple(f"column {place}" for place in range(1, columns + 1))


def usual_fields(rows: Sequence[Row]) -> float:
    """Share of the rows below the header that have as many fields as it, or all one more."""
    titles = header_row(rows)
    header, body = rows[titles], rows[titles + 1:-1] or rows[titles + 1:]  # the last one may be cut off
    if not body:
        return 1.0
    counts = Counter(map(len, body))
    more = counts[len(header) + 1] / len(body)
    return more if more >= LEAST_SHIFTED else counts[len(header)] / len(body)


def header_row(rows: Sequence[Row]) -> int:
    """Position of the header, below titles."""
    width = _usual_width(rows)
    return _title_rows(rows[:MOST_TITLE_ROWS + max(FEWEST_ROWS_SEEN, MOST_CELLS_SEEN // max(width, 1))], width)


def looks_like_values(header: Row, body: Sequence[Row]) -> bool:
    """Whether the header is a row like those below it: values where they have values, or else labels that come back."""
    if len(body) < 2 or len(set(header)) < len(header) / 2:
        return len(body) >= 2 and any(map(_is_value, header)) and _has_values(header, body)
    return _has_values(header, body) or _has_labels_of(header, body)


def _has_values(header: Row, body: Sequence[Row]) -> bool:
    if not any(_is_value(cell.strip()) for cell in header):
        return False
    columns = [place for place in _value_columns(body) if place < len(header)]
    cells = [header[place].strip() for place in columns]
    if not any(map(_is_value, cells)) or not all(_is_value(cell) or _is_missing(cell) for cell in cells):
        return False
    numbers = [cell for cell in header if _is_value(cell.strip())]
    is_years = all(YEAR.fullmatch(cell.strip()) for cell in numbers) and len(set(numbers)) == len(numbers)
    is_counted = all(cell.strip().isdigit() for cell in numbers) and [int(cell) for cell in numbers] == list(
        range(int(numbers[0]), int(numbers[0]) + len(numbers)))
    return not ((is_years or is_counted) and len(numbers) > 1)


def _has_labels_of(header: Row, body: Sequence[Row]) -> bool:
    """In a table of labels alone, each of the header's cells is one of the labels below it."""
    if len(header) < 2 or any(True for _ in _value_columns(body)):
        return False
    return all(cell.strip() and any(list(row[place:place + 1]) == [cell] for row in body) for place, cell in enumerate(header))


def _usual_width(rows: Sequence[Row]) -> int:
    return Counter(map(len, rows[1:] or rows)).most_common(1)[0][0]


def _texts(rows: Sequence[Row]) -> list[str]:
    return [shown(" ".join(cell for cell in row if cell.strip())) for row in rows]


def _title_rows(rows: Sequence[Row], width: int) -> int:
    """Rows above the header: most of their cells are empty, and a row that can be a header follows."""
    above = 0
    while above < min(MOST_TITLE_ROWS, len(rows) - 2) and _is_title(rows[above], width):
        above += 1
    if not above or not _can_be_header(rows[above], rows[above + 1:], width):
        return 0
    is_plain = all(len(row) == 1 for row in rows[:above]) and width > 2
    return above if is_plain or differs(rows[above], rows[above + 1:]) else 0


def _is_title(row: Row, width: int) -> bool:
    filled = sum(bool(cell.strip()) for cell in row)
    if width < 2 or (width <= 3 and row and not row[0].strip()):
        return False
    return filled <= max(1, width // 3) or (len(row) < width and filled < width)


def _can_be_header(row: Row, body: Sequence[Row], width: int) -> bool:
    cells = [cell.strip() for cell in row]
    filled = [cell for cell in cells if cell]
    if len(cells) not in (width, width - 1) or len(filled) < LEAST_FILLED * len(cells):
        return False
    return all(not _is_value(cell) or YEAR.fullmatch(cell) for cell in filled)


def differs(header: Row, body: Sequence[Row]) -> bool:
    """Whether some column holds values below a cell that is none."""
    return any(not _is_value(header[place].strip()) for place in _value_columns(body) if place < len(header))


def _one_field_more(header: Row, body: Sequence[Row]) -> tuple[bool, bool]:
    """Whether the rows have one field more than the header: an empty last one, or a first one that names the row."""
    whole = body[:-1] or body
    longer = [row for row in whole if len(row) == len(header) + 1]
    if not longer or len(longer) < LEAST_SHIFTED * len(whole):
        return False, False
    if not any(row[-1].strip() for row in longer):
        return True, False
    return False, len({row[0] for row in longer}) == len(longer)


def _second_row(header: Row, body: Sequence[Row]) -> tuple[list[str], int, Finding | None]:
    """The names, and how many rows below the header belong to it or hold units or types, as those of Orange's files."""
    if len(body) < 3 or len(body[0]) != len(header):
        return list(header), 0, None
    second, rest = [cell.strip() for cell in body[0]], body[1:]
    if _are_types_or_units(header, second, rest):
        rows = 1 + bool(_filled(rest[0]) and all(cell.casefold() in TYPES for cell in _filled(rest[0])))
        return list(header), rows, Finding("units-row", "info", "header",
                                           f"the row below the header holds units or types ({first_few(_filled(second), 3)}) and "
                                           "is set aside")
    if _is_second_header(header, second, rest):
        names = _joined(header, second)
        return names, 1, Finding("two-row-header", "info", "header", f"two rows of header are joined ({first_few(names, 2)})")
    return list(header), 0, None


def _are_types_or_units(header: Row, second: Row, rest: Sequence[Row]) -> bool:
    filled = _filled(second)
    if len(_filled(header)) < len(header) or len(set(header)) < len(header) or not _no_value_above_values(second, rest):
        return False
    if all(cell.casefold() in TYPES for cell in filled):
        return True
    columns = [place for place in _value_columns(rest) if place < len(second)]
    others = [cell for place, cell in enumerate(second) if place not in columns]
    return (all(UNIT.fullmatch(second[place]) for place in columns if second[place])
            and all(_is_missing(cell) or cell.casefold() in TYPES or cell[0] in "([" for cell in others))


def _is_second_header(header: Row, second: Row, rest: Sequence[Row]) -> bool:
    """The first row has groups, so that it doubles or lacks names; the second completes it."""
    groups = [cell.strip() for cell in header]
    is_grouped = len(set(_filled(groups))) < len(groups)
    named = _joined(groups, second)
    return (is_grouped and len(set(named)) == len(named) and _no_value_above_values(second, rest) and bool(_filled(groups))
            and sum(map(bool, second)) >= len(second) / 2 and not _come_back(second, rest))


def _no_value_above_values(second: Row, rest: Sequence[Row]) -> bool:
    """Whether the columns of numbers and dates, of which there are some, have something else in this row."""
    is_value = [_is_value(cell) for cell in second]
    if any(is_value[place] for place in _value_columns(rest) if place < len(second)):  # the first one settles it
        return False
    cells = [second[place] for place in _value_columns(rest) if place < len(second)]
    told = [cell for cell in cells if not _is_missing(cell) or cell in ("-", "%")]
    return bool(told) and len(told) >= len(cells) / 2 and (len(cells) > 1 or len(second) > 2)


def _come_back(second: Row, rest: Sequence[Row]) -> bool:
    """Whether a cell is a label of the rows below, so that this is a row like them."""
    return any(cell and any(len(row) > place and row[place].strip() == cell for row in rest) for place, cell in enumerate(second))


def _joined(header: Row, second: Row) -> list[str]:
    """Names of both rows; a group goes on over the empty cells after it."""
    names, group = [], ""
    for upper, lower in zip(header, second, strict=True):
        group = upper.strip() or group
        names.append(f"{group} {lower}".strip() if lower != group else group)
    return names


def _filled(cells: Row) -> list[str]:
    return [cell.strip() for cell in cells if cell.strip()]


def _value_columns(body: Sequence[Row]) -> Iterator[int]:
    """Positions of the columns that hold numbers or dates, one by one: often the first is enough."""
    if not body:
        return
    width = Counter(map(len, body)).most_common(1)[0][0]
    whole = [row for row in body if len(row) == width]
    yield from (place for place in range(width) if _holds_values([row[place].strip() for row in whole]))


def _holds_values(cells: Sequence[str]) -> bool:
    present = [cell for cell in cells if not _is_missing(cell)]
    return bool(present) and sum(not _is_value(cell) for cell in present) <= MOST_VALUE_STRAYS * len(present)


def _is_value(cell: str) -> bool:
    return VALUE.fullmatch(cell) is not None


def _is_missing(cell: str) -> bool:
    return cell in MISSING or cell.lower() in MISSING
