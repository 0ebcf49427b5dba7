"""What the prepared views have in common: every column as numbers or as category codes.

Numbers, booleans, dates and text become float64 columns with NaN for missing; categories become codes. Scaling, one-hot
columns and data types are each view's own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd

from tabbench.core.parts import Parts
from tabbench.core.table import Column
from tabbench.views.dates import date_parts, part_names
from tabbench.views.levels import Levels
from tabbench.views.text import WORD, FrequentWords, TextComponents

LARGEST = 1e300
"""Numbers beyond it, infinite ones included, count as this: room for differences and quotients in float64."""
BLOCK_CELLS = 1 << 21
"""Cells that are worked on at a time, 16 MB of float64: what comes and goes on the way to a view stays small beside it."""


FEWEST_WORDY_LEVELS, FEWEST_WORDS = 40, 2.0
"""A category with so many levels of so many words on average (job titles, product names) also counts as text: its levels have
words in common, which tell about the rare ones. Root mean squared error of boosted trees on salaries: a tenth less."""
SHARING_LEVELS = 0.1
"""So many of the levels have to share a word with some other level, not with all: those of "level 1", "level 2" share none."""


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
    words: dict[str, FrequentWords]

    @classmethod
    def fit(cls, features: pd.DataFrame, columns: tuple[Column, ...], seed: int,
            fewest_rows: int, most_levels: int) -> Expansion:
        """Learn date parts, text directions, words and levels; see `Levels.fit` for the two limits."""
        names = {kind: [column.name for column in columns if column.kind == kind] for kind in ("date", "text", "category")}
        wordy = [name for name in names["category"] if _is_wordy(features[name])]
        return cls(
            columns,
            {name: part_names(features[name]) for name in names["date"]},
            {name: TextComponents.fit(features[name], seed) for name in [*names["text"], *wordy]},
            {name: Levels.fit(features[name], fewest_rows, most_levels) for name in names["category"]},
            {name: FrequentWords.fit(features[name]) for name in [*names["text"], *wordy]})

    @cached_property
    def number_names(self) -> tuple[str, ...]:
        """Names of the number columns: `date year`, `text 3` for what was made of one column."""
        return tuple(name for column in self.columns for name in self.names_of(column))

    @cached_property
    def is_boolean(self) -> np.ndarray:
        """Which number columns hold 0 and 1 only."""
        return np.array([column.kind == "boolean" for column in self.columns for _ in self.names_of(column)], dtype=bool)

    @property
    def code_names(self) -> tuple[str, ...]:
        """Names of the code columns."""
        return tuple(self.levels)

    def expand(self, features: pd.DataFrame) -> Expanded:
        """Numbers float64 with NaN for missing, codes int64 with -1 for missing."""
        numbers = np.empty((len(features), len(self.number_names)))
        for places, values in self.number_columns(features):
            numbers[:, places] = values
        return Expanded(numbers, self._codes(features))

    def row_blocks(self, features: pd.DataFrame) -> Iterator[tuple[slice, Expanded]]:
        """The rows expanded block by block, with their positions."""
        step = max(1, BLOCK_CELLS // max(1, len(self.number_names) + len(self.levels)))
        texts = self._read_texts(features)  # their cost is by distinct text
        for start in range(0, len(features), step):
            rows = slice(start, min(start + step, len(features)))
            block = features.iloc[rows]
            numbers = np.empty((len(block), len(self.number_names)))
            for places, values in self._number_columns(block, {name: text[rows] for name, text in texts.items()}):
                numbers[:, places] = values
            yield rows, Expanded(numbers, self._codes(block))

    def number_columns(self, features: pd.DataFrame) -> Iterator[tuple[slice, np.ndarray]]:
        """The number columns in groups: their positions and float64 (n, k), NaN for missing; all rows, few columns."""
        return self._number_columns(features, self._read_texts(features))

    def _read_texts(self, features: pd.DataFrame) -> dict[str, np.ndarray]:
        """Directions, then words, of each column of text (n, k)."""
        read = {name: text.transform(features[name]) for name, text in self.texts.items()}
        for name, words in self.words.items():
            read[name] = np.concatenate([read[name], words.transform(features[name])], axis=1)
        return read

    def _number_columns(self, features: pd.DataFrame, texts: dict[str, np.ndarray]) -> Iterator[tuple[slice, np.ndarray]]:
        start = 0
        most = max(1, BLOCK_CELLS // max(1, len(features)))
        for group in self._groups:
            for first in range(0, len(group), most):
                some = group[first:first + most]
                if some[0].kind == "number":  # several at once: a frame of a thousand columns is slow to walk through
                    values = features[[column.name for column in some]].to_numpy(dtype=np.float64)
                else:
                    values = self._numbers(some[0], features[some[0].name], texts)
                yield slice(start, start + values.shape[1]), np.clip(values, -LARGEST, LARGEST)
                start += values.shape[1]

    @cached_property
    def _groups(self) -> list[list[Column]]:
        """Neighbouring columns of plain numbers; the others with a number for each row alone."""
        groups: list[list[Column]] = []
        for column in self.columns:
            if column.kind == "category" and column.name not in self.texts:
                continue
            if groups and column.kind == "number" and groups[-1][-1].kind == "number":
                groups[-1].append(column)
            else:
                groups.append([column])
        return groups

    def _codes(self, features: pd.DataFrame) -> np.ndarray:
        codes = np.empty((len(features), len(self.levels)), dtype=np.int64)
        for position, (name, levels) in enumerate(self.levels.items()):
            codes[:, position] = levels.codes(features[name])
        return codes

    def names_of(self, column: Column) -> tuple[str, ...]:
        """The number columns that come from a column."""
        if column.kind == "date":
            return tuple(f"{column.name} {part}" for part in self.dates[column.name])
        if column.name in self.texts:
            directions = tuple(f"{column.name} {i + 1}" for i in range(self.texts[column.name].directions.shape[1]))
            words = self.words[column.name].words if column.name in self.words else ()
            return directions + tuple(f"{column.name}: {word}" for word in words)
        return () if column.kind == "category" else (column.name,)

    def _numbers(self, column: Column, values: pd.Series, texts: dict[str, np.ndarray]) -> np.ndarray:
        if column.kind == "date":
            return date_parts(values, self.dates[column.name])
        if column.name in self.texts:
            return texts[column.name]
        numbers: np.ndarray = values.to_numpy(dtype=np.float64, na_value=np.nan)
        return numbers[:, None]

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        values: dict[str, Any] = {
            "columns": [column.to_json() for column in self.columns],
            "dates": {name: list(parts) for name, parts in self.dates.items()},
            "levels": {name: levels.to_json() for name, levels in self.levels.items()},
            "words": {name: list(words.words) for name, words in self.words.items()}}
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
                   {name: Levels.from_json(levels[name]) for name in order if name in levels},
                   {name: FrequentWords(tuple(words)) for name, words in parts.values["words"].items()})


def _is_wordy(values: pd.Series) -> bool:
    levels = pd.Series(values.unique()).dropna().astype(str)
    if len(levels) < FEWEST_WORDY_LEVELS or float(levels.str.count(WORD).mean()) < FEWEST_WORDS:
        return False
    words = [set(re.findall(WORD, level.lower())) for level in levels]
    holding = Counter(chain.from_iterable(words))
    shared = {word for word, count in holding.items() if 1 < count < len(levels)}
    return sum(not shared.isdisjoint(each) for each in words) >= SHARING_LEVELS * len(levels)
