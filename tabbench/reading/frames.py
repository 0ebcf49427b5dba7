"""Columns of pandas and Arrow become the few Arrow types that are told apart later; what their maker declared is kept.

A category is a dictionary of strings, whatever its values were; intervals and ids are spelled out; a period is its start.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.phrases import shown
from tabbench.reading.typed_column import LARGEST_EXACT

FROM_LIBRARIES = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)
"""What Arrow raises for objects that are of no single type."""

DECLARED_TEXT = ("string", "string[pyarrow]", "string[python]")
PLAIN_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?")

FEWEST_ROWS_A_LABEL = 5
"""Numbers that come back less often on average are amounts."""


def as_arrow(values: pd.Series) -> pa.ChunkedArray:
    """A series as Arrow; objects of mixed types as their spellings."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return pa.chunked_array([_category(values.array)])
    if isinstance(values.dtype, pd.SparseDtype):
        values = values.sparse.to_dense()
    if isinstance(values.dtype, pd.PeriodDtype):
        values = values.dt.to_timestamp()
    try:
        array = pa.array(values, from_pandas=True)
    except FROM_LIBRARIES:
        array = _spelled(values)
    column = plain(array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array]))
    if is_declared_text(values.dtype) and are_numbers_as_labels(column.drop_null().unique().to_pylist(), len(column)):
        return column.dictionary_encode()
    return column


def plain(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """An Arrow column without extension types and with strings only in its dictionaries."""
    kind = values.type
    if isinstance(kind, pa.BaseExtensionType):
        as_pandas = pd.Series(values.to_pandas())
        is_period = isinstance(as_pandas.dtype, pd.PeriodDtype)
        return as_arrow(as_pandas) if is_period else pa.chunked_array([_spelled(as_pandas)])
    if pa.types.is_string_view(kind):
        return values.cast(pa.large_string())
    if pa.types.is_dictionary(kind) and not is_text(kind.value_type):
        return pa.chunked_array([_category(values.to_pandas().array)])
    return values


def as_pandas_declared(table: pa.Table) -> pa.Table:
    """A table as pandas wrote it, with its categories, which Parquet keeps for strings only, and its declared strings."""
    written = (table.schema.pandas_metadata or {}).get("columns", [])
    for about in written:
        name = about.get("field_name")
        if name not in table.column_names or table.column_names.count(name) > 1:
            continue
        place, values = table.column_names.index(name), table[name]
        if about.get("pandas_type") == "categorical" and not pa.types.is_dictionary(values.type):
            table = table.set_column(place, name, plain(values.dictionary_encode()))
        elif about.get("numpy_type") in DECLARED_TEXT and is_text(values.type):
            table = table.set_column(place, name, as_arrow(pd.Series(values.to_pandas(), dtype="string")))
    return table


def as_labels(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column of anything as strings, spelled as in a text file: whole numbers without a point, days as YYYY-MM-DD."""
    kind = values.type
    if is_text(kind) or (pa.types.is_dictionary(kind) and is_text(kind.value_type)):
        return values
    if pa.types.is_floating(kind):
        numbers = np.asarray(values.drop_null().to_numpy()).astype(np.float64)
        is_whole = bool(((np.floor(numbers) == numbers) & (np.abs(numbers) < LARGEST_EXACT)).all())
        return (values.cast(pa.int64()) if is_whole else values).cast(pa.string())
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind) or pa.types.is_duration(kind):
        return pa.chunked_array([_spelled(pd.Series(values.to_pandas()).astype("category").cat.rename_categories(
            lambda each: str(each).removesuffix(" 00:00:00")))])
    if pa.types.is_nested(kind) or pa.types.is_boolean(kind):  # Python's spelling
        return pa.chunked_array([pa.array([None if each is None else str(each) for each in values.to_pylist()], pa.string())])
    return values.cast(pa.string())


def require_sound(table: pa.Table) -> None:
    """Refuse what would make Arrow read outside its memory: offsets and positions that lie.

    Raises
    ------
    pyarrow.ArrowInvalid
        Names the column.
    """
    for name, values in zip(table.column_names, table.columns, strict=True):
        try:
            values.validate(full=True)
        except pa.ArrowInvalid as error:
            raise pa.ArrowInvalid(f"column {shown(name)}: {str(error).splitlines()[0]}") from error


def joined(parts: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Parts of one column; where their types don't go together, as they are spelled. What is a category in one stays one."""
    if not any(pa.types.is_dictionary(part.type) for part in parts):
        try:
            return pa.concat_tables([pa.table({"column": part}) for part in parts], promote_options="permissive")["column"]
        except (pa.ArrowTypeError, pa.ArrowInvalid):
            return _one_column([as_labels(part) for part in parts])
    return _one_column([as_labels(part) for part in parts]).dictionary_encode()


def _one_column(parts: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    return pa.chunked_array([chunk for part in parts for chunk in part.cast(pa.string()).chunks], pa.string())


def is_text(kind: pa.DataType) -> bool:
    """Whether values of this Arrow type are strings."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def is_declared_text(dtype: Any) -> bool:
    """Whether a pandas dtype is one that somebody chose for text, as opposed to what any text gets.

    >>> is_declared_text(pd.StringDtype()), is_declared_text(pd.Series(["a"]).dtype)
    (True, False)
    """
    if isinstance(dtype, pd.StringDtype):
        return dtype.na_value is pd.NA
    return isinstance(dtype, pd.ArrowDtype) and is_text(dtype.pyarrow_dtype)


def are_numbers_as_labels(texts: Iterable[Any], rows: int) -> bool:
    """Whether distinct strings are plain numbers, which any program would have made numbers of unless somebody wanted labels, and
    come back as labels do in so many rows.

    >>> are_numbers_as_labels(["1", "2"], 20), are_numbers_as_labels(["1.05", "$2"], 20), are_numbers_as_labels(["1", "2"], 4)
    (True, False, False)
    """
    distinct = list(texts)
    return 0 < len(distinct) * FEWEST_ROWS_A_LABEL <= rows and all(PLAIN_NUMBER.fullmatch(each) for each in distinct)


def _category(values: pd.Categorical) -> pa.DictionaryArray:
    codes, levels = pd.factorize(pd.Index(_labels(values.categories), dtype=object))
    levels_of = np.append(codes, -1)[values.codes].astype(np.int32)
    return pa.DictionaryArray.from_arrays(pa.array(levels_of, mask=levels_of < 0), pa.array(levels, pa.string()))


def _labels(categories: pd.Index) -> Sequence[str]:
    """Spelled as in a text file: whole numbers without a point, which a gap may have given them."""
    if pd.api.types.is_float_dtype(categories.dtype):
        numbers = categories.to_numpy(dtype=np.float64)
        if (np.isfinite(numbers) & (numbers == np.floor(numbers))).all():
            return [str(int(number)) for number in numbers]
    return [str(category) for category in categories.astype(str)]


def _spelled(values: pd.Series) -> pa.Array:
    missing = values.isna().to_numpy()
    return pa.array([None if is_missing else str(value) for value, is_missing in zip(values, missing, strict=True)], pa.string())
