"""Columns whose kind the user declared: `types={"store": "category"}`. They are read as that or refused, never guessed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData, BadOption, OptionMention, UnknownName
from tabbench.core.finding import Finding
from tabbench.core.phrases import counted, first_few, shown
from tabbench.core.table import Column, DeclaredKind
from tabbench.reading.frames import as_labels
from tabbench.reading.missing_words import MISSING_AMONG_VALUES, MISSING_EVERYWHERE
from tabbench.reading.recognition import TypedColumn, as_strings, category_column, date_column, number_column, recognise, spell
from tabbench.reading.text_dates import parse_dates, read_dates
from tabbench.reading.text_numbers import parse_numbers, read_numbers

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


def recognise_as(kind: DeclaredKind, name: str, values: pa.ChunkedArray, *, prefers_decimal_comma: bool = False,
                 merge_labels: bool = False, is_target: bool = False) -> TypedColumn:
    """Type one column as declared.

    Raises
    ------
    BadData
        More than half of the values cannot be read as such.
    """
    if kind in ("category", "text"):
        return _labels(kind, name, values, merge_labels, is_target)
    typed = recognise(name, values, prefers_decimal_comma=prefers_decimal_comma)
    if typed.column.kind == kind:
        return typed
    if kind == "number":
        return _number(name, typed, values, prefers_decimal_comma)
    return _date(name, values)


def _labels(kind: DeclaredKind, name: str, values: pa.ChunkedArray, merge_labels: bool, is_target: bool) -> TypedColumn:
    spelled = spell(as_labels(values))
    if kind == "category":
        return category_column(name, spelled, is_target=is_target, merge_labels=merge_labels)
    missing = int((spelled.codes < 0).sum())
    return TypedColumn(Column(name, "text"), as_strings(spelled.texts()), spelled.codes, missing, spelled.spellings)


def _number(name: str, typed: TypedColumn, values: pa.ChunkedArray, prefers_decimal_comma: bool) -> TypedColumn:
    if typed.column.kind == "boolean":
        return number_column(Column(name, "number"), typed.values.to_numpy(dtype=np.float64, na_value=np.nan))
    if typed.column.kind == "date":
        raise BadData.about(f"column {shown(name)!r} holds dates, which are no numbers; leave it out of ", OptionMention("types"))
    spelled = spell(as_labels(values)).without(MISSING_AMONG_VALUES)
    read = read_numbers(spelled.spellings, prefers_decimal_comma)
    comma = prefers_decimal_comma if read is None else read.decimal_comma
    numbers = np.append(parse_numbers(spelled.spellings, comma), np.nan)[spelled.codes]
    unreadable = np.isnan(numbers) & (spelled.codes >= 0)
    words, findings = _unreadable(name, "number", spelled.spellings, spelled.codes, unreadable)
    column = Column(name, "number", decimal_comma=comma, missing_words=words)
    return number_column(column, numbers, findings)


def _date(name: str, values: pa.ChunkedArray) -> TypedColumn:
    spelled = spell(as_labels(values)).without(MISSING_AMONG_VALUES + MISSING_EVERYWHERE)
    date_format = _format_of_most(spelled.spellings)
    single = [parse_dates(spelled.spellings.slice(position, 1), date_format) for position in range(len(spelled.spellings))]
    dates = np.array([np.datetime64("NaT") if each is None else each[0] for each in single] + [np.datetime64("NaT")],
                     dtype="datetime64[us]")[spelled.codes]
    _, findings = _unreadable(name, "date", spelled.spellings, spelled.codes, np.isnat(dates) & (spelled.codes >= 0))
    return date_column(name, dates, date_format, findings)


def _format_of_most(spellings: pa.StringArray) -> str | None:
    """The format that reads most of the spellings alone; None is ISO 8601."""
    read = [read_dates(spellings.slice(position, 1)) for position in range(min(len(spellings), 200))]
    formats = pd.Series([each.format or "" for each in read if each is not None], dtype="str")
    return formats.mode()[0] or None if len(formats) else None


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
