"""The rows that a linear model learns from, and how its candidates are judged. Knows no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Folds = Sequence[tuple[np.ndarray, np.ndarray]]
"""(fit, validation) positions."""
Loss = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
"""(truth, prediction, weight) -> float, lower is better; NaN where it is undefined."""


@dataclass(frozen=True, eq=False)
class Rows:
    """`values` (n, p) dense or CSR; `target` (n,) int64 codes or float64 numbers; `weight` (n,) with mean one."""

    values: Any
    target: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.target)

    def take(self, positions: np.ndarray) -> Rows:
        """Some of the rows."""
        return Rows(self.values[positions], self.target[positions], self.weight[positions])


def lowest(losses: np.ndarray) -> int:
    """Position of the lowest loss, of equal ones the first; 0 where no loss is defined."""
    return 0 if np.isnan(losses).all() else int(np.nanargmin(losses))


def spread_probabilities(probabilities: np.ndarray, present: np.ndarray, n_classes: int, n_rows: int) -> np.ndarray:
    """Probabilities of the classes `present` in n fit rows as those of all classes, absent ones at 1 / (n + classes).

    >>> spread_probabilities(np.array([[0.5, 0.5]]), np.array([0, 2]), n_classes=3, n_rows=7).tolist()
    [[0.45, 0.1, 0.45]]
    """
    if len(present) == n_classes:
        return probabilities
    floor = 1.0 / (n_rows + n_classes)
    spread = np.full((len(probabilities), n_classes), floor)
    spread[:, present] = probabilities * (1 - floor * (n_classes - len(present)))
    return spread
