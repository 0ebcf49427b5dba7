"""Penalised least squares from sufficient statistics: after one pass over the rows only p x p numbers count.

Knows neither grids nor folds; logistic regression uses it for its inner problem, elastic net for its paths.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_SWEEPS = 1000
"""Coordinate sweeps for one penalty; a path that is still moving then is used as it is."""
TOLERANCE = 1e-5
"""Duality gap relative to the target's squares."""
ROUNDING = 1e-14
"""Variance relative to the squared mean that float64 cannot tell from none."""
JITTER = 1e-10
"""Relative to the mean diagonal: makes a rank-deficient Gram matrix factorisable, far below any penalty in use."""


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
            scaled = (values - means) * np.sqrt(weight / total)[:, None]
            gram = scaled.T @ scaled
        else:
            weighted = values.multiply((weight / total)[:, None]).tocsr()
            gram = (values.T @ weighted).toarray() - np.outer(means, means)
        product = np.asarray((weight * (target - target_mean)) @ values) / total
        # What is left of a constant column is rounding noise, which must not pass for a signal.
        varies = np.diag(gram) > ROUNDING * means**2
        return cls(gram * np.outer(varies, varies), product * varies, means, target_mean)

    def largest_alpha(self, l1_ratio: float) -> float:
        """The smallest penalty that leaves no coefficient; 0 when no column goes with the target."""
        return float(np.abs(self.product).max(initial=0.0)) / l1_ratio

    def path(self, alphas: np.ndarray, l1_ratio: float, start: np.ndarray | None = None) -> np.ndarray:
        """Coefficients (p, len(alphas)) of 1/2 b'Gb - c'b + alpha (l1_ratio |b|_1 + (1 - l1_ratio)/2 |b|^2).

        `alphas` descend; each solution starts from the one before.
        """
        from scipy.linalg import cholesky, solve_triangular
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import enet_path

        columns = len(self.product)
        diagonal = np.einsum("ii->i", self.gram).mean()
        if not diagonal > 0:
            return np.zeros((columns, len(alphas)))
        # A p x p stand-in for the rows with the same Gram matrix and product.
        lower = cholesky(self.gram + np.eye(columns) * (JITTER * diagonal), lower=True)
        target = solve_triangular(lower, self.product, lower=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            # The library divides by the number of rows, here p.
            _, coefficients, _ = enet_path(
                np.asfortranarray(lower.T), target, l1_ratio=l1_ratio, alphas=alphas / columns,
                precompute=np.ascontiguousarray(self.gram), Xy=self.product, coef_init=start, check_input=False,
                tol=TOLERANCE, max_iter=MOST_SWEEPS)
        solution: np.ndarray = coefficients
        return solution
