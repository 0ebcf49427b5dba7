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
REMARKS = ("number-in-text", "infinite-value", "merged-labels")
"""Findings on a column that its examples show, or that need no look."""


def column_readings(columns: Mapping[str, TypedColumn], roles: Mapping[str, str], findings: Sequence[Finding],
                    declared: Mapping[str, str]) -> tuple[ColumnReading, ...]:
    """The readings of columns by name, in order; `roles` are those of columns that are no features."""
    notes = {finding.subject: finding for finding in reversed(findings) if finding.code not in REMARKS}
    return tuple(_reading(name, typed, roles.get(name, "feature"), notes.get(shown(name)), declared.get(name))
                 for name, typed in columns.items())


def _reading(name: str, typed: TypedColumn, role: str, finding: Finding | None, declared: str | None) -> ColumnReading:
    note = "as declared" if declared else ""
    if finding is not None:
        note = f"{note}; {finding.message}" if note else finding.message
    is_doubtful = finding is not None and finding.severity != "info"
    return ColumnReading(name, role, typed.column.kind, _examples(typed), typed.missing, note, is_doubtful, _histogram(typed))


def _examples(typed: TypedColumn) -> tuple[tuple[str, str], ...]:
    """Different cells: those first that became missing, then those that changed."""
    values = typed.values[:len(typed.head)]
    values = values.tolist() if typed.column.kind == "number" else values  # a number of Python's own is quicker to look at
    pairs = dict.fromkeys((written, _spelled(typed, value, written)) for written, value in zip(typed.head, values, strict=True)
                          if written is not None)
    ranked = sorted(pairs, key=lambda pair: 0 if pair[1] == MISSING else 1 if pair[0] != pair[1] else 2)
    return tuple((shown(written), shown(read)) for written, read in ranked[:MOST_EXAMPLES])


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
    if typed.column.kind == "text":
        return ()
    codes = typed.codes[:: max(len(typed) // SAMPLE_ROWS, 1)]
    if typed.column.kind in ("category", "boolean"):
        counts = np.sort(np.bincount(codes[codes >= 0].astype(np.int64)))[::-1]
        return tuple(int(count) for count in counts[:BINS] if count)
    values = codes[codes != np.iinfo(np.int64).min] if typed.column.kind == "date" else codes[np.isfinite(codes)]
    if not len(values):
        return ()
    low = float(values.min())
    width = float(values.max()) - low
    if not 0 < width < np.inf:
        return (len(values),)
    bins = np.minimum((values - low) / width * BINS, BINS - 1).astype(np.int64)
    return tuple(int(count) for count in np.bincount(bins, minlength=BINS))
