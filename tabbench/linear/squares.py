"""Penalised least squares from sufficient statistics: after one pass over the rows only p x p numbers count.

Knows neither grids nor folds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.linear.likelihood import weighted_products
from tabbench.linear.quadratic import Quadratic
from tabbench.linear.sparse_gram import sparse_gram

ROUNDING = 1e-14
"""Variance relative to the squared mean that float64 cannot tell from none."""
SMALLEST_RATIO = 0.1
"""A ridge is never empty; its path starts where that of this mixture would."""


@dataclass(frozen=True, eq=False)
class Squares:
    """Weighted moments of n rows, per unit of weight: `gram` (p, p) and `product` (p,) are centred by the means."""

    gram: np.ndarray
    product: np.ndarray
    means: np.ndarray
    target_mean: float

    @classmethod
    def of(cls, values: Any, target: np.ndarray, weight: np.ndarray) -> Squares:
        """From a dense or CSR matrix (n, p), numbers (n,) and non-negative weights (n,)."""
        total = weight.sum()
        means = np.asarray(weight @ values) / total
        target_mean = float(weight @ target / total)
        if isinstance(values, np.ndarray):
            gram = weighted_products(values, np.sqrt(weight / total), means)
        else:
            gram = sparse_gram(values, weight / total) - np.outer(means, means)
        product = np.asarray((weight * (target - target_mean)) @ values) / total
        # What is left of a constant column is rounding noise, which must not pass for a signal.
        varies = np.diag(gram) > ROUNDING * means**2
        return cls(gram * np.outer(varies, varies), product * varies, means, target_mean)

    def largest_alpha(self, l1_ratio: float) -> float:
        """The smallest penalty that leaves no coefficient (a ridge: next to none); 0 when no column goes with the target."""
        return largest_alpha(self.product, l1_ratio)

    def walk(self, alphas: Sequence[float], l1_ratio: float) -> Iterator[np.ndarray]:
        """Coefficients (p,) of 1/2 b'Gb - c'b + alpha (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2) for each alpha in turn.

        `alphas` descend; each solution starts from the one before.
        """
        solution = np.zeros(len(self.product))
        if not np.einsum("ii->i", self.gram).mean() > 0:
            yield from [solution] * len(alphas)
        elif l1_ratio == 0:
            yield from self._ridges(alphas)
        else:
            quadratic = Quadratic(self.gram, np.ones(len(solution), dtype=bool))
            for alpha in alphas:
                solution = quadratic.minimum(self.product, alpha * l1_ratio, alpha * (1 - l1_ratio), solution)
                yield solution

    def _ridges(self, alphas: Sequence[float]) -> Iterator[np.ndarray]:
        """One decomposition for all penalties."""
        squares, vectors = np.linalg.eigh(self.gram)
        kept = squares > ROUNDING * squares[-1]
        squares, vectors = squares[kept], vectors[:, kept]
        turned = vectors.T @ self.product
        for alpha in alphas:
            yield vectors @ (turned / (squares + alpha))


def largest_alpha(product: np.ndarray, l1_ratio: float) -> float:
    """The smallest penalty at which the slopes (p,) ask for no coefficient."""
    return float(np.abs(product).max(initial=0.0)) / max(l1_ratio, SMALLEST_RATIO)
