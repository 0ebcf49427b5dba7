"""What a metric is: all that is known of it, from its name in a sentence to its margin. The metrics are in `metrics/`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tabbench.core.registry import Registry
from tabbench.core.task import TaskKind

Score = Callable[[np.ndarray, np.ndarray, np.ndarray | None], float]
RowLoss = Callable[[np.ndarray, np.ndarray, np.ndarray | None], np.ndarray]


SMOOTH_SHARED_LUCK = 0.25
"""Of losses that change smoothly with a prediction."""
STEP_SHARED_LUCK = 0.6
"""Of metrics that count hits."""
RANK_SHARED_LUCK = 0.75
"""Of metrics that count ranks."""


@dataclass(frozen=True)
class Metric:
    """A score of predictions against the truth.

    Parameters
    ----------
    name : str
        As in result.json.
    tasks : tuple[TaskKind, ...]
        Kinds of task it applies to.
    higher_is_better : bool
        Its natural sign.
    score : Score
        (truth, prediction, weight) -> float. Truth is (m,) codes or numbers; prediction float64 (m, C) or (m,); weight (m,) or
        None.
    row_loss : RowLoss | None
        Same arguments -> (m,) values, oriented so that lower is better, whose (weighted) mean is the metric's loss to first
        order: row losses where it is an average, influence values where it is not (RMSE, AUC). None where there is no such thing.
    shared_luck : float
        Correlation between what a row does to a difference by being tested and by being trained on; splits cannot show it, since
        none does both with a row. Measured by simulation (docs/calibration.md).
    classes : Callable[[ndarray, ndarray | None], tuple[ndarray, ndarray]] | None, default None
        (truth, weight) -> how much each class that occurs counts (C,) and its effective rows (C,), for a metric made of means
        over classes, of which one of few rows may decide; None where all rows count together.
    step : float, default 0.0
        Of a metric that counts ranks or hits, by how much the loss of a row may change at once; 0 where it changes smoothly.
    absolute_margin : float | None, default None
        The margin in the metric's own units, or None where it is a fraction of the constant predictor's loss.
    label : str, default ""
        As people write it ("AUC"); empty where that is its name with spaces.
    bounds : tuple[float, float]
        The lowest and the highest score that is possible at all.
    place : int | None, default None
        Where it stands among the metrics that are reported of a task, of which the first decides unless another one is named;
        None for one that has to be named.
    rewards_knowledge : bool, default True
        False where a constant prediction is among the best whatever the data: it cannot choose an approach.
    best_constant : Literal['mean', 'median'], default "mean"
        Which constant scores best on the rows that it is made of; numbers only.
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

    @property
    def words(self) -> str:
        """Its name in a sentence."""
        return self.label or self.name.replace("_", " ")

    def value(self, truth: np.ndarray, prediction: np.ndarray, weight: np.ndarray | None) -> float:
        """The score, NaN where no row has any weight: no metric is defined there."""
        return float("nan") if weight is not None and not weight.any() else self.score(truth, prediction, weight)

    def loss(self, score: float) -> float:
        """The score with its sign turned so that lower is better."""
        return -score if self.higher_is_better else score


METRICS: Registry[Metric] = Registry("metric", "tabbench.metrics")


def metric_words(name: str) -> str:
    """A metric's name in a sentence; one that is not registered here came with a run of somebody else's.

    >>> metric_words("auc"), metric_words("log_loss"), metric_words("pinball_loss")
    ('AUC', 'log loss', 'pinball loss')
    """
    return METRICS.get(name).words if name in METRICS else name.replace("_", " ")


def best_constant(name: str) -> Literal["mean", "median"]:
    """Which constant a metric of numbers scores best; the mean where the metric is not registered here."""
    return METRICS.get(name).best_constant if name in METRICS else "mean"
