"""Penalised least squares where there are more columns than rows: nothing of the size p x p is ever made.

A ridge is solved in the span of the rows, a path with l1 on the columns that have asked to be used so far. Knows no folds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.linear.quadratic import Quadratic
from tabbench.linear.squares import ROUNDING, largest_alpha

AT_REST = 1e-9
"""Of the largest slope: what exceeds the l1 penalty by less is rounding noise."""
MOST_ROUNDS = 50
"""Rounds of columns asking; more than three or four are rare."""


@dataclass(frozen=True, eq=False)
class WideSquares:
    """`scaled` (n, p) are rows centred by the weighted means and scaled by the roots of their weights, which sum to one; `target`
    (n,) alike. `product` (p,) is what they give together."""

    scaled: np.ndarray
    target: np.ndarray
    product: np.ndarray
    means: np.ndarray
    target_mean: float

    @classmethod
    def of(cls, values: Any, target: np.ndarray, weight: np.ndarray) -> WideSquares:
        """From a dense or CSR matrix (n, p), numbers (n,) and non-negative weights (n,)."""
        dense = values if isinstance(values, np.ndarray) else values.toarray()
        share = weight / weight.sum()
        means, target_mean = share @ dense, float(share @ target)
        scaled = (dense - means) * np.sqrt(share)[:, None]
        # What is left of a constant column is rounding noise, which must not pass for a signal.
        scaled *= (scaled**2).sum(axis=0) > ROUNDING * means**2
        root = np.sqrt(share) * (target - target_mean)
        return cls(scaled, root, root @ scaled, means, target_mean)

    def largest_alpha(self, l1_ratio: float) -> float:
        """As of `Squares`."""
        return largest_alpha(self.product, l1_ratio)

    def walk(self, alphas: Sequence[float], l1_ratio: float) -> Iterator[np.ndarray]:
        """As of `Squares`: coefficients (p,) for each alpha in turn."""
        if not self.scaled.any():
            yield from [np.zeros(len(self.product))] * len(alphas)
        elif l1_ratio == 0:
            yield from self._ridges(alphas)
        else:
            yield from self._path(alphas, l1_ratio)

    def _ridges(self, alphas: Sequence[float]) -> Iterator[np.ndarray]:
        """One decomposition of the n x n products for all penalties."""
        squares, vectors = np.linalg.eigh(self.scaled @ self.scaled.T)
        kept = squares > ROUNDING * squares[-1]
        squares, vectors = squares[kept], vectors[:, kept]
        turned = vectors.T @ self.target
        for alpha in alphas:
            yield (vectors @ (turned / (squares + alpha))) @ self.scaled

    def _path(self, alphas: Sequence[float], l1_ratio: float) -> Iterator[np.ndarray]:
        used, gram, solution = np.zeros(0, dtype=np.int64), np.zeros((0, 0)), np.zeros(len(self.product))
        for alpha in alphas:
            l1, l2 = alpha * l1_ratio, alpha * (1 - l1_ratio)
            for _ in range(MOST_ROUNDS):
                come = self._asking(solution, used, l1)
                if len(come):
                    used, gram = np.append(used, come), self._bordered(gram, used, come)
                if len(used):
                    solution = self._solved(Quadratic(gram, np.ones(len(used), dtype=bool)), used, solution, l1, l2)
                if not len(come):
                    break
            yield solution

    def _asking(self, solution: np.ndarray, used: np.ndarray, l1: float) -> np.ndarray:
        """Columns not used so far that would lower the loss by more than their penalty: the strongest, no more than rows."""
        pull = np.abs(self.product - (self.scaled @ solution) @ self.scaled)
        pull[used] = 0.0
        asking = np.flatnonzero(pull > l1 + AT_REST * np.abs(self.product).max())
        return asking[np.argsort(-pull[asking], kind="stable")[:len(self.scaled)]]

    def _bordered(self, gram: np.ndarray, used: np.ndarray, come: np.ndarray) -> np.ndarray:
        """The products of the used columns with those that come."""
        across = self.scaled[:, used].T @ self.scaled[:, come]
        return np.block([[gram, across], [across.T, self.scaled[:, come].T @ self.scaled[:, come]]])

    def _solved(self, quadratic: Quadratic, used: np.ndarray, solution: np.ndarray, l1: float, l2: float) -> np.ndarray:
        solved = np.zeros_like(solution)
        solved[used] = quadratic.minimum(self.product[used], l1, l2, solution[used])
        return solved
