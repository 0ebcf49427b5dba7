"""Numbers written as text: currency, per cent, one unit, thousands separators, decimal comma, clock times.

Works on the distinct spellings of a column, so that its cost does not grow with the rows. Knows no column.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST_STRAY_SPELLINGS = 5
STRAY_SPELLING_SHARE = 0.01
"""A column of numbers may hold a few words; what is more is a column of labels."""

TRIAL_SPELLINGS = 200
TRIAL_STRAY_SHARE = 0.1
"""Long columns are tried on a few spellings first: most columns of text are no numbers, and that shows at once."""

CODE = r"^[+-]?0[0-9]+$"
"""Whole numbers with leading zeros are codes: 007, but neither 00.5 nor 08:15."""
POINT_NUMBER = r"^[+-]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?$"
COMMA_NUMBER = r"^[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+)?(?:,[0-9]*)?(?:[eE][+-]?[0-9]+)?$"
ONLY_COMMA_NUMBER = r"^[+-]?(?:[0-9]{1,3}(?:\.[0-9]{3})+)?[0-9]*,(?:[0-9]{1,2}|[0-9]{4,})?$|^[+-]?0,|^[+-]?[0-9]{4,},|\..*,"
"""Spellings in which the comma cannot separate thousands."""
SYMBOLS = r"[$€£¥₹%\s\x{a0}\x{202f}']"
UNIT = r"^[+-]?[0-9][0-9.,]*\s?([A-Za-zµ°/]{1,6}[0-9²³]?)$"
CLOCK = r"^(?P<hours>[0-9]{1,2}):(?P<minutes>[0-5][0-9])(?::(?P<seconds>[0-5][0-9](?:\.[0-9]+)?))?$"
INFINITE = ("inf", "-inf", "+inf", "infinity", "-infinity", "Inf", "-Inf", "Infinity", "-Infinity")


@dataclass(frozen=True, eq=False)
class NumbersInText:
    """Numbers (k,) float64 for k spellings, NaN where a stray word stands; `strays` are these words."""

    values: np.ndarray
    is_integer: bool
    decimal_comma: bool
    strays: tuple[str, ...]


def read_numbers(spellings: pa.StringArray, prefers_decimal_comma: bool) -> NumbersInText | None:
    """The numbers that the spellings stand for, or None when they are labels.

    A comma before exactly three digits is read as the column's other values demand; where none does, as the file's
    delimiter suggests. Codes with leading zeros are labels. A clock time counts as hours.

    >>> read_numbers(pa.array(["$1,234.50", "12"]), False).values.tolist()
    [1234.5, 12.0]
    >>> read_numbers(pa.array(["00123", "00124"]), False) is None
    True
    """
    if not len(spellings) or not _may_be_numbers(spellings):
        return None
    bare = _bare(spellings)
    if pc.any(pc.match_substring_regex(bare, CODE)).as_py():
        return None
    has_comma = pc.any(pc.match_substring(bare, ",")).as_py()
    decimal_comma = has_comma and _is_decimal_comma(bare, prefers_decimal_comma)
    values = parse_numbers(bare, decimal_comma)
    strays = np.flatnonzero(np.isnan(values))
    if len(strays) > min(MOST_STRAY_SPELLINGS, STRAY_SPELLING_SHARE * len(spellings)):
        return None
    is_integer = not pc.any(pc.match_substring_regex(bare, r"[.eE:]" if not decimal_comma else "[,eE]")).as_py()
    return NumbersInText(values, is_integer, decimal_comma, tuple(spellings.take(pa.array(strays)).to_pylist()))


def _may_be_numbers(spellings: pa.StringArray) -> bool:
    if len(spellings) <= TRIAL_SPELLINGS:
        return True
    trial = spellings.take(pa.array(np.linspace(0, len(spellings) - 1, TRIAL_SPELLINGS).astype(np.int64)))
    as_point, as_comma = (np.isnan(parse_numbers(trial, decimal_comma)).mean() for decimal_comma in (False, True))
    return bool(min(as_point, as_comma) <= TRIAL_STRAY_SHARE)


def parse_numbers(spellings: pa.StringArray, decimal_comma: bool) -> np.ndarray:
    """Float64 values, NaN where a spelling is no number. Symbols are ignored, (12) is -12, clock times count as hours."""
    clock = _clock_hours(spellings)
    if clock is not None:
        return clock
    bare = _bare(spellings)
    is_number = pc.match_substring_regex(bare, COMMA_NUMBER if decimal_comma else POINT_NUMBER)
    is_number = pc.and_(is_number, pc.match_substring_regex(bare, r"^[+-]?[.,]?[0-9]"))  # E3 is a label
    plain = pc.replace_substring(bare, "." if decimal_comma else ",", "")
    if decimal_comma:
        plain = pc.replace_substring(plain, ",", ".")
    plain = pc.replace_substring_regex(plain, r"^\+", "")
    is_infinite = pc.is_in(bare, pa.array(INFINITE, bare.type))
    usable = pc.if_else(pc.or_(is_number, is_infinite), plain, pa.scalar(None, plain.type))
    values: np.ndarray = pc.cast(usable, pa.float64()).to_numpy(zero_copy_only=False)
    return values


def _clock_hours(spellings: pa.StringArray) -> np.ndarray | None:
    """Hours since midnight when all spellings are clock times such as 18:30 or 18:30:05."""
    if not pc.all(pc.match_substring_regex(spellings, CLOCK)).as_py():
        return None
    parts = pc.extract_regex(spellings, CLOCK)
    hours, minutes, seconds = (pc.cast(pc.if_else(pc.equal(part, ""), "0", part), pa.float64()).to_numpy(zero_copy_only=False)
                               for part in (pc.struct_field(parts, name) for name in ("hours", "minutes", "seconds")))
    return np.asarray(hours + minutes / 60 + seconds / 3600)


def _bare(spellings: pa.StringArray) -> pa.StringArray:
    """Without currency, per cent, blanks, accountants' brackets and a unit that all spellings share."""
    bare = pc.replace_substring_regex(spellings, SYMBOLS, "")
    bare = pc.replace_substring_regex(bare, r"^\(([0-9.,]+)\)$", r"-\1")
    is_unit = pc.match_substring_regex(bare, UNIT.replace("(", "(?:", 1))
    if pc.any(is_unit).as_py():
        with_unit = bare.filter(is_unit)
        units = pc.unique(pc.replace_substring_regex(with_unit, UNIT, r"\1"))
        if len(units) == 1 and not pc.match_substring_regex(units, "^[eE][0-9]").to_pylist()[0]:
            unit = units[0].as_py()
            bare = pc.if_else(is_unit, pc.utf8_slice_codeunits(bare, 0, -len(unit)), bare)
    return bare


def _is_decimal_comma(bare: pa.StringArray, prefers_decimal_comma: bool) -> bool:
    if pc.any(pc.match_substring_regex(bare, ONLY_COMMA_NUMBER)).as_py():
        return True
    if pc.any(pc.match_substring_regex(bare, r",.*[.,]")).as_py():
        return False
    return prefers_decimal_comma
