"""The raw view: the typed frame as it is, its columns in training order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd

from tabbench.core.approach import ViewName
from tabbench.core.parts import Parts
from tabbench.core.table import Column


@dataclass(frozen=True)
class RawView:
    """Passes the frame on."""

    name: ClassVar[ViewName] = "raw"
    columns: tuple[str, ...]

    @classmethod
    def fit(cls, features: pd.DataFrame, columns: tuple[Column, ...], seed: int) -> RawView:
        """Nothing to learn but the order of the columns."""
        return cls(tuple(column.name for column in columns))

    def transform(self, features: pd.DataFrame) -> pd.DataFrame:
        """A frame of its own: pandas copies a column when it is written to, so whoever does so leaves the table as it is."""
        return features[list(self.columns)]

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        return Parts(values={"view": self.name, "columns": list(self.columns)})

    @classmethod
    def restore(cls, parts: Parts) -> RawView:
        """From `to_parts`."""
        return cls(tuple(parts.values["columns"]))
