"""The trees' view: one float32 matrix with category codes, missing values left missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from tabbench.core.approach import ViewName
from tabbench.core.matrices import TreeMatrix
from tabbench.core.parts import Parts
from tabbench.core.table import Column
from tabbench.views.expansion import Expansion

MOST_LEVELS = 1000
"""More codes than this cost a histogram more than rare levels are worth; the rest share one code."""
EXACT_IN_FLOAT32 = 2.0**24
"""Beyond it whole numbers lose digits in float32, so a column that reaches it is stored relative to its median."""


@dataclass(frozen=True, eq=False)
class TreeView:
    """Numbers first, then codes. `offset` (p,) is what is taken from the numbers before they become float32."""

    name: ClassVar[ViewName] = "trees"
    expansion: Expansion
    offset: np.ndarray

    @classmethod
    def fit(cls, features: pd.DataFrame, columns: tuple[Column, ...], seed: int) -> TreeView:
        """Learn levels, text directions and offsets from training rows."""
        expansion = Expansion.fit(features, columns, seed, fewest_rows=1, most_levels=MOST_LEVELS)
        offsets = [np.zeros(0), *(_offsets(numbers) for _, numbers in expansion.number_columns(features))]
        return cls(expansion, np.concatenate(offsets))

    def transform(self, features: pd.DataFrame) -> TreeMatrix:
        """Float32 (n, p + q)."""
        largest = np.finfo(np.float32).max
        n_numbers = len(self.offset)
        values = np.empty((len(features), n_numbers + len(self.expansion.levels)), dtype=np.float32)
        for rows, expanded in self.expansion.row_blocks(features):
            values[rows, :n_numbers] = np.clip(expanded.numbers - self.offset, -largest, largest)
            values[rows, n_numbers:] = np.where(expanded.codes < 0, np.nan, expanded.codes)
        levels = tuple(levels.n_codes for levels in self.expansion.levels.values())
        return TreeMatrix(values, (0,) * n_numbers + levels, self.expansion.number_names + self.expansion.code_names)

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        return Parts({"view": self.name}, {"offset": self.offset}, children={"expansion": self.expansion.to_parts()})

    @classmethod
    def restore(cls, parts: Parts) -> TreeView:
        """From `to_parts`."""
        return cls(Expansion.restore(parts.children["expansion"]), parts.arrays["offset"])


def _offsets(numbers: np.ndarray) -> np.ndarray:
    offset = np.zeros(numbers.shape[1])
    is_large = np.fmax.reduce(np.abs(numbers), axis=0, initial=0.0) > EXACT_IN_FLOAT32  # missing ones are passed over
    for column in np.flatnonzero(is_large):
        present = numbers[~np.isnan(numbers[:, column]), column]
        offset[column] = np.quantile(present, 0.5, method="inverted_cdf")
    return offset
