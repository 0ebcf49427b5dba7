"""Measures the grid-searched linear models against the fastest rivals over the same grid and the same folds, on one thread.

The rivals: for an elastic net scikit-learn's `ElasticNetCV` with a precomputed Gram matrix; for logistic regression its
`LogisticRegressionCV` with the solver "newton-cholesky" for the l2 penalty and "liblinear" for l1, both started warm along the
path of C; and glum, where it is installed. A second row compares the best losses: time gained by stopping early is no gain.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from sklearn.linear_model import ElasticNetCV, LogisticRegressionCV
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold
from threadpoolctl import threadpool_limits

from tabbench.estimators.linear import DEFAULT_STRENGTHS, ElasticNetGridRegressor, LogisticGridClassifier
from tabbench.reading.reading import read_table
from tabbench.reading.target import read_target
from tabbench.views import fit_view

Row = tuple[str, str, str]
"""What was measured, the figure, the goal."""

Folds = list[tuple[np.ndarray, np.ndarray]]

FOLDS = 5
ALPHAS, L1_RATIOS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0), (0.1, 0.5, 0.9, 1.0)
MOST_ITERATIONS = 10_000
"""Of the rivals; with their defaults of 100 and 1,000 some end before their own tolerance is met."""
TIGHT = 1e-6
"""Of `ElasticNetCV`; with its default of 1e-4 its losses on nearly equal columns, as in diamonds, miss the goal."""
ROUNDS = 3
"""Ours and theirs are fitted in turn so many times, so that what else the machine does meets both."""
OTHER_PROBLEM = "none: it penalizes the intercept, too"
HAS_GLUM = find_spec("glum") is not None


@dataclass(frozen=True)
class Case:
    """One grid: what it is called, our search, and by name the rivals, each giving its best mean loss over folds."""

    name: str
    ours: Any
    rivals: dict[str, Callable[[np.ndarray, np.ndarray], float]]


def linear_rows(X: np.ndarray, y: np.ndarray, name: str) -> list[Row]:
    """Processor seconds and best losses on a numeric matrix (n, p), for labels or, where `y` is of floats, numbers."""
    is_regression = y.dtype.kind == "f"
    splitter = (KFold if is_regression else StratifiedKFold)(FOLDS, shuffle=True, random_state=0)
    folds = list(splitter.split(X, y))
    cases = [_elastic_net(folds)] if is_regression else list(_logistic(folds, len(np.unique(y)) == 2))
    what = f"{name}: {X.shape[0]:,} rows × {X.shape[1]} columns"
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of solvers that do not converge
        return [row for case in cases for rival in case.rivals for row in _rows(case, rival, X, y, what)]


def _rows(case: Case, rival: str, X: np.ndarray, y: np.ndarray, what: str) -> Iterator[Row]:
    ours, theirs = [], []
    for _ in range(ROUNDS):
        model, seconds = _timed(case.ours.fit, X, y)
        ours.append(seconds)
        best, seconds = _timed(case.rivals[rival], X, y)
        theirs.append(seconds)
    ratio = median(their / own for their, own in zip(theirs, ours, strict=True))
    yield (f"{case.name}, {what}, processor seconds of {rival} against ours",
           f"{ratio:.1f} × ({median(theirs):.2f} s against {median(ours):.2f} s)", "≥ 1 ×")
    goal = OTHER_PROBLEM if rival == "liblinear" else "≤ 1e-4"
    yield "the same, our best mean inner loss minus theirs, as a share", f"{model.best_score_ / best - 1:+.1e}", goal


def _elastic_net(folds: Folds) -> Case:
    def coordinate_descent(X: np.ndarray, y: np.ndarray) -> float:
        model = ElasticNetCV(l1_ratio=L1_RATIOS, alphas=ALPHAS, precompute=True, cv=folds, max_iter=MOST_ITERATIONS,
                             tol=TIGHT).fit(X, y)
        return float(np.sqrt(model.mse_path_).mean(axis=-1).min())

    def glum(X: np.ndarray, y: np.ndarray) -> float:
        model = _glum("normal", L1_RATIOS, ALPHAS, folds).fit(X, y)
        return float(np.sqrt(model.deviance_path_).mean(axis=0).min())  # (folds, mixtures, alphas)

    rivals = {"ElasticNetCV": coordinate_descent} | ({"glum": glum} if HAS_GLUM else {})
    return Case("elastic net", ElasticNetGridRegressor(ALPHAS, l1_ratios=L1_RATIOS, cv=folds, scale=False), rivals)


def _logistic(folds: Folds, is_binary: bool) -> Iterator[Case]:
    """A case for each penalty that a fast rival has; with more than two classes that is l2 alone."""
    for penalty, solver, l1_ratio in (("l2", "newton-cholesky", 0.0), ("l1", "liblinear", 1.0)):
        if not is_binary and penalty == "l1":
            continue
        rivals = {solver: _path(solver, l1_ratio, folds)}
        if HAS_GLUM and is_binary:
            rivals["glum"] = _glum_path(l1_ratio, folds)
        yield Case(f"logistic regression, {penalty}", LogisticGridClassifier(penalties=(penalty,), cv=folds, scale=False), rivals)


def _path(solver: str, l1_ratio: float, folds: Folds) -> Callable[[np.ndarray, np.ndarray], float]:
    def fit(X: np.ndarray, y: np.ndarray) -> float:
        model = LogisticRegressionCV(Cs=DEFAULT_STRENGTHS, l1_ratios=(l1_ratio,), solver=solver, cv=folds, scoring="neg_log_loss",
                                     max_iter=MOST_ITERATIONS, use_legacy_attributes=False).fit(X, y)
        return float(-model.scores_.mean(axis=0).max())

    return fit


def _glum_path(l1_ratio: float, folds: Folds) -> Callable[[np.ndarray, np.ndarray], float]:
    def fit(X: np.ndarray, y: np.ndarray) -> float:
        from glum import GeneralizedLinearRegressor

        losses = np.empty((len(folds), len(DEFAULT_STRENGTHS)))
        for number, (train, test) in enumerate(folds):
            model = GeneralizedLinearRegressor(family="binomial", l1_ratio=l1_ratio, warm_start=True, max_iter=MOST_ITERATIONS)
            for place, strength in enumerate(DEFAULT_STRENGTHS):
                model.set_params(alpha=1 / (strength * len(train))).fit(X[train], y[train].astype(float))
                losses[number, place] = log_loss(y[test], model.predict(X[test]))
        best = DEFAULT_STRENGTHS[int(losses.mean(axis=0).argmin())]
        GeneralizedLinearRegressor(family="binomial", l1_ratio=l1_ratio, alpha=1 / (best * len(y)),
                                   max_iter=MOST_ITERATIONS).fit(X, y.astype(float))
        return float(losses.mean(axis=0).min())

    return fit


def _glum(family: str, l1_ratios: tuple[float, ...], alphas: tuple[float, ...], folds: Folds) -> Any:
    from glum import GeneralizedLinearRegressorCV

    return GeneralizedLinearRegressorCV(family=family, l1_ratio=list(l1_ratios), alphas=sorted(alphas, reverse=True), cv=folds,
                                        max_iter=MOST_ITERATIONS)


def _timed(fit: Callable[..., Any], X: np.ndarray, y: np.ndarray) -> tuple[Any, float]:
    start = time.process_time()
    return fit(X, y), time.process_time() - start


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
