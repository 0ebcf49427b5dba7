"""`LogisticGridClassifier` and `ElasticNetGridRegressor`: the practitioner's grid search, by paths instead of single fits.

How X becomes typed columns is in `base.py`, how the grids are searched in `tabbench.linear`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.sparse import csr_array, hstack, issparse
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GroupKFold, StratifiedGroupKFold, check_cv
from sklearn.utils.validation import check_is_fitted

from tabbench.core.errors import BadData, BadOption
from tabbench.core.metric import METRICS, Metric
from tabbench.core.process_settings import limited_threads, silent_warnings
from tabbench.core.task import TaskKind
from tabbench.estimators.base import TabularClassifier, TabularEstimator, TabularRegressor, TrainingRows
from tabbench.estimators.knobs import positive
from tabbench.linear.elastic_net import ElasticNetGrid, FoldSquares, fit_elastic_net
from tabbench.linear.elastic_net import visit as visit_elastic_net
from tabbench.linear.logistic import LogisticGrid, LogisticPath, fit_logistic, visit
from tabbench.linear.rows import Folds, Rows
from tabbench.linear.walker import LogisticModel
from tabbench.options import choice, whole
from tabbench.views.linear import LinearView
from tabbench.views.tails import STRAIGHT

PENALTIES = ("l2", "l1", "elasticnet")
DEFAULT_STRENGTHS = tuple(float(f"1e{power}") for power in range(-4, 4))
DEFAULT_ALPHAS, SMALLEST_SHARE = 30, 1e-5
"""Penalties of an automatic path, from the one that empties the model to this share of it."""
LARGEST_TARGET = 1e150
"""Squares of larger numbers leave the range of float64, and the penalties count in the target's own units."""
REFIT_TOLERANCE = 1e-12
"""The last model is exact to rounding, which costs a Newton step or two more."""


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


class _GridSearched(TabularEstimator):
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


class LogisticGridClassifier(_GridSearched, TabularClassifier):
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
        tolerance, class_weights = _given("tol", positive("tol", self.tol)), self._class_weights()
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
            return _some("class_weights", self.class_weights, (None, "balanced"), takes_dicts=True)
        if tuple(self.class_weights) != (None,):
            raise BadOption("class_weight and class_weights both say how to weigh the classes; give one of them")
        return _some("class_weight", (self.class_weight,), ("balanced",), takes_dicts=True)

    def _factors(self, class_weight: Any, rows: TrainingRows) -> tuple[float, ...] | bool:
        """Return the factor of each class for a dict, else whether the classes are balanced."""
        if not isinstance(class_weight, Mapping):
            return bool(class_weight == "balanced")
        unweighted = replace(rows, weight=None)
        weight = self._weighed_by_class(unweighted, class_weight).weight
        return tuple(dict(zip(rows.target.tolist(), np.asarray(weight).tolist(), strict=True))[code]
                     for code in range(len(self.classes_)))

    def _grid(self, tolerance: float, factors: Sequence[tuple[float, ...] | bool]) -> LogisticGrid:
        strengths = _numbers("Cs", self.Cs, smallest=np.nextafter(0, 1))
        mixtures = {"l2": (0.0,), "l1": (1.0,), "elasticnet": _numbers("l1_ratios", self.l1_ratios, largest=1.0)}
        penalties = _some("penalties", self.penalties, PENALTIES)
        ratios = [ratio for penalty in penalties for ratio in mixtures[str(penalty)]]
        is_one_vs_rest = choice("multi_class", self.multi_class, ("multinomial", "ovr")) == "ovr"
        paths = [LogisticPath(ratio, strengths, each is True, each if isinstance(each, tuple) else None) for each in factors
                 for ratio in dict.fromkeys(ratios)]
        return LogisticGrid(tuple(paths), _given("max_iter", whole("max_iter", self.max_iter, 1)), tolerance, is_one_vs_rest)


class ElasticNetGridRegressor(_GridSearched, TabularRegressor):
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
        l1_ratios = _numbers("l1_ratios", self.l1_ratios, largest=1.0)
        alphas = None if self.alphas is None else _numbers("alphas", self.alphas, smallest=np.nextafter(0, 1))[::-1]
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


def _require_squares(target: np.ndarray) -> None:
    largest = np.abs(target).max()
    if largest > LARGEST_TARGET:
        raise BadData(f"y holds numbers up to {largest:.0e}, whose squares no float can hold; learn y in a larger unit")


def _metric(name: str, kind: TaskKind) -> Metric:
    fitting = [metric.name for metric in METRICS if kind in metric.tasks]
    return METRICS.get(choice("scoring", name, tuple(fitting)))


def _penalty(l1_ratio: float) -> str:
    return {0.0: "l2", 1.0: "l1"}.get(l1_ratio, "elasticnet")


def _given(name: str, value: Any) -> Any:
    """Return a checked value, which must not be None."""
    if value is None:
        raise BadOption(f"{name} must be a number above 0, not None")
    return value


def _some(name: str, given: Any, allowed: tuple[str | None, ...], *, takes_dicts: bool = False) -> tuple[Any, ...]:
    """Return the given values, each once.

    Raises
    ------
    BadOption
        The values are no sequence, there are none, or one is not allowed.
    """
    is_sequence = isinstance(given, Iterable) and not isinstance(given, str | Mapping)
    values = list(given) if is_sequence else []
    if not values or not all((takes_dicts and isinstance(value, Mapping)) or _is_one_of(value, allowed) for value in values):
        dicts = ", or dicts of labels and weights" if takes_dicts else ""
        raise BadOption(f"{name} must be a sequence of some of {', '.join(map(repr, allowed))}{dicts}, not {given!r}")
    return tuple(value for position, value in enumerate(values) if value not in values[:position])


def _is_one_of(value: Any, allowed: tuple[str | None, ...]) -> bool:
    return (value is None or isinstance(value, str)) and value in allowed


def _numbers(name: str, given: Sequence[float], *, smallest: float = 0.0, largest: float = np.inf) -> tuple[float, ...]:
    """Return the given numbers, ascending, each once.

    Raises
    ------
    BadOption
        There are none, or one is outside the range.
    """
    try:
        values = np.unique(np.asarray(given, dtype=np.float64))
    except (TypeError, ValueError):
        values = np.empty(0)
    if not len(values) or not np.isfinite(values).all() or values[0] < smallest or values[-1] > largest:
        span = "greater than 0" if smallest > 0 else f"between 0 and {largest:g}"
        raise BadOption(f"{name} must hold numbers {span}, not {given!r}")
    return tuple(values.tolist())


def _column(values: list[Any]) -> np.ndarray:
    return np.array(values, dtype=float if isinstance(values[0], float) else object)


def _joined(numbers: np.ndarray, rest: Any) -> Any:
    """Concatenate the columns of both, dense or CSR as `rest` is, since the columns of levels may be too many to be dense."""
    if isinstance(rest, np.ndarray):
        return np.concatenate([numbers, rest], axis=1)
    return hstack([csr_array(numbers), rest], format="csr")


def _dense(values: Any) -> np.ndarray:
    return values if isinstance(values, np.ndarray) else np.asarray(values.toarray())
