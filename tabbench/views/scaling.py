"""Robust scales of numbers of any finite size, computed in float64. Knows nothing of columns' meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

FARTHEST = 1e150
"""Scaled values are cut here: their squares still are finite."""


@dataclass(frozen=True, eq=False)
class RobustScale:
    """Median and quartile distance of each column: arrays (p,)."""

    center: np.ndarray
    scale: np.ndarray

    @classmethod
    def fit(cls, numbers: np.ndarray, of_constant: float = 1.0) -> RobustScale:
        """From float64 (n, p) with NaN for missing.

        Where more than half of a column is one value, half its range takes the place of the quartile distance; a
        constant or empty column gets the scale `of_constant`, infinity for one that is to stay zero whatever comes.
        """
        low, first, center, third, high = np.zeros((5, numbers.shape[1]))
        is_plain = _is_mostly_smallest(numbers)  # words and indicators, of which there may be thousands
        plain = numbers[:, is_plain]
        low[is_plain] = first[is_plain] = center[is_plain] = third[is_plain] = plain.min(axis=0, initial=np.inf)
        high[is_plain] = plain.max(axis=0, initial=-np.inf)
        for column in np.flatnonzero(~is_plain):
            present = numbers[~np.isnan(numbers[:, column]), column]
            if len(present):
                low[column], first[column], center[column], third[column], high[column] = _quartiles(present)
        spread = np.where(third > first, third - first, (high - low) / 2)
        return cls(center, np.where(spread > 0, spread, of_constant))

    def apply(self, numbers: np.ndarray) -> np.ndarray:
        """(x - median) / scale, NaN kept."""
        with np.errstate(over="ignore"):
            scaled: np.ndarray = np.clip((numbers - self.center) / self.scale, -FARTHEST, FARTHEST)
        return scaled


def _is_mostly_smallest(numbers: np.ndarray) -> np.ndarray:
    """Columns (p,) of (n, p) without a gap whose third quartile is their smallest value, and so the others, too."""
    if not len(numbers):
        return np.zeros(numbers.shape[1], dtype=bool)
    return np.asarray((numbers == numbers.min(axis=0)).sum(axis=0) >= math.ceil(0.75 * len(numbers)))


def _quartiles(present: np.ndarray) -> np.ndarray:
    """Smallest, quartiles, largest: values that occur, so nothing overflows between two of them."""
    positions = [0, *(math.ceil(share * len(present)) - 1 for share in (0.25, 0.5, 0.75)), len(present) - 1]
    return np.partition(present, sorted(set(positions)))[positions]
