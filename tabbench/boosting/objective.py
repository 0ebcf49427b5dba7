"""What a booster minimises and how its raw scores become predictions. Knows neither library nor fold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy.special import expit, softmax

from tabbench.core.metric import best_constant
from tabbench.core.probability import floored
from tabbench.core.task import Task

ObjectiveKind = Literal["binary", "multiclass", "squared", "absolute"]


@dataclass(frozen=True)
class Objective:
    """The loss that is boosted. `classes` is 0 for regression."""

    kind: ObjectiveKind
    classes: int

    @classmethod
    def of(cls, task: Task) -> Objective:
        """Log loss for classification; for regression absolute error when the median is best, else squared error."""
        if task.is_regression:
            return cls("absolute" if best_constant(task.metric) == "median" else "squared", 0)
        return cls("binary" if task.n_classes == 2 else "multiclass", task.n_classes)

    @property
    def outputs(self) -> int:
        """Trees a round."""
        return self.classes if self.kind == "multiclass" else 1

    def predictions(self, scores: np.ndarray) -> np.ndarray:
        """Float64 (m, classes) probabilities or (m,) numbers from raw scores (m,) or (m, classes)."""
        scores = np.asarray(scores, dtype=np.float64)
        if not self.classes:
            return scores
        if self.kind == "binary":
            positive = expit(scores)
            return floored(np.column_stack([1.0 - positive, positive]))
        return floored(softmax(scores, axis=1))

    def loss(self, target: np.ndarray, predictions: np.ndarray, weight: np.ndarray | None) -> float:
        """The (weighted) mean loss of predictions; squared error without the root."""
        if self.classes:
            losses = -np.log(predictions[np.arange(len(target)), target])
        elif self.kind == "absolute":
            losses = np.abs(target - predictions)
        else:
            losses = (target - predictions) ** 2
        return float(np.average(losses, weights=weight))

    def to_json(self) -> dict[str, Any]:
        """Plain values; `Objective(**values)` gives the same objective back."""
        return {"kind": self.kind, "classes": self.classes}
