"""A column that was recognised: its values, their codes and what was noticed, by the few kinds that there are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.finding import Finding
from tabbench.core.notation import Notation
from tabbench.core.table import Column

BLOCK_CELLS = 1 << 21
LARGEST_EXACT = 2**53
"""Above it float64 rounds whole numbers."""


@dataclass(frozen=True, eq=False)
class TypedColumn:
    """A recognised column.

    `values` is a numpy or pandas array (n,) with the dtype that `Column` promises; `codes` (n,) numbers equal where values are
    equal, to be hashed; `distinct` are the labels of a category or text in order of appearance, None for the other kinds; `head`
    are the first cells as they were written, None where empty; `extent` are the smallest and the largest of numbers, NaN of none.
    """

    column: Column
    values: Any
    codes: np.ndarray
    missing: int
    distinct: pa.StringArray | None = None
    findings: tuple[Finding, ...] = ()
    head: tuple[str | None, ...] = ()
    extent: tuple[float, float] = (math.nan, math.nan)

    def __len__(self) -> int:
        return len(self.codes)

    def take(self, rows: np.ndarray) -> TypedColumn:
        """These rows, in order."""
        values = self.values[rows]
        head = tuple(self.head[row] for row in rows[:len(self.head)] if row < len(self.head))
        extent = extent_of(values) if self.column.kind == "number" else self.extent
        return replace(self, head=head, values=values, codes=self.codes[rows], missing=int(pd.isna(values).sum()), extent=extent)


def extent_of(numbers: np.ndarray) -> tuple[float, float]:
    """The smallest and the largest number, missing ones apart."""
    return (np.fmin.reduce(numbers).item(), np.fmax.reduce(numbers).item()) if len(numbers) else (math.nan, math.nan)


def number_column(column: Column, numbers: np.ndarray, findings: tuple[Finding, ...] = ()) -> TypedColumn:
    """A column of float64 or int64 numbers (n,); infinite ones are kept."""
    if not numbers.flags.writeable:
        numbers = numbers.copy()  # Arrow's own memory, which libraries that want to write refuse
    numbers = numbers.astype(np.int64 if numbers.dtype == np.int64 else np.float64, copy=False)
    low, high = extent_of(numbers)
    column = replace(column, notation=replace(column.notation, is_fraction=low >= -1 and high <= 1))
    missing = 0 if numbers.dtype == np.int64 else int(np.isnan(numbers).sum())
    return TypedColumn(column, numbers, numbers, missing, findings=findings, extent=(low, high))


def plain_number_columns(columns: Mapping[str, pa.ChunkedArray]) -> dict[str, TypedColumn]:
    """Those of the columns that are plain float64 or int64 to Arrow, all finite and not too long, typed together."""
    typed: dict[str, TypedColumn] = {}
    decimal: Literal[".", ""]
    for kind, decimal in ((pa.float64(), "."), (pa.int64(), "")):
        has_gaps = kind == pa.float64()
        names = [name for name, values in columns.items() if values.type == kind and (has_gaps or not values.null_count)]
        step = max(1, BLOCK_CELLS // max(1, len(columns[names[0]]))) if names else 1
        for start in range(0, len(names), step):
            group = names[start:start + step]
            typed |= _typed_together(group, np.stack([columns[name].to_numpy() for name in group]), decimal)
    return typed


def _typed_together(names: Sequence[str], numbers: np.ndarray, decimal: Literal[".", ""]) -> dict[str, TypedColumn]:
    """The columns (p, n) of numbers; those with infinite or too long ones are left to whoever looks at a column alone."""
    high, low = np.fmax.reduce(numbers, axis=1), np.fmin.reduce(numbers, axis=1)
    missing = np.isnan(numbers).sum(axis=1)
    is_plain = (np.maximum(high, -low) < np.inf) & ((np.maximum(high, -low) <= LARGEST_EXACT) | (decimal == "."))
    is_fraction = (high <= 1) & (low >= -1)
    notations = {each: Notation(decimal, is_fraction=each) for each in (False, True)}
    extents = zip(low.tolist(), high.tolist(), strict=True)
    return {name: TypedColumn(Column(name, "number", notation=notations[bool(fraction)]), values, values, int(gaps),
                              extent=extent)
            for name, values, plain, fraction, gaps, extent in zip(names, numbers, is_plain, is_fraction, missing, extents,
                                                                   strict=True) if plain}


def boolean_column(name: str, values: pa.BooleanArray, levels: tuple[str, ...], findings: tuple[Finding, ...] = ()
                   ) -> TypedColumn:
    """A column of yes and no; `levels` are the words for no and yes, if it is written in words."""
    array = pd.BooleanDtype().__from_arrow__(values)
    codes = np.where(np.asarray(array.isna()), -1, array.to_numpy(dtype=np.int64, na_value=0))
    return TypedColumn(Column(name, "boolean", levels), array, codes, values.null_count, findings=findings)


def date_column(name: str, values: np.ndarray, date_format: str | None, findings: tuple[Finding, ...] = ()) -> TypedColumn:
    """A column of dates (n,) without zone."""
    values = values.astype("datetime64[us]")
    return TypedColumn(Column(name, "date", date_format=date_format), pd.array(values, dtype="datetime64[us]"),
                       values.view(np.int64), int(np.isnat(values).sum()), findings=findings)


def category_type(levels: tuple[str, ...]) -> pd.CategoricalDtype:
    """The dtype of a category with these levels."""
    return pd.CategoricalDtype(pd.Index(levels, dtype="str"))


def as_strings(values: pa.Array) -> Any:
    """An Arrow column of text as pandas' own string array, NaN where missing."""
    return pd.StringDtype("pyarrow", na_value=np.nan).__from_arrow__(values.cast(pa.large_string()))
