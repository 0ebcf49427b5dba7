"""The table as given, once it is read: typed columns, a target, roles, a fingerprint. Never modified.

Reading files and recognising types is `data/`'s work; here is only the result's shape.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from tabbench.core.finding import Finding

ColumnKind = Literal["number", "boolean", "category", "text", "date"]


@dataclass(frozen=True)
class Column:
    """One feature column and how it is understood.

    `number` is int64 or float64 (NaN is missing), `boolean` is pandas' nullable boolean, `category` is a
    pandas category of strings, `text` is a string column of high cardinality, `date` is datetime64[us] without zone.
    `levels` are a category's spellings in order, or the two spellings (false, true) of a boolean that was
    written in words. `date_format` is the strptime format a date was read by, when one was needed. `missing_code` is
    the number that stands for a missing value (-999), when there is one; `missing_words` do so in a column of numbers.
    """

    name: str
    kind: ColumnKind
    levels: tuple[str, ...] = ()
    date_format: str | None = None
    decimal_comma: bool = False
    missing_code: float | None = None
    missing_words: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Plain values; `from_json` gives the same column back."""
        return {"name": self.name, "kind": self.kind, "levels": list(self.levels),
                "date_format": self.date_format, "decimal_comma": self.decimal_comma, "missing_code": self.missing_code,
                "missing_words": list(self.missing_words)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Column:
        """The column that `to_json` wrote."""
        return cls(**{**values, "levels": tuple(values["levels"]), "missing_words": tuple(values["missing_words"])})


@dataclass(frozen=True, eq=False)
class Table:
    """Typed features, the target and the roles of n usable rows.

    Parameters
    ----------
    name : str
        Short name for titles and folders.
    features : DataFrame
        Frame (n, p) with a RangeIndex and unique string column names; dtypes as in `Column`.
    columns : tuple[Column, ...]
        One `Column` a feature, in the frame's order.
    target : Series
        Series (n,), no missing values: float64 for numbers, else strings as spelled in the file (trimmed).
    target_is_integer : bool
        The target's numbers are whole (the task rule needs it).
    group, time, weight, fold : ndarray | None
        Arrays (n,) or None. Group and fold hold codes from 0, time is int64 or float64 that sorts in time.
    test : ndarray | None, default None
        Boolean array (n,), true for rows that came from the user's own test file, or None.
    rows : ndarray
        int64 (n,), each row's position in the file as given, from 0.
    fingerprint : str
        Hex digest of the content (features, target, roles).
    reading : tuple[str, ...]
        The short block that says how the file was understood, line by line.
    findings : tuple[Finding, ...]
        What reading noticed.
    tie : ndarray
        uint64 (n,), row digests: equal where rows are equal in every feature and the target.
    roles : dict[str, str]
        Role -> column name, for the roles in use ("group": "patient").
    identifiers : dict[str, Series]
        name -> values (n,) of the columns that name rows and are no features; the checks alone look at them.
    """

    name: str
    features: pd.DataFrame
    columns: tuple[Column, ...]
    target: pd.Series
    target_name: str
    target_is_integer: bool
    rows: np.ndarray
    tie: np.ndarray
    fingerprint: str
    group: np.ndarray | None = None
    time: np.ndarray | None = None
    weight: np.ndarray | None = None
    fold: np.ndarray | None = None
    test: np.ndarray | None = None
    roles: dict[str, str] = field(default_factory=dict)
    reading: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    identifiers: dict[str, pd.Series] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.target)
