"""New rows made to fit the columns that a model was trained on: other order, other types, unseen categories, extra columns.

Nothing is learnt here. What does not fit is refused with a sentence or becomes missing with a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from tabbench.core.errors import BadData, UnknownName
from tabbench.core.table import Column
from tabbench.data.missing_words import DASHES, MISSING_AMONG_VALUES, MISSING_EVERYWHERE
from tabbench.data.recognition import as_strings, category_type
from tabbench.data.source import frame_columns, read_source
from tabbench.data.text_dates import parse_dates
from tabbench.data.text_numbers import parse_numbers
from tabbench.data.wording import counted, listed, shown

MOST_UNREADABLE_SHARE = 0.05
"""A few unreadable cells are accidents and become missing; more mean that the column is another one."""


@dataclass(frozen=True, eq=False)
class NewRows:
    """Rows to predict: `features` in the order and dtypes of training, `raw` as they came, `notes` on what did not fit."""

    features: pd.DataFrame
    raw: pd.DataFrame
    notes: list[str]


def read_new_rows(source: Any, columns: Sequence[Column]) -> NewRows:
    """Read rows to predict. Row order and count are kept, so that a line of wrong length is an error.

    Raises
    ------
    BadData : unreadable source, a missing column (with near names), a column of another kind.
    """
    table = read_source(source, all_text=True, most_ragged_share=0.0)
    raw = pd.DataFrame({name: _as_pandas(values) for name, values in table.columns.items()}, copy=False)
    features, notes = _conform(table.columns, columns)
    return NewRows(features, raw, notes)


def conform(frame: pd.DataFrame, columns: Sequence[Column]) -> tuple[pd.DataFrame, list[str]]:
    """The features that `columns` describe, from a frame; and notes on what did not fit.

    Raises
    ------
    BadData : a missing column (with near names), a column of another kind.
    """
    return _conform(frame_columns(frame), columns)


def _conform(given: dict[str, pa.ChunkedArray], columns: Sequence[Column]) -> tuple[pd.DataFrame, list[str]]:
    absent = [column.name for column in columns if column.name not in given]
    if absent:
        near = UnknownName.among("column", shown(absent[0]), [shown(each) for each in given])
        raise BadData(f"the new rows lack {counted(len(absent), 'column')} that the model was trained on ({listed(absent)}): "
                      f"{near}")
    notes: list[str] = []
    wanted = {column.name for column in columns}
    extra = [name for name in given if name not in wanted]
    if extra:
        notes.append(f"{counted(len(extra), 'column')} not used: {listed(extra)}")
    features = {column.name: pd.Series(_fitted(given[column.name], column, notes), copy=False) for column in columns}
    return pd.DataFrame(features, copy=False), notes


def _fitted(values: pa.ChunkedArray, column: Column, notes: list[str]) -> Any:
    fit = {"number": _numbers, "boolean": _booleans, "category": _categories, "text": _texts, "date": _dates}[column.kind]
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    return fit(values, column, notes)


def _numbers(values: pa.ChunkedArray, column: Column, notes: list[str]) -> np.ndarray:
    if pa.types.is_temporal(values.type) and not pa.types.is_time(values.type):
        raise BadData(f"column {shown(column.name)!r} holds dates in the new rows, numbers in training; correct it")
    if pa.types.is_time(values.type) or _is_text(values):
        texts = _texts_of(values, MISSING_EVERYWHERE + MISSING_AMONG_VALUES + column.missing_words)
        distinct, codes = _distinct(texts)
        numbers = np.append(parse_numbers(distinct, column.decimal_comma), np.nan)[codes]
        _note_unreadable(column, texts, np.isnan(numbers) & (codes >= 0), "number", notes)
    else:
        numbers = np.asarray(values.cast(pa.float64(), safe=False).to_numpy())
    infinite = np.isinf(numbers)
    if infinite.any():
        notes.append(f"{shown(column.name)}: {counted(int(infinite.sum()), 'infinite number')} taken as missing")
    is_missing = infinite if column.missing_code is None else infinite | (numbers == column.missing_code)
    return np.where(is_missing, np.nan, numbers)


def _booleans(values: pa.ChunkedArray, column: Column, notes: list[str]) -> Any:
    if pa.types.is_boolean(values.type):
        return pd.BooleanDtype().__from_arrow__(values)
    no, yes = (word.casefold() for word in column.levels or ("false", "true"))
    texts = _texts_of(values, MISSING_EVERYWHERE + MISSING_AMONG_VALUES)
    distinct, codes = _distinct(texts)
    meaning = {no: 0, yes: 1} | ({} if column.levels else {"0": 0, "1": 1})
    known = np.array([meaning.get(word.casefold(), -1) for word in distinct.to_pylist()] + [-1])[codes]
    _note_unreadable(column, texts, (known < 0) & (codes >= 0), f"{no}/{yes}", notes)
    return pd.BooleanDtype().__from_arrow__(pa.array(known == 1, mask=known < 0))


def _categories(values: pa.ChunkedArray, column: Column, notes: list[str]) -> pd.Categorical:
    dashes = () if set(DASHES) & set(column.levels) else DASHES
    distinct, codes = _distinct(_texts_of(values, MISSING_EVERYWHERE + dashes))
    position = {level: code for code, level in enumerate(column.levels)}
    known = np.array([position.get(label, -1) for label in distinct.to_pylist()] + [-1], dtype=np.int64)
    unseen = [label for label in distinct.to_pylist() if label not in position]
    if unseen:
        rows = int(((known[codes] < 0) & (codes >= 0)).sum())
        notes.append(f"{shown(column.name)}: {counted(len(unseen), 'category')} not seen in training ({listed(unseen, 3)}; "
                     f"{counted(rows, 'row')}) taken as missing")
    return pd.Categorical.from_codes(known[codes], dtype=category_type(column.levels))


def _texts(values: pa.ChunkedArray, column: Column, notes: list[str]) -> Any:
    return as_strings(_texts_of(values, MISSING_EVERYWHERE + DASHES))


def _dates(values: pa.ChunkedArray, column: Column, notes: list[str]) -> Any:
    if pa.types.is_timestamp(values.type) or pa.types.is_date(values.type):
        moments = pc.cast(values, pa.timestamp("us"), safe=False).to_numpy()
    elif not _is_text(values):
        raise BadData(f"column {shown(column.name)!r} holds {values.type} in the new rows, dates in training; correct it")
    else:
        texts = _texts_of(values, MISSING_EVERYWHERE + MISSING_AMONG_VALUES)
        distinct, codes = _distinct(texts)
        moments = np.append(_readable_dates(distinct, column.date_format), np.datetime64("NaT"))[codes]
        _note_unreadable(column, texts, np.isnat(moments) & (codes >= 0), f"date ({column.date_format or 'YYYY-MM-DD'})", notes)
    return pd.array(moments.astype("datetime64[us]"), dtype="datetime64[us]")


def _readable_dates(spellings: pa.StringArray, date_format: str | None) -> np.ndarray:
    """The dates among the spellings; NaT for the others."""
    at_once = parse_dates(spellings, date_format)
    if at_once is not None:
        return at_once
    single = [parse_dates(spellings.slice(position, 1), date_format) for position in range(len(spellings))]
    return np.array([np.datetime64("NaT") if each is None else each[0] for each in single], dtype="datetime64[us]")


def _is_text(values: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(values.type) or pa.types.is_large_string(values.type) or pa.types.is_string_view(values.type))


def _texts_of(values: pa.ChunkedArray, missing: tuple[str, ...]) -> pa.StringArray:
    """Trimmed spellings, null where missing. Whole numbers that a gap made floats are spelled as whole numbers."""
    if pa.types.is_floating(values.type):
        whole = np.asarray(values.to_numpy())
        if (np.floor(whole) == whole)[~np.isnan(whole)].all():
            values = values.cast(pa.int64(), safe=False)
    texts = values.cast(pa.string()).combine_chunks()
    trimmed = pc.utf8_trim_whitespace(texts)
    return pc.if_else(pc.is_in(trimmed, pa.array(missing, pa.string())), pa.scalar(None, pa.string()), trimmed)


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
    return as_strings(values.combine_chunks()) if _is_text(values) else values.to_pandas()
