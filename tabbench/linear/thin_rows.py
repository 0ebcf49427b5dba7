"""Penalised least squares on rows with few entries in many columns: no matrix of columns by columns is ever made.

With l1 scikit-learn's coordinate descent does the work, without it conjugate gradients. Knows no classes and no grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tabbench.core.process_settings import silent_warnings

STEPS_AN_ENTRY = 5000.0
"""A candidate goes some dozen times through the entries, each of which takes longer than a step of a p x p matrix's factors."""
INTERCEPT_UNIT = 1e3
"""The intercept is the coefficient of a column of so large a number that what penalty it has moves nothing."""
LOOSEST_GAP, SMALLEST_GAP = 1e-2, 1e-12
"""Of the squares of the response: what may be left in any case, and what rounding leaves."""
MOST_SWEEPS, MOST_PRODUCTS = 1000, 500
"""Far more than are needed where nothing is degenerate."""


def is_thinly_filled(values: Any) -> bool:
    """Whether going through the entries of a matrix (n, p) costs less than p x p numbers, whose factors take p ** 3 / 3 steps."""
    return not isinstance(values, np.ndarray) and values.nnz * STEPS_AN_ENTRY <= values.shape[1] ** 3


@dataclass(frozen=True, eq=False)
class ThinRows:
    """CSR `values` (n, p + 1) of which the last column, of ones, has no penalty."""

    values: Any

    @cached_property
    def turned(self) -> Any:
        """The columns as rows, CSR (p + 1, n)."""
        return self.values.T.tocsr()

    @cached_property
    def _squared(self) -> Any:
        return self.turned.multiply(self.turned).tocsr()

    @cached_property
    def _alike(self) -> np.ndarray:
        """The number (p + 1,) of the set of equal columns that a column is in; the last one, which has no penalty, is alone."""
        # Equal columns have equal products with any numbers, others do not.
        products = self.turned[:-1] @ np.random.default_rng(0).normal(size=self.turned.shape[1])
        sets = np.unique(products, return_inverse=True)[1]
        return np.append(sets, sets.max(initial=-1) + 1)

    def lowest_with_l1(self, weight: np.ndarray, response: np.ndarray, l1: float, l2: float, start: np.ndarray,
                       gap: float) -> np.ndarray:
        """The x (p + 1,) of the lowest 1/2 sum w (r - Vx)^2 + l1 |x|_1 + l2/2 |x|^2, up to a `gap`, searched from `start`."""
        from scipy.sparse import csc_array
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import enet_path

        turned, roots = self.turned, np.sqrt(weight)
        units = np.append(np.ones(len(start) - 1), INTERCEPT_UNIT)
        columns = csc_array((turned.data * roots[turned.indices], turned.indices, turned.indptr), shape=self.values.shape)
        columns.data[turned.indptr[-2]:] *= INTERCEPT_UNIT
        scaled = roots * response
        share = gap / max(float(scaled @ scaled), np.finfo(float).tiny)
        with silent_warnings(ConvergenceWarning):  # the cap bounds what is degenerate
            _, found, _ = enet_path(columns, scaled, l1_ratio=l1 / (l1 + l2), alphas=[(l1 + l2) / len(scaled)],
                                    coef_init=start / units, tol=min(max(share, SMALLEST_GAP), LOOSEST_GAP),
                                    max_iter=MOST_SWEEPS, check_input=False)
        # Of equal columns the first has got it all, which is as good here: they share it, as new rows need not have the first.
        shared = np.bincount(self._alike, found[:, 0] * units) / np.bincount(self._alike)
        return np.asarray(shared[self._alike])

    def lowest_without_l1(self, weight: np.ndarray, response: np.ndarray, l2: float, start: np.ndarray,
                          left: float) -> np.ndarray:
        """The same for l1 = 0, up to the share `left` of the slope at `start`."""
        from scipy.sparse.linalg import LinearOperator, cg

        values, turned = self.values, self.turned
        ridge = np.append(np.full(len(start) - 1, l2), 0.0)
        diagonal = self._squared @ weight + ridge
        scale = 1 / np.where(diagonal > 0, diagonal, 1.0)
        shape = (len(start), len(start))
        curvature = LinearOperator(shape, lambda move: turned @ (weight * (values @ move)) + ridge * move, dtype=np.float64)
        nearly = LinearOperator(shape, lambda move: scale * move, dtype=np.float64)
        slope = turned @ (weight * (response - values @ start)) - ridge * start
        move, _ = cg(curvature, slope, rtol=left, maxiter=MOST_PRODUCTS, M=nearly)
        return np.asarray(start + move)
