"""Metrics of class probabilities. Truth is codes (m,), prediction (m, C) probabilities, weight (m,) or None.

For a binary task C is 2 and the second column is the positive class. A class absent from the test part is no mistake:
each metric says what it does then.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from tabbench.core.errors import TabbenchError
from tabbench.core.metric import METRICS, STEP_SHARED_LUCK, Metric
from tabbench.core.task import TaskKind

CLASSIFICATION: tuple[TaskKind, ...] = ("binary", "multiclass")
SMALLEST_PROBABILITY = 1e-15
"""Log loss is clipped here, as usual: one impossible row costs 34.5, not infinity."""
PROBABLE = 1e-3
"""Rows whose sums are as near to one hold probabilities, else scores that only rank."""
CALIBRATION_BINS = 15
"""Equal-mass bins; the usual number, a compromise between resolution and noise."""
ACCURACY_MARGIN = 0.01
AUC_MARGIN = 0.005
CALIBRATION_MARGIN = 0.01

Weight = np.ndarray | None


def _probabilities(prediction: np.ndarray) -> np.ndarray:
    """Float64 rows that sum to one again, as float32 storage rounds.

    Raises
    ------
    TabbenchError
        A value that is no probability; a run never stores such a prediction.
    """
    values = np.asarray(prediction, dtype=np.float64)
    sums = values.sum(axis=1, keepdims=True)
    if not np.isfinite(sums).all() or (values < 0).any() or (sums <= 0).any():
        raise TabbenchError("predictions hold values that are no probabilities")
    return np.asarray(values / sums)


def weights_of(truth: np.ndarray, weight: Weight) -> np.ndarray:
    """Each row's weight (m,), 1 where none are given."""
    return np.ones(len(truth)) if weight is None else np.asarray(weight, dtype=np.float64)


def log_loss_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Minus the logarithm of the true class's probability, clipped at 1e-15."""
    true_class = _probabilities(prediction)[np.arange(len(truth)), truth]
    return np.asarray(-np.log(np.maximum(true_class, SMALLEST_PROBABILITY)))


def log_loss(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Mean log loss in nats."""
    return float(np.average(log_loss_rows(truth, prediction, weight), weights=weight))


def brier_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Squared distance of the probabilities from the truth: of the positive class if binary, else summed over classes."""
    probabilities = _probabilities(prediction)
    if probabilities.shape[1] == 2:
        return np.asarray((probabilities[:, 1] - (truth == 1)) ** 2)
    probabilities[np.arange(len(truth)), truth] -= 1
    return np.asarray((probabilities**2).sum(axis=1))


def brier(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Brier score: 0 to 1 for a binary task (one-column form), 0 to 2 for more classes."""
    return float(np.average(brier_rows(truth, prediction, weight), weights=weight))


def accuracy_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """-1 where the most probable class (the first of equals) is the true one, else 0."""
    return -np.asarray(np.argmax(prediction, axis=1) == truth, dtype=np.float64)


def accuracy(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Share of rows whose most probable class is the true one."""
    return -float(np.average(accuracy_rows(truth, prediction, weight), weights=weight))


def balanced_accuracy(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Mean over the classes that occur of the share found of each."""
    weights = weights_of(truth, weight)
    recall, occurs = _recalls(truth, -accuracy_rows(truth, prediction, weight), weights)
    return float(recall[occurs].mean())


def balanced_accuracy_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Influence values: mean equal to minus the balanced accuracy, variance that of its classes' shares found."""
    weights, hits = weights_of(truth, weight), -accuracy_rows(truth, prediction, weight)
    recall, occurs = _recalls(truth, hits, weights)
    classes = np.flatnonzero(occurs)
    scale = np.zeros(len(occurs))
    scale[classes] = [_influence_scale(truth == code, weights) / len(classes) for code in classes]
    return np.asarray(-(recall[occurs].mean() + scale[truth] * (hits - recall[truth])))


def balanced_accuracy_classes(truth: np.ndarray, weight: Weight) -> tuple[np.ndarray, np.ndarray]:
    """How much each class that occurs counts (C,), and its effective rows (C,)."""
    rows = _rows_of_classes(truth, weights_of(truth, weight))[1]
    return np.full(len(rows), 1 / len(rows)), rows


def _recalls(truth: np.ndarray, hits: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """By class the share found (0 where it does not occur) and whether it occurs."""
    class_weight = np.bincount(truth, weights=weights)
    occurs = class_weight > 0
    found = np.bincount(truth, weights=weights * hits)
    return np.divide(found, class_weight, out=np.zeros(len(occurs)), where=occurs), occurs


def auc(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Area under the ROC curve; for more classes one against the rest, weighted by prevalence.

    Classes that don't occur carry no weight; NaN (undefined) where one class only occurs.
    """
    return _area(_areas(truth, prediction, weights_of(truth, weight)))


def auc_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Influence values from placements: mean equal to minus the AUC, variance DeLong's.

    Source: DeLong, DeLong and Clarke-Pearson 1988, doi:10.2307/2531595. For more classes the estimated prevalences have
    their part.
    """
    return auc_scored(truth, prediction, weight)[1]


def auc_scored(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> tuple[float, np.ndarray]:
    """Both of them."""
    weights = weights_of(truth, weight)
    parts = _areas(truth, prediction, weights)
    if not parts:
        return float("nan"), np.full(len(truth), np.nan)
    influence = {code: np.where(truth == code, *_influence_scales(truth == code, weights)) * (placement - area)
                 for code, (_, area, placement) in parts.items()}
    if len(parts) == 1:
        return _area(parts), np.asarray(-(parts[1][1] + influence[1]))
    by_class = [share * influence[code] + (truth == code) * area for code, (share, area, _) in parts.items()]
    return _area(parts), np.asarray(-np.sum(by_class, axis=0))


def _area(parts: Mapping[int, tuple[float, float, np.ndarray]]) -> float:
    return float(sum(share * area for share, area, _ in parts.values())) if parts else float("nan")


def auc_classes(truth: np.ndarray, weight: Weight) -> tuple[np.ndarray, np.ndarray]:
    """How much each class that occurs counts (C,), and its effective rows (C,), where the AUC is defined.

    Of two classes each is the other's rest. Of more, a class counts by its share in its own area and as a part of the rest in the
    others', where it is next to all of the rest of a class that is nearly everything.
    """
    share, rows = _rows_of_classes(truth, weights_of(truth, weight))
    against = share / (1 - share)
    return share * (1 + against.sum() - against), rows


def _areas(truth: np.ndarray, prediction: np.ndarray, weights: np.ndarray) -> dict[int, tuple[float, float, np.ndarray]]:
    """Class -> its share, its area against the rest and every row's placement (m,); none where one class only occurs.

    Of two classes the second stands for both.
    """
    probabilities = _ranking(prediction)
    prevalence = np.bincount(truth, weights=weights, minlength=probabilities.shape[1]) / weights.sum()
    if np.count_nonzero(prevalence) < 2:
        return {}
    if probabilities.shape[1] == 2:
        return {1: (1.0, *_placements(truth == 1, probabilities[:, 1], weights))}
    return {int(code): (float(prevalence[code]), *_placements(truth == code, probabilities[:, code], weights))
            for code in np.flatnonzero(prevalence)}


def _ranking(prediction: np.ndarray) -> np.ndarray:
    """Probabilities as others take them, or finite scores of any kind as they are."""
    values = np.asarray(prediction, dtype=np.float64)
    if not np.isfinite(values).all():
        return _probabilities(values)  # which refuses them
    are_probable = (values >= 0).all() and np.abs(values.sum(axis=1) - 1).max(initial=0.0) < PROBABLE
    return _probabilities(values) if are_probable else values


def _placements(is_positive: np.ndarray, score: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The area and each row's share of the other side that it is on the right side of; equal scores count half."""
    level = np.unique(score, return_inverse=True)[1]
    positive, negative = weights * is_positive, weights * ~is_positive
    shares_below = []
    for side in (negative, positive):
        at_level = np.bincount(level, weights=side)
        shares_below.append(((np.cumsum(at_level) - at_level / 2) / side.sum())[level])
    placement = np.where(is_positive, shares_below[0], 1 - shares_below[1])
    return float((placement * positive).sum() / positive.sum()), placement


def _influence_scales(is_class: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Of the rows of a class, and of all others."""
    return _influence_scale(is_class, weights), _influence_scale(~is_class, weights)


def _influence_scale(is_class: np.ndarray, weights: np.ndarray) -> float:
    """What a row of a class moves its mean, in rows of all, made longer as distances from a class's own mean are too short.

    By the expected squares of m rows around their mean, m / (m - 1) if they weigh the same. One row has no distance.
    """
    own = weights[is_class]
    total = own.sum()
    share = own / total
    squares = float(share @ share)
    seen = 1 - 2 * float(share**2 @ share) / squares + squares
    return float(weights.sum() / total / math.sqrt(seen if seen > 1e-9 else 1.0))


def _rows_of_classes(truth: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of each class that occurs: its share of the weights, and its effective rows (Kish's, as many as they are if they weigh the
    same)."""
    classes, code = np.unique(truth[weights > 0], return_inverse=True)
    present = weights[weights > 0] / weights.max()
    total, squares = (np.bincount(code, weights=each, minlength=len(classes)) for each in (present, present**2))
    return total / total.sum(), total**2 / squares


def calibration_error(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Debiased root mean squared calibration error over 15 equal-mass bins; 0 is calibrated.

    Of the positive class if binary, else of the most probable class (top-label). Each bin's squared gap is freed of what
    chance alone would add (Kumar, Liang and Ma 2019, arXiv:1909.10155); a negative sum counts as 0. Equal probabilities
    share a bin.
    """
    weights = weights_of(truth, weight)
    counts = weights > 0
    truth, weights, probabilities = truth[counts], weights[counts], _probabilities(prediction[counts])
    if probabilities.shape[1] == 2:
        confidence, hit = probabilities[:, 1], (truth == 1).astype(np.float64)
    else:
        top = np.argmax(probabilities, axis=1)
        confidence, hit = probabilities[np.arange(len(truth)), top], (truth == top).astype(np.float64)
    bins = _equal_mass_bins(confidence, weights)
    mass = np.bincount(bins, weights=weights)
    mean_hit = np.bincount(bins, weights=weights * hit) / mass
    gap = np.bincount(bins, weights=weights * confidence) / mass - mean_hit
    effective_rows = mass**2 / np.bincount(bins, weights=weights**2)
    chance = mean_hit * (1 - mean_hit) / np.maximum(effective_rows - 1, 1)
    return float(np.sqrt(max(0.0, float(np.average(gap**2 - chance, weights=mass)))))


def _equal_mass_bins(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The bin (m,) of each value, from 0 and none empty; equal values share one."""
    level = np.unique(values, return_inverse=True)[1]
    at_level = np.bincount(level, weights=weights)
    middle = (np.cumsum(at_level) - at_level / 2) / weights.sum()
    bin_of_level = np.minimum((middle * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    return np.asarray(np.unique(bin_of_level, return_inverse=True)[1][level])


METRICS.register(Metric("log_loss", CLASSIFICATION, False, log_loss, log_loss_rows, bounds=(0.0, np.inf), place=1))
METRICS.register(Metric("brier", CLASSIFICATION, False, brier, brier_rows, label="Brier score", bounds=(0.0, np.inf), place=2))
METRICS.register(Metric("auc", CLASSIFICATION, True, auc, auc_rows, AUC_MARGIN, STEP_SHARED_LUCK, step=1.0, classes=auc_classes,
                        takes="ranking", label="AUC", bounds=(0.0, 1.0), place=3, scored=auc_scored))
METRICS.register(Metric("accuracy", CLASSIFICATION, True, accuracy, accuracy_rows, ACCURACY_MARGIN, STEP_SHARED_LUCK, step=1.0,
                        bounds=(0.0, 1.0), place=4, takes="labels"))
METRICS.register(Metric("balanced_accuracy", CLASSIFICATION, True, balanced_accuracy, balanced_accuracy_rows, ACCURACY_MARGIN,
                        STEP_SHARED_LUCK, step=1.0, classes=balanced_accuracy_classes, bounds=(0.0, 1.0), place=5,
                        takes="labels"))
METRICS.register(Metric("calibration_error", CLASSIFICATION, False, calibration_error, None, CALIBRATION_MARGIN,
                        bounds=(0.0, 1.0), place=6, rewards_knowledge=False))
