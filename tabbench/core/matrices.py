"""What an approach gets to see of the features: one matrix type a view. Made by `views`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class LinearMatrix:
    """One-hot and scaled, nothing missing: float64 (n, p), dense or scipy CSR."""

    values: Any
    names: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def take(self, rows: np.ndarray) -> LinearMatrix:
        """These rows."""
        return replace(self, values=self.values[rows])

    def select(self, columns: np.ndarray) -> LinearMatrix:
        """These columns, by position."""
        return LinearMatrix(self.values[:, columns], tuple(self.names[c] for c in columns))


@dataclass(frozen=True, eq=False)
class TreeMatrix:
    """Numbers and category codes in one float32 (n, p), NaN where missing or unseen.

    `levels` (p,) is 0 for a number, else how many codes (0..levels-1) the category has.
    """

    values: np.ndarray
    levels: tuple[int, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> TreeMatrix:
        """These rows."""
        return replace(self, values=self.values[rows])

    def select(self, columns: np.ndarray) -> TreeMatrix:
        """These columns, by position."""
        return TreeMatrix(self.values[:, columns], tuple(self.levels[c] for c in columns),
                          tuple(self.names[c] for c in columns))


@dataclass(frozen=True, eq=False)
class NetMatrix:
    """Robust-scaled numbers float32 (n, p), nothing missing, beside category codes int64 (n, q).

    Code 0 is missing or unseen; `cardinalities` (q,) counts the codes, 0 included.
    """

    numbers: np.ndarray
    codes: np.ndarray
    cardinalities: tuple[int, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: np.ndarray) -> NetMatrix:
        """These rows."""
        return replace(self, numbers=self.numbers[rows], codes=self.codes[rows])

    def select(self, columns: np.ndarray) -> NetMatrix:
        """These columns, by ascending position in `names`: numbers come before codes."""
        n_numbers = self.numbers.shape[1]
        numbers, codes = columns[columns < n_numbers], columns[columns >= n_numbers] - n_numbers
        return NetMatrix(np.ascontiguousarray(self.numbers[:, numbers]), np.ascontiguousarray(self.codes[:, codes]),
                         tuple(self.cardinalities[c] for c in codes), tuple(self.names[c] for c in columns))


@dataclass(frozen=True, eq=False)
class FamiliesMatrix:
    """The same rows as every family of learners wants them; `views` maps a view's name to its matrix."""

    views: dict[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.views.values())))

    def take(self, rows: np.ndarray) -> FamiliesMatrix:
        """These rows."""
        return FamiliesMatrix({name: matrix.take(rows) for name, matrix in self.views.items()})
