"""Numbers that are no numbers: infinite ones, and codes such as -999 that stand for a missing value.

The rule for codes is careful on purpose. A negative code is read as missing, and said; a positive one (99999 may be a cap)
is only pointed out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.reading.typed_column import TypedColumn, extent_of, number_column

FEWEST_CODE_ROWS = 5
SMALLEST_CODE_SHARE = 0.001
"""A value that is a code comes back; an outlier does not."""
FEWEST_OTHER_VALUES = 3
"""Between two or three values that are all there is, distance means nothing."""
SMALLEST_NEGATIVE_CODE = -9.0
NINES = (9.0, 99.0, 999.0, 9999.0, 99999.0, 999999.0)
"""Codes by custom: one column is enough evidence. Any other number must stand out in two columns."""
POSITIVE_CODES = NINES[1:]
FEWEST_TARGET_VALUES = 20
"""A target with fewer values may be labels, of which a negative one is as good as any."""


@dataclass(frozen=True)
class _Extreme:
    """A column's lowest or highest value and how it stands to the others."""

    value: float
    rows: int
    stands_out: bool
    others_have_other_sign: bool


def without_infinite(name: str, typed: TypedColumn) -> TypedColumn:
    """A feature's infinite numbers become missing, with a finding."""
    if typed.column.kind != "number" or not any(map(math.isinf, typed.extent)):
        return typed
    infinite = np.isinf(typed.values)
    rows = int(infinite.sum())
    numbers = np.where(infinite, np.nan, typed.values)
    finding = Finding("infinite-value", "warn", shown(name), f"{shown(name)} is infinite in {counted(rows, 'row')}, which count "
                                                             f"as missing",
                      "replace them by what they mean")
    return replace(typed, values=numbers, codes=numbers, missing=typed.missing + rows, extent=extent_of(numbers),
                   findings=(*typed.findings, finding))


def find_missing_codes(columns: Mapping[str, TypedColumn]) -> tuple[dict[str, float], tuple[Finding, ...]]:
    """The negative number that stands for a missing value in each column that has one; findings on suspected positive ones.

    A number is such a code when, in a column, it is a whole number of at most -9, the lowest value, comes back in 0.1 % of
    the rows (5 at least) and lies further below the other values than these lie apart; in one column if it consists of
    nines, else in two. It then is missing there, and wherever it is the lowest value of a column that is not negative otherwise.
    """
    numbers = {name: typed for name, typed in columns.items() if typed.column.kind == "number"}
    lowest = {name: extreme for name, typed in numbers.items() if (extreme := _lowest(typed))}
    outstanding = [extreme.value for extreme in lowest.values() if extreme.stands_out]
    codes = {code for code in outstanding if -code in NINES or outstanding.count(code) > 1}
    found = {name: extreme.value for name, extreme in lowest.items()
             if extreme.value in codes and (extreme.stands_out or (extreme.others_have_other_sign and extreme.rows > 1))}
    return found, (*_said(found, lowest), *_suspected(numbers))


def apply_missing_code(typed: TypedColumn, code: float) -> TypedColumn:
    """The column with its code counted as missing, and its `Column` knowing it."""
    numbers = np.where(typed.values == code, np.nan, typed.values)
    return number_column(replace(typed.column, missing_code=code), numbers, typed.findings)


def _lowest(typed: TypedColumn) -> _Extreme | None:
    low = float(typed.extent[0])
    return _extreme(low, typed.values) if low <= SMALLEST_NEGATIVE_CODE and low == np.floor(low) else None


def _extreme(value: float, values: np.ndarray) -> _Extreme | None:
    is_value = values == value
    others = values[~is_value & np.isfinite(values)]
    if not len(others):
        return None
    rows = int(np.count_nonzero(is_value))
    low, high = float(others.min()), float(others.max())
    gap = max(low - value, value - high)
    stands_out = _is_frequent(value, values) and gap > high - low and len(np.unique(others)) >= FEWEST_OTHER_VALUES
    return _Extreme(value, rows, stands_out, low >= 0)


def _is_frequent(value: float, values: np.ndarray) -> bool:
    return int(np.count_nonzero(values == value)) >= max(FEWEST_CODE_ROWS, SMALLEST_CODE_SHARE * len(values))


def _said(found: dict[str, float], lowest: Mapping[str, _Extreme]) -> list[Finding]:
    findings = []
    for code in sorted(set(found.values())):
        names = [name for name, value in found.items() if value == code]
        cells = sum(lowest[name].rows for name in names)
        findings.append(Finding("missing-code", "warn", first_few(names),
                                f"{code:g} stands apart from all other values and is read as missing: "
                                f"{counted(cells, 'cell')} in {counted(len(names), 'column')} ({first_few(names)})",
                                "if it is a real value, shift the column so that it is not the only negative number"))
    return findings


def _suspected(numbers: Mapping[str, TypedColumn]) -> list[Finding]:
    findings = []
    for name, typed in numbers.items():
        high = float(typed.extent[1])
        extreme = _extreme(high, typed.values) if high in POSITIVE_CODES and _is_frequent(high, typed.values) else None
        if extreme and extreme.stands_out:
            findings.append(Finding("suspected-missing-code", "warn", shown(name),
                                    f"{high:g} in {counted(extreme.rows, 'row')} of {shown(name)} stands apart from all other "
                                    f"values and may mean "
                                    "missing or a cap; it is kept as a number", "leave these cells empty if they are missing"))
    return findings
