"""Penalised least squares along a path of penalties on rows with few entries in many columns. Knows no folds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.linear.likelihood import with_ones
from tabbench.linear.squares import largest_alpha
from tabbench.linear.thin_rows import ThinRows

LEFT = 1e-4
"""Of the squares that are left (l1), or of the slope at the solution before (no l1): what a solution may miss."""


@dataclass(frozen=True, eq=False)
class ThinSquares:
    """`rows` with a column of ones behind; their weights `share` (n,), which sum to one; the centred `target` (n,); `product`
    (p,) is what these give together."""

    rows: ThinRows
    share: np.ndarray
    target: np.ndarray
    product: np.ndarray
    means: np.ndarray
    target_mean: float

    @classmethod
    def of(cls, values: Any, target: np.ndarray, weight: np.ndarray) -> ThinSquares:
        """From a CSR matrix (n, p), numbers (n,) and non-negative weights (n,)."""
        share = weight / weight.sum()
        target_mean = float(share @ target)
        centred = target - target_mean
        rows = ThinRows(with_ones(values))
        return cls(rows, share, centred, (rows.turned @ (share * centred))[:-1], (rows.turned @ share)[:-1], target_mean)

    def largest_alpha(self, l1_ratio: float) -> float:
        """As of `Squares`."""
        return largest_alpha(self.product, l1_ratio)

    def walk(self, alphas: Sequence[float], l1_ratio: float) -> Iterator[np.ndarray]:
        """As of `Squares`: coefficients (p,) for each alpha in turn."""
        solution = np.zeros(len(self.product) + 1)
        for alpha in alphas:
            l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
            if l1 > 0:
                solution = self._with_l1(l1, l2, solution)
            else:
                solution = self.rows.lowest_without_l1(self.share, self.target, l2, solution, LEFT)
            yield solution[:-1]

    def _with_l1(self, l1: float, l2: float, solution: np.ndarray) -> np.ndarray:
        """Once more where so much less is left than before that what may be missed is less, too."""
        squares, before = self._squares_left(solution), np.inf
        while squares < before / 2:
            solution = self.rows.lowest_with_l1(self.share, self.target, l1, l2, solution, LEFT * squares)
            squares, before = self._squares_left(solution), squares
        return solution

    def _squares_left(self, solution: np.ndarray) -> float:
        return float(self.share @ (self.target - self.rows.values @ solution) ** 2)
