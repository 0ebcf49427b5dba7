"""What the prepared views have in common: every column as numbers or as category codes.

Numbers, booleans, dates and text become float64 columns with NaN for missing; categories become codes. Scaling, one-hot
columns and data types are each view's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.parts import Parts
from tabbench.core.table import Column
from tabbench.data.views.dates import date_parts, part_names
from tabbench.data.views.levels import Levels
from tabbench.data.views.text import TextComponents

LARGEST = 1e300
"""Numbers beyond it, infinite ones included, count as this: room for differences and quotients in float64."""


@dataclass(frozen=True, eq=False)
class Expanded:
    """Rows as numbers (n, p) and codes (n, q)."""

    numbers: np.ndarray
    codes: np.ndarray


@dataclass(frozen=True, eq=False)
class Expansion:
    """Fitted on training rows.

    `number_names` and `is_boolean` describe the p number columns, `code_names` the q code columns, whose levels are
    `levels`, in the same order.
    """

    columns: tuple[Column, ...]
    dates: dict[str, tuple[str, ...]]
    texts: dict[str, TextComponents]
    levels: dict[str, Levels]

    @classmethod
    def fit(cls, features: pd.DataFrame, columns: tuple[Column, ...], seed: int,
            fewest_rows: int, most_levels: int) -> Expansion:
        """Learn date parts, text directions and levels; see `Levels.fit` for the two limits."""
        names = {kind: [column.name for column in columns if column.kind == kind] for kind in ("date", "text", "category")}
        return cls(
            columns,
            {name: part_names(features[name]) for name in names["date"]},
            {name: TextComponents.fit(features[name], seed) for name in names["text"]},
            {name: Levels.fit(features[name], fewest_rows, most_levels) for name in names["category"]})

    @property
    def number_names(self) -> tuple[str, ...]:
        """Names of the number columns: `date year`, `text 3` for what was made of one column."""
        return tuple(name for column in self.columns for name in self._names_of(column))

    @property
    def is_boolean(self) -> np.ndarray:
        """Which number columns hold 0 and 1 only."""
        return np.array([column.kind == "boolean" for column in self.columns for _ in self._names_of(column)], dtype=bool)

    @property
    def code_names(self) -> tuple[str, ...]:
        """Names of the code columns."""
        return tuple(self.levels)

    def expand(self, features: pd.DataFrame) -> Expanded:
        """Numbers float64 with NaN for missing, codes int64 with -1 for missing."""
        numbers = np.empty((len(features), len(self.number_names)))
        start, plain = 0, []
        for column in self.columns:
            width = len(self._names_of(column))
            if column.kind == "number":
                plain.append((start, column.name))
            elif width:
                numbers[:, start:start + width] = self._numbers(column, features[column.name])
            start += width
        if plain:  # all at once: a frame of a thousand columns is slow to walk through
            numbers[:, [place for place, _ in plain]] = features[[name for _, name in plain]].to_numpy(dtype=np.float64)
        np.clip(numbers, -LARGEST, LARGEST, out=numbers)
        codes = np.empty((len(features), len(self.levels)), dtype=np.int64)
        for position, (name, levels) in enumerate(self.levels.items()):
            codes[:, position] = levels.codes(features[name])
        return Expanded(numbers, codes)

    def _names_of(self, column: Column) -> tuple[str, ...]:
        if column.kind == "category":
            return ()
        if column.kind == "date":
            return tuple(f"{column.name} {part}" for part in self.dates[column.name])
        if column.kind == "text":
            return tuple(f"{column.name} {i + 1}" for i in range(self.texts[column.name].directions.shape[1]))
        return (column.name,)

    def _numbers(self, column: Column, values: pd.Series) -> np.ndarray:
        if column.kind == "date":
            return date_parts(values, self.dates[column.name])
        if column.kind == "text":
            return self.texts[column.name].transform(values)
        numbers: np.ndarray = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers[:, None]

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        values: dict[str, Any] = {
            "columns": [column.to_json() for column in self.columns],
            "dates": {name: list(parts) for name, parts in self.dates.items()},
            "levels": {name: levels.to_json() for name, levels in self.levels.items()}}
        texts = {f"text{i}": Parts({"column": name}, {"rarity": text.rarity, "directions": text.directions})
                 for i, (name, text) in enumerate(self.texts.items())}
        return Parts(values, children=texts)

    @classmethod
    def restore(cls, parts: Parts) -> Expansion:
        """From `to_parts`."""
        # By column, not by the order of the stored children, which a file need not keep.
        columns = tuple(Column.from_json(column) for column in parts.values["columns"])
        texts = {child.values["column"]: TextComponents(child.arrays["rarity"], child.arrays["directions"])
                 for child in parts.children.values()}
        order = [column.name for column in columns]
        levels = parts.values["levels"]
        return cls(columns, {name: tuple(names) for name, names in parts.values["dates"].items()}, texts,
                   {name: Levels.from_json(levels[name]) for name in order if name in levels})
