"""What the tuning of several approaches has in common: fewer rows to tune on, and the deciding metric as a loss.

Knows no learner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tabbench.core.approach import SharedWork, TrainingSet
from tabbench.core.metric import tuning_metric
from tabbench.linear.rows import Loss, spread_probabilities
from tabbench.splitting.inner_splits import inner_folds, inner_holdout

ROWS_OF_EVERY_CLASS = 5
"""A sample for tuning holds this many rows of each class, where there are as many: inner folds need them."""


def unit_weight(training: TrainingSet) -> np.ndarray:
    """The rows' weights (n,), scaled to mean one; ones where the rows have none."""
    if training.weight is None:
        return np.ones(len(training))
    return np.asarray(training.weight / training.weight.mean())


def deciding_loss(training: TrainingSet) -> Loss:
    """The task's deciding metric as (truth, prediction, weight) -> float, lower is better."""
    metric = tuning_metric(training.task)
    return lambda truth, prediction, weight: metric.loss(metric.score(truth, prediction, weight))


def tuning_rows(training: TrainingSet, most_rows: int) -> TrainingSet:
    """All rows, or a random `most_rows` of them with some of every class, in their order."""
    if len(training) <= most_rows:
        return training
    shuffled = np.random.default_rng(training.seed).permutation(len(training))
    if not training.task.is_regression:
        comes_first = _rank_in_class(training.target[shuffled]) < ROWS_OF_EVERY_CLASS
        shuffled = shuffled[np.argsort(~comes_first, kind="stable")]
    return restricted(training, np.sort(shuffled[:most_rows]))[0]


def restricted(training: TrainingSet, rows: np.ndarray) -> tuple[TrainingSet, np.ndarray]:
    """The training set of some rows, and which of the classes occur in them (their codes there count from 0)."""
    target, task, present = training.target[rows], training.task, np.arange(training.task.n_classes)
    if not task.is_regression:
        present, target = np.unique(target, return_inverse=True)
        task = task.with_classes(tuple(task.classes[code] for code in present))
    some = replace(
        training, features=training.features.take(rows), target=target, task=task, shared=SharedWork(),
        weight=_taken(training.weight, rows), group=_taken(training.group, rows), time=_taken(training.time, rows),
        tie=_taken(training.tie, rows))
    return some, present


@dataclass(frozen=True, eq=False)
class Trial:
    """A hold-out inside the training rows on which candidates are compared.

    `training` holds the fit rows, `features` those of the validation rows, in the approach's view.
    """

    training: TrainingSet
    features: Any
    whole: TrainingSet
    present: np.ndarray
    valid_rows: np.ndarray

    @classmethod
    def of(cls, training: TrainingSet, most_rows: int, fraction: float) -> Trial:
        """About `fraction` of at most `most_rows` rows validate."""
        sample = tuning_rows(training, most_rows)
        return cls._between(sample, *inner_holdout(sample, fraction, training.seed))

    @classmethod
    def folds_of(cls, training: TrainingSet, most_rows: int, folds: int) -> list[Trial]:
        """One trial for each inner fold of at most `most_rows` rows."""
        sample = tuning_rows(training, most_rows)
        return [cls._between(sample, *each) for each in inner_folds(sample, folds, training.seed)]

    @classmethod
    def _between(cls, sample: TrainingSet, fit_rows: np.ndarray, valid_rows: np.ndarray) -> Trial:
        some, present = restricted(sample, fit_rows)
        return cls(some, sample.features.take(valid_rows), sample, present, valid_rows)

    def loss(self, prediction: np.ndarray) -> float:
        """The deciding metric's loss of a prediction for the validation rows by a model of the fit rows."""
        return deciding_loss(self.whole)(self._truth, self._spread(prediction), self.weight)

    def row_losses(self, prediction: np.ndarray) -> np.ndarray | None:
        """The same by row (v,), to first order; None for a metric that has no row losses."""
        row_loss = tuning_metric(self.whole.task).row_loss
        return None if row_loss is None else row_loss(self._truth, self._spread(prediction), self.weight)

    @property
    def weight(self) -> np.ndarray:
        """The validation rows' weights (v,)."""
        return np.asarray(unit_weight(self.whole)[self.valid_rows])

    @property
    def _truth(self) -> np.ndarray:
        return np.asarray(self.whole.target[self.valid_rows])

    def _spread(self, prediction: np.ndarray) -> np.ndarray:
        task = self.whole.task
        if task.is_regression:
            return prediction
        return spread_probabilities(prediction, self.present, task.n_classes, len(self.training))


def _taken(values: np.ndarray | None, rows: np.ndarray) -> np.ndarray | None:
    return None if values is None else values[rows]


def _rank_in_class(codes: np.ndarray) -> np.ndarray:
    """For each row, how many rows of its class come before it."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], codes[order])
    rank = np.empty(len(codes), dtype=np.int64)
    rank[order] = np.arange(len(codes)) - starts
    return rank
