"""Dates written as text. Works on the distinct spellings of a column. Knows no column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

ISO = "ISO8601"
DAY_FIRST = ("%d/%m/%Y", "%d-%m-%Y", "%d.%m.%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y")
MONTH_FIRST = ("%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y")
WITH_MONTH_NAME = ("%d %b %Y", "%d. %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d %B %Y", "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y",
                   "%B %d %Y",
                   "%a %d %b %Y", "%d/%b/%Y", "%b-%Y", "%b %Y", "%B %Y", "%b-%y", "%Y/%m/%d")
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
SHORTEST, LONGEST = 6, 40
"""Characters of a date, from 1/1/20 to a date with time, fraction and zone."""
MOST_STRAY_SHARE = 0.05
"""Of the rows: a few cells that are no dates are accidents."""
TRIAL_STRAY_SHARE = 0.2
TRIAL_SPELLINGS = 50
"""A format must read all of these before it is tried on the whole column."""


@dataclass(frozen=True, eq=False)
class Dates:
    """datetime64[us] (k,) for k spellings, NaT where one is no date, the format, and whether day and month could be swapped."""

    values: np.ndarray
    format: str | None
    is_ambiguous: bool


def read_dates(spellings: pa.StringArray, rows: np.ndarray) -> Dates | None:
    """The dates that the spellings (k,), of `rows` rows each, stand for, or None when they are no dates of one format.

    Day and month are told apart by any value above 12; where there is none the day is taken to come first.

    >>> read_dates(pa.array(["03/25/2014", "04/01/2014"]), np.array([1, 1])).format
    '%m/%d/%Y'
    """
    if not len(spellings) or not _looks_like_dates(spellings):
        return None
    trial = _spread(spellings)
    found = {each: int((~np.isnat(_coerced(trial, each))).sum()) for each in _formats()}
    for date_format in (each for each, count in found.items() if count == len(trial)):
        values = parse_dates(spellings, date_format)
        if values is not None:
            return _dates(spellings, values, date_format)
    best = max(found, key=found.__getitem__)
    if found[best] < (1 - TRIAL_STRAY_SHARE) * len(trial):
        return None
    values = _coerced(spellings, best)
    return None if rows[np.isnat(values)].sum() > MOST_STRAY_SHARE * rows.sum() else _dates(spellings, values, best)


def most_dates(spellings: pa.StringArray, rows: np.ndarray) -> Dates:
    """The dates of a column that is known to hold dates, in the format that reads most rows; NaT for the others."""
    trial = _spread(spellings)
    best = max(_formats(), key=lambda each: int((~np.isnat(_coerced(trial, each))).sum()))
    return _dates(spellings, _coerced(spellings, best), best)


def _dates(spellings: pa.StringArray, values: np.ndarray, date_format: str) -> Dates:
    swapped = _swapped(date_format)
    is_ambiguous = swapped is not None and bool((np.isnat(_coerced(spellings, swapped)) == np.isnat(values)).all())
    return Dates(values, None if date_format == ISO else date_format, is_ambiguous)


def _coerced(spellings: pa.StringArray, date_format: str) -> np.ndarray:
    parsed = pd.to_datetime(pd.Series(spellings.to_pylist(), dtype="str"), format=date_format, utc=True, errors="coerce")
    return np.asarray(parsed.dt.tz_localize(None), dtype="datetime64[us]")


def parse_dates(spellings: pa.StringArray, date_format: str | None) -> np.ndarray | None:
    """datetime64[us] without zone, or None when a spelling does not follow the format (None is ISO 8601)."""
    try:
        parsed = pd.to_datetime(pd.Series(spellings.to_pylist(), dtype="str"), format=date_format or ISO, utc=True,
                                errors="raise")
    except (ValueError, OverflowError):
        return None
    return np.asarray(parsed.dt.tz_localize(None), dtype="datetime64[us]")


def _looks_like_dates(spellings: pa.StringArray) -> bool:
    trial = _spread(spellings)
    lengths = pc.utf8_length(trial).to_numpy(zero_copy_only=False)
    looks = pc.match_substring_regex(trial, rf"^(?:[0-9]{{1,4}}[-/. ]|(?i:{MONTHS})[a-z]*[- ][0-9]|[A-Za-z]{{3}} [0-9]).*[0-9]")
    looks = looks.to_numpy(zero_copy_only=False) & (lengths >= SHORTEST) & (lengths <= LONGEST)
    return bool(looks.mean() >= 1 - TRIAL_STRAY_SHARE)


def _spread(spellings: pa.StringArray) -> pa.StringArray:
    return spellings.take(pa.array(np.unique(np.linspace(0, len(spellings) - 1, TRIAL_SPELLINGS).astype(np.int64))))


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
