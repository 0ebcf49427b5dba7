"""Columns whose kind the user declared: `types={"store": "category"}`. They are read as that or refused, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pyarrow as pa

from tabbench.core.errors import BadData, BadOption, OptionMention, UnknownName
from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.core.table import Column, DeclaredKind
from tabbench.reading.categories import category_column, text_column
from tabbench.reading.frames import as_labels
from tabbench.reading.missing_words import MISSING_AMONG_VALUES
from tabbench.reading.recognition import recognise
from tabbench.reading.rules import Rules
from tabbench.reading.spelled import Spelled, spell
from tabbench.reading.text_dates import most_dates
from tabbench.reading.text_numbers import all_numbers
from tabbench.reading.typed_column import TypedColumn, date_column, number_column

MOST_UNREADABLE_SHARE = 0.5
"""A column of which less can be read as what it was declared to be is something else."""


def declared_kinds(types: Mapping[str, DeclaredKind], names: list[str], target: str) -> dict[str, DeclaredKind]:
    """The same by the names of columns that there are.

    Raises
    ------
    UnknownName
        No such column.
    BadOption
        A target that is to be text or dates.
    """
    for name, kind in types.items():
        if name not in names:
            raise UnknownName.among("column", shown(name), [shown(each) for each in names])
        if name == target and kind not in ("category", "number"):
            raise BadOption.about(OptionMention("types", {name: kind}), " is of the target, which can be category or number")
    return dict(types)


def recognise_as(kind: DeclaredKind, name: str, values: pa.ChunkedArray, rules: Rules) -> TypedColumn:
    """Type one column as declared.

    Raises
    ------
    BadData
        More than half of the values cannot be read as such.
    """
    if kind == "category":
        return category_column(name, spell(as_labels(values), rules.missing), rules)
    if kind == "text":
        return text_column(name, spell(as_labels(values), rules.missing))
    typed = recognise(name, values, replace(rules, is_target=False))
    if typed.column.kind == kind:
        return typed
    if kind == "number":
        return _number(name, typed, values, rules)
    return _date(name, values, rules)


def _number(name: str, typed: TypedColumn, values: pa.ChunkedArray, rules: Rules) -> TypedColumn:
    if typed.column.kind == "boolean":
        return number_column(Column(name, "number"), typed.values.to_numpy(dtype=np.float64, na_value=np.nan))
    if typed.column.kind == "date":
        raise BadData.about(f"column {shown(name)!r} holds dates, which are no numbers; leave it out of ", OptionMention("types"))
    spelled = _without_words(values, rules)
    numbers, notation = all_numbers(spelled.spellings, spelled.rows(), rules.hint)
    in_rows = np.append(numbers, np.nan)[spelled.codes]
    words, findings = _unreadable(name, "number", spelled.spellings, spelled.codes, np.isnan(in_rows) & (spelled.codes >= 0))
    return number_column(Column(name, "number", notation=notation, missing_words=words), in_rows, findings)


def _date(name: str, values: pa.ChunkedArray, rules: Rules) -> TypedColumn:
    spelled = _without_words(values, rules)
    read = most_dates(spelled.spellings, spelled.rows())
    dates = np.append(read.values, np.datetime64("NaT"))[spelled.codes]
    _, findings = _unreadable(name, "date", spelled.spellings, spelled.codes, np.isnat(dates) & (spelled.codes >= 0))
    return date_column(name, dates, read.format, findings)


def _without_words(values: pa.ChunkedArray, rules: Rules) -> Spelled:
    return spell(as_labels(values), rules.missing).without_words(MISSING_AMONG_VALUES)


def _unreadable(name: str, kind: str, spellings: pa.StringArray, codes: np.ndarray, unreadable: np.ndarray
                ) -> tuple[tuple[str, ...], tuple[Finding, ...]]:
    """The spellings that are no such thing, and the finding on them."""
    cells = int(unreadable.sum())
    if not cells:
        return (), ()
    words = tuple(spellings.take(pa.array(np.unique(codes[unreadable]))).to_pylist())
    if cells > MOST_UNREADABLE_SHARE * (codes >= 0).sum():
        raise BadData.about(f"column {shown(name)!r} is declared as {kind}, but {counted(cells, 'cell')} cannot be read so "
                            f"({first_few(words, 2)}); declare another kind with ", OptionMention("types"))
    message = f"{shown(name)} is declared as {kind}; {counted(cells, 'cell')} that cannot be read so ({first_few(words, 2)}) " \
              "count as missing"
    return words, (Finding("stray-word", "warn", shown(name), message, "correct these cells"),)
