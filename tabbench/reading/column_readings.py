"""How each column was read, with examples of its cells as they were written and as they were understood. Decides nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.finding import Finding
from tabbench.core.phrases import shown
from tabbench.core.table import ColumnReading
from tabbench.reading.typed_column import TypedColumn

MOST_EXAMPLES = 3
MISSING = "missing"
SAMPLE_ROWS = 10_000
"""Enough for the shape of a histogram."""
BINS = 12
BLOCK_CELLS = 1 << 18
"""Numbers that are counted at a time."""
REMARKS = ("number-in-text", "infinite-value", "merged-labels")
"""Findings on a column that its examples show, or that need no look."""


def column_readings(columns: Mapping[str, TypedColumn], roles: Mapping[str, str], findings: Sequence[Finding],
                    declared: Mapping[str, str]) -> tuple[ColumnReading, ...]:
    """The readings of columns by name, in order; `roles` are those of columns that are no features."""
    notes = {finding.subject: finding for finding in reversed(findings) if finding.code not in REMARKS}
    of_numbers = _histograms_of_numbers(columns)
    return tuple(_reading(name, typed, roles.get(name, "feature"), notes.get(shown(name)), declared.get(name),
                          of_numbers[name] if name in of_numbers else _histogram(typed)) for name, typed in columns.items())


def _reading(name: str, typed: TypedColumn, role: str, finding: Finding | None, declared: str | None,
             histogram: tuple[int, ...]) -> ColumnReading:
    note = "as declared" if declared else ""
    if finding is not None:
        note = f"{note}; {finding.message}" if note else finding.message
    is_doubtful = finding is not None and finding.severity != "info"
    return ColumnReading(name, role, typed.column.kind, _examples(typed), typed.missing, note, is_doubtful, histogram)


def _examples(typed: TypedColumn) -> tuple[tuple[str, str], ...]:
    """Different cells: those first that became missing, then those that changed."""
    values = typed.values[:len(typed.head)]
    values = values.tolist() if typed.column.kind == "number" else values  # a number of Python's own is quicker to look at
    if typed.column.kind == "number" and (cells := _as_written(typed.head, values)):
        return tuple((shown(written), shown(written)) for written in [*dict.fromkeys(cells)][:MOST_EXAMPLES])
    pairs = dict.fromkeys((written, _spelled(typed, value, written)) for written, value in zip(typed.head, values, strict=True)
                          if written is not None)
    ranked = sorted(pairs, key=lambda pair: 0 if pair[1] == MISSING else 1 if pair[0] != pair[1] else 2)
    return tuple((shown(written), shown(read)) for written, read in ranked[:MOST_EXAMPLES])


def _as_written(cells: Sequence[str | None], numbers: Sequence[float]) -> list[str]:
    """The cells if none is empty and all say the same in plain digits, as in thousands of columns of a wide table; else none."""
    filled = [written for written in cells if written is not None]
    try:
        return filled if list(map(float, filled)) == numbers else []
    except ValueError:
        return []


def _spelled(typed: TypedColumn, value: Any, written: str) -> str:
    """A value as a person writes it."""
    if typed.column.kind == "number":
        return MISSING if math.isnan(value) else _number(value, written)
    if pd.isna(value):
        return MISSING
    if typed.column.kind == "boolean":
        return (typed.column.levels or ("False", "True"))[int(value)]
    if typed.column.kind == "date":
        return str(value).removesuffix(" 00:00:00")
    return str(value)


def _number(value: float, written: str) -> str:
    """A number; as written where that says the same in plain digits."""
    try:
        return written if float(written) == value else f"{value:.6g}"
    except ValueError:
        return str(value) if isinstance(value, int) else f"{value:.6g}"


def _histogram(typed: TypedColumn) -> tuple[int, ...]:
    """Of anything but numbers."""
    if typed.column.kind == "text":
        return ()
    codes = _sampled(typed)
    if typed.column.kind == "date":
        return _histograms(codes[None, codes != np.iinfo(np.int64).min].astype(np.float64))[0]
    counts = np.sort(np.bincount(codes[codes >= 0].astype(np.int64)))[::-1]
    return tuple(int(count) for count in counts[:BINS] if count)


def _sampled(typed: TypedColumn) -> np.ndarray:
    return typed.codes[:: max(len(typed) // SAMPLE_ROWS, 1)]


def _histograms_of_numbers(columns: Mapping[str, TypedColumn]) -> dict[str, tuple[int, ...]]:
    """Of all columns of numbers by name, some at a time."""
    found: dict[str, tuple[int, ...]] = {}
    for kind in (np.float64, np.int64):
        names = [name for name, typed in columns.items() if typed.column.kind == "number" and typed.codes.dtype == kind]
        step = max(1, BLOCK_CELLS // max(1, len(_sampled(columns[names[0]])))) if names else 1
        for start in range(0, len(names), step):
            codes = np.stack([_sampled(columns[name]) for name in names[start:start + step]])
            found |= zip(names[start:start + step], _histograms(codes.astype(np.float64, copy=False)), strict=True)
    return found


def _histograms(numbers: np.ndarray) -> list[tuple[int, ...]]:
    """Of each row of numbers (p, n), but for those that are not finite."""
    is_known = np.isfinite(numbers)
    numbers = numbers if is_known.all() else np.where(is_known, numbers, np.nan)
    # Rows may be empty: of a sample none of whose cells holds a date.
    low, high = (each(numbers, axis=1, initial=np.nan) for each in (np.fmin.reduce, np.fmax.reduce))
    with np.errstate(over="ignore"):
        width = high - low
    has_width = (width > 0) & (width < np.inf)
    places = (numbers - np.where(has_width, low, np.nan)[:, None]) / width[:, None] * BINS
    bins = np.nan_to_num(np.minimum(places, BINS - 1), copy=False).astype(np.int64) + BINS * np.arange(len(numbers))[:, None]
    counts = np.bincount(bins[is_known], minlength=BINS * len(numbers)).reshape(-1, BINS)
    return [tuple(row) if wide else (total,) if total else ()
            for row, wide, total in zip(counts.tolist(), has_width.tolist(), is_known.sum(axis=1).tolist(), strict=True)]
