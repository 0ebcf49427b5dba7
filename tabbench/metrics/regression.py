"""Metrics of predicted numbers. Truth and prediction are float64 (m,); weight is (m,) or None."""

from __future__ import annotations

import numpy as np

from tabbench.core.metric import METRICS, Metric
from tabbench.core.task import TaskKind

REGRESSION: tuple[TaskKind, ...] = ("regression",)
R2_MARGIN = 0.01
"""One per cent of the variance explained: less is not worth a change of approach."""

Weight = np.ndarray | None


def rmse(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Root of the mean squared error."""
    return float(np.sqrt(np.average((truth - prediction) ** 2, weights=weight)))


def rmse_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Influence values: mean equal to the RMSE, variance right to first order (delta method)."""
    root = rmse(truth, prediction, weight)
    if root == 0:
        return np.zeros(len(truth))
    return np.asarray((truth - prediction) ** 2 / (2 * root) + root / 2)


def mae(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Mean absolute error."""
    return float(np.average(np.abs(truth - prediction), weights=weight))


def mae_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Absolute errors."""
    return np.asarray(np.abs(truth - prediction))


def r2(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> float:
    """Coefficient of determination; NaN (undefined) where the truth does not vary."""
    variance = _variance(truth, weight)
    return float(1 - np.average((truth - prediction) ** 2, weights=weight) / variance) if variance > 0 else float("nan")


def r2_rows(truth: np.ndarray, prediction: np.ndarray, weight: Weight) -> np.ndarray:
    """Squared errors in units of the truth's variance, which is taken as fixed, less one; NaN where R2 is undefined."""
    variance = _variance(truth, weight)
    return np.asarray((truth - prediction) ** 2 / variance - 1) if variance > 0 else np.full(len(truth), np.nan)


def _variance(truth: np.ndarray, weight: Weight) -> float:
    return float(np.average((truth - np.average(truth, weights=weight)) ** 2, weights=weight))


METRICS.register(Metric("rmse", REGRESSION, False, rmse, rmse_rows, label="RMSE", bounds=(0.0, np.inf), place=1))
METRICS.register(Metric("mae", REGRESSION, False, mae, mae_rows, label="MAE", bounds=(0.0, np.inf), place=2,
                        best_constant="median"))
METRICS.register(Metric("r2", REGRESSION, True, r2, r2_rows, R2_MARGIN, label="R²", bounds=(-np.inf, 1.0), place=3))
