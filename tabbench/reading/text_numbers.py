"""Numbers written as text: a column has one notation, decided over all its cells, and what does not follow it is counted.

Works on the distinct spellings of a column and the rows of each, so that its cost does not grow with the rows. Knows no column.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.notation import DecimalHint, DecimalMark, Notation
from tabbench.reading.affixes import Affixes
from tabbench.reading.decimal_marks import Marks, decide_marks, parse_bodies
from tabbench.reading.number_cells import PLAIN, Cells, read_cells
from tabbench.reading.units import CLOCK, IS_CURRENCY, KNOWN, MILLION, converted, is_convertible

MOST_STRAY_SHARE = 0.05
"""Of the rows: a column of numbers may hold a few words."""
FEWEST_NUMBERS, MOST_STRAY_WORDS, MOST_WORD_SHARE = 20, 5, 1 / 3
"""A few words that come back ("Varies with device") are no numbers either where so many different numbers stand beside them."""
MOST_CODE_SHARE = 0.005
"""V57 and 85123A beside numbers are codes, and so are the numbers then."""
MOST_BOUND_SHARE = 1 / 3
"""Where more is <5 or >90, these are classes."""
MOST_UNITS, SHORTEST_WORD = 5, 2
"""Of numbers that don't share a unit; 12A and 12B are codes."""
TRIAL_ROWS = 200
TRIAL_STRAY_SHARE = 0.5
"""Long columns are tried on a few rows first: most columns of text are no numbers, and that shows at once."""

CODE = r"^[+-]?0[0-9]+$"
"""Whole numbers with leading zeros are codes: 007, but neither 00.5 nor 08:15."""
CODE_LIKE = r"^[A-Za-z]{1,4}[-. ]?[0-9]|^[0-9][0-9.]*[-. ]?[A-Za-z]{1,3}$"
FREE = "?"
"""Stands before a unit that is in no list."""


@dataclass(frozen=True, eq=False)
class NumbersInText:
    """Numbers (k,) float64 for k spellings, NaN where one is none; positions of the spellings that are worth a word.

    `strays` are no numbers, `mixed` are numbers on another scale; `bounds` are such as <0.1, read as their bound; `marked` such
    as 7056*; `converted` are in another unit than the column. `is_open` when only the file's delimiter tells 1,234 from 1.234.
    """

    values: np.ndarray
    is_integer: bool
    notation: Notation
    strays: np.ndarray
    mixed: np.ndarray
    bounds: np.ndarray
    marked: np.ndarray
    converted: np.ndarray
    is_open: bool


@dataclass(frozen=True, eq=False)
class MixedScales:
    """Numbers that don't share a scale: positions of those in the commonest notation and of the others."""

    common: np.ndarray
    others: np.ndarray


@dataclass(frozen=True, eq=False)
class WordsAmong:
    """Labels, though most rows hold numbers: positions of the numbers and of the words."""

    numbers: np.ndarray
    words: np.ndarray


@dataclass(frozen=True, eq=False)
class Scaled:
    """Numbers (k,) each in its own unit; NaN is no number."""

    values: np.ndarray
    unit: np.ndarray
    units: tuple[str, ...]


def read_numbers(spellings: pa.StringArray, rows: np.ndarray, hint: DecimalHint = DecimalHint()) -> (  # noqa: B008
        NumbersInText | MixedScales | WordsAmong | None):
    """The numbers that the spellings stand for, or None when they are labels.

    Parameters
    ----------
    spellings : StringArray
        Distinct trimmed spellings (k,).
    rows : ndarray
        How many rows each has (k,).
    hint : DecimalHint
        How a comma before exactly three digits is read where the column itself does not tell.

    Examples
    --------
    >>> read_numbers(pa.array(["$1,234.50", "$12"]), np.array([1, 1])).values.tolist()
    [1234.5, 12.0]
    >>> read_numbers(pa.array(["00123", "00124"]), np.array([1, 1])) is None
    True
    """
    if not len(spellings) or not _may_be_numbers(spellings, rows, hint):
        return None
    if pc.any(pc.match_substring_regex(spellings, CODE)).as_py():
        return None
    cells = _without_lone_fractions(read_cells(spellings))
    marks = decide_marks(cells.bodies.filter(pa.array(cells.is_simple)), rows[cells.is_simple], hint)
    return _settled(spellings, rows, cells, marks)


def all_numbers(spellings: pa.StringArray, rows: np.ndarray, hint: DecimalHint) -> tuple[np.ndarray, Notation]:
    """The numbers (k,) of a column that is known to hold numbers, NaN where a spelling is none in its notation."""
    cells = read_cells(spellings)
    marks = decide_marks(cells.bodies.filter(pa.array(cells.is_simple)), rows[cells.is_simple], hint)
    scaled = scaled_cells(cells, marks)
    unit, fits = _column_unit(scaled, rows)
    values = np.where(fits, _in_unit(scaled, unit), np.nan)
    return values, _notation(cells.bodies, marks, unit, _example(spellings, rows, fits))


def _settled(spellings: pa.StringArray, rows: np.ndarray, cells: Cells, marks: Marks) -> (
        NumbersInText | MixedScales | WordsAmong | None):
    scaled = scaled_cells(cells, marks)
    unit, fits = _column_unit(scaled, rows)
    is_number = ~np.isnan(scaled.values)
    is_free = _are_free(scaled)
    mixed = is_number & ~fits & ~is_free
    if not is_number.all():
        other_mark: DecimalMark = "," if marks.decimal == "." else "."
        mixed |= ~is_number & ~np.isnan(scaled_cells(cells, Marks(other_mark, marks.decimal)).values)
    if len(unit.removeprefix(FREE)) < SHORTEST_WORD and unit.startswith(FREE) and not fits.all():
        return None
    strays = ~fits & ~mixed
    if not _tolerable(spellings, rows, strays, int((fits & (rows > 0)).sum())):
        others = is_number & ~fits
        if _are_amounts(scaled, rows):
            return MixedScales(np.flatnonzero(fits), np.flatnonzero(others))
        return _words_among(spellings, rows, fits, strays)
    if rows[mixed].sum() > MOST_STRAY_SHARE * rows.sum():
        return MixedScales(np.flatnonzero(fits), np.flatnonzero(mixed))
    values = np.where(fits, _in_unit(scaled, unit), np.nan)
    bounds = _where(cells, "bound")
    if _are_classes(values, rows, bounds, cells):
        return None
    notation = _notation(cells.bodies, marks, unit, _example(spellings, rows, fits))
    return NumbersInText(values, _are_integers(cells, values, marks), notation,
                         np.flatnonzero(strays), np.flatnonzero(mixed), bounds, _where(cells, "is_marked"),
                         np.flatnonzero(fits & _is_converted(scaled, unit)), marks.is_open)


def _words_among(spellings: pa.StringArray, rows: np.ndarray, fits: np.ndarray, strays: np.ndarray) -> WordsAmong | None:
    """Worth a word only where most rows hold one of many numbers, and the rest is no code such as 12A beside 12."""
    if rows[fits].sum() <= rows.sum() / 2 or fits.sum() < FEWEST_NUMBERS or _have_codes(spellings, rows, strays):
        return None
    return WordsAmong(np.flatnonzero(fits), np.flatnonzero(~fits))


def _may_be_numbers(spellings: pa.StringArray, rows: np.ndarray, hint: DecimalHint) -> bool:
    if len(spellings) <= TRIAL_ROWS:
        return True
    spread = np.linspace(0, rows.sum() - 1, TRIAL_ROWS).astype(np.int64)
    trial = np.unique(np.searchsorted(np.cumsum(rows), spread, side="right"))
    cells = read_cells(spellings.take(pa.array(trial)))
    simple = cells.is_simple
    scaled = scaled_cells(cells, decide_marks(cells.bodies.filter(pa.array(simple)), rows[trial][simple], hint))
    _, fits = _column_unit(scaled, rows[trial])
    is_known_number = ~np.isnan(scaled.values) & ~_are_free(scaled)
    return bool(rows[trial][fits | is_known_number].sum() >= (1 - TRIAL_STRAY_SHARE) * rows[trial].sum())


def _are_free(scaled: Scaled) -> np.ndarray:
    """Numbers (k,) with a unit that is in no list."""
    return np.asarray(np.array([each.startswith(FREE) for each in scaled.units] + [False])[scaled.unit])


def _without_lone_fractions(cells: Cells) -> Cells:
    """1/2 is a number beside 2 1/2 or whole numbers only; else it may be a date, a share or a score."""
    if cells.fractions and not cells.has_whole_parts and not cells.is_simple.any():
        cells.values[list(cells.fractions)] = np.nan
    return cells


def scaled_cells(cells: Cells, marks: Marks) -> Scaled:
    """Numbers (k,) by these marks, each in its own unit."""
    values, unit, units = cells.values.copy(), np.full(len(cells.affix), -1), list[str]()
    place = {name: units.append(name) or len(units) - 1  # type: ignore[func-returns-value]
             for name in dict.fromkeys([*(each.unit for each in _companions(cells)), *cells.units.values()])}
    for position, name in cells.units.items():
        unit[position] = place[name]
    simple = np.flatnonzero(cells.is_simple)
    if len(simple):
        affixes = _companions(cells)
        values[simple] = _times(cells.bodies.take(pa.array(simple)), marks, cells.affix[simple], affixes)
        unit[simple] = np.array([place[each.unit] for each in affixes])[cells.affix[simple]]
    return Scaled(values, unit, tuple(units))


def _companions(cells: Cells) -> list[Affixes]:
    """The affixes, an `m` among them read as minutes beside hours and as million beside K."""
    units = {each.unit for each in cells.affixes} | set(cells.units.values())
    if "m" not in units:
        return list(cells.affixes)
    has_time = any(each in KNOWN and KNOWN[each].dimension == "time" for each in units)
    has_magnitude = any(each.exponent for each in cells.affixes)
    return [each if each.unit != "m" or not (has_time or has_magnitude)
            else Affixes(each.negative, 0 if has_time else MILLION, "min" if has_time else "", each.bound, each.is_marked)
            for each in cells.affixes]


def _times(bodies: pa.StringArray, marks: Marks, affix: np.ndarray, affixes: list[Affixes]) -> np.ndarray:
    """Values (k,) with sign and magnitude. The magnitude is written behind the digits, so that 4.35 million is exact."""
    exponents = np.array([each.exponent for each in affixes])[affix]
    signs = np.where(np.array([each.negative for each in affixes])[affix], -1.0, 1.0)
    if not exponents.any():
        return np.asarray(signs * parse_bodies(bodies, marks))
    has_own = pc.match_substring_regex(bodies, "[eE]").to_numpy(zero_copy_only=False)
    powers = pa.array([f"e{each.exponent}" if each.exponent else "" for each in affixes] + [""])
    written = pc.binary_join_element_wise(bodies, powers.take(pa.array(np.where(has_own, len(affixes), affix))), "")
    return np.asarray(signs * parse_bodies(written, marks) * np.where(has_own, 10.0**exponents, 1.0))


def _column_unit(scaled: Scaled, rows: np.ndarray) -> tuple[str, np.ndarray]:
    """The unit in which most rows can be read, and which cells (k,) can."""
    best, most = ("", np.zeros(len(scaled.values), dtype=bool)), (-1.0, -1.0)
    is_number = ~np.isnan(scaled.values)
    for place, unit in enumerate(scaled.units):
        fits = _fits(scaled, unit)
        own = float(rows[is_number & (scaled.unit == place)].sum())
        if (float(rows[fits].sum()), own) > most:
            best, most = (unit, fits), (float(rows[fits].sum()), own)
    return best


def _fits(scaled: Scaled, unit: str) -> np.ndarray:
    """Cells (k,) that can be read in a unit: those in it or one that converts; zero; plain numbers beside one currency."""
    same = [is_convertible(each, unit) or (not each and unit in IS_CURRENCY) for each in scaled.units]
    fits = np.array([*same, False])[scaled.unit] & ~np.isnan(scaled.values)
    is_zero = (scaled.values == 0) & np.array([not each for each in scaled.units] + [False])[scaled.unit]
    return np.asarray(fits | (is_zero & (unit != CLOCK)))


def _in_unit(scaled: Scaled, unit: str) -> np.ndarray:
    values = scaled.values.copy()
    for place, each in enumerate(scaled.units):
        if each != unit and is_convertible(each, unit):
            there = scaled.unit == place
            values[there] = converted(values[there], each, unit)
    return values


def _is_converted(scaled: Scaled, unit: str) -> np.ndarray:
    return np.asarray(np.array([each != unit and is_convertible(each, unit) for each in scaled.units] + [False])[scaled.unit])


def _tolerable(spellings: pa.StringArray, rows: np.ndarray, strays: np.ndarray, numbers: int) -> bool:
    """Whether so many strays are accidents or words for missing, and the column still one of numbers."""
    if not numbers:
        return False
    share, words = rows[strays].sum() / rows.sum(), int(strays.sum())
    if not words:
        return True
    if _have_codes(spellings, rows, strays):
        return False
    return bool(share <= MOST_STRAY_SHARE
                or (numbers >= FEWEST_NUMBERS and words <= MOST_STRAY_WORDS and share <= MOST_WORD_SHARE))


def _have_codes(spellings: pa.StringArray, rows: np.ndarray, strays: np.ndarray) -> bool:
    coded = pc.match_substring_regex(spellings, CODE_LIKE).to_numpy(zero_copy_only=False) & strays
    return bool(rows[coded].sum() > MOST_CODE_SHARE * rows.sum())


def _are_amounts(scaled: Scaled, rows: np.ndarray) -> bool:
    """Whether nearly all cells are numbers in a few units of some letters, as 26.6 km/kg beside 19.67 kmpl, and many differ."""
    is_number = ~np.isnan(scaled.values)
    units = [scaled.units[place] for place in np.unique(scaled.unit[is_number])]
    return (len(units) <= MOST_UNITS and all(len(unit.removeprefix(FREE)) >= SHORTEST_WORD for unit in units)
            and len(np.unique(scaled.values[is_number])) >= FEWEST_NUMBERS
            and bool(rows[~is_number].sum() <= MOST_STRAY_SHARE * rows.sum()))


def _are_classes(values: np.ndarray, rows: np.ndarray, bounds: np.ndarray, cells: Cells) -> bool:
    """Whether bounds are not what is known of values but classes, as <=50K and >50K.

    1,000+ is a number, and so are <1 and 10+ at the ends of 1 to 9.
    """
    marks = [cells.affixes[each].bound for each in cells.affix[bounds]]
    if set(marks) <= {"+"}:
        return False
    is_twofold = len(set(values[bounds])) < len(set(zip(values[bounds], marks, strict=True)))
    is_exact = ~np.isnan(values)
    is_exact[bounds] = False
    is_end = len(np.unique(values[is_exact])) > len(bounds)
    return is_twofold or bool(rows[bounds].sum() > MOST_BOUND_SHARE * rows.sum() and not is_end)


def _are_integers(cells: Cells, values: np.ndarray, marks: Marks) -> bool:
    """Whether all are whole numbers and written as such: neither 5.0 nor 1e3, but 1.2K."""
    numbers = values[~np.isnan(values)]
    if not len(numbers) or cells.units or not (np.floor(numbers) == numbers).all():
        return False
    exact = np.array([not each.exponent for each in cells.affixes] + [False])[cells.affix]
    bodies = cells.bodies.filter(pa.array(exact & ~np.isnan(values)))
    return not pc.any(pc.match_substring_regex(bodies, f"[{marks.decimal}eE]")).as_py()


def _notation(bodies: pa.StringArray, marks: Marks, unit: str, example: str) -> Notation:
    has_decimals = pc.any(pc.match_substring(bodies, marks.decimal)).as_py()
    return Notation(marks.decimal if has_decimals else "", marks.thousands, unit.removeprefix(FREE), example=example)


def _example(spellings: pa.StringArray, rows: np.ndarray, fits: np.ndarray) -> str:
    """The commonest spelling, "" if that is a plain number."""
    example = spellings[int(np.argmax(np.where(fits, rows, -1)))].as_py() if len(spellings) else ""
    return "" if re.fullmatch(PLAIN, example) else example


def _where(cells: Cells, fact: str) -> np.ndarray:
    return np.flatnonzero(np.array([bool(getattr(each, fact)) for each in cells.affixes] + [False])[cells.affix])
