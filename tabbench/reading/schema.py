"""New rows made to fit the columns that a model was trained on: other order, other types, unseen categories, extra columns.

Nothing is learnt here. What does not fit is refused with a sentence or becomes missing with a note.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.errors import BadData, UnknownName
from tabbench.core.notation import DecimalHint
from tabbench.core.phrases import counted, first_few, shown
from tabbench.core.table import Column
from tabbench.reading.frames import as_labels, is_text
from tabbench.reading.labels import folded
from tabbench.reading.layout import PLAIN, Layout
from tabbench.reading.missing_words import (
    DASHES,
    MISSING_AMONG_TRUTH,
    MISSING_AMONG_VALUES,
    MISSING_EVERYWHERE,
    code_numbers,
)
from tabbench.reading.new_numbers import accepts_plain, read_new_numbers
from tabbench.reading.recognition import TRUTH_WORDS
from tabbench.reading.source import read_source
from tabbench.reading.text_dates import parse_dates
from tabbench.reading.typed_column import as_strings, category_type

MOST_UNREADABLE_SHARE = 0.05
"""A few unreadable cells are accidents and become missing; more mean that the column is another one."""
TRUTH = {word: meaning for pair in (*TRUTH_WORDS, ("0", "1"), ("0.0", "1.0")) for meaning, word in enumerate(pair)}
"""A column of yes and no keeps its meaning however a program that wrote the new rows spells it."""
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,15}(?:\.[0-9]+)?")
DATE_OF_DIGITS = re.compile(r"(?:1[5-9]|2[01])[0-9]{2}(?:[01][0-9][0-3][0-9])?")
"""Years and YYYYMMDD, which are numbers to most programs."""
ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, eq=False)
class NewRows:
    """Rows to predict: `features` in the order and dtypes of training, `raw` as they came, `notes` on what did not fit."""

    features: pd.DataFrame
    raw: pd.DataFrame
    notes: list[str]


def read_new_rows(source: Any, columns: Sequence[Column], layout: Layout = PLAIN) -> NewRows:
    """Read rows to predict. Row order and count are kept, so that a line of wrong length is an error.

    No rows are as good as any: whoever predicts every night what came in by day wants an empty answer for an empty day.

    Parameters
    ----------
    source : Any
        As for `read_source`.
    columns : Sequence[Column]
        That the model was trained on.
    layout : Layout
        How the rows lie in their file.

    Raises
    ------
    BadData
        Unreadable source, a column that is missing (with near names), occurs twice or is of another kind.
    """
    table = read_source(source, new_rows=True, layout=layout)
    wanted = {column.name for column in columns}
    twice = [name for name in table.ambiguous if name in wanted and f"{name} (2)" not in wanted]
    if twice:
        raise BadData(f"the new rows have the column {shown(min(twice))!r} twice with different content; keep the right one")
    raw = pd.DataFrame({name: _as_pandas(values) for name, values in table.columns.items()}, copy=False)
    features, notes = _conform(table.columns, columns, table.decimal_hint)
    if not len(raw):
        notes.append(f"{table.name} has no rows to predict")
    return NewRows(features, raw, notes)


def _conform(given: dict[str, pa.ChunkedArray], columns: Sequence[Column], hint: DecimalHint) -> tuple[pd.DataFrame, list[str]]:
    absent = [column.name for column in columns if column.name not in given]
    if absent:
        near = UnknownName.among("column", shown(absent[0]), [shown(each) for each in given])
        raise BadData(f"the new rows lack {counted(len(absent), 'column')} that the model was trained on ({first_few(absent)}): "
                      f"{near}")
    notes: list[str] = []
    wanted = {column.name for column in columns}
    extra = [name for name in given if name not in wanted]
    if extra:
        notes.append(f"{counted(len(extra), 'column')} not used: {first_few(extra)}")
    features = {column.name: pd.Series(conformed(given[column.name], column, notes, hint), copy=False) for column in columns}
    return pd.DataFrame(features, copy=False), notes


def conformed(values: pa.ChunkedArray, column: Column, notes: list[str],
              hint: DecimalHint = DecimalHint()) -> Any:  # noqa: B008
    """The values of one column of new rows, read as what the column was in training; what does not fit is told in `notes`, and
    `hint` says how their file writes decimals.

    Raises
    ------
    BadData
        They are of another kind.
    """
    fit = {"number": _numbers, "boolean": _booleans, "category": _categories, "text": _texts, "date": _dates}[column.kind]
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if values.null_count == len(values):  # the type of a column without values says nothing
        values = pa.chunked_array([pa.nulls(len(values), pa.string())])
    try:
        return fit(values, column, notes, hint)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadData(f"column {shown(column.name)!r} holds {values.type} values in the new rows that cannot be read as "
                      f"{column.kind}; correct it") from error


def _numbers(values: pa.ChunkedArray, column: Column, notes: list[str], hint: DecimalHint) -> np.ndarray:
    if pa.types.is_date(values.type) or pa.types.is_timestamp(values.type):
        raise BadData(f"column {shown(column.name)!r} holds dates in the new rows, numbers in training; correct it")
    if pa.types.is_duration(values.type):  # counts as seconds, as in training
        numbers = np.asarray(values.to_numpy()) / np.timedelta64(1, "s")
    elif (pa.types.is_primitive(values.type) and not pa.types.is_time(values.type)) or pa.types.is_decimal(values.type):
        numbers = np.asarray(values.cast(pa.float64(), safe=False).to_numpy())
        if not accepts_plain(column.notation) and (np.nan_to_num(numbers) != 0).any():
            first = int(np.flatnonzero(np.nan_to_num(numbers) != 0)[0])
            raise BadData(_other_notation(column, f"{numbers[first]:g}", first, "it has no unit"))
    else:
        numbers = _written_numbers(values, column, notes, hint)
    infinite = np.isinf(numbers)
    if infinite.any():
        notes.append(f"{shown(column.name)}: {counted(int(infinite.sum()), 'infinite number')} taken as missing")
    codes = code_numbers(column.missing_words) + [code for code in (column.missing_code,) if code is not None]
    return np.where(infinite | np.isin(numbers, codes), np.nan, numbers)


def _written_numbers(values: pa.ChunkedArray, column: Column, notes: list[str], hint: DecimalHint) -> np.ndarray:
    texts = _texts_of(values, MISSING_EVERYWHERE + column.missing_words, MISSING_AMONG_VALUES)
    distinct, codes = _distinct(texts)
    read = read_new_numbers(distinct, np.bincount(codes[codes >= 0], minlength=len(distinct)), column.notation, hint)
    if read.refused is not None:
        row = int(np.flatnonzero(codes == read.refused)[0])
        raise BadData(_other_notation(column, distinct[read.refused].as_py(), row, read.why))
    if len(read.converted):
        rows = int(np.isin(codes, read.converted).sum())
        notes.append(f"{shown(column.name)}: {counted(rows, 'cell')} such as {shown(distinct[int(read.converted[0])].as_py())!r} "
                     f"converted into {column.notation.unit}, the unit of training")
    if len(read.otherwise):
        first, rows = int(read.otherwise[0]), int(np.isin(codes, read.otherwise).sum())
        notes.append(f"{shown(column.name)}: {counted(rows, 'cell')} written otherwise than in training, such as "
                     f"{shown(distinct[first].as_py())!r}, read as {read.values[first]:g}")
    numbers: np.ndarray = np.append(read.values, np.nan)[codes]
    _note_unreadable(column, texts, np.isnan(numbers) & (codes >= 0), "number", notes)
    return numbers


def _other_notation(column: Column, spelling: str, row: int, why: str) -> str:
    example = column.notation.example
    trained = f"numbers written like {shown(example)!r}" if example else "plain numbers"
    return (f"column {shown(column.name)!r} holds {shown(spelling)!r} in row {row + 1:,} of the new rows, where training had "
            f"{trained}, and {why}; write it as in training")


def _booleans(values: pa.ChunkedArray, column: Column, notes: list[str], hint: DecimalHint) -> Any:
    if pa.types.is_boolean(values.type):
        return pd.BooleanDtype().__from_arrow__(values)
    texts = _texts_of(values, MISSING_EVERYWHERE, MISSING_AMONG_TRUTH)
    distinct, codes = _distinct(texts)
    known = np.array([TRUTH.get(word.casefold(), -1) for word in distinct.to_pylist()] + [-1])[codes]
    _note_unreadable(column, texts, (known < 0) & (codes >= 0), "/".join(column.levels or ("False", "True")), notes)
    return pd.BooleanDtype().__from_arrow__(pa.array(known == 1, mask=known < 0))


def _categories(values: pa.ChunkedArray, column: Column, notes: list[str], hint: DecimalHint) -> pd.Categorical:
    dashes = () if set(DASHES) & set(column.levels) else DASHES
    words = tuple(word for word in MISSING_EVERYWHERE + dashes if word not in column.levels) + column.missing_words
    distinct, codes = _distinct(_texts_of(values, words))
    position = {level: code for code, level in enumerate(column.levels)}
    unseen = [label for label in distinct.to_pylist() if label not in position]
    written_otherwise = _levels_written_otherwise(unseen, column)
    unseen = [label for label in unseen if label not in written_otherwise]
    alike = _levels_of_same_number(unseen, column.levels)
    if alike:
        first = next(iter(alike))
        notes.append(f"{shown(column.name)}: {counted(len(alike), 'category')} taken for the one of training that is the same "
                     f"number ({shown(first)} for {shown(alike[first])})")
    unseen = [label for label in unseen if label not in alike]
    # A label of words that were seen still says something, so it stays what it is.
    place = position | {label: len(position) + number for number, label in enumerate(unseen)}
    alike |= written_otherwise
    codes = np.array([place[alike.get(label, label)] for label in distinct.to_pylist()] + [-1], dtype=np.int64)[codes]
    if unseen:
        rows = int((codes >= len(position)).sum())
        notes.append(f"{shown(column.name)}: {counted(len(unseen), 'category')} not seen in training ({first_few(unseen, 3)}; "
                     f"{counted(rows, 'row')}) taken for rare ones")
    return pd.Categorical.from_codes(codes, dtype=category_type((*column.levels, *unseen)))


def _levels_written_otherwise(labels: list[str], column: Column) -> dict[str, str]:
    """The level that a label means in another case or with other blanks, where training took such labels for one."""
    level_of = {folded(level): level for level in column.levels} if column.merges_labels else {}
    return {label: level_of[folded(label)] for label in labels if folded(label) in level_of}


def _levels_of_same_number(labels: list[str], levels: Sequence[str]) -> dict[str, str]:
    """The level that a label means which a program took for a number on its way (01234 became 1234 or 1234.0), if only one can
    be meant."""
    if not any(PLAIN_NUMBER.fullmatch(label) for label in labels):
        return {}
    same = [(float(level), level) for level in levels if PLAIN_NUMBER.fullmatch(level)]
    counts = Counter(number for number, _ in same)
    level_of = {number: level for number, level in same if counts[number] == 1}
    return {label: level_of[float(label)] for label in labels if PLAIN_NUMBER.fullmatch(label) and float(label) in level_of}


def _texts(values: pa.ChunkedArray, column: Column, notes: list[str], hint: DecimalHint) -> Any:
    return as_strings(_texts_of(values, MISSING_EVERYWHERE + DASHES))


def _dates(values: pa.ChunkedArray, column: Column, notes: list[str], hint: DecimalHint) -> Any:
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        moments = pc.cast(values, pa.timestamp("us"), safe=False).to_numpy()
    else:
        texts = _texts_of(values, MISSING_EVERYWHERE, MISSING_AMONG_VALUES)
        distinct, codes = _distinct(texts)
        if not is_text(values.type) and not all(DATE_OF_DIGITS.fullmatch(each) for each in distinct.to_pylist()):
            raise BadData(f"column {shown(column.name)!r} holds {values.type} in the new rows, dates in training; correct it")
        moments = np.append(_readable_dates(distinct, column.date_format), np.datetime64("NaT"))[codes]
        _note_unreadable(column, texts, np.isnat(moments) & (codes >= 0), f"date ({column.date_format or 'YYYY-MM-DD'})", notes)
    return pd.array(moments.astype("datetime64[us]"), dtype="datetime64[us]")


def _readable_dates(spellings: pa.StringArray, date_format: str | None) -> np.ndarray:
    """The dates among the spellings, in the format of training or YYYY-MM-DD, which means one date only; NaT for the others."""
    at_once = parse_dates(spellings, date_format)
    if at_once is not None:
        return at_once
    is_iso = np.array([bool(ISO_DATE.match(each)) for each in spellings.to_pylist()])
    dates = np.full(len(spellings), np.datetime64("NaT"), dtype="datetime64[us]")
    for rows, each_format in ((np.flatnonzero(is_iso), None), (np.flatnonzero(~is_iso), date_format)):
        dates[rows] = _dates_one_by_one(spellings.take(pa.array(rows)), each_format)
    return dates


def _dates_one_by_one(spellings: pa.StringArray, date_format: str | None) -> np.ndarray:
    at_once = parse_dates(spellings, date_format)
    if at_once is not None:
        return at_once
    single = [parse_dates(spellings.slice(position, 1), date_format) for position in range(len(spellings))]
    return np.array([np.datetime64("NaT") if each is None else each[0] for each in single], dtype="datetime64[us]")


def _texts_of(values: pa.ChunkedArray, missing: tuple[str, ...], in_any_case: frozenset[str] = frozenset()
              ) -> pa.StringArray:
    """Trimmed spellings, null where missing; some words are so in any case.

    Whole numbers that a gap made floats are spelled as whole numbers.
    """
    texts = as_labels(values).cast(pa.string()).combine_chunks()
    trimmed = pc.utf8_trim_whitespace(texts)
    is_missing = pc.or_(pc.is_in(trimmed, pa.array(missing, pa.string())),
                        pc.is_in(pc.utf8_lower(trimmed), pa.array(sorted(in_any_case), pa.string())))
    return pc.if_else(is_missing, pa.scalar(None, pa.string()), trimmed)


def _distinct(texts: pa.StringArray) -> tuple[pa.StringArray, np.ndarray]:
    """Distinct spellings and each row's position among them, -1 where missing."""
    encoded = texts.dictionary_encode()
    return encoded.dictionary, pc.fill_null(encoded.indices, -1).to_numpy()


def _note_unreadable(column: Column, texts: pa.StringArray, unreadable: np.ndarray, wanted: str, notes: list[str]) -> None:
    rows = int(unreadable.sum())
    if not rows:
        return
    first = int(np.flatnonzero(unreadable)[0])
    where = f"{shown(texts[first].as_py())!r} in row {first + 1:,}"
    if rows > MOST_UNREADABLE_SHARE * (len(texts) - texts.null_count):
        raise BadData(f"column {shown(column.name)!r} is no {wanted} in {counted(rows, 'row')} of the new rows ({where}); "
                      f"correct it")
    notes.append(f"{shown(column.name)}: {counted(rows, 'cell')} that is no {wanted} ({where}) taken as missing")


def _as_pandas(values: pa.ChunkedArray) -> Any:
    return as_strings(values.combine_chunks()) if is_text(values.type) else values.to_pandas()
