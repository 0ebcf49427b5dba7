"""Base of the linear estimators that search a grid: the matrix, its scale, the inner folds and the table of results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack, issparse
from scipy.stats import rankdata
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, check_cv

from tabbench.core.errors import BadOption
from tabbench.core.metric import Metric
from tabbench.core.process_settings import silent_warnings
from tabbench.estimators.base import TabularEstimator, TrainingRows
from tabbench.linear.rows import Folds, Rows
from tabbench.views.linear import LinearView
from tabbench.views.tails import STRAIGHT


@dataclass(frozen=True, eq=False)
class _Standard:
    """How the first columns of the view's matrix, its numbers and far ends, are standardised by weight."""

    mean: np.ndarray
    deviation: np.ndarray

    @classmethod
    def of(cls, view: LinearView, values: Any, weight: np.ndarray | None) -> _Standard:
        if weight is None:  # the view has done it
            return cls(np.zeros(0), np.ones(0))
        is_scaled = np.concatenate([~view.expansion.is_boolean, np.ones(len(view.far_columns), dtype=bool)])
        numbers = _dense(values[:, :len(is_scaled)])
        mean = np.average(numbers, axis=0, weights=weight)
        deviation = np.sqrt(np.average((numbers - mean) ** 2, axis=0, weights=weight))
        return cls(np.where(is_scaled, mean, 0.0), np.where(is_scaled & (deviation > np.finfo(float).eps), deviation, 1.0))

    def apply(self, values: Any) -> Any:
        """The matrix (n, p), dense or CSR as it was."""
        if not len(self.mean):
            return values
        width = len(self.mean)
        return _joined((_dense(values[:, :width]) - self.mean) / self.deviation, values[:, width:])


class GridSearched(TabularEstimator):
    """Base of classifier and regressor: the matrix, the folds and the table of results."""

    def _prepare(self, rows: TrainingRows) -> Rows:
        view = LinearView.fit(rows.features, self._columns, self._seed())
        self._view: LinearView = view
        values = view.transform(rows.features)
        names = np.array(values.names, dtype=object)
        self.column_names_ = names if self.scale else np.delete(names, view.far_columns)
        if self.scale:
            self._standard = _Standard.of(view, values.values, rows.weight)
            matrix = self._standard.apply(values.values)
        else:
            matrix = self._unscaled(values.values, rows.features)
        return Rows(matrix, rows.target, np.ones(len(rows)) if rows.weight is None else rows.weight)

    def _values(self, X: Any) -> Any:
        """Return new rows in the columns of the model, of shape (m, p)."""
        features = self._read_features(X)
        values = self._view.transform(features).values
        return self._standard.apply(values) if self.scale else self._unscaled(values, features)

    def _unscaled(self, values: Any, features: Any) -> Any:
        """Return numbers in their own units minus their training medians, which replace missing ones, without outlier columns.

        A column far from zero is nearly a multiple of the intercept's, and the solver could not tell the two apart.
        """
        numbers = self._view.expansion.expand(features).numbers - self._view.scale.center
        numbers[np.isnan(numbers)] = 0.0
        return _joined(numbers, values[:, numbers.shape[1] + len(self._view.far_columns):])

    def _set_coefficients(self, coefficients: np.ndarray, intercept: Any, matrix: Any, features: Any) -> None:
        """Set the coefficients of the model's columns and, where there are such, those of the columns of X in their own units.

        What finds `coef_` takes it for the latter: scikit-learn's selectors, and explainers of linear models.
        """
        self.column_coef_, self.column_intercept_ = coefficients, self._intercept(intercept, coefficients)
        self.feature_importances_ = self._importances(coefficients, matrix)
        self.__dict__.pop("coef_", None)
        self.__dict__.pop("intercept_", None)
        if self._is_linear_in(features):
            slope, offset = self._straight_lines()
            names = list(self._view.expansion.number_names)
            self.coef_ = (coefficients * slope)[..., [names.index(column.name) for column in self._columns]]
            self.intercept_ = self.column_intercept_ + coefficients @ offset

    def _importances(self, coefficients: np.ndarray, matrix: Any) -> np.ndarray:
        """Return for each column of X the sum of the absolute effects, a standard deviation each, of what is made of it."""
        squares = matrix.multiply(matrix) if issparse(matrix) else matrix**2
        deviation = np.sqrt(np.maximum(np.asarray(squares.mean(axis=0)) - np.asarray(matrix.mean(axis=0)) ** 2, 0.0)).ravel()
        effect = np.abs(np.atleast_2d(coefficients)).sum(axis=0) * deviation
        return np.bincount(self._sources(), weights=effect, minlength=len(self._columns))

    def _sources(self) -> np.ndarray:
        """Return for each column of the model the position of the column of X that it is made of."""
        view, place = self._view, {column.name: position for position, column in enumerate(self._columns)}
        numbers = np.repeat(np.arange(len(place)), [len(view.expansion.names_of(column)) for column in self._columns])
        far = numbers[view.tails.columns] if self.scale else numbers[:0]
        one_hot = [np.full(levels.n_codes + levels.has_missing, place[name]) for name, levels in view.expansion.levels.items()]
        return np.concatenate([numbers, far, numbers[view.gaps], *one_hot]).astype(np.int64)

    def _is_linear_in(self, features: Any) -> bool:
        """Return whether the model is linear in the columns of X: numbers, none missing, none so far out that it is drawn in."""
        expansion, kinds = self._view.expansion, [(column.kind, column.levels) for column in self._columns]
        if set(kinds) - {("number", ()), ("boolean", ())} or len(self._view.gaps) or len(self._view.tails.columns):
            return False
        if set(expansion.number_names) != {column.name for column in self._columns} or not self.scale:
            return not self.scale
        scaled = np.abs(self._view.scale.apply(expansion.expand(features).numbers)[:, ~expansion.is_boolean])
        return bool((scaled <= STRAIGHT).all())

    def _straight_lines(self) -> tuple[np.ndarray, np.ndarray]:
        """Return slope and offset (p,) of each column of the model as a function of the column of X that it is made of."""
        view = self._view
        if not self.scale:
            return np.ones(len(view.scale.center)), np.zeros(len(view.scale.center))
        slope = 1 / (view.scale.scale * view.deviation)
        offset = -(view.scale.center / view.scale.scale + view.mean) / view.deviation
        if len(self._standard.mean):
            slope, offset = slope / self._standard.deviation, (offset - self._standard.mean) / self._standard.deviation
        return slope, offset

    def _intercept(self, intercept: Any, coefficients: np.ndarray) -> Any:
        """Return the intercept for numbers as given: of shape () or (k,), for coefficients of shape (p,) or (k, p)."""
        if self.scale:
            return intercept
        center = self._view.scale.center
        return intercept - coefficients[..., :len(center)] @ center

    def _folds(self, y: Any, sample_weight: Any, groups: Any) -> Folds:
        """Return (training, validation) positions among the rows of positive weight."""
        y = np.asarray(y)
        cv = _possible_folds(self.cv, y, self._is_regression)
        splitter = (_grouped_folds(cv, groups, self._is_regression) if groups is not None and isinstance(cv, int) else
                    check_cv(cv, y, classifier=not self._is_regression))
        with silent_warnings(UserWarning):  # of a class with fewer rows than folds, which gets a small probability
            parts = list(splitter.split(np.zeros((len(y), 1)), y, groups))
        kept = np.broadcast_to(True if sample_weight is None else np.asarray(sample_weight) > 0, len(y))  # a number is all rows'
        position = np.cumsum(kept) - 1
        folds = [tuple(position[part][kept[part]] for part in map(np.asarray, each)) for each in parts]
        usable = [(fit, valid) for fit, valid in folds if len(fit) and len(valid)]
        if not usable:
            raise BadOption("cv leaves no fold with rows to learn from and rows to judge by; give more rows or another cv")
        return usable

    def _results(self, points: list[dict[str, Any]], scores: np.ndarray, metric: Metric) -> int:
        """Set the attributes of the results from the scores (points, folds); return the position of the best point."""
        means = scores.mean(axis=1)
        losses = np.array([metric.loss(mean) for mean in means])
        best = int(np.nanargmin(losses)) if np.isfinite(losses).any() else 0
        self.cv_results_: dict[str, Any] = {"params": points}
        self.cv_results_ |= {f"param_{name}": _column([point[name] for point in points]) for name in points[0]}
        self.cv_results_ |= {f"split{fold}_test_score": column for fold, column in enumerate(scores.T)}
        self.cv_results_ |= {"mean_test_score": means, "std_test_score": scores.std(axis=1),
                             "rank_test_score": rankdata(np.nan_to_num(losses, nan=np.inf), method="min").astype(np.int32)}
        self.best_index_, self.best_params_, self.best_score_ = best, points[best], float(means[best])
        return best


def _possible_folds(cv: Any, y: np.ndarray, is_regression: bool) -> Any:
    """Return `cv`, with a number of folds reduced to what the rows allow."""
    if cv is not None and not isinstance(cv, (int, np.integer)):
        return cv
    wanted = 5 if cv is None else int(cv)
    return min(wanted, len(y) if is_regression else max(2, int(np.unique(y, return_counts=True)[1].max())))


def _grouped_folds(folds: int, groups: Any, is_regression: bool) -> Any:
    """Return a splitter that never divides a group, with no more folds than there are groups."""
    n_groups = len(pd.unique(pd.Series(groups)))
    if n_groups < 2:
        raise BadOption("groups holds one group only, which leaves no rows to judge by; give at least two, or leave groups out")
    return (GroupKFold if is_regression else StratifiedGroupKFold)(min(folds, n_groups))


def _column(values: list[Any]) -> np.ndarray:
    return np.array(values, dtype=float if isinstance(values[0], float) else object)


def _joined(numbers: np.ndarray, rest: Any) -> Any:
    """Concatenate the columns of both, dense or CSR as `rest` is, since the columns of levels may be too many to be dense."""
    if isinstance(rest, np.ndarray):
        return np.concatenate([numbers, rest], axis=1)
    return hstack([csr_array(numbers), rest], format="csr")


def _dense(values: Any) -> np.ndarray:
    return values if isinstance(values, np.ndarray) else np.asarray(values.toarray())
