"""Numbers of new rows, read in the notation and unit of training: converted where that is certain, else refused."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.notation import DecimalHint, DecimalMark, Notation
from tabbench.reading.decimal_marks import Marks, are_thousands, reads_as, thousands_mark
from tabbench.reading.number_cells import Cells, read_cells
from tabbench.reading.text_numbers import FREE, Scaled, scaled_cells
from tabbench.reading.units import CLOCK, IS_CURRENCY, PER_CENT, converted, is_convertible, is_known

NONE = np.empty(0, np.int64)


@dataclass(frozen=True, eq=False)
class NewNumbers:
    """Numbers (k,) float64, NaN where a spelling is none; positions that were converted into the unit of training, and of those
    that are written otherwise than in training (12.8% for 0.128, 0.2K for 200, another decimal mark).

    `refused` is the position of a number whose meaning is not certain, `why` says what it is.
    """

    values: np.ndarray
    converted: np.ndarray
    otherwise: np.ndarray = field(default_factory=lambda: NONE)
    refused: int | None = None
    why: str = ""


def read_new_numbers(spellings: pa.StringArray, rows: np.ndarray, notation: Notation, hint: DecimalHint) -> NewNumbers:
    """The numbers that spellings (k,) of `rows` rows each stand for, in the unit of training."""
    cells = read_cells(spellings)
    if PER_CENT in {each.unit for each in cells.affixes} and notation.unit == "" and notation.is_fraction:
        cells = replace(cells, affixes=tuple(replace(each, unit="", exponent=each.exponent - 2) if each.unit == PER_CENT else each
                                             for each in cells.affixes))
    simple = pa.array(cells.is_simple)
    marks = _marks(cells.bodies.filter(simple), rows[cells.is_simple], notation, hint)
    if marks is None:
        open_mark = "," if pc.any(pc.match_substring(cells.bodies, ",")).as_py() else "."
        first = int(np.flatnonzero(pc.fill_null(pc.match_substring(cells.bodies, open_mark), False).to_numpy(
            zero_copy_only=False) & cells.is_simple)[0])
        return NewNumbers(np.full(len(spellings), np.nan), NONE, refused=first,
                          why=f"the mark {open_mark!r} could group thousands or begin decimals")
    read = _in_unit_of_training(cells, scaled_cells(cells, marks), notation)
    return replace(read, otherwise=np.flatnonzero(_otherwise(cells, marks, notation) & ~np.isnan(read.values)))


def _otherwise(cells: Cells, marks: Marks, notation: Notation) -> np.ndarray:
    """Cells (k,) with a magnitude or per cent sign, or with another decimal mark than the plain numbers of training."""
    if notation.example and not notation.decimal:
        return np.zeros(len(cells.affix), dtype=bool)
    has_exponent = np.array([each.exponent != 0 for each in cells.affixes] + [False])[cells.affix]
    has_letter = any(letter.isalpha() for letter in notation.example)
    if notation.decimal in ("", marks.decimal):
        return np.asarray(has_exponent & (not has_letter))
    has_mark = pc.fill_null(pc.match_substring(cells.bodies, marks.decimal), False).to_numpy(zero_copy_only=False)
    return np.asarray((has_exponent & (not has_letter)) | (has_mark & cells.is_simple))


def accepts_plain(notation: Notation) -> bool:
    """Whether plain numbers mean what the values of training did."""
    return notation.unit is None or notation.unit == "" or notation.unit in IS_CURRENCY


def _in_unit_of_training(cells: Cells, scaled: Scaled, notation: Notation) -> NewNumbers:
    if notation.unit is None:
        return NewNumbers(scaled.values, NONE)
    own = notation.unit if is_known(notation.unit) else FREE + notation.unit
    values, changed = scaled.values.copy(), np.zeros(len(scaled.values), dtype=bool)
    for place, unit in enumerate(scaled.units):
        there = (scaled.unit == place) & ~np.isnan(scaled.values)
        if not there.any() or unit == own:
            continue
        if is_convertible(unit, own):
            values[there] = converted(values[there], unit, own)
            changed |= there
        elif not {unit, own} <= {"", own if own in IS_CURRENCY else "", unit if unit in IS_CURRENCY and not own else ""}:
            wrong = there if unit or own == CLOCK else there & (values != 0)
            if wrong.any():
                return NewNumbers(values, NONE, refused=int(np.flatnonzero(wrong)[0]), why=_unit_words(unit))
    return NewNumbers(values, np.flatnonzero(changed))


def _unit_words(unit: str) -> str:
    return f"its unit is {unit.removeprefix(FREE)}" if unit else "it has no unit"


def _marks(bodies: pa.StringArray, rows: np.ndarray, notation: Notation, hint: DecimalHint) -> Marks | None:
    """The marks of the new column, None where they stay open: proof in the column, in its file, then as in training."""
    decimals: tuple[DecimalMark, ...] = (".", ",")
    by_mark = {decimal: Marks(decimal, thousands_mark(bodies, decimal)) for decimal in decimals}
    as_point, as_comma = (float(rows[reads_as(bodies, marks)].sum()) for marks in by_mark.values())
    if as_point != as_comma:
        return by_mark["." if as_point > as_comma else ","]
    mark = next((mark for mark in reversed(decimals) if pc.any(pc.match_substring(bodies, mark)).as_py()), None)
    if mark is None:
        return by_mark["."]
    if hint.proven is not None:
        return by_mark[hint.proven]
    if notation.decimal and notation.decimal == mark:
        return by_mark[notation.decimal]
    if notation.thousands == mark or are_thousands(bodies, mark):
        return by_mark["." if mark == "," else ","]
    return None
