"""The whole comparison as one estimator: compares approaches on the training rows, keeps the best, predicts with it.

Knows neither how approaches are compared (`comparison.py`) nor what they are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import numpy as np

from tabbench.comparison.plan import choose_contestants
from tabbench.comparison.result import FinishedComparison, as_finished, device_of
from tabbench.core.approach import APPROACHES, BASELINE, Approach
from tabbench.estimators.base import FEWEST_ROWS, TabularClassifier, TabularEstimator, TabularRegressor, TrainingRows
from tabbench.estimators.comparison import compare_rows, is_named
from tabbench.estimators.features import given_rows, tie_digests
from tabbench.estimators.knobs import effort_of
from tabbench.execution.run import why_it_does_not_load
from tabbench.metrics.choice import choose_metrics
from tabbench.options import Options
from tabbench.report.as_json import from_json, to_json_text

DEFAULT_PRESET = "balanced"
FEWEST_ROWS_TO_COMPARE = 100
"""With fewer distinct rows a fold tests less than twenty, and only a huge difference could be shown. Among equals the cheapest is
recommended, which needs no comparison."""


class _BestApproach(TabularEstimator):
    """Base of classifier and regressor."""

    def __init__(self, preset: str = DEFAULT_PRESET, *, effort: float | None = None,
                 approaches: str | Sequence[str] | Mapping[str, Any] | None = None, metric: str | None = None, folds: int = 5,
                 repeats: int | None = 1, time_limit: str | float | None = None, device: str = "auto", random_state: Any = None,
                 n_jobs: int | None = None) -> None:
        self.preset = preset
        self.effort = effort
        self.approaches = approaches
        self.metric = metric
        self.folds = folds
        self.repeats = repeats
        self.time_limit = time_limit
        self.device = device
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Compare the approaches and fit the best one on all rows.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Training rows. Columns may hold numbers, booleans, categories, strings or dates, and missing values.
        y : array-like of shape (n_samples,)
            Target: class labels or numbers.
        sample_weight : array-like of shape (n_samples,), default None
            Non-negative weights in training, metric and variance. A row of weight zero counts as absent.
        groups : array-like of shape (n_samples,), default None
            Group labels; rows of one group are never divided between training and test rows.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        UserMistake
            A parameter has a value that cannot be used.
        TabbenchError
            No approach could be judged, or fitting the best one on all rows failed.
        """
        options = self._options()
        contestants = {each.name: each for each in choose_contestants(options).approaches}
        rows = self._weighed(self._read_training(X, y, sample_weight, groups))
        metrics = choose_metrics(rows.task.kind, options.metric)
        rows = replace(rows, task=replace(rows.task, metric=metrics[0], metrics=metrics))
        self.comparison_: FinishedComparison | None = None
        if different_rows(rows) < FEWEST_ROWS_TO_COMPARE:
            rows, device = merged(rows), "cuda" if options.device == "cuda" else "cpu"
            effort = options.work
            self.best_approach_ = _cheapest(list(contestants.values()), is_baseline_wanted=is_named(BASELINE, options))
        else:
            compared = compare_rows(rows, self._columns, replace(options, seed=self._seed()))
            self.comparison_, self.best_approach_, effort = compared.comparison, compared.best, compared.effort
            device = device_of(self.comparison_)
        self._is_own = contestants[self.best_approach_].view == "given"
        self._model = self._fit_approach(contestants[self.best_approach_], rows, effort, device)
        return self

    def __getstate__(self) -> Any:
        state = super().__getstate__()
        compared = state.get("comparison_")
        if compared is not None:
            state["comparison_"] = {"result": to_json_text(compared), "folder": str(compared.folder)}
        return state

    def __setstate__(self, state: Any) -> None:
        super().__setstate__(state)
        kept: Any = vars(self).get("comparison_")
        if isinstance(kept, dict):
            self.comparison_ = as_finished(from_json(json.loads(kept["result"])), Path(kept["folder"]))

    def _predicted(self, X: Any) -> np.ndarray:
        """Predict by the model's view, or by the rows as they are where the model is an estimator of the user's own."""
        matrix = self._matrix(X)
        return np.asarray(self._model.predict(given_rows(self._checked(X, reset=False)) if self._is_own else matrix))

    def _options(self) -> Options:
        approaches = _one_a_family() if self.approaches is None else self.approaches
        # With a time limit the default leaves the effort to it.
        is_open = self.time_limit is not None and self.effort is None and self.preset == DEFAULT_PRESET
        effort = None if is_open else effort_of(self.preset, self.effort)
        return Options(approaches=approaches, effort=effort, metric=self.metric, folds=self.folds,
                       repeats=self.repeats, time_limit=self.time_limit, device=self.device, jobs=self._threads(), sizes="full",
                       save_winner=True).checked()  # so that a time limit leaves time for the last fit


class BestApproachClassifier(_BestApproach, TabularClassifier):
    """Classifier that wins the comparison on the training rows, fitted on all of them.

    With fewer than 100 distinct rows no difference could be shown, so nothing is compared: the cheapest approach is taken, and
    equal rows are merged into one with the sum of their weights. Up to 1,000 rows, with one job and without a time limit, the
    comparison runs in this process, else in worker processes; the results are the same.

    Parameters
    ----------
    preset : {"fast", "balanced", "thorough"}, default "balanced"
        Effort of each approach by name.
    effort : float or None, default None
        Number from 0.01 to 100 that replaces the preset: 0.1 is "fast", 1 is "balanced", 6 is "thorough".
    approaches : str, sequence of str, dict or None, default None
        Names, comma-separated or as a list, or a dict of names and scikit-learn estimators, as for `tabbench.compare`. None takes
        the representative of each family (linear model, boosted trees, neural net) and their blend.
    metric : str or None, default None
        Metric that decides; None is log loss.
    folds : int, default 5
        Number of folds of the cross-validation that compares.
    repeats : int or None, default 1
        Repeats of the cross-validation; None is 3 up to 2,500 rows, 2 up to 10,000, else 1.
    time_limit : str, float or None, default None
        Wall time for comparison and final fit, in seconds or with a unit ("10m"). The largest plan that should end in time is
        run. With the default preset and no `effort`, the effort is chosen to fit as well. The final fit gets the time that is
        left.
    class_weight : dict, "balanced" or None, default None
        Weights of the classes, which multiply those of the rows in training and metric.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Device of the approaches that can use a GPU.
    random_state : int, RandomState instance or None, default None
        Seed of splits and approaches.
    n_jobs : int or None, default None
        Number of cells of the comparison that run at the same time; None means 1. Results do not depend on it.

    Attributes
    ----------
    best_approach_ : str
        Name of the approach that predicts: the recommended one, or the cheapest if nothing was compared.
    comparison_ : FinishedComparison or None
        The comparison with its scores, pairs, costs and findings; None if nothing was compared.
    classes_ : ndarray of shape (n_classes,)
        Class labels in the order of the probabilities.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Examples
    --------
    >>> X = [[value] for value in range(80)]
    >>> y = ["low"] * 40 + ["high"] * 40
    >>> model = BestApproachClassifier(random_state=0).fit(X, y)
    >>> model.predict([[3], [70]]).tolist(), model.best_approach_
    (['low', 'high'], 'linear')
    """

    def __init__(self, preset: str = DEFAULT_PRESET, *, effort: float | None = None,
                 approaches: str | Sequence[str] | Mapping[str, Any] | None = None, metric: str | None = None, folds: int = 5,
                 repeats: int | None = 1, time_limit: str | float | None = None, class_weight: Any = None, device: str = "auto",
                 random_state: Any = None, n_jobs: int | None = None) -> None:
        super().__init__(preset, effort=effort, approaches=approaches, metric=metric, folds=folds, repeats=repeats,
                         time_limit=time_limit, device=device, random_state=random_state, n_jobs=n_jobs)
        self.class_weight = class_weight

    def predict_proba(self, X: Any) -> np.ndarray:
        """Predict class probabilities with the best approach.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows to predict, with the columns of the training rows.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            Class probabilities in the order of `classes_`.
        """
        return self._predicted(X)


class BestApproachRegressor(_BestApproach, TabularRegressor):
    """Regressor that wins the comparison on the training rows, fitted on all of them.

    With fewer than 100 distinct rows no difference could be shown, so nothing is compared: the cheapest approach is taken, and
    equal rows are merged into one with the sum of their weights.

    Parameters
    ----------
    preset : {"fast", "balanced", "thorough"}, default "balanced"
        Effort of each approach by name.
    effort : float or None, default None
        Number from 0.01 to 100 that replaces the preset: 0.1 is "fast", 1 is "balanced", 6 is "thorough".
    approaches : str, sequence of str, dict or None, default None
        Names, comma-separated or as a list, or a dict of names and scikit-learn estimators, as for `tabbench.compare`. None takes
        the representative of each family (linear model, boosted trees, neural net) and their blend.
    metric : str or None, default None
        Metric that decides; None is RMSE.
    folds : int, default 5
        Number of folds of the cross-validation that compares.
    repeats : int or None, default 1
        Repeats of the cross-validation; None is 3 up to 2,500 rows, 2 up to 10,000, else 1.
    time_limit : str, float or None, default None
        Wall time for comparison and final fit, in seconds or with a unit ("10m"). The largest plan that should end in time is
        run. With the default preset and no `effort`, the effort is chosen to fit as well. The final fit gets the time that is
        left.
    device : {"auto", "cpu", "cuda"}, default "auto"
        Device of the approaches that can use a GPU.
    random_state : int, RandomState instance or None, default None
        Seed of splits and approaches.
    n_jobs : int or None, default None
        Number of cells of the comparison that run at the same time; None means 1. Results do not depend on it.

    Attributes
    ----------
    best_approach_ : str
        Name of the approach that predicts: the recommended one, or the cheapest if nothing was compared.
    comparison_ : FinishedComparison or None
        The comparison with its scores, pairs, costs and findings; None if nothing was compared.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        Names of the columns; defined only if X is a frame with string names.

    Examples
    --------
    >>> X = [[value] for value in range(80)]
    >>> model = BestApproachRegressor(random_state=0).fit(X, [2.0 * value for value in range(80)])
    >>> model.predict([[10]]).round().tolist(), model.best_approach_
    ([20.0], 'linear')
    """

    def predict(self, X: Any) -> np.ndarray:
        """Predict with the best approach.

        Parameters
        ----------
        X : array-like or DataFrame of shape (n_samples, n_features)
            Rows to predict, with the columns of the training rows.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predictions in the units of the target.
        """
        return self._predicted(X)


def different_rows(rows: TrainingRows) -> int:
    """Return the number of rows that differ in a feature or the target."""
    return len(np.unique(tie_digests(rows.features, rows.target)))


def merged(rows: TrainingRows) -> TrainingRows:
    """Merge equal rows into one with the sum of their weights, in an order that depends on their content alone.

    Three equal rows are then the same as one of weight three. Inner folds could not be drawn alike for both, and with so few rows
    the models would differ.

    Raises
    ------
    ValueError
        There are fewer than four distinct rows.
    """
    tie = tie_digests(rows.features, rows.target)
    _, first, code = np.unique(tie, return_index=True, return_inverse=True)
    if len(first) < FEWEST_ROWS:
        raise ValueError(f"X and y hold {len(first)} different rows; at least {FEWEST_ROWS} are needed")
    weight = np.bincount(code, weights=rows.weight)
    features = rows.features.iloc[first].reset_index(drop=True)
    group = None if rows.group is None else rows.group[first]
    return TrainingRows(features, rows.target[first], rows.task, None if (weight == 1).all() else weight, group,
                        rows.given.take(first, with_target=True))


def _cheapest(approaches: Sequence[Approach], *, is_baseline_wanted: bool) -> str:
    """Return the approach of lowest cost rank that loads, the baseline only if no other does; the first if none loads."""
    wanted = [each for each in approaches if each.name != BASELINE or is_baseline_wanted or len(approaches) == 1]
    wanted.sort(key=lambda each: (each.name == BASELINE, each.cost_rank))
    loading = (each for each in wanted if all(why_it_does_not_load(module) is None for module in each.requires))
    return next(loading, wanted[0]).name


def _one_a_family() -> list[str]:
    """Return the representatives of the families, and the blends of them."""
    return [each.name for each in APPROACHES if each.represents or each.family == "blend"]
