"""The boosted ensemble as estimators: XGBoost and LightGBM together, tuned and weighted inside the training rows.

Fits the registered approaches `boosting`, `xgboost` and `lightgbm`; how they work is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from tabbench.approaches.composed import find_approach
from tabbench.core.approach import Approach
from tabbench.core.errors import BadOption
from tabbench.estimators.base import TabularClassifier, TabularEstimator, TabularRegressor
from tabbench.estimators.knobs import effort_of

BOTH = ("xgboost", "lightgbm")


class _BoostedEnsemble(TabularEstimator):
    """Base of classifier and regressor."""

    def __init__(self, preset: str = "balanced", *, effort: float | None = None, libraries: Sequence[str] = BOTH,
                 random_state: Any = None, n_jobs: int | None = None) -> None:
        self.preset = preset
        self.effort = effort
        self.libraries = libraries
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Fit the ensemble.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights; a row of weight zero counts as absent.
        groups : array-like of shape (n_samples,), default None
            Group labels; rows of one group are never divided between the parts of an inner split.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        BadOption
            A parameter has a value that is not allowed.
        ValueError
            X or y is not valid input for scikit-learn, X holds infinity, or fewer than four rows have a positive weight.
        MissingExtra
            A library cannot be imported.
        """
        effort, approach = effort_of(self.preset, self.effort), _approach(self.libraries)
        self._model = self._fit_approach(approach, self._weighed(self._read_training(X, y, sample_weight, groups)), effort)
        tuned = self._model.tuned
        self.members_ = list(tuned.get("members", [{"library": approach.name, "weight": 1.0, **tuned}]))
        return self

    @property
    def feature_importances_(self) -> np.ndarray:
        """Share of each column (p,) in the total gain of the trees' splits."""
        check_is_fitted(self)
        view: Any = self._view
        model: Any = self._model
        return self._by_column(model.importances(len(view.expansion.number_names + view.expansion.code_names)))


class BoostedEnsembleClassifier(_BoostedEnsemble, TabularClassifier):
    """Ensemble of XGBoost and LightGBM classifiers, tuned on inner folds and weighted by what is best on held-out rows.

    Parameters
    ----------
    preset : {"fast", "balanced", "thorough"}, default "balanced"
        How much effort to spend on tuning; what that means depends on the shape of X alone, not on measured times.
    effort : float or None, default None
        Number from 0.01 to 100 that replaces the preset: 0.1 is "fast", 1 is "balanced", 6 is "thorough".
    libraries : sequence of {"xgboost", "lightgbm"}, default ("xgboost", "lightgbm")
        Libraries to take models from. A single one is tuned alone.
    class_weight : dict, "balanced" or None, default None
        Weights of the classes, which multiply those of the rows, also on inner folds.
    random_state : int, RandomState instance or None, default None
        Seed of the inner folds and of the libraries.
    n_jobs : int or None, default None
        Number of threads; None means 1. Results do not depend on it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels in the order of the probabilities.
    members_ : list of dict
        Members of the ensemble, each with its library, configuration and weight.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Share of each column in the total gain of the trees' splits.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Notes
    -----
    Weights are chosen by greedy selection with replacement on held-out rows (Caruana et al. 2004, doi:10.1145/1015330.1015432),
    drawn towards equal weights where rows are few.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(80.0).reshape(-1, 1)
    >>> y = np.where(X[:, 0] < 40, "low", "high")
    >>> model = BoostedEnsembleClassifier(preset="fast", random_state=0).fit(X, y)
    >>> model.predict([[3.0], [70.0]]).tolist()
    ['low', 'high']
    """

    def __init__(self, preset: str = "balanced", *, effort: float | None = None, libraries: Sequence[str] = BOTH,
                 class_weight: Any = None, random_state: Any = None, n_jobs: int | None = None) -> None:
        super().__init__(preset, effort=effort, libraries=libraries, random_state=random_state, n_jobs=n_jobs)
        self.class_weight = class_weight


class BoostedEnsembleRegressor(_BoostedEnsemble, TabularRegressor):
    """Ensemble of XGBoost and LightGBM regressors, tuned on inner folds and weighted by what is best on held-out rows.

    Parameters
    ----------
    preset : {"fast", "balanced", "thorough"}, default "balanced"
        How much effort to spend on tuning; what that means depends on the shape of X alone, not on measured times.
    effort : float or None, default None
        Number from 0.01 to 100 that replaces the preset: 0.1 is "fast", 1 is "balanced", 6 is "thorough".
    libraries : sequence of {"xgboost", "lightgbm"}, default ("xgboost", "lightgbm")
        Libraries to take models from. A single one is tuned alone.
    random_state : int, RandomState instance or None, default None
        Seed of the inner folds and of the libraries.
    n_jobs : int or None, default None
        Number of threads; None means 1. Results do not depend on it.

    Attributes
    ----------
    members_ : list of dict
        Members of the ensemble, each with its library, configuration and weight.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Share of each column in the total gain of the trees' splits.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Notes
    -----
    Weights are chosen by greedy selection with replacement on held-out rows (Caruana et al. 2004, doi:10.1145/1015330.1015432),
    drawn towards equal weights where rows are few.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.arange(80.0).reshape(-1, 1)
    >>> model = BoostedEnsembleRegressor(preset="fast", random_state=0).fit(X, np.where(X[:, 0] < 40, 1.0, 5.0))
    >>> model.predict([[3.0], [70.0]]).round().tolist()
    [1.0, 5.0]
    """


def _approach(libraries: Sequence[str]) -> Approach:
    """Return the approach that uses these libraries.

    Raises
    ------
    BadOption
        There are other names, or none.
    """
    given = [libraries] if isinstance(libraries, str) else list(libraries) if isinstance(libraries, Iterable) else []
    wanted = {each for each in given if each in BOTH}
    if not wanted or len(wanted) < len(given):
        raise BadOption(f"libraries must hold {' or '.join(BOTH)}, or both, not {libraries!r}")
    return find_approach("boosting" if len(wanted) > 1 else wanted.pop())
