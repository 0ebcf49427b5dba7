"""Which columns cannot help any approach: empty, constant, identifiers, copies of another column."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.reading.typed_column import TypedColumn

NAMED_AS_IDENTIFIER = re.compile(r"(?:^|[^A-Za-z])id$|[a-z0-9](?:Id|ID)$", re.IGNORECASE)
LOWER_CASE_WORD_IN_ID = re.compile(r"[a-z]id$")
FIRST_YEAR, LAST_YEAR = 1500, 2200
"""One row a year is a series, not a numbering."""
SIGNATURE_ROWS = 256
QUICK_LOOK_ROWS = 1000
SMALLEST_DECIMAL_SHARE = 0.95

IDENTIFIER = "identifier-column"
AMOUNTS = ("mixed-notation", "words-among-numbers")
"""Findings on columns of text that hold measurements, which are no identifiers."""
REASONS = {"empty-column": "without any value", "constant-column": "with one value only",
           IDENTIFIER: "with another value in every row (identifier)"}


def columns_to_leave_out(columns: Mapping[str, TypedColumn], declared: Collection[str] = (), row_names: Collection[str] = ()
                         ) -> tuple[dict[str, str], tuple[Finding, ...]]:
    """Name -> finding code of each column to drop, and one finding for each sort.

    What is `declared` is no identifier; what is among `row_names` is one if it is another in every row.
    """
    tests: dict[str, Callable[[str, TypedColumn], bool]] = {
        "empty-column": _is_empty, "constant-column": _is_constant, IDENTIFIER: _is_identifier}
    out: dict[str, str] = {}
    for name, typed in columns.items():
        code = next((code for code, test in tests.items() if test(name, typed)), None)
        if code is None and name in row_names and _names_rows(typed):
            code = IDENTIFIER
        if code and not (code == IDENTIFIER and name in declared):
            out[name] = code
    findings = []
    for code, reason in REASONS.items():
        names = [name for name, found in out.items() if found == code]
        if code == IDENTIFIER:  # one each: `predict` passes these columns through and must know their names
            findings += [Finding(code, "info", name, f"column {shown(name)} {reason} left out") for name in names]
        elif names:
            findings.append(Finding(code, "info", first_few(names), f"{counted(len(names), 'column')} {reason} left out: "
                                                                 f"{first_few(names)}"))
    copies = _copies({name: typed for name, typed in columns.items() if name not in out})
    for name, original in copies.items():
        out[name] = "copied-column"
        findings.append(Finding("copied-column", "info", shown(name), f"{shown(name)} equals {shown(original)} in every row and "
                                                                      f"was left out"))
    return out, tuple(findings)


def _is_empty(name: str, typed: TypedColumn) -> bool:
    return typed.missing == len(typed)


def _is_constant(name: str, typed: TypedColumn) -> bool:
    """A value in some rows only says something by where it is missing."""
    return not typed.missing and bool(typed.codes[0] == typed.codes[-1]) and bool((typed.codes == typed.codes[0]).all())


def _is_identifier(name: str, typed: TypedColumn) -> bool:
    if typed.missing or any(finding.code in AMOUNTS for finding in typed.findings):
        return False
    if typed.distinct is not None:
        return len(typed.distinct) == len(typed) and _looks_like_codes(typed.distinct) and not _are_decimals(typed.distinct)
    if typed.values.dtype != np.int64:
        return False
    numbers, (low, high) = typed.values, typed.extent
    is_numbering = high - low + 1 == len(numbers) and not (low >= FIRST_YEAR and high <= LAST_YEAR)
    return (is_numbering or is_named_identifier(name)) and not _has_quick_double(numbers) and _are_distinct(numbers)


def _names_rows(typed: TypedColumn) -> bool:
    """Whether each row has a whole number or label of its own."""
    if typed.missing or typed.column.kind not in ("number", "category", "text"):
        return False
    return len(np.unique(typed.codes)) == len(typed) and (typed.distinct is not None or typed.values.dtype == np.int64)


def _has_quick_double(numbers: np.ndarray) -> bool:
    return not _are_distinct(numbers[:QUICK_LOOK_ROWS])


def _are_distinct(numbers: np.ndarray) -> bool:
    return len(np.unique(numbers)) == len(numbers)


def is_named_identifier(name: str) -> bool:
    """Whether a column is called as identifiers are: id, customerID, row_no."""
    return bool(NAMED_AS_IDENTIFIER.search(name)) and not LOWER_CASE_WORD_IN_ID.search(name)


def _looks_like_codes(labels: pa.StringArray) -> bool:
    """Unique labels without blanks, all with a digit in them, all addresses or all of one length: written for a machine."""
    if pc.any(pc.match_substring_regex(labels, r"\s")).as_py():
        return False
    lengths = pc.unique(pc.utf8_length(labels))
    return (len(lengths) == 1 or pc.all(pc.match_substring_regex(labels, r"[0-9]")).as_py()
            or pc.all(pc.match_substring_regex(labels, r"^[a-z]+://")).as_py())


def _are_decimals(labels: pa.StringArray) -> bool:
    """10.77N and 10.65S are measurements, whatever their letters mean."""
    alike = pc.sum(pc.match_substring_regex(labels, r"^[^0-9]{0,3}[0-9]+\.[0-9]+[^0-9]{0,8}$")).as_py() or 0
    return bool(alike >= SMALLEST_DECIMAL_SHARE * len(labels))


def _copies(columns: Mapping[str, TypedColumn]) -> dict[str, str]:
    """Later copy -> earlier original."""
    alike: dict[object, list[str]] = {}
    for name, typed in columns.items():
        alike.setdefault(_signature(typed), []).append(name)
    originals: dict[object, list[str]] = {}
    copies: dict[str, str] = {}
    suspects = {name for names in alike.values() if len(names) > 1 for name in names}
    for name in filter(suspects.__contains__, columns):
        earlier = originals.setdefault((columns[name].column.kind, _digest(columns[name])), [])
        original = next((each for each in earlier if _are_equal(columns[each], columns[name])), None)
        if original is None:
            earlier.append(name)
        else:
            copies[name] = original
    return copies


def _signature(typed: TypedColumn) -> object:
    """What copies share, by a few rows; all of a long table would take time."""
    step = max(len(typed) // SIGNATURE_ROWS, 1)
    return typed.column.kind, typed.missing, typed.column.levels, _digest(typed, step)


def _digest(typed: TypedColumn, step: int = 1) -> bytes:
    return hashlib.blake2b((typed.codes[::step].astype(np.float64) + 0.0).tobytes(), digest_size=16).digest()


def _are_equal(first: TypedColumn, second: TypedColumn) -> bool:
    if first.column.kind == "text":
        return bool((first.values == second.values).all()) if not first.missing else first.values.equals(second.values)
    return np.array_equal(first.codes, second.codes,
                          equal_nan=first.codes.dtype == np.float64 and second.codes.dtype == np.float64)
