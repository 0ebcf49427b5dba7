"""Further metrics of predicted numbers, reported when named. Truth and prediction are float64 (m,); weight is (m,) or None."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tabbench.core.metric import METRICS, Metric
from tabbench.core.task import TaskKind

REGRESSION: tuple[TaskKind, ...] = ("regression",)
SMALLEST_TRUTH = float(np.finfo(np.float64).eps)
"""What a truth of 0 is divided by, as scikit-learn does."""
SMALLEST_RATE = 1e-3
"""A predicted rate below this share of the mean truth, a negative one too, counts as this: no rate is 0 or less."""
PERCENTILES = (10, 50, 90)

Weight = np.ndarray | None
Rows = Callable[[np.ndarray, np.ndarray, Weight], np.ndarray]


def squared_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Squared errors."""
    return np.asarray((truth - prediction) ** 2)


def relative_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Absolute errors as shares of the truth."""
    return np.asarray(np.abs(truth - prediction) / np.maximum(np.abs(truth), SMALLEST_TRUTH))


def rmsle(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Root of the mean squared difference of log(1 + value); predictions below 0 count as 0. NaN if the truth goes below 0."""
    return float("nan") if (truth < 0).any() else float(np.sqrt(np.average(_log_squares(truth, prediction), weights=weight)))


def rmsle_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Influence values: mean equal to the RMSLE, variance right to first order (delta method)."""
    root = rmsle(truth, prediction, weight)
    if not root > 0:
        return np.full(len(truth), root)
    return np.asarray(_log_squares(truth, prediction) / (2 * root) + root / 2)


def _log_squares(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    return np.asarray((np.log1p(truth) - np.log1p(np.maximum(prediction, 0.0))) ** 2)


def poisson_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Poisson deviances; NaN if the truth goes below 0 or is 0 throughout."""
    mean = np.average(truth, weights=weight)
    if (truth < 0).any() or mean == 0:
        return np.full(len(truth), np.nan)
    rate = np.maximum(prediction, SMALLEST_RATE * mean)
    logs = truth * np.log(np.where(truth > 0, truth, 1.0) / rate)
    return np.asarray(2 * (np.where(truth > 0, logs, 0.0) - truth + rate))


def _pinball_rows(quantile: float) -> Rows:
    def rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
        """Pinball losses: errors weigh `quantile` where the truth is above, the rest of 1 where it is below."""
        error = truth - prediction
        return np.asarray(np.maximum(quantile * error, (quantile - 1) * error))

    return rows


def median_absolute_error(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Weighted median of the absolute errors, the mean of two where the half of all weight lies between them."""
    errors = np.abs(truth - prediction)
    order = np.argsort(errors, kind="stable")
    share = np.cumsum((np.ones(len(errors)) if weight is None else weight)[order])
    half = share[-1] / 2
    first, last = np.searchsorted(share, half * (1 - 1e-12)), np.searchsorted(share, half * (1 + 1e-12), side="right")
    return float((errors[order][first] + errors[order][min(last, len(errors) - 1)]) / 2)


def _mean_of(rows: Rows) -> Callable[[np.ndarray, np.ndarray, Weight], float]:
    return lambda truth, prediction, weight: float(np.average(rows(truth, prediction, weight), weights=weight))


METRICS.register(Metric("mse", REGRESSION, False, _mean_of(squared_rows), squared_rows, label="MSE", bounds=(0.0, np.inf)))
METRICS.register(Metric("mape", REGRESSION, False, _mean_of(relative_rows), relative_rows, label="MAPE", bounds=(0.0, np.inf),
                        best_constant="median"))
METRICS.register(Metric("rmsle", REGRESSION, False, rmsle, rmsle_rows, label="RMSLE", bounds=(0.0, np.inf),
                        best_constant="median"))
METRICS.register(Metric("poisson_deviance", REGRESSION, False, _mean_of(poisson_rows), poisson_rows, label="Poisson deviance",
                        bounds=(0.0, np.inf)))
METRICS.register(Metric("median_absolute_error", REGRESSION, False, median_absolute_error, None, bounds=(0.0, np.inf),
                        best_constant="median"))
for _percent in PERCENTILES:
    _rows = _pinball_rows(_percent / 100)
    METRICS.register(Metric(f"pinball_{_percent}", REGRESSION, False, _mean_of(_rows), _rows, bounds=(0.0, np.inf),
                            label=f"pinball loss at {_percent} %", best_constant="mean" if _percent > 50 else "median"))
