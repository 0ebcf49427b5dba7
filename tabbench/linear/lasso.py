"""Logistic regression of two classes with an L1 penalty: proximal Newton steps on the columns that matter.

The method is that of Friedman, Hastie and Tibshirani (doi:10.18637/jss.v033.i01), with a line search added. Knows no grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tabbench.linear.squares import Squares

SMALLEST_CURVATURE = 1e-5
"""Rows predicted with near certainty keep this much curvature: the quadratic model stays bounded."""
RELATIVE_DECREASE = 1e-6
"""A step that gains less than this share of the objective ends the search."""
MOST_HALVINGS = 10
"""A step that does not help at a thousandth of its length is not taken."""


@dataclass(frozen=True, eq=False)
class LassoPoint:
    """Coefficients (p,) and intercept; whether the search for them ended by itself."""

    coefficients: np.ndarray
    intercept: float
    has_converged: bool = False


@dataclass(frozen=True, eq=False)
class LassoProblem:
    """Minimise sum of weighted log losses + |coefficients|_1 / C, the intercept free.

    Parameters
    ----------
    values : (n, p) dense or CSR.   truth : (n,) zeros and ones, both present.   weight : (n,) non-negative, mean one.
    """

    values: Any
    truth: np.ndarray
    weight: np.ndarray

    def empty(self) -> LassoPoint:
        """The model without coefficients: where a path starts."""
        share = float(np.average(self.truth, weights=self.weight))
        share = min(max(share, SMALLEST_CURVATURE), 1 - SMALLEST_CURVATURE)
        return LassoPoint(np.zeros(self.values.shape[1]), float(np.log(share / (1 - share))))

    def solve(self, strength: float, start: LassoPoint, most_steps: int) -> LassoPoint:
        """The minimum for C = `strength`, from the solution of a smaller C."""
        point, logits = start, self._logits(start)
        objective = self._objective(logits, point, strength)
        for _ in range(most_steps):
            target = self._newton_target(point, logits, strength)
            target_logits = self._logits(target)
            before = objective
            for halvings in range(MOST_HALVINGS):
                length = 0.5**halvings
                trial = LassoPoint(point.coefficients + length * (target.coefficients - point.coefficients),
                                   point.intercept + length * (target.intercept - point.intercept))
                trial_logits = logits + length * (target_logits - logits)
                objective = self._objective(trial_logits, trial, strength)
                if objective < before:
                    point, logits = trial, trial_logits
                    break
            if before - objective <= RELATIVE_DECREASE * before:
                return LassoPoint(point.coefficients, point.intercept, has_converged=True)
        return point

    def _newton_target(self, point: LassoPoint, logits: np.ndarray, strength: float) -> LassoPoint:
        """The minimum of the quadratic model around a point, over columns in use and those that ask to be used."""
        from scipy.special import expit

        chance = expit(logits)
        slope = self.weight * (chance - self.truth)
        is_active = (point.coefficients != 0) | (np.abs(np.asarray(slope @ self.values)) > 1 / strength)
        active = np.flatnonzero(is_active)
        curvature = self.weight * np.maximum(chance * (1 - chance), SMALLEST_CURVATURE)
        # A row without weight has no say, and no slope to be divided by its curvature.
        working = logits - np.divide(slope, curvature, out=np.zeros_like(slope), where=curvature > 0)
        squares = Squares.of(self.values[:, active], working, curvature)
        coefficients = np.zeros_like(point.coefficients)
        if len(active):
            alphas = np.array([1 / (strength * curvature.sum())])
            coefficients[active] = squares.path(alphas, 1.0, point.coefficients[active])[:, 0]
        return LassoPoint(coefficients, squares.target_mean - float(squares.means @ coefficients[active]))

    def _logits(self, point: LassoPoint) -> np.ndarray:
        return np.asarray(self.values @ point.coefficients) + point.intercept

    def _objective(self, logits: np.ndarray, point: LassoPoint, strength: float) -> float:
        losses = np.logaddexp(0.0, logits) - self.truth * logits
        return float(self.weight @ losses + np.abs(point.coefficients).sum() / strength)
