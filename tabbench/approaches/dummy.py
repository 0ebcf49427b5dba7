"""The constant predictor: what can be had without looking at any feature. Every other approach is measured against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tabbench.core.approach import APPROACHES, Approach, Settings, TrainingSet, Workload
from tabbench.core.constant import constant_prediction
from tabbench.core.finding import Incident
from tabbench.core.parts import Parts


@dataclass(frozen=True, eq=False)
class FittedDummy:
    """`constant` is (n_classes,) shares of the classes, or (1,) for a number."""

    constant: np.ndarray
    is_regression: bool
    tuned: dict[str, Any] = field(default_factory=dict)
    incidents: tuple[Incident, ...] = ()

    def predict(self, features: Any) -> np.ndarray:
        """The same for every row."""
        if self.is_regression:
            return np.full(len(features), self.constant[0])
        return np.tile(self.constant, (len(features), 1))

    def to_parts(self) -> Parts:
        """The pickle-free form."""
        return Parts({"is_regression": self.is_regression}, {"constant": self.constant})


def fit_dummy(training: TrainingSet) -> FittedDummy:
    """The shares of the classes; the mean; the median where the mean absolute error decides."""
    constant = constant_prediction(training.task, training.task.metric, training.target, training.weight)
    return FittedDummy(constant, training.task.is_regression)


def restore_dummy(parts: Parts) -> FittedDummy:
    """From `to_parts`."""
    return FittedDummy(parts.array("constant", (None,)), parts.values["is_regression"])


def _no_settings(workload: Workload) -> Settings:
    return {}


APPROACHES.register(Approach(
    name="dummy", version=1, family="baseline", cost_rank=0, view="raw",
    summary="constant: class shares, mean or median",
    settings=_no_settings, fit=fit_dummy, restore=restore_dummy, from_effort=0.0))
