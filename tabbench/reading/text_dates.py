"""Dates written as text. Works on the distinct spellings of a column. Knows no column."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ISO = "ISO8601"
DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y")
WITH_MONTH_NAME = ("%d %b %Y", "%d. %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
                   "%B %d %Y",
                   "%a %d %b %Y", "%d/%b/%Y", "%d%b%Y", "%b-%Y", "%b %Y", "%B %Y", "%b-%y", "%Y/%m/%d")
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
LOOKS = (rf"^(?:[0-9]{{1,4}}[-/. ]|[0-9]{{1,2}}(?i:{MONTHS})[0-9]|(?i:{MONTHS})[a-z]*[- ][0-9]|[A-Za-z]{{3}} [0-9]"
         r"|[0-9]{4}-?[qQwW]|[qQ][1-4][-/ ]?[0-9]).*[0-9]")
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
SIGNS = "-/.:,"
"""What stands in a spelling wherever it stands in its format."""
PERIOD_LETTER = "[qQwW]"
QUARTER = re.compile(r"(?P<year>[0-9]{4})[- ]?[qQ](?P<quarter>[1-4])|[qQ](?P<late_quarter>[1-4])[-/ ]?(?P<late_year>[0-9]{4})")
WEEK = re.compile(r"(?P<year>[0-9]{4})-?[wW](?P<week>[0-5][0-9])")
SHORTEST, LONGEST = 6, 40
"""Characters of a date, from 1/1/20 to a date with time, fraction and zone."""
SEVERAL = " | "
"""Between the formats of a column that is written in several."""
MOST_FORMATS = 4
YEAR = "%Y"
"""Only beside another format: years alone are numbers."""
YEAR_ALONE = r"^(?:1[5-9]|20|21)[0-9]{2}$"
MOST_STRAY_SHARE = 0.05
"""Of the rows: a few cells that are no dates are accidents."""
TRIAL_STRAY_SHARE = 0.2
TRIAL_SPELLINGS = 50
"""A format must read all of these before it is tried on the whole column."""


@dataclass(frozen=True, eq=False)
class Dates:
    """datetime64[us] (k,) for k spellings, NaT where one is no date, the format, and whether day and month could be swapped.

    Several formats are joined by `SEVERAL`; ISO 8601 alone is None.
    """

    values: np.ndarray
    format: str | None
    is_ambiguous: bool


def read_dates(spellings: pa.StringArray, rows: np.ndarray) -> Dates | None:
    """The dates that the spellings (k,), of `rows` rows each, stand for, or None when they are no dates.

    Day and month are told apart by any value above 12; where there is none the day is taken to come first. They come in one
    order in all cells, but a column may be written in several formats.

    >>> read_dates(pa.array(["03/25/2014", "04/01/2014"]), np.array([1, 1])).format
    '%m/%d/%Y'
    """
    trial, trial_rows = _spread(spellings, rows)
    if not len(spellings) or not _look_like_dates(trial, trial_rows):
        return None
    found = {}
    for date_format, count in _rows_read(trial, trial_rows, _formats()):
        if count == trial_rows.sum() and (values := parse_dates(spellings, date_format)) is not None:
            return _dates(spellings, values, date_format)
        found[date_format] = count
    read = _in_several(spellings, rows, max(found, key=found.__getitem__))
    return None if rows[np.isnat(read.values)].sum() > MOST_STRAY_SHARE * rows.sum() else read


def most_dates(spellings: pa.StringArray, rows: np.ndarray) -> Dates:
    """The dates of a column that is known to hold dates, in the format that reads most rows; NaT for the others."""
    return _in_several(spellings, rows, _best_format(*_spread(spellings, rows), frozenset())[0])


def _best_format(trial: pa.StringArray, rows: np.ndarray, without: frozenset[str]) -> tuple[str, int]:
    """The format that reads most of the rows, and how many."""
    counts = dict(_rows_read(trial, rows, (each for each in (*_formats(), YEAR) if each not in without)))
    best = max(counts, key=counts.__getitem__)
    return best, counts[best]


def _rows_read(trial: pa.StringArray, rows: np.ndarray, formats: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each format and how many rows it reads. It is not tried on spellings that lack its signs: a try takes a millisecond."""
    signs = {sign: pc.count_substring(trial, sign).to_numpy(zero_copy_only=False) for sign in SIGNS}
    for each in formats:
        fitting = np.logical_and.reduce([signs[sign] >= each.count(sign) for sign in SIGNS])
        if not fitting.any():
            yield each, 0
            continue
        yield each, int(rows[fitting][~np.isnat(_coerced(trial.filter(pa.array(fitting)), each))].sum())


def _in_several(spellings: pa.StringArray, rows: np.ndarray, first: str) -> Dates:
    """Dates in the first format; those that it does not read in others, which must not swap day and month."""
    read = _dates(spellings, _coerced(spellings, first), first)
    values, formats, without = read.values.copy(), [first], _of_other_order(first)
    while np.isnat(values).any() and len(formats) < MOST_FORMATS:
        rest = np.flatnonzero(np.isnat(values))
        unread = spellings.take(pa.array(rest))
        other, count = _best_format(*_spread(unread, rows[rest]), without)
        if not count:
            break
        values[rest] = _coerced(unread, other)
        formats.append(other)
        without |= _of_other_order(other)
    return read if len(formats) == 1 else Dates(values, SEVERAL.join(formats), read.is_ambiguous)


def _of_other_order(date_format: str) -> frozenset[str]:
    """Formats in which day and month stand the other way round than in this one."""
    for own, other in ((DAY_FIRST, MONTH_FIRST), (MONTH_FIRST, DAY_FIRST)):
        if date_format.startswith(own):
            return frozenset(day + time for day in other for time in TIMES)
    return frozenset()


def _dates(spellings: pa.StringArray, values: np.ndarray, date_format: str) -> Dates:
    swapped = _swapped(date_format)
    is_ambiguous = swapped is not None and bool((np.isnat(_coerced(spellings, swapped)) == np.isnat(values)).all())
    return Dates(values, None if date_format == ISO else date_format, is_ambiguous)


def _coerced(spellings: pa.StringArray, date_format: str) -> np.ndarray:
    texts = _texts(spellings)
    if date_format == ISO:  # which would take any number for a year or more
        texts = texts.where(~texts.str.fullmatch("[0-9]{1,7}|[0-9]{9,}"))
    parsed = pd.to_datetime(texts, format=date_format, utc=True, errors="coerce")
    return np.asarray(parsed.dt.tz_localize(None), dtype="datetime64[us]")


def parse_dates(spellings: pa.StringArray, date_format: str | None) -> np.ndarray | None:
    """datetime64[us] without zone, or None when a spelling does not follow the format (None is ISO 8601)."""
    if date_format is not None and SEVERAL in date_format:
        return _parsed_in_several(spellings, date_format.split(SEVERAL))
    try:
        parsed = pd.to_datetime(_texts(spellings), format=date_format or ISO, utc=True, errors="raise")
    except (ValueError, OverflowError):
        return None
    return np.asarray(parsed.dt.tz_localize(None), dtype="datetime64[us]")


def _texts(spellings: pa.StringArray) -> pd.Series:
    """The spellings, a quarter or an ISO week as its first day."""
    texts = spellings.to_pylist()
    if pc.any(pc.match_substring_regex(spellings, PERIOD_LETTER)).as_py():
        texts = [_first_day(text) if text else text for text in texts]
    return pd.Series(texts, dtype="str")


def _first_day(text: str) -> str:
    """2015-04-01 for 2015Q2 and 2015-06-29 for 2015-W27; any other text as it is."""
    if (quarter := QUARTER.fullmatch(text)) is not None:
        return f"{quarter['year'] or quarter['late_year']}-{3 * int(quarter['quarter'] or quarter['late_quarter']) - 2:02d}-01"
    if (week := WEEK.fullmatch(text)) is None:
        return text
    try:
        return date.fromisocalendar(int(week["year"]), int(week["week"]), 1).isoformat()
    except ValueError:  # week 00, or 53 in a year of 52
        return text


def _parsed_in_several(spellings: pa.StringArray, formats: list[str]) -> np.ndarray | None:
    values = _coerced(spellings, formats[0])
    for each in formats[1:]:
        values = np.where(np.isnat(values), _coerced(spellings, each), values)
    return None if np.isnat(values).any() else values


def _look_like_dates(trial: pa.StringArray, rows: np.ndarray) -> bool:
    lengths = pc.utf8_length(trial).to_numpy(zero_copy_only=False)
    looks = pc.match_substring_regex(trial, LOOKS)
    looks = looks.to_numpy(zero_copy_only=False) & (lengths >= SHORTEST) & (lengths <= LONGEST)
    years = pc.match_substring_regex(trial, YEAR_ALONE).to_numpy(zero_copy_only=False)
    return bool(looks.any() and rows[looks | years].sum() >= (1 - TRIAL_STRAY_SHARE) * rows.sum())


def _spread(spellings: pa.StringArray, rows: np.ndarray) -> tuple[pa.StringArray, np.ndarray]:
    """A few spellings from all over the column and the rows of each; all where there are few."""
    spread = np.linspace(0, max(len(spellings) - 1, 0), TRIAL_SPELLINGS).astype(np.int64)
    positions = np.unique(np.append(spread, np.argsort(-rows, kind="stable")[:TRIAL_SPELLINGS]))[: len(spellings)]
    return spellings.take(pa.array(positions)), rows[positions]


def _formats() -> Iterator[str]:
    yield ISO
    for day in (*DAY_FIRST, *MONTH_FIRST, *WITH_MONTH_NAME):
        for time in TIMES:
            yield day + time


def _swapped(date_format: str) -> str | None:
    for day_first, month_first in zip(DAY_FIRST, MONTH_FIRST, strict=True):
        if date_format.startswith(day_first):
            return month_first + date_format.removeprefix(day_first)
    return None
