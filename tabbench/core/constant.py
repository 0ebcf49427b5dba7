"""The best prediction that looks at no feature: what every approach is measured against, and what stands in for a failure."""

from __future__ import annotations

import numpy as np

from tabbench.core.metric import best_constant
from tabbench.core.task import Task

HALF = 1e-12
"""Shares of weight this near to a half are a half."""


def constant_prediction(task: Task, metric_name: str, target: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the best constant prediction: class probabilities of shape (C,), or a number in an array of shape (1,).

    A class that does not occur gets the probability floor 1 / (n + C). The number is the (weighted) median or mean, whichever
    scores better by the metric. Weights that are all 0 count as equal.

    >>> constant_prediction(Task("binary", ("no", "yes"), "log_loss", ("log_loss",)), "log_loss", np.array([0, 0, 0, 1]), None)
    array([0.75, 0.25])
    """
    weights = np.ones(len(target)) if weight is None or not np.any(weight) else np.asarray(weight, dtype=np.float64)
    if task.is_regression:
        values = np.asarray(target, dtype=np.float64)
        return np.array([_weighted_median(values, weights) if best_constant(metric_name) == "median" else
                         np.average(values, weights=weights)])
    shares = np.bincount(target, weights=weights, minlength=task.n_classes) / weights.sum()
    floored = np.maximum(shares, 1.0 / (len(target) + task.n_classes))
    return np.asarray(floored / floored.sum())


def _weighted_median(values: np.ndarray, weights: np.ndarray) -> float:
    """The middle of the two values between which half of the weight lies on either side."""
    order, last = np.argsort(values, kind="stable"), len(values) - 1
    reached = np.cumsum(weights[order]) / weights.sum()
    low, high = (min(int(np.searchsorted(reached, half)), last) for half in (0.5 - HALF, 0.5 + HALF))
    return float((values[order][low] + values[order][high]) / 2)
