"""`LogisticGridClassifier` and `ElasticNetGridRegressor`: the practitioner's grid search, by paths instead of single fits.

How X becomes typed columns is in `base.py`, how the grids are searched in `tabbench.linear`.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils.validation import check_is_fitted

from tabbench.core.errors import BadData, BadOption
from tabbench.core.metric import METRICS, Metric
from tabbench.core.process_settings import limited_threads
from tabbench.core.task import TaskKind
from tabbench.estimators.base import TabularClassifier, TabularRegressor, TrainingRows
from tabbench.estimators.grid_searched import GridSearched
from tabbench.estimators.knobs import numbers, positive, required, some
from tabbench.linear.elastic_net import ElasticNetGrid, FoldSquares, fit_elastic_net
from tabbench.linear.elastic_net import visit as visit_elastic_net
from tabbench.linear.logistic import LogisticGrid, LogisticPath, fit_logistic, visit
from tabbench.linear.walker import LogisticModel
from tabbench.options import choice, whole

PENALTIES = ("l2", "l1", "elasticnet")
DEFAULT_STRENGTHS = tuple(float(f"1e{power}") for power in range(-4, 4))
DEFAULT_ALPHAS, SMALLEST_SHARE = 30, 1e-5
"""Penalties of an automatic path, from the one that empties the model to this share of it."""
LARGEST_TARGET = 1e150
"""Squares of larger numbers leave the range of float64, and the penalties count in the target's own units."""
REFIT_TOLERANCE = 1e-12
"""The last model is exact to rounding, which costs a Newton step or two more."""


class LogisticGridClassifier(GridSearched, TabularClassifier):
    """Logistic regression at the best point of a grid of C, penalties and class weights, found on inner folds.

    The objective is that of scikit-learn's `LogisticRegression`: C times the sum of losses plus the penalty, with the intercept
    not penalized.

    Parameters
    ----------
    Cs : sequence of float, default (1e-4, 1e-3, ..., 1e3)
        Values of C, each greater than 0.
    penalties : sequence of {"l2", "l1", "elasticnet"}, default ("l2", "l1", "elasticnet")
        Penalties to try.
    l1_ratios : sequence of float, default (0.5,)
        Mixtures of the "elasticnet" penalty, between 0 (ridge) and 1 (lasso).
    class_weights : sequence of {None, "balanced"} or dict, default (None,)
        Class weights to try. A dict gives the weight of each label.
    multi_class : {"multinomial", "ovr"}, default "multinomial"
        Whether to fit one model of all classes, or one of each class against the others ("ovr").
    scoring : str, default "log_loss"
        Name of a tabbench metric for classes; its mean over the folds decides.
    cv : int, cross-validation generator or iterable, default 5
        Number of stratified folds, of whole groups where `groups` are given, a scikit-learn splitter, or an iterable of
        (training, validation) positions.
    scale : bool, default True
        Whether to scale numbers robustly, draw in outliers, and standardize. If False, numbers are taken as they are.
    tol : float, default 1e-8
        Stop when a Newton step promises to lower the log loss per row by less than this.
    max_iter : int, default 50
        Maximum number of Newton steps per point.
    class_weight : dict, "balanced" or None, default None
        The only class weights to try, by scikit-learn's name; None tries `class_weights`.
    random_state : int, RandomState instance or None, default None
        Seed of the random projections of text columns.
    n_jobs : int or None, default None
        Number of threads of the linear algebra; None means 1.

    Attributes
    ----------
    coef_ : ndarray of shape (1, n_features_in_) or (n_classes, n_features_in_)
        Coefficients of the columns of X in their own units; one row if there are two classes. Defined only if the model is linear
        in X: all columns are numbers or booleans without missing values, none with outliers that are drawn in.
    intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts that go with `coef_`.
    column_coef_ : ndarray of shape (1, n_columns) or (n_classes, n_columns)
        Coefficients of the model's columns, `column_names_`, standardized if `scale`.
    column_intercept_ : ndarray of shape (1,) or (n_classes,)
        Intercepts that go with `column_coef_`.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Effect of each column of X: sum of the absolute coefficients of the model's columns that are made of it, each times its
        standard deviation.
    C_ : float
        C at the best point.
    penalty_ : str
        Penalty at the best point.
    l1_ratio_ : float
        Mixture at the best point.
    class_weight_ : "balanced", dict or None
        Class weights at the best point.
    best_params_ : dict
        Parameters of the best point.
    best_score_ : float
        Mean score of the best point over the folds, in the metric's own sign.
    best_index_ : int
        Position of the best point in `cv_results_`.
    cv_results_ : dict of ndarray
        Scores of all points by fold, as in scikit-learn's `GridSearchCV`.
    column_names_ : ndarray of shape (n_columns,)
        Names of the columns of the model, such as "age", "age (missing)" or "sex=female".
    classes_ : ndarray of shape (n_classes,)
        Class labels in the order of the probabilities.
    n_iter_ : ndarray of shape (1,)
        Number of iterations of the final fit.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Notes
    -----
    Each path of C is fitted by proximal Newton steps with a line search (Friedman, Hastie and Tibshirani 2010,
    doi:10.18637/jss.v033.i01), each point starting from the one before. L2 models with too many parameters for a Newton step are
    fitted by L-BFGS.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> model = LogisticGridClassifier().fit(X, X[:, 0] - X[:, 1] > 0)
    >>> model.score(X, X[:, 0] - X[:, 1] > 0) > 0.95
    True
    """

    def __init__(self, Cs: Sequence[float] = DEFAULT_STRENGTHS, *, penalties: Sequence[str] = PENALTIES,
                 l1_ratios: Sequence[float] = (0.5,), class_weights: Sequence[Any] = (None,),
                 multi_class: str = "multinomial", scoring: str = "log_loss", cv: Any = 5, scale: bool = True, tol: float = 1e-8,
                 max_iter: int = 50, class_weight: Any = None, random_state: Any = None, n_jobs: int | None = None) -> None:
        self.Cs = Cs
        self.penalties = penalties
        self.l1_ratios = l1_ratios
        self.class_weights = class_weights
        self.multi_class = multi_class
        self.scoring = scoring
        self.cv = cv
        self.scale = scale
        self.tol = tol
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Search the grid on inner folds, then fit all rows at its best point.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Class labels.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights of the losses in training and scoring.
        groups : array-like of shape (n_samples,), default None
            Group labels. Folds that `cv` numbers never divide a group; a splitter is given the labels.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        BadOption
            A parameter has a value that is not allowed, or `cv` leaves no rows to train or validate on.
        ValueError
            X or y is not valid input for scikit-learn, X holds infinity, or fewer than four rows have a positive weight.
        """
        tolerance, class_weights = required("tol", positive("tol", self.tol)), self._class_weights()
        rows = self._read_training(X, y, sample_weight, groups)
        factors = [self._factors(each, rows) for each in class_weights]
        grid = self._grid(tolerance, factors)
        metric = _metric(self.scoring, rows.task.kind)
        with limited_threads(self._threads()):
            prepared = self._prepare(rows)
            folds = self._folds(y, sample_weight, groups)
            scores = np.array([[metric.score(prepared.target[valid], prediction, prepared.weight[valid])
                                for (_, valid), prediction in zip(folds, predictions, strict=True)]
                               for path in grid.paths
                               for _, predictions in visit(prepared, rows.task.n_classes, folds, grid, path)])
            points = [{"C": point.strength, "penalty": _penalty(point.l1_ratio), "l1_ratio": point.l1_ratio,
                       "class_weight": class_weights[factors.index(point.class_weights or point.is_balanced)]}
                      for point in grid.points]
            best = self._results(points, scores, metric)
            self._model: LogisticModel = fit_logistic(prepared, grid.points[best], self._grid(REFIT_TOLERANCE, factors))
        self.C_, self.penalty_, self.l1_ratio_, self.class_weight_ = points[best].values()
        if not self._model.has_converged and self._model.promised > self.tol:
            warnings.warn(f"the model at the best point had not converged after {self._model.steps} steps; raise max_iter or "
                          "take smaller Cs", ConvergenceWarning, stacklevel=2)
        self._set_coefficients(self._model.coefficients, self._model.intercepts, prepared.values, rows.features)
        self.n_iter_ = np.array([self._model.steps])
        return self

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
        check_is_fitted(self)
        probabilities = self._model.predict(self._values(X))
        # The last classes have no column if the weights of all their rows are zero.
        return np.pad(probabilities, ((0, 0), (0, len(self.classes_) - probabilities.shape[1])))

    def _class_weights(self) -> tuple[Any, ...]:
        """Return the class weights to try: None, "balanced" or dicts of labels."""
        if self.class_weight is None:
            return some("class_weights", self.class_weights, (None, "balanced"), takes_dicts=True)
        if tuple(self.class_weights) != (None,):
            raise BadOption("class_weight and class_weights both say how to weigh the classes; give one of them")
        return some("class_weight", (self.class_weight,), ("balanced",), takes_dicts=True)

    def _factors(self, class_weight: Any, rows: TrainingRows) -> tuple[float, ...] | bool:
        """Return the factor of each class for a dict, else whether the classes are balanced."""
        if not isinstance(class_weight, Mapping):
            return bool(class_weight == "balanced")
        unweighted = replace(rows, weight=None)
        weight = self._weighed_by_class(unweighted, class_weight).weight
        return tuple(dict(zip(rows.target.tolist(), np.asarray(weight).tolist(), strict=True))[code]
                     for code in range(len(self.classes_)))

    def _grid(self, tolerance: float, factors: Sequence[tuple[float, ...] | bool]) -> LogisticGrid:
        strengths = numbers("Cs", self.Cs, smallest=np.nextafter(0, 1))
        mixtures = {"l2": (0.0,), "l1": (1.0,), "elasticnet": numbers("l1_ratios", self.l1_ratios, largest=1.0)}
        penalties = some("penalties", self.penalties, PENALTIES)
        ratios = [ratio for penalty in penalties for ratio in mixtures[str(penalty)]]
        is_one_vs_rest = choice("multi_class", self.multi_class, ("multinomial", "ovr")) == "ovr"
        paths = [LogisticPath(ratio, strengths, each is True, each if isinstance(each, tuple) else None) for each in factors
                 for ratio in dict.fromkeys(ratios)]
        return LogisticGrid(tuple(paths), required("max_iter", whole("max_iter", self.max_iter, 1)), tolerance, is_one_vs_rest)


class ElasticNetGridRegressor(GridSearched, TabularRegressor):
    """Elastic net, lasso or ridge at the best point of a grid of penalties and mixtures, found on inner folds.

    The objective is that of scikit-learn's `ElasticNet`: half the mean squared error plus alpha times the penalty, with the
    intercept not penalized.

    Parameters
    ----------
    alphas : sequence of float or None, default None
        Penalties, each greater than 0. None takes 30 for each mixture, log-spaced from the largest that matters (for the lasso,
        the smallest that makes all coefficients zero) down to 1e-5 of it.
    l1_ratios : sequence of float, default (0.0, 0.1, 0.5, 1.0)
        Mixtures between 0 (ridge) and 1 (lasso).
    scoring : str, default "rmse"
        Name of a tabbench metric for numbers; its mean over the folds decides.
    cv : int, cross-validation generator or iterable, default 5
        Number of folds, a scikit-learn splitter, or an iterable of (training, validation) positions.
    scale : bool, default True
        Whether to scale numbers robustly, draw in outliers, and standardize. If False, numbers are taken as they are.
    random_state : int, RandomState instance or None, default None
        Seed of the random projections of text columns.
    n_jobs : int or None, default None
        Number of threads of the linear algebra; None means 1.

    Attributes
    ----------
    coef_ : ndarray of shape (n_features_in_,)
        Coefficients of the columns of X in their own units. Defined only if the model is linear in X: all columns are numbers or
        booleans without missing values, none with outliers that are drawn in.
    intercept_ : float
        Intercept that goes with `coef_`.
    column_coef_ : ndarray of shape (n_columns,)
        Coefficients of the model's columns, `column_names_`, standardized if `scale`.
    column_intercept_ : float
        Intercept that goes with `column_coef_`.
    feature_importances_ : ndarray of shape (n_features_in_,)
        Effect of each column of X: sum of the absolute coefficients of the model's columns that are made of it, each times its
        standard deviation.
    alpha_ : float
        Penalty at the best point.
    l1_ratio_ : float
        Mixture at the best point.
    best_params_ : dict
        Parameters of the best point.
    best_score_ : float
        Mean score of the best point over the folds, in the metric's own sign.
    best_index_ : int
        Position of the best point in `cv_results_`.
    cv_results_ : dict of ndarray
        Scores of all points by fold, as in scikit-learn's `GridSearchCV`.
    column_names_ : ndarray of shape (n_columns,)
        Names of the columns of the model, such as "age", "age (missing)" or "sex=female".
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Notes
    -----
    Each path is computed from the second moments of the rows, by Newton steps on active sets (Bertsekas 1982,
    doi:10.1137/0320018).

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> bool(ElasticNetGridRegressor().fit(X, X[:, 0] - 2 * X[:, 1]).score(X, X[:, 0] - 2 * X[:, 1]) > 0.99)
    True
    """

    def __init__(self, alphas: Sequence[float] | None = None, *, l1_ratios: Sequence[float] = (0.0, 0.1, 0.5, 1.0),
                 scoring: str = "rmse", cv: Any = 5, scale: bool = True, random_state: Any = None,
                 n_jobs: int | None = None) -> None:
        self.alphas = alphas
        self.l1_ratios = l1_ratios
        self.scoring = scoring
        self.cv = cv
        self.scale = scale
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Search the grid on inner folds, then fit all rows at its best point.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target values.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights of the losses in training and scoring.
        groups : array-like of shape (n_samples,), default None
            Group labels. Folds that `cv` numbers never divide a group; a splitter is given the labels.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        BadOption
            A parameter has a value that is not allowed, or `cv` leaves no rows to train or validate on.
        ValueError
            X or y is not valid input for scikit-learn, X holds infinity, y exceeds 1e150, or fewer than four rows have a positive
            weight.
        """
        l1_ratios = numbers("l1_ratios", self.l1_ratios, largest=1.0)
        alphas = None if self.alphas is None else numbers("alphas", self.alphas, smallest=np.nextafter(0, 1))[::-1]
        rows = self._read_training(X, y, sample_weight, groups)
        _require_squares(rows.target)
        metric = _metric(self.scoring, rows.task.kind)
        with limited_threads(self._threads()):
            prepared = self._prepare(rows)
            grid = (ElasticNetGrid.spanning(prepared, l1_ratios, DEFAULT_ALPHAS, SMALLEST_SHARE) if alphas is None
                    else ElasticNetGrid(dict.fromkeys(l1_ratios, alphas)))
            folds = self._folds(y, sample_weight, groups)
            squares = [FoldSquares.of(prepared, fold) for fold in folds]
            scores = np.array([[metric.score(prepared.target[valid], prediction, prepared.weight[valid])
                                for (_, valid), prediction in zip(folds, predictions, strict=True)]
                               for ratio in grid.alphas for _, predictions in visit_elastic_net(squares, grid, ratio)])
            points = [{"alpha": point.alpha, "l1_ratio": point.l1_ratio} for point in grid.points]
            best = self._results(points, scores, metric)
            self._model = fit_elastic_net(prepared, grid, grid.points[best])
        self.alpha_, self.l1_ratio_ = points[best].values()
        self._set_coefficients(self._model.coefficients, self._model.intercept, prepared.values, rows.features)
        return self

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
        check_is_fitted(self)
        return np.asarray(self._model.predict(self._values(X)))


def _require_squares(target: np.ndarray) -> None:
    largest = np.abs(target).max()
    if largest > LARGEST_TARGET:
        raise BadData(f"y holds numbers up to {largest:.0e}, whose squares no float can hold; learn y in a larger unit")


def _metric(name: str, kind: TaskKind) -> Metric:
    fitting = [metric.name for metric in METRICS if kind in metric.tasks]
    return METRICS.get(choice("scoring", name, tuple(fitting)))


def _penalty(l1_ratio: float) -> str:
    return {0.0: "l2", 1.0: "l1"}.get(l1_ratio, "elasticnet")
