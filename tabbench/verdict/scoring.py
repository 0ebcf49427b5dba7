"""Scores of cells: what a metric says about the stored predictions, with the constant predictor in the place of failures.

Fixes the margin, too. Knows no interval and no decision.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tabbench.core.constant import constant_prediction
from tabbench.core.errors import BadOption
from tabbench.core.metric import Metric
from tabbench.core.prediction import as_taken
from tabbench.core.split import Split, SplitPlan
from tabbench.core.task import Task

Predictions = Callable[[str, int, int], np.ndarray | None]
"""(approach, size, index of the split) -> the cell's predictions for the split's test rows, or None where it failed."""

DEFAULT_MARGIN = 0.01
"""Share of the constant predictor's loss below which a difference does not matter in practice."""

MOST_OF_BEST = 0.03
"""Share of the best loss that matters, whatever the constant predictor loses: where a task is easy, 1 % of that is a lot."""


@dataclass(frozen=True, eq=False)
class Question:
    """The question: the task, the target (n,) as codes or numbers, the splits, the rows' weight (n,) or None."""

    task: Task
    target: np.ndarray
    plan: SplitPlan
    weight: np.ndarray | None = None

    def truth(self, split: Split) -> tuple[np.ndarray, np.ndarray | None]:
        """Target and weight of the split's test rows."""
        return self.target[split.test], None if self.weight is None else self.weight[split.test]

    def constant(self, metric: Metric, split: Split, size: int) -> np.ndarray:
        """The constant predictor's answer for the split's test rows after `size` training rows."""
        prefix = split.train[:size]
        weight = None if self.weight is None else self.weight[prefix]
        constant = constant_prediction(self.task, metric.name, self.target[prefix], weight)
        return np.full(len(split.test), constant[0]) if self.task.is_regression else np.tile(constant, (len(split.test), 1))


@dataclass(frozen=True, eq=False)
class CellScores:
    """One approach at one size: the metric in its natural sign for each of the J splits, NaN where it is undefined.

    `rows` holds the row-level losses of each split (empty without `Metric.row_loss`); `imputed` says where the constant
    predictor stands in.
    """

    score: np.ndarray
    rows: tuple[np.ndarray, ...]
    imputed: np.ndarray


ScoreCell = Callable[[Question, Metric, Predictions, str, int], CellScores]
"""`score_cell`, or the same that gives what it has scored before."""


def score_cell(question: Question, metric: Metric, predictions: Predictions, approach: str, size: int) -> CellScores:
    """Score one approach at one size over all splits.

    The constant predictor stands in for a cell that failed, and for one whose score overflows although the metric is defined.
    Where no test row has any weight, no metric is defined.
    """
    scores, rows, imputed = [], [], []
    for index, split in enumerate(question.plan.splits):
        truth, weight = question.truth(split)
        if weight is not None and not weight.any():
            scores.append(math.nan)
            imputed.append(False)
            rows += [np.zeros(len(truth))] * (metric.row_loss is not None)
            continue
        prediction = as_taken(predictions(approach, size, index), question.task, metric.takes)
        score, losses = _scored(metric, truth, prediction, weight)
        is_imputed = False
        if prediction is None or not math.isfinite(score):
            score, losses = _scored(metric, truth, question.constant(metric, split, size), weight)
            is_imputed = prediction is None or math.isfinite(score)
        scores.append(score)
        imputed.append(is_imputed)
        if losses is not None:
            rows.append(np.asarray(losses, dtype=np.float64))
    return CellScores(np.array(scores, dtype=np.float64), tuple(rows), np.array(imputed, dtype=bool))


def _scored(metric: Metric, truth: np.ndarray, prediction: np.ndarray | None, weight: np.ndarray | None
            ) -> tuple[float, np.ndarray | None]:
    return (math.nan, None) if prediction is None else metric.score_and_rows(truth, prediction.astype(np.float64), weight)


def constant_loss(question: Question, metric: Metric) -> float:
    """The constant predictor's mean loss over the splits at the full size; NaN where the metric is undefined in all."""
    losses = []
    for split in question.plan.splits:
        truth, weight = question.truth(split)
        losses.append(metric.loss(metric.value(truth, question.constant(metric, split, question.plan.full_size), weight)))
    defined = [each for each in losses if math.isfinite(each)]
    return float(np.mean(defined)) if defined else math.nan


def margin_value(metric: Metric, requested: float | None, constant: float, best: float = math.inf) -> float:
    """The margin in the metric's own units.

    `requested` is taken as it is by a metric that has an absolute margin, else as a fraction of `constant`, the constant
    predictor's loss. By default it is 1 % of that, but at most 3 % of `best`, the lowest loss, unless the metric has its own.

    Raises
    ------
    BadOption
        When `requested` is negative or not finite.
    """
    if requested is not None and not (math.isfinite(requested) and requested >= 0):
        raise BadOption(f"--margin {requested} is not a number of 0 or more; leave it out for the default")
    if metric.absolute_margin is not None:
        return metric.absolute_margin if requested is None else float(requested)
    if requested is not None:
        return float(requested) * abs(constant)
    return min(DEFAULT_MARGIN * abs(constant), MOST_OF_BEST * abs(best))
