"""Frames of any library that narwhals knows (polars, pyarrow, DuckDB, Modin, cuDF), and arrays, as pandas frames and back.

A command, which reads files, starts without narwhals and SciPy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa


def is_foreign_frame(data: Any) -> bool:
    """Return whether data is a frame of another library than pandas, also a lazy one or a relation of a database.

    >>> is_foreign_frame(pa.table({"a": [1]})), is_foreign_frame(pd.DataFrame({"a": [1]})), is_foreign_frame([[1]])
    (True, False, False)
    """
    if isinstance(data, pd.DataFrame):
        return False
    import narwhals as nw

    return isinstance(nw.from_native(data, pass_through=True), nw.DataFrame | nw.LazyFrame)


def as_arrow_table(data: Any) -> pa.Table:
    """Return a frame of another library as an Arrow table."""
    import narwhals as nw

    known = nw.from_native(data)
    return (known.collect() if isinstance(known, nw.LazyFrame) else known).to_arrow()


def as_frame(data: Any) -> pd.DataFrame:
    """Return a frame, a series or an array (n, p) or (n,) as a pandas frame; an array's columns are x0, x1, ...

    >>> as_frame([[1, 2], [3, 4]]).columns.tolist(), as_frame(pa.table({"a": [1]}))["a"].tolist()
    (['x0', 'x1'], [1])
    """
    if isinstance(data, pd.DataFrame):
        return data
    if is_foreign_frame(data):
        return as_arrow_table(data).to_pandas()
    import narwhals as nw
    from scipy.sparse import issparse

    series = nw.from_native(data, allow_series=True, pass_through=True)
    if isinstance(series, nw.Series):
        return pd.DataFrame({"x0": series.to_pandas()})
    values = np.asarray(data.toarray() if issparse(data) else data)
    values = values[:, None] if values.ndim == 1 else values
    return pd.DataFrame(values, columns=[f"x{column}" for column in range(values.shape[1])])


def columns_of(data: Any, positions: list[int]) -> Any:
    """Return columns of a frame of another library, as an eager frame of its kind; of a database's relation as an Arrow table.

    >>> columns_of(pa.table({"a": [1], "b": [2]}), [1]).column_names
    ['b']
    """
    import narwhals as nw

    known = nw.from_native(data)
    return (known.collect() if isinstance(known, nw.LazyFrame) else known)[:, positions].to_native()


def in_kind(frame: pd.DataFrame, like: Any) -> Any:
    """Return a pandas frame as a frame of the library that `like` comes from: eager, and as an Arrow table for a database's.

    >>> type(in_kind(pd.DataFrame({"a": [1]}), pa.table({"b": [2]}))).__module__
    'pyarrow.lib'
    """
    if not is_foreign_frame(like):
        return frame
    import narwhals as nw

    table = pa.Table.from_pandas(frame, preserve_index=False)
    known = nw.from_native(like)
    if known.implementation.is_duckdb():
        return table
    return nw.from_arrow(table, backend=known.implementation).to_native()
