"""What all public estimators share: reading X and y, weights, seeds and threads, and answers in the original labels.

How X becomes typed columns is in `features.py`. Knows no approach; what is learnt is each estimator's own business.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from joblib import effective_n_jobs
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_array, check_consistent_length, check_is_fitted, validate_data

from tabbench.approaches.composed import find_approach
from tabbench.core.approach import Approach, FittedApproach, Settings, TrainingSet, ViewName, Workload
from tabbench.core.errors import BadData, BadOption, MissingExtra, UserMistake
from tabbench.core.frames import as_frame, is_foreign_frame
from tabbench.core.given import GivenRows
from tabbench.core.parts import Parts
from tabbench.core.process_settings import limited_threads
from tabbench.core.task import Task
from tabbench.core.versions import tabbench_version
from tabbench.estimators.features import (
    column_names,
    dense,
    fit_columns,
    given_rows,
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
    given : GivenRows
        The same rows as they were given, for an estimator of the user's own.
    """

    features: pd.DataFrame
    target: np.ndarray
    task: Task
    weight: np.ndarray | None
    group: np.ndarray | None
    given: GivenRows

    def __len__(self) -> int:
        return len(self.target)


class TabularEstimator(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of all estimators: reads arrays and frames with columns of any kind. NaN is a missing value, infinity is an error.

    A subclass has the parameters `random_state` and `n_jobs`. Its `fit` calls `_read_training` and one of `_fit_view`,
    `_training_set` and `_fit_approach`; its `predict` calls `_matrix`.
    """

    _model: Any

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.sparse = True
        return tags

    def __getstate__(self) -> Any:
        state = {**super().__getstate__(), "_written_by": tabbench_version()}
        if self._is_saved_as_parts():
            state["_model"] = state["_model"].to_parts()  # plain arrays and texts, which skops can write, too
        return state

    def __setstate__(self, state: Any) -> None:
        written_by = state.pop("_written_by", None)
        if written_by != tabbench_version():
            writer = written_by or "of an unknown version"
            warnings.warn(f"this {type(self).__name__} was written by tabbench {writer} and is read by {tabbench_version()}; "
                          "fit it again, or its predictions may differ", UserWarning, stacklevel=2)
        super().__setstate__(state)
        parts: Any = vars(self).get("_model")
        if isinstance(parts, Parts):
            self._model = self._restored(parts)

    def _is_saved_as_parts(self) -> bool:
        return "_model" in vars(self) and getattr(self, "_approach_name", None) is not None

    def _restored(self, parts: Parts) -> Any:
        restore = find_approach(str(self._approach_name)).restore
        assert restore is not None, "only what can be restored is taken apart"
        return restore(parts)

    def _read_training(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> TrainingRows:
        """Read and check the arguments of `fit`; sets `n_features_in_` and, for frames, `feature_names_in_`.

        Raises
        ------
        ValueError, TypeError
            X or y is not valid input for scikit-learn, or X holds infinity.
        """
        given_y = y
        y = validate_data(self, "no_validation", y, y_numeric=self._is_regression)
        if pd.isna(y).any():  # None and pandas' NA among labels, which scikit-learn does not look for
            raise ValueError("Input y contains NaN; leave out the rows without a target")
        X = self._checked(X, reset=True)  # after y, whose validation forgets the names of columns
        check_consistent_length(X, y)
        weight = None if sample_weight is None else _check_sample_weight(sample_weight, X, dtype=np.float64,
                                                                         ensure_non_negative=True)
        group = None if groups is None else np.unique(_labels(groups, X), return_inverse=True)[1]
        features, self._columns = learn_columns(split_columns(X), column_names(X, self.n_features_in_))
        given, (target, task) = given_rows(X, given_y), self._read_target(y)
        if weight is not None and (weight == 0).any():  # as if the rows were not there, but for the names of their classes
            kept = np.flatnonzero(weight > 0)
            features, target, weight = features.iloc[kept].reset_index(drop=True), target[kept], weight[kept]
            given, group = given.take(kept, with_target=True), None if group is None else group[kept]
        _require_rows(len(target))
        return TrainingRows(features, target, task, None if weight is None or (weight == 1).all() else weight, group, given)

    def _fit_view(self, name: ViewName, rows: TrainingRows, seed: int) -> Any:
        """Fit a view on the training rows, keep it and return the rows' matrix in it; `given` are the rows as they came."""
        self._view: FittedView = fit_view(name, rows.features, self._columns, seed)
        return rows.given if name == "given" else self._view.transform(rows.features)

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
        self._approach_name = approach.name if _is_registered(approach) else None
        workload = Workload(effort, len(rows), rows.features.shape[1], rows.task.n_classes)
        training = self._training_set(approach.view, rows, approach.settings(workload),
                                      device if approach.uses_device else "cpu")
        with limited_threads(training.threads):  # the number of cores must not change a number
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
        X = as_frame(X) if is_foreign_frame(X) and not hasattr(X, "to_arrow") else X
        if not is_frame(X):
            valid = validate_data(self, X, reset=reset, dtype=None, ensure_all_finite=False, accept_sparse=True)
            return dense(valid) if issparse(valid) else valid
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

    def _by_column(self, importances: np.ndarray) -> np.ndarray:
        """Sum the importances of the columns of the trees' view by column of X."""
        return np.bincount(self._sources(), weights=importances, minlength=self.n_features_in_)

    def _largest_by_column(self, importances: np.ndarray) -> np.ndarray:
        """Take the largest of the importances of the columns of the trees' view by column of X; 0 where it has none."""
        largest = np.zeros(self.n_features_in_)
        np.maximum.at(largest, self._sources(), importances)
        return largest

    def _sources(self) -> np.ndarray:
        """Return the column of X that each column of the trees' view comes from."""
        view: Any = self._view
        widths = [len(view.expansion.names_of(column)) for column in self._columns]
        is_coded = np.array([column.kind == "category" for column in self._columns])
        # The view holds all numbers first, then the codes.
        return np.concatenate([np.repeat(np.arange(len(widths)), widths), np.flatnonzero(is_coded)])

    def _weighed(self, rows: TrainingRows) -> TrainingRows:
        """Return the rows with weights times those of their classes; only classifiers have such."""
        return rows

    @property
    def _is_regression(self) -> bool:
        raise NotImplementedError

    def _read_target(self, y: np.ndarray) -> tuple[np.ndarray, Task]:
        raise NotImplementedError


class TabularClassifier(ClassifierMixin, TabularEstimator):  # type: ignore[misc]
    """Base of the classifiers."""

    classes_: np.ndarray
    class_weight: Any = None

    def _weighed(self, rows: TrainingRows) -> TrainingRows:
        return self._weighed_by_class(rows, self.class_weight)

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

    def _weighed_by_class(self, rows: TrainingRows, class_weight: Any) -> TrainingRows:
        """Return the rows with weights times those of their classes: of a dict, "balanced", or one for None.

        Raises
        ------
        BadOption
            A weight is not positive, or not finite.
        """
        if class_weight is None:
            return rows
        try:
            by_code = compute_class_weight(class_weight, classes=self.classes_, y=self.classes_[rows.target],
                                           sample_weight=rows.weight)
        except ValueError as error:
            raise BadOption(f"class_weight must be None, 'balanced' or weights of the labels of y, not {class_weight!r} ({error})"
                            ) from error
        if not (np.isfinite(by_code).all() and (by_code > 0).all()):
            raise BadOption(f"class_weight must give finite weights above 0, not {class_weight!r}")
        return replace(rows, weight=by_code[rows.target] * (1.0 if rows.weight is None else rows.weight))

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Predict logarithms of class probabilities.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows to predict, with the columns of the training rows.

        Returns
        -------
        logarithms : ndarray of shape (n_samples, n_classes)
            Natural logarithms of the class probabilities in the order of `classes_`; minus infinity where one is 0.
        """
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(self.predict_proba(X)))

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
        matrix = self._matrix(X)  # which refuses an estimator that is not fitted, before there is a model
        return np.asarray(self._model.predict(matrix))

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
    """Base of the regressors."""

    @property
    def _is_regression(self) -> bool:
        return True

    def _read_target(self, y: np.ndarray) -> tuple[np.ndarray, Task]:
        metrics = choose_metrics("regression", None)
        return np.asarray(y, dtype=np.float64), Task("regression", (), metrics[0], metrics)

    def predict(self, X: Any) -> np.ndarray:
        """Predict the target.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows to predict, with the columns of the training rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predictions in the units of the target.
        """
        matrix = self._matrix(X)  # which refuses an estimator that is not fitted, before there is a model
        return np.asarray(self._model.predict(matrix))


def _is_registered(approach: Approach) -> bool:
    """Return whether an approach is found by its name, neither the user's own nor under another name, and can be restored."""
    try:
        return find_approach(approach.name).restore is not None
    except UserMistake:
        return False


def _load(approach: Approach) -> None:
    for module in approach.requires:
        why = why_it_does_not_load(module)
        if why is not None:
            package = distribution_of(module)
            raise MissingExtra(f"{approach.name} needs the package {package}, which does not load ({why}); pip install {package}")


def _labels(groups: Any, X: Any) -> np.ndarray:
    labels = np.asarray(groups)
    check_consistent_length(X, labels)
    if labels.dtype == object and pd.isna(labels).any():
        raise BadData("groups holds None; give every row a group, each one of its own where it belongs to none")
    return labels


def _require_rows(rows: int) -> None:
    if rows < FEWEST_ROWS:
        raise ValueError(f"Found array with {rows} sample(s) of positive weight while a minimum of {FEWEST_ROWS} is required")
