"""Logistic regression over a grid of C x {l1, l2}: paths by warm start on inner folds, then a refit on all rows.

Knows no table and no approach; which loss decides is passed in.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from tabbench.data.probability import floored
from tabbench.linear.lasso import LassoProblem
from tabbench.linear.rows import Folds, Loss, Rows, lowest, spread_probabilities

Penalty = Literal["l1", "l2"]

MOST_NEWTON_COLUMNS = 300
"""Up to here, and for two classes, a Newton step costs less than the many quasi-Newton steps that it saves (measured)."""
SAGA_TOLERANCE = 1e-3
"""Relative change of the largest coefficient in an epoch; finer changes move no prediction that counts."""
SAGA_SEED = 0
"""The order of the visits is not a choice worth varying."""


@dataclass(frozen=True, eq=False)
class LogisticModel:
    """Coefficients (k, p) and intercepts (k,); k is 1 for two classes, else their number."""

    coefficients: np.ndarray
    intercepts: np.ndarray
    has_converged: bool = True

    def predict(self, values: Any) -> np.ndarray:
        """Float64 (m, classes), rows summing to one, nothing quite certain."""
        from scipy.special import expit, softmax

        logits = np.asarray(values @ self.coefficients.T) + self.intercepts
        if logits.shape[1] > 1:
            return floored(softmax(logits, axis=1))
        return floored(np.concatenate([expit(-logits), expit(logits)], axis=1))


@dataclass(frozen=True)
class LogisticGrid:
    """What is tried. `strengths` holds ascending values of C for each penalty.

    Work is capped, not awaited: quasi-Newton iterations (l2), Newton steps (l1 of two classes) and epochs (l1 of more).
    """

    strengths: dict[Penalty, tuple[float, ...]]
    most_iterations: int
    most_steps: int
    most_epochs: int

    @property
    def points(self) -> list[tuple[Penalty, float]]:
        """All candidates, in the order in which the paths visit them."""
        return [(penalty, strength) for penalty, strengths in self.strengths.items() for strength in strengths]


def logistic_path(rows: Rows, penalty: Penalty, strengths: Sequence[float], grid: LogisticGrid) -> list[LogisticModel]:
    """One model for each C, ascending, each started from the one before.

    Every code from 0 to the largest occurs in the rows, at least two of them.
    """
    from sklearn.linear_model import LogisticRegression

    is_binary = rows.target.max() == 1
    if penalty == "l1" and is_binary:
        return _lasso_path(rows, strengths, grid.most_steps)
    if penalty == "l1":
        learner = LogisticRegression(l1_ratio=1.0, solver="saga", tol=SAGA_TOLERANCE, max_iter=grid.most_epochs,
                                     warm_start=True, random_state=SAGA_SEED)
    else:
        solver = "newton-cholesky" if is_binary and rows.values.shape[1] <= MOST_NEWTON_COLUMNS else "lbfgs"
        learner = LogisticRegression(solver=solver, max_iter=grid.most_iterations, warm_start=True)
    return _library_path(rows, strengths, learner)


def choose_logistic(rows: Rows, n_classes: int, folds: Folds, grid: LogisticGrid,
                    loss: Loss) -> tuple[tuple[Penalty, float], float]:
    """The candidate with the lowest loss of the pooled out-of-fold predictions, and that loss.

    Of equal candidates the first, which is the more strongly penalised, wins. A class that a fold's fit part lacks gets the
    probability 1 / (n + classes).
    """
    valid_rows = np.concatenate([valid for _, valid in folds])
    predictions = np.concatenate([_fold_predictions(rows, n_classes, fold, grid) for fold in folds], axis=1)
    truth, weight = rows.target[valid_rows], rows.weight[valid_rows]
    losses = np.array([loss(truth, each, weight) for each in predictions])
    best = lowest(losses)
    return grid.points[best], float(losses[best])


def _fold_predictions(rows: Rows, n_classes: int, fold: tuple[np.ndarray, np.ndarray], grid: LogisticGrid) -> np.ndarray:
    """Of every candidate for the validation rows: (candidates, m, n_classes)."""
    fit_rows, valid_rows = fold
    some, valid_values = rows.take(fit_rows), rows.values[valid_rows]
    present, codes = np.unique(some.target, return_inverse=True)
    some = Rows(some.values, codes, some.weight)
    models = [model for penalty, strengths in grid.strengths.items() for model in logistic_path(some, penalty, strengths, grid)]
    return np.stack([spread_probabilities(model.predict(valid_values), present, n_classes, len(some)) for model in models])


def _lasso_path(rows: Rows, strengths: Sequence[float], most_steps: int) -> list[LogisticModel]:
    problem = LassoProblem(rows.values, rows.target, rows.weight)
    models: list[LogisticModel] = []
    point = problem.empty()
    for strength in strengths:
        point = problem.solve(strength, point, most_steps)
        models.append(LogisticModel(point.coefficients[None], np.array([point.intercept]), point.has_converged))
    return models


def _library_path(rows: Rows, strengths: Sequence[float], learner: Any) -> list[LogisticModel]:
    from scipy.linalg import LinAlgWarning
    from sklearn.exceptions import ConvergenceWarning

    models = []
    for strength in strengths:
        with warnings.catch_warnings():
            # The cap is known and recorded; an ill-conditioned Newton step ends in the library's own quasi-Newton one.
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.simplefilter("ignore", LinAlgWarning)
            learner.set_params(C=strength).fit(rows.values, rows.target, sample_weight=rows.weight)
        has_converged = bool(learner.n_iter_.max() < learner.max_iter)
        models.append(LogisticModel(learner.coef_.copy(), learner.intercept_.copy(), has_converged))
    return models
