"""The table as given, once it is read: typed columns, a target, roles, a fingerprint. Never modified.

Reading files and recognizing types is the work of `reading/`; here is only the shape of the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from tabbench.core.finding import Finding
from tabbench.core.notation import Notation

ColumnKind = Literal["number", "boolean", "category", "text", "date"]
DeclaredKind = Literal["category", "number", "text", "date"]
"""What a user may say that a column is."""


@dataclass(frozen=True)
class Column:
    """One feature column and how it was recognized.

    Parameters
    ----------
    name : str
        Name of the column.
    kind : {"number", "boolean", "category", "text", "date"}
        "number" is int64 or float64 (NaN is missing), "boolean" pandas' nullable boolean, "category" a pandas category of
        strings, "text" a string column of high cardinality, "date" datetime64[us] without time zone.
    levels : tuple[str, ...], default ()
        Spellings of a category in order, or the spellings of false and true of a boolean that is written in words.
    date_format : str | None, default None
        Format by which a date was parsed, as for strptime, if one was needed.
    notation : Notation, default Notation()
        How its numbers are written.
    missing_code : float | None, default None
        Number that stands for a missing value (-999), if there is one.
    missing_words : tuple[str, ...], default ()
        Words that stand for a missing value in this column, besides the usual ones.
    merges_labels : bool, default False
        Whether labels that differ only in case, blanks or a final full stop are one.
    """

    name: str
    kind: ColumnKind
    levels: tuple[str, ...] = ()
    date_format: str | None = None
    notation: Notation = Notation()
    missing_code: float | None = None
    missing_words: tuple[str, ...] = ()
    merges_labels: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return plain values, which `from_json` reads."""
        return {"name": self.name, "kind": self.kind, "levels": list(self.levels),
                "date_format": self.date_format, "notation": self.notation.to_json(), "missing_code": self.missing_code,
                "missing_words": list(self.missing_words), "merges_labels": self.merges_labels}

    @property
    def decimal_comma(self) -> bool:
        """Whether numbers are written with a decimal comma."""
        return self.notation.decimal == ","

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Column:
        """Read what `to_json` wrote, also the one of model format 1, which knew no unit."""
        facts = dict(values)
        if "decimal_comma" in facts:
            facts["notation"] = Notation("," if facts.pop("decimal_comma") else ".", unit=None)
        else:
            facts["notation"] = Notation(**facts["notation"])
        return cls(**{**facts, "levels": tuple(facts["levels"]), "missing_words": tuple(facts["missing_words"])})


@dataclass(frozen=True)
class ColumnReading:
    """How one column was read, for a person to check.

    Parameters
    ----------
    name : str
        Name of the column.
    role : str
        "feature", "target", "group", "time", "weight", "fold" or "left out".
    kind : {"number", "boolean", "category", "text", "date"}
        What it was read as.
    examples : tuple[tuple[str, str], ...]
        A few different cells, as written and as read; "missing" is what no value was read from.
    missing : int
        Rows without a value.
    note : str
        What was noticed, empty if nothing was.
    is_doubtful : bool
        Whether somebody should look at it.
    histogram : tuple[int, ...]
        Rows by value, of a sample: in intervals of equal width, or by label, the most frequent first; empty for text.
    """

    name: str
    role: str
    kind: ColumnKind
    examples: tuple[tuple[str, str], ...]
    missing: int
    note: str = ""
    is_doubtful: bool = False
    histogram: tuple[int, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values, which `from_json` reads."""
        return {"name": self.name, "role": self.role, "kind": self.kind, "examples": [list(pair) for pair in self.examples],
                "missing": self.missing, "note": self.note, "is_doubtful": self.is_doubtful, "histogram": list(self.histogram)}

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> ColumnReading:
        """Read what `to_json` wrote."""
        examples = tuple((written, read) for written, read in values["examples"])
        return cls(**{**values, "examples": examples, "histogram": tuple(values["histogram"])})


FEWEST_COLUMNS_OF_A_BLOCK = 64
"""From so many columns on, those of one type lie together in memory: what is done to a frame costs by block, not by cell."""


@dataclass(frozen=True, eq=False)
class Table:
    """Typed features, the target and the roles of n usable rows.

    Parameters
    ----------
    name : str
        Short name for titles and folders.
    features : DataFrame
        Of shape (n, p), with a RangeIndex and unique names of columns; dtypes as in `Column`.
    columns : tuple[Column, ...]
        The columns, in the order of `features`.
    target : Series
        Of shape (n,), no missing values: float64 for numbers, else strings as spelled in the file, trimmed.
    target_name : str
        Name of the target's column.
    target_is_integer : bool
        Whether all numbers of the target are integers, which matters for inferring the task.
    rows : ndarray
        Int64 of shape (n,), position of each row in the file as given, from 0.
    tie : ndarray
        Uint64 of shape (n,), digests of the rows: equal if rows are equal in every feature and the target.
    fingerprint : str
        Hex digest of the content: features, target and roles.
    group, time, weight, fold : ndarray | None, default None
        Of shape (n,). Group and fold hold codes from 0, time int64 or float64 values that sort in time.
    test : ndarray | None, default None
        Boolean array of shape (n,), true for rows of the user's test file.
    roles : dict[str, str]
        Names of columns by role, for the roles in use ("group": "patient").
    reading : tuple[str, ...], default ()
        How the file was understood, line by line.
    columns_read : tuple[ColumnReading, ...], default ()
        How each column was read: target, features, and what was left out.
    findings : tuple[Finding, ...], default ()
        What was noticed while reading.
    identifiers : dict[str, Series]
        By name, columns of shape (n,) that only identify rows and are no features; used by the checks alone.
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
    columns_read: tuple[ColumnReading, ...] = ()
    findings: tuple[Finding, ...] = ()
    identifiers: dict[str, pd.Series] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.target)
