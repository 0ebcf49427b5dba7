"""Turns X, as given to an estimator, into typed columns, and new rows into the columns of training.

Numbers stay numbers in any container; everything else is read as in a file. Knows no estimator and no target.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from tabbench.core.errors import BadData
from tabbench.core.given import GivenRows
from tabbench.core.table import Column
from tabbench.reading.frames import as_arrow
from tabbench.reading.new_numbers import accepts_plain
from tabbench.reading.recognition import recognise
from tabbench.reading.row_digest import row_digests, table_fingerprint
from tabbench.reading.schema import conformed

MOST_SPARSE_CELLS = 500_000_000
"""4 GB of float64, the most that a sparse matrix may become."""

Values: TypeAlias = Any
"""A column as given: float64 (n,) with NaN for missing, or an Arrow column of anything else."""


def is_frame(X: Any) -> bool:
    """Whether X is a pandas or polars frame."""
    return isinstance(X, pd.DataFrame) or (hasattr(X, "to_arrow") and hasattr(X, "columns"))


def given_rows(X: Any, y: Any = None) -> GivenRows:
    """Return X and y as they are: what is no pandas frame is held as one, and an array handed on as an array."""
    is_pandas = isinstance(X, pd.DataFrame)
    frame = X if is_pandas else X.to_pandas() if is_frame(X) else pd.DataFrame(X)
    return GivenRows(frame, None if y is None else _given_target(y, frame.index), is_array=not is_frame(X))


def _given_target(y: Any, index: pd.Index) -> pd.Series:
    if isinstance(y, pd.Series):
        return y.set_axis(index)
    values = y if hasattr(y, "dtype") else np.asarray(y)
    return pd.Series(np.ravel(values) if getattr(values, "ndim", 1) == 2 else values, index=index)


def dense(X: Any) -> np.ndarray:
    """Return the float64 values (n, p) of a sparse matrix.

    Raises
    ------
    BadData
        There are too many to hold.
    """
    if X.shape[0] * X.shape[1] > MOST_SPARSE_CELLS:
        raise BadData(f"X is a sparse matrix of {X.shape[0]:,} x {X.shape[1]:,}, more than the {MOST_SPARSE_CELLS:,} values that "
                      "can be read as columns; reduce it first, with SelectKBest or TruncatedSVD")
    return np.asarray(X.toarray(order="F"), dtype=np.float64 if X.dtype.kind != "c" else X.dtype)


def split_columns(X: Any) -> list[Values]:
    """Return the columns of a frame or an array (n, p).

    Raises
    ------
    ValueError
        X holds complex numbers.
    """
    if isinstance(X, pd.DataFrame):
        return [_from_series(X.iloc[:, position]) for position in range(X.shape[1])]
    if is_frame(X):
        return [_from_arrow(column) for column in X.to_arrow().columns]
    if X.dtype.kind in "iufb":
        return list(np.asarray(X, dtype=np.float64).T)
    return [_from_series(pd.Series(X[:, position], dtype=object)) for position in range(X.shape[1])]


def column_names(X: Any, n_columns: int) -> list[str]:
    """Return the frame's names of columns if they are distinct, else x0, x1, ..."""
    names = [str(name) for name in X.columns] if is_frame(X) else []
    return names if names and len(set(names)) == len(names) else [f"x{position}" for position in range(n_columns)]


def learn_columns(given: Sequence[Values], names: Sequence[str]) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """Type the training columns.

    Returns
    -------
    frame : DataFrame
        The typed columns, of shape (n, p).
    columns : tuple[Column, ...]
        What each column was recognized as.

    Raises
    ------
    BadData
        A number is infinite; the message names column and row.
    """
    typed = {name: _learnt(name, values) for name, values in zip(names, given, strict=True)}
    frame = pd.DataFrame({name: pd.Series(values, copy=False) for name, (values, _) in typed.items()}, copy=False)
    return frame, tuple(column for _, column in typed.values())


def fit_columns(given: Sequence[Values], columns: Sequence[Column]) -> pd.DataFrame:
    """Type new rows (m, p) as the training columns; labels that were not seen in training stay.

    Raises
    ------
    BadData
        A number is infinite, or values cannot be read as what the column was in training.
    """
    fitted = {column.name: pd.Series(_conformed(values, column), copy=False)
              for values, column in zip(given, columns, strict=True)}
    return pd.DataFrame(fitted, copy=False)


def tie_digests(features: pd.DataFrame, target: np.ndarray) -> np.ndarray:
    """Return uint64 digests (n,), equal if rows are equal in every feature and the target."""
    return row_digests([*(_codes(features[name]) for name in features), target])


def fingerprint(features: pd.DataFrame, columns: Sequence[Column], tie: np.ndarray,
                roles: Mapping[str, np.ndarray | None]) -> str:
    """Return the hex digest of the typed rows, given also by their `tie` digests, and of the arrays (n,) of the roles in use."""
    texts = [pa.array(features[column.name].dropna().unique(), pa.string()) for column in columns if column.kind == "text"]
    return table_fingerprint([column.to_json() for column in columns], {"tie": tie, **roles}, texts)


def _from_series(values: pd.Series) -> Values:
    if isinstance(values.dtype, pd.CategoricalDtype):
        return as_arrow(values)
    if pd.api.types.is_complex_dtype(values.dtype):
        raise ValueError("Complex data not supported")
    if pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype):
        return values.to_numpy(dtype=np.float64, na_value=np.nan)
    return _from_arrow(as_arrow(values))


def _from_arrow(values: pa.ChunkedArray) -> Values:
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type) or pa.types.is_null(values.type):
        return np.array(values.cast(pa.float64(), safe=False).to_numpy())
    return values


def _learnt(name: str, values: Values) -> tuple[Any, Column]:
    if isinstance(values, np.ndarray):
        column = Column(name, "number")
    else:
        typed = recognise(name, values)
        values, column = typed.values, typed.column
    if column.kind == "number":
        _require_finite(name, values)
    return values, column


def _conformed(values: Values, column: Column) -> Any:
    if isinstance(values, np.ndarray):
        _require_finite(column.name, values)
        if column.kind == "number" and accepts_plain(column.notation):
            return values
        values = pa.chunked_array([pa.array(values, from_pandas=True)])
    return conformed(values, column, [])


def _require_finite(name: str, values: np.ndarray) -> None:
    infinite = np.isinf(values)
    if infinite.any():
        raise BadData(f"Input X contains infinity in column {name!r}, row {int(infinite.argmax())} (the first row is 0); write a "
                      "finite number, or NaN where the value is missing")


def _codes(values: pd.Series) -> np.ndarray:
    """Return numbers (n,) that are equal if values are equal."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return np.asarray(values.cat.codes)
    if isinstance(values.dtype, pd.BooleanDtype):
        return np.asarray(values.to_numpy(dtype=np.int64, na_value=-1))
    if isinstance(values.dtype, np.dtype) and values.dtype.kind in "ifM":
        return np.asarray(values).view(np.int64) if values.dtype.kind == "M" else np.asarray(values)
    return np.asarray(pd.factorize(values)[0])
