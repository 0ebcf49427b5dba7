"""Newton steps of logistic regression that never make a matrix of columns by columns: for rows with few entries in many columns.

With l1 the quadratic model goes to scikit-learn's coordinate descent, without it to conjugate gradients. Knows no grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tabbench.core.process_settings import silent_warnings
from tabbench.linear.likelihood import SMALLEST_CURVATURE
from tabbench.linear.newton import Descent, Penalty

FEWEST_COLUMNS = 128
"""With fewer columns a matrix of them costs nothing."""
LOOSEST_GAP, LEFT = 1e-2, 0.02
"""Of the squares of the response, and of the decrease that the last step promised: what the search within a quadratic model may
leave to the next step, which knows the loss better."""
INTERCEPT_UNIT, TINY = 1e3, np.finfo(float).tiny
"""The intercept is a column of so large a number that what penalty it has moves nothing."""
FORCING = 0.05
"""Share of the slope that conjugate gradients may leave: the error of a step is quadratically smaller."""
MOST_SWEEPS, MOST_PRODUCTS = 1000, 500
"""Far more than a quadratic model takes that isn't degenerate."""


def is_thinly_filled(values: Any) -> bool:
    """Whether going through the entries of a matrix (n, p) costs less than a p x p matrix, whose factors cost p ** 3."""
    return not isinstance(values, np.ndarray) and values.shape[1] > FEWEST_COLUMNS and values.nnz <= values.shape[1] ** 2


@dataclass(eq=False)
class SparseDescent(Descent):
    """A `Descent` on CSR rows that moves the outputs one after another."""

    def __post_init__(self) -> None:
        self.parameters = self.likelihood.empty()
        self.logits = self.likelihood.logits(self.parameters)

    @cached_property
    def _turned(self) -> Any:
        """The columns as rows (p + 1, n), the ones last."""
        return self.likelihood.values.T.tocsr()

    @cached_property
    def _alike(self) -> np.ndarray:
        """The number (p + 1,) of the set of equal columns that a column is in: with l1 any of them would do."""
        # Equal columns have equal products with any numbers, others don't.
        products = self._turned @ np.random.default_rng(0).normal(size=self._turned.shape[1])
        return np.unique(products, return_inverse=True)[1]

    @cached_property
    def _squared(self) -> Any:
        return self._turned.multiply(self._turned).tocsr()

    def _blocks(self) -> list[np.ndarray]:
        return [np.array([output]) for output in range(self.likelihood.outputs)]

    def _step(self, number: int, outputs: np.ndarray, penalty: Penalty, enough: float, last: float) -> float:
        chances = self.likelihood.chances(self.logits)
        chance = chances[:, outputs[0]]
        weight = self.likelihood.weight * (np.maximum(chance * (1 - chance), SMALLEST_CURVATURE) + self.damping / 4)
        residuals = self.likelihood.weight * (chance - self.likelihood.truth[:, outputs[0]])
        slopes, here = self._turned @ residuals, self.parameters[outputs[0]]
        if penalty.l1 > 0:
            move = self._by_coordinates(here, weight, residuals, penalty, max(LEFT * last, enough))
        else:
            move = self._by_conjugate_gradients(here, weight, slopes, penalty)
        before, after = self.parameters[outputs], self.parameters[outputs] + move
        gain = max(penalty.of(before) - penalty.of(after) - float(slopes @ move), 0.0)
        length = self._search(move[None], gain, outputs, penalty, enough)
        self._damp(length, is_new=True)
        return gain

    def _by_coordinates(self, here: np.ndarray, weight: np.ndarray, residuals: np.ndarray, penalty: Penalty,
                        left: float) -> np.ndarray:
        """The move (p + 1,) to the minimum of the quadratic model, up to a gap of `left`."""
        from scipy.sparse import csc_array
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import enet_path

        turned, roots = self._turned, np.sqrt(weight)
        response = roots * (self.likelihood.values @ here) - residuals / roots
        units = np.append(np.ones(len(here) - 1), INTERCEPT_UNIT)
        columns = csc_array((turned.data * roots[turned.indices], turned.indices, turned.indptr), shape=turned.shape[::-1])
        columns.data[turned.indptr[-2]:] *= INTERCEPT_UNIT
        both, squares = penalty.l1 + penalty.l2, float(response @ response)
        with silent_warnings(ConvergenceWarning):  # what a step leaves, the next one finds
            _, there, _ = enet_path(columns, response, l1_ratio=penalty.l1 / both, alphas=[both / len(response)],
                                    coef_init=here / units, tol=min(left / max(squares, TINY), LOOSEST_GAP),
                                    max_iter=MOST_SWEEPS, check_input=False)
        # Equal columns share what the first of them has got: rows to come need not have it.
        shared = np.bincount(self._alike, there[:, 0] * units) / np.bincount(self._alike)
        return np.asarray(shared[self._alike] - here)

    def _by_conjugate_gradients(self, here: np.ndarray, weight: np.ndarray, slopes: np.ndarray, penalty: Penalty) -> np.ndarray:
        """The move (p + 1,) to the minimum of the quadratic model, nearly."""
        from scipy.sparse.linalg import LinearOperator, cg

        values, turned = self.likelihood.values, self._turned
        ridge = np.append(np.full(len(here) - 1, penalty.l2), 0.0)
        diagonal = self._squared @ weight + ridge
        scale = 1 / np.where(diagonal > 0, diagonal, 1.0)
        shape = (len(here), len(here))
        curvature = LinearOperator(shape, lambda move: turned @ (weight * (values @ move)) + ridge * move, dtype=np.float64)
        nearly = LinearOperator(shape, lambda move: scale * move, dtype=np.float64)
        move, _ = cg(curvature, -(slopes + ridge * here), rtol=FORCING, maxiter=MOST_PRODUCTS, M=nearly)
        return np.asarray(move)
