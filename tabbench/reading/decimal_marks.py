"""Which mark of a column is the decimal one and which groups thousands: decided over all its numbers, and with the file's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.notation import DecimalHint, DecimalMark

FEWEST_GROUPED = 5
"""So many numbers in which a mark only ever stands before three digits, beside short ones without it, are thousands."""
LONG_NUMBER = r"^[0-9]{4,}(?:[.,]|$)"
UNGROUPED, UNGROUPED_FOUR = r"^[0-9]{5,}(?:[.,]|$)", r"^[0-9]{4}(?:[.,]|$)"
"""Numbers of four digits often stand ungrouped where longer ones don't."""
GROUPED_FOUR = r"^[0-9][ '][0-9]{3}(?:[.,]|$)"
SHORT_NUMBER = r"^[0-9]{1,3}$"
NUMBER_LIKE = r"^[-+(]?[$€£¥]?\s?[.,]?[0-9][0-9., ']*\s?(?:[%$€£¥)-]|[A-Za-z]{1,3})?$"
SMALLEST_NUMBER_SHARE = 0.9
SAMPLE = 1000


@dataclass(frozen=True)
class Marks:
    """The marks of a column; `is_open` when nothing but the file's delimiter speaks for them."""

    decimal: DecimalMark
    thousands: str = ""
    is_open: bool = False


def decide_marks(bodies: pa.StringArray, weights: np.ndarray, hint: DecimalHint) -> Marks:
    """The marks that read most of the rows; where both readings are possible, what the column and the file suggest.

    Parameters
    ----------
    bodies : StringArray
        Digits with marks (k,), without sign and unit.
    weights : ndarray
        Rows of each (k,).
    hint : DecimalHint
        What the file's other columns and its delimiter say.
    """
    has_point, has_comma = (_any(bodies, mark) for mark in ".,")
    marks: tuple[DecimalMark, ...] = (".", ",")
    candidates = [(decimal, thousands_mark(bodies, decimal)) for decimal in marks]
    if not has_comma:
        if not has_point or not _points_group(bodies, hint):
            return Marks(*candidates[0], is_open=has_point and points_may_group(bodies))
        return Marks(",", ".")
    reads = [_is_number(bodies, decimal, thousands) for decimal, thousands in candidates]
    as_point, as_comma = (float(weights[each].sum()) for each in reads)
    if as_point != as_comma:
        decimal, thousands = candidates[int(as_comma > as_point)]
        return Marks(decimal, thousands)
    return _open_marks(bodies, hint, candidates)


def parse_bodies(bodies: pa.StringArray, marks: Marks) -> np.ndarray:
    """Float64 values (k,) of digits with marks, NaN where they don't follow the notation."""
    usable = pa.array(_is_number(bodies, marks.decimal, marks.thousands))
    plain = bodies
    if marks.thousands:
        plain = pc.replace_substring(plain, marks.thousands, "")
    if marks.decimal == ",":
        plain = pc.replace_substring(plain, ",", ".")
    values: np.ndarray = pc.cast(pc.if_else(usable, plain, pa.scalar(None, plain.type)), pa.float64()).to_numpy(
        zero_copy_only=False)
    return values


def proven_mark(columns: Sequence[pa.ChunkedArray]) -> DecimalMark | None:
    """The decimal mark that most of the columns of text prove which prove one, None without proof or with a draw.

    All columns are looked at as one: a wide table has thousands.
    """
    heads = [_head(column) for column in columns]
    cells = pa.chunked_array([chunk for head in heads for chunk in head.chunks], pa.string()).combine_chunks()
    encoded = pc.utf8_trim_whitespace(cells).dictionary_encode()
    spellings, codes = encoded.dictionary, encoded.indices.to_numpy()
    column_of = np.repeat(np.arange(len(heads)), [len(head) for head in heads])
    # Each spelling counts once in a column.
    column_of, codes = np.divmod(np.unique(column_of * max(len(spellings), 1) + codes), max(len(spellings), 1))
    is_filled, is_alike, as_point, as_comma = _by_spelling(spellings)
    filled, alike, points, commas = (np.bincount(column_of[is_so[codes]], minlength=len(heads))
                                     for is_so in (is_filled, is_alike, as_point, as_comma))
    is_number = (alike > 0) & (alike >= SMALLEST_NUMBER_SHARE * filled)
    for_point, for_comma = (np.count_nonzero(is_number & so_many) for so_many in (points > commas, commas > points))
    if for_point == for_comma:
        return None
    return "." if for_point > for_comma else ","


def _head(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The filled ones of the first cells; what need not be converted is not, as that takes time in a wide table."""
    head = column.slice(0, SAMPLE)
    filled = head.drop_null() if head.null_count else head
    return filled if pa.types.is_string(filled.type) else filled.cast(pa.string())


def _by_spelling(spellings: pa.StringArray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Of each spelling (k,) whether it is not empty, looks like a number, is one with the decimal mark "." and with ","."""
    is_filled, is_alike = (np.asarray(each.to_numpy(zero_copy_only=False)) for each in (
        pc.not_equal(spellings, ""), pc.match_substring_regex(spellings, NUMBER_LIKE)))
    bodies = pc.replace_substring_regex(spellings, r"^[^0-9.,]+|[^0-9.,]+$", "")
    return is_filled, is_alike, is_alike & _is_number(bodies, ".", ","), is_alike & _is_number(bodies, ",", ".")


def _any(bodies: pa.StringArray, mark: str) -> bool:
    return bool(pc.any(pc.match_substring(bodies, mark)).as_py())


def _matches(bodies: pa.StringArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(bodies, pattern)).as_py())


def thousands_mark(bodies: pa.StringArray, decimal: DecimalMark) -> str:
    """The mark that groups thousands beside this decimal mark. A blank or apostrophe must do so wherever it stands."""
    for mark in (" ", "'"):
        if not _any(bodies, mark):
            continue
        marked = bodies.filter(pc.match_substring(bodies, mark))
        ungrouped = _matches(bodies, UNGROUPED) or (_matches(bodies, GROUPED_FOUR) and _matches(bodies, UNGROUPED_FOUR))
        return mark if _is_number(marked, decimal, mark).all() and not ungrouped else ""
    other = "," if decimal == "." else "."
    return other if _any(bodies, other) else ""


def reads_as(bodies: pa.StringArray, marks: Marks) -> np.ndarray:
    """Which bodies (k,) follow a notation."""
    return _is_number(bodies, marks.decimal, marks.thousands)


def _is_number(bodies: pa.StringArray, decimal: str, thousands: str) -> np.ndarray:
    """Boolean (k,): a minus, digits in groups of three, or of two as in India, and the decimal mark at most once."""
    whole = "[0-9]+"
    if thousands:
        mark = "\\" + thousands if thousands == "." else thousands
        whole += f"|[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+"
        if thousands == ",":
            whole += "|[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}"
    point = "\\" + decimal if decimal == "." else decimal
    pattern = f"^-?(?:(?:{whole})(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][-+]?[0-9]+)?$"
    return np.asarray(pc.fill_null(pc.match_substring_regex(bodies, pattern), False).to_numpy(zero_copy_only=False))


def _points_group(bodies: pa.StringArray, hint: DecimalHint) -> bool:
    """Whether points that all stand before three digits are thousands marks, as in 1.234 beside 987."""
    with_point = bodies.filter(pc.match_substring(bodies, "."))
    if not _is_number(with_point, ",", ".").all():
        return False
    if pc.any(pc.match_substring_regex(with_point, r"\..*\.")).as_py():
        return True
    return hint.proven == "," or (hint.proven is None and hint.likely == "," and are_thousands(bodies, "."))


def points_may_group(bodies: pa.StringArray | pa.ChunkedArray) -> bool:
    """Whether 1.070 beside 987 may be a thousand and seventy: decimals would be of other lengths too, or end in no zero."""
    with_point = bodies.filter(pc.match_substring(bodies, "."))
    return (are_thousands(bodies, ".") and bool(_is_number(with_point, ",", ".").all())
            and _matches(with_point, r"\.[0-9]{2}0$"))


def _open_marks(bodies: pa.StringArray, hint: DecimalHint, candidates: list[tuple[DecimalMark, str]]) -> Marks:
    """Every comma stands before exactly three digits."""
    by_mark = {decimal: Marks(decimal, thousands) for decimal, thousands in candidates}
    if hint.proven is not None:
        return by_mark[hint.proven]
    if are_thousands(bodies, ","):
        return by_mark["."]
    likely = by_mark[hint.likely or "."]
    return Marks(likely.decimal, likely.thousands, is_open=hint.likely != ".")


def are_thousands(bodies: pa.StringArray, mark: str) -> bool:
    """Whether short numbers stand without the mark and long ones never do."""
    grouped = pc.sum(pc.match_substring(bodies, mark)).as_py() or 0
    short = pc.any(pc.match_substring_regex(bodies, SHORT_NUMBER)).as_py()
    return grouped >= FEWEST_GROUPED and short and not pc.any(pc.match_substring_regex(bodies, LONG_NUMBER)).as_py()
