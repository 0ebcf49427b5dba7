"""What all public estimators share: reading X and y, weights, seeds and threads, and answers in the original labels.

How X becomes typed columns is in `features.py`. Knows no approach; what is learnt is each estimator's own business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from joblib import effective_n_jobs
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_array, check_consistent_length, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from tabbench.core.approach import Approach, FittedApproach, Settings, TrainingSet, ViewName, Workload
from tabbench.core.errors import MissingExtra
from tabbench.core.task import Task
from tabbench.estimators.features import (
    column_names,
    fit_columns,
    is_frame,
    learn_columns,
    split_columns,
)
from tabbench.execution.run import distribution_of, why_it_does_not_load
from tabbench.metrics.choice import choose_metrics
from tabbench.views import FittedView, fit_view

FEWEST_ROWS = 4
"""Inner folds need two rows to learn from and two to judge by."""
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, eq=False)
class TrainingRows:
    """The arguments of `fit`, read and checked, without rows of weight zero.

    Parameters
    ----------
    features : DataFrame
        Typed columns, of shape (n, p).
    target : ndarray
        Of shape (n,): int64 codes into the estimator's `classes_`, or float64.
    task : Task
        The task.
    weight : ndarray | None
        Of shape (n,); None if all weights are one.
    group : ndarray | None
        Codes of shape (n,).
    """

    features: pd.DataFrame
    target: np.ndarray
    task: Task
    weight: np.ndarray | None
    group: np.ndarray | None

    def __len__(self) -> int:
        return len(self.target)


class TabularEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of all estimators: reads arrays and frames with columns of any kind. NaN is a missing value, infinity is an error.

    A subclass has the parameters `random_state` and `n_jobs`. Its `fit` calls `_read_training` and one of `_fit_view`,
    `_training_set` and `_fit_approach`; its `predict` calls `_matrix`.
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        return tags

    def _read_training(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> TrainingRows:
        """Read and check the arguments of `fit`; sets `n_features_in_` and, for frames, `feature_names_in_`.

        Raises
        ------
        ValueError, TypeError
            X or y is not valid input for scikit-learn, or X holds infinity.
        """
        y = validate_data(self, "no_validation", y, y_numeric=self._is_regression)
        if pd.isna(y).any():  # None and pandas' NA among labels, which scikit-learn does not look for
            raise ValueError("Input y contains NaN; leave out the rows without a target")
        X = self._checked(X, reset=True)  # after y, whose validation forgets the names of columns
        check_consistent_length(X, y)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64,
                                                                         ensure_non_negative=True)
        group = None if groups is None else np.unique(_labels(groups, X), return_inverse=True)[1]
        features, self._columns = learn_columns(split_columns(X), column_names(X, self.n_features_in_))
        target, task = self._read_target(y)
        if weight is not None and (weight == 0).any():  # as if the rows were not there, but for the names of their classes
            kept = np.flatnonzero(weight > 0)
            features, target, weight = features.iloc[kept].reset_index(drop=True), target[kept], weight[kept]
            group = None if group is None else group[kept]
        _require_rows(len(target))
        return TrainingRows(features, target, task, None if weight is None or (weight == 1).all() else weight, group)

    def _fit_view(self, name: ViewName, rows: TrainingRows, seed: int) -> Any:
        """Fit a view on the training rows, keep it and return the rows' matrix in it."""
        self._view: FittedView = fit_view(name, rows.features, self._columns, seed)
        return self._view.transform(rows.features)

    def _training_set(self, view: ViewName, rows: TrainingRows, settings: Settings, device: str = "cpu") -> TrainingSet:
        """Fit the view and return the rows as an approach learns from them."""
        seed = self._seed()
        return TrainingSet(features=self._fit_view(view, rows, seed), target=rows.target, task=rows.task, settings=settings,
                           seed=seed, shared_seed=seed, weight=rows.weight, group=rows.group, threads=self._threads(),
                           device=device)

    def _fit_approach(self, approach: Approach, rows: TrainingRows, effort: float, device: str = "cpu") -> FittedApproach:
        """Fit a registered approach and its view, with the settings for an effort and the shape of the rows.

        Raises
        ------
        MissingExtra
            A package that the approach needs cannot be imported.
        """
        _load(approach)  # first, since a library that loads later is not told how many threads it may use
        workload = Workload(effort, len(rows), rows.features.shape[1], rows.task.n_classes)
        training = self._training_set(approach.view, rows, approach.settings(workload),
                                      device if approach.uses_device else "cpu")
        with threadpool_limits(training.threads):  # the number of cores must not change a number
            return approach.fit(training)

    def _matrix(self, X: Any) -> Any:
        """Return new rows in the fitted view.

        Raises
        ------
        NotFittedError
            The estimator is not fitted.
        ValueError
            X has other columns than in training, holds infinity, or holds values that do not fit their column.
        """
        features = self._read_features(X)
        return self._view.transform(features)

    def _read_features(self, X: Any) -> pd.DataFrame:
        """Return new rows, typed as the training columns."""
        check_is_fitted(self)
        return fit_columns(split_columns(self._checked(X, reset=False)), self._columns)

    def _checked(self, X: Any, *, reset: bool) -> Any:
        """Validate X by scikit-learn's rules and return it: a frame as it is, anything else as an array (n, p)."""
        if not is_frame(X):
            return validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False)
        validate_data(self, X, reset=reset, skip_check_array=True)
        if 0 in X.shape:
            check_array(np.empty(X.shape), estimator=self)  # raises what scikit-learn says of no rows or no columns
        return X

    def _seed(self) -> int:
        """Return the seed that `random_state` stands for."""
        return int(check_random_state(self.random_state).randint(LARGEST_SEED))

    def _threads(self) -> int:
        """Return the number of threads that `n_jobs` allows; None is 1 unless in a `joblib.parallel_config` context."""
        return int(effective_n_jobs(self.n_jobs))

    @property
    def _is_regression(self) -> bool:
        raise NotImplementedError

    def _read_target(self, y: np.ndarray) -> tuple[np.ndarray, Task]:
        raise NotImplementedError


class TabularClassifier(ClassifierMixin, TabularEstimator):  # type: ignore[misc]
    """Base of the classifiers; a subclass defines `predict_proba`."""

    classes_: np.ndarray

    @property
    def _is_regression(self) -> bool:
        return False

    def _read_target(self, y: np.ndarray) -> tuple[np.ndarray, Task]:
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"Classifier can't train when only one class is present: y holds {str(self.classes_[0])!r} only")
        kind: Any = "binary" if len(self.classes_) == 2 else "multiclass"
        metrics = choose_metrics(kind, None)
        return codes.astype(np.int64), Task(kind, tuple(str(label) for label in self.classes_), metrics[0], metrics)

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows to predict, with the columns of the training rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Class probabilities in the order of `classes_`.
        """
        raise NotImplementedError

    def predict(self, X: Any) -> np.ndarray:
        """Predict the most probable class of each row.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows to predict, with the columns of the training rows.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Class labels as they were given in training.
        """
        probabilities = self.predict_proba(X)
        return np.asarray(self.classes_[probabilities.argmax(axis=1)])


class TabularRegressor(RegressorMixin, TabularEstimator):  # type: ignore[misc]
    """Base of the regressors; a subclass defines `predict`."""

    @property
    def _is_regression(self) -> bool:
        return True

    def _read_target(self, y: np.ndarray) -> tuple[np.ndarray, Task]:
        metrics = choose_metrics("regression", None)
        return np.asarray(y, dtype=np.float64), Task("regression", (), metrics[0], metrics)


def _load(approach: Approach) -> None:
    for module in approach.requires:
        why = why_it_does_not_load(module)
        if why is not None:
            package = distribution_of(module)
            raise MissingExtra(f"{approach.name} needs the package {package}, which does not load ({why}); pip install {package}")


def _labels(groups: Any, X: Any) -> np.ndarray:
    labels = np.asarray(groups)
    check_consistent_length(X, labels)
    return labels


def _require_rows(rows: int) -> None:
    if rows < FEWEST_ROWS:
        raise ValueError(f"Found array with {rows} sample(s) of positive weight while a minimum of {FEWEST_ROWS} is required")
