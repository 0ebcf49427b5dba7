"""`ForestSelector`: scikit-learn's feature selector by corrected random-forest importance.

How X becomes typed columns is in `base.py`, how importance is corrected in `tabbench.selection`.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from tabbench.core.approach import TrainingSet, Workload
from tabbench.core.errors import BadOption
from tabbench.core.task import Task
from tabbench.estimators.base import TabularClassifier, TabularEstimator, TabularRegressor
from tabbench.estimators.features import is_frame
from tabbench.estimators.knobs import effort_of
from tabbench.options import choice
from tabbench.reading.target import MOST_CLASSES_OF_NUMBERS
from tabbench.selection.forest import fit_forest_selection, forest_settings, shadow_importances

NOISE_SPREADS = 2.5
"""A column of noise is more important than this many standard deviations of noise in one case of 160."""
NOISE_DRAWS = 30
"""So many draws of noise give its standard deviation within an eighth."""
TASKS = ("auto", "classification", "regression")


class ForestSelector(SelectorMixin, TabularEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Feature selector by random-forest importance, corrected so that noise gains nothing from having many values.

    Parameters
    ----------
    n_features : "auto", int or float, default "auto"
        Number of columns to keep, at least one. "auto" keeps those that stand out from noise; an int keeps that many, or all if
        there are fewer; a float in (0, 1] keeps that share of the columns.
    task : {"auto", "classification", "regression"}, default "auto"
        How to treat the target. "auto" treats fractional numbers, and integers with more than 20 distinct values, as regression
        and anything else as classification.
    preset : {"fast", "balanced", "thorough"}, default "balanced"
        How many trees to grow.
    effort : float or None, default None
        Number from 0.01 to 100 that replaces the preset: 0.1 is "fast", 1 is "balanced", 6 is "thorough".
    random_state : int, RandomState instance or None, default None
        Seed of the trees and of the shadow columns.
    n_jobs : int or None, default None
        Number of threads; None means 1. Results do not depend on it.

    Attributes
    ----------
    importances_ : ndarray of shape (n_features_in_,)
        Decrease of impurity due to each column minus that due to its shuffled shadow; 0 on average for noise.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Notes
    -----
    The correction by shuffled shadow columns is that of Nembrini, Koenig and Wright (doi:10.1093/bioinformatics/bty373), with
    extremely randomized trees (doi:10.1007/s10994-006-6226-1).

    "auto" estimates the spread of noise from the columns with negative importance, since the importance of noise is symmetric
    around zero (Janitza, Celik and Boulesteix, doi:10.1007/s11634-016-0276-4). If there are few of them, it grows more forests
    and estimates the spread from the shadow columns, whose importance is noise by construction.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 6))
    >>> selector = ForestSelector(random_state=0).fit(X, X[:, 2] > 0)
    >>> selector.get_support(indices=True).tolist()
    [2]
    >>> selector.transform(X).shape
    (200, 1)
    """

    def __init__(self, n_features: str | int | float = "auto", *, task: str = "auto", preset: str = "balanced",
                 effort: float | None = None, random_state: Any = None, n_jobs: int | None = None) -> None:
        self.n_features = n_features
        self.task = task
        self.preset = preset
        self.effort = effort
        self.random_state = random_state
        self.n_jobs = n_jobs

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags

    def fit(self, X: Any, y: Any) -> Self:
        """Compute the importances and choose the columns.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        BadOption
            A parameter has a value that is not allowed.
        """
        settings = forest_settings(Workload(effort_of(self.preset, self.effort), 0, 0, 0))
        task = choice("task", self.task, TASKS)
        self._learns_numbers = _are_amounts(y) if task == "auto" else task == "regression"
        rows = self._read_training(X, y)
        training: TrainingSet = self._training_set("trees", rows, settings)
        self.importances_ = self._by_column(fit_forest_selection(training.features, training).importances)
        self._order = np.argsort(-self.importances_, kind="stable")
        self._kept = self._count(training)
        return self

    def transform(self, X: Any) -> Any:
        """Keep the selected columns of X, unchanged.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows with the columns of the training rows.

        Returns
        -------
        X_selected : ndarray or DataFrame of shape (n_samples, n_selected)
            The selected columns, of a frame as a frame of the same kind, with its dtypes and index. `set_output` chooses another
            container.

        Raises
        ------
        ValueError
            X has other columns than in training, holds infinity, or holds values that do not fit their column.
        """
        self._read_features(X)
        if is_frame(X):
            kept = self.get_support(indices=True).tolist()
            return X.iloc[:, kept] if isinstance(X, pd.DataFrame) else X[[X.columns[place] for place in kept]]
        return np.asarray(X)[:, self.get_support()]

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        mask = np.zeros(self.n_features_in_, dtype=bool)
        mask[self._order[:self._kept]] = True
        return mask

    def _count(self, training: TrainingSet) -> int:
        columns = self.n_features_in_
        wanted: Any = self.n_features
        if isinstance(wanted, str) and wanted == "auto":
            return max(1, int((self.importances_ > NOISE_SPREADS * self._noise(training)).sum()))
        if isinstance(wanted, int | np.integer) and not isinstance(wanted, bool) and wanted >= 1:
            return int(min(wanted, columns))
        if isinstance(wanted, float | np.floating) and 0 < wanted <= 1:
            return int(max(1, round(wanted * columns)))
        raise BadOption(f"n_features is {wanted!r}; give 'auto', a whole number from 1 up, or a share above 0 and up to 1")

    def _noise(self, training: TrainingSet) -> float:
        """Return the standard deviation of the importance of a noise column."""
        negative = self.importances_[self.importances_ < 0]
        if len(negative) >= NOISE_DRAWS:
            return float(np.sqrt(np.mean(negative**2)))
        if self.n_features_in_ == 1:
            return 0.0  # it is kept in any case
        times = 1 + -(-NOISE_DRAWS // self.n_features_in_)
        shadows = np.array([self._by_column(each) for each in shadow_importances(training.features, training, times)])
        variances = shadows.var(axis=0, ddof=1)
        # An importance is the difference of two. Constant columns never split, and say nothing about noise.
        return float(np.sqrt(2 * variances[variances > 0].mean())) if variances.any() else 0.0

    @property
    def _is_regression(self) -> bool:
        return self._learns_numbers

    def _read_target(self, y: np.ndarray) -> tuple[np.ndarray, Task]:
        reader: Any = TabularRegressor if self._learns_numbers else TabularClassifier
        target: tuple[np.ndarray, Task] = reader._read_target(self, y)
        return target


def _are_amounts(y: Any) -> bool:
    """Return whether y is better learnt as numbers; errors in it are reported when it is read."""
    if y is None:
        return False
    values = column_or_1d(y, dtype=None)
    if pd.isna(values).any():
        return False
    kind = type_of_target(values)
    is_whole = kind == "multiclass" and pd.api.types.is_numeric_dtype(values)
    return bool(kind == "continuous" or (is_whole and len(np.unique(values)) > MOST_CLASSES_OF_NUMBERS))
