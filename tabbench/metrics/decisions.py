"""Metrics of the most probable class. Truth is codes (m,), prediction (m, C) probabilities, weight (m,) or None.

For a binary task the second class is the positive one. A share of no rows counts as 0.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tabbench.core.metric import METRICS, STEP_SHARED_LUCK, Metric
from tabbench.core.task import TaskKind
from tabbench.metrics.classification import Weight, balanced_accuracy_classes, weights_of

BINARY: tuple[TaskKind, ...] = ("binary",)
MULTICLASS: tuple[TaskKind, ...] = ("multiclass",)
BOTH: tuple[TaskKind, ...] = ("binary", "multiclass")
MARGIN = 0.01
"""One per cent of the range of each of these scores."""
TOP = (2, 3, 5)
"""Numbers of most probable classes, one of which is to be the true one."""

Share = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
"""(is true, is predicted), both bool (m,) -> numerator and denominator (m,) of a ratio of means."""


def precision_share(is_true: np.ndarray, is_predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows found among those predicted."""
    return is_true & is_predicted, is_predicted.astype(np.float64)


def recall_share(is_true: np.ndarray, is_predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows found among those that are true."""
    return is_true & is_predicted, is_true.astype(np.float64)


def f1_share(is_true: np.ndarray, is_predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The harmonic mean of both: twice the rows found among those true and those predicted."""
    return 2.0 * (is_true & is_predicted), is_true.astype(np.float64) + is_predicted


def ratio_rows(share: Share, is_true: np.ndarray, is_predicted: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Influence values (m,) of a ratio of means: their mean is the ratio, their variance right to first order (delta method)."""
    above, below = share(is_true, is_predicted)
    mean = np.average(below, weights=weights)
    if mean == 0:
        return np.zeros(len(is_true))
    ratio = np.average(above, weights=weights) / mean
    return np.asarray(ratio + (above - ratio * below) / mean)


def _rows_of(share: Share, truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Minus the influence values for the positive class."""
    chosen, weights = np.argmax(prediction, axis=1), weights_of(truth, weight)
    return -ratio_rows(share, truth == 1, chosen == 1, weights)


def _macro_rows(share: Share, truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Minus their mean over the classes that occur in truth or prediction."""
    chosen, weights = np.argmax(prediction, axis=1), weights_of(truth, weight)
    counted = np.union1d(truth[weights > 0], chosen[weights > 0])
    return -np.asarray(np.mean([ratio_rows(share, truth == code, chosen == code, weights) for code in counted], axis=0))


def positives(truth: np.ndarray, weight: Weight) -> tuple[np.ndarray, np.ndarray]:
    """That only the positive class counts (1,), and its effective rows (1,), all rows where it does not occur."""
    weights = weights_of(truth, weight)
    counted = weights[truth == 1] if weights[truth == 1].any() else weights
    return np.ones(1), np.array([counted.sum() ** 2 / (counted**2).sum()])


def _metric(name: str, tasks: tuple[TaskKind, ...], rows: Callable[..., np.ndarray], label: str = "",
            classes: Callable[[np.ndarray, Weight], tuple[np.ndarray, np.ndarray]] | None = None) -> None:
    def score(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
        return -float(np.average(rows(truth, prediction, weight), weights=weight))

    METRICS.register(Metric(name, tasks, True, score, rows, MARGIN, STEP_SHARED_LUCK, step=1.0, classes=classes, label=label,
                            bounds=(0.0, 1.0)))


def _top_rows(count: int) -> Callable[..., np.ndarray]:
    def rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
        """-1 where at most `count` classes, the true one included, are as probable as it is, else 0."""
        of_truth = prediction[np.arange(len(truth)), truth]
        return -np.asarray((prediction >= of_truth[:, None]).sum(axis=1) <= count, dtype=np.float64)

    return rows


def _counts(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """The weighted shares of rows (C, C) by true and by most probable class."""
    classes = prediction.shape[1]
    pairs = truth * classes + np.argmax(prediction, axis=1)
    counts = np.bincount(pairs, weights=weights_of(truth, weight), minlength=classes * classes)
    return np.asarray(counts.reshape(classes, classes) / counts.sum())


def matthews(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Matthews correlation coefficient; 0 where truth or prediction holds one class only."""
    counts = _counts(truth, prediction, weight)
    true, predicted = counts.sum(axis=1), counts.sum(axis=0)
    spread = (1 - true @ true) * (1 - predicted @ predicted)
    return float((np.trace(counts) - true @ predicted) / np.sqrt(spread)) if spread > 1e-12 else 0.0


def kappa(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Cohen's kappa: agreement above that of chance; 0 where truth and prediction hold the same class only."""
    counts = _counts(truth, prediction, weight)
    chance = counts.sum(axis=1) @ counts.sum(axis=0)
    return float((np.trace(counts) - chance) / (1 - chance)) if chance < 1 - 1e-12 else 0.0


def average_precision(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Area under the steps of precision over recall by the positive class's probability; NaN without a positive row."""
    weights, order = weights_of(truth, weight), np.argsort(-prediction[:, 1], kind="stable")
    level = np.unique(-prediction[order, 1], return_index=True)[1]
    found = np.add.reduceat((weights * (truth == 1))[order], level)
    taken = np.cumsum(np.add.reduceat(weights[order], level))
    if found.sum() == 0:
        return float("nan")
    precision = np.divide(np.cumsum(found), taken, out=np.zeros(len(taken)), where=taken > 0)
    return float(precision @ found / found.sum())


def cost_matrix(costs: np.ndarray, name: str = "cost") -> Metric:
    """A metric: the mean cost of the decision of least expected cost.

    Parameters
    ----------
    costs : array-like of shape (n_classes, n_classes)
        Cost of each decision (columns) for each true class (rows), both in the order of the sorted labels.
    name : str, default "cost"
        Name of the metric.

    Returns
    -------
    metric : Metric
        For the option `metric` of `compare`; lower is better, and it gets the full method, being a mean over rows.

    Examples
    --------
    >>> fraud = cost_matrix([[0, 1], [20, 0]])
    >>> fraud.score(np.array([0, 1]), np.array([[0.9, 0.1], [0.99, 0.01]]), None)
    10.5
    """
    table = np.asarray(costs, dtype=np.float64)

    def rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
        return np.asarray(table[truth, np.argmin(prediction @ table, axis=1)])

    def score(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
        return float(np.average(rows(truth, prediction, weight), weights=weight))

    return Metric(name, BOTH, False, score, rows, shared_luck=STEP_SHARED_LUCK, step=float(np.ptp(table)), is_own=True,
                  bounds=(float(table.min()), float(table.max())))


for _name, _share in (("f1", f1_share), ("precision", precision_share), ("recall", recall_share)):
    _words = "F1" if _name == "f1" else _name
    _metric(_name, BINARY, lambda *given, share=_share: _rows_of(share, *given), _words, positives)
    _metric(f"{_name}_macro", BOTH, lambda *given, share=_share: _macro_rows(share, *given), f"macro {_words}",
            balanced_accuracy_classes)
for _count in TOP:
    _metric(f"top_{_count}_accuracy", MULTICLASS, _top_rows(_count))
METRICS.register(Metric("mcc", BOTH, True, matthews, None, MARGIN, STEP_SHARED_LUCK, step=1.0, label="Matthews correlation",
                        bounds=(-1.0, 1.0)))
METRICS.register(Metric("kappa", BOTH, True, kappa, None, MARGIN, STEP_SHARED_LUCK, step=1.0, label="Cohen's kappa",
                        bounds=(-1.0, 1.0)))
METRICS.register(Metric("average_precision", BINARY, True, average_precision, None, MARGIN, bounds=(0.0, 1.0)))
