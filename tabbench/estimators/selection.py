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
    """Keeps the columns that matter to a random forest; columns of noise gain nothing by having many values.

    Parameters
    ----------
    n_features : str | int | float, default "auto"
        "auto" keeps the columns that stand out from noise, one at least; an integer keeps so many, or all if there are fewer; a
        float in (0, 1] that share of the columns, one at least.
    task : str, default "auto"
        "classification", "regression", or "auto": fractional numbers, and whole ones of more than 20 different values, are
        amounts, all else are classes.
    preset : str, default "balanced"
        "fast", "balanced" or "thorough": how many trees are grown.
    effort : float | None, default None
        None, or a number from 0.01 to 100 that is used instead of the preset: 0.1 is fast, 1 balanced, 6 thorough.
    random_state : Any, default None
        Seed of the trees and of the shadow columns.
    n_jobs : int | None, default None
        Threads; results do not depend on it.

    Attributes
    ----------
    importances_
        (n_features_in_,) decrease of impurity by a column minus that by its shuffled shadow; noise has 0 on average.
    n_features_in_, feature_names_in_
        As in scikit-learn; the names are there for frames only.

    Notes
    -----
    "auto" reads the size of noise off the columns with negative importance: noise falls on both sides of zero alike
    (Janitza, Celik and Boulesteix, doi:10.1007/s11634-016-0276-4). Where these are few, it grows more forests and reads it off
    the shadows, whose importance is noise by construction.

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
        """Weigh the columns of n rows.

        Parameters
        ----------
        X : Any
            Array or frame (n, p); columns may be numbers, booleans, categories, strings or dates, with missing values.
        y : Any
            (n,) labels or numbers.

        Raises
        ------
        BadOption
            A parameter is none of the values that it may have.
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

    def _by_column(self, importances: np.ndarray) -> np.ndarray:
        """Importances of the view's columns, added up for those of X."""
        view: Any = self._view
        widths = [len(view.expansion.names_of(column)) for column in self._columns]
        is_coded = np.array([column.kind == "category" for column in self._columns])
        # The view holds all numbers first, then the codes.
        source = np.concatenate([np.repeat(np.arange(len(widths)), widths), np.flatnonzero(is_coded)])
        return np.bincount(source, weights=importances, minlength=self.n_features_in_)

    def transform(self, X: Any) -> Any:
        """The kept columns (m, k) of X, as they are.

        Raises
        ------
        ValueError
            Other columns than in training; infinity, by column and row; values that are no such column's.
        """
        self._read_features(X)
        return super().transform(X)

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
        """The standard deviation of a noise column's importance."""
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
    """Whether y is better learnt as numbers; what is wrong with it is said by its reader."""
    if y is None:
        return False
    values = column_or_1d(y, dtype=None)
    if pd.isna(values).any():
        return False
    kind = type_of_target(values)
    is_whole = kind == "multiclass" and pd.api.types.is_numeric_dtype(values)
    return bool(kind == "continuous" or (is_whole and len(np.unique(values)) > MOST_CLASSES_OF_NUMBERS))
