"""Measures the grid-searched linear models against `GridSearchCV` over the same grid and the same folds, on one thread."""

from __future__ import annotations

import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import ElasticNet, LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from tabbench.estimators.linear import DEFAULT_STRENGTHS, ElasticNetGridRegressor, LogisticGridClassifier
from tabbench.reading.reading import read_table
from tabbench.reading.target import read_target
from tabbench.views import fit_view

Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""

FOLDS = 5
ALPHAS, L1_RATIOS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0), (0.1, 0.5, 0.9, 1.0)
MOST_ITERATIONS = 1000
"""Of scikit-learn's classifiers; `saga` is often still on its way then."""
TIGHT, MOST_SWEEPS = 1e-7, 100_000
"""Of its coordinate descent, which on diamonds' nearly equal columns is far from the end after 1,000 sweeps."""


def linear_rows(X: np.ndarray, y: np.ndarray, name: str) -> list[Row]:
    """Seconds and best scores on a numeric matrix (n, p), for labels or, where `y` is of floats, numbers."""
    is_regression = y.dtype.kind == "f"
    folds = (KFold if is_regression else StratifiedKFold)(FOLDS, shuffle=True, random_state=0)
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of solvers that do not converge
        theirs, their_seconds = _timed(_theirs(is_regression, len(np.unique(y)) == 2, folds), X, y)
        own = (ElasticNetGridRegressor(ALPHAS, l1_ratios=L1_RATIOS, cv=folds, scale=False) if is_regression
               else LogisticGridClassifier(cv=folds, scale=False))
        ours, our_seconds = _timed(own, X, y)
    what = f"{name}: {X.shape[0]:,} rows × {X.shape[1]} columns"
    return [(f"grid search, {what}, CPU time of GridSearchCV against ours",
             f"{their_seconds / our_seconds:.1f} × ({their_seconds:.1f} s against {our_seconds:.1f} s)", "≥ 5 ×"),
            ("the same, our best mean inner loss minus theirs, as a share",
             f"{-ours.best_score_ / theirs.best_score_ - 1:+.1e}", "≤ 1e-4")]


def _theirs(is_regression: bool, is_binary: bool, folds: Any) -> GridSearchCV:
    """scikit-learn's grid search with the fastest solver that it has for each penalty."""
    if is_regression:
        learner, grid = ElasticNet(max_iter=MOST_SWEEPS, tol=TIGHT), {"alpha": ALPHAS, "l1_ratio": L1_RATIOS}
        return GridSearchCV(learner, grid, cv=folds, scoring="neg_root_mean_squared_error")
    sparse = {"solver": ["liblinear"], "l1_ratio": [1.0]} if is_binary else {"solver": ["saga"], "l1_ratio": [1.0]}
    grids = [each | {"C": DEFAULT_STRENGTHS}
             for each in ({"solver": ["lbfgs"]}, sparse, {"solver": ["saga"], "l1_ratio": [0.5]})]
    return GridSearchCV(LogisticRegression(max_iter=MOST_ITERATIONS), grids, cv=folds, scoring="neg_log_loss")


def _timed(learner: Any, X: np.ndarray, y: np.ndarray) -> tuple[Any, float]:
    start = time.process_time()
    return learner.fit(X, y), time.process_time() - start


def matrix(path: str, target: str) -> tuple[np.ndarray, np.ndarray]:
    """A file's features in the linear view, and its target as integer codes or, for regression, floats."""
    read = read_target(read_table(path, target), "auto", FOLDS)
    table = read.table
    values = fit_view("linear", table.features, table.columns, seed=0).transform(table.features).values
    return np.asarray(values if isinstance(values, np.ndarray) else values.toarray()), read.values


def main() -> None:
    """`bench_linear.py FILE TARGET [ROWS]`: print the rows for one table."""
    X, y = matrix(sys.argv[1], sys.argv[2])
    kept = np.sort(np.random.default_rng(0).permutation(len(X))[:int(sys.argv[3])]) if len(sys.argv) > 3 else slice(None)
    for row in linear_rows(X[kept], y[kept], Path(sys.argv[1]).stem):
        print(" | ".join(row))


if __name__ == "__main__":
    main()
