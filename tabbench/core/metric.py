"""What a metric is: all that is known of it, from its name in a sentence to its margin. The metrics are in `metrics/`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tabbench.core.registry import Registry
from tabbench.core.task import Task, TaskKind

Score = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
RowLoss = Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]
Scored = Callable[[np.ndarray, np.ndarray, np.ndarray | None], tuple[float, np.ndarray]]


SMOOTH_SHARED_LUCK = 0.1
"""For losses that change smoothly with a prediction: what a fit has learnt from a row hardly moves its loss, which is at its
lowest."""
STEP_SHARED_LUCK = 0.5
"""For metrics that count hits or ranks, which no fit minimises."""


Takes = Literal["probabilities", "ranking", "labels"]
"""What a metric of classes needs of a prediction: probabilities, only the order of the rows, or only the most probable class."""


@dataclass(frozen=True)
class Metric:
    """A score of predictions against the truth.

    Parameters
    ----------
    name : str
        Name as in result.json.
    tasks : tuple[TaskKind, ...]
        Kinds of task that it applies to.
    higher_is_better : bool
        Whether higher scores are better.
    score : Score
        Function (truth, prediction, weight) -> float. The truth holds codes or numbers, of shape (m,); the prediction is float64
        of shape (m, C) or (m,); the weight is of shape (m,) or None.
    row_loss : RowLoss | None
        Function of the same arguments that returns values of shape (m,), lower is better, whose (weighted) mean is the loss to
        first order: row losses if the metric is a mean, influence values if it is not (RMSE, AUC). None if there are none.
    absolute_margin : float | None, default None
        Margin in the units of the metric; None if it is a fraction of the constant predictor's loss.
    shared_luck : float, default 0.1
        Correlation between the effects of a row on a difference when it is tested and when it is trained on. Splits cannot show
        it, since no split does both with a row; it is measured by simulation (docs/calibration.md).
    step : float, default 0.0
        How much the loss of a row can change at once, for a metric that counts ranks or hits; 0 if it changes smoothly.
    classes : Callable[[ndarray, ndarray | None], tuple[ndarray, ndarray]] | None, default None
        For a metric made of means over classes, where one class with few rows may decide: function (truth, weight) -> weight and
        effective number of rows of each class that occurs, both of shape (C,). None if all rows count together.
    label : str, default ""
        Name as people write it ("AUC"); empty if that is `name` with spaces.
    bounds : tuple[float, float], default (-inf, inf)
        Lowest and highest possible score.
    place : int | None, default None
        Position among the reported metrics of a task, of which the first decides by default; None if it is reported only when
        named.
    rewards_knowledge : bool, default True
        False if a constant prediction is among the best whatever the data, so that the metric cannot choose an approach.
    best_constant : {"mean", "median"}, default "mean"
        Which constant scores best on the rows that it is computed from; for regression only.
    takes : {"probabilities", "ranking", "labels"}, default "probabilities"
        What it needs of a classifier: a model without probabilities is scored fairly by the two others only.
    is_own : bool, default False
        Whether a caller made it for one comparison: then it judges what the approaches, which do not know it, have predicted.
    for_classes : Callable[[tuple[str, ...]], Metric] | None, default None
        Gives the metric for a task of these labels, of a caller's own one that looks at labels and not at codes.
    scored : Scored | None, default None
        Function of the same arguments that returns what `score` and `row_loss` do, where these share most of their work.
    """

    name: str
    tasks: tuple[TaskKind, ...]
    higher_is_better: bool
    score: Score
    row_loss: RowLoss | None
    absolute_margin: float | None = None
    shared_luck: float = SMOOTH_SHARED_LUCK
    step: float = 0.0
    classes: Callable[[np.ndarray, np.ndarray | None], tuple[np.ndarray, np.ndarray]] | None = None
    label: str = ""
    bounds: tuple[float, float] = (-math.inf, math.inf)
    place: int | None = None
    rewards_knowledge: bool = True
    best_constant: Literal["mean", "median"] = "mean"
    takes: Takes = "probabilities"
    is_own: bool = False
    for_classes: Callable[[tuple[str, ...]], Metric] | None = None
    scored: Scored | None = None

    @property
    def words(self) -> str:
        """Its name in a sentence."""
        return self.label or self.name.replace("_", " ")

    def value(self, truth: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None) -> float:
        """Return the score, NaN if all weights are 0, since no metric is defined then."""
        return float("nan") if weight is not None and not weight.any() else self.score(truth, prediction, weight)

    def score_and_rows(self, truth: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None
                       ) -> tuple[float, np.ndarray | None]:
        """Return the score and the row losses, None for a metric that has none."""
        if self.scored is not None:
            return self.scored(truth, prediction, weight)
        return self.score(truth, prediction, weight), None if self.row_loss is None else self.row_loss(truth, prediction, weight)

    def loss(self, score: float) -> float:
        """Return the score with the sign that makes lower better."""
        return -score if self.higher_is_better else score


METRICS: Registry[Metric] = Registry("metric", "tabbench.metrics")


def metric_words(name: str) -> str:
    """Return a metric's name in a sentence; metrics of other packages need not be registered here.

    >>> metric_words("auc"), metric_words("log_loss"), metric_words("pinball_loss")
    ('AUC', 'log loss', 'pinball loss')
    """
    return METRICS.get(name).words if name in METRICS else name.replace("_", " ")


def tuning_metric(task: Task) -> Metric:
    """Return the metric by which approaches choose: the deciding one, or the task's usual one in place of a caller's own."""
    metric = METRICS.get(task.metric) if task.metric in METRICS else None
    if metric is None or metric.is_own:
        return METRICS.get("rmse" if task.is_regression else "log_loss")
    return metric


def best_constant(name: str) -> Literal["mean", "median"]:
    """Return which constant scores best by a metric of regression; "mean" if the metric is not registered here."""
    return METRICS.get(name).best_constant if name in METRICS else "mean"
