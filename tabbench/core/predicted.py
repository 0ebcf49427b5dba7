"""Predictions that are there already, in the clothes of an estimator, so that any scorer can judge them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin


class _Predicted(BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """X holds the positions (m, 1) of the rows in `prediction`."""

    def __init__(self, prediction: Any = None, classes: Any = None) -> None:
        self.prediction = prediction
        self.classes = classes

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def _rows(self, X: Any) -> np.ndarray:
        return np.asarray(self.prediction[np.asarray(X)[:, 0].astype(np.int64)])


class _PredictedClasses(ClassifierMixin, _Predicted):  # type: ignore[misc]
    @property
    def classes_(self) -> np.ndarray:
        return np.asarray(self.classes)

    def predict_proba(self, X: Any) -> np.ndarray:
        return self._rows(X)

    def predict(self, X: Any) -> np.ndarray:
        return np.asarray(self.classes_[self._rows(X).argmax(axis=1)])


class _PredictedNumbers(RegressorMixin, _Predicted):  # type: ignore[misc]
    def predict(self, X: Any) -> np.ndarray:
        return self._rows(X)


def predicted(prediction: np.ndarray, labels: np.ndarray | None) -> Any:
    """Return an estimator that predicts these probabilities (m, C) of the labels, or these numbers (m,)."""
    return _PredictedNumbers(prediction) if labels is None else _PredictedClasses(prediction, labels)
