"""What an approach gets to see of the features: one matrix type a view. Made by `views`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True, eq=False)
class LinearMatrix:
    """Matrix for linear models: one-hot and scaled, nothing missing.

    Parameters
    ----------
    values : Any
        Float64 of shape (n, p), dense or scipy CSR.
    names : tuple[str, ...]
        Names of the columns.
    """

    values: Any
    names: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def take(self, rows: np.ndarray) -> LinearMatrix:
        """Return these rows."""
        return replace(self, values=self.values[rows])

    def select(self, columns: np.ndarray) -> LinearMatrix:
        """Return these columns, by position."""
        return LinearMatrix(self.values[:, columns], tuple(self.names[c] for c in columns))


@dataclass(frozen=True, eq=False)
class TreeMatrix:
    """Matrix for trees: numbers and category codes.

    Parameters
    ----------
    values : ndarray
        Float32 of shape (n, p), NaN if missing or unseen in training.
    levels : tuple[int, ...]
        For each column 0 if it holds numbers, else the number of codes, which run from 0 to levels - 1.
    names : tuple[str, ...]
        Names of the columns.
    """

    values: np.ndarray
    levels: tuple[int, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: np.ndarray) -> TreeMatrix:
        """Return these rows."""
        return replace(self, values=self.values[rows])

    def select(self, columns: np.ndarray) -> TreeMatrix:
        """Return these columns, by position."""
        places = columns.tolist()
        # An index would lay the columns out one after another, which all who read row by row pay for.
        return TreeMatrix(np.take(self.values, columns, axis=1), tuple(self.levels[place] for place in places),
                          tuple(self.names[place] for place in places))


@dataclass(frozen=True, eq=False)
class NetMatrix:
    """Matrix for nets: robustly scaled numbers and category codes.

    Parameters
    ----------
    numbers : ndarray
        Float32 of shape (n, p), nothing missing.
    codes : ndarray
        Int64 of shape (n, q); 0 if missing or unseen in training.
    cardinalities : tuple[int, ...]
        Number of codes of each category, 0 included.
    names : tuple[str, ...]
        Names of the columns, numbers first.
    """

    numbers: np.ndarray
    codes: np.ndarray
    cardinalities: tuple[int, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.numbers)

    def take(self, rows: np.ndarray) -> NetMatrix:
        """Return these rows."""
        return replace(self, numbers=self.numbers[rows], codes=self.codes[rows])

    def followed_by(self, other: NetMatrix) -> NetMatrix:
        """Return these rows and, below, those of another matrix with the same columns."""
        numbers, codes = np.concatenate([self.numbers, other.numbers]), np.concatenate([self.codes, other.codes])
        return replace(self, numbers=numbers, codes=codes)

    def select(self, columns: np.ndarray) -> NetMatrix:
        """Return these columns, by ascending position in `names`, where numbers come before codes."""
        n_numbers = self.numbers.shape[1]
        numbers, codes = columns[columns < n_numbers], columns[columns >= n_numbers] - n_numbers
        return NetMatrix(np.ascontiguousarray(self.numbers[:, numbers]), np.ascontiguousarray(self.codes[:, codes]),
                         tuple(self.cardinalities[c] for c in codes), tuple(self.names[c] for c in columns))


@dataclass(frozen=True, eq=False)
class FamiliesMatrix:
    """The same rows in the views of all families; `views` maps the name of a view to its matrix."""

    views: dict[str, Any]

    def __len__(self) -> int:
        return len(next(iter(self.views.values())))

    def take(self, rows: np.ndarray) -> FamiliesMatrix:
        """Return these rows."""
        return FamiliesMatrix({name: matrix.take(rows) for name, matrix in self.views.items()})
