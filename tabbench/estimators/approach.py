"""Any registered approach as an estimator, by its name; how each works is not known here."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from sklearn.utils.validation import check_is_fitted

from tabbench.approaches.composed import find_approach
from tabbench.core.errors import BadOption
from tabbench.estimators.base import TabularClassifier, TabularEstimator, TabularRegressor
from tabbench.estimators.knobs import device_of, effort_of


class _ApproachEstimator(TabularEstimator):
    """Base of classifier and regressor."""

    def __init__(self, approach: str = "forest", *, preset: str = "balanced", effort: float | None = None, device: str = "auto",
                 random_state: Any = None, n_jobs: int | None = None) -> None:
        self.approach = approach
        self.preset = preset
        self.effort = effort
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Fit the approach, with its own tuning inside the training rows.

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
        UnknownName
            There is no such approach.
        MissingExtra
            A package that the approach needs cannot be imported.
        """
        if not isinstance(self.approach, str):
            raise BadOption(f"approach must be a name such as 'forest' or 'linear+pca', not {self.approach!r}")
        approach, effort = find_approach(self.approach), effort_of(self.preset, self.effort)
        device = device_of(self.device) if approach.uses_device else "cpu"
        rows = self._weighed(self._read_training(X, y, sample_weight, groups))
        self._model = self._fit_approach(approach, rows, effort, device)
        self.tuned_ = self._model.tuned
        return self

    @property
    def feature_importances_(self) -> np.ndarray:
        """Share of each column (p,) in what the trees' splits gained."""
        check_is_fitted(self)
        model: Any = self._model
        if not hasattr(model, "importances"):
            raise AttributeError(f"{self.approach} has no feature importances; only forests and boosted trees have them")
        return self._by_column(model.importances(len(self._sources())))


class ApproachClassifier(_ApproachEstimator, TabularClassifier):
    """Classifier that fits any approach of tabbench by its name: `forest`, `blend`, `tabm`, `catboost`, `linear+pca` and so on.

    `tabbench approaches` lists the names. A learner is joined with selectors by `+`.

    Parameters
    ----------
    approach : str, default "forest"
        Name of the approach.
    preset : {"fast", "balanced", "thorough"}, default "balanced"
        How much effort to spend on tuning.
    effort : float or None, default None
        Number from 0.01 to 100 that replaces the preset: 0.1 is "fast", 1 is "balanced", 6 is "thorough".
    class_weight : dict, "balanced" or None, default None
        Weights of the classes, which multiply those of the rows, also on inner folds.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Device of approaches that can use a GPU.
    random_state : int, RandomState instance or None, default None
        Seed of everything random.
    n_jobs : int or None, default None
        Number of threads; None means 1. Results do not depend on it.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels in the order of the probabilities.
    tuned_ : dict
        Hyperparameters that were found; the keys are the approach's own.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Share of each column in what the trees' splits gained; of forests and boosted trees only.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Examples
    --------
    >>> X = [[float(value)] for value in range(80)]
    >>> model = ApproachClassifier("forest", preset="fast", random_state=0).fit(X, ["low"] * 40 + ["high"] * 40)
    >>> model.predict([[3.0], [70.0]]).tolist()
    ['low', 'high']
    """

    def __init__(self, approach: str = "forest", *, preset: str = "balanced", effort: float | None = None,
                 class_weight: Any = None, device: str = "auto", random_state: Any = None, n_jobs: int | None = None) -> None:
        super().__init__(approach, preset=preset, effort=effort, device=device, random_state=random_state, n_jobs=n_jobs)
        self.class_weight = class_weight


class ApproachRegressor(_ApproachEstimator, TabularRegressor):
    """Regressor that fits any approach of tabbench by its name: `forest`, `blend`, `tabm`, `catboost`, `linear+pca` and so on.

    `tabbench approaches` lists the names. A learner is joined with selectors by `+`.

    Parameters
    ----------
    approach : str, default "forest"
        Name of the approach.
    preset : {"fast", "balanced", "thorough"}, default "balanced"
        How much effort to spend on tuning.
    effort : float or None, default None
        Number from 0.01 to 100 that replaces the preset: 0.1 is "fast", 1 is "balanced", 6 is "thorough".
    device : {"auto", "cpu", "cuda"}, default "auto"
        Device of approaches that can use a GPU.
    random_state : int, RandomState instance or None, default None
        Seed of everything random.
    n_jobs : int or None, default None
        Number of threads; None means 1. Results do not depend on it.

    Attributes
    ----------
    tuned_ : dict
        Hyperparameters that were found; the keys are the approach's own.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Share of each column in what the trees' splits gained; of forests and boosted trees only.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Examples
    --------
    >>> X = [[float(value)] for value in range(80)]
    >>> model = ApproachRegressor("forest", preset="fast", random_state=0).fit(X, [1.0] * 40 + [5.0] * 40)
    >>> model.predict([[3.0], [70.0]]).round().tolist()
    [1.0, 5.0]
    """
