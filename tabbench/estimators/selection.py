"""Scikit-learn's feature selectors by corrected random-forest importance, by an L1 path and by each column's own F test.

How X becomes typed columns is in `base.py`, how importance is measured in `tabbench.selection`.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.feature_selection import SelectorMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from tabbench.core.approach import SELECTORS, Settings, TrainingSet, Workload
from tabbench.core.errors import BadOption
from tabbench.core.frames import columns_of, is_foreign_frame
from tabbench.core.task import Task
from tabbench.estimators.base import TabularClassifier, TabularEstimator, TabularRegressor
from tabbench.estimators.knobs import effort_of
from tabbench.options import choice
from tabbench.reading.target import MOST_CLASSES_OF_NUMBERS
from tabbench.selection.forest import fit_forest_selection, forest_settings, shadow_importances
from tabbench.selection.l1 import fit_l1_selection
from tabbench.selection.univariate import fit_univariate_selection

NOISE_SPREADS = 2.5
"""A column of noise is more important than this many standard deviations of noise in one case of 160."""
NOISE_DRAWS = 30
"""So many draws of noise give its standard deviation within an eighth."""
TASKS = ("auto", "classification", "regression")


class _ColumnSelector(SelectorMixin, TabularEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Base of the selectors; a subclass has the parameters `n_features` and `task` and says how important columns are."""

    n_features: Any
    task: str

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
        settings = self._settings()
        task = choice("task", self.task, TASKS)
        self._learns_numbers = _are_amounts(y) if task == "auto" else task == "regression"
        rows = self._read_training(X, y)
        training: TrainingSet = self._training_set("trees", rows, settings)
        self.importances_ = self._importances(training)
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
        X_selected : ndarray, sparse array or DataFrame of shape (n_samples, n_selected)
            The selected columns, of a frame as a frame of the same kind, with its dtypes and index; of a sparse matrix as a
            sparse one. `set_output` chooses another container.

        Raises
        ------
        ValueError
            X has other columns than in training, holds infinity, or holds values that do not fit their column.
        """
        self._read_features(X)
        kept = self.get_support(indices=True).tolist()
        if isinstance(X, pd.DataFrame):
            return X.iloc[:, kept]
        if is_foreign_frame(X):
            return columns_of(X, kept)
        return X.tocsr()[:, kept] if issparse(X) else np.asarray(X)[:, kept]

    def _settings(self) -> Settings:
        raise NotImplementedError

    def _importances(self, training: TrainingSet) -> np.ndarray:
        raise NotImplementedError

    def _get_support_mask(self) -> np.ndarray:
        check_is_fitted(self)
        mask = np.zeros(self.n_features_in_, dtype=bool)
        mask[self._order[:self._kept]] = True
        return mask

    def _count(self, training: TrainingSet) -> int:
        wanted: Any = self.n_features
        if isinstance(wanted, int | np.integer) and not isinstance(wanted, bool) and wanted >= 1:
            return int(min(wanted, self.n_features_in_))
        if isinstance(wanted, float | np.floating) and 0 < wanted <= 1:
            return int(max(1, round(wanted * self.n_features_in_)))
        raise BadOption(f"n_features is {wanted!r}; give {self._AUTO}a whole number from 1 up, or a share above 0 and up to 1")

    _AUTO = ""

    @property
    def _is_regression(self) -> bool:
        return self._learns_numbers

    def _read_target(self, y: np.ndarray) -> tuple[np.ndarray, Task]:
        reader: Any = TabularRegressor if self._learns_numbers else TabularClassifier
        target: tuple[np.ndarray, Task] = reader._read_target(self, y)
        return target


class ForestSelector(_ColumnSelector):
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

    _AUTO = "'auto', "

    def _settings(self) -> Settings:
        return forest_settings(Workload(effort_of(self.preset, self.effort), 0, 0, 0))

    def _importances(self, training: TrainingSet) -> np.ndarray:
        return self._by_column(fit_forest_selection(training.features, training).importances)

    def _count(self, training: TrainingSet) -> int:
        if isinstance(self.n_features, str) and self.n_features == "auto":
            return max(1, int((self.importances_ > NOISE_SPREADS * self._noise(training)).sum()))
        return super()._count(training)

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


class L1Selector(_ColumnSelector):
    """Feature selector by the order in which columns enter an L1 path: each for what it adds to those before it.

    Parameters
    ----------
    n_features : int or float, default 0.5
        Number of columns to keep, at least one: an int keeps that many, or all if there are fewer; a float in (0, 1] keeps that
        share of the columns.
    task : {"auto", "classification", "regression"}, default "auto"
        How to treat the target. "auto" treats fractional numbers, and integers with more than 20 distinct values, as regression
        and anything else as classification.
    preset : {"fast", "balanced", "thorough"}, default "balanced"
        How many points the path has.
    effort : float or None, default None
        Number from 0.01 to 100 that replaces the preset: 0.1 is "fast", 1 is "balanced", 6 is "thorough".
    random_state : int, RandomState instance or None, default None
        Seed of the folds on which categories become numbers.

    Attributes
    ----------
    importances_ : ndarray of shape (n_features_in_,)
        1 plus the penalty at which a column enters, as a share of the first one's; below 1 for those that never enter.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 6))
    >>> L1Selector(2, random_state=0).fit(X, 3 * X[:, 2] + X[:, 4]).get_support(indices=True).tolist()
    [2, 4]
    """

    n_jobs = None

    def __init__(self, n_features: int | float = 0.5, *, task: str = "auto", preset: str = "balanced",
                 effort: float | None = None, random_state: Any = None) -> None:
        self.n_features = n_features
        self.task = task
        self.preset = preset
        self.effort = effort
        self.random_state = random_state

    def _settings(self) -> Settings:
        return SELECTORS.get("l1").settings(Workload(effort_of(self.preset, self.effort), 0, 0, 0))

    def _importances(self, training: TrainingSet) -> np.ndarray:
        return self._largest_by_column(fit_l1_selection(training.features, training).importances)


class UnivariateSelector(_ColumnSelector):
    """Feature selector by what each column alone tells of the target: the F test of analysis of variance, or of correlation.

    Numbers count by their ranks, categories by the target's mean in each level, learnt on other folds.

    Parameters
    ----------
    n_features : int or float, default 0.5
        Number of columns to keep, at least one: an int keeps that many, or all if there are fewer; a float in (0, 1] keeps that
        share of the columns.
    task : {"auto", "classification", "regression"}, default "auto"
        How to treat the target. "auto" treats fractional numbers, and integers with more than 20 distinct values, as regression
        and anything else as classification.
    random_state : int, RandomState instance or None, default None
        Seed of the folds on which categories become numbers.

    Attributes
    ----------
    importances_ : ndarray of shape (n_features_in_,)
        Share of a column's variance that the target explains, from 0 to 1.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 6))
    >>> UnivariateSelector(1, random_state=0).fit(X, X[:, 2] > 0).get_support(indices=True).tolist()
    [2]
    """

    n_jobs = None

    def __init__(self, n_features: int | float = 0.5, *, task: str = "auto", random_state: Any = None) -> None:
        self.n_features = n_features
        self.task = task
        self.random_state = random_state

    def _settings(self) -> Settings:
        return {}

    def _importances(self, training: TrainingSet) -> np.ndarray:
        return self._largest_by_column(fit_univariate_selection(training.features, training).importances)


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
