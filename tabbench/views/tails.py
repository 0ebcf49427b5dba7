"""Far ends of robustly scaled numbers: drawn in, and where they are many, with a column of their own. Knows no table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

STRAIGHT = 8.0
"""Up to this many quartile distances from the median a number stays as it is; beyond, it grows as slowly as the logarithm of a
logarithm, so that 1e39 neither flattens the column nor decides the fit."""
FEWEST_FAR_ROWS = 30
"""With so many rows beyond, a slope of their own can be estimated."""
UNIT_QUANTILE = 0.9
"""Of the lengths of the far ends: eight times as long, nearly all of them stay straight, a few wild values do not count."""


@dataclass(frozen=True, eq=False)
class LongTails:
    """Number columns `columns` (f,) whose far ends get a column, and the length `unit` (f,) of those ends.

    Together with the drawn-in column a straight line over the whole of a long tail (delays, incomes) can be had again, or a
    bend at its beginning; one wild value among many good ones has neither.
    """

    columns: np.ndarray
    unit: np.ndarray

    @classmethod
    def fit(cls, scaled: np.ndarray) -> LongTails:
        """From scaled numbers (n, p) without missing ones."""
        lengths = np.abs(scaled) - STRAIGHT
        columns = np.flatnonzero((lengths > 0).sum(axis=0) >= FEWEST_FAR_ROWS)
        unit = np.array([np.quantile(lengths[lengths[:, column] > 0, column], UNIT_QUANTILE) for column in columns])
        return cls(columns, unit)

    @classmethod
    def joined(cls, parts: Sequence[LongTails]) -> LongTails:
        """Those of several groups of columns as one; none of none."""
        return cls(np.concatenate([np.zeros(0, dtype=np.int64), *(each.columns for each in parts)]),
                   np.concatenate([np.zeros(0), *(each.unit for each in parts)]))

    def apply(self, scaled: np.ndarray) -> np.ndarray:
        """The far ends (n, f) in their units, 0 for what is near; their own far ends are drawn in as well."""
        return drawn_in(_ends(scaled[:, self.columns]) / self.unit)


def drawn_in(scaled: np.ndarray) -> np.ndarray:
    """Scaled numbers with their far ends drawn in: order is kept, leverage is not."""
    is_far = np.abs(scaled) > STRAIGHT
    if not is_far.any():
        return scaled
    drawn, far = scaled.copy(), scaled[is_far]
    drawn[is_far] = np.sign(far) * (STRAIGHT + np.log1p(np.log1p(np.abs(far) - STRAIGHT)))
    return drawn


def _ends(scaled: np.ndarray) -> np.ndarray:
    """How far each number lies beyond the straight part, with its sign."""
    ends: np.ndarray = np.sign(scaled) * np.maximum(np.abs(scaled) - STRAIGHT, 0.0)
    return ends
