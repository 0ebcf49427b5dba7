"""Cells of text taken apart: digits, unit and marks of each spelling. Decides nothing about the column.

Vectorised over distinct spellings; what stands around the digits is understood once for each distinct sort.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.reading.affixes import Affixes, read_affixes
from tabbench.reading.units import CLOCK, KNOWN, converted, known_unit

PLAIN = r"^-?[0-9]+(?:\.[0-9]+)?$"
CELL = (r"^(?P<before>[^0-9.,]{0,12}?)(?P<body>[.,]?[0-9](?:[0-9.,' ]*[0-9])?[.,]?(?:[eE][-+]?[0-9]{1,3})?)"
        r"(?P<after>(?:[^0-9].{0,20})?)$")
GROUPED = r"^[0-9]{1,3}(?:(?: [0-9]{3})+|(?:'[0-9]{3})+)(?:[.,][0-9]*)?(?:[eE].*)?$"
MOST_AFFIXES = 500
"""Text around the digits that differs so much is no unit."""
SPACES, APOSTROPHES, MINUS = r"[\x{a0}\x{202f}\x{2000}-\x{200a}]", r"[’ʼ′]", r"[\x{2212}\x{fe63}\x{ff0d}]"
DASH_FOR_MINUS = r"^(\(?[$€£¥]?\s?)[\x{2010}-\x{2013}](\s?[$€£¥]?[0-9.,])"
DIGITS = str.maketrans("٫٬", ".,")
"""Decimal and thousands marks of Arabic; digits of any script are digits."""
FRACTIONS = {"½": "1/2", "¼": "1/4", "¾": "3/4", "⅓": "1/3", "⅔": "2/3", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8"}
OTHER_DIGITS = r"[\x{660}-\x{669}\x{6f0}-\x{6f9}\x{966}-\x{96f}\x{9e6}-\x{9ef}\x{e50}-\x{e59}\x{ff10}-\x{ff19}]"
"""Arabic, Persian, Hindi, Bengali, Thai and full-width ones."""
INFINITE = ("inf", "-inf", "+inf", "infinity", "-infinity", "+infinity")
CLOCKS = (r"^(?P<hours>[0-9]{1,2}):(?P<minutes>[0-5][0-9])(?::(?P<seconds>[0-5][0-9](?:\.[0-9]+)?))?"
          r"(?: ?(?P<half>[aApP])\.?[mM]\.?)?$")
DAYS = re.compile(r"(?P<sign>[-+]?)(?P<days>[0-9]+) days?,? \+?(?P<clock>[0-9]{1,2}:[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?)")
"""As pandas and SQL write a duration."""
ISO_DURATION = re.compile(r"P(?:(?P<days>[0-9]+)D)?(?:T(?:(?P<hours>[0-9]+)H)?(?:(?P<minutes>[0-9]+)M)?"
                          r"(?:(?P<seconds>[0-9]+(?:\.[0-9]+)?)S)?)?")
"""As JSON and calendars write a duration: PT2H50M."""
FRACTION = re.compile(r"(?P<sign>-?)(?:(?P<whole>[0-9]+)[ -]+)?(?P<over>[0-9]{1,2})/(?P<under>[0-9]{1,2})\s*(?P<after>[^0-9]*)")
USUAL_UNDER = frozenset((2, 3, 4, 5, 6, 8, 10, 12, 16, 32, 64))
PART = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*('{1,2}|\"|[A-Za-z]+)?\.?\s*(?:,|and)?")
SUMMED = {"length": "in", "time": "min", "mass": "lb", "calendar": "mo"}
"""Unit in which 5'11\", 2h 50m and 3 lb 4 oz are counted."""
SHORT_MINUTE = "m"
MOST_SPECIAL = 50_000
"""So many different fractions and sums are read; these are few wherever they are meant, and each costs some time."""
WORD_WITH_POINT = r"^([-+(]?\s?[A-Za-z]{1,6})\.\s?"
"""As in Rs.500, which is not 0.5."""


@dataclass(frozen=True, eq=False)
class Cells:
    """Spellings (k,) taken apart.

    `bodies` are digits with their marks, null where a spelling is no simple number; `affix` (k,) is each one's position in
    `affixes`, -1 where what stands around the digits is not understood; `values` and `units` hold those that are sums or
    fractions, clock times or infinite, as they need no decision on marks. `fractions` are the positions of such as 1/2, and
    some `has_whole_parts`, as 2 1/2.
    """

    bodies: pa.StringArray
    affix: np.ndarray
    affixes: tuple[Affixes, ...]
    values: np.ndarray
    units: dict[int, str]
    fractions: tuple[int, ...] = ()
    has_whole_parts: bool = False

    @property
    def is_simple(self) -> np.ndarray:
        """Boolean (k,)."""
        simple: np.ndarray = self.affix >= 0
        return simple


def read_cells(spellings: pa.StringArray) -> Cells:
    """Take spellings apart."""
    if pc.all(pc.match_substring_regex(spellings, PLAIN)).as_py():
        parts = pa.StructArray.from_arrays([spellings], ["body"])
        return Cells(parts.field("body"), np.zeros(len(spellings), np.int32), (Affixes(),), np.full(len(spellings), np.nan), {})
    texts = pc.replace_substring_regex(normalised(spellings), WORD_WITH_POINT, r"\1 ")
    parts = pc.extract_regex(texts, CELL)
    bodies = pc.struct_field(parts, "body")
    around = pc.binary_join_element_wise(pc.struct_field(parts, "before"), pc.struct_field(parts, "after"), "\t")
    encoded = around.dictionary_encode()
    affix = pc.fill_null(encoded.indices, -1).to_numpy().astype(np.int32)
    if len(encoded.dictionary) > MOST_AFFIXES:
        kept = np.argsort(-np.bincount(affix[affix >= 0]))[:MOST_AFFIXES]
        sorts = {int(position): encoded.dictionary[int(position)].as_py() for position in kept}
    else:
        sorts = dict(enumerate(encoded.dictionary.to_pylist()))
    read = {position: found for position, sort in sorts.items() if (found := read_affixes(*sort.split("\t", 1))) is not None}
    place = np.full(len(encoded.dictionary) + 1, -1, dtype=np.int32)
    place[list(read)] = np.arange(len(read), dtype=np.int32)
    affix = np.where(_joins(bodies), -1, place[affix])
    return _with_special(Cells(bodies, affix, tuple(read.values()), np.full(len(texts), np.nan), {}), texts)


def _joins(bodies: pa.StringArray) -> np.ndarray:
    """Boolean (k,): a blank or an apostrophe that does not group thousands separates two numbers."""
    has = pc.match_substring_regex(bodies, "[ ']")
    if not pc.any(has).as_py():
        return np.zeros(len(bodies), dtype=bool)
    joins = pc.and_(has, pc.invert(pc.match_substring_regex(bodies, GROUPED)))
    return np.asarray(pc.fill_null(joins, False).to_numpy(zero_copy_only=False))


def normalised(spellings: pa.StringArray) -> pa.StringArray:
    """With ASCII's blank, minus, apostrophe and fractions in place of typographic ones."""
    if pc.all(pc.string_is_ascii(spellings)).as_py():
        return spellings
    texts = _in_ascii_digits(spellings)
    for pattern, plain in ((SPACES, " "), (APOSTROPHES, "'"), (MINUS, "-"), (DASH_FOR_MINUS, r"\1-\2"), ("″", '"')):
        texts = pc.replace_substring_regex(texts, pattern, plain)
    if pc.any(pc.match_substring_regex(texts, f"[{''.join(FRACTIONS)}]")).as_py():
        for sign, written in FRACTIONS.items():
            texts = pc.replace_substring(texts, sign, f" {written}")
    return pc.utf8_trim_whitespace(texts)


def _in_ascii_digits(texts: pa.StringArray) -> pa.StringArray:
    """With the digits 0 to 9 in place of those of other scripts, as in full width."""
    if not pc.any(pc.match_substring_regex(texts, OTHER_DIGITS)).as_py():
        return texts
    return pa.array(["".join(str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in text.translate(DIGITS))
                     for text in texts.to_pylist()], pa.string())


def _with_special(cells: Cells, texts: pa.StringArray) -> Cells:
    """With values and units of clock times, fractions, sums of units and infinite numbers."""
    rest = np.flatnonzero(~cells.is_simple)
    if not len(rest):
        return cells
    others = texts.take(pa.array(rest))
    hours = _clock_hours(others)
    cells.values[rest] = hours
    units = dict.fromkeys(rest[~np.isnan(hours)].tolist(), CLOCK)
    fractions, has_whole_parts = [], False
    unread = rest[np.isnan(hours)][:MOST_SPECIAL]
    for position, text in zip(unread.tolist(), texts.take(pa.array(unread)).to_pylist(), strict=True):
        fraction = FRACTION.fullmatch(text)
        found = _one_special(text) if fraction is None else _fraction(fraction)
        if found is not None:
            cells.values[position], units[position] = found
            if fraction is not None:
                fractions.append(position)
                has_whole_parts |= fraction["whole"] is not None
    return replace(cells, units=units, fractions=tuple(fractions), has_whole_parts=has_whole_parts)


def _one_special(text: str) -> tuple[float, str] | None:
    if text.lower() in INFINITE:
        return float(text), ""
    if (found := DAYS.fullmatch(text)) is not None:
        hours, minutes, seconds = map(float, found["clock"].split(":"))
        days = float(found["sign"] + found["days"])
        return days * 24 + hours + minutes / 60 + seconds / 3600, "h"
    if text[:1] == "P" and text[1:] and (found := ISO_DURATION.fullmatch(text)) is not None and any(found.groups()):
        days, hours, minutes, seconds = (float(each or 0) for each in found.groups())
        return days * 24 + hours + minutes / 60 + seconds / 3600, "h"
    return _sum_of_units(text) if any(letter.isdigit() for letter in text[:2]) else None


def _fraction(found: re.Match[str]) -> tuple[float, str] | None:
    """1/2 and 2 1/2, with a unit if there is one."""
    over, under = int(found["over"]), int(found["under"])
    around = read_affixes("", found["after"])
    if under not in USUAL_UNDER or over >= under or around is None or around.negative or around.exponent:
        return None
    value = int(found["whole"] or 0) + over / under
    return -value if found["sign"] else value, around.unit


def _sum_of_units(text: str) -> tuple[float, str] | None:
    """5'11" or 2h 50m: several numbers, each with a unit that is smaller than the one before."""
    parts, end = [], 0
    while end < len(text):
        found = PART.match(text, end)
        if found is None:
            return None
        parts.append((float(found[1]), found[2] or ""))
        end = found.end()
    if len(parts) < 2:
        return None
    names = [{"''": '"', "": '"' if before == "'" else ""}.get(name, name)
             for (_, name), before in zip(parts, ["", *(name for _, name in parts[:-1])], strict=True)]
    units = [known_unit("min" if name == SHORT_MINUTE and position else name) for position, name in enumerate(names)]
    known = [unit for unit in units if unit is not None]
    if len(known) < len(parts) or len({unit.dimension for unit in known}) > 1 or known[0].dimension not in SUMMED:
        return None
    if any(first.factor <= second.factor for first, second in pairwise(known)):
        return None
    goal = SUMMED[known[0].dimension]
    return sum(float(converted(np.array(number), unit.name, goal))
               for (number, _), unit in zip(parts, known, strict=True)), KNOWN[goal].name


def _clock_hours(texts: pa.StringArray) -> np.ndarray:
    """Hours since midnight of clock times such as 18:30, 18:30:05 and 6:30 PM, NaN for all else."""
    parts = pc.extract_regex(texts, CLOCKS)
    hours, minutes, seconds = (
        pc.cast(pc.if_else(pc.equal(part, ""), "0", part), pa.float64()).to_numpy(zero_copy_only=False)
        for part in (pc.struct_field(parts, name) for name in ("hours", "minutes", "seconds")))
    half = pc.utf8_lower(pc.struct_field(parts, "half"))
    afternoon = pc.fill_null(pc.equal(half, "p"), False).to_numpy(zero_copy_only=False)
    by_halves = pc.fill_null(pc.not_equal(half, ""), False).to_numpy(zero_copy_only=False)
    hours = np.where(by_halves, np.where(hours > 12, np.nan, hours % 12 + 12 * afternoon), hours)
    return np.asarray(hours + minutes / 60 + seconds / 3600)
